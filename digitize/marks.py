"""Whether tick boxes and bubbles are marked: printed squares and circles, and the ink in them.

The boxes of one call are read together. First the printed outlines are looked for near where they
are expected: those that stand whole and free tell what size and shape they have on this page, and
that is then fitted to the others, broken, filled or crossed as they may be. Then the ink in each
outline is held against the emptiest ones, so that a printed letter, a dark scan or dirt is no mark.

Each box is looked at in a window of the page around it, reduced so that a box is at most 28 pixels
wide; a window is ``(s, s) uint8`` ink: 0 for paper, 255 for as dark as what is printed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from records.geometry import Box

Grey = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
Indices = tuple[NDArray[np.intp], NDArray[np.intp]]

# Boxes are looked at this large at most, in pixels: more tells nothing and takes time.
_SIDE = 28.0
# Boxes are looked at together where the largest is at most so many times the smallest.
_SPREAD = 1.6
# Shares of a box's side: how far off an outline is looked for, and how far around a window reaches.
_REACH, _SEEN = 1.0, 1.7
# Ink below the first is the paper's grain; an outline has at least the second.
_GRAIN, _PRINT = 38, 90

# Sizes that an outline may have, as shares of the expected box, and those tried blindly.
_LEAST, _MOST = 0.45, 1.5
_GRID = (0.55, 0.61, 0.68, 0.75, 0.83, 0.91, 1.0, 1.1, 1.2)
# How well an outline fits (at most 1) that is one, that is good, and that stands whole and free.
_FITS, _FITS_WELL, _WHOLE = 0.5, 0.68, 0.78
# Outlines are of one kind when their sizes differ by less, as a share.
_ALIKE = 0.08
# How far around an outline there should be paper, in pixels; how much ink there tells against it,
# and how much standing off by its own size does.
_ROUND, _ALONE, _NEARNESS = 3, 0.3, 0.3
# By how much less another outline may fit and still be the one that was meant.
_RIVALS = 0.1
# How far off its place a side may be, in pixels: first those in which only its outer edge may lie.
_OFFS = (-4, -3, -2, -1, 0, 1, 2)
# So many windows tell what an outline looks like, and so many others what an empty one holds.
_SOME, _PEERS = 6, 60

# Shares of the area inside from which ink is a mark: blots and dots, long strokes, and what reaches
# over the outline; below which it is of strokes, and above which a bubble is filled, a box black.
# Tuned with the rest on the half "tune" of benchmarks/marks.py.
_LEAST_INK, _LEAST_STROKE, _LEAST_OVER = 0.07, 0.045, 0.13
_STROKES, _FILLED, _BLACK = 0.45, 0.4, 0.75
# Of a box that is blacked out this much lies outside: on three sides, or on fewer.
_STRUCK_OVER, _STRUCK_OVER_FEW, _NO_SCRIBBLE = 0.35, 0.6, 3.0
# Empty bubbles with different letters differ by less ink. Two letters hold at most the next, and
# in fewer bubbles than the last nobody can tell alike letters from alike marks.
_LETTERS_DIFFER, _LETTER, _FEW = 0.15, 0.22, 5
# From so many squares on, something may be printed in all of them.
_MANY = 8
# How sure a verdict is at most that a person should see.
_DOUBT = 0.6
_NEXT = np.ones((3, 3), np.uint8)


class MarkState(StrEnum):
    """What was done to a box: nothing, a mark, or a mark taken back by blacking it out."""

    EMPTY = "empty"
    MARKED = "marked"
    STRUCK = "struck"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is in a tick box or bubble.

    ``box`` is where the printed box really stands, in pixels; it is where it was expected when
    the outline was not ``found``. ``ink`` is the share (0 to 1) of the box inside its outline that
    is inked, specks left out. ``confidence`` (0 to 1) is that ``state`` is right, and below 0.75
    where a person should look.
    """

    state: MarkState
    box: Box
    found: bool
    ink: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an outline looks like: its outer size and its stroke in pixels; round or square.

    Of an ``open`` one only the left and the right side are there, as of brackets.
    """

    width: int
    height: int
    stroke: int
    round: bool
    open: bool = False

    @property
    def side(self) -> float:
        return (self.width + self.height) / 2


@dataclass(frozen=True, slots=True)
class _Outline:
    """An outline in a window: its left and top pixel, and how well it fits (at most 1).

    ``kind`` is what the outlines of the page look like, ``shape`` what this one does.
    """

    left: int
    top: int
    kind: _Kind
    shape: _Kind
    fit: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.shape.width / 2, self.top + self.shape.height / 2


@dataclass(frozen=True, slots=True)
class _Window:
    """A box's surroundings: ``left`` and ``top`` are its place on the reduced page.

    ``box`` is the expected one within it; ``soft`` is print spread by half a pixel.
    """

    ink: Grey
    soft: Grey
    left: float
    top: float
    box: Box


@dataclass(frozen=True, slots=True)
class _Content:
    """What is in an outline and about it, as shares of the area inside.

    ``ink`` is all but specks, ``dust`` the specks, ``extent`` how long the longest stroke is, as a
    share of the box's side; ``traced`` is what long strokes cover, however faint. ``over`` reaches
    out of the outline, on so many ``sides``, and on to the outline of the window ``reached``, if it
    is not None.
    """

    ink: float
    dust: float = 0.0
    extent: float = 0.0
    traced: float = 0.0
    over: float = 0.0
    sides: int = 0
    reached: int | None = None


@dataclass(frozen=True, slots=True)
class _Usual:
    """What boxes read together have in common.

    Some hold ``strokes``; all hold what may be ``letters`` or marks; or all are ``bare`` of an
    outline, and yet some hold much more than others.
    """

    strokes: bool
    letters: bool
    bare: bool


def read_marks(image: Grey, boxes: Sequence[Box]) -> tuple[Mark, ...]:
    """Read the printed squares or circles that are expected at boxes of one page.

    Best are all boxes of a page, or all options of a question, at once: those of about one size
    are compared. Each is looked for up to its own size away from where it is expected.
    """
    marks: dict[int, Mark] = {}
    for members in _of_one_size(boxes):
        marks |= zip(members, _read_alike(image, [boxes[i] for i in members]), strict=True)
    return tuple(marks[i] for i in range(len(boxes)))


def _of_one_size(boxes: Sequence[Box]) -> list[list[int]]:
    """Part boxes, by their numbers, into those of about one size."""
    groups: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: _side(boxes[i])):
        if groups and _side(boxes[i]) <= _SPREAD * _side(boxes[groups[-1][0]]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [sorted(group) for group in groups]


def _side(box: Box) -> float:
    return math.sqrt(max(1, box.width) * max(1, box.height))


def _read_alike(image: Grey, boxes: Sequence[Box]) -> list[Mark]:
    """Read boxes of about one size."""
    windows, scale = _windows(image, boxes)
    outlines, rivals = _outlines(windows)
    contents = _contents(windows, outlines)
    verdicts = _verdicts(windows, outlines, contents, _rival_contents(windows, rivals))
    marks = []
    for window, outline, content, box, (state, confidence) in zip(
        windows, outlines, contents, boxes, verdicts, strict=True
    ):
        place = _on_page(outline, window, scale) if outline else box
        if not outline and not _lies_on(image, box):
            confidence = 0.0
        ink, sure = round(min(content.ink, 1.0), 3), round(max(0.0, confidence), 3)
        marks.append(Mark(state, place, outline is not None, ink, sure))
    return marks


def _lies_on(image: Grey, box: Box) -> bool:
    """Say whether all of a box is on the page, and large enough to tell anything."""
    height, width = image.shape
    inside = box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height
    return inside and min(box.width, box.height) >= 5


def _on_page(outline: _Outline, window: _Window, scale: float) -> Box:
    """Return an outline's box in pixels of the page."""
    left, top = window.left + outline.left, window.top + outline.top
    right, bottom = left + outline.shape.width, top + outline.shape.height
    return Box(*(round(edge / scale) for edge in (left, top, right, bottom)))


def _windows(image: Grey, boxes: Sequence[Box]) -> tuple[list[_Window], float]:
    """Cut out every box's surroundings, and tell by how much they are reduced."""
    side = float(np.median([_side(box) for box in boxes]))
    reach = max(16, round(side * (0.5 + _SEEN)))
    size = round(2 * reach * min(1.0, _SIDE / side))
    scale = size / (2 * reach)
    parts = np.stack([_part(image, box, reach, size) for box in boxes])
    inked = _inked(parts)
    printed = (inked >= _PRINT).astype(np.uint8) * np.uint8(255)
    windows = []
    for box, ink, prints in zip(boxes, inked, printed, strict=True):
        x, y = (round(v) for v in box.centre)
        left, top = x - reach, y - reach
        there = Box(*(round((v - o) * scale) for v, o in zip(box, (left, top) * 2, strict=True)))
        soft = cv2.addWeighted(prints, 0.5, cv2.dilate(prints, _NEXT), 0.5, 0)
        windows.append(_Window(ink, np.asarray(soft, np.uint8), left * scale, top * scale, there))
    return windows, scale


def _part(image: Grey, box: Box, reach: int, size: int) -> Grey:
    """Return the square of ``2 * reach`` pixels about a box; what is off the page is white."""
    x, y = (round(v) for v in box.centre)
    left, top, right, bottom = x - reach, y - reach, x + reach, y + reach
    part = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if part.shape != (2 * reach, 2 * reach):
        whole = np.full((2 * reach, 2 * reach), 255, np.uint8)
        if part.size:
            down, along = max(0, -top), max(0, -left)
            whole[down : down + part.shape[0], along : along + part.shape[1]] = part
        part = whole
    if size != 2 * reach:
        part = np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    return part


def _inked(parts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn windows, ``(n, s, s)`` grey, into ink by each one's paper and the darkness of all."""
    sample = parts[:, ::2, ::2].reshape(len(parts), -1)
    paper, dark = np.percentile(sample, 70, axis=1), np.percentile(sample, 1.5, axis=1)
    darkness = float(np.median(dark))
    inked = []
    for part, white in zip(parts, paper.tolist(), strict=True):
        reach = max(white - darkness, 60.0)
        darker = cv2.convertScaleAbs(cv2.subtract(white, part), alpha=255 / reach)
        inked.append(cv2.threshold(darker, _GRAIN - 1, 0, cv2.THRESH_TOZERO)[1])
    return np.stack(inked)


def _outlines(windows: Sequence[_Window]) -> tuple[list[_Outline | None], list[_Outline | None]]:
    """Find each window's outline and its rival, None where there is none.

    No two windows have the same outline. A rival is one that no window has and that fits about as
    well: which of both was meant is not certain.
    """
    kinds = _kinds(windows)
    candidates = [[c for kind in kinds for c in _fitted(window, kind)] for window in windows]
    shift = _common_shift(windows, candidates)
    ranked = sorted(
        (
            (_value(c, window, shift), i, c)
            for i, (window, found) in enumerate(zip(windows, candidates, strict=True))
            for c in found
            if c.fit >= _FITS
        ),
        key=lambda v: -v[0],
    )
    taken = np.full((len(windows), 2), np.inf)
    outlines: list[_Outline | None] = [None] * len(windows)
    rivals: list[_Outline | None] = [None] * len(windows)
    left = []
    for value, i, outline in ranked:
        if outlines[i] is None and not _is_taken(outline, windows[i], taken):
            taken[i] = _middle(outline, windows[i])
            outlines[i] = outline
        else:
            left.append((value, i, outline))
    for value, i, outline in left:
        chosen = outlines[i]
        if chosen is None or rivals[i] or value < _value(chosen, windows[i], shift) - _RIVALS:
            continue
        if not _is_taken(outline, windows[i], taken):
            rivals[i] = outline
    return outlines, rivals


def _is_taken(outline: _Outline, window: _Window, taken: Numbers) -> bool:
    """Say whether an outline's middle is about one of those taken."""
    off = np.abs(taken - _middle(outline, window)).max(axis=1)
    return bool(off.min() < 0.5 * outline.kind.side)


def _middle(outline: _Outline, window: _Window) -> tuple[float, float]:
    """Return an outline's middle on the reduced page."""
    x, y = outline.middle
    return window.left + x, window.top + y


def _away(outline: _Outline, box: Box) -> tuple[float, float]:
    """Return how far an outline's middle lies from where it is expected, in shares of its side."""
    (x, y), (at_x, at_y) = box.centre, outline.middle
    return (at_x - x) / outline.kind.side, (at_y - y) / outline.kind.side


def _value(outline: _Outline, window: _Window, shift: tuple[float, float]) -> float:
    """Return how well an outline fits, less for each that stands off from the others' shift."""
    dx, dy = _away(outline, window.box)
    return outline.fit - _NEARNESS * ((dx - shift[0]) ** 2 + (dy - shift[1]) ** 2)


def _common_shift(
    windows: Sequence[_Window], candidates: Sequence[Sequence[_Outline]]
) -> tuple[float, float]:
    """Return how far all outlines stand off alike, as a badly placed template makes them."""
    best = [
        _away(max(found, key=lambda c: _value(c, window, (0.0, 0.0))), window.box)
        for window, found in zip(windows, candidates, strict=True)
        if found
    ]
    if len(best) < 4:
        return 0.0, 0.0
    shift = np.median(best, axis=0)
    spread = np.median(np.abs(np.array(best) - shift), axis=0).max()
    return (float(shift[0]), float(shift[1])) if spread < 0.1 else (0.0, 0.0)


def _kinds(windows: Sequence[_Window]) -> list[_Kind]:
    """Find what the outlines look like, by those that stand whole and free, else by trying."""
    seen = [_whole(window) for window in windows]
    counted = [_commonest(seen, windows, is_round) for is_round in (False, True)]
    some = windows[:: -(-len(windows) // _SOME)]
    # What stands whole near most boxes is better than what merely fits where they are expected.
    valued = [
        (_usual_value(kind, some) + 0.1 * many / len(windows), kind)
        for kind, many in counted
        if kind
    ]
    support = max(many for _, many in counted)
    if support < 0.6 * len(windows) or max(value for value, _ in valued) < _FITS_WELL:
        valued += [(_usual_value(kind, some), kind) for kind in _tried(some, False)]
        if max(value for value, _ in valued) < _FITS_WELL:
            valued += [(_usual_value(kind, some), kind) for kind in _tried(some, True)]
    value, first = max(valued, key=lambda v: v[0])
    if value < _FITS - 0.2:
        return []
    left = [[] if any(_alike(o.kind, first) for o in found) else found for found in seen]
    for is_round in (False, True):
        other, many = _commonest(left, windows, is_round)
        if other and many >= max(2, len(windows) // 10):
            return [first, other]
    return [first]


def _usual_value(kind: _Kind, windows: Sequence[_Window]) -> float:
    """Return how well outlines of a kind fit at windows, less where it is not as expected."""
    values = []
    for window in windows:
        fits = [_value(c, window, (0.0, 0.0)) for c in _fitted(window, kind, 1)]
        values.append(max(fits, default=0.0) + 0.15 * _log_likely(kind, window.box))
    return float(np.mean(values))


def _whole(window: _Window) -> list[_Outline]:
    """Return the outlines that stand whole and free near where one is expected."""
    box = window.box
    printed = (window.ink >= _PRINT).astype(np.uint8)
    left, top, right, bottom = _searched(window, box.width, box.height)
    part = printed[top:bottom, left:right]
    stats = cv2.connectedComponentsWithStats(part, connectivity=8)[2][1:]
    wide, high = stats[:, 2] / max(1, box.width), stats[:, 3] / max(1, box.height)
    fits = (wide >= _LEAST) & (wide <= _MOST) & (high >= _LEAST) & (high <= _MOST)
    fits &= (stats[:, 2] >= 7) & (stats[:, 3] >= 7)
    found = []
    for x, y, w, h, area in stats[fits].tolist():
        for is_round in (False, True):
            around = (w + h) * (1.57 if is_round else 2.0)
            kind = _Kind(w, h, min(max(1, round(area / around)), 5), is_round)
            outline = _judged(window, left + x, top + y, kind)
            if outline.fit >= _WHOLE:
                found.append(outline)
    return found


def _searched(window: _Window, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the part of a window (left, top, right, bottom) in which an outline may stand.

    It keeps off the window's edge, as sides move a little and are looked at from outside.
    """
    reach = _REACH * (width + height) / 2 + 3
    edge = 2 * _ROUND + 2
    last = window.ink.shape[0] - edge
    return (
        max(edge, round(window.box.left - reach)),
        max(edge, round(window.box.top - reach)),
        min(last, round(window.box.right + reach)),
        min(last, round(window.box.bottom + reach)),
    )


def _commonest(
    seen: Sequence[Sequence[_Outline]], windows: Sequence[_Window], is_round: bool
) -> tuple[_Kind | None, int]:
    """Return the kind that the outlines near most windows have, and near how many."""
    each = [(i, o) for i, found in enumerate(seen) for o in found if o.kind.round == is_round]
    if not each:
        return None, 0
    each = each[:: -(-len(each) // 400)]
    sizes = np.array([(o.kind.width, o.kind.height) for _, o in each], float)
    weights = np.array([o.fit * _likely(o, windows[i].box) for i, o in each])
    off = np.abs(sizes[:, None] - sizes[None]).max(axis=2)
    near = off <= np.maximum(1.5, _ALIKE * sizes.max(axis=1))
    best = near[int((near * weights).sum(axis=1).argmax())]
    of_kind = [each[k] for k in np.flatnonzero(best)]
    measured = [(o.kind.width, o.kind.height, o.kind.stroke) for _, o in of_kind]
    width, height, stroke = (round(v) for v in np.median(measured, axis=0))
    kind = _Kind(width, height, stroke, is_round)
    return kind, sum(any(_alike(o.kind, kind) for o in found) for found in seen)


def _likely(outline: _Outline, box: Box) -> float:
    """Say how likely (0 to 1) an outline is the one expected, by its size and place."""
    dx, dy = _away(outline, box)
    return float(np.exp(_log_likely(outline.kind, box) - (dx * dx + dy * dy) / 2))


def _log_likely(kind: _Kind, box: Box) -> float:
    """Say how likely (its logarithm) an outline is of the size and form expected."""
    size = np.log(kind.side / max(1.0, (box.width + box.height) / 2))
    form = np.log(kind.width / kind.height * max(1, box.height) / max(1, box.width))
    return float(-((size / 0.35) ** 2) - (form / 0.5) ** 2 - 1.2 * kind.open)


def _alike(one: _Kind, other: _Kind) -> bool:
    off = max(abs(one.width - other.width), abs(one.height - other.height))
    return (one.round, one.open) == (other.round, other.open) and off <= max(1.5, _ALIKE * one.side)


def _tried(windows: Sequence[_Window], is_open: bool) -> list[_Kind]:
    """Return the square and the circle that fit best of sizes around the expected one."""
    width = float(np.median([w.box.width for w in windows]))
    height = float(np.median([w.box.height for w in windows]))
    found = []
    for is_round in (False, True):
        kinds = [
            _Kind(max(7, round(width * k)), max(7, round(height * k)), 2, is_round, is_open)
            for k in _GRID
        ]
        found.append(max(kinds, key=lambda kind: _usual_fit(kind, windows)))
    return found


def _usual_fit(kind: _Kind, windows: Sequence[_Window]) -> float:
    """Return roughly what ``_usual_value`` would, and sooner."""
    best = [float(_fits(window, kind)[0].max(initial=0.0)) for window in windows]
    return float(np.mean(best)) + 0.15 * _log_likely(kind, windows[0].box)


@lru_cache(maxsize=2048)
def _perimeter(width: int, height: int, inset: float, is_round: bool) -> Indices:
    """Return the rows and columns, each ``(4, n)``, of a line along the four sides of an outline.

    It runs ``inset`` pixels inside the outline's outer edge. A circle's sides are its quarters.
    """
    count = max(width, height)
    along = (np.arange(count) + 0.5) / count
    x0, y0, x1, y1 = inset, inset, width - 1 - inset, height - 1 - inset
    if is_round:
        turn = np.pi / 2 * (along[None] + np.arange(4)[:, None] - 0.5)
        xs = (x0 + x1) / 2 + (x1 - x0) / 2 * np.sin(turn)
        ys = (y0 + y1) / 2 - (y1 - y0) / 2 * np.cos(turn)
    else:
        across, down = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
        xs = np.stack([across, np.full(count, x1), across, np.full(count, x0)])
        ys = np.stack([np.full(count, y0), down, np.full(count, y1), down])
    return np.rint(ys).astype(np.intp), np.rint(xs).astype(np.intp)


def _sides(kind: _Kind, inset: int) -> Indices:
    """Return the rows and columns along the sides that an outline has: clockwise from the top."""
    ys, xs = _perimeter(kind.width, kind.height, inset, kind.round)
    return (ys[1::2], xs[1::2]) if kind.open else (ys, xs)


def _inset(kind: _Kind) -> int:
    """Return how far inside its outer edge the middle of an outline's stroke lies."""
    return (kind.stroke - 1) // 2


@lru_cache(maxsize=64)
def _template(kind: _Kind) -> NDArray[np.float32]:
    """Return what an outline looks like, and the line around it that should be paper."""
    template = np.zeros((kind.height + 2 * _ROUND, kind.width + 2 * _ROUND), np.float32)
    for inset, share in ((_inset(kind), 1.0), (-_ROUND, -_ALONE)):
        ys, xs = _sides(kind, inset)
        np.add.at(template, (ys + _ROUND, xs + _ROUND), share / ys.size)
    return template


def _fits(window: _Window, kind: _Kind) -> tuple[NDArray[np.float32], int, int]:
    """Return how well an outline fits at places of a window, and the left and top of the first.

    Places count less the further they are from where the box is expected.
    """
    left, top, right, bottom = _searched(window, kind.width, kind.height)
    template = _template(kind)
    part = window.soft[top:bottom, left:right]
    if part.shape[0] < template.shape[0] or part.shape[1] < template.shape[1]:
        return np.zeros((0, 0), np.float32), left, top
    fits = cv2.matchTemplate(part.astype(np.float32), template, cv2.TM_CCORR)
    left, top = left + _ROUND, top + _ROUND
    x, y = window.box.centre
    rows, columns = (np.arange(n, dtype=np.float32) for n in fits.shape)
    off_y = (rows + (top + kind.height / 2 - y)) / kind.side
    off_x = (columns + (left + kind.width / 2 - x)) / kind.side
    off = (_NEARNESS * off_y**2)[:, None] + (_NEARNESS * off_x**2)[None]
    return np.asarray(fits / 255 - off, np.float32), left, top


def _fitted(window: _Window, kind: _Kind, most: int = 3) -> list[_Outline]:
    """Return the places in a window, at ``most`` so many, that an outline fits best."""
    fits, left, top = _fits(window, kind)
    found: list[_Outline] = []
    apart = round(0.4 * kind.side)
    while fits.size and len(found) < most:
        _, best, _, (x, y) = cv2.minMaxLoc(fits)
        if best < 0.1:
            break
        found.append(_judged(window, left + x, top + y, kind))
        fits[max(0, y - apart) : y + apart + 1, max(0, x - apart) : x + apart + 1] = -1
    return found


def _judged(window: _Window, left: int, top: int, kind: _Kind) -> _Outline:
    """Say how well an outline fits at about a place: how much of its sides is there and alone."""
    if kind.round:
        shape, off, sides = kind, 0, _along(window.soft, kind, _inset(kind), left, top)
    else:  # forms are drawn and scanned unevenly
        (along, up, right, down), off, sides = _settled(window, left, top, kind)
        left, top = left + along, top + up
        shape = replace(kind, width=kind.width - along - right, height=kind.height - up - down)
    around = _along(window.soft, shape, -_ROUND, left, top)
    fit = 0.7 * sides.mean() + 0.3 * sides.min() - _ALONE * around.mean() - 0.015 * off
    return _Outline(left, top, kind, shape, float(fit))


def _settled(
    window: _Window, left: int, top: int, kind: _Kind
) -> tuple[tuple[int, int, int, int], int, Numbers]:
    """Move each side of a square by up to 2 pixels to where its line is.

    Return by how much its outer edges move inward (left, top, right, bottom), by how many pixels
    the lines are off in all, and how much of each line is there.
    """
    inset = _inset(kind)
    lines = _along(window.soft, kind, tuple(inset + k for k in _OFFS), left, top)
    middle = (lines[2:] - 0.03 * np.abs(_OFFS[2:])[:, None]).argmax(axis=0) + 2
    inward = []
    for line, k in zip(lines.T.tolist(), middle.tolist(), strict=True):
        outermost = k
        while outermost > max(0, k - inset - 1) and line[outermost - 1] >= 0.6:
            outermost -= 1
        inward.append(_OFFS[outermost] + inset)
    right, along = inward if kind.open else (inward[1], inward[3])
    up, down = (0, 0) if kind.open else (inward[0], inward[2])
    off = int(np.abs(np.array(_OFFS)[middle]).sum())
    return (along, up, right, down), off, lines[middle, np.arange(len(middle))]


def _along(ink: Grey, kind: _Kind, insets: int | tuple[int, ...], left: int, top: int) -> Numbers:
    """Return the mean ink (0 to 1) along each side of an outline that stands at a place.

    Of several ``insets`` it is a row each.
    """
    size = ink.shape[0]
    where = _line(kind, insets, size) + (top * size + left)
    total = ink.ravel()[where].sum(axis=-1, dtype=np.int64)
    return np.asarray(total / (255.0 * where.shape[-1]))


@lru_cache(maxsize=2048)
def _line(kind: _Kind, insets: int | tuple[int, ...], size: int) -> NDArray[np.intp]:
    """Return the places of ``_sides`` in a window that is laid out flat."""
    if isinstance(insets, tuple):
        return np.stack([_line(kind, inset, size) for inset in insets])
    ys, xs = _sides(kind, insets)
    return ys * size + xs


def _contents(windows: Sequence[_Window], outlines: Sequence[_Outline | None]) -> list[_Content]:
    """Measure what is in every outline, or where it was expected."""
    strokes = _strokes(windows, outlines)
    nowhere = (np.inf, np.inf)
    middles = np.array(
        [_middle(o, w) if o else nowhere for o, w in zip(outlines, windows, strict=True)]
    )
    found = []
    for i, (window, outline) in enumerate(zip(windows, outlines, strict=True)):
        if outline is None:
            found.append(_content_without_outline(window))
            continue
        content = _content(window, outline, strokes[outline.kind])
        if _just_outside(window.ink, outline).max() >= _PRINT:
            away = np.abs(middles - middles[i]).max(axis=1)
            near = [int(k) for k in np.flatnonzero(away < 2.5 * outline.kind.side) if k != i]
            others = {k: _seen_from(window, windows[k], o) for k in near if (o := outlines[k])}
            content = _with_overflow(content, window, outline, others)
        found.append(content)
    return found


def _rival_contents(
    windows: Sequence[_Window], rivals: Sequence[_Outline | None]
) -> list[_Content | None]:
    """Measure what is in the outlines that might have been meant instead."""
    strokes = _strokes(windows, rivals)
    return [
        _content(window, rival, strokes[rival.kind]) if rival else None
        for window, rival in zip(windows, rivals, strict=True)
    ]


def _seen_from(window: _Window, of: _Window, outline: _Outline) -> _Outline:
    """Return another window's outline in pixels of a window."""
    left, top = of.left - window.left, of.top - window.top
    return replace(outline, left=round(outline.left + left), top=round(outline.top + top))


def _strokes(windows: Sequence[_Window], outlines: Sequence[_Outline | None]) -> dict[_Kind, int]:
    """Return how deep the stroke of each kind's outlines goes, as most of the emptiest show."""
    found = {}
    for kind in {o.kind for o in outlines if o}:
        some = [(w, o) for w, o in zip(windows, outlines, strict=True) if o and o.kind == kind]
        some = some[:: max(1, len(some) // 30)]
        depth = 1
        while depth < max(2, round(0.25 * kind.side)):
            inked = [_along(w.ink, o.shape, depth, o.left, o.top).mean() for w, o in some]
            if np.percentile(inked, 25) < 0.25:
                break
            depth += 1
        found[kind] = depth
    return found


@lru_cache(maxsize=64)
def _inside(kind: _Kind, depth: int) -> Grey:
    """Return a mask, 0 or 1, of what lies more than ``depth`` pixels inside an outline."""
    mask = np.zeros((kind.height, kind.width), np.uint8)
    depth = min(depth, round(0.3 * min(kind.width, kind.height)))
    if kind.round:
        ys, xs = np.ogrid[: kind.height, : kind.width]
        y, x = (kind.height - 1) / 2, (kind.width - 1) / 2
        mask[((ys - y) / (y + 0.5 - depth)) ** 2 + ((xs - x) / (x + 0.5 - depth)) ** 2 <= 1] = 1
    else:
        mask[depth : kind.height - depth, depth : kind.width - depth] = 1
    return mask


def _patch(window: _Window, outline: _Outline, shape: _Kind) -> Grey:
    """Return the ink of an outline and all within, as large as a shape."""
    top, left = outline.top, outline.left
    return window.ink[top : top + shape.height, left : left + shape.width]


def _content(window: _Window, outline: _Outline, stroke: int) -> _Content:
    """Measure the ink inside an outline whose stroke is so many pixels deep.

    Ink that only lines the outline is the outline's; what is smaller than a tenth of the box is a
    speck.
    """
    kind = outline.shape
    mask = _inside(kind, stroke + 1)
    core = _inside(kind, stroke + 1 + round(0.1 * kind.side))
    ink = _patch(window, outline, kind) * mask
    weights, stats, labels = _pieces(ink)
    deep = np.bincount(labels.ravel(), core.ravel(), len(weights)) > 0
    area = float(mask.sum())
    extents = stats[:, 2:4].max(axis=1) / math.sqrt(area)
    long = deep & (extents >= 0.3)
    long[0] = False
    drawn = long | (deep & (weights >= max(3.0, (0.1 * kind.side) ** 2)))
    return _Content(
        ink=float(weights[drawn].sum() / area),
        dust=float(weights[~drawn].sum() / area),
        extent=float(extents[drawn].max(initial=0.0)),
        traced=float(stats[long, 4].sum() / area),
    )


def _pieces(ink: Grey) -> tuple[Numbers, NDArray[np.int32], NDArray[np.int32]]:
    """Part ink into what hangs together: its sums (0 for the paper), boxes, and labels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (ink > 0).astype(np.uint8), connectivity=8
    )
    weights = np.bincount(labels.ravel(), ink.ravel(), count) / 255
    return weights, np.asarray(stats, np.int32), np.asarray(labels, np.int32)


def _with_overflow(
    content: _Content, window: _Window, outline: _Outline, others: Mapping[int, _Outline]
) -> _Content:
    """Add the ink outside an outline that touches it: strokes that go on, letters typed across it.

    Rules and the outlines of ``others`` are left out.
    """
    shape = outline.shape
    out = _without_rules((window.ink >= _PRINT).astype(np.uint8), round(1.6 * shape.side))
    for other in others.values():
        _draw(out, other, other.shape.stroke + 2)
    _draw(out, outline, cv2.FILLED, 1)
    labels = np.asarray(cv2.connectedComponents(out, connectivity=8)[1], np.int32)
    touched = _just_outside(labels, outline)
    touching = np.unique(touched[touched > 0])
    if not len(touching):
        return content
    reached = None
    for k, other in others.items():
        beside = [_just_outside(labels, other, away) for away in (2, 3)]
        if np.isin(touching, beside).any():
            reached = k
    return replace(
        content,
        over=float(np.isin(labels, touching).sum() / (shape.width * shape.height)),
        sides=int((touched > 0).any(axis=1).sum()),
        reached=reached,
    )


def _without_rules(printed: Grey, length: int) -> Grey:
    """Take lines of at least so many pixels off an image of 0 and 1, unless they are thick."""
    blocks = cv2.morphologyEx(printed, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    thin = cv2.subtract(printed, cv2.dilate(blocks, _NEXT))
    along, down = (
        cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        for shape in ((1, length), (length, 1))
    )
    return np.asarray(cv2.subtract(printed, cv2.dilate(cv2.max(along, down), _NEXT)), np.uint8)


def _just_outside(image: Integers, outline: _Outline, away: int = 2) -> Integers:
    """Return the pixels, ``(4, n)``, so far outside the four sides of an outline."""
    shape = outline.shape
    ys, xs = _perimeter(shape.width, shape.height, -away, shape.round)
    last = len(image) - 1
    return np.asarray(image[(ys + outline.top).clip(0, last), (xs + outline.left).clip(0, last)])


def _draw(out: Grey, outline: _Outline, stroke: int, grown: int = 0) -> None:
    """Take an outline off an image, or all of it where it is filled."""
    shape = outline.shape
    left, top = outline.left - grown, outline.top - grown
    right, bottom = outline.left + shape.width - 1 + grown, outline.top + shape.height - 1 + grown
    if stroke > 0:  # lines are drawn about their middle
        left, top, right, bottom = left + 1, top + 1, right - 1, bottom - 1
    if shape.round:
        centre = ((left + right) // 2, (top + bottom) // 2)
        cv2.ellipse(out, centre, ((right - left + 1) // 2, (bottom - top + 1) // 2), 0, 0, 360, 0,
                    stroke)  # fmt: skip
    else:
        cv2.rectangle(out, (left, top), (right, bottom), 0, stroke)


def _content_without_outline(window: _Window) -> _Content:
    """Measure the ink where a box was expected, rules to write on left out."""
    box = window.box
    part = window.ink[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    if not part.size:
        return _Content(ink=0.0)
    rule = np.ones((1, max(5, round(0.6 * box.width))), np.uint8)
    rules = cv2.morphologyEx((part >= _PRINT).astype(np.uint8), cv2.MORPH_OPEN, rule)
    rest = np.where(cv2.dilate(rules, _NEXT) > 0, np.uint8(0), part)
    weights, stats, _ = _pieces(rest)
    drawn = weights >= max(3.0, 0.01 * part.size)
    longest = float(stats[drawn][:, 2:4].max(initial=0))
    extent = longest / math.sqrt(part.size)
    return _Content(ink=float(weights[drawn].sum() / part.size), extent=extent)


def _verdicts(
    windows: Sequence[_Window],
    outlines: Sequence[_Outline | None],
    contents: Sequence[_Content],
    rivals: Sequence[_Content | None],
) -> list[tuple[MarkState, float]]:
    """Say what state each box is in, and how sure that is, by all that is in the others."""
    strengths = _strengths(windows, outlines, contents)
    usual = _usual(contents, outlines, strengths)
    verdicts = []
    for content, outline, rival, strength in zip(
        contents, outlines, rivals, strengths, strict=True
    ):
        other = contents[content.reached].ink if content.reached is not None else 0.0
        state = _state(content, outline, strength, other)
        most = min(
            0.98,
            _doubt_by_outline(content, outline, rival, usual),
            _doubt_by_content(content, state, other, usual, bool(outline and outline.kind.round)),
        )
        verdicts.append((state, min(most, _sureness(strength) - min(0.3, 2 * content.dust))))
    return verdicts


def _usual(
    contents: Sequence[_Content], outlines: Sequence[_Outline | None], strengths: Sequence[float]
) -> _Usual:
    """Say what the boxes read together have in common."""
    inked = [content.ink for content in contents]
    alone = len(inked) == 1 and _LEAST_INK < inked[0] < _FILLED
    few = 1 < len(inked) < _FEW and min(inked) > _LETTER and max(strengths) < 1
    return _Usual(
        strokes=any(s > 1.6 and ink < _STROKES for s, ink in zip(strengths, inked, strict=True)),
        letters=alone or few,
        bare=not any(outlines) and max(strengths) >= 1 and min(strengths) < 0.3,
    )


def _state(content: _Content, outline: _Outline | None, strength: float, other: float) -> MarkState:
    """Return a box's state; ``other`` is the ink in a box that a mark reaches from or to."""
    if strength < 1 or content.ink < 0.6 * other:
        return MarkState.EMPTY
    if outline and not outline.kind.round and content.ink >= _BLACK:
        few = content.sides < 3
        if content.over >= (_STRUCK_OVER_FEW if few else _STRUCK_OVER):
            return MarkState.STRUCK
    return MarkState.MARKED


def _doubt_by_outline(
    content: _Content, outline: _Outline | None, rival: _Content | None, usual: _Usual
) -> float:
    """Return how sure a verdict is at most by how sure it is where the box stands."""
    if rival and abs(rival.ink - content.ink) > _LEAST_INK:
        return _DOUBT
    if outline is None:
        return 0.8 if usual.bare else _DOUBT
    if outline.kind.round and usual.letters:
        return _DOUBT
    return 0.9 if outline.fit < _FITS + 0.1 else 1.0


def _doubt_by_content(
    content: _Content, state: MarkState, other: float, usual: _Usual, is_round: bool
) -> float:
    """Return how sure a verdict is at most by what was found in the box."""
    if other > 0 and content.ink >= _LEAST_INK and other >= 0.6 * content.ink:
        return _DOUBT  # a mark through two boxes
    if state is MarkState.EMPTY:
        return 0.9 if other > content.ink else 1.0  # a neighbour's mark left it
    if state is MarkState.STRUCK:
        return 0.8 if content.over < _NO_SCRIBBLE else _DOUBT
    faint = content.ink < _LEAST_STROKE and content.over < _LEAST_OVER
    blacked_out = content.ink >= _BLACK and usual.strokes and not is_round
    return _DOUBT if faint or blacked_out else 1.0


def _sureness(strength: float) -> float:
    """Return how sure a verdict is by how far the strength of a mark is from 1, where it turns."""
    return float(np.interp(strength, (0.5, 1.0, 1.6), (0.98, 0.5, 0.98)))


def _strengths(
    windows: Sequence[_Window],
    outlines: Sequence[_Outline | None],
    contents: Sequence[_Content],
) -> list[float]:
    """Return how strongly each box is marked: 1 is between empty and marked."""
    found = [_stroke_strength(content) for content in contents]
    for kind in {o.kind for o in outlines if o}:
        members = [i for i, o in enumerate(outlines) if o and o.kind == kind]
        odd = _odd_strengths(
            [windows[i] for i in members],
            [o for o in outlines if o and o.kind == kind],
            np.array([contents[i].ink for i in members]),
        )
        usual_over = float(np.percentile([contents[i].over for i in members], 25))
        for k, i in enumerate(members):
            over = max(0.0, contents[i].over - usual_over) / _LEAST_OVER
            if contents[i].ink == 0:  # it may be a word that touches the box
                over = min(over, 1.4)
            found[i] = (found[i] if odd is None else float(odd[k])) + over
    return found


def _stroke_strength(content: _Content) -> float:
    """Return how strongly a box is marked in which nothing is printed: a long stroke needs less."""
    least = float(np.interp(content.extent, (0.3, 0.45), (_LEAST_INK, _LEAST_STROKE)))
    return max(content.ink / least, content.traced / _LEAST_INK)


def _odd_strengths(
    windows: Sequence[_Window], outlines: Sequence[_Outline], inked: Numbers
) -> Numbers | None:
    """Return how strongly boxes are marked in which letters are printed, None where none are.

    Bubbles have letters when even the emptiest hold ink, squares when most hold the same.
    """
    is_round = outlines[0].kind.round
    least = float(np.percentile(inked, 25))
    if least < _LEAST_INK or not (is_round or len(inked) >= _MANY):
        return None
    odd = _odd_ink(windows, outlines, inked)
    if not is_round and np.median(odd) > 0.5 * np.median(inked):
        return None
    usual = float(np.median(odd[inked <= least + _LETTERS_DIFFER]))
    return np.asarray(odd / (0.03 + 3.5 * min(usual, 0.04)))


def _odd_ink(windows: Sequence[_Window], outlines: Sequence[_Outline], inked: Numbers) -> Numbers:
    """Return for outlines of one kind the share of ink where the most alike empty one has none.

    What all have, or those with the same printed letter, does not count.
    """
    kind = outlines[0].kind
    mask = _inside(kind, kind.stroke)
    blurred = [
        cv2.blur(_patch(window, outline, kind), (5, 5)) * mask
        for window, outline in zip(windows, outlines, strict=True)
    ]
    patches = np.stack(blurred).reshape(len(blurred), -1).astype(np.int16)
    most = min(float(np.percentile(inked, 25)) + _LETTERS_DIFFER, _FILLED)
    plain = [int(k) for k in np.argsort(inked) if inked[k] <= most]
    odd = patches.sum(axis=1, dtype=np.int64)
    for k in plain[:: max(1, -(-len(plain) // _PEERS))]:
        rest = np.maximum(patches - patches[k], 0).sum(axis=1, dtype=np.int64)
        rest[k] = odd[k]
        odd = np.minimum(odd, rest)
    return np.asarray(odd / (255.0 * mask.sum()))
