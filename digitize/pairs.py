"""Label-value pairs on a page without a template: pure functions on words.

Lines are parted into segments: words that stand together, up to a wide gap, a leader or a colon.
Of each segment the nearest segments to its right and under it are candidates for its answer. A
candidate has points: the sum of what is known of both segments and how they lie, times weights
that were fitted by logistic regression on half of FUNSD (``benchmarks.pairs``) and rounded, so
that points are log odds. The best candidates are taken first; a segment is label or value, once.
What follows an answer beside or under it is taken into it in the same manner.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from records.geometry import Box, union
from records.model import Line, Pair, Word

# Lengths are in letter heights of the page.
_GAP = 1.6  # words that lie further apart are of two segments
_JOINED = 0.9  # pieces of two lines that lie nearer are one segment
_REACH = 6.0  # an answer is not sought further down
_INDENT = 3.0  # an answer under a label may begin so far beyond the label's end
_SLIP = 1.4  # writing may stand so far above or below its label's line
_TALL = 1.3  # what is higher is so by noise around it

_LEADER = re.compile(r"[-–—_=~]{3,}|\.{3,}|[|_]|^[-–—=~]{2,}|[-–—=~]{2,}$")
_INNER_COLON = re.compile(r"(?<=[^\W\d]):(?=[^/\\\s])")
_NUMBERED = re.compile(r"^\(?(?:\d{1,2}[a-z]?|[a-zA-Z])[.)]\s*")
_ASKS = re.compile(r"(?:[?#]|\b(?:no|nos|number|by|date|name)|\(s\))$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Words that stand together on a line, and what they look like; see ``_segment``."""

    words: tuple[Word, ...]
    box: Box
    top: float
    bottom: float
    led: bool
    count: int
    letters: int
    digits: float
    capitals: bool
    title: float
    lower: bool
    colon: bool
    asks: bool
    sure: float
    small: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def number(self) -> bool:
        return self.digits >= 0.5


def _segment(words: Sequence[Word], led: bool, height: float) -> _Segment:
    box = union([word.box for word in words])
    assert box is not None
    middle, half = box.centre[1], min(box.height, _TALL * height) / 2
    text = " ".join(word.text for word in words)
    plain = _NUMBERED.sub("", text)
    plain = plain if _bare(plain) else text
    bare = _bare(plain)
    parts = [part for part in plain.split() if _bare(part)]
    letters = [c for c in bare if c.isalpha()]
    return _Segment(
        words=tuple(words),
        box=box,
        top=middle - half,
        bottom=middle + half,
        led=led,
        count=len(parts),
        letters=len(bare),
        digits=sum(c.isdigit() for c in bare) / max(len(bare), 1),
        capitals=bool(letters) and sum(c.isupper() for c in letters) > 0.8 * len(letters),
        title=sum(part.lstrip("(\"'*")[:1].isupper() for part in parts) / max(len(parts), 1),
        lower=bare[:1].islower(),
        colon=text.rstrip().endswith(":"),
        asks=bool(_ASKS.search(plain.rstrip(" .:"))),
        sure=sum(word.confidence for word in words) / len(words),
        small=median(word.box.height for word in words) / height,
    )


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


# From lines to segments


def _letter_height(lines: Iterable[Line]) -> float:
    """Return the usual height of a word in pixels; 0 for no words."""
    words = [word for line in lines for word in line.words]
    heights = [word.box.height for word in words if len(_bare(word.text)) >= 2]
    heights = heights or [word.box.height for word in words]
    return float(median(heights)) if heights else 0.0


def _pieces(word: Word) -> Iterator[Word | None]:
    """Yield the parts of a word between leaders and after an inner colon; None for a leader."""
    text, count, start = word.text, len(word.text), 0
    if not text.strip() or word.box.width <= 0 or word.box.height <= 0:
        return
    cuts = [found.span() for found in _LEADER.finditer(text)]
    cuts += [(found.end(), found.end()) for found in _INNER_COLON.finditer(text)]
    for begin, end in [*sorted(cuts), (count, count)]:
        if begin > start:
            yield replace(word, text=text[start:begin], box=word.box.letters(start, begin, count))
        if end > begin:
            yield None
        start = max(start, end)


def _runs(line: Line, height: float) -> Iterator[tuple[list[Word], bool]]:
    """Yield the words of each segment of a line, and whether a leader follows."""
    run: list[Word] = []
    for piece in (piece for word in line.words for piece in _pieces(word)):
        if piece is None:
            yield run, True
            run = []
            continue
        if run and piece.text != ":" and _parts(run, piece, height):
            yield run, False
            run = []
        run.append(piece)
    yield run, False


def _parts(run: Sequence[Word], word: Word, height: float) -> bool:
    """Say whether a word begins another segment."""
    gap = (word.box.left - run[-1].box.right) / height
    if gap > _GAP or run[-1].text.endswith(":"):
        return True
    before = " ".join(w.text for w in run)
    if not word.text[0].isdigit() or any(c.isdigit() for c in before):
        return False
    return bool(_ASKS.search(before.rstrip(" .:")))


def _segments(lines: Iterable[Line], height: float) -> list[_Segment]:
    runs = [
        (run, led) for line in lines for run, led in _runs(line, height)
        if any(_bare(word.text) for word in run)
    ]  # fmt: skip
    made = [_segment(_trimmed(run), led, height) for run, led in runs]
    return sorted(_joined(made, height), key=lambda s: (s.top, s.box.left))


def _trimmed(run: list[Word]) -> list[Word]:
    """Leave out specks before and after the words of a segment."""
    while len(run) > 1 and not _bare(run[0].text) and run[0].text not in "$#&%":
        run = run[1:]
    while len(run) > 1 and not _bare(run[-1].text) and run[-1].text not in ":%?#":
        run = run[:-1]
    return run


def _joined(found: list[_Segment], height: float) -> list[_Segment]:
    """Join fragments of a line that were read as several lines."""
    made: list[_Segment] = []
    for segment in sorted(found, key=lambda s: s.box.left):
        for i, before in enumerate(made):
            gap = segment.box.left - before.box.right
            near = -0.4 * height <= gap <= _JOINED * height
            if near and not before.led and not before.colon and _in_row(before, segment):
                if _parts(before.words, segment.words[0], height):
                    continue
                made[i] = _segment((*before.words, *segment.words), segment.led, height)
                break
        else:
            made.append(segment)
    return made


# How segments lie to each other


def _in_row(one: _Segment, other: _Segment) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > 0.45 * min(one.bottom - one.top, other.bottom - other.top)


def _across(one: Box, other: Box) -> int:
    """Return how many pixels of width two boxes share; negative for a gap."""
    return min(one.right, other.right) - max(one.left, other.left)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The segments of a page by number, from top to bottom, and each one's neighbours."""

    segments: list[_Segment]
    height: float
    right: dict[int, int]
    left: dict[int, int]
    slipped: dict[int, int]
    under: dict[int, list[int]]
    over: dict[int, list[int]]


def _sheet(lines: tuple[Line, ...]) -> _Sheet:
    height = _letter_height(lines)
    found = _segments(lines, height) if height > 0 else []
    right: dict[int, int] = {}
    left: dict[int, int] = {}
    slipped: dict[int, int] = {}
    under: dict[int, list[int]] = {}
    over: dict[int, list[int]] = {}
    for i, one in enumerate(found):
        near = _right_of(i, found, height)
        if near is not None:
            right[i] = near
            if near not in left or found[left[near]].box.right < one.box.right:
                left[near] = i
        under[i] = _under(i, found, height)
        for j in under[i]:
            over.setdefault(j, []).append(i)
    for i in range(len(found)):
        if i not in right and (j := _slipped(i, found, height)) is not None:
            slipped[i] = j
    return _Sheet(found, height, right, left, slipped, under, over)


def _right_of(i: int, found: list[_Segment], height: float) -> int | None:
    one, best = found[i], None
    for j, other in enumerate(found):
        if other.box.left < one.box.right - 0.5 * height or j == i:
            continue
        if other.top > one.bottom or other.bottom < one.top or not _in_row(one, other):
            continue
        if best is None or other.box.left < found[best].box.left:
            best = j
    return best


def _slipped(i: int, found: list[_Segment], height: float) -> int | None:
    """Return what stands right of a segment, a little above or below its line."""
    one, best = found[i], None
    for j, other in enumerate(found):
        if j == i or other.box.left < one.box.right - 0.5 * height:
            continue
        off = abs(other.top + other.bottom - one.top - one.bottom) / 2
        if off < _SLIP * height and (best is None or other.box.left < found[best].box.left):
            best = j
    return best


def _under(i: int, found: list[_Segment], height: float) -> list[int]:
    """Return what stands under a segment with nothing between, the nearest first."""
    one = found[i]
    kept: list[int] = []
    for j in range(len(found)):
        other = found[j]
        down = other.top - one.bottom
        if j == i or not -0.4 * height <= down <= _REACH * height or _in_row(one, other):
            continue
        if _across(one.box, other.box) <= 0:
            indent = other.box.left - one.box.right
            if abs(one.box.left - other.box.left) > height and not (0 <= indent <= _INDENT * height and down < height):
                continue
        if not any(
            _across(other.box, found[k].box) > 0 and not _in_row(other, found[k]) for k in kept
        ):
            kept.append(j)
    return kept


def _alignment(one: Box, other: Box, height: float) -> float:
    """Return how far the nearest of left, right and middle lie apart."""
    middles = abs(one.centre[0] - other.centre[0])
    return min(abs(one.left - other.left), abs(one.right - other.right), middles) / height


@dataclass(frozen=True, slots=True)
class _Candidate:
    label: int
    value: int
    kind: str


def _beside(s: _Sheet, i: int, j: int) -> dict[str, float]:
    l, v = s.segments[i], s.segments[j]
    before, after = s.left.get(i), s.right.get(j)
    gap = (v.box.left - l.box.right) / s.height
    return {
        "bias": 1.0,
        **_of_label(l),
        "l_led": l.led,
        "l_leftcolon": before is not None and s.segments[before].colon,
        "l_first": before is None,
        **_of_value(v),
        "v_followed": after is not None and not s.segments[after].colon,
        "capsdiff": l.capitals != v.capitals,
        "gap": min(gap, 12) / 4,
        "gap_wide": max(0.0, gap - 8) / 8,
        "support": min(_alike_rows(s, i, j), 4) / 2,
        "v_under_colon": any(s.segments[k].colon and k not in s.right for k in s.over.get(j, [])),
        "off": min(abs(v.top + v.bottom - l.top - l.bottom) / 2 / s.height, 2),
        "slipped": s.right.get(i) != j,
        "small": max(-1.0, min(v.small - l.small, 1.0)),
        "l_lower": l.lower,
        "prose": l.title < 0.5 and v.title < 0.5 and v.count > 3,
        "l_end": l.text[-1] in ",;.-",
        "l_plain": l.title < 0.5 and l.count > 3,
        "v_plain": v.title < 0.4 and v.count > 3,
    }


def _of_label(l: _Segment) -> dict[str, float]:
    return {
        "l_colon": l.colon,
        "l_asks": l.asks,
        "l_digits": l.digits > 0,
        "l_number": l.number,
        "l_long": max(0, min(l.count, 12) - 4) / 4,
        "l_sentence": l.count > 3 and l.text.endswith("."),
        "l_unsure": 1 - l.sure,
        "l_title": l.title,
        "l_caps": l.capitals,
        "l_short": l.letters < 3,
    }


def _of_value(v: _Segment) -> dict[str, float]:
    return {
        "v_colon": v.colon,
        "v_asks": v.asks,
        "v_digits": v.digits > 0,
        "v_number": v.number,
        "v_long": max(0, min(v.count, 12) - 4) / 4,
        "v_lower": v.lower,
        "v_paren": v.words[0].text.startswith("("),
        "v_unsure": 1 - v.sure,
        "v_title": v.title,
        "v_short": v.letters < 3,
    }


def _alike_rows(s: _Sheet, i: int, j: int) -> int:
    """Count the other neighbours in a row that begin or end where these two do."""
    a, b = s.segments[i].box, s.segments[j].box
    return sum(
        _aligned(s.segments[k].box, a, s.height) and _aligned(s.segments[m].box, b, s.height)
        for k, m in s.right.items()
        if k != i and m != j
    )


def _aligned(one: Box, other: Box, height: float) -> bool:
    return min(abs(one.left - other.left), abs(one.right - other.right)) < 0.8 * height


def _below(s: _Sheet, i: int, j: int) -> dict[str, float]:
    l, v = s.segments[i], s.segments[j]
    gap = (v.top - l.bottom) / s.height
    n = _chain(s, j)
    vl = s.left.get(j)
    return {
        "bias": 1.0,
        **_of_label(l),
        **_of_value(v),
        "l_alone": i not in s.right,
        "l_lower": l.lower,
        "v_followed": j in s.right,
        "v_preceded": vl is not None,
        "v_prec_num": vl is not None and s.segments[vl].number,
        "capsdiff": l.capitals != v.capitals,
        "gap": min(gap, 6),
        "gap_wide": gap > 3,
        "dleft": min(abs(l.box.left - v.box.left) / s.height, 5),
        "indent": _across(l.box, v.box) <= 0,
        "support": min(_heads(s, i, j), 4) / 2,
        "chain": n / 3,
        "chainnum": v.number * n / 3,
        "page_nocolon": sum(x.colon for x in s.segments) < 3,
        "forks": len(s.under[i]) > 1,
        "small": max(-1.0, min(v.small - l.small, 1.0)),
        "crowded": len(s.over.get(i, [])) > 0 and min((l.top - s.segments[k].bottom) for k in s.over[i]) < 0.8 * s.height,
    }


def _heads(s: _Sheet, i: int, j: int) -> int:
    return sum(
        any(_in_row(s.segments[m], s.segments[j]) for m in s.under[k] if m != j)
        for k in range(len(s.segments))
        if k != i and _in_row(s.segments[k], s.segments[i])
    )


def _chain(s: _Sheet, j: int) -> int:
    n, at = 0, s.segments[j]
    cur = j
    for _ in range(6):
        nx = [
            u for u in s.under[cur]
            if _alignment(s.segments[cur].box, s.segments[u].box, s.height) < 0.8
            and s.segments[u].number == at.number
        ]
        if not nx:
            break
        cur = nx[0]
        n += 1
    return n


RIGHT: dict[str, float] = {'bias': -1.0, 'l_colon': 1.75, 'l_asks': 1.0, 'l_digits': -1.0, 'l_number': -3.5, 'l_long': -.5, 'l_sentence': -2.5, 'l_unsure': -2.0, 'l_caps': -1.0, 'l_led': .5, 'l_leftcolon': -.75, 'l_first': 1.0, 'v_colon': -2.5, 'v_asks': -2.5, 'v_digits': .5, 'v_number': 1.25, 'v_long': .75, 'v_lower': .5, 'v_paren': -.75, 'v_unsure': -1.25, 'v_short': 1.0, 'v_followed': -1.0, 'capsdiff': 1.25, 'gap': -.5, 'gap_wide': -.5, 'support': .75, 'v_under_colon': -.5, 'slipped': -1.0, 'v_plain': -1.0, 'l_lower': -.5, 'l_end': -.5}
BELOW: dict[str, float] = {'bias': -2.3, 'l_colon': 1.5, 'l_asks': 1.0, 'l_digits': -.75, 'l_number': -1.25, 'l_long': -.25, 'l_sentence': -.75, 'l_unsure': -.5, 'l_caps': -.25, 'l_short': -.5, 'v_colon': -2.0, 'v_asks': -1.25, 'v_digits': .5, 'v_number': 1.25, 'v_long': .25, 'v_lower': -.25, 'v_paren': -.75, 'v_unsure': -2.5, 'v_title': -.5, 'v_short': .75, 'v_followed': -.5, 'v_preceded': -.75, 'v_prec_num': 1.5, 'capsdiff': 1.0, 'gap': -.1, 'gap_wide': -.5, 'indent': 1.25, 'support': 1.0, 'chain': .25, 'chainnum': .5, 'page_nocolon': .5, 'forks': -.75, 'small': .5, 'crowded': -1.0}

SECOND: dict[str, float] = {'bias': -0.6, 'l_colon': 1.5, 'l_asks': 1, 'l_digits': -1.25, 'l_number': -3, 'l_long': -0.5, 'l_sentence': -2.25, 'l_unsure': -1.5, 'l_caps': -0.75, 'l_led': 0.5, 'l_leftcolon': -0.5, 'l_first': 0.5, 'v_colon': -2.25, 'v_asks': -1.75, 'v_digits': 0.5, 'v_number': 1, 'v_long': 0.5, 'v_paren': -0.75, 'v_unsure': -1.25,  'v_short': 0.5, 'v_followed': -0.75, 'capsdiff': 1.25, 'gap': -0.5, 'gap_wide': -0.25, 'v_under_colon': -0.5, 'slipped': -1,  'l_lower': -0.25, 'l_end': -0.25, 'v_plain': -1.25, 'll': 1.0, 'lv': -2, 'vv': 1.75, 'vl': -2}
PASSES = 1
T2 = -0.4


def col(s, i, members):
    a = s.segments[i].box
    n = sum(
        1 for k in members if k != i and abs(s.segments[k].box.left - a.left) < 0.8 * s.height
        and abs(s.segments[k].box.top - a.top) < 12 * s.height
    )
    return min(n, 3) / 3


THRESH = -0.8
BT = -0.3
RT = -0.2
DT = 0.0
CT = 0.0


def _points(weights: Mapping[str, float], looks: Mapping[str, float]) -> float:
    return sum(weights.get(n, 0.0) * x for n, x in looks.items())


@dataclass(slots=True)
class _Made:
    label: list[int]
    values: list[int]
    kind: str
    points: float


def assign(s: _Sheet) -> list[_Made]:
    made: list[_Made] = []
    taken: dict[int, str] = {}
    beside = [*s.right.items(), *s.slipped.items()]
    looks = [(_beside(s, i, j), i, j) for i, j in beside]
    take(s, made, taken, sorted(((_points(RIGHT, x), i, j) for x, i, j in looks), reverse=True), THRESH, "right")
    for _ in range(PASSES):
        L = {m.label[0] for m in made}
        V = {m.values[0] for m in made}
        made, taken = [], {}
        again = [(_points(SECOND, {**x, "ll": col(s, i, L), "lv": col(s, i, V), "vv": col(s, j, V), "vl": col(s, j, L)}), i, j) for x, i, j in looks]
        take(s, made, taken, sorted(again, reverse=True), T2, "right")
    for m in made:
        extend_right(s, m, taken)
    for m in sorted(made, key=lambda m: -m.points):
        extend_down(s, m, taken)
    for m in made:
        extend_label(s, m, taken)
    if BELOW:
        n = len(made)
        under = [(i, j) for i, js in s.under.items() if i not in taken for j in js if taken.get(j) != "label"]
        take(s, made, taken, sorted(((_points(BELOW, _below(s, i, j)), i, j) for i, j in under), reverse=True), BT, "below")
        for m in made[n:]:
            extend_column(s, m, taken)
        for m in made[n:]:
            extend_label(s, m, taken)
    return made


def take(s, made, taken, scored, least, kind):
    for points, i, j in scored:
        if points < least:
            return
        if i in taken or taken.get(j) == "label" or (j in taken and kind != "below") or any(j in m.values for m in made if m.kind == kind):
            continue
        made.append(_Made([i], [j], kind, points))
        taken[i] = "label"
        taken[j] = "value"


def extend_right(s: _Sheet, m: _Made, taken) -> None:
    v = m.values[-1]
    while v in s.right:
        u = s.right[v]
        if u in taken:
            return
        a, b = s.segments[v], s.segments[u]
        if a.letters == 1 and not a.number:
            return
        nextnum = u in s.right and s.segments[s.right[u]].number
        points = (
            0.1 - 0.55 * min((b.box.left - a.box.right) / s.height, 12) / 4 - 1.5 * b.colon - 0.8 * b.asks - 0.35 * a.number
            + 0.6 * b.number + 1.6 * (b.number and a.number) + 0.8 * (a.number and not b.number and b.letters <= 5) + b.lower
            + 0.85 * nextnum - 0.6 * b.count / 4 + 0.75 * (u not in s.right) + 1.1 * (b.letters <= 3)
        )
        if points < RT:
            return
        m.values.append(u)
        taken[u] = "value"
        v = u


def extend_down(s: _Sheet, m: _Made, taken) -> None:
    todo = list(m.values)
    label = s.segments[m.label[0]].box
    while todo:
        v = todo.pop(0)
        for u in s.under[v]:
            if u in taken:
                continue
            a, b = s.segments[v], s.segments[u]
            gap = (b.top - a.bottom) / s.height
            lf = s.left.get(u)
            points = (
                -1.3 * min(gap, 4) - 0.5 * (gap > 1.5) - 0.25 * min(abs(a.box.left - b.box.left) / s.height, 5)
                + 0.6 * (_alignment(a.box, b.box, s.height) < 0.7) + 1.6 * min(a.count, 8) / 4 - 1.4 * b.colon - 1.2 * b.asks
                - 0.8 * a.number - 1.1 * (lf is not None and lf not in m.values)
                - 2.5 * (lf is not None and lf not in m.values and _across(s.segments[lf].box, label) > 0) + 0.6 * (a.capitals == b.capitals)
            )
            if points < DT:
                continue
            m.values.append(u)
            taken[u] = "value"
            todo.append(u)


LG = 0.8


def extend_label(s, m, taken):
    i = m.label[0]
    l = s.segments[i]
    for j in s.under[i]:
        u = s.segments[j]
        if j not in taken and u.text.startswith("(") and u.top - l.bottom < LG * s.height and _alignment(l.box, u.box, s.height) < 3:
            m.label.append(j)
            taken[j] = "label"
            break
    for _ in range(2):
        i = m.label[0]
        l = s.segments[i]
        able = [
            j for j in s.over.get(i, [])
            if j not in taken and l.top - s.segments[j].bottom < LG * s.height
        ]
        if len(able) != 1:
            return
        j = able[0]
        u = s.segments[j]
        if u.colon or u.led or u.number or u.count > 6 or _alignment(l.box, u.box, s.height) > 1.5:
            return
        if u.capitals != l.capitals or (len([k for k in s.under[j] if s.segments[k].top - u.bottom < 1.2 * s.height]) > 1) or (m.kind == "right" and not (l.lower or l.text.startswith("(") or l.colon)):
            return
        m.label.insert(0, j)
        taken[j] = "label"


def extend_column(s, m, taken):
    extend_right(s, m, taken)
    cur = m.values[0]
    first = s.segments[cur].top - s.segments[m.label[0]].bottom
    for _ in range(30):
        v = s.segments[cur]
        nx = [u for u in s.under[cur] if taken.get(u) != "label" and s.segments[u].number == v.number and not s.segments[u].colon
              and _alignment(v.box, s.segments[u].box, s.height) < 1.0 and s.segments[u].top - v.bottom < max(first, 1.0 * s.height) + s.height]
        if not nx:
            break
        cur = nx[0]
        m.values.append(cur)
        taken.setdefault(cur, "value")
    if len(m.values) == 1:
        extend_down(s, m, taken)


def emit(s: _Sheet, m: _Made) -> Pair | None:
    lw = [w for i in m.label for w in s.segments[i].words]
    vw = [w for i in rows(s, m.values) for w in s.segments[i].words]
    lb, vb = union([w.box for w in lw]), union([w.box for w in vw])
    assert lb and vb
    label = " ".join(w.text for w in lw).rstrip(" :.-_")
    value = " ".join(w.text for w in vw)
    return Pair(label, value, lb, vb, 1 / (1 + math.exp(-m.points)))


def rows(s, members):
    out = []
    for i in sorted(members, key=lambda i: s.segments[i].top):
        if out and _in_row(s.segments[i], s.segments[out[-1][0]]):
            out[-1].append(i)
        else:
            out.append([i])
    return [i for r in out for i in sorted(r, key=lambda i: s.segments[i].box.left)]


def find_pairs(lines: tuple[Line, ...]) -> tuple[Pair, ...]:
    s = _sheet(lines)
    return tuple(p for m in assign(s) if (p := emit(s, m)))
