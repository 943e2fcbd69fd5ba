"""Printed outlines of tick boxes and bubbles, found near where a template has them.

Those that stand whole and free tell what size and shape they have on this page, and that is then
fitted to the others, broken, filled or crossed as they may be.

Each box is looked at in a window of the page around it, reduced so that a box is at most 28 pixels
wide; a window is ``(s, s) uint8`` ink: 0 for paper, 255 for as dark as what is printed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
# Shares of a box's side: how far off an outline is looked for, and how far around a window reaches.
_REACH, _SEEN = 1.0, 1.7
# Ink below the first is the paper's grain; an outline has at least the second.
_GRAIN, PRINT = 38, 90
# Sizes that an outline may have, as shares of the expected box, and those tried blindly.
_LEAST, _MOST = 0.45, 1.5
_GRID = (0.55, 0.61, 0.68, 0.75, 0.83, 0.91, 1.0, 1.1, 1.2)
# How well an outline fits (at most 1) that is one, that is good, and that stands whole and free.
FITS, _FITS_WELL, _WHOLE = 0.5, 0.68, 0.78
# Outlines are of one kind when their sizes differ by less, as a share.
_ALIKE = 0.08
# How far around an outline there should be paper, in pixels; how much ink there tells against it,
# and how much standing off by its own size does.
_ROUND, _ALONE, _NEARNESS = 3, 0.3, 0.3
# By how much less another outline may fit and still be the one that was meant.
_RIVALS = 0.1
# How far off its place a side may be, in pixels: first those in which only its outer edge may lie.
_OFFS = (-4, -3, -2, -1, 0, 1, 2)
# So many windows tell what an outline looks like.
_SOME = 6
NEXT = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Kind:
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
class Outline:
    """An outline in a window: its left and top pixel, and how well it fits (at most 1).

    ``kind`` is what the outlines of the page look like, ``shape`` what this one does.
    """

    left: int
    top: int
    kind: Kind
    shape: Kind
    fit: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.shape.width / 2, self.top + self.shape.height / 2


@dataclass(frozen=True, slots=True)
class Window:
    """A box's surroundings: ``left`` and ``top`` are its place on the reduced page.

    ``box`` is the expected one within it; ``soft`` is print spread by half a pixel.
    """

    ink: Grey
    soft: Grey
    left: float
    top: float
    box: Box


def side_of(box: Box) -> float:
    """Return the side in pixels of a square as large as a box."""
    return math.sqrt(max(1, box.width) * max(1, box.height))


def on_page(outline: Outline, window: Window, scale: float) -> Box:
    """Return an outline's box in pixels of the page."""
    left, top = window.left + outline.left, window.top + outline.top
    right, bottom = left + outline.shape.width, top + outline.shape.height
    return Box(*(round(edge / scale) for edge in (left, top, right, bottom)))


def cut_windows(image: Grey, boxes: Sequence[Box]) -> tuple[list[Window], float]:
    """Cut out every box's surroundings, and tell by how much they are reduced."""
    side = float(np.median([side_of(box) for box in boxes]))
    reach = max(16, round(side * (0.5 + _SEEN)))
    size = round(2 * reach * min(1.0, _SIDE / side))
    scale = size / (2 * reach)
    parts = np.stack([_part(image, box, reach, size) for box in boxes])
    inked = _inked(parts)
    printed = (inked >= PRINT).astype(np.uint8) * np.uint8(255)
    windows = []
    for box, ink, prints in zip(boxes, inked, printed, strict=True):
        x, y = (round(v) for v in box.centre)
        left, top = x - reach, y - reach
        there = Box(*(round((v - o) * scale) for v, o in zip(box, (left, top) * 2, strict=True)))
        soft = cv2.addWeighted(prints, 0.5, cv2.dilate(prints, NEXT), 0.5, 0)
        windows.append(Window(ink, np.asarray(soft, np.uint8), left * scale, top * scale, there))
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


def find_outlines(windows: Sequence[Window]) -> tuple[list[Outline | None], list[Outline | None]]:
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
            if c.fit >= FITS
        ),
        key=lambda v: -v[0],
    )
    taken = np.full((len(windows), 2), np.inf)
    outlines: list[Outline | None] = [None] * len(windows)
    rivals: list[Outline | None] = [None] * len(windows)
    left = []
    for value, i, outline in ranked:
        if outlines[i] is None and not _is_taken(outline, windows[i], taken):
            taken[i] = middle_of(outline, windows[i])
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


def _is_taken(outline: Outline, window: Window, taken: Numbers) -> bool:
    """Say whether an outline's middle is about one of those taken."""
    off = np.abs(taken - middle_of(outline, window)).max(axis=1)
    return bool(off.min() < 0.5 * outline.kind.side)


def middle_of(outline: Outline, window: Window) -> tuple[float, float]:
    """Return an outline's middle on the reduced page."""
    x, y = outline.middle
    return window.left + x, window.top + y


def _away(outline: Outline, box: Box) -> tuple[float, float]:
    """Return how far an outline's middle lies from where it is expected, in shares of its side."""
    (x, y), (at_x, at_y) = box.centre, outline.middle
    return (at_x - x) / outline.kind.side, (at_y - y) / outline.kind.side


def _value(outline: Outline, window: Window, shift: tuple[float, float]) -> float:
    """Return how well an outline fits, less for each that stands off from the others' shift."""
    dx, dy = _away(outline, window.box)
    return outline.fit - _NEARNESS * ((dx - shift[0]) ** 2 + (dy - shift[1]) ** 2)


def _common_shift(
    windows: Sequence[Window], candidates: Sequence[Sequence[Outline]]
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


def _kinds(windows: Sequence[Window]) -> list[Kind]:
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
    if value < FITS - 0.2:
        return []
    left = [[] if any(_alike(o.kind, first) for o in found) else found for found in seen]
    for is_round in (False, True):
        other, many = _commonest(left, windows, is_round)
        if other and many >= max(2, len(windows) // 10):
            return [first, other]
    return [first]


def _usual_value(kind: Kind, windows: Sequence[Window]) -> float:
    """Return how well outlines of a kind fit at windows, less where it is not as expected."""
    values = []
    for window in windows:
        fits = [_value(c, window, (0.0, 0.0)) for c in _fitted(window, kind, 1)]
        values.append(max(fits, default=0.0) + 0.15 * _log_likely(kind, window.box))
    return float(np.mean(values))


def _whole(window: Window) -> list[Outline]:
    """Return the outlines that stand whole and free near where one is expected."""
    box = window.box
    printed = (window.ink >= PRINT).astype(np.uint8)
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
            kind = Kind(w, h, min(max(1, round(area / around)), 5), is_round)
            outline = _judged(window, left + x, top + y, kind)
            if outline.fit >= _WHOLE:
                found.append(outline)
    return found


def _searched(window: Window, width: int, height: int) -> tuple[int, int, int, int]:
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
    seen: Sequence[Sequence[Outline]], windows: Sequence[Window], is_round: bool
) -> tuple[Kind | None, int]:
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
    kind = Kind(width, height, stroke, is_round)
    return kind, sum(any(_alike(o.kind, kind) for o in found) for found in seen)


def _likely(outline: Outline, box: Box) -> float:
    """Say how likely (0 to 1) an outline is the one expected, by its size and place."""
    dx, dy = _away(outline, box)
    return float(np.exp(_log_likely(outline.kind, box) - (dx * dx + dy * dy) / 2))


def _log_likely(kind: Kind, box: Box) -> float:
    """Say how likely (its logarithm) an outline is of the size and form expected."""
    size = np.log(kind.side / max(1.0, (box.width + box.height) / 2))
    form = np.log(kind.width / kind.height * max(1, box.height) / max(1, box.width))
    return float(-((size / 0.35) ** 2) - (form / 0.5) ** 2 - 1.2 * kind.open)


def _alike(one: Kind, other: Kind) -> bool:
    off = max(abs(one.width - other.width), abs(one.height - other.height))
    return (one.round, one.open) == (other.round, other.open) and off <= max(1.5, _ALIKE * one.side)


def _tried(windows: Sequence[Window], is_open: bool) -> list[Kind]:
    """Return the square and the circle that fit best of sizes around the expected one."""
    width = float(np.median([w.box.width for w in windows]))
    height = float(np.median([w.box.height for w in windows]))
    found = []
    for is_round in (False, True):
        kinds = [
            Kind(max(7, round(width * k)), max(7, round(height * k)), 2, is_round, is_open)
            for k in _GRID
        ]
        found.append(max(kinds, key=lambda kind: _usual_fit(kind, windows)))
    return found


def _usual_fit(kind: Kind, windows: Sequence[Window]) -> float:
    """Return roughly what ``_usual_value`` would, and sooner."""
    best = [float(_fits(window, kind)[0].max(initial=0.0)) for window in windows]
    return float(np.mean(best)) + 0.15 * _log_likely(kind, windows[0].box)


@lru_cache(maxsize=2048)
def perimeter(width: int, height: int, inset: float, is_round: bool) -> Indices:
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


def _sides(kind: Kind, inset: int) -> Indices:
    """Return the rows and columns along the sides that an outline has: clockwise from the top."""
    ys, xs = perimeter(kind.width, kind.height, inset, kind.round)
    return (ys[1::2], xs[1::2]) if kind.open else (ys, xs)


def _inset(kind: Kind) -> int:
    """Return how far inside its outer edge the middle of an outline's stroke lies."""
    return (kind.stroke - 1) // 2


@lru_cache(maxsize=64)
def _template(kind: Kind) -> NDArray[np.float32]:
    """Return what an outline looks like, and the line around it that should be paper."""
    template = np.zeros((kind.height + 2 * _ROUND, kind.width + 2 * _ROUND), np.float32)
    for inset, share in ((_inset(kind), 1.0), (-_ROUND, -_ALONE)):
        ys, xs = _sides(kind, inset)
        np.add.at(template, (ys + _ROUND, xs + _ROUND), share / ys.size)
    return template


def _fits(window: Window, kind: Kind) -> tuple[NDArray[np.float32], int, int]:
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


def _fitted(window: Window, kind: Kind, most: int = 3) -> list[Outline]:
    """Return the places in a window, at ``most`` so many, that an outline fits best."""
    fits, left, top = _fits(window, kind)
    found: list[Outline] = []
    apart = round(0.4 * kind.side)
    while fits.size and len(found) < most:
        _, best, _, (x, y) = cv2.minMaxLoc(fits)
        if best < 0.1:
            break
        found.append(_judged(window, left + x, top + y, kind))
        fits[max(0, y - apart) : y + apart + 1, max(0, x - apart) : x + apart + 1] = -1
    return found


def _judged(window: Window, left: int, top: int, kind: Kind) -> Outline:
    """Say how well an outline fits at about a place: how much of its sides is there and alone."""
    if kind.round:
        shape, off, sides = kind, 0, ink_along(window.soft, kind, _inset(kind), left, top)
    else:  # forms are drawn and scanned unevenly
        (along, up, right, down), off, sides = _settled(window, left, top, kind)
        left, top = left + along, top + up
        shape = replace(kind, width=kind.width - along - right, height=kind.height - up - down)
    around = ink_along(window.soft, shape, -_ROUND, left, top)
    fit = 0.7 * sides.mean() + 0.3 * sides.min() - _ALONE * around.mean() - 0.015 * off
    return Outline(left, top, kind, shape, float(fit))


def _settled(
    window: Window, left: int, top: int, kind: Kind
) -> tuple[tuple[int, int, int, int], int, Numbers]:
    """Move each side of a square by up to 2 pixels to where its line is.

    Return by how much its outer edges move inward (left, top, right, bottom), by how many pixels
    the lines are off in all, and how much of each line is there.
    """
    inset = _inset(kind)
    lines = ink_along(window.soft, kind, tuple(inset + k for k in _OFFS), left, top)
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


def ink_along(ink: Grey, kind: Kind, insets: int | tuple[int, ...], left: int, top: int) -> Numbers:
    """Return the mean ink (0 to 1) along each side of an outline that stands at a place.

    Of several ``insets`` it is a row each.
    """
    size = ink.shape[0]
    where = _line(kind, insets, size) + (top * size + left)
    total = ink.ravel()[where].sum(axis=-1, dtype=np.int64)
    return np.asarray(total / (255.0 * where.shape[-1]))


@lru_cache(maxsize=2048)
def _line(kind: Kind, insets: int | tuple[int, ...], size: int) -> NDArray[np.intp]:
    """Return the places of ``_sides`` in a window that is laid out flat."""
    if isinstance(insets, tuple):
        return np.stack([_line(kind, inset, size) for inset in insets])
    ys, xs = _sides(kind, insets)
    return ys * size + xs
