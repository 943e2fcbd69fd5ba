"""Tiny scans, made in a moment: what is on them does not matter, that each is different does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

_SIZE = (900, 560)
_LINES = (
    "Alder Falls, Town Clerk",
    "received on the fourth of May",
    "about the fence at the corner",
    "which stands two feet too near",
    "to the footway, as was found",
)


def sheet(text: str) -> Image.Image:
    """Return a small page with a few lines on it."""
    page = Image.new("L", _SIZE, 255)
    pen = ImageDraw.Draw(page)
    for line, words in enumerate((text, *_LINES)):
        pen.text((60, 60 + 74 * line), words, fill=0, font_size=38)
    return page


def write_scan(path: Path, text: str, pages: int = 1) -> Path:
    """Write a scan (TIFF when it has several pages); return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheets = [sheet(f"{text} {number}") for number in range(1, pages + 1)]
    if path.suffix == ".tif":
        sheets[0].save(path, save_all=True, append_images=sheets[1:])
    else:
        sheets[0].save(path)
    return path


def drawer(folder: Path, names: Sequence[str] = ("a", "b", "c"), pages: int = 2) -> Path:
    """Fill a folder with scans of a few pages each; return it."""
    for name in names:
        write_scan(folder / f"{name}.tif", f"{name} of {folder.parent.name}", pages)
    return folder
