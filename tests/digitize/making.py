"""Small pages, pictures and PDFs, made when they are needed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import img2pdf
import pikepdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen import canvas

from records import settings
from records.geometry import Box
from records.model import Line, Word
from records.settings import Settings

ROOT = Path(__file__).parents[2]
SAMPLES, TRUTH = ROOT / "scans" / "samples", ROOT / "scans" / "samples-truth"
LETTER = (612.0, 792.0)
TEXTS = ("Town of Alder Falls", "Fence permit 2019-0412", "Owner Aloysius Fenwick", "114 Maple St")


def configured(folder: Path, **sections: dict[str, Any]) -> Settings:
    """Return the project's settings with an archive in a folder of its own, some changed."""
    raw: dict[str, Any] = {
        "archive": {"folder": str(folder / "archive"), "free_mb": 1},
        "forms": {"folder": str(ROOT / "forms")},
        "department": [
            {"name": name, "title": name.title(), "shared": True}
            for name in ("clerk", "building", "licensing", "services", "records")
        ],
    }
    for name, values in sections.items():
        raw[name] = raw.get(name, {}) | values
    return settings.check(raw, folder / "config.toml")


def card(texts: Sequence[str] = TEXTS, size: tuple[int, int] = (700, 420)) -> Image.Image:
    """Draw a small typed card, grey on white, letters about 25 pixels high."""
    image = Image.new("L", size, 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    for row, text in enumerate(texts):
        pen.text((50, 40 + row * 80), text, fill=0, font=font)
    return image


def as_bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file of some format."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def scanned_pdf(*pictures: bytes, page: tuple[float, float] | None = None) -> bytes:
    """Return a PDF with one full-page picture a page, as scanners write it."""
    layout = img2pdf.get_layout_fun(page) if page else img2pdf.default_layout_fun
    made = img2pdf.convert(*pictures, layout_fun=layout)
    assert isinstance(made, bytes)
    return made


def typed_pdf(*pages: Sequence[tuple[float, float, str]], size: tuple[float, float] = LETTER):
    """Return a born-digital PDF: texts at (x, y) points from the lower left corner."""
    out = io.BytesIO()
    pen = canvas.Canvas(out, pagesize=size, pageCompression=0, invariant=1)
    for texts in pages:
        for x, y, text in texts:
            pen.drawString(x, y, text)
        pen.showPage()
    pen.save()
    return out.getvalue()


def changed_pdf(data: bytes, change: Any, **save: Any) -> bytes:
    """Return a PDF after ``change(pdf)``."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        pdf.save(out, **save)
    return out.getvalue()


def first_picture(pdf: pikepdf.Pdf) -> Any:
    """Return the picture on a PDF's first page."""
    return next(iter(pdf.pages[0].get_images().values()))


def bare_page(content: bytes, box: Sequence[float]) -> bytes:
    """Return a PDF of one page of a media box, drawn by a content stream."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=LETTER)
        pdf.pages[0].obj.MediaBox = pikepdf.Array(list(box))
        pdf.pages[0].obj.Contents = pdf.make_stream(content)
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def line(left: int, top: int, text: str, sure: float = 0.98) -> Line:
    """Write a line as it would be read: letters 14 wide, 30 high, a blank between words."""
    words = []
    for part in text.split():
        words.append(Word(part, Box(left, top, left + 14 * len(part), top + 30), sure))
        left += 14 * (len(part) + 1)
    return Line(tuple(words))
