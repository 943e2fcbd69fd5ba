"""What people say that a page reads, laid over what machines read: pure functions on lines.

Places are boxes in pixels of the cleaned page; the store keeps them in fractions of the original,
so that another reading of the page, which may straighten it otherwise, finds them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from records.geometry import Box, PageGeometry, union
from records.model import Line, Pair, Word

# A gap between two corrected words that is as wide as so many letters are high is part of their
# place: another reading may see one word where this one saw two.
_GAP = 2


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says that stands in some places of a page; an empty text is nothing.

    ``was`` is what had been read there.
    """

    id: int
    places: tuple[Box, ...]
    was: str
    text: str
    person: str
    at: str


@dataclass(frozen=True, slots=True)
class LaidLine:
    """A line after corrections: ``by`` has the correction that each word is of, None as read.

    ``emptied`` are corrections that left nothing here. A line may have no words left.
    """

    words: tuple[Word, ...]
    by: tuple[Correction | None, ...]
    emptied: tuple[Correction, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Return all corrections that shaped this line, oldest first."""
        found = {c.id: c for c in (*self.by, *self.emptied) if c is not None}
        return tuple(found[number] for number in sorted(found))

    @property
    def place(self) -> Box | None:
        """Return where the line stands, or stood before it was emptied."""
        boxes = [w.box for w in self.words] or [b for c in self.emptied for b in c.places]
        return union(boxes)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's lines after corrections, with what names the page for good: file, number there."""

    sha256: str
    number: int
    geometry: PageGeometry
    lines: tuple[LaidLine, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a person's version of a line says anew; it takes the place of corrections by their id.

    ``text`` may be what stands there already: then somebody has looked, and it is right.
    """

    places: tuple[Box, ...]
    was: str
    text: str
    replaces: frozenset[int]


@dataclass(slots=True)
class _Row:
    """A line while corrections are laid over it."""

    words: list[tuple[Word, Correction | None]]
    emptied: list[Correction]


def lay_over(lines: Iterable[Line], corrections: Sequence[Correction]) -> tuple[LaidLine, ...]:
    """Return a page's lines with corrections in the place of the words that were read there.

    Words whose middle lies in a place make way. Where a correction finds none, it stands beside
    the line at its height, or is a line of its own. No correction drives out another.
    """
    if not corrections:
        return tuple(LaidLine(line.words, (None,) * len(line.words), ()) for line in lines)
    rows = [_Row([(word, None) for word in line.words], []) for line in lines]
    for correction in sorted(corrections, key=lambda c: c.id):
        _lay(rows, correction)
    return tuple(
        LaidLine(tuple(w for w, _ in row.words), tuple(c for _, c in row.words), tuple(row.emptied))
        for row in rows
    )


def lines_of(laid: Iterable[LaidLine]) -> tuple[Line, ...]:
    """Return the lines that have words left."""
    return tuple(Line(line.words) for line in laid if line.words)


def _lay(rows: list[_Row], correction: Correction) -> None:
    around = union(correction.places)
    if around is None:
        return
    new = [(word, correction) for word in spread(correction.text.split(), around)]
    hits = [
        (row, number)
        for row in rows
        for number, (word, by) in enumerate(row.words)
        if by is None and any(place.holds(word.box) for place in correction.places)
    ]
    if hits:
        first, at = hits[0]
        for row in rows:
            gone = {number for other, number in hits if other is row}
            row.words = [pair for number, pair in enumerate(row.words) if number not in gone]
        first.words[at:at] = new
        if not new:
            first.emptied.append(correction)
    elif new:
        line, place = beside([[w.box for w, _ in row.words] for row in rows], new[0][0].box)
        if place is None:
            rows.insert(line, _Row(list(new), []))
        else:
            rows[line].words[place:place] = new


def beside(rows: Sequence[Sequence[Box]], place: Box) -> tuple[int, int | None]:
    """Return where a word belongs that stands in a place without any: line, and place in it.

    The second is None where it stands alone: then it is a line of its own, before the line named.
    """
    middle = place.centre[1]
    for number, row in enumerate(rows):
        around = union(list(row))
        if around and around.top <= middle < around.bottom:
            return number, sum(box.left < place.left for box in row)
    filled = [number for number, row in enumerate(rows) if row]
    above = sum(rows[number][0].centre[1] < middle for number in filled)
    return filled[above - 1] + 1 if above else 0, None


def spread(words: Sequence[str], box: Box) -> list[Word]:
    """Place words side by side over a box, as wide as they are long, a letter between them."""
    letters = sum(map(len, words)) + len(words) - 1
    made, before = list[Word](), 0
    for word in words:
        made.append(Word(word, box.letters(before, before + len(word), letters), 1.0))
        before += len(word) + 1
    return made


def said_pairs(pairs: Iterable[Pair], laid: Sequence[LaidLine]) -> tuple[Pair, ...]:
    """Return labels and answers in the words that stand in their places after corrections."""
    return tuple(
        replace(
            pair,
            label=_said_in(pair.label_box, pair.label, laid).rstrip(" :"),
            value=_said_in(pair.value_box, pair.value, laid),
        )
        for pair in pairs
    )


def _said_in(box: Box, read: str, laid: Sequence[LaidLine]) -> str:
    said = (place for line in laid for c in line.corrections for place in c.places)
    if not any(box.holds(place) for place in said):
        return read
    return " ".join(w.text for line in laid for w in line.words if box.holds(w.box))


# What a person's version of a line changes


def changes(line: LaidLine, words: Sequence[str], sure: float) -> list[Change]:
    """Return what is to be kept when a person says that a line has these words.

    Only words that differ are changed, as few at once as can be, so that the others keep their
    places. Words that were read with less than ``sure`` and are left as they stand are confirmed.
    """
    if not line.words:
        return [_filled(line.emptied, words)] if words else []
    cells, joined = _compared([word.text for word in line.words], words)
    joined |= _held_together(line.by)
    found = (_change(line, group, cells, sure) for group in _groups(len(cells), joined))
    return [change for change in found if change is not None]


def _filled(emptied: Sequence[Correction], words: Sequence[str]) -> Change:
    places = tuple(box for c in emptied for box in c.places)
    was = " ".join(c.was for c in emptied)
    return Change(places, was, " ".join(words), frozenset(c.id for c in emptied))


def _compared(old: Sequence[str], new: Sequence[str]) -> tuple[list[list[str]], set[int]]:
    """Return, for each old word, the new ones in its place; and which hang with the next one."""
    cells: list[list[str]] = [[] for _ in old]
    joined: set[int] = set()
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "insert":  # goes with the word before it, or the first
            cells[max(i - 1, 0)] += new[j:j_end]
        elif i_end - i == j_end - j:
            for number in range(i_end - i):
                cells[i + number].append(new[j + number])
        else:
            cells[i] += new[j:j_end]
            joined.update(range(i, i_end - 1))
    return cells, joined


def _held_together(by: Sequence[Correction | None]) -> set[int]:
    """Return the words that hang with the next one, as a correction is replaced whole.

    Words of another may stand between its own.
    """
    ends: dict[int, tuple[int, int]] = {}
    for number, correction in enumerate(by):
        if correction is not None:
            first, _ = ends.get(correction.id, (number, number))
            ends[correction.id] = first, number
    return {number for first, last in ends.values() for number in range(first, last)}


def _groups(count: int, joined: set[int]) -> Iterator[range]:
    """Yield runs of words that are changed together."""
    start = 0
    for number in range(count):
        if number not in joined:
            yield range(start, number + 1)
            start = number + 1


def _change(
    line: LaidLine, group: range, cells: Sequence[Sequence[str]], sure: float
) -> Change | None:
    words, by = [line.words[n] for n in group], [line.by[n] for n in group]
    said = " ".join(word for n in group for word in cells[n])
    if said == " ".join(w.text for w in words) and all(w.confidence >= sure for w in words):
        return None
    known = {c.id: c for c in by if c is not None}
    read = _strip([w.box for w, c in zip(words, by, strict=True) if c is None])
    places = tuple(box for c in known.values() for box in c.places)
    was = dict.fromkeys((w, None) if c is None else c for w, c in zip(words, by, strict=True))
    told = (one.was if isinstance(one, Correction) else one[0].text for one in was)
    return Change((*places, *read), " ".join(told), said, frozenset(known))


def _strip(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes of words with the narrow gaps between them filled."""
    made = list(boxes)
    for number, (box, after) in enumerate(pairwise(boxes)):
        if 0 < after.left - box.right <= _GAP * box.height:
            made[number] = box._replace(right=after.left)
    return made
