"""Whether tick boxes and bubbles are marked: printed squares and circles, and the ink in them.

The boxes of one call are read together. First the printed outlines are looked for near where they
are expected (``digitize.fitting``). Then the ink in each outline is held against the emptiest ones,
so that a printed letter, a dark scan or dirt is no mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitize.fitting import (
    FITS,
    NEXT,
    PRINT,
    Grey,
    Integers,
    Kind,
    Numbers,
    Outline,
    Window,
    cut_windows,
    find_outlines,
    ink_along,
    middle_of,
    on_page,
    perimeter,
    side_of,
)
from records.geometry import Box

# Boxes are looked at together where the largest is at most so many times the smallest.
_SPREAD = 1.6
# So many other windows tell what an empty one holds.
_PEERS = 60
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
    for i in sorted(range(len(boxes)), key=lambda i: side_of(boxes[i])):
        if groups and side_of(boxes[i]) <= _SPREAD * side_of(boxes[groups[-1][0]]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [sorted(group) for group in groups]


def _read_alike(image: Grey, boxes: Sequence[Box]) -> list[Mark]:
    """Read boxes of about one size."""
    windows, scale = cut_windows(image, boxes)
    outlines, rivals = find_outlines(windows)
    contents = _contents(windows, outlines)
    verdicts = _verdicts(windows, outlines, contents, _rival_contents(windows, rivals))
    marks = []
    for window, outline, content, box, (state, confidence) in zip(
        windows, outlines, contents, boxes, verdicts, strict=True
    ):
        place = on_page(outline, window, scale) if outline else box
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


def _contents(windows: Sequence[Window], outlines: Sequence[Outline | None]) -> list[_Content]:
    """Measure what is in every outline, or where it was expected."""
    strokes = _strokes(windows, outlines)
    nowhere = (np.inf, np.inf)
    middles = np.array(
        [middle_of(o, w) if o else nowhere for o, w in zip(outlines, windows, strict=True)]
    )
    found = []
    for i, (window, outline) in enumerate(zip(windows, outlines, strict=True)):
        if outline is None:
            found.append(_content_without_outline(window))
            continue
        content = _content(window, outline, strokes[outline.kind])
        if _just_outside(window.ink, outline).max() >= PRINT:
            away = np.abs(middles - middles[i]).max(axis=1)
            near = [int(k) for k in np.flatnonzero(away < 2.5 * outline.kind.side) if k != i]
            others = {k: _seen_from(window, windows[k], o) for k in near if (o := outlines[k])}
            content = _with_overflow(content, window, outline, others)
        found.append(content)
    return found


def _rival_contents(
    windows: Sequence[Window], rivals: Sequence[Outline | None]
) -> list[_Content | None]:
    """Measure what is in the outlines that might have been meant instead."""
    strokes = _strokes(windows, rivals)
    return [
        _content(window, rival, strokes[rival.kind]) if rival else None
        for window, rival in zip(windows, rivals, strict=True)
    ]


def _seen_from(window: Window, of: Window, outline: Outline) -> Outline:
    """Return another window's outline in pixels of a window."""
    left, top = of.left - window.left, of.top - window.top
    return replace(outline, left=round(outline.left + left), top=round(outline.top + top))


def _strokes(windows: Sequence[Window], outlines: Sequence[Outline | None]) -> dict[Kind, int]:
    """Return how deep the stroke of each kind's outlines goes, as most of the emptiest show."""
    found = {}
    for kind in {o.kind for o in outlines if o}:
        some = [(w, o) for w, o in zip(windows, outlines, strict=True) if o and o.kind == kind]
        some = some[:: max(1, len(some) // 30)]
        depth = 1
        while depth < max(2, round(0.25 * kind.side)):
            inked = [ink_along(w.ink, o.shape, depth, o.left, o.top).mean() for w, o in some]
            if np.percentile(inked, 25) < 0.25:
                break
            depth += 1
        found[kind] = depth
    return found


@lru_cache(maxsize=64)
def _inside(kind: Kind, depth: int) -> Grey:
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


def _patch(window: Window, outline: Outline, shape: Kind) -> Grey:
    """Return the ink of an outline and all within, as large as a shape."""
    top, left = outline.top, outline.left
    return window.ink[top : top + shape.height, left : left + shape.width]


def _content(window: Window, outline: Outline, stroke: int) -> _Content:
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
    content: _Content, window: Window, outline: Outline, others: Mapping[int, Outline]
) -> _Content:
    """Add the ink outside an outline that touches it: strokes that go on, letters typed across it.

    Rules and the outlines of ``others`` are left out.
    """
    shape = outline.shape
    out = _without_rules((window.ink >= PRINT).astype(np.uint8), round(1.6 * shape.side))
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
    thin = cv2.subtract(printed, cv2.dilate(blocks, NEXT))
    along, down = (
        cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        for shape in ((1, length), (length, 1))
    )
    return np.asarray(cv2.subtract(printed, cv2.dilate(cv2.max(along, down), NEXT)), np.uint8)


def _just_outside(image: Integers, outline: Outline, away: int = 2) -> Integers:
    """Return the pixels, ``(4, n)``, so far outside the four sides of an outline."""
    shape = outline.shape
    ys, xs = perimeter(shape.width, shape.height, -away, shape.round)
    last = len(image) - 1
    return np.asarray(image[(ys + outline.top).clip(0, last), (xs + outline.left).clip(0, last)])


def _draw(out: Grey, outline: Outline, stroke: int, grown: int = 0) -> None:
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


def _content_without_outline(window: Window) -> _Content:
    """Measure the ink where a box was expected, rules to write on left out."""
    box = window.box
    part = window.ink[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    if not part.size:
        return _Content(ink=0.0)
    rule = np.ones((1, max(5, round(0.6 * box.width))), np.uint8)
    rules = cv2.morphologyEx((part >= PRINT).astype(np.uint8), cv2.MORPH_OPEN, rule)
    rest = np.where(cv2.dilate(rules, NEXT) > 0, np.uint8(0), part)
    weights, stats, _ = _pieces(rest)
    drawn = weights >= max(3.0, 0.01 * part.size)
    longest = float(stats[drawn][:, 2:4].max(initial=0))
    extent = longest / math.sqrt(part.size)
    return _Content(ink=float(weights[drawn].sum() / part.size), extent=extent)


def _verdicts(
    windows: Sequence[Window],
    outlines: Sequence[Outline | None],
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
    contents: Sequence[_Content], outlines: Sequence[Outline | None], strengths: Sequence[float]
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


def _state(content: _Content, outline: Outline | None, strength: float, other: float) -> MarkState:
    """Return a box's state; ``other`` is the ink in a box that a mark reaches from or to."""
    if strength < 1 or content.ink < 0.6 * other:
        return MarkState.EMPTY
    if outline and not outline.kind.round and content.ink >= _BLACK:
        few = content.sides < 3
        if content.over >= (_STRUCK_OVER_FEW if few else _STRUCK_OVER):
            return MarkState.STRUCK
    return MarkState.MARKED


def _doubt_by_outline(
    content: _Content, outline: Outline | None, rival: _Content | None, usual: _Usual
) -> float:
    """Return how sure a verdict is at most by how sure it is where the box stands."""
    if rival and abs(rival.ink - content.ink) > _LEAST_INK:
        return _DOUBT
    if outline is None:
        return 0.8 if usual.bare else _DOUBT
    if outline.kind.round and usual.letters:
        return _DOUBT
    return 0.9 if outline.fit < FITS + 0.1 else 1.0


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
    windows: Sequence[Window],
    outlines: Sequence[Outline | None],
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
    windows: Sequence[Window], outlines: Sequence[Outline], inked: Numbers
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


def _odd_ink(windows: Sequence[Window], outlines: Sequence[Outline], inked: Numbers) -> Numbers:
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
