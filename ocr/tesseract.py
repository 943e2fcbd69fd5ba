"""Tesseract, through pytesseract: arguments, time limit, its output, its errors."""

from __future__ import annotations

import functools
import math
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytesseract

from ocr.reading import ReadFailure, Reading
from records.errors import ProgramMissingError
from records.geometry import Box
from records.model import Line, Word

# Columns of Tesseract's TSV: level, page, block, paragraph, line, word, left, top, width, height,
# confidence, text.
_COLUMNS = 12
_WORD_LEVEL = "5"
# The parts of a language's data that its dictionary is read from.
_PARTS = ("unicharset", "word-dawg")
_TOOL_S = 20  # seconds for a tool that takes a third of one


@functools.cache
def version() -> str:
    """Return the installed Tesseract's version; raises ProgramMissingError without one."""
    try:
        return str(pytesseract.get_tesseract_version())
    except pytesseract.TesseractNotFoundError:
        raise ProgramMissingError(
            "Tesseract is not installed; install the package tesseract-ocr."
        ) from None
    except (subprocess.CalledProcessError, SystemExit):  # pytesseract ends on odd versions
        raise ProgramMissingError(
            "Tesseract does not start; install the package tesseract-ocr again."
        ) from None


def check_languages(languages: Sequence[str]) -> None:
    """Raise ProgramMissingError unless Tesseract has all these languages.

    Tesseract itself ends with exit code 0 when only some of them are missing.
    """
    version()
    installed = pytesseract.get_languages()
    for language in languages:
        if language not in installed:
            raise ProgramMissingError(
                f"Tesseract has no language '{language}' (read.languages); install the package "
                f"tesseract-ocr-{language.replace('_', '-')}, or use one of: "
                f"{', '.join(sorted(installed))}."
            )


@functools.cache
def dictionary(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the words, in small letters, of the dictionaries that Tesseract's languages carry.

    They are taken out by the tools that come with Tesseract. Empty where these are not installed,
    or a language has no dictionary: nothing depends on one.
    """
    words: set[str] = set()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for language in languages:
                words.update(_words_of(_data_folder() / f"{language}.traineddata", Path(folder)))
    except OSError:  # a full disk, say, which the page's own files will tell of
        return frozenset()
    return frozenset(words)


def _data_folder() -> Path:
    """Return where Tesseract keeps its languages; its list of them begins with that."""
    said = _said("tesseract", "--list-langs")
    folder = re.search(r'"(.+)"', said.partition("\n")[0])
    return Path(folder[1]) if folder else Path()


def _words_of(data: Path, folder: Path) -> set[str]:
    _said("combine_tessdata", "-u", str(data), str(folder / "of."))
    listed = folder / "words.txt"
    _said("dawg2wordlist", *(str(folder / f"of.lstm-{part}") for part in _PARTS), str(listed))
    text = listed.read_text(encoding="utf-8", errors="replace") if listed.exists() else ""
    for made in folder.iterdir():
        made.unlink()
    return {word for line in text.splitlines() if (word := line.strip().casefold()).isalpha()}


def _said(*command: str) -> str:
    """Run a program of Tesseract's; return what it said, nothing when it cannot or takes long."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TOOL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout or done.stderr  # where the list of languages goes differs by version


def read(
    image: Path, languages: Sequence[str], dpi: int, timeout_s: int, layout: int = 3
) -> Reading | ReadFailure:
    """Read a page image that was written by ourselves, in one run.

    ``image`` must hold pixels that we decoded: Tesseract would take a text file as a list of
    other images to read. ``layout`` is Tesseract's page segmentation mode.
    """
    chosen = "+".join(languages)
    try:
        tsv = pytesseract.image_to_data(
            str(image), lang=chosen, config=f"--psm {layout} --dpi {dpi}", timeout=timeout_s
        )
    except pytesseract.TesseractNotFoundError:
        raise ProgramMissingError(
            "Tesseract is not installed; install the package tesseract-ocr."
        ) from None
    except pytesseract.TesseractError as error:
        return ReadFailure("crashed", f"Tesseract ended with exit code {error.status}")
    except FileNotFoundError:
        return ReadFailure("rubbish", "Tesseract gave no table")
    except UnicodeDecodeError:
        return ReadFailure("rubbish", "Tesseract gave text that is not UTF-8")
    except RuntimeError:  # how pytesseract says that the time is over
        return ReadFailure("timeout", f"Tesseract was not done after {timeout_s} seconds")
    lines = parse_tsv(tsv)
    if lines is None:
        return ReadFailure("rubbish", "Tesseract gave a table that cannot be read")
    return Reading(lines, f"tesseract {version()}", chosen, 0)


def parse_tsv(tsv: str) -> tuple[Line, ...] | None:
    """Turn Tesseract's TSV into lines of words; None when it is no such table."""
    rows = (line.split("\t") for line in tsv.split("\n") if line)
    header = next(rows, [])
    if len(header) != _COLUMNS or header[0] != "level":
        return None
    lines: dict[tuple[str, ...], list[Word]] = {}
    for row in rows:
        if len(row) != _COLUMNS:
            return None
        if row[0] != _WORD_LEVEL or not row[11].strip():
            continue
        try:
            left, top, width, height = (int(cell) for cell in row[6:10])
            confidence = float(row[10])
        except ValueError:
            return None
        if not math.isfinite(confidence):
            return None
        box = Box(left, top, left + width, top + height)
        word = Word(row[11].strip(), box, min(max(confidence / 100, 0.0), 1.0))
        lines.setdefault(tuple(row[1:5]), []).extend(without_rules(word))
    return tuple(Line(tuple(words)) for words in lines.values() if words)


def without_rules(word: Word) -> list[Word]:
    """Part a word where a ruled line was read as underscores, such as ``No.___A-438``.

    The parts' boxes are cut from the word's in proportion to their letters.
    """
    if "_" not in word.text:
        return [word]
    return [
        Word(match.group(), word.box.letters(*match.span(), len(word.text)), word.confidence)
        for match in re.finditer(r"[^_]+", word.text)
    ]
