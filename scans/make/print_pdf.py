"""Prints clean pages as a born-digital PDF with real text."""

from __future__ import annotations

import io
from collections.abc import Iterable

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from .faces import face_path
from .filling import FilledPage
from .marks import Ink, Mark, Path, Text


def print_pages(pages: Iterable[FilledPage]) -> bytes:
    """Return a PDF with one born-digital page for each filled page."""
    out = io.BytesIO()
    # invariant=1 leaves the time and random identifiers out of the file.
    canvas = Canvas(out, invariant=1, pageCompression=1)
    for page in pages:
        canvas.setPageSize((page.width, page.height))
        for mark in page.marks:
            _print_mark(canvas, mark, page.height)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _share(ink: Ink) -> tuple[float, float, float]:
    """Return an ink as shares of red, green and blue."""
    return (ink[0] / 255, ink[1] / 255, ink[2] / 255)


def _print_mark(canvas: Canvas, mark: Mark, height: float) -> None:
    """Print one mark; PDF measures upward from the lower left corner."""
    if isinstance(mark, Text):
        if mark.face not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(mark.face, str(face_path(mark.face))))
        canvas.saveState()
        canvas.setFillColorRGB(*_share(mark.ink))
        canvas.setFont(mark.face, mark.size)
        canvas.translate(mark.x, height - mark.y)
        canvas.rotate(mark.lean)
        canvas.drawString(0, 0, mark.text)
        canvas.restoreState()
        return
    _print_path(canvas, mark, height)


def _print_path(canvas: Canvas, path: Path, height: float) -> None:
    """Print a line or polygon."""
    outline = canvas.beginPath()
    outline.moveTo(path.points[0][0], height - path.points[0][1])
    for x, y in path.points[1:]:
        outline.lineTo(x, height - y)
    if path.closed:
        outline.close()
    canvas.setStrokeColorRGB(*_share(path.ink))
    canvas.setLineWidth(path.width)
    if path.fill is not None:
        canvas.setFillColorRGB(*_share(path.fill))
    canvas.drawPath(outline, stroke=int(path.width > 0), fill=int(path.fill is not None))
