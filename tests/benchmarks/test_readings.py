"""Pages that a benchmark reads are kept, so that another run need not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks import readings


def test_a_page_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time its words, picture and size come from the folder that they were kept in."""
    sheet = Image.new("L", (900, 300), 255)
    pen = ImageDraw.Draw(sheet)
    pen.text((60, 120), "Town of Alder Falls", 0, ImageFont.load_default(60))
    path = tmp_path / "set" / "images" / "page.png"
    path.parent.mkdir(parents=True)
    sheet.save(path, dpi=(300, 300))
    (first,) = readings.readings([(path, 1)], tmp_path / "cache", mode="tesseract")
    assert first is not None
    assert " ".join(line.text for line in first.lines) == "Town of Alder Falls"
    assert first.image.shape == first.size[::-1]
    assert first.cpu > 0
    monkeypatch.setattr(readings, "read_page", lambda *_: pytest.fail("it was read again"))
    (second,) = readings.readings([(path, 1)], tmp_path / "cache", mode="tesseract")
    assert second == first
