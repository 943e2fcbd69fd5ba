"""Two readings of a page made one, word by word: pure functions on lines, boxes and characters.

The first reader is Tesseract, which has read the page whole; the second has looked at some lines.
What both read alike is nearly always right; where they differ, the likelier reading is taken and
the other one kept beside it. How likely is looked up in tables that were fitted to labelled pages
(``ocr.calibration``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Levenshtein

from ocr.calibration import Kind, Tables, shipped
from ocr.reading import Character
from records.geometry import Box, union
from records.model import Line, Word, WordReading

FIRST, SECOND = "tesseract", "ppocr"
# A word that Tesseract scores lower is looked for by the second reader on every page.
DOUBTFUL = 0.75
# Words at a line's ends are not read again where they were read by so much more surely than the
# line must be. Measured on noisy forms and receipts: less costs accuracy, more costs time.
_SURER = 0.03
# No letter fits beside a word into less room than this many times the height of its line's box.
_ROOM = 0.7
# What the second reader alone saw is kept from this probability on, the first alone from this.
_KEPT_SECOND, _KEPT_FIRST = 0.3, 0.3
# What the first reader scores so high stays, however unlikely: a person may look at it.
_NEVER_LOST = 0.9
# Words further apart than this many times their height stand in different lines.
_WIDE_GAP = 2.5
# A gap of so many heights between two words is no mistake.
_GAP = 0.6


@dataclass(frozen=True, slots=True)
class SecondLine:
    """What the second reader made of a place; boxes in the frame of the first reader's words."""

    box: Box
    characters: tuple[Character, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One reader's word: its text, its place, how sure that reader was (0 to 1)."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class _Judge:
    """What decides between two readings: tables of probabilities, and words known to be words."""

    tables: Tables
    known: frozenset[str]

    def knows(self, text: str) -> bool:
        return bool(self.known) and text.casefold().strip(".,:;()") in self.known


def doubtful_part(box: Box, words: Sequence[Word], sure: float) -> Box | None:
    """Return what must be read again of a line of text, given the words that were read in it.

    ``sure`` is the score from which a word is taken on trust. Words that were read surely are cut
    off at its ends, as far as no ink lies unread beside them; None when nothing is left.
    """
    if _without_ends(box, words, sure) is None:
        return None
    return _without_ends(box, words, sure + _SURER) or box


def _without_ends(box: Box, words: Sequence[Word], sure: float) -> Box | None:
    left, right = box.left, box.right
    room = _ROOM * box.height
    ordered = sorted(words, key=lambda word: word.box.left)
    for word in ordered:
        if word.confidence < sure or word.box.left - left > room:
            break
        left = max(left, word.box.right)
    for word in reversed(ordered):
        if word.confidence < sure or right - word.box.right > room:
            break
        right = min(right, word.box.left)
    for word in words:  # a sure word may lie over one that is not
        if word.confidence < sure:
            left, right = min(left, word.box.left), max(right, word.box.right)
    left, right = max(left, box.left), min(right, box.right)
    return None if right - left <= room else Box(left, box.top, right, box.bottom)


def words_in(boxes: Sequence[Box], lines: Sequence[Line]) -> list[list[Word]]:
    """Return, for each box, the words whose middle lies in it and nearest to its own."""
    found: list[list[Word]] = [[] for _ in boxes]
    for line in lines:
        for word in line.words:
            home = _home(word.box, boxes)
            if home is not None:
                found[home].append(word)
    return found


def _home(box: Box, boxes: Sequence[Box]) -> int | None:
    near = [
        (abs(box.centre[1] - other.centre[1]), i)
        for i, other in enumerate(boxes)
        if other.holds(box)
    ]
    return min(near)[1] if near else None


def calibrated(lines: Sequence[Line], tables: Tables | None = None) -> tuple[Line, ...]:
    """Return a first reading that nobody looks at again, with probabilities for scores."""
    known = tables or shipped()
    return tuple(Line(tuple(_alone(word, known) for word in line.words)) for line in lines)


def join(
    first: Sequence[Line], second: Sequence[SecondLine], known: frozenset[str] = frozenset(),
    tables: Tables | None = None,
) -> tuple[Line, ...]:  # fmt: skip
    """Join what two readers made of a page, in the first reader's order of lines.

    ``known`` are words, in small letters, that people have verified in this archive. Without
    ``tables`` the shipped ones say how likely each reading is.
    """
    judge = _Judge(tables or shipped(), known)
    homes = words_in([line.box for line in second], first)
    joined = {
        index: _join_line(words, line, judge)
        for index, (words, line) in enumerate(zip(homes, second, strict=True))
    }
    home_of = {id(word): index for index, words in enumerate(homes) for word in words}
    lines: list[list[Word]] = []
    placed: set[int] = set()
    for line in first:
        words: list[Word] = []
        for word in line.words:
            home = home_of.get(id(word))
            if home is None:
                alone = _unseen(word, judge.tables)
                words.extend([alone] if alone.confidence >= _KEPT_FIRST else [])
            elif home not in placed:
                placed.add(home)
                words.extend(joined[home])
        lines.append(words)
    for index, made in joined.items():
        if index not in placed and made:
            _insert(lines, made)
    return tuple(Line(tuple(words)) for words in lines if words)


def is_doubtful(word: Word) -> bool:
    """Say whether the second reader looks for a word on every page: not for a lone mark."""
    return word.confidence < DOUBTFUL and any(c.isalnum() for c in word.text)


def _unseen(word: Word, tables: Tables) -> Word:
    """Return a word outside all lines that the second reader was given.

    Doubtful words are all looked for, so where one lies outside, the second saw no writing.
    """
    kind = Kind.FIRST_ONLY if is_doubtful(word) else Kind.ALONE
    return _alone(word, tables, kind)


def _alone(word: Word, tables: Tables, kind: Kind = Kind.ALONE) -> Word:
    """Return a word that only the first reader has seen."""
    reading = WordReading(FIRST, word.text, word.confidence)
    sure = tables.probability(kind, word.confidence)
    return replace(word, confidence=sure, readings=(reading,))


def _join_line(words: Sequence[Word], line: SecondLine, judge: _Judge) -> list[Word]:
    """Join two readings of one line."""
    ours = sorted(
        (_Seen(word.text, word.box, word.confidence) for word in words), key=lambda s: s.box.left
    )
    joined: list[Word] = []
    for one, other in _groups(ours, words_of(line)):
        joined.extend(_decide(one, other, judge))
    return joined


def words_of(line: SecondLine) -> list[_Seen]:
    """Part the second reader's characters into words at its blanks."""
    found: list[_Seen] = []
    run: list[Character] = []
    for character in (*line.characters, None):
        if character is not None and character.text.strip():
            run.append(character)
            continue
        box = union([c.box for c in run])
        if box:
            found.append(_Seen("".join(c.text for c in run), box, _sureness(run)))
        run = []
    return found


def _sureness(characters: Sequence[Character]) -> float:
    """Return how sure a word is: as sure as its least sure character."""
    return min(character.confidence for character in characters)


def _groups(
    ours: Sequence[_Seen], theirs: Sequence[_Seen]
) -> Iterator[tuple[list[_Seen], list[_Seen]]]:
    """Part two readings of a line: at words that are the same, then at common blanks."""
    at_one = at_other = 0
    same = Levenshtein.opcodes([s.text for s in ours], [s.text for s in theirs])
    for block in (block for block in same if block.tag == "equal"):
        one, other = ours[at_one : block.src_start], theirs[at_other : block.dest_start]
        yield from _at_blanks(one, other)
        at_one, at_other = block.src_end, block.dest_end
        pairs = zip(
            ours[block.src_start : at_one], theirs[block.dest_start : at_other], strict=True
        )
        yield from (([a], [b]) for a, b in pairs)
    yield from _at_blanks(ours[at_one:], theirs[at_other:])


def _at_blanks(
    ours: Sequence[_Seen], theirs: Sequence[_Seen]
) -> list[tuple[list[_Seen], list[_Seen]]]:
    """Part two readings where both have a blank at the same place."""
    one, other = " ".join(s.text for s in ours), " ".join(s.text for s in theirs)
    cuts = [
        (block.src_start + i, block.dest_start + i)
        for block in Levenshtein.opcodes(one, other)
        if block.tag == "equal"
        for i in range(block.src_end - block.src_start)
        if one[block.src_start + i] == " "
    ]
    found = []
    left, right, at_one, at_other = 0, 0, 0, 0
    for cut_one, cut_other in [*cuts, (len(one), len(other))]:
        many, others = _count(one[at_one:cut_one]), _count(other[at_other:cut_other])
        found.append((list(ours[left : left + many]), list(theirs[right : right + others])))
        left, right, at_one, at_other = left + many, right + others, cut_one + 1, cut_other + 1
    return found


def _parted(theirs: list[_Seen], ours: list[_Seen]) -> list[_Seen]:
    """Part the second reader's words where the first saw wide gaps; it often overlooks these."""
    one, other = " ".join(s.text for s in ours), " ".join(s.text for s in theirs)
    gaps = _wide_gaps(ours)
    cuts = [
        block.dest_start
        for block in Levenshtein.opcodes(one, other)
        if block.tag == "delete" and any(block.src_start <= gap < block.src_end for gap in gaps)
    ]
    found: list[_Seen] = []
    start = 0
    for seen in theirs:
        inside = [cut - start for cut in cuts if start < cut < start + len(seen.text)]
        edges = [0, *inside, len(seen.text)]
        found.extend(_cut(seen, a, b) for a, b in itertools.pairwise(edges) if a < b)
        start += len(seen.text) + 1
    return found


def _wide_gaps(ours: Sequence[_Seen]) -> list[int]:
    """Return where, in the text of one reader's words, blanks stand that are no mistake."""
    found: list[int] = []
    place = 0
    for before, after in itertools.pairwise(ours):
        place += len(before.text)
        height = min(before.box.height, after.box.height)
        if after.box.left - before.box.right >= _GAP * height:
            found.append(place)
        place += 1
    return found


def _cut(seen: _Seen, start: int, end: int) -> _Seen:
    """Return some letters of a word, with their share of its box."""
    box = seen.box.letters(start, end, len(seen.text))
    return replace(seen, text=seen.text[start:end], box=box)


def _count(words: str) -> int:
    return words.count(" ") + 1 if words else 0


def _decide(ours: list[_Seen], theirs: list[_Seen], judge: _Judge) -> list[Word]:
    """Choose between two readings of the same ink; either may be empty."""
    if ours and len(theirs) < len(ours):
        theirs = _parted(theirs, ours)
    readings = tuple(
        WordReading(name, " ".join(s.text for s in seen), min(s.confidence for s in seen))
        for name, seen in ((FIRST, ours), (SECOND, theirs))
        if seen
    )
    if len(readings) == 2:
        return _decide_between(ours, theirs, readings, judge)
    found = []
    for seen, reader, kind, least in (
        *((s, FIRST, Kind.FIRST_ONLY, _KEPT_FIRST) for s in ours),
        *((s, SECOND, Kind.SECOND_ONLY, _KEPT_SECOND) for s in theirs),
    ):
        sure = judge.tables.probability(kind, seen.confidence)
        if sure >= least or (reader == FIRST and seen.confidence >= _NEVER_LOST):
            own = WordReading(reader, seen.text, seen.confidence)
            found.append(Word(seen.text, seen.box, sure, (own,)))
    return found


def _decide_between(
    ours: list[_Seen], theirs: list[_Seen], readings: tuple[WordReading, ...], judge: _Judge
) -> list[Word]:
    mine, other = readings
    both = (mine.confidence + other.confidence) / 2
    probability = judge.tables.probability
    if mine.text == other.text:
        return _words(ours, probability(Kind.AGREED, both), readings)
    if mine.text.replace(" ", "") == other.text.replace(" ", ""):
        parted = ours if mine.confidence >= other.confidence else theirs
        return _words(parted, probability(Kind.PARTED, both), readings)
    sure = probability(Kind.FIRST_OF_TWO, mine.confidence)
    instead = probability(Kind.SECOND_OF_TWO, other.confidence)
    is_known = judge.knows(mine.text)
    take_first = is_known if is_known != judge.knows(other.text) else sure > instead
    if take_first:
        return _words(ours, sure, readings)
    return _words(_placed(theirs, ours), instead, readings)


def _placed(theirs: list[_Seen], ours: list[_Seen]) -> list[_Seen]:
    """Give the second reader's words the first's boxes, which fit closer, where they pair up."""
    if len(theirs) != len(ours):
        return theirs
    return [replace(s, box=o.box) for s, o in zip(theirs, ours, strict=True)]


def _words(seen: list[_Seen], sure: float, readings: tuple[WordReading, ...]) -> list[Word]:
    """Make words of a reading; where it has several, only the first carries the readings."""
    return [Word(s.text, s.box, sure, readings if i == 0 else ()) for i, s in enumerate(seen)]


def _insert(lines: list[list[Word]], made: list[Word]) -> None:
    """Put words that only the second reader saw where they stand among the lines."""
    box = union([word.box for word in made])
    if box is None:
        return
    best: tuple[float, int] | None = None
    for index, words in enumerate(lines):
        other = union([word.box for word in words])
        if other is None:
            continue
        if _stand_beside(box, other):
            words.extend(made)
            words.sort(key=lambda word: word.box.left)
            return
        apart = max(0, box.left - other.right, other.left - box.right)
        distance = abs(box.centre[1] - other.centre[1]) + apart
        if best is None or distance < best[0]:
            best = (distance, index if box.centre[1] < other.centre[1] else index + 1)
    lines.insert(best[1] if best else len(lines), made)


def _stand_beside(box: Box, other: Box) -> bool:
    """Say whether a box goes on a line: at the same height, not over it, and not far from it."""
    lower, upper = min(box.bottom, other.bottom), max(box.top, other.top)
    height = min(box.height, other.height)
    apart = max(box.left - other.right, other.left - box.right)
    return lower - upper > 0.6 * height and -0.5 * height < apart < _WIDE_GAP * height
