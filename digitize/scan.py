"""A scan to a clean page and its words: which way up, cleaned, read once where that is enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitize import image, orientation
from digitize.sources import Loaded
from ocr import ppocr, tesseract
from ocr.reading import ReadFailure, Reading
from records.settings import Settings

# A page whose words are read this surely lies right.
_WELL_READ = 0.70
# How much better another turn must read, in confidence weighed by letters.
_FAR_BETTER = 0.1
_SURE_WORD = 0.7
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


def read_scan(loaded: Loaded, bench: Bench, turned: int | None = None) -> ReadPage | ReadFailure:
    """Clean a scan and read it once; again only when it turns out to lie another way.

    ``turned`` is how it lies, where a person has said so.

    The places of its letters say how it lies. Where they do not say so clearly, paper is taken to
    lie upright, as most does, unless a few of its lines read far better in another turn.
    """
    clean = bench.settings.clean
    # The frame that a scanner leaves must not be taken for writing.
    frame = image.border_mask(loaded.image) if clean.crop else None
    seen = loaded.image if frame is None else np.where(frame > 0, np.uint8(255), loaded.image)
    if turned is not None:
        return _clean_and_read(loaded, _lying(seen, turned, bench), frame, bench)
    lies = orientation.find_orientation(seen, clean.turn, clean.deskew, ppocr.upright_share)
    unsure = clean.turn and lies.sureness < orientation.SURE_ENOUGH
    if unsure and lies.turn:
        lies = _unless_it_reads_upright(seen, lies, loaded.dpi, bench)
    first = _clean_and_read(loaded, lies, frame, bench)
    if isinstance(first, ReadFailure) or first.page.blank:
        return first
    if not unsure or first.reading.confidence >= _WELL_READ:
        return first
    others = tuple(turn for turn in (0, 180, 90, 270) if turn != lies.turn)
    turn = _best_turn(seen, (lies.turn, *others), loaded.dpi, bench)
    if turn == lies.turn:
        return first
    second = _clean_and_read(loaded, _lying(seen, turn, bench), frame, bench)
    if isinstance(second, ReadFailure) or second.reading.confidence <= first.reading.confidence:
        return first
    return second


def _unless_it_reads_upright(
    seen: image.Grey, lies: orientation.Orientation, dpi: int, bench: Bench
) -> orientation.Orientation:
    """Return how a page lies whose turn is a guess: as guessed only if it reads far better so."""
    turns = dict.fromkeys((0, lies.turn, (lies.turn + 180) % 360))
    turn = _best_turn(seen, tuple(turns), dpi, bench)
    return lies if turn == lies.turn else _lying(seen, turn, bench)


def _lying(seen: image.Grey, turn: int, bench: Bench) -> orientation.Orientation:
    """Return how a page lies whose turn is known."""
    upright = np.ascontiguousarray(np.rot90(seen, -turn // 90))
    found = orientation.find_orientation(upright, False, bench.settings.clean.deskew)
    return orientation.Orientation(turn, found.skew_degrees, 1.0)


def _best_turn(seen: image.Grey, turns: tuple[int, ...], dpi: int, bench: Bench) -> int:
    """Try a few lines of a page in some turns; return one that reads far better, or the first."""
    scores = {turn: _lines_read(seen, turn, dpi, bench) for turn in turns}
    best = max(scores, key=lambda turn: scores[turn])
    return best if scores[best] > scores[turns[0]] + _FAR_BETTER else turns[0]


def _lines_read(seen: image.Grey, turn: int, dpi: int, bench: Bench) -> float:
    """Return how well a few lines of a page read in a turn: confidence, weighed by letters."""
    upright = np.ascontiguousarray(np.rot90(seen, -turn // 90))
    lines = orientation.lines_to_try(upright, _lying(seen, turn, bench).skew_degrees)
    if lines is None:
        return 0.0
    read = _read(image.encode_png(lines, kept=False), dpi, _BLOCK, bench)
    if isinstance(read, ReadFailure):
        return 0.0
    letters = sum(len(word.text) for line in read.lines for word in line.words)
    return read.confidence * min(letters, 60) / 60


def _clean_and_read(
    loaded: Loaded, lies: orientation.Orientation, frame: image.Grey | None, bench: Bench
) -> ReadPage | ReadFailure:
    clean = bench.settings.clean
    may = image.Cleaning(clean.turn, clean.deskew, clean.crop, clean.background, clean.speckle)
    page = image.clean(loaded.image, lies, loaded.bitonal, may, frame)
    if page.blank:  # what little there is does not say which way is up, so it is not turned
        unturned = orientation.Orientation(0, 0.0, 0.0)
        page = image.clean(loaded.image, unturned, loaded.bitonal, may, frame)
        page = replace(page, blank=True)
    png = image.encode_png(page.image)
    scale = page.geometry.scale
    soft = "soften" in page.steps
    shown = image.encode_png(image.soften(page.image, scale), kept=False) if soft else png
    dpi = image.reading_dpi(page.letter_height * scale, round(loaded.dpi * scale))
    reading = _read(shown, dpi, _PAGE, bench)
    if isinstance(reading, ReadFailure) or not page.blank:
        return reading if isinstance(reading, ReadFailure) else ReadPage(page, png, reading)
    if _says_something(reading):  # such as 'See file 12' in the middle of a sheet
        return ReadPage(replace(page, blank=False), png, reading)
    return ReadPage(page, png, replace(reading, lines=()))


def _says_something(reading: Reading) -> bool:
    """Say whether any word of a nearly empty page was read for sure."""
    words = [word for line in reading.lines for word in line.words]
    return any(
        word.confidence >= _SURE_WORD and sum(c.isalnum() for c in word.text) >= 3 for word in words
    )


def _read(png: bytes, dpi: int, layout: int, bench: Bench) -> Reading | ReadFailure:
    """Hand Tesseract a file that holds pixels of our own making and nothing else."""
    path = bench.workspace / f"read-{bench.stem}-{layout}.png"
    path.write_bytes(png)
    try:
        read = bench.settings.read
        return tesseract.read(path, read.languages, dpi, read.timeout_s, layout)
    finally:
        path.unlink(missing_ok=True)
