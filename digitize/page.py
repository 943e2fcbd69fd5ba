"""Work on one page, in a reading process: a pure function of paths and settings."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitize import image, sources
from digitize.extract import extract
from digitize.forms import FormTemplate
from digitize.identify import Identified, as_form, identify
from digitize.values import Reading as Customs
from ocr import tesseract
from ocr.reading import ReadFailure, Reading, mean_confidence
from records.archive import Archive
from records.errors import InputError
from records.geometry import untouched
from records.model import Field, Line, PageFailure, PageKind, PageResult
from records.settings import Settings

# Raise this when the code changes so that the same settings give another reading.
READING_VERSION = 1
# A page whose place was read off clearly, or whose words are read this surely, lies right.
_SURE_ENOUGH = 0.2
_WELL_READ = 0.70


@dataclass(frozen=True, slots=True)
class PageTask:
    """One page to work on; ``form`` is what a person said that it is."""

    original: Path
    name: str
    media_type: str
    number: int
    form: str | None
    settings: Settings
    forms: Mapping[str, FormTemplate]
    workspace: Path


def reading_key(settings: Settings, forms: Mapping[str, FormTemplate]) -> str:
    """Return a digest of everything that shapes a page's reading, beside the page itself."""
    shaping = [
        READING_VERSION,
        repr(settings.clean),
        repr(settings.read),
        repr(settings.forms.sure),
        repr([forms[name] for name in sorted(forms)]),
    ]
    return hashlib.sha256(json.dumps(shaping).encode()).hexdigest()[:16]


def work_on_page(task: PageTask) -> PageResult | PageFailure:
    """Take one page from its file to words and fields; a failure is a value with a sentence."""
    started = time.monotonic()
    try:
        loaded = sources.load_page(task.original, task.media_type, task.number, task.settings)
    except InputError as error:
        return _failure(task, "source", "unreadable", str(error))
    except MemoryError:
        return _failure(task, "source", "memory", "needs more memory than limits.memory_mb allows")
    if loaded.lines is not None:
        page, lines, reader = _plain(loaded.image), loaded.lines, "the file's own text"
        kind, dpi = PageKind.TEXT, loaded.dpi
    else:
        read = _read_scan(loaded, task)
        if isinstance(read, ReadFailure):
            return _failure(task, "reading", read.kind, f"{read.message}; look at the page")
        page, reading = read
        lines, reader = reading.lines, reading.reader
        kind, dpi = PageKind.SCAN, round(loaded.dpi * page.geometry.scale)
    return _result(task, page, lines, reader, kind, dpi, started)


def _result(
    task: PageTask, page: image.CleanPage, lines: tuple[Line, ...], reader: str, kind: PageKind,
    dpi: int, started: float,
) -> PageResult:  # fmt: skip
    archive = Archive(task.settings.archive.folder)
    known = None if page.blank else _identify(task, lines)
    fields: tuple[Field, ...] = ()
    if known and known.form.role == "form":
        customs = Customs(task.settings.forms.day_first, task.settings.forms.region)
        fields = extract(
            known, lines, page.image, task.number, reader, task.settings.forms.sure, customs
        )
    separator = known is not None and known.form.role == "separator"
    return PageResult(
        number=task.number,
        key=reading_key(task.settings, task.forms),
        kind=kind,
        image=archive.keep_image(image.encode_png(page.image), task.workspace),
        size=(page.image.shape[1], page.image.shape[0]),
        dpi=dpi,
        geometry=page.geometry,
        steps=page.steps,
        blank=page.blank,
        lines=lines,
        confidence=round(mean_confidence(lines), 4),
        form=known.form.name if known and not separator else None,
        form_page=known.page if known and not separator else 0,
        separator=separator,
        fields=fields,
        reader=reader,
        languages="+".join(task.settings.read.languages),
        exit_code=0,
        seconds=round(time.monotonic() - started, 3),
    )


def _identify(task: PageTask, lines: tuple[Line, ...]) -> Identified | None:
    found = identify(lines, task.forms)
    given = task.forms.get(task.form or "")
    if given is None or (found and found.form.role == "separator"):
        return found
    if found and found.form.name == given.name:
        return found
    pages = range(1, given.pages + 1)
    return max((as_form(lines, given, page) for page in pages), key=lambda i: i.score)


def _plain(pixels: image.Grey) -> image.CleanPage:
    height, width = pixels.shape
    blank = False  # it has words of its own
    return image.CleanPage(pixels, untouched(width, height), (), blank)


def _read_scan(
    loaded: sources.Loaded, task: PageTask
) -> tuple[image.CleanPage, Reading] | ReadFailure:
    """Clean a scan and read it once; again only when it turns out to lie another way."""
    clean = task.settings.clean
    may = image.Cleaning(clean.turn, clean.deskew, clean.crop, clean.background, clean.speckle)
    # The frame that a scanner leaves must not be taken for writing.
    frame = image.border_mask(loaded.image) if clean.crop else None
    seen = loaded.image if frame is None else np.where(frame > 0, np.uint8(255), loaded.image)
    lies = image.find_orientation(seen, clean.turn, clean.deskew)
    page = image.clean(loaded.image, lies, loaded.dpi, loaded.bitonal, may)
    if page.blank:
        return _unturned(loaded, may), Reading((), f"tesseract {tesseract.version()}", "", 0)
    reading = _read(page, loaded.dpi, task)
    if isinstance(reading, ReadFailure) or not clean.turn:
        return reading if isinstance(reading, ReadFailure) else (page, reading)
    if lies.sureness >= _SURE_ENOUGH or reading.confidence >= _WELL_READ:
        return page, reading
    better = _better_turn(page, lies, task, loaded.dpi)
    if better is None:
        return page, reading
    turned = image.find_orientation(np.ascontiguousarray(np.rot90(seen, -better // 90)), turn=False)
    lies = image.Orientation(better, turned.skew_degrees if clean.deskew else 0.0, 1.0)
    other = image.clean(loaded.image, lies, loaded.dpi, loaded.bitonal, may)
    again = _read(other, loaded.dpi, task)
    if isinstance(again, ReadFailure) or again.confidence <= reading.confidence:
        return page, reading
    return other, again


def _unturned(loaded: sources.Loaded, may: image.Cleaning) -> image.CleanPage:
    """Clean a blank page without turning it: nothing on it says which way is up."""
    asis = image.Orientation(0, 0.0, 0.0)
    page = image.clean(loaded.image, asis, loaded.dpi, loaded.bitonal, may)
    return replace(page, blank=True)


def _read(page: image.CleanPage, dpi: int, task: PageTask) -> Reading | ReadFailure:
    return _read_pixels(page.image, round(dpi * page.geometry.scale), task, layout=3)


def _read_pixels(
    pixels: image.Grey, dpi: int, task: PageTask, layout: int
) -> Reading | ReadFailure:
    path = task.workspace / f"read-{task.original.name[:16]}-{task.number}-{layout}.png"
    path.write_bytes(image.encode_png(pixels))
    try:
        read = task.settings.read
        return tesseract.read(path, read.languages, dpi, read.timeout_s, layout)
    finally:
        path.unlink(missing_ok=True)


def _better_turn(
    page: image.CleanPage, lies: image.Orientation, task: PageTask, dpi: int
) -> int | None:
    """Try a few lines of a badly read page in every turn; return the one that reads far better."""
    scores = {}
    for further in (0, 180, 90, 270):
        turned = np.ascontiguousarray(np.rot90(page.image, -further // 90))
        lines = image.strips(turned)
        if lines is None:
            continue
        read = _read_pixels(lines, dpi, task, layout=6)
        if isinstance(read, Reading):
            letters = sum(len(w.text) for line in read.lines for w in line.words)
            scores[(lies.turn + further) % 360] = read.confidence * min(letters, 60) / 60
    if not scores:
        return None
    best = max(scores, key=lambda turn: scores[turn])
    return best if best != lies.turn and scores[best] > scores.get(lies.turn, 0) + 0.1 else None


def _failure(task: PageTask, stage: str, kind: str, message: str) -> PageFailure:
    return PageFailure(task.number, stage, kind, f"'{task.name}' page {task.number} {message}.")
