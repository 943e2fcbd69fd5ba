"""How a page lies: its turn and skew, found from the places of its letters without reading them.

An image is ``(h, w) uint8``, grey, 0 black to 255 white. Angles are degrees; the content of a
page leans counter-clockwise when its angle is positive, as a person looking at it sees it.

What says which way lines run: rows of letters' edges are sharper along lines than across them
(Postl's criterion); letters lie nearer to the next one in a line than to the next line (the idea
of O'Gorman's docstrum); letters stand close together on a common foot. What says which way is up:
ascenders outnumber descenders; and, where a reading engine brings one, a judge of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Points = NDArray[np.float32]
# Says how likely (0 to 1) crops of lines stand upright and not on their heads; None: cannot say.
Judge = Callable[[Sequence[Grey]], float | None]

cv2.setNumThreads(1)

# A page whose place was seen this surely lies right.
SURE_ENOUGH = 0.25
# The side, in pixels, to which a page is reduced for finding its turn, skew and borders.
SURVEY_SIDE = 1400
SKEW_LIMIT_DEGREES = 15.0
_INK = 1
# Less ink (a share of the page) and fewer letters make no page.
_INK_OF_A_PAGE = 0.005
_LETTERS_OF_A_PAGE = 12
# Fewer letters say nothing of how a page lies.
_LETTERS_TO_TELL = 15
# Points enough to tell half degrees apart, and hundredths; rows (pixels) for either.
_FEW_POINTS, _MANY_POINTS = 15_000, 60_000
_COARSE_ROW, _FINE_ROW = 2.0, 0.7

# A stretch of a line reaches so far to both sides of the letter that it was found by, in heights
# of that letter; so much of it is covered by letters on the same foot.
_REACH = 2.5
# Rows of lower things (pixels of the survey) are leaders' dots more often than letters.
_READABLE = 5
_COVERED = 0.55
# How many stretches are looked for, looked at for ascenders, and shown to a judge.
_SOUGHT, _BALANCED, _JUDGED_FIRST, _JUDGED = 300, 300, 6, 24
_CROP_HEIGHT, _CROP_ASPECT = 48, 4.0

# Weights of what speaks for an axis and for a way up. Fitted by hand on one half of the pages of
# FUNSD, SROIE, FARA, deskew, office, typewritten and handwriting that benchmarks/README.md names.
_NEARNESS_WEIGHT, _LINES_WEIGHT, _JUDGED_AXIS_WEIGHT = 2.0, 3.0, 3.0
_ASCENDER_WEIGHT, _JUDGE_WEIGHT = 13.0, 2.0
_LINES_OF_PRINT = 0.3
_ENOUGH_JUDGED = 6
_CLEARLY_JUDGED = 0.6
_CLEAR_AXIS = 1.0


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
class _Axis:
    """One way that lines may run: ``turn`` 0 or 90 brings them level, but for a skew.

    ``points`` are edges of letters; ``skew_degrees``, to half a degree, and ``sharpness`` are of
    the sharpest rows; ``in_lines`` the share of letters that stand close in a line;
    ``stretches`` the ``(n, 4)`` x, y, w, h of parts of lines on the level, straight page.
    """

    turn: int
    points: Points
    skew_degrees: float
    sharpness: float
    in_lines: float
    stretches: NDArray[np.float64]
    to_page: NDArray[np.float64]


def survey(image: Grey) -> tuple[NDArray[np.uint8], float]:
    """Return the ink (1) and paper (0) of a page reduced to SURVEY_SIDE, and the scale used."""
    scale = min(1.0, SURVEY_SIDE / max(image.shape))
    small = reduced(image, scale)
    block = max(15, (min(small.shape) // 40) | 1)
    ink = cv2.adaptiveThreshold(
        cv2.GaussianBlur(small, (3, 3), 0), _INK, cv2.ADAPTIVE_THRESH_MEAN_C,
        cv2.THRESH_BINARY_INV, block, 15,
    )  # fmt: skip
    return np.asarray(ink, dtype=np.uint8), scale


def reduced(image: Grey, scale: float) -> Grey:
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


def put_upright(seen: Seen, turn: int) -> Seen:
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
    """Return the usual height of letters in pixels of the image; 0 when there are too few.

    Where most are as low as the dots of leaders, the others say it.
    """
    heights = seen.stats[:, 3]
    if len(heights) < _LETTERS_TO_TELL:
        return 0.0
    higher = heights[heights >= _READABLE]
    if np.median(heights) < _READABLE and len(higher) >= _LETTERS_TO_TELL:
        heights = higher
    return float(np.median(heights) / seen.scale)


def find_orientation(
    image: Grey, turn: bool = True, deskew: bool = True, judge: Judge | None = None
) -> Orientation:
    """Find how a page lies, from the places of its letters and what a judge says of its lines.

    ``turn`` and ``deskew`` say what is asked. Where the sureness is below SURE_ENOUGH the turn is
    a guess: handwriting, specks, a table of bare rules.
    """
    letters, seen = _look(image)
    if len(seen.stats) < _LETTERS_TO_TELL:
        return Orientation(0, 0.0, 0.0, seen)
    if not turn:
        points = _edge_points(letters)
        skew = _refined(points, _sharpest(points)[0]) if deskew else 0.0
        return Orientation(0, skew, 1.0, seen)
    axes = _axis(letters, seen, 0), _axis(letters, seen, 90)
    leaning = _leaning(axes, letters, seen)
    surely = abs(leaning) >= _CLEAR_AXIS
    ups = [0.0, 0.0]
    for i, sign in ((0, 1), (1, -1)):
        if surely and leaning * sign < 0:
            continue
        judged = _judged(image, seen, axes[i], judge, _JUDGED_FIRST if surely else _JUDGED)
        ups[i] = _ASCENDER_WEIGHT * _ascender_balance(letters, axes[i]) + _JUDGE_WEIGHT * judged
        leaning += sign * _JUDGED_AXIS_WEIGHT * abs(judged)
    on_side = leaning < 0
    axis, up = axes[on_side], ups[on_side]
    sureness = float(np.tanh(abs(leaning)) * np.tanh(abs(up)))
    turned = (axis.turn + (180 if up < 0 else 0)) % 360
    skew = _refined(axis.points, axis.skew_degrees) if deskew else 0.0
    return Orientation(turned, skew, sureness, seen)


def _axis(letters: NDArray[np.uint8], seen: Seen, turn: int) -> _Axis:
    level = np.rot90(letters, -1) if turn else letters
    points = _edge_points(level)
    skew, sharpness = _sharpest(points)
    to_page = _page_from_level(seen.side, turn, skew)
    stretches, in_lines = _stretches(seen.stats, to_page, turn)
    return _Axis(turn, points, skew, sharpness, in_lines, stretches, to_page)


def _leaning(axes: tuple[_Axis, _Axis], letters: NDArray[np.uint8], seen: Seen) -> float:
    """Return what speaks for lines that run along the page (> 0) or across it (< 0)."""
    level, standing = axes
    across, down = _joined(letters, seen.stats)
    sharper = np.log((level.sharpness + 1e-6) / (standing.sharpness + 1e-6))
    nearer = np.log((across + 5) / (down + 5))
    weight = min(1.0, max(level.in_lines, standing.in_lines) / _LINES_OF_PRINT)
    in_lines = _LINES_WEIGHT * (level.in_lines - standing.in_lines)
    return float(weight * (sharper + _NEARNESS_WEIGHT * nearer + in_lines))


def _joined(letters: NDArray[np.uint8], stats: NDArray[np.int32]) -> tuple[int, int]:
    """Return how many letters join another when all grow by a quarter, across and down."""
    grow = 1 + max(2, round(0.25 * float(np.median(np.maximum(stats[:, 2], stats[:, 3])))))
    across, down = (
        cv2.connectedComponents(cv2.dilate(letters, np.ones(shape, np.uint8)), connectivity=8)[0]
        for shape in ((1, grow), (grow, 1))
    )
    return max(0, len(stats) + 1 - across), max(0, len(stats) + 1 - down)


def _edge_points(letters: NDArray[np.uint8]) -> Points:
    """Return the ``(n, 2)`` x, y of the lower edges of letters, from the centre of the page.

    Each is moved by a fraction of a pixel: on a whole grid an angle of 0 looks sharper than it is.
    """
    below = np.zeros_like(letters)
    below[:-1] = letters[1:]
    ys, xs = np.nonzero((letters == _INK) & (below == 0))
    step = max(1, len(xs) // _MANY_POINTS)
    points = np.column_stack((xs[::step], ys[::step])).astype(np.float32)
    points += _fractions()[: len(points)]
    return points - np.array([letters.shape[1] / 2, letters.shape[0] / 2], dtype=np.float32)


@cache
def _fractions() -> Points:
    drawn = np.random.default_rng(0).random((2 * _MANY_POINTS, 2), dtype=np.float32)
    return np.asarray(drawn - np.float32(0.5), dtype=np.float32)


def _sharpest(points: Points) -> tuple[float, float]:
    """Return the angle, to half a degree, of the sharpest rows, and how sharp they are."""
    few = points[:: max(1, len(points) // _FEW_POINTS)]
    angles = np.arange(-SKEW_LIMIT_DEGREES, SKEW_LIMIT_DEGREES + 0.01, 0.5)
    scores = [_sharpness(few, angle, _COARSE_ROW) for angle in angles]
    best = int(np.argmax(scores))
    return float(angles[best]), scores[best]


def _refined(points: Points, near: float) -> float:
    """Return the angle of the sharpest rows to 0.02 degrees, near one that is known."""
    best = near
    for reach, step in ((0.5, 0.1), (0.12, 0.02)):
        fine = np.arange(best - reach, best + reach + step / 2, step)
        best = float(fine[int(np.argmax([_sharpness(points, a, _FINE_ROW) for a in fine]))])
    return round(best, 2)


def _sharpness(points: Points, angle: float, row_height: float) -> float:
    """Return the sum of squared differences between rows at an angle, per point."""
    radians = np.deg2rad(angle)
    rows = points[:, 1] * np.cos(radians) + points[:, 0] * np.sin(radians)
    bins = ((rows - rows.min()) / row_height).astype(np.int32)
    profile = np.bincount(bins).astype(np.float64)
    if row_height < 1:  # thinner than the pixels that the points come from
        profile = np.convolve(profile, (0.25, 0.5, 0.25))
    return float(np.square(np.diff(profile)).sum() / max(len(points), 1))


def _page_from_level(side: tuple[int, int], turn: int, skew_degrees: float) -> NDArray[np.float64]:
    """Return the (3, 3) matrix from the level, straight page, its centre at 0, 0, to the survey."""
    height, width = side
    angle = np.deg2rad(turn + skew_degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin, width / 2], [-sin, cos, height / 2], [0.0, 0.0, 1.0]])


def _stretches(
    stats: NDArray[np.int32], to_page: NDArray[np.float64], turn: int
) -> tuple[NDArray[np.float64], float]:
    """Return boxes of parts of lines on the level page, and the share of letters that have one.

    Some letters, drawn by lot, are each looked at with those beside them that stand on the same
    foot. A box is as high as these are.
    """
    centres = stats[:, :2] + stats[:, 2:4] / 2
    x, y = ((centres - to_page[:2, 2]) @ to_page[:2, :2]).T
    wide, high = stats[:, 2:4].T if turn == 0 else stats[:, 3:1:-1].T
    tall = (high >= 0.7 * np.median(high)) & ~_are_bars(stats)
    readable = tall & (high >= _READABLE)
    seeds = np.flatnonzero(readable if readable.sum() >= _LETTERS_TO_TELL else tall)
    seeds = np.random.default_rng(0).permutation(seeds)[:_SOUGHT]
    height, middle = high[seeds, None], x[seeds, None]
    reach = _REACH * height
    foot = y + high / 2
    alike = (high < 2.2 * height) & (high > 0.5 * height)
    beside = np.minimum(x + wide / 2, middle + reach) - np.maximum(x - wide / 2, middle - reach)
    beside = np.where(alike, np.clip(beside, 0, None), 0)
    level = np.abs(foot - foot[seeds, None]) < 0.35 * height
    covered = (beside * level).sum(axis=1) / (2 * reach[:, 0])
    in_line = covered >= _COVERED
    # Commas and descenders have another foot; they belong to the line when it holds their middle.
    rows = (beside > 0) & (np.abs(y - y[seeds, None]) < 0.7 * height)
    top = np.where(rows, y - high / 2, np.inf).min(axis=1)
    bottom = np.where(rows, foot, -np.inf).max(axis=1)
    boxes = np.column_stack((middle - reach, top, 2 * reach, bottom - top))[in_line]
    return boxes, float(in_line.mean()) if len(seeds) else 0.0


def _are_bars(stats: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Say which components are solid and long: dashes of a leader, bars of a bar code, l and I."""
    wide, high, area = stats[:, 2:5].T
    longest, shortest = np.maximum(wide, high), np.minimum(wide, high)
    return np.asarray((area > 0.75 * wide * high) & (longest > 1.6 * shortest))


def _ascender_balance(letters: NDArray[np.uint8], axis: _Axis) -> float:
    """Compare ink above and below the x-height of stretches of lines; > 0 when ascenders win.

    Returns (above - below) / (all ink of the stretches), about 0.02 to 0.15 for upright Latin text.
    """
    above = below = total = 0.0
    ink = letters * np.uint8(255)
    for box in axis.stretches[:_BALANCED]:
        part = _cut(ink, axis.to_page, box, max(1, round(box[3])), fill=0)
        profile = part.sum(axis=1).astype(np.float64)
        middle = np.flatnonzero(profile > 0.5 * profile.max(initial=0.0))
        if len(middle) == 0:
            continue
        above += profile[: middle[0]].sum()
        below += profile[middle[-1] + 1 :].sum()
        total += profile.sum()
    return float((above - below) / total) if total else 0.0


def _judged(image: Grey, seen: Seen, axis: _Axis, judge: Judge | None, first: int) -> float:
    """Return -1 (on their heads) to 1 (upright) for the lines along an axis, 0 when not judged.

    ``first`` lines are shown, and more when the judgement is not clear.
    """
    if judge is None:
        return 0.0
    crops = line_crops(image, seen, axis, _JUDGED)
    total, shown = 0.0, 0
    for part in (crops[:first], crops[first:]):
        share = judge(part) if part else None
        if share is None:
            break
        total += (2 * share - 1) * len(part)
        shown += len(part)
        if abs(total) >= _CLEARLY_JUDGED * shown:
            break
    return total / max(shown, _ENOUGH_JUDGED)


def _cut(
    image: Grey, to_image: NDArray[np.float64], box: NDArray[np.float64], height: int, fill: int
) -> Grey:
    """Return the part of an image under a box (x, y, w, h) of the level page, ``height`` high."""
    x, y, wide, high = box
    scale = high / height
    placed = to_image @ np.array([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]])
    part = cv2.warpAffine(
        image, placed[:2], (max(1, round(wide / scale)), height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )  # fmt: skip
    return np.asarray(part, dtype=np.uint8)


def line_crops(image: Grey, seen: Seen, axis: _Axis, most: int) -> list[Grey]:
    """Return ``(48, 192)`` crops of a page's lines, level, as they stand when turned by the axis.

    No two overlap by much.
    """
    to_image = np.diag((1 / seen.scale, 1 / seen.scale, 1.0)) @ axis.to_page
    taken: list[NDArray[np.float64]] = []
    for x, y, wide, high in axis.stretches:
        pad = 0.15 * high
        high = high + 2 * pad
        box = np.array((x + wide / 2 - high * _CROP_ASPECT / 2, y - pad, high * _CROP_ASPECT, high))
        if all(abs(box[0] - b[0]) > 0.5 * b[2] or abs(box[1] - b[1]) > 0.5 * b[3] for b in taken):
            taken.append(box)
        if len(taken) == most:
            break
    return [_cut(image, to_image, box, _CROP_HEIGHT, fill=255) for box in taken]


def lines_to_try(image: Grey, skew_degrees: float, most: int = 8) -> Grey | None:
    """Return the longest lines of a page that leans by an angle, level, stacked; None without any.

    They are for trying a reading on.
    """
    letters, seen = _look(image)
    if len(seen.stats) < _LETTERS_TO_TELL:
        return None
    to_page = _page_from_level(seen.side, 0, skew_degrees)
    height = max(4, int(np.median(seen.stats[:, 3])))
    joined = cv2.dilate(_level(letters, to_page), np.ones((1, height * 3), np.uint8))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    lines = [b for b in blobs[1:] if height <= b[3] <= height * 4 and b[2] >= height * 6]
    lines.sort(key=lambda blob: -int(blob[4]))
    half = np.array((joined.shape[1] / 2, joined.shape[0] / 2, 0, 0))
    pad = np.array((-1, -1, 2, 2)) * (height // 2)
    to_image = np.diag((1 / seen.scale, 1 / seen.scale, 1.0)) @ to_page
    boxes = [line[:4] - half + pad for line in lines[:most]]
    parts = [_cut(image, to_image, box, max(1, round(box[3] / seen.scale)), 255) for box in boxes]
    if not parts:
        return None
    width = max(part.shape[1] for part in parts)
    padded = [
        cv2.copyMakeBorder(p, 10, 10, 10, width - p.shape[1] + 10, cv2.BORDER_CONSTANT, value=255)
        for p in parts
    ]
    return np.asarray(np.vstack(padded), dtype=np.uint8)


def _level(letters: NDArray[np.uint8], to_page: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the ink of letters on the level page, which is cut to a square that holds it."""
    side = int(np.hypot(*letters.shape)) + 1
    box = np.array((-side / 2, -side / 2, side, side))
    ink = _cut(letters * np.uint8(255), to_page, box, side, fill=0)
    return np.asarray(ink > 127, dtype=np.uint8)
