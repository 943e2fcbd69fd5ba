"""Pages out of files: how many there are, and each one's pixels or own words."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from digitize import pdf, poppler
from digitize.signatures import IMAGE_TYPES, PDF, TIFF
from records.errors import InputError
from records.model import Line
from records.settings import Settings

# Resolutions outside this range are a scanner's mistake; 0 dots per inch means not known.
_BELIEVABLE_DPI = (60, 1300)
_USUAL_DPI = 300
# Formats that a picture inside a PDF may have.
_INSIDE_PDF = ("JPEG", "TIFF", "PNG", "JPEG2000")
_STRIP_OFFSETS, _STRIP_COUNTS = (273, 324), (279, 325)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One page as it lies in its file: ``image`` is ``(h, w) uint8`` grey, upright or not.

    ``lines`` are its own words when it is born digital (boxes in pixels of ``image``), else None.
    """

    image: NDArray[np.uint8]
    dpi: int
    bitonal: bool
    lines: tuple[Line, ...] | None


def count_pages(path: Path, media_type: str, settings: Settings) -> int:
    """Return how many pages a file has; raises InputError (a sentence's end, the file unnamed)."""
    if media_type == PDF:
        count = pdf.count_pages(path)
    else:
        with _image(path, media_type, settings) as opened:
            count = int(getattr(opened, "n_frames", 1)) if media_type == TIFF else 1
    if count > settings.limits.pages:
        raise InputError(
            f"has {count} pages, more than the {settings.limits.pages} that limits.pages allows; "
            "split it"
        )
    return count


def load_page(path: Path, media_type: str, number: int, settings: Settings) -> Loaded:
    """Decode one page (from 1), whole; raises InputError (a sentence's end, the file unnamed)."""
    if media_type == PDF:
        return _pdf_page(path, number, settings)
    with _image(path, media_type, settings) as opened:
        return _frame(opened, number, settings)


def _pdf_page(path: Path, number: int, settings: Settings) -> Loaded:
    page = pdf.look_at(path, number)
    keep = settings.read.born_digital == "keep" and page.born_digital
    keep = keep or (settings.read.hidden_text == "keep" and page.hidden > 0)
    if page.scan and not keep:
        data = pdf.scan_bytes(path, number, page.scan)
        if data is not None:
            return _scan_inside(data, page, settings)
    with _decoding(settings):
        drawn, dpi = _drawn(path, number, page, settings)
    image = np.asarray(drawn.convert("L"))
    lines = None
    if keep:
        found = poppler.words(path, number, dpi, settings.read.timeout_s)
        # Text that cannot be got out is read from the picture instead.
        lines = None if isinstance(found, poppler.PopplerFailure) else found
    return Loaded(image, dpi, False, lines or None)


def _drawn(
    path: Path, number: int, page: pdf.PdfPage, settings: Settings
) -> tuple[Image.Image, int]:
    """Draw a page, and again at half the resolution when it took too long: plans and maps do."""
    dpi, failure = _drawing_dpi(page, settings), ""
    for dots in (dpi, dpi // 2):
        drawn = poppler.draw(path, number, dots, page.size_points, settings.read.timeout_s // 2)
        if isinstance(drawn, Image.Image):
            return drawn, dots
        failure = drawn.message
        if drawn.kind != "timeout":
            break
    raise InputError(f"{failure}; save the PDF afresh")


def _drawing_dpi(page: pdf.PdfPage, settings: Settings) -> int:
    """Return the resolution to draw a page at: the scan's own, or the setting, within the limit."""
    inches = [side / 72 for side in page.size_points]
    wanted = settings.clean.pdf_dpi
    if min(inches) <= 0:
        raise InputError("has no size; save the PDF afresh")
    if page.scan:
        wanted = max(_BELIEVABLE_DPI[0], round(max(page.pixels) / max(inches)))
    most = settings.limits.megapixels * 1e6
    area = inches[0] * inches[1]
    if area * wanted**2 > most:
        wanted = int((most / area) ** 0.5)
    if wanted < _BELIEVABLE_DPI[0]:
        raise InputError(
            f"is {inches[0]:.0f} by {inches[1]:.0f} inches, larger than limits.megapixels allows; "
            "scan it in parts"
        )
    return min(wanted, _BELIEVABLE_DPI[1])


def _scan_inside(data: bytes, page: pdf.PdfPage, settings: Settings) -> Loaded:
    with _decoding(settings), Image.open(io.BytesIO(data), formats=_INSIDE_PDF) as opened:
        _check_size(opened.size, settings)
        opened.load()
        image, bitonal = _grey(opened)
    if page.rotate:  # /Rotate is clockwise
        image = np.ascontiguousarray(np.rot90(image, -page.rotate // 90))
    inches = max(page.size_points) / 72
    return Loaded(image, _believable(max(image.shape) / inches if inches else 0), bitonal, None)


@contextmanager
def _image(path: Path, media_type: str, settings: Settings) -> Iterator[Image.Image]:
    # Opened by its path, Pillow maps an uncompressed TIFF into memory in the wrong shape when the
    # TIFF says that it lies on its side.
    kinds = [IMAGE_TYPES[media_type]]
    with (
        _decoding(settings),
        open(path, "rb") as stream,
        Image.open(stream, formats=kinds) as opened,
    ):
        _check_size(opened.size, settings)
        yield opened


@contextmanager
def _decoding(settings: Settings) -> Iterator[None]:
    """Translate what Pillow raises; its warning of a bomb is an error here."""
    Image.MAX_IMAGE_PIXELS = settings.limits.megapixels * 1_000_000
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(
            f"has more than {settings.limits.megapixels} million pixels; "
            "scan it at a lower resolution or raise limits.megapixels"
        ) from None
    except UnidentifiedImageError:
        raise InputError("is damaged: its picture cannot be recognised; scan it again") from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError):
        raise InputError("is damaged or cut short; scan or copy it again") from None
    except (OverflowError, ZeroDivisionError, AttributeError):
        raise InputError("is damaged or cut short; scan or copy it again") from None


def _check_size(size: tuple[int, int], settings: Settings) -> None:
    if size[0] * size[1] > settings.limits.megapixels * 1_000_000 or max(size) > 60_000:
        raise InputError(
            f"is {size[0]} by {size[1]} pixels, larger than limits.megapixels allows; "
            "scan it at a lower resolution"
        )


def _frame(opened: Image.Image, number: int, settings: Settings) -> Loaded:
    if number > 1:
        opened.seek(number - 1)
        _check_size(opened.size, settings)
    if opened.format == "TIFF":
        _check_strips(opened)
    opened.load()
    dpi = _dpi(opened)
    upright = ImageOps.exif_transpose(opened)
    image, bitonal = _grey(upright)
    return Loaded(image, dpi, bitonal, None)


def _check_strips(opened: Image.Image) -> None:
    """Refuse a TIFF whose strips end beyond the file: libtiff would leave them blank in silence."""
    tags = getattr(opened, "tag_v2", {})
    stream = getattr(opened, "fp", None)
    if stream is None:
        return
    place = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(place)
    for offsets, counts in zip(_STRIP_OFFSETS, _STRIP_COUNTS, strict=True):
        for offset, count in zip(_tuple(tags.get(offsets)), _tuple(tags.get(counts)), strict=False):
            if offset + count > size:
                raise InputError("is cut short; scan or copy it again")


def _tuple(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple | list) else (int(str(value)),)


def _dpi(opened: Image.Image) -> int:
    found = opened.info.get("dpi", (0, 0))
    return _believable(float(found[0]) if found else 0.0)


def _believable(dpi: float) -> int:
    """Return a resolution that can be right; scanners and converters often write none or 1."""
    low, high = _BELIEVABLE_DPI
    return round(dpi) if low <= dpi <= high else _USUAL_DPI


def _grey(opened: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Return a picture's pixels in grey, transparent parts white, and whether it is 1-bit."""
    if opened.mode == "1":
        return np.asarray(opened.convert("L")), True
    if opened.mode.startswith("I") or opened.mode == "F":
        values = np.asarray(opened, dtype=np.float64)
        span = max(float(values.max()), 255.0)
        return np.asarray(np.clip(values * 255 / span, 0, 255), dtype=np.uint8), False
    if "A" in opened.mode or "transparency" in opened.info:
        sheet = Image.new("RGBA", opened.size, "white")
        sheet.alpha_composite(opened.convert("RGBA"))
        return np.asarray(sheet.convert("L")), False
    grey = np.asarray(opened.convert("L"))
    return grey, bool(np.all((grey == 0) | (grey == 255)))
