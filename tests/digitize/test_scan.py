"""Cleaning and reading together: sheets that are nearly empty, and pages that lie wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize.scan import Bench, ReadPage, read_scan
from digitize.sources import Loaded
from records.settings import Settings


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "OMP_THREAD_LIMIT", "1")


def sheet(text: str, size: tuple[int, int] = (1275, 1650)) -> Image.Image:
    """Return a letter sheet at 150 dpi with one short text in its middle."""
    made = Image.new("L", size, 255)
    font = ImageFont.load_default(40)
    ImageDraw.Draw(made).text((size[0] // 3, size[1] // 3), text, font=font, fill=0)
    return made


def read(made: Image.Image, settings: Settings, folder: Path) -> ReadPage:
    loaded = Loaded(np.asarray(made), 150, False, None)
    found = read_scan(loaded, Bench(settings, folder, "test"))
    assert isinstance(found, ReadPage)
    return found


@pytest.mark.parametrize("text", ["EXHIBIT A", "See file 12", "Case closed 3/4/61", "Void"])
def test_a_sheet_that_says_little_is_not_blank(
    text: str, settings: Settings, tmp_path: Path
) -> None:
    """A few words on an empty sheet are read and found; only what says nothing is blank."""
    found = read(sheet(text), settings, tmp_path)
    assert not found.page.blank
    words = [word.text for line in found.reading.lines for word in line.words]
    assert text.split()[0] in words


def test_an_empty_sheet_is_blank_and_has_no_words(settings: Settings, tmp_path: Path) -> None:
    """Dust on an empty sheet is no text."""
    made = np.asarray(sheet("")).copy()
    places = np.random.default_rng(7).integers(50, 1200, (60, 2))
    made[places[:, 0], places[:, 1]] = 0
    found = read(Image.fromarray(made), settings, tmp_path)
    assert found.page.blank
    assert found.reading.lines == ()
