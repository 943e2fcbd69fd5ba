"""Clean-up of page images with OpenCV: pure functions on arrays.

An image is ``(h, w) uint8``, grey, 0 black to 255 white. Angles are degrees; the content of a
page leans counter-clockwise when its angle is positive, as a person looking at it sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from records.geometry import Box, PageGeometry

Grey = NDArray[np.uint8]
Points = NDArray[np.float32]

cv2.setNumThreads(1)

# The side, in pixels, to which a page is reduced for finding its turn, skew and borders.
SURVEY_SIDE = 1400
SKEW_LIMIT_DEGREES = 15.0
_INK = 1
# Less ink (a share of the page) and fewer letters make no page.
_INK_OF_A_PAGE = 0.005
_LETTERS_OF_A_PAGE = 12
# Fewer lone specks do not trouble a reader.
_SPECKS = 50
# Points enough to tell half degrees apart, and hundredths.
_FEW_POINTS, _MANY_POINTS = 15_000, 60_000


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Which steps may be taken."""

    turn: bool
    deskew: bool
    crop: bool
    background: bool
    speckle: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The letters of a page reduced by ``scale`` to ``side`` (h, w); ``stats`` as ``writing``'s.

    ``ink`` is the share (0 to 1) of the page, its edges left out, that is dark.
    """

    stats: NDArray[np.int32]
    scale: float
    side: tuple[int, int]
    ink: float


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a page lies: ``turn`` 0, 90, 180 or 270, ``skew_degrees`` beyond it.

    ``sureness`` is 0 to 1: how clearly the page's writing says so. ``seen`` is that writing, as
    the page lies, when it was looked at for this.
    """

    turn: int
    skew_degrees: float
    sureness: float
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class CleanPage:
    """A cleaned page, how it came from the original, and what was done to it."""

    image: Grey
    geometry: PageGeometry
    steps: tuple[str, ...]
    blank: bool


def survey(image: Grey) -> tuple[NDArray[np.uint8], float]:
    """Return the ink (1) and paper (0) of a page reduced to SURVEY_SIDE, and the scale used."""
    scale = min(1.0, SURVEY_SIDE / max(image.shape))
    small = _reduced(image, scale)
    block = max(15, (min(small.shape) // 40) | 1)
    ink = cv2.adaptiveThreshold(
        cv2.GaussianBlur(small, (3, 3), 0), _INK, cv2.ADAPTIVE_THRESH_MEAN_C,
        cv2.THRESH_BINARY_INV, block, 15,
    )  # fmt: skip
    return np.asarray(ink, dtype=np.uint8), scale


def _reduced(image: Grey, scale: float) -> Grey:
    """Return an image made smaller; of a thin one, no side becomes 0."""
    height, width = image.shape
    small = cv2.resize(
        image, None, fx=max(scale, 1 / width), fy=max(scale, 1 / height),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    return np.asarray(small, dtype=np.uint8)


def writing(ink: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Keep the connected components that have the size of letters.

    Returns the ink of these alone, and their ``(n, 5) int32`` stats (x, y, w, h, area).
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    longest, shortest = np.maximum(width, height), np.minimum(width, height)
    side = max(ink.shape)
    fits = (longest <= side / 18) & (longest >= 4) & (shortest >= 2) & (area >= 8)
    fits[0] = False
    kept = stats[fits]
    if len(kept) >= 20:  # drop what is far larger than most letters: rules, logos, stains
        usual = float(np.median(np.maximum(kept[:, 2], kept[:, 3])))
        fits &= longest <= max(usual * 4, 12)
    mask = fits[labels].astype(np.uint8)
    return mask, stats[fits]


def find_orientation(image: Grey, turn: bool = True, deskew: bool = True) -> Orientation:
    """Find how a page lies from the places of its letters, without reading it.

    The skew is the angle at which the letters' edges fall into the sharpest rows (Postl's
    criterion: the sum of squared differences of the projection profile); the axis is the one of
    the two with sharper rows; up and down are told by ascenders, which outnumber descenders.
    """
    letters, seen = _look(image)
    if len(seen.stats) < 15:
        return Orientation(0, 0.0, 0.0, seen)
    level, standing = _edge_points(letters), _edge_points(np.rot90(letters, -1))
    lies = _sharpest(level)
    if not turn:
        return Orientation(0, _refined(level, lies[0]) if deskew else 0.0, 1.0, seen)
    stands = _sharpest(standing)
    on_side = stands[1] > lies[1]
    best, other = (stands, lies) if on_side else (lies, stands)
    axis_sureness = 1.0 - other[1] / best[1] if best[1] else 0.0
    skew = _refined(standing if on_side else level, best[0])
    upright = np.rot90(letters, -1) if on_side else letters
    straight = rotate(upright.astype(np.uint8) * 255, skew, fill=0)
    upward = _ascender_balance(straight > 127)
    upside_down = upward < 0
    found = {(False, False): 0, (False, True): 180, (True, False): 90, (True, True): 270}
    sureness = min(1.0, axis_sureness * 2, abs(upward) * 8)
    turned = found[(on_side, upside_down)]
    return Orientation(turned, skew if deskew else 0.0, sureness, seen)


def _edge_points(letters: NDArray[np.uint8]) -> Points:
    """Return the ``(n, 2)`` x, y of the lower edges of letters, from the centre of the page."""
    below = np.zeros_like(letters)
    below[:-1] = letters[1:]
    ys, xs = np.nonzero((letters == _INK) & (below == 0))
    step = max(1, len(xs) // _MANY_POINTS)
    points = np.column_stack((xs[::step], ys[::step])).astype(np.float32)
    return points - np.array([letters.shape[1] / 2, letters.shape[0] / 2], dtype=np.float32)


def _sharpest(points: Points) -> tuple[float, float]:
    """Return the angle, to half a degree, of the sharpest rows, and how sharp they are."""
    few = points[:: max(1, len(points) // _FEW_POINTS)]
    angles = np.arange(-SKEW_LIMIT_DEGREES, SKEW_LIMIT_DEGREES + 0.01, 0.5)
    scores = [_sharpness(few, angle, 2.0) for angle in angles]
    best = int(np.argmax(scores))
    return float(angles[best]), scores[best]


def _refined(points: Points, near: float) -> float:
    """Return the angle of the sharpest rows to 0.02 degrees, near one that is known."""
    best = near
    for reach, step in ((0.5, 0.1), (0.12, 0.02)):
        fine = np.arange(best - reach, best + reach + step / 2, step)
        best = float(fine[int(np.argmax([_sharpness(points, a, 1.0) for a in fine]))])
    return round(best, 2)


def _sharpness(points: Points, angle: float, row_height: float) -> float:
    radians = np.deg2rad(angle)
    rows = points[:, 1] * np.cos(radians) + points[:, 0] * np.sin(radians)
    bins = ((rows - rows.min()) / row_height).astype(np.int32)
    profile = np.bincount(bins).astype(np.float64)
    return float(np.square(np.diff(profile)).sum() / max(len(points), 1))


def _ascender_balance(letters: NDArray[np.bool_]) -> float:
    """Compare ink above and below the x-height of each word; > 0 when ascenders win.

    Returns (above - below) / (all ink of the words), about 0.05 to 0.15 for upright Latin text.
    """
    ink = letters.astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    height = int(np.median(stats[1:, 3])) if len(stats) > 1 else 0
    if height < 3:
        return 0.0
    joined = cv2.dilate(ink, np.ones((1, max(3, height)), np.uint8))
    _, _, words, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    above = below = total = 0.0
    for x, y, w, h, _ in words[1:]:
        if h < height or h > height * 4 or w < 2 * h:
            continue
        profile = ink[y : y + h, x : x + w].sum(axis=1).astype(np.float64)
        middle = np.flatnonzero(profile > 0.5 * np.max(profile))
        above += profile[: middle[0]].sum()
        below += profile[middle[-1] + 1 :].sum()
        total += profile.sum()
    return float((above - below) / total) if total else 0.0


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
    small = _reduced(image, scale)
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
    small = _reduced(image, 0.125)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 9)
    full = cv2.resize(paper, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(image, np.maximum(full, 40), scale=255)
    dark = float(np.percentile(even[::4, ::4], 0.5))
    if dark > 60:  # a faint ribbon: stretch the ink down to black
        table = np.clip((np.arange(256) - dark * 0.8) * 255 / (255 - dark * 0.8), 0, 255)
        even = cv2.LUT(even, table.astype(np.uint8))
    return np.asarray(even, dtype=np.uint8)


def has_even_background(image: Grey) -> bool:
    """Say whether the paper is white all over already, so that evening it out gains nothing."""
    small = _reduced(image, 0.125)
    paper = cv2.dilate(small, np.ones((5, 5), np.uint8))
    return bool(np.percentile(paper, 5) >= 245)


def without_speckle(image: Grey, dpi: int) -> tuple[Grey, int]:
    """Whiten lone specks smaller than a full stop; returns the image and how many there were.

    A speck is ink with at most (dpi / 100)**2 square pixels of ink, its own included, within
    dpi / 30 pixels around: the dots of letters stay. A page with few of them is left alone.
    """
    ink = (image < 128).astype(np.uint8)
    side = 2 * (dpi // 30) + 1
    around = cv2.boxFilter(ink, cv2.CV_16U, (side, side), normalize=False)
    lone = ink & (around <= max(2, (dpi / 100) ** 2)).astype(np.uint8)
    # Each speck has one pixel, or few, with no other above or to the left of it.
    first = lone[1:, 1:] & (1 - lone[:-1, 1:]) & (1 - lone[1:, :-1])
    count = int(cv2.countNonZero(first))
    if count < _SPECKS:
        return image, 0
    grown = cv2.dilate(lone, np.ones((3, 3), np.uint8))
    return np.where(grown > 0, np.uint8(255), image), count


def see(image: Grey) -> Seen:
    """Find the letters of a page."""
    return _look(image)[1]


def _look(image: Grey) -> tuple[NDArray[np.uint8], Seen]:
    """Return the ink of a page's letters, reduced, and what is known of them."""
    ink, scale = survey(image)
    letters, stats = writing(ink)
    y, x = (side // 20 for side in ink.shape)
    share = float(ink[y : ink.shape[0] - y, x : ink.shape[1] - x].mean())
    return letters, Seen(stats, scale, (ink.shape[0], ink.shape[1]), share)


def _put_upright(seen: Seen, turn: int) -> Seen:
    """Return what was seen on a page as it stands there once the page has been turned upright.

    Left and right, up and down may be the wrong way round, which nobody asks for.
    """
    if turn in (0, 180):
        return seen
    return replace(seen, stats=seen.stats[:, [1, 0, 3, 2, 4]], side=seen.side[::-1])


def is_blank(image: Grey) -> bool:
    """Say whether a page carries no writing: hardly any ink, and no letters in lines."""
    return nothing_written(see(image))


def nothing_written(seen: Seen) -> bool:
    """Say whether there is hardly any ink, and fewer than 12 letters have neighbours in line.

    Dust and bleed-through are strewn or faint; what lies at the very edge does not count.
    Handwriting may hold few separate letters, so much ink alone is taken for writing.
    """
    if seen.ink > _INK_OF_A_PAGE:
        return False
    height, width = seen.side
    margin = min(max(height, width) // 40, min(height, width) // 8)  # a narrow slip has a middle
    centres = seen.stats[:, :2] + seen.stats[:, 2:4] / 2
    inside = np.all((centres >= margin) & (centres < (width - margin, height - margin)), axis=1)
    order = np.argsort(centres[inside, 1])
    centres, heights = centres[inside][order], seen.stats[inside, 3][order]
    beside = 0
    for i, (x, y) in enumerate(centres):
        near = slice(max(0, i - 60), i + 60)
        dx, dy = np.abs(centres[near, 0] - x), np.abs(centres[near, 1] - y)
        h = max(float(heights[i]), 6.0)
        beside += int(np.count_nonzero((dx < 3 * h) & (dy < 0.6 * h)) >= 3)
        if beside >= _LETTERS_OF_A_PAGE:
            return False
    return True


def letter_height(seen: Seen) -> float:
    """Return the usual height of letters in pixels of the image; 0 when there are too few."""
    return float(np.median(seen.stats[:, 3]) / seen.scale) if len(seen.stats) >= 15 else 0.0


def clean(
    image: Grey,
    lies: Orientation,
    dpi: int,
    bitonal: bool,
    may: Cleaning,
    frame: NDArray[np.uint8] | None = None,
) -> CleanPage:
    """Put a page upright, straighten, crop, even out, free it of specks, where each helps.

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
    image = _tidy(image, dpi, bitonal, bool(skew), may, steps)
    seen = _put_upright(lies.seen, lies.turn) if lies.seen else see(image)
    scale = reading_scale(letter_height(seen), image.size)
    if scale != 1.0:
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=way), dtype=np.uint8
        )
        steps.append("scale")
    geometry = PageGeometry(original, lies.turn, skew, canvas, crop, scale)
    return CleanPage(np.ascontiguousarray(image), geometry, tuple(steps), nothing_written(seen))


def _tidy(
    image: Grey, dpi: int, bitonal: bool, straightened: bool, may: Cleaning, steps: list[str]
) -> Grey:
    if bitonal and straightened:
        image = np.where(image < 128, np.uint8(0), np.uint8(255))
    if may.background and not bitonal and not has_even_background(image):
        image = even_background(image)
        steps.append("background")
    if may.speckle:
        image, specks = without_speckle(image, dpi)
        if specks:
            steps.append("speckle")
    return image


def reading_scale(letter_height: float, pixels: int) -> float:
    """Return by how much to enlarge or reduce a page so that its letters suit a reader.

    ``letter_height`` and ``pixels`` (the whole page's) are those of the page as it is.
    """
    if 0 < letter_height < 14 and pixels * 4 <= 40_000_000:
        return 2.0
    if letter_height > 60 or pixels > 40_000_000:
        return 0.5
    return 1.0


def encode_png(image: Grey) -> bytes:
    """Return a page as PNG bytes: 1 bit a pixel when it is black and white only."""
    pure = bool(np.all((image == 0) | (image == 255)))
    options = [cv2.IMWRITE_PNG_COMPRESSION, 3]
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
        image = _reduced(image, scale)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 72])[1].tobytes()


def ink_share(image: Grey, box: Box) -> float:
    """Return the share (0 to 1) of a box that is ink, long rules taken out."""
    part = image[max(0, box.top) : box.bottom, max(0, box.left) : box.right]
    if part.size == 0:
        return 0.0
    ink = (part < 150).astype(np.uint8)
    for kernel in ((1, max(15, part.shape[1] // 2)), (max(15, part.shape[0] * 3 // 4), 1)):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(kernel, np.uint8))
        grown = np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), dtype=np.uint8)
        ink = ink & (1 - grown)
    return float(ink.mean())


def find_tick_box(image: Grey, expected: Box) -> Box:
    """Return where the printed square really stands that is expected at a box.

    Looks up to three quarters of its size around; the expected box when no square is there.
    """
    reach_x, reach_y = max(4, expected.width * 3 // 4), max(4, expected.height * 3 // 4)
    left, top = max(0, expected.left - reach_x), max(0, expected.top - reach_y)
    part = image[top : expected.bottom + reach_y, left : expected.right + reach_x]
    ink = (part < 150).astype(np.float32)
    best, place = 0.0, expected
    for grow in (0.85, 0.95, 1.0, 1.05, 1.15):
        w, h = round(expected.width * grow), round(expected.height * grow)
        if w < 5 or h < 5 or h >= part.shape[0] or w >= part.shape[1]:
            continue
        outline = np.full((h, w), -0.15, dtype=np.float32)
        cv2.rectangle(outline, (0, 0), (w - 1, h - 1), 1.0, 2)
        outline /= outline[outline > 0].sum()
        _, score, _, at = cv2.minMaxLoc(cv2.matchTemplate(ink, outline, cv2.TM_CCORR))
        if score > best:
            best, place = score, Box(left + at[0], top + at[1], left + at[0] + w, top + at[1] + h)
    return place if best > 0.45 else expected


def strips(image: Grey, most: int = 8) -> Grey | None:
    """Return a few of a page's lines, stacked, to try a reading on; None when there are none."""
    ink, scale = survey(image)
    letters, stats = writing(ink)
    if len(stats) < 15:
        return None
    height = max(4, int(np.median(stats[:, 3])))
    joined = cv2.dilate(letters, np.ones((1, height * 3), np.uint8))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    lines = [b for b in blobs[1:] if height <= b[3] <= height * 4 and b[2] >= height * 6]
    lines.sort(key=lambda b: -int(b[4]))
    parts = []
    for x, y, w, h, _ in lines[:most]:
        pad = height // 2
        box = [round(v / scale) for v in (x - pad, y - pad, x + w + pad, y + h + pad)]
        parts.append(image[max(0, box[1]) : box[3], max(0, box[0]) : box[2]])
    if not parts:
        return None
    width = max(p.shape[1] for p in parts)
    padded = [
        cv2.copyMakeBorder(p, 10, 10, 10, width - p.shape[1] + 10, cv2.BORDER_CONSTANT, value=255)
        for p in parts
    ]
    return np.asarray(np.vstack(padded), dtype=np.uint8)
