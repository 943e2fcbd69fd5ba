"""A page parted into segments, and how they lie to each other: pure functions on words.

Lines are parted into segments: words that stand together, up to a wide gap, a leader or a colon.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median

from records.geometry import Box, union
from records.model import Line, Word

# Lengths are in letter heights of the page.
_GAP = 1.6  # words that lie further apart are of two segments
_CLEAR, _CLEARLY = 1.0, 1.9  # or as far as this and so many times as far as the others
_JOINED = 0.9  # fragments of two lines that lie nearer are one segment
_TALL = 1.3  # a box that is higher is so by what touches its letters
_REACH = 6.0  # no answer is sought further down
_INDENT = 3.0  # an answer under a label may begin so far beyond the label's end
_SLIP = 1.4  # an answer may stand so far above or below its label's line
_LEADER = re.compile(r"[-–—_=~]{3,}|\.{3,}|[|_]|^[-–—=~]{2,}|[-–—=~]{2,}$")
_INNER_COLON = re.compile(r"(?<=[^\W\d]):(?=[^/\\\s])")
NUMBERING = re.compile(r"^\(?(?:\d{1,2}[a-z]?|[a-zA-Z])[.)]\s*")
_ASKS = re.compile(r"(?:[?#]|\b(?:no|nos|number|by|date|name)|\(s\))$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Segment:
    """Words that stand together on a line, and what they look like.

    ``top`` and ``bottom`` are those of its letters: touching lines make boxes too high. ``size`` is
    its letters' height as a multiple of the page's, ``led`` says that a leader follows. ``digits``
    is a share of letters and digits, ``title`` that of words with a capital first.
    """

    words: tuple[Word, ...]
    text: str
    box: Box
    top: float
    bottom: float
    size: float
    led: bool
    count: int
    letters: int
    digits: float
    title: float
    in_capitals: bool
    small: bool
    colon: bool
    asks: bool
    confidence: float

    @property
    def number(self) -> bool:
        return self.digits >= 0.5


@dataclass(frozen=True, slots=True)
class Sheet:
    """The segments of a page, from top to bottom, and the neighbours of each by their numbers.

    ``right`` and ``left`` are the nearest in its ``row``, ``under`` what nothing else hides.
    ``off`` is what stands to the right of one that has nothing in its row, a little off its line.
    """

    segments: list[Segment]
    height: float
    row: list[list[int]]
    right: dict[int, int]
    left: dict[int, int]
    off: dict[int, int]
    under: dict[int, list[int]]
    over: dict[int, list[int]]
    colons: int


# From lines to segments


def _letter_height(lines: Iterable[Line]) -> float:
    """Return the usual height of a word in pixels; 0 without words."""
    words = [word for line in lines for word in line.words]
    heights = [w.box.height for w in words if len(_bare(w.text)) > 1 and not _is_upright(w)]
    return float(median(heights or [word.box.height for word in words] or [0]))


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _is_upright(word: Word) -> bool:
    """Say whether a word runs up or down the page."""
    return len(_bare(word.text)) > 2 and word.box.height > 2 * word.box.width


def _segments(lines: Iterable[Line], height: float) -> list[Segment]:
    """Part lines at wide gaps, leaders and colons; returns the segments sorted by their tops."""
    runs = [run for line in lines for run in _runs(line, height)]
    made = [_segment(_trimmed(words), led, height) for words, led in runs if _says_a_thing(words)]
    return sorted(_joined(made, height), key=lambda segment: (segment.top, segment.box.left))


def _says_a_thing(words: Sequence[Word]) -> bool:
    return any(_bare(word.text) for word in words)


def _runs(line: Line, height: float) -> Iterator[tuple[list[Word], bool]]:
    """Yield the words of each segment of a line, and whether a leader follows them."""
    run: list[Word] = []
    for piece in (piece for word in line.words for piece in _pieces(word)):
        if piece is None:
            yield run, True
            run = []
            continue
        if run and piece.text != ":" and _begins_another(piece, run, height):
            yield run, False
            run = []
        run.append(piece)
    yield run, False


def _pieces(word: Word) -> Iterator[Word | None]:
    """Yield what stands between a word's leaders and after its inner colon; None for a leader."""
    text, count, start = word.text, len(word.text), 0
    if not text.strip() or word.box.width <= 0 or word.box.height <= 0 or _is_upright(word):
        return
    cuts = [found.span() for found in _LEADER.finditer(text)]
    cuts += [(found.end(), found.end()) for found in _INNER_COLON.finditer(text)]
    for begin, end in [*sorted(cuts), (count, count)]:
        if begin > start:
            yield replace(word, text=text[start:begin], box=word.box.letters(start, begin, count))
        if end > begin:
            yield None
        start = max(start, end)


def _begins_another(word: Word, run: Sequence[Word], height: float) -> bool:
    """Say whether a word is of another segment than those before it on its line."""
    gap = (word.box.left - run[-1].box.right) / height
    usual = max((b.box.left - a.box.right for a, b in pairwise(run)), default=math.inf) / height
    if run[-1].text.endswith((":", "?")) or gap > _GAP or gap > max(_CLEAR, _CLEARLY * usual):
        return True
    before = " ".join(w.text for w in run)
    if not word.text[0].isdigit() or any(c.isdigit() for c in before):
        return False
    return _ASKS.search(before.rstrip(" .:")) is not None


def _trimmed(words: list[Word]) -> list[Word]:
    """Leave out specks before and after."""
    kept = words
    while not _bare(kept[0].text) and kept[0].text not in "$#&%":
        kept = kept[1:]
    while not _bare(kept[-1].text) and kept[-1].text not in ":%?#":
        kept = kept[:-1]
    return kept


def _segment(words: Sequence[Word], led: bool, height: float) -> Segment:
    box = union([word.box for word in words])
    assert box is not None
    middle, half = box.centre[1], min(box.height, _TALL * height) / 2
    text = " ".join(word.text for word in words)
    plain = NUMBERING.sub("", text)
    plain = plain if _bare(plain) else text
    bare = _bare(plain)
    letters = [c for c in bare if c.isalpha()]
    parts = [part for part in plain.split() if _bare(part)]
    return Segment(
        words=tuple(words),
        text=text,
        box=box,
        top=middle - half,
        bottom=middle + half,
        size=median(word.box.height for word in words) / height,
        led=led,
        count=len(parts),
        letters=len(bare),
        digits=sum(c.isdigit() for c in bare) / len(bare),
        title=sum(_bare(part)[0].isupper() for part in parts) / len(parts),
        in_capitals=sum(c.isupper() for c in letters) > 0.8 * len(letters),
        small=bare[0].islower(),
        colon=text.endswith(":"),
        asks=_ASKS.search(plain.rstrip(" .:")) is not None,
        confidence=fmean(word.confidence for word in words),
    )


def _joined(segments: list[Segment], height: float) -> list[Segment]:
    """Join what was read as several lines and is one."""
    made: list[Segment] = []
    for segment in sorted(segments, key=lambda s: s.box.left):
        at = next((i for i, one in enumerate(made) if _goes_with(one, segment, height)), None)
        if at is None:
            made.append(segment)
        else:
            made[at] = _segment((*made[at].words, *segment.words), segment.led, height)
    return made


def _goes_with(one: Segment, after: Segment, height: float) -> bool:
    gap = (after.box.left - one.box.right) / height
    if one.led or not -0.4 <= gap <= _JOINED or not _in_row(one, after):
        return False
    return not _begins_another(after.words[0], one.words, height)


# How segments lie to each other


def lay_out(lines: tuple[Line, ...]) -> Sheet:
    """Part a page's lines into segments, and say which are neighbours."""
    height = _letter_height(lines)
    segments = _segments(lines, height) if height > 0 else []
    everywhere = range(len(segments))
    row = _rows(segments)
    right: dict[int, int] = {}
    left: dict[int, int] = {}
    off: dict[int, int] = {}
    under = {i: _all_under(i, segments, height) for i in everywhere}
    over: dict[int, list[int]] = {}
    for i, one in enumerate(segments):
        near = _first_after(one, row[i], segments, height)
        if near is not None:
            right[i] = near
            if near not in left or segments[left[near]].box.right < one.box.right:
                left[near] = i
        else:
            close = [j for j in everywhere if _drop(one, segments[j]) < _SLIP * height]
            near = _first_after(one, close, segments, height)
            if near is not None:
                off[i] = near
        for j in under[i]:
            over.setdefault(j, []).append(i)
    colons = sum(segment.colon for segment in segments)
    return Sheet(segments, height, row, right, left, off, under, over, colons)


def _rows(segments: list[Segment]) -> list[list[int]]:
    """Return of each segment, they being sorted by their tops, the others in its row."""
    rows: list[list[int]] = [[] for _ in segments]
    for i, one in enumerate(segments):
        for j in range(i + 1, len(segments)):
            if segments[j].top > one.bottom:
                break
            if _in_row(one, segments[j]):
                rows[i].append(j)
                rows[j].append(i)
    return rows


def _first_after(
    one: Segment, others: Iterable[int], segments: list[Segment], height: float
) -> int | None:
    """Return the leftmost of others that stand to the right of a segment."""
    least = one.box.right - 0.5 * height
    after = [j for j in others if segments[j].box.left >= least and segments[j] is not one]
    return min(after, key=lambda j: segments[j].box.left, default=None)


def _in_row(one: Segment, other: Segment) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > 0.45 * min(one.bottom - one.top, other.bottom - other.top)


def _drop(one: Segment, other: Segment) -> float:
    """Return how far the middle of one line lies from the other's, in pixels."""
    return abs(one.top + one.bottom - other.top - other.bottom) / 2


def across(one: Segment, other: Segment) -> int:
    """Return how many pixels of width two segments share; negative for a gap."""
    return min(one.box.right, other.box.right) - max(one.box.left, other.box.left)


def _all_under(i: int, segments: list[Segment], height: float) -> list[int]:
    """Return what stands under a segment with nothing between; all are sorted by their tops."""
    one = segments[i]
    kept: list[int] = []
    start = bisect_left(segments, one.bottom - 0.4 * height, key=lambda s: s.top)
    end = bisect_left(segments, one.bottom + _REACH * height, key=lambda s: s.top)
    for j in range(max(start, i + 1), end):
        other = segments[j]
        if _is_under(one, other, height):
            hiding = (segments[k] for k in kept)
            if not any(across(other, k) > 0 and not _in_row(other, k) for k in hiding):
                kept.append(j)
    return kept


def _is_under(one: Segment, other: Segment, height: float) -> bool:
    if across(one, other) > 0 or abs(one.box.left - other.box.left) <= height:
        return not _in_row(one, other)
    indent = other.box.left - one.box.right
    if not 0 <= indent <= _INDENT * height or other.top - one.bottom >= height:
        return False
    return not _in_row(one, other)


def alignment(one: Segment, other: Segment) -> float:
    """Return how far the nearest of left ends, right ends and middles lie apart, in pixels."""
    middles = abs(one.box.centre[0] - other.box.centre[0])
    return min(ends_apart(one, other), middles)


def ends_apart(one: Segment, other: Segment) -> float:
    """Return how far the nearer of left ends and right ends lie apart, in pixels."""
    return min(abs(one.box.left - other.box.left), abs(one.box.right - other.box.right))
