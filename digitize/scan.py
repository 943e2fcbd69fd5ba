"""A scan to a clean page and its words: which way up, cleaned, read once where that is enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitize import image
from digitize.sources import Loaded
from ocr import tesseract
from ocr.reading import ReadFailure, Reading
from records.settings import Settings

# A page whose place was seen clearly, or whose words are read this surely, lies right.
_SURE_ENOUGH = 0.2
_WELL_READ = 0.70
# How much better another turn must read, in confidence weighed by letters.
_FAR_BETTER = 0.1
_PAGE, _BLOCK = 3, 6  # Tesseract's page segmentation modes: a whole page, one block of text


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a page is worked on: settings, a folder for work files, a name for this page's."""

    settings: Settings
    workspace: Path
    stem: str


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A cleaned page, as PNG bytes too, and what was read on it."""

    page: image.CleanPage
    png: bytes
    reading: Reading


def read_scan(loaded: Loaded, bench: Bench) -> ReadPage | ReadFailure:
    """Clean a scan and read it once; again only when it turns out to lie another way."""
    clean = bench.settings.clean
    # The frame that a scanner leaves must not be taken for writing.
    frame = image.border_mask(loaded.image) if clean.crop else None
    seen = loaded.image if frame is None else np.where(frame > 0, np.uint8(255), loaded.image)
    lies = image.find_orientation(seen, clean.turn, clean.deskew)
    first = _clean_and_read(loaded, lies, frame, bench)
    if isinstance(first, ReadFailure) or first.page.blank or not clean.turn:
        return first
    if lies.sureness >= _SURE_ENOUGH or first.reading.confidence >= _WELL_READ:
        return first
    turn = _better_turn(first.page, lies.turn, loaded.dpi, bench)
    if turn is None:
        return first
    upright = np.ascontiguousarray(np.rot90(seen, -turn // 90))
    skew = image.find_orientation(upright, False, clean.deskew).skew_degrees
    second = _clean_and_read(loaded, image.Orientation(turn, skew, 1.0), frame, bench)
    if isinstance(second, ReadFailure) or second.reading.confidence <= first.reading.confidence:
        return first
    return second


def _clean_and_read(
    loaded: Loaded, lies: image.Orientation, frame: image.Grey | None, bench: Bench
) -> ReadPage | ReadFailure:
    clean = bench.settings.clean
    may = image.Cleaning(clean.turn, clean.deskew, clean.crop, clean.background, clean.speckle)
    page = image.clean(loaded.image, lies, loaded.dpi, loaded.bitonal, may, frame)
    if page.blank:  # nothing on it says which way is up, so it is not turned
        unturned = image.Orientation(0, 0.0, 0.0)
        page = image.clean(loaded.image, unturned, loaded.dpi, loaded.bitonal, may, frame)
        nothing = Reading((), f"tesseract {tesseract.version()}", "", 0)
        return ReadPage(replace(page, blank=True), image.encode_png(page.image), nothing)
    png = image.encode_png(page.image)
    reading = _read(png, round(loaded.dpi * page.geometry.scale), _PAGE, bench)
    return reading if isinstance(reading, ReadFailure) else ReadPage(page, png, reading)


def _read(png: bytes, dpi: int, layout: int, bench: Bench) -> Reading | ReadFailure:
    """Hand Tesseract a file that holds pixels of our own making and nothing else."""
    path = bench.workspace / f"read-{bench.stem}-{layout}.png"
    path.write_bytes(png)
    try:
        read = bench.settings.read
        return tesseract.read(path, read.languages, dpi, read.timeout_s, layout)
    finally:
        path.unlink(missing_ok=True)


def _better_turn(page: image.CleanPage, turn: int, dpi: int, bench: Bench) -> int | None:
    """Try a few lines of a badly read page in every turn; return the one that reads far better."""
    scores = {}
    for further in (0, 180, 90, 270):
        turned = np.ascontiguousarray(np.rot90(page.image, -further // 90))
        lines = image.strips(turned)
        if lines is None:
            continue
        read = _read(image.encode_png(lines), dpi, _BLOCK, bench)
        if isinstance(read, Reading):
            letters = sum(len(w.text) for line in read.lines for w in line.words)
            scores[(turn + further) % 360] = read.confidence * min(letters, 60) / 60
    best = max(scores, key=lambda t: scores[t], default=turn)
    return best if best != turn and scores[best] > scores.get(turn, 0.0) + _FAR_BETTER else None
