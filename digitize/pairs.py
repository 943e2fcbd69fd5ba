"""Label-value pairs on a page without a template: pure functions on words.

What stands right of a segment of the page (``digitize.segments``), or under it, may be its answer.
Each such link has points: what is known of both segments and of how they lie, times weights; points
are log odds. The likeliest links are taken first, and a segment is a label or an answer, once. What
is then known of the page's columns counts for a second look: under labels stand labels, under
answers answers.

The weights were fitted by logistic regression to one half of FUNSD (``benchmarks.pairs``) and
rounded to a quarter; those of titles and of labels in boxes, of which it has few, are set by hand.
They look at the shape of a text, not at what forms ask for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from statistics import fmean

from digitize.segments import NUMBERING, Segment, Sheet, across, alignment, ends_apart, lay_out
from records.geometry import union
from records.model import Line, Pair

__all__ = ["Pair", "find_pairs"]

# Lengths are in letter heights of the page.
_COLUMN = 0.8  # edges that lie nearer are of one column
_NEAR_COLUMN = 12.0  # and are compared so far up and down
_LABEL_LINES = 0.8  # the lines of one label lie nearer

# Log odds from which a link is taken, and a segment goes on with the one before.
_LIKELY, _LIKELY_AT_LAST = -0.8, -0.25
_GOES_ON, _GOES_DOWN = -0.2, 0.0
_SALUTATION = re.compile(r"(?:dear|gentlemen|ladies)\b", re.IGNORECASE)
_BESIDE = {
    "always": -0.5,
    "label: colon": 1.5,
    "label: asks": 1.0,
    "label: digits": -1.25,
    "label: number": -3.0,
    "label: long": -0.5,
    "label: sentence": -2.25,
    "label: unsure": -1.5,
    "label: capitals": -0.75,
    "label: small letter": -0.5,
    "label: first in row": 0.5,
    "label: after a colon": -0.5,
    "label: title": -1.0,
    "answer: colon": -2.25,
    "answer: asks": -1.75,
    "answer: digits": 0.5,
    "answer: number": 1.0,
    "answer: long": 0.5,
    "answer: prose": -1.25,
    "answer: unsure": -1.25,
    "answer: short": 0.5,
    "answer: followed": -0.75,
    "one in capitals": 1.25,
    "gap": -0.5,
    "wide gap": -0.25,
    "off the line": -1.0,
}
# Until the columns are known, rows that begin and end alike stand in for them.
_ROWS_ALIKE = 0.75
_COLUMNS = {
    "label under labels": 1.0,
    "label under answers": -2.0,
    "answer under answers": 1.75,
    "answer under labels": -2.0,
}
_UNDER = {
    "always": -2.25,
    "label: colon": 1.5,
    "label: asks": 1.0,
    "label: digits": -0.75,
    "label: number": -1.25,
    "label: sentence": -0.75,
    "label: unsure": -0.5,
    "label: capitals": -0.25,
    "label: short": -0.5,
    "label: title": -1.0,
    "label: under a line": -1.0,
    "label: forks": -0.75,
    "answer: colon": -2.0,
    "answer: asks": -1.25,
    "answer: digits": 0.5,
    "answer: number": 1.25,
    "answer: long": 0.25,
    "answer: unsure": -2.5,
    "answer: followed": -0.5,
    "answer: after another": -0.75,
    "answer: after a number": 1.5,
    "answer: column of numbers": 0.75,
    "one in capitals": 1.0,
    "larger": 0.5,
    "wide gap": -0.5,
    "indented": 1.25,
    "headings": 1.0,
    "few colons": 0.5,
}
# What labels that stand over their answers in the same way add.
_CAPTIONS = 1.5
_ALONG = {
    "always": 0.0,
    "gap": -0.5,
    "colon": -1.5,
    "asks": -0.75,
    "after a number": -0.25,
    "number": 0.5,
    "number after number": 1.5,
    "unit": 0.75,
    "small letter": 1.0,
    "before a number": 0.75,
    "words": -0.5,
    "last": 0.75,
    "short": 1.0,
}
_DOWN = {
    "gap": -1.25,
    "wide gap": -0.5,
    "left": -0.25,
    "aligned": 0.5,
    "words": 1.5,
    "colon": -1.5,
    "asks": -1.25,
    "after a number": -0.75,
    "has a left neighbour": -1.0,
    "beside the label's column": -2.5,
    "same capitals": 0.5,
}


def find_pairs(lines: tuple[Line, ...]) -> tuple[Pair, ...]:
    """Find the labels of a page that have an answer, from top to bottom; boxes as the words' are.

    A label over a column or before a row of answers has all of them as its value; a table's cell is
    in the value of its row and of its column.
    """
    sheet = lay_out(lines)
    pairs = [_pair(sheet, link) for link in _links(sheet)]
    return tuple(sorted(pairs, key=lambda pair: (pair.label_box.top, pair.label_box.left)))


@dataclass(frozen=True, slots=True)
class _Link:
    """A label's segments and its answer's; ``points`` are the log odds that they are a pair."""

    label: tuple[int, ...]
    answer: tuple[int, ...]
    points: float


@dataclass(slots=True)
class _Claims:
    """The segments that are spoken for."""

    labels: set[int] = field(default_factory=set)
    answers: set[int] = field(default_factory=set)

    def __contains__(self, segment: int) -> bool:
        return segment in self.labels or segment in self.answers


# What a link looks like


def _points(weights: Mapping[str, float], looks: Mapping[str, float]) -> float:
    return sum(weight * looks[name] for name, weight in weights.items())


def _looks(sheet: Sheet, i: int, j: int) -> dict[str, float]:
    """Return what is known of a label and an answer wherever they lie."""
    label, answer = sheet.segments[i], sheet.segments[j]
    return {
        "always": 1.0,
        "label: colon": label.colon,
        "label: asks": label.asks,
        "label: digits": label.digits > 0,
        "label: number": label.number,
        "label: long": max(0, min(label.count, 12) - 4) / 4,
        "label: sentence": label.count > 3 and label.text.endswith("."),
        "label: unsure": 1 - label.confidence,
        "label: capitals": label.in_capitals,
        "label: short": label.letters < 3,
        "answer: colon": answer.colon,
        "answer: asks": answer.asks,
        "answer: digits": answer.digits > 0,
        "answer: number": answer.number,
        "answer: long": max(0, min(answer.count, 12) - 4) / 4,
        "answer: prose": answer.count > 3 and answer.title < 0.4,
        "answer: unsure": 1 - answer.confidence,
        "answer: short": answer.letters < 3,
        "label: title": max(0.0, min(label.size - 2.5, 1.0)),
        "one in capitals": label.in_capitals != answer.in_capitals,
    }


def _looks_beside(sheet: Sheet, i: int, j: int) -> dict[str, float]:
    segments, height = sheet.segments, sheet.height
    label, answer = segments[i], segments[j]
    before, after = sheet.left.get(i), sheet.right.get(j)
    gap = (answer.box.left - label.box.right) / height
    return _looks(sheet, i, j) | {
        "label: small letter": label.small,
        "label: first in row": before is None,
        "label: after a colon": before is not None and segments[before].colon,
        "answer: followed": after is not None and not segments[after].colon,
        "gap": min(gap, 12) / 4,
        "wide gap": max(0.0, gap - 8) / 8,
        "off the line": sheet.right.get(i) != j,
    }


def _rows_alike(sheet: Sheet, i: int, j: int) -> float:
    """Return how many other rows begin and end as these two do, 2 for four or more."""
    label, answer, near = sheet.segments[i], sheet.segments[j], _COLUMN * sheet.height
    alike = (
        ends_apart(sheet.segments[k], label) < near and ends_apart(sheet.segments[m], answer) < near
        for k, m in sheet.right.items()
        if k != i and m != j
    )
    return _count(alike, 4) / 2


def _count(found: Iterable[bool], most: int) -> int:
    """Count what was found, no further than ``most``."""
    return sum(islice(filter(None, found), most))


def _looks_in_columns(sheet: Sheet, i: int, j: int, links: Sequence[_Link]) -> dict[str, float]:
    labels = [link.label[0] for link in links]
    answers = [link.answer[0] for link in links]
    return {
        "label under labels": _in_column(sheet, i, labels),
        "label under answers": _in_column(sheet, i, answers),
        "answer under answers": _in_column(sheet, j, answers),
        "answer under labels": _in_column(sheet, j, labels),
    }


def _in_column(sheet: Sheet, i: int, others: Iterable[int]) -> float:
    """Return how many of the others begin where a segment does, 1 for three or more."""
    box, near, far = sheet.segments[i].box, _COLUMN * sheet.height, _NEAR_COLUMN * sheet.height
    boxes = ((k, sheet.segments[k].box) for k in others)
    begin = (
        abs(other.left - box.left) < near and abs(other.top - box.top) < far and k != i
        for k, other in boxes
    )
    return _count(begin, 3) / 3


def _looks_under(sheet: Sheet, i: int, j: int) -> dict[str, float]:
    segments, height = sheet.segments, sheet.height
    label, answer = segments[i], segments[j]
    before = sheet.left.get(j)
    lines_over = [(label.top - segments[k].bottom) / height for k in sheet.over.get(i, ())]
    return _looks(sheet, i, j) | {
        "label: under a line": min(lines_over, default=math.inf) < 0.8,
        "label: forks": len(sheet.under[i]) > 1,
        "answer: followed": j in sheet.right,
        "answer: after another": before is not None,
        "answer: after a number": before is not None and segments[before].number,
        "answer: column of numbers": answer.number * (len(_column(sheet, j, math.inf, 7)) - 1) / 3,
        "larger": max(-1.0, min(answer.size - label.size, 1.0)),
        "wide gap": answer.top - label.bottom > 3 * height,
        "indented": across(label, answer) <= 0,
        "headings": _headings(sheet, i, j),
        "few colons": sheet.colons < 3,
    }


def _column(sheet: Sheet, i: int, apart: float, most: int) -> list[int]:
    """Return a segment and those of its kind that stand in line under it, ``apart`` at most."""
    column = [i]
    while len(column) < most:
        last = sheet.segments[column[-1]]
        below = (
            j for j in sheet.under[column[-1]]
            if _is_next_in_column(last, sheet.segments[j], sheet.height)
            and sheet.segments[j].top - last.bottom < apart
        )  # fmt: skip
        found = next(below, None)
        if found is None:
            break
        column.append(found)
    return column


def _is_next_in_column(one: Segment, other: Segment, height: float) -> bool:
    if other.number != one.number or other.colon or alignment(one, other) >= _COLUMN * height:
        return False
    if one.number:
        return True
    return other.in_capitals == one.in_capitals and not NUMBERING.match(other.text)


def _headings(sheet: Sheet, i: int, j: int) -> float:
    """Return how many others in a label's row have something in the answer's row; 2 at most."""
    mates = set(sheet.row[j])
    return _count((not mates.isdisjoint(sheet.under[k]) for k in sheet.row[i]), 4) / 2


# Which links hold


def _links(sheet: Sheet) -> list[_Link]:
    """Link labels with what stands beside them, then, of what is left, with what is under them.

    A label over an answer goes before one beside it that is less likely; a table's cell has both.
    """
    claims = _Claims()
    below = _under(sheet)
    over: dict[int, list[_Link]] = {}
    for link in below:
        over.setdefault(link.answer[0], []).append(link)
    able = [link for link in _beside(sheet) if not _has_rival(sheet, link, over)]
    beside = _taken(able, _LIKELY_AT_LAST, claims)
    beside = [_along(sheet, link, claims) for link in beside]
    beside = [_down(sheet, link, claims) for link in beside]
    beside = [_with_whole_label(sheet, link, claims) for link in beside]
    free = [b for b in below if b.answer[0] not in claims.answers or _is_heading(sheet, b)]
    under = _taken(free, _LIKELY_AT_LAST, claims)
    others = {link.answer[0] for link in under}
    under = [_along_and_down(sheet, link, claims, others) for link in under]
    return beside + [_with_whole_label(sheet, link, claims) for link in under]


def _has_rival(sheet: Sheet, link: _Link, over: Mapping[int, Sequence[_Link]]) -> bool:
    """Say whether a label over an answer is likelier than the one beside it.

    Where that is a heading, only if something stands over the label likewise: then both are
    answers, each in a box of its own. ``over`` are the links down to each segment.
    """
    (i,), (j,) = link.label, link.answer
    rivals = [other for other in over.get(j, ()) if other.points > link.points]
    if all(_is_heading(sheet, rival) for rival in rivals):
        return bool(rivals) and any(other.points >= _LIKELY for other in over.get(i, ()))
    return True


def _is_heading(sheet: Sheet, link: _Link) -> bool:
    """Say whether what a label stands over looks like a table's cells."""
    (i,), (j,) = link.label, link.answer
    return _headings(sheet, i, j) > 0 or len(_column(sheet, j, math.inf, 2)) > 1


def _taken(links: Iterable[_Link], least: float, claims: _Claims) -> list[_Link]:
    """Take the likeliest links whose segments are free.

    Under a heading may stand what is the answer to another label already, to that of its row.
    """
    kept: list[_Link] = []
    answered: set[int] = set()
    for link in sorted(links, key=lambda one: (-one.points, one.label)):
        (i,), (j,) = link.label, link.answer
        if link.points < least:
            break
        if i not in claims and j not in claims.labels and j not in answered:
            kept.append(link)
            claims.labels.add(i)
            claims.answers.add(j)
            answered.add(j)
    return kept


def _can_be_label(segment: Segment) -> bool:
    return any(c.isalpha() for c in segment.text) and not _SALUTATION.match(segment.text)


def _beside(sheet: Sheet) -> list[_Link]:
    """Return the links to the right, with the points that they have once columns are known."""
    looks = {
        (i, j): _looks_beside(sheet, i, j)
        for i, j in (*sheet.right.items(), *sheet.off.items())
        if _can_be_label(sheet.segments[i])
    }
    alone = {ends: _points(_BESIDE, look) for ends, look in looks.items()}
    first = [
        _Link((i,), (j,), points + _ROWS_ALIKE * _rows_alike(sheet, i, j))
        for (i, j), points in alone.items()
    ]
    likely = _taken(first, _LIKELY, _Claims())
    return [
        _Link((i,), (j,), points + _points(_COLUMNS, _looks_in_columns(sheet, i, j, likely)))
        for (i, j), points in alone.items()
    ]


def _under(sheet: Sheet) -> list[_Link]:
    """Return the links downwards, with the points that they have beside others of their kind."""
    alone = [
        _Link((i,), (j,), _points(_UNDER, _looks_under(sheet, i, j)))
        for i, below in sheet.under.items()
        if _can_be_label(sheet.segments[i])
        for j in below
    ]
    likely = [(link, _placed(sheet, link)) for link in alone if link.points >= _LIKELY]
    return [
        replace(link, points=link.points + _CAPTIONS * _captions(sheet, link, likely))
        for link in alone
    ]


_Place = tuple[float, float, float, bool]


def _captions(sheet: Sheet, link: _Link, others: Iterable[tuple[_Link, _Place]]) -> float:
    """Return how many other labels stand over their answers as this one does; 1 for four or more.

    On a form of boxes each has its label in its upper left corner.
    """
    place = _placed(sheet, link)
    alike = (
        other.label != link.label and other.answer != link.answer and _alike(there, place)
        for other, there in others
    )
    return _count(alike, 4) / 4


def _placed(sheet: Sheet, link: _Link) -> _Place:
    """Return how far an answer lies under its label and to its right, and the label's letters."""
    label, answer = sheet.segments[link.label[0]], sheet.segments[link.answer[0]]
    down, indent = answer.top - label.bottom, answer.box.left - label.box.left
    return down / sheet.height, indent / sheet.height, label.size, label.in_capitals


def _alike(one: _Place, other: _Place) -> bool:
    (down, indent, size, capitals), (down_2, indent_2, size_2, capitals_2) = one, other
    near = abs(down - down_2) < 0.7 and abs(indent - indent_2) < 1 and abs(size - size_2) < 0.4
    return near and capitals == capitals_2


# How far answers and labels go


def _along(sheet: Sheet, link: _Link, claims: _Claims) -> _Link:
    """Take in what follows an answer on its line: a unit, the other cells of a row."""
    answer = [*link.answer]
    while (after := sheet.right.get(answer[-1])) is not None and after not in claims:
        if _points_along(sheet, answer[-1], after) < _GOES_ON:
            break
        answer.append(after)
        claims.answers.add(after)
    return replace(link, answer=tuple(answer))


def _points_along(sheet: Sheet, i: int, j: int) -> float:
    one, other, after = sheet.segments[i], sheet.segments[j], sheet.right.get(j)
    if one.letters == 1 and not one.number:  # a tick
        return -math.inf
    looks = {
        "always": 1.0,
        "gap": min((other.box.left - one.box.right) / sheet.height, 12) / 4,
        "colon": other.colon,
        "asks": other.asks,
        "after a number": one.number,
        "number": other.number,
        "number after number": one.number and other.number,
        "unit": one.number and not other.number and other.letters <= 5,
        "small letter": other.small,
        "before a number": after is not None and sheet.segments[after].number,
        "words": other.count / 4,
        "last": after is None,
        "short": other.letters <= 3,
    }
    return _points(_ALONG, looks)


def _down(sheet: Sheet, link: _Link, claims: _Claims) -> _Link:
    """Take in the lines that an answer has below its first."""
    answer = [*link.answer]
    for i in answer:  # grows while it is walked through
        for j in sheet.under[i]:
            if j not in claims and _points_down(sheet, link.label[0], answer, i, j) >= _GOES_DOWN:
                answer.append(j)
                claims.answers.add(j)
    return replace(link, answer=tuple(answer))


def _points_down(sheet: Sheet, label: int, answer: Container[int], i: int, j: int) -> float:
    one, other, before = sheet.segments[i], sheet.segments[j], sheet.left.get(j)
    gap = (other.top - one.bottom) / sheet.height
    neighbour = sheet.segments[before] if before is not None and before not in answer else None
    looks = {
        "gap": min(gap, 4),
        "wide gap": gap > 1.5,
        "left": min(abs(one.box.left - other.box.left) / sheet.height, 5),
        "aligned": alignment(one, other) < 0.7 * sheet.height,
        "words": min(one.count, 8) / 4,
        "colon": other.colon,
        "asks": other.asks,
        "after a number": one.number,
        "has a left neighbour": neighbour is not None,
        "beside the label's column": neighbour is not None
        and across(neighbour, sheet.segments[label]) > 0,
        "same capitals": one.in_capitals == other.in_capitals,
    }
    return _points(_DOWN, looks)


def _along_and_down(
    sheet: Sheet, link: _Link, claims: _Claims, others: Container[int]
) -> _Link:  # fmt: skip
    """Take in the other cells of a heading's column, or the other lines of an answer.

    ``others`` are the answers under other labels; a column ends before them.
    """
    link = _along(sheet, link, claims)
    first = sheet.segments[link.answer[0]]
    down = first.top - sheet.segments[link.label[0]].bottom
    apart = max(down, sheet.height) + sheet.height
    column = takewhile(
        lambda j: j not in claims.labels and j not in others,
        _column(sheet, link.answer[0], apart, len(sheet.segments))[1:],
    )
    cells = tuple(column)
    if not cells and len(link.answer) == 1:
        return _down(sheet, link, claims)
    claims.answers.update(cells)
    return replace(link, answer=link.answer + cells)


def _with_whole_label(sheet: Sheet, link: _Link, claims: _Claims) -> _Link:
    """Take in a remark in brackets under a label, and the lines that the label has above."""
    label = [*link.label]
    first = sheet.segments[label[0]]
    for j in sheet.under[label[0]]:
        other = sheet.segments[j]
        near = other.top - first.bottom < _LABEL_LINES * sheet.height
        if j not in claims and other.text.startswith("(") and near:
            label.append(j)
            break
    while len(label) < 4 and (above := _label_above(sheet, label[0], link, claims)) is not None:
        label.insert(0, above)
    claims.labels.update(label)
    return replace(link, label=tuple(label))


def _label_above(sheet: Sheet, i: int, link: _Link, claims: _Claims) -> int | None:
    """Return the line above of the same label; None where it has none."""
    line, height = sheet.segments[i], sheet.height
    over = [k for k in sheet.over.get(i, ()) if k not in claims]
    near = [k for k in over if line.top - sheet.segments[k].bottom < _LABEL_LINES * height]
    if len(near) != 1:
        return None
    above = sheet.segments[near[0]]
    if above.colon or above.led or above.number or above.count > 6:
        return None
    if above.in_capitals != line.in_capitals or alignment(above, line) > 1.5 * height:
        return None
    below = [sheet.segments[k] for k in sheet.under[near[0]]]
    if sum(k.top - above.bottom < 1.2 * height and across(k, above) > 0 for k in below) > 1:
        return None
    goes_on = line.small or line.colon or line.text.startswith("(")
    is_heading = link.answer[0] not in sheet.row[i]
    return near[0] if goes_on or is_heading else None


# What is made of it


def _pair(sheet: Sheet, link: _Link) -> Pair:
    label = [word for i in link.label for word in sheet.segments[i].words]
    value = [word for i in _by_rows(sheet, link.answer) for word in sheet.segments[i].words]
    label_box, value_box = union([w.box for w in label]), union([w.box for w in value])
    assert label_box is not None
    assert value_box is not None
    read = fmean(w.confidence for w in label) * fmean(w.confidence for w in value)
    return Pair(
        " ".join(word.text for word in label).rstrip(" :"),
        " ".join(word.text for word in value),
        label_box,
        value_box,
        round(read / (1 + math.exp(-link.points)), 3),
    )


def _by_rows(sheet: Sheet, numbers: Iterable[int]) -> list[int]:
    """Return segments in the order in which they are read."""
    rows: list[list[int]] = []
    for i in sorted(numbers):
        if rows and i in sheet.row[rows[-1][0]]:
            rows[-1].append(i)
        else:
            rows.append([i])
    return [i for row in rows for i in sorted(row, key=lambda k: sheet.segments[k].box.left)]
