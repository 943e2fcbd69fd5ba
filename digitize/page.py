"""Work on one page, in a reading process: a pure function of paths and settings."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from digitize import image, sources
from digitize.barcodes import is_patch_t, read_barcodes
from digitize.extract import Asked, extract
from digitize.forms import FormTemplate, printings
from digitize.identify import Identified, as_form, identify
from digitize.pairs import find_pairs
from digitize.scan import Bench, read_scan
from digitize.second_look import look_again, second_languages
from digitize.values import Reading as Customs
from ocr.reading import ReadFailure, mean_confidence
from records.archive import Archive
from records.errors import InputError
from records.geometry import untouched
from records.model import Field, Line, PageFailure, PageKind, PageResult, Pair
from records.settings import Settings

# Raise this when the code changes so that the same settings give another reading.
READING_VERSION = 3
# Raise this when the code changes so that the same words and templates give other fields or pairs.
FORMS_VERSION = 3
_KNOWN_WORDS = "known-words.txt"
# A page with as many words is no separator sheet, and is not searched for bars.
_WORDS_OF_A_PAGE = 40


@dataclass(frozen=True, slots=True)
class PageTask:
    """One page to work on; ``form`` is what a person said that it is.

    With ``known``, an earlier reading whose words still hold, only its form is looked for anew.
    ``turned`` is the turn that a person gave the page, as ``PageGeometry.turn``.
    """

    original: Path
    name: str
    media_type: str
    number: int
    form: str | None
    settings: Settings
    forms: Mapping[str, FormTemplate]
    workspace: Path
    known: PageResult | None = None
    turned: int | None = None


def write_known_words(words: Iterable[str], workspace: Path) -> None:
    """Leave the words that people have verified where the reading processes of a run find them.

    They tip the scales between two readings only, so they are no part of ``reading_key``.
    """
    (workspace / _KNOWN_WORDS).write_text("\n".join(sorted(words)), encoding="utf-8")


@functools.cache
def _known_words(workspace: Path) -> frozenset[str]:
    path = workspace / _KNOWN_WORDS
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    return frozenset(known.splitlines())


def words_key(settings: Settings) -> str:
    """Return a digest of everything that shapes a page's words, beside the page itself."""
    return _digest([READING_VERSION, repr(settings.clean), repr(settings.read)])


def reading_key(settings: Settings, forms: Mapping[str, FormTemplate], form: str | None) -> str:
    """Return a digest of everything that shapes a page's reading; it begins with ``words_key``.

    ``form`` is what a person said that the page's file is.
    """
    shaping = [
        FORMS_VERSION,
        repr((settings.forms.sure, settings.forms.day_first, settings.forms.region)),
        form,
        "separator" in settings.intake.split and settings.intake.separator_barcode,
        repr([forms[name] for name in sorted(forms)]),
    ]
    return words_key(settings) + _digest(shaping)


def _digest(shaping: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(shaping).encode()).hexdigest()[:16]


def work_on_page(task: PageTask) -> PageResult | PageFailure:
    """Take one page from its file to words and fields; a failure is a value with a sentence."""
    started = time.monotonic()
    if task.known and (again := _form_again(task, task.known)):
        return again
    try:
        loaded = sources.load_page(task.original, task.media_type, task.number, task.settings)
    except InputError as error:
        return _failure(task, "source", "unreadable", str(error))
    except MemoryError:
        return _failure(task, "source", "memory", "needs more memory than limits.memory_mb allows")
    if loaded.lines is not None and not task.turned:
        page, lines, reader = _plain(loaded.image), loaded.lines, "the file's own text"
        kind, dpi, png = PageKind.TEXT, loaded.dpi, image.encode_png(loaded.image)
    else:
        stem = f"{task.original.name[:16]}-{task.number}"
        read = read_scan(loaded, Bench(task.settings, task.workspace, stem), task.turned)
        if isinstance(read, ReadFailure):
            return _failure(task, "reading", read.kind, f"{read.message}; look at the page")
        reading = look_again(read, task.settings.read, _known_words(task.workspace))
        if isinstance(reading, ReadFailure):
            return _failure(task, "reading", reading.kind, f"{reading.message}; look at the page")
        page, lines, reader = read.page, reading.lines, reading.reader
        kind, dpi, png = PageKind.SCAN, round(loaded.dpi * page.geometry.scale), read.png
    return _result(task, page, png, lines, reader, kind, dpi, started)


def _form_again(task: PageTask, known: PageResult) -> PageResult | None:
    """Return an earlier reading with its form looked for anew; None when its image is damaged."""
    try:
        png = Archive(task.settings.archive.folder).image_path(known.image).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(png).hexdigest() != known.image:
        return None
    pixels = image.decode_png(png)
    form = _look_for_form(task, known.blank, known.lines, pixels, known.reader)
    return replace(
        known, key=_key(task), form=form.form, form_page=form.form_page, template=form.template,
        pairs=form.pairs, separator=form.separator, fields=form.fields,
    )  # fmt: skip


def _result(
    task: PageTask, page: image.CleanPage, png: bytes, lines: tuple[Line, ...], reader: str,
    kind: PageKind, dpi: int, started: float,
) -> PageResult:  # fmt: skip
    archive = Archive(task.settings.archive.folder)
    found = _look_for_form(task, page.blank, lines, page.image, reader)
    return PageResult(
        number=task.number,
        key=_key(task),
        kind=kind,
        image=archive.keep_image(png, task.workspace),
        size=(page.image.shape[1], page.image.shape[0]),
        dpi=dpi,
        geometry=page.geometry,
        steps=page.steps,
        blank=page.blank,
        lines=lines,
        confidence=round(mean_confidence(lines), 4),
        form=found.form,
        form_page=found.form_page,
        template=found.template,
        pairs=found.pairs,
        separator=found.separator,
        fields=found.fields,
        reader=reader,
        languages="+".join(task.settings.read.languages),
        exit_code=0,
        seconds=round(time.monotonic() - started, 3),
    )


def _key(task: PageTask) -> str:
    return reading_key(task.settings, task.forms, task.form)


@dataclass(frozen=True, slots=True)
class _OfForm:
    """What a page's form says of it."""

    form: str | None
    form_page: int
    template: str
    separator: bool
    fields: tuple[Field, ...]
    pairs: tuple[Pair, ...]


def _look_for_form(
    task: PageTask, blank: bool, lines: tuple[Line, ...], pixels: image.Grey, reader: str
) -> _OfForm:
    coded = any(form.barcode for form in task.forms.values())
    found = None if blank else identify(lines, task.forms, _codes(pixels) if coded else ())
    # A sheet with nothing but bars has no words, and passes for blank; a form may have bars too.
    if found is None and _parts_papers(task.settings, lines, pixels):
        return _OfForm(None, 0, "", True, (), ())
    if blank:
        return _OfForm(None, 0, "", False, (), ())
    known = _identify(task, lines, found)
    if known is None:
        return _OfForm(None, 0, "", False, (), find_pairs(lines))
    if known.form.role == "separator":
        return _OfForm(None, 0, "", True, (), ())
    settings = task.settings.forms
    customs = Customs(settings.day_first, settings.region)
    asked = Asked(settings.sure, customs, second_languages(task.settings.read))
    fields = extract(known, lines, pixels, task.number, reader, asked)
    return _OfForm(known.form.name, known.page, known.form.digest, False, fields, ())


def _codes(pixels: image.Grey) -> tuple[str, ...]:
    return tuple(code.text for code in read_barcodes(pixels))


def _parts_papers(settings: Settings, lines: tuple[Line, ...], pixels: image.Grey) -> bool:
    """Say whether a page of few words has a Patch T or a separator's barcode."""
    words = sum(len(line.words) for line in lines)
    if "separator" not in settings.intake.split or words >= _WORDS_OF_A_PAGE:
        return False
    if is_patch_t(pixels):
        return True
    wanted = settings.intake.separator_barcode
    return bool(wanted) and any(re.fullmatch(wanted, code) for code in _codes(pixels))


def _identify(
    task: PageTask, lines: tuple[Line, ...], found: Identified | None
) -> Identified | None:
    """Return what a page is that was ``found`` to be a form, or what a person said that it is."""
    given = printings(task.forms, task.form)
    if not given or (found and found.form.role == "separator"):
        return found
    if found and found.form.name == task.form:
        return found
    tries = [as_form(lines, form, page) for form in given for page in range(1, form.pages + 1)]
    return max(tries, key=lambda i: (i.score, i.printed or 0.0, i.rank))


def _plain(pixels: image.Grey) -> image.CleanPage:
    height, width = pixels.shape
    blank = False  # it has words of its own
    return image.CleanPage(pixels, untouched(width, height), (), blank, pixels, 0.0)


def _failure(task: PageTask, stage: str, kind: str, message: str) -> PageFailure:
    return PageFailure(task.number, stage, kind, f"'{task.name}' page {task.number} {message}.")
