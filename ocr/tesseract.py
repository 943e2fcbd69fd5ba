"""Tesseract, through pytesseract: arguments, time limit, its output, its errors."""

from __future__ import annotations

import functools
import math
import re
import subprocess
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
