"""Poppler: drawing a PDF page (pdftoppm, through pdf2image) and its own words (pdftotext)."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pdf2image
import pdf2image.pdf2image
from pdf2image.exceptions import PDFPageCountError, PDFPopplerTimeoutError, PDFSyntaxError
from PIL import Image

from records.errors import ProgramMissingError
from records.geometry import Box
from records.model import Line, Word

PROGRAMS = ("pdftoppm", "pdftotext")
_XHTML = "{http://www.w3.org/1999/xhtml}"
_POINTS_PER_INCH = 72
# What pdftoppm says of a picture that it drew only in part, though it ends with 0 then; its other
# errors (an unknown font, a bad annotation, a stray operator) lose no picture.
_LOST = re.compile(rb"Bad (two dim|white|black) code|Failed to decode the codestream")


@dataclass(frozen=True, slots=True)
class PopplerFailure:
    """Why Poppler gave nothing usable; ``kind`` is timeout, damaged or too-large."""

    kind: str
    message: str


class _Child(subprocess.Popen[Any]):
    """pdf2image never looks at its child's exit code, so its child is one that we can ask."""

    last: _Child | None = None
    said = b""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _Child.last = self

    def communicate(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        out, self.said = super().communicate(*args, **kwargs)
        return out, self.said


pdf2image.pdf2image.Popen = _Child  # type: ignore[attr-defined]


def check_installed() -> None:
    """Raise ProgramMissingError unless Poppler's programs are there."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise ProgramMissingError(
                f"The program {program} is not installed; install the package poppler-utils."
            )


def draw(
    pdf: Path, page: int, dpi: int, size_points: tuple[float, float], timeout_s: int
) -> Image.Image | PopplerFailure:
    """Draw one page in grey at ``dpi``; it must come out whole and of the size asked for."""
    width, height = (max(1, round(side * dpi / _POINTS_PER_INCH)) for side in size_points)
    _Child.last = None
    try:
        made = pdf2image.convert_from_path(
            str(pdf), first_page=page, last_page=page, size=max(width, height),
            grayscale=True, use_cropbox=True, timeout=timeout_s,
        )  # fmt: skip
        for picture in made:
            picture.load()
    except PDFPopplerTimeoutError:
        return PopplerFailure("timeout", f"could not be drawn within {timeout_s} seconds")
    except (PDFPageCountError, PDFSyntaxError):
        return PopplerFailure("damaged", "could not be drawn (pdfinfo finds no pages)")
    except (OSError, ValueError, IndexError, SyntaxError):  # what parsing half a picture raises
        made = []
    code = _Child.last.returncode if _Child.last else -1
    if code != 0 or len(made) != 1:
        return PopplerFailure("damaged", f"could not be drawn (pdftoppm ended with {code})")
    if _LOST.search(_said()):
        return PopplerFailure("damaged", "has a picture that is damaged or cut short")
    # pdftoppm rounds the shorter side up; given both sides it draws a page with /Rotate awry.
    if max(abs(made[0].width - width), abs(made[0].height - height)) > 1:
        return PopplerFailure("damaged", "came out in a wrong size; it may be damaged")
    return made[0]


def _said() -> bytes:
    """Return what the last child wrote to its standard error."""
    return (_Child.last.said or b"") if _Child.last else b""


def words(pdf: Path, page: int, dpi: float, timeout_s: int) -> tuple[Line, ...] | PopplerFailure:
    """Return a born-digital page's own words, with boxes in pixels of the page drawn at ``dpi``."""
    command = [
        "pdftotext", "-q", "-bbox-layout", "-cropbox", "-f", str(page), "-l", str(page),
        str(pdf.resolve()), "-",
    ]  # fmt: skip
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return PopplerFailure("timeout", f"gave no text within {timeout_s} seconds")
    if child.returncode != 0:
        return PopplerFailure("damaged", f"gave no text (pdftotext ended with {child.returncode})")
    return parse_bbox(out.decode("utf-8", "replace"), dpi / _POINTS_PER_INCH)


def parse_bbox(xhtml: str, scale: float) -> tuple[Line, ...] | PopplerFailure:
    """Turn pdftotext's XHTML into lines of words, sure of themselves (confidence 1)."""
    clean = "".join(c for c in xhtml if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))
    body = clean[clean.find("<html") :]  # no document type, so no entities to expand
    try:
        root = ET.fromstring(body)
    except ET.ParseError:
        return PopplerFailure("damaged", "gave a text that cannot be read")
    lines = []
    for line in root.iter(f"{_XHTML}line"):
        found = []
        for word in line.iter(f"{_XHTML}word"):
            text = (word.text or "").strip()
            edges = [float(word.get(k, "0")) * scale for k in ("xMin", "yMin", "xMax", "yMax")]
            if text:
                found.append(Word(text, Box(*(round(e) for e in edges)), 1.0))
        if found:
            lines.append(Line(tuple(found)))
    return tuple(lines)
