"""Pages out of files: how many there are, and each one's pixels or own words."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
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
_SUBFILE, _PREVIEW = 254, 1  # a TIFF's tag NewSubfileType, and its bit of a smaller copy
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_ORIENTATION, _FIRST_ON_ITS_SIDE = 274, 5
# Pixels longer than they are wide by more than this are a fax machine's, not a rounding.
_SQUARE = 1.3


@dataclass(frozen=True, slots=True)
class Loaded:
    """One page as it lies in its file: ``image`` is ``(h, w) uint8`` grey, upright or not.

    Its pixels are square: a fax of 204 by 98 dots per inch is stretched to 204 by 204, and all
    that is later told of places on the page (its geometry too) speaks of the stretched image.
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
            count = _count_frames(opened) if media_type == TIFF else 1
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
        found = _scan_inside(data, page, settings) if data is not None else None
        if found is not None:
            return found
    with _decoding(settings):
        if pdf.lacks_pixels(path, page):
            raise InputError("has a picture that is cut short; scan it again")
        drawn, dpi = _drawn(path, number, page, settings)
    image = np.asarray(drawn.convert("L"))
    lines = None
    if keep:
        # Poppler takes a page's unit for a point.
        own = poppler.words(path, number, dpi * page.unit, settings.read.timeout_s)
        # Text that cannot be got out is read from the picture instead.
        lines = None if isinstance(own, poppler.PopplerFailure) else own
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


def _scan_inside(data: bytes, page: pdf.PdfPage, settings: Settings) -> Loaded | None:
    """Return the scan that is a PDF's page; None when it is in a printer's colours.

    Of those a PDF and a JPEG by itself disagree which way is dark, so the page must be drawn.
    """
    sides = page.size_points if page.rotate in (0, 180) else page.size_points[::-1]
    with _decoding(settings), Image.open(io.BytesIO(data), formats=_INSIDE_PDF) as opened:
        _check_size(opened.size, settings)
        if opened.mode == "CMYK":
            return None
        opened.load()
        found = [72 * n / side for n, side in zip(opened.size, sides, strict=True)]
        squared, dpi = _squared(opened, found[0], found[1], settings)
        image, bitonal = _grey(squared, _is_white_zero(opened))
    if page.rotate:  # /Rotate is clockwise
        image = np.ascontiguousarray(np.rot90(image, -page.rotate // 90))
    return Loaded(image, _believable(dpi), bitonal, None)


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
    except (OverflowError, ZeroDivisionError, AttributeError, struct.error, zlib.error):
        raise InputError("is damaged or cut short; scan or copy it again") from None


def _check_size(size: tuple[int, int], settings: Settings) -> None:
    if size[0] * size[1] > settings.limits.megapixels * 1_000_000 or max(size) > 60_000:
        raise InputError(
            f"is {size[0]} by {size[1]} pixels, larger than limits.megapixels allows; "
            "scan it at a lower resolution"
        )


def _frame(opened: Image.Image, number: int, settings: Settings) -> Loaded:
    if opened.format == "TIFF":
        _seek_page(opened, number)
        _check_size(opened.size, settings)
        _check_strips(opened)
    # Pillow turns a TIFF while it loads it and then forgets how it lay.
    on_its_side = opened.getexif().get(_ORIENTATION, 1) >= _FIRST_ON_ITS_SIDE
    white_zero = _is_white_zero(opened)
    opened.load()
    across, down = _resolutions(opened)[:: -1 if on_its_side else 1]
    upright = ImageOps.exif_transpose(opened)
    squared, dpi = _squared(upright, across, down, settings)
    image, bitonal = _grey(squared, white_zero)
    return Loaded(image, _believable(dpi), bitonal, None)


def _count_frames(opened: Image.Image) -> int:
    """Count a TIFF's pages: its frames without the small previews of them."""
    frames = int(getattr(opened, "n_frames", 1))
    previews = 0
    for frame in range(frames):
        opened.seek(frame)
        previews += _is_preview(opened)
    return frames - previews if previews < frames else frames


def _seek_page(opened: Image.Image, number: int) -> None:
    """Go to a page (from 1) of a TIFF; one that has nothing but previews has them as its pages."""
    frame, found = 0, 0
    while True:
        try:
            opened.seek(frame)
        except EOFError:
            if found:
                raise
            opened.seek(number - 1)
            return
        found += not _is_preview(opened)
        if found == number:
            return
        frame += 1


def _is_preview(opened: Image.Image) -> bool:
    tags = getattr(opened, "tag_v2", {})
    return bool(int(tags.get(_SUBFILE, 0)) & _PREVIEW)


def _is_white_zero(opened: Image.Image) -> bool:
    """Say whether 0 is white in a TIFF; Pillow heeds it only up to 8 bits a pixel."""
    return bool(getattr(opened, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


def _squared(
    image: Image.Image, across: float, down: float, settings: Settings
) -> tuple[Image.Image, float]:
    """Stretch a picture until its pixels are square; return it and its dots per inch."""
    low, high = _BELIEVABLE_DPI
    dpi = max(across, down)
    if not (low <= min(across, down) and dpi <= high and dpi > min(across, down) * _SQUARE):
        return image, across if low <= across <= high else down
    size = round(image.width * dpi / across), round(image.height * dpi / down)
    _check_size(size, settings)
    return image.resize(size, Image.Resampling.NEAREST), dpi


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


def _resolutions(opened: Image.Image) -> tuple[float, float]:
    """Return the dots per inch that a file names across and down, (0, 0) when it names none."""
    found = opened.info.get("dpi") or (0, 0)
    return float(found[0]), float(found[-1])


def _believable(dpi: float) -> int:
    """Return a resolution that can be right; scanners and converters often write none or 1."""
    low, high = _BELIEVABLE_DPI
    return round(dpi) if low <= dpi <= high else _USUAL_DPI


def _grey(opened: Image.Image, white_zero: bool) -> tuple[NDArray[np.uint8], bool]:
    """Return a picture's pixels in grey, transparent parts white, and whether it is 1-bit."""
    if opened.mode == "1":
        return np.asarray(opened.convert("L")), True
    if opened.mode.startswith("I") or opened.mode == "F":
        return _deep_grey(opened, white_zero), False
    if "A" in opened.mode or "transparency" in opened.info:
        sheet = Image.new("RGBA", opened.size, "white")
        sheet.alpha_composite(opened.convert("RGBA"))
        return np.asarray(sheet.convert("L")), False
    grey = np.asarray(opened.convert("L"))
    return grey, bool(np.all((grey == 0) | (grey == 255)))


def _deep_grey(opened: Image.Image, white_zero: bool) -> NDArray[np.uint8]:
    """Return pixels of more than 8 bits in grey; fractions are of 1, other numbers of the most."""
    values = np.nan_to_num(np.asarray(opened, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    most = float(np.max(values, initial=0.0))
    # A filter may leave fractions a little above 1.
    span = 1.0 if opened.mode == "F" and most <= 2 else max(most, 255.0)
    grey = np.clip(values * 255 / span, 0, 255)
    return np.asarray(255 - grey if white_zero else grey, dtype=np.uint8)
