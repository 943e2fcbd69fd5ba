"""Clean-up of page images with OpenCV: pure functions on arrays.

An image is ``(h, w) uint8``, grey, 0 black to 255 white. Angles are degrees; the content of a
page leans counter-clockwise when its angle is positive, as a person looking at it sees it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitize.orientation import (
    Orientation,
    letter_height,
    nothing_written,
    put_upright,
    reduced,
    see,
    survey,
    writing,
)
from records.geometry import Box, PageGeometry

Grey = NDArray[np.uint8]

cv2.setNumThreads(1)

# On lighter paper evening it out was measured to cost Tesseract more words than it gains.
_LIGHT_PAPER = 200
# Fewer lone specks do not trouble a reader.
_SPECKS = 50
# Letters of this height in pixels are read as well as larger ones; smaller ones are brought to
# _BEST, a little above, and at most to twice their size. Measured for Tesseract 5.3 on
# pages of one half of FUNSD, SROIE, office and typewritten (benchmarks/README.md); on none of them
# are letters above _HUGE, which is a guess.
_ENOUGH, _BEST, _HUGE, _AMPLE = 15.0, 18.0, 60.0, 30.0
_MOST_ENLARGED, _MOST_REDUCED = 2.0, 0.25
_MOST_PIXELS = 40_000_000
# In 1-bit pages with letters below this height the edges are ragged: a fax, 200 dots per inch.
_RAGGED = 22.0
# Dots per inch to tell Tesseract for each pixel of letters' height, measured as above.
_DPI_OF_LETTERS = 18.0
_LEAST_DPI, _MOST_DPI = 70, 1200
_LETTERS_OF_A_LINE = 3


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Which steps may be taken."""

    turn: bool
    deskew: bool
    crop: bool
    background: bool
    speckle: bool


@dataclass(frozen=True, slots=True)
class CleanPage:
    """A cleaned page, how it came from the original, and what was done to it.

    ``straight`` is the page upright and cropped but otherwise as it was scanned, ``letter_height``
    the usual height of letters on it in pixels (0 where there are too few).
    """

    image: Grey
    geometry: PageGeometry
    steps: tuple[str, ...]
    blank: bool
    straight: Grey
    letter_height: float


@dataclass(frozen=True, slots=True)
class Unread:
    """What nobody has read on a page: ``lines`` of letters, and each of the ``letters``."""

    lines: tuple[Box, ...]
    letters: tuple[Box, ...]


def rotate(image: Grey, clockwise_degrees: float, fill: int = 255) -> Grey:
    """Rotate about the centre onto a canvas that holds the whole page; corners get ``fill``."""
    height, width = image.shape
    if abs(clockwise_degrees) < 0.02:
        return image
    canvas = rotated_canvas(width, height, clockwise_degrees)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -clockwise_degrees, 1.0)
    shift = ((canvas[0] - width) / 2, (canvas[1] - height) / 2)
    matrix[:, 2] = matrix[:, 2] + np.array(shift)
    # getRotationMatrix2D and warpAffine speak of pixel centres, our geometry of their corners.
    matrix[:, 2] = matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5
    turned = cv2.warpAffine(
        image, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )  # fmt: skip
    return np.asarray(turned, dtype=np.uint8)


def rotated_canvas(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Return the (w, h) that holds a page of this size after a rotation."""
    cos, sin = abs(np.cos(np.deg2rad(degrees))), abs(np.sin(np.deg2rad(degrees)))
    return round(width * cos + height * sin), round(width * sin + height * cos)


def border_mask(image: Grey) -> NDArray[np.uint8] | None:
    """Return where (1) the dark frame lies that a scanner leaves round the sheet; None if nowhere.

    The frame is dark, thicker than writing, and touches the edge of the scan.
    """
    scale = min(1.0, 700 / max(image.shape))
    small = reduced(image, scale)
    dark = (small < 80).astype(np.uint8)
    padded = cv2.copyMakeBorder(dark, 9, 9, 9, 9, cv2.BORDER_REPLICATE)
    thick = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))[9:-9, 9:-9]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    edge = np.unique(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])))
    long_enough = np.maximum(stats[:, 2], stats[:, 3]) > 0.2 * min(small.shape)
    frame = [i for i in edge if i and long_enough[i]]
    if not frame:
        return None
    mask = cv2.dilate(np.isin(labels, frame).astype(np.uint8), np.ones((5, 5), np.uint8))
    full = cv2.resize(mask, image.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(full, dtype=np.uint8)


def sheet_box(frame: NDArray[np.uint8]) -> Box:
    """Return the box of the sheet inside a scanner's frame (1 where the frame is)."""
    paper = frame == 0
    columns = np.flatnonzero(paper.mean(axis=0) > 0.1)
    lines = np.flatnonzero(paper.mean(axis=1) > 0.1)
    if len(columns) == 0 or len(lines) == 0:
        return Box(0, 0, frame.shape[1], frame.shape[0])
    return Box(int(columns[0]), int(lines[0]), int(columns[-1]) + 1, int(lines[-1]) + 1)


def even_background(image: Grey) -> Grey:
    """Divide a page by its paper, so that shadows, stains and yellowing turn white."""
    small = reduced(image, 0.125)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 9)
    full = cv2.resize(paper, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(image, np.maximum(full, 40), scale=255)
    dark = float(np.percentile(even[::4, ::4], 0.5))
    if dark > 60:  # a faint ribbon: stretch the ink down to black
        table = np.clip((np.arange(256) - dark * 0.8) * 255 / (255 - dark * 0.8), 0, 255)
        even = cv2.LUT(even, table.astype(np.uint8))
    return np.asarray(even, dtype=np.uint8)


def has_even_background(image: Grey) -> bool:
    """Say whether the paper is light all over, so that evening it out gains a reader nothing."""
    small = reduced(image, 0.125)
    paper = cv2.dilate(small, np.ones((5, 5), np.uint8))
    return bool(np.percentile(paper, 5) >= _LIGHT_PAPER)


def is_grainy(image: Grey, letter_height: float) -> bool:
    """Say whether lone specks, each smaller than a full stop, are strewn over a page.

    ``letter_height`` is in pixels. A speck is ink with at most (height / 8)**2 square pixels of
    ink, its own included, within 0.4 heights around.
    """
    ink = (image < 128).astype(np.uint8)
    side = 2 * round(0.4 * letter_height) + 1
    around = cv2.boxFilter(ink, cv2.CV_16U, (side, side), normalize=False)
    lone = ink & (around <= max(2.0, (letter_height / 8) ** 2)).astype(np.uint8)
    # Each speck has one pixel, or few, with no other above or to the left of it.
    first = lone[1:, 1:] & (1 - lone[:-1, 1:]) & (1 - lone[1:, :-1])
    return int(cv2.countNonZero(first)) >= _SPECKS


def needs_softening(image: Grey, letter_height: float, bitonal: bool) -> bool:
    """Say whether a page reads better a little out of focus: a grainy scan, a 1-bit fax.

    Not one whose letters are small: they run together. Nor a 1-bit scan of fine resolution, which
    gains nothing.
    """
    if letter_height < _ENOUGH:
        return False
    return letter_height < _RAGGED if bitonal else is_grainy(image, letter_height)


def soften(image: Grey, pixels: float) -> Grey:
    """Blur a page a little, so that specks fade, and ragged or broken strokes close.

    It is for the reader alone: as a picture to keep it would be worse, and a fax seven times as
    large. Whitening the specks instead was measured to cost words on most sets of real pages.
    """
    return np.asarray(cv2.GaussianBlur(image, (0, 0), pixels), dtype=np.uint8)


def clean(
    image: Grey,
    lies: Orientation,
    bitonal: bool,
    may: Cleaning,
    frame: NDArray[np.uint8] | None = None,
) -> CleanPage:
    """Put a page upright, straighten, crop, even out, scale, where each helps.

    The step "soften" says that a reader should be given the page softened.
    ``frame`` is the scanner's, as ``border_mask`` found it on the same image.
    """
    steps: list[str] = []
    original = (image.shape[1], image.shape[0])
    if lies.turn:
        image = np.ascontiguousarray(np.rot90(image, -lies.turn // 90))
        frame = None if frame is None else np.ascontiguousarray(np.rot90(frame, -lies.turn // 90))
        steps.append("turn")
    upright = (image.shape[1], image.shape[0])
    skew = lies.skew_degrees if abs(lies.skew_degrees) >= 0.1 else 0.0
    canvas = rotated_canvas(*upright, skew)
    if skew:
        image = rotate(image, skew)
        frame = rotate(frame, skew, fill=1) if frame is not None else None
        steps.append("deskew")
    crop = Box(0, 0, *canvas)
    if frame is not None:
        crop = sheet_box(frame)
        image = np.where(frame > 0, np.uint8(255), image)
        image = image[crop.top : crop.bottom, crop.left : crop.right]
        steps.append("crop")
    straight = image = np.ascontiguousarray(image)
    seen = put_upright(lies.seen, lies.turn) if lies.seen else see(image)
    height = letter_height(seen)
    image = _tidy(image, height, bitonal, may, steps)
    scale = reading_scale(height, image.size)
    if scale != 1.0:
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=way), dtype=np.uint8
        )
        steps.append("scale")
    geometry = PageGeometry(original, lies.turn, skew, canvas, crop, scale)
    blank = nothing_written(seen)
    return CleanPage(image, geometry, tuple(steps), blank, straight, height)


def _tidy(
    image: Grey, letter_height: float, bitonal: bool, may: Cleaning, steps: list[str]
) -> Grey:
    if may.background and not bitonal and not has_even_background(image):
        image = even_background(image)
        steps.append("background")
    if may.speckle and needs_softening(image, letter_height, bitonal):
        steps.append("soften")
    if bitonal and "deskew" in steps:
        image = np.where(image < 128, np.uint8(0), np.uint8(255))
    return image


def reading_scale(letter_height: float, pixels: int) -> float:
    """Return by how much to enlarge or reduce a page so that its letters suit a reader.

    ``letter_height`` and ``pixels`` (the whole page's) are those of the page as it is. Letters
    that are large enough are left as they are: every pixel costs time.
    """
    wanted = 1.0
    if 0 < letter_height < _ENOUGH:
        wanted = min(_BEST / letter_height, _MOST_ENLARGED)
    elif letter_height > _HUGE:
        wanted = max(_AMPLE / letter_height, _MOST_REDUCED)
    return min(wanted, math.sqrt(_MOST_PIXELS / max(pixels, 1)))


def reading_dpi(letter_height: float, dpi: int) -> int:
    """Return the dots per inch to tell Tesseract, by the height of letters in the image it gets.

    It takes what is a rule or a column by this number, and files often name a wrong one or none.
    ``dpi`` is returned where the height is not known (0).
    """
    if letter_height <= 0:
        return dpi
    return int(min(max(round(_DPI_OF_LETTERS * letter_height), _LEAST_DPI), _MOST_DPI))


def encode_png(image: Grey, kept: bool = True) -> bytes:
    """Return a page as PNG bytes: 1 bit a pixel when it is black and white only.

    One that is not ``kept`` is not made small, which takes most of the time.
    """
    pure = bool(np.all((image == 0) | (image == 255)))
    options = [cv2.IMWRITE_PNG_COMPRESSION, 3 if kept else 0]
    options += [cv2.IMWRITE_PNG_BILEVEL, 1] if pure else []
    done, data = cv2.imencode(".png", image, options)
    if not done:
        raise ValueError("the page image could not be encoded")
    return data.tobytes()


def decode_png(png: bytes) -> Grey:
    """Return the page of PNG bytes that ``encode_png`` made."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError("the page image is damaged")
    return np.asarray(image, dtype=np.uint8)


def rendition(png: bytes, width: int) -> bytes:
    """Return a cleaned page as a JPEG at most ``width`` pixels wide, for looking at."""
    image = decode_png(png)
    scale = min(1.0, width / image.shape[1])
    if scale < 1.0:
        image = reduced(image, scale)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 72])[1].tobytes()


def snippet(image: Grey, area: Box, width: int) -> bytes:
    """Return a part of a page, ``(h, w) uint8``, as a JPEG at most ``width`` pixels wide."""
    part, _ = cut_out(image, area)
    scale = min(1.0, width / max(part.shape[1], 1))
    if scale < 1.0:
        part = reduced(part, scale)
    return cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, 72])[1].tobytes()


def whole(image: Grey) -> Box:
    """Return the box of all of an image, ``(h, w) uint8``."""
    height, width = image.shape
    return Box(0, 0, width, height)


def cut_out(image: Grey, area: Box, without: Iterable[Box] = ()) -> tuple[Grey, Box]:
    """Return a copy of an area, with the boxes in it made white, and the area cut to the image."""
    area = area.cut(whole(image))
    part = image[area.top : area.bottom, area.left : area.right].copy()
    for box in without:
        blank = box.moved(-area.left, -area.top).cut(whole(part))
        part[blank.top : blank.bottom, blank.left : blank.right] = 255
    return part, area


def ink_share(image: Grey, box: Box) -> float:
    """Return the share (0 to 1) of a box that is ink, long rules taken out."""
    part, _ = cut_out(image, box)
    if part.size == 0:
        return 0.0
    ink = (part < 150).astype(np.uint8)
    for kernel in ((1, max(15, part.shape[1] // 2)), (max(15, part.shape[0] * 3 // 4), 1)):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(kernel, np.uint8))
        grown = np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), dtype=np.uint8)
        ink = ink & (1 - grown)
    return float(ink.mean())


def unread_ink(image: Grey, read: Sequence[Box]) -> Unread:
    """Find what no box covers on a straight page: letters, and lines of three or more."""
    ink, scale = survey(image)
    for box in read:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        ink[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = 0
    letters, stats = writing(ink)
    each = tuple(_unscaled(x, y, w, h, scale) for x, y, w, h, _ in stats.tolist())
    if len(each) < _LETTERS_OF_A_LINE:
        return Unread((), each)
    height = max(4, int(np.median(stats[:, 3])))
    joined = cv2.dilate(letters, np.ones((max(1, height // 4), height * 2), np.uint8))
    _, labels, blobs, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    middles = stats[:, :2] + stats[:, 2:4] // 2
    many = np.bincount(labels[middles[:, 1], middles[:, 0]], minlength=len(blobs))
    lines = tuple(
        _unscaled(x, y, w, h, scale)
        for (x, y, w, h, _), letters_in in zip(blobs[1:].tolist(), many[1:], strict=True)
        if letters_in >= _LETTERS_OF_A_LINE and h <= 5 * height
    )
    return Unread(lines, each)


def _unscaled(x: int, y: int, width: int, height: int, scale: float) -> Box:
    """Return a box on a page that is given in pixels of the page reduced by ``scale``."""
    return Box(*(round(edge / scale) for edge in (x, y, x + width, y + height)))
