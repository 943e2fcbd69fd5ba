"""Cleaning and reading together: sheets that are nearly empty, and pages that lie wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import scan
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


CAPITALS = ("REQUISITION NO. 2004, 11 MARCH", "TOTAL AMOUNT DUE UPON RECEIPT",
            "CITY OF ALDER FALLS, ROOM 114", "QUANTITY 26, PRICE EACH 11.50")  # fmt: skip


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_without_the_classifier_a_few_lines_are_tried(
    turn: int, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capitals do not say which way is up by their places: Tesseract reads a few lines of them."""
    monkeypatch.setattr(scan.ppocr, "upright_share", lambda crops: None)
    made = sheet("\n".join(CAPITALS)).rotate(turn, expand=True)
    assert read(made, settings, tmp_path).page.geometry.turn == turn


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_what_no_reader_makes_out_stays_as_it_came(
    turn: int, settings: Settings, tmp_path: Path
) -> None:
    """Scribbles that say nothing of how they lie are not turned."""
    made = sheet("")
    drawn, pen = np.random.default_rng(5), ImageDraw.Draw(made)
    for x, y in drawn.integers((150, 150), (1000, 1400), (60, 2)).tolist():
        points = drawn.integers(-60, 60, (6, 2)) + np.array((x, y))
        pen.line([tuple(point) for point in points.tolist()], fill=0, width=4)
    found = read(made.rotate(turn, expand=True), settings, tmp_path)
    assert found.page.geometry.turn == 0
