"""Packs pages into the files that scanners and clerks make; same pages give the same bytes."""

from __future__ import annotations

import io

import cv2
import img2pdf
import numpy as np
import pikepdf
from PIL import Image

from .pages import MadePage
from .print_pdf import print_pages
from .scanner import bilevel

THRESHOLD = 168
# What a poor OCR of some other, older page left behind; wrong on purpose.
OLD_TEXT = (
    "T0WN 0F A1DER FALI5 ASSE550RS",
    "ABATEMENT 0F TAXES  FISCAL YEAR l997",
    "Narne of 0wner   HARG0OD, Eustace P.",
    "Amount assessed  $ l,9O4.OO   Parcel 7l-2-OO8",
    "Tbe Board bas voted to deny tbe appl1cation",
    "date ot notice  Novernber 3l, l997",
    "~ ' . . :  iiii l|l|  ; ; .",
)


def pack(container: str, pages: list[MadePage]) -> bytes:
    """Return the bytes of a file of the given container."""
    if container.startswith("pdf"):
        return _pack_pdf(pages, old_text=container == "pdf-old-text")
    images = [_image(page, container) for page in pages]
    dpi = (pages[0].look.dpi, pages[0].look.dpi)
    out = io.BytesIO()
    if container.startswith("tiff"):
        compression = {"tiff-g4": "group4", "tiff-lzw": "tiff_lzw"}[container]
        images[0].save(
            out, "TIFF", save_all=True, append_images=images[1:], compression=compression, dpi=dpi
        )
    elif container.startswith("jpeg"):
        tag = Image.Exif()
        tag[0x0112] = int(container[-1])
        images[0].save(out, "JPEG", quality=pages[0].look.quality, dpi=dpi, exif=tag)
    elif container.startswith("png"):
        images[0].save(out, "PNG", optimize=True, dpi=dpi)
    elif container == "webp":
        images[0].save(out, "WEBP", quality=pages[0].look.quality, method=4)
    else:
        images[0].save(out, "BMP", dpi=dpi)
    return out.getvalue()


def _image(page: MadePage, container: str) -> Image.Image:
    """Return a scanned page in the depth and orientation in which the file keeps it."""
    assert page.scan is not None
    picture = page.scan.picture
    if page.look.mode.startswith("bilevel"):
        return _one_bit(picture)
    if container == "jpeg-exif6":
        # Orientation 6 asks the viewer for a quarter turn clockwise, so store the opposite.
        picture = np.ascontiguousarray(np.rot90(picture))
    elif container == "jpeg-exif3":
        picture = np.ascontiguousarray(np.rot90(picture, 2))
    if page.look.mode == "grey":
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if container in ("png", "tiff-lzw"):
            # 16 tones are what the office scanner keeps and they pack well without loss.
            grey = np.asarray(grey, np.uint8) // 16 * np.uint8(17)
        return Image.fromarray(grey)
    return Image.fromarray(picture)


def _one_bit(picture: np.ndarray) -> Image.Image:
    """Return a picture of 1 bit."""
    return Image.fromarray(bilevel(picture, THRESHOLD)).convert("1", dither=Image.Dither.NONE)


def _encoded(page: MadePage) -> bytes:
    """Return one scanned page as the JPEG, G4 TIFF or 1-bit PNG that a PDF embeds."""
    image = _image(page, "pdf")
    dpi = (page.look.dpi, page.look.dpi)
    out = io.BytesIO()
    if page.look.mode == "bilevel":
        image.save(out, "TIFF", compression="group4", dpi=dpi)
    elif page.look.mode == "bilevel-png":
        image.save(out, "PNG", optimize=True, dpi=dpi)
    else:
        image.save(out, "JPEG", quality=page.look.quality, dpi=dpi)
    return out.getvalue()


def _pack_pdf(pages: list[MadePage], old_text: bool) -> bytes:
    """Return a PDF with one scan or one born-digital page for each page."""
    whole = pikepdf.Pdf.new()
    run: list[MadePage] = []
    for page in pages:
        if run and (run[0].scan is None) != (page.scan is None):
            _append(whole, run)
            run = []
        run.append(page)
    _append(whole, run)
    if old_text:
        for pdf_page in whole.pages:
            _lay_old_text(whole, pdf_page)
    out = io.BytesIO()
    whole.save(out, deterministic_id=True)
    return out.getvalue()


def _append(whole: pikepdf.Pdf, run: list[MadePage]) -> None:
    """Append pages that are all scans or all born digital."""
    if run[0].scan is None:
        data = print_pages(page.filled for page in run)
    else:
        # The images go in bit for bit; img2pdf does not encode them anew.
        data = img2pdf.convert([_encoded(page) for page in run], nodate=True)
    with pikepdf.open(io.BytesIO(data)) as part:
        whole.pages.extend(part.pages)


def _lay_old_text(whole: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Lay a wrong hidden text (render mode 3) over a scanned page."""
    helvetica = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    page.add_resource(whole.make_indirect(helvetica), pikepdf.Name.Font, pikepdf.Name("/OldText"))
    rows = ["BT", "3 Tr", "/OldText 11 Tf", "72 700 Td", "22 TL"]
    for text in OLD_TEXT:
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        rows.append(f"({escaped}) Tj T*")
    rows.append("ET")
    page.contents_add("\n".join(rows).encode("ascii"))
