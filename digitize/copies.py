"""Several scans of one form held together: what is printed on all, in the frame of the first."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate
from statistics import median_low

import numpy as np
from rapidfuzz import fuzz

from digitize.forms import Zone
from digitize.identify import letters
from digitize.registration import register
from records.geometry import Box, union
from records.model import Line, Pair, Word

# A gap of so many letter heights parts two texts on one line.
_GAP = 1.5
# How far from its place on the first scan a text may lie on another (share of the page).
_NEAR = 0.06
# The same when it is known how the scans lie to each other: a line's height or so, on bent paper.
_ON_LINE = 0.012
# Two texts are worth holding against each other that are so like (0 to 100), in a part of them.
_WORTH_A_LOOK = 60
# So many letters in a row are the same by more than chance; and what lies between such is the same
# text, misread, when it is so like.
_RUN, _MISREAD, _AS_MISREAD = 3, 60, 0.9
# A word stands on another scan when so many of its letters do; a number, when all do.
_SAME = 0.8
# What all scans say alike is printed, if they are so many, even where it seems to answer a label.
_PRINT_ON = 3
# That much of a printed text is misread at most (share of its letters).
_MOST_MISREAD = 0.1
# A tick box is read as so many letters at most.
_BOX_LETTERS = 2
# A word that is so many times wider than a square in it has it as a letter.
_LETTER_OF = 1.6


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a scan of the form: its words, its (width, height) in pixels, its pairs.

    ``squares`` are what may be tick boxes, ``rules`` the long lines across the page.
    """

    lines: tuple[Line, ...]
    size: tuple[int, int]
    pairs: tuple[Pair, ...] = ()
    squares: tuple[Box, ...] = ()
    rules: tuple[Box, ...] = ()

    @property
    def words(self) -> list[Word]:
        return [word for line in self.lines for word in line.words]

    def zone(self, box: Box) -> Zone:
        """Return a box as shares of the page."""
        width, height = self.size
        edges = (box.left / width, box.top / height, box.right / width, box.bottom / height)
        left, top, right, bottom = (round(min(max(edge, 0.0), 1.0), 4) for edge in edges)
        return left, top, right, bottom

    def is_near(self, box: Box, other: Box) -> bool:
        """Say whether two things begin at about the same place of the page."""
        return all(abs(box[i] - other[i]) <= _NEAR * self.size[i] for i in (0, 1))


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page of a form: its first scan, and the others, moved to where they lie on the first.

    ``common`` are the first's words that stand on all scans, but for letters that were misread;
    ``squares`` are on most of them.
    """

    number: int
    first: ScannedPage
    others: tuple[ScannedPage, ...]
    common: frozenset[Word]
    squares: tuple[Box, ...]

    def is_print(self, word: Word) -> bool:
        """Say whether a word is printed, as far as scans tell: it is on all, and no answer."""
        return (word in self.common or not letters(word.text)) and not self.is_answer(word)

    def is_answer(self, word: Word) -> bool:
        """Say whether a word answers a label; what has a tick box in it is print.

        On a single scan only what stands right of the box is: nothing tells the rest from answers.
        """
        held = (pair for pair in self.first.pairs if pair.value_box.holds(word.box))
        return any(not self._is_ticked(word, pair) for pair in held)

    def _is_ticked(self, word: Word, pair: Pair) -> bool:
        inside = [square for square in self.squares if pair.value_box.holds(square)]
        if self.others or not inside:
            return bool(inside)
        level = [s for s in inside if word.box.top <= s.centre[1] <= word.box.bottom]
        return any(s.left <= word.box.centre[0] for s in level)

    def is_box(self, word: Word) -> bool:
        """Say whether a tick box was read as a word."""
        short = len(letters(word.text)) <= _BOX_LETTERS
        return short and any(word.box.holds(s) and not _is_longer(word, s) for s in self.squares)

    def printed(self, words: Sequence[Word]) -> list[Word]:
        """Return a text's words up to the first that is not printed."""
        end = next((i for i, word in enumerate(words) if not self.is_print(word)), len(words))
        return list(words[:end])

    def texts(self, words: Sequence[Word]) -> Iterable[list[Word]]:
        """Give the texts that gaps, answers and tick boxes part a row of words into."""
        for run in parted(words):
            text: list[Word] = []
            for word in run:
                if not (self.is_answer(word) or self.is_box(word)):
                    text.append(word)
                elif text:
                    yield text
                    text = []
            if text:
                yield text


def form_pages(scans: Sequence[Sequence[ScannedPage]]) -> tuple[FormPage, ...]:
    """Hold the scans of a form together, as many pages as all of them have."""
    pages = []
    for number, (first, *rest) in enumerate(zip(*scans, strict=False), 1):
        common, others = set(first.words), []
        for other in rest:
            same, moved = _held(first, other)
            common &= same
            others.append(moved)
        whole = tuple(square for square in first.squares if not _is_letter(square, first))
        squares = _on_most((replace(first, squares=whole), *others))
        first = replace(first, pairs=_answered(first, common, len(others)))
        pages.append(FormPage(number, first, tuple(others), frozenset(common), squares))
    return tuple(pages)


def _answered(first: ScannedPage, common: Container[Word], others: int) -> tuple[Pair, ...]:
    """Return the pairs of labels and answers; what three scans have in common is no answer."""
    if others < _PRINT_ON - 1:
        return first.pairs

    def is_answered(pair: Pair) -> bool:
        words = [word for word in first.words if pair.value_box.holds(word.box)]
        free = sum(len(letters(word.text)) for word in words if word not in common)
        return free > _MOST_MISREAD * sum(len(letters(word.text)) for word in words)

    return tuple(filter(is_answered, first.pairs))


def parted(words: Sequence[Word]) -> Iterable[list[Word]]:
    """Give the texts that wide gaps part a row of words into."""
    run: list[Word] = []
    for word in words:
        if run and word.box.left - run[-1].box.right > _GAP * max(run[-1].box.height, 1):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


# Two scans

# A point on the first scan (pixels), and the same on the other (shares of its page).
_Point = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Row:
    """Words side by side; ``own`` are their letters, ``starts`` where each word's begin."""

    words: tuple[Word, ...]
    own: tuple[str, ...]
    joined: str
    starts: tuple[int, ...]


def _row(words: Iterable[Word]) -> _Row:
    words = tuple(words)
    own = tuple(letters(word.text) for word in words)
    return _Row(words, own, "".join(own), (0, *accumulate(len(word) for word in own)))


def _held(first: ScannedPage, other: ScannedPage) -> tuple[set[Word], ScannedPage]:
    """Return the first's words that stand on another scan too, and that as it lies on the first.

    Texts that are alike say how it lies. Where enough do, only what lies on about the same line is
    the same.
    """
    far = tuple(_NEAR * side for side in first.size)
    common, points = _alike(first, other, lambda box: _stretched(box, other, first), far)
    pixels = np.array([mine for mine, _ in points], dtype=np.float64).reshape(-1, 2)
    places = np.array([its for _, its in points], dtype=np.float64).reshape(-1, 2)
    fitted = register(places, pixels, first.size, None)

    def moved(box: Box) -> Box:
        return fitted.box(other.zone(box))

    if fitted.trusted:
        common, _ = _alike(first, other, moved, (far[0], _ON_LINE * first.size[1]))
    pairs = tuple(
        replace(p, label_box=moved(p.label_box), value_box=moved(p.value_box)) for p in other.pairs
    )
    squares = tuple(moved(square) for square in other.squares if not _is_letter(square, other))
    return common, ScannedPage((), first.size, pairs, squares)


def _alike(
    first: ScannedPage,
    other: ScannedPage,
    moved: Callable[[Box], Box],
    far: tuple[float, ...],
) -> tuple[set[Word], list[_Point]]:
    """Return the first's words that are on another scan as well, and points that are on both.

    They lie no further (pixels across, down) from where the other's are ``moved`` to. The points
    are the ends of texts, left and right in turn.
    """
    common: set[Word] = set()
    points: list[_Point] = []
    placed = [[(word, moved(word.box)) for word in line.words] for line in other.lines]
    for run in (run for line in first.lines for run in parted(line.words)):
        own, around = _row(run), union([word.box for word in run])
        best: tuple[int, float] | None = None
        ends: list[_Point] = []
        for line in placed:
            near = [(word, box) for word, box in line if around and _is_within(box, around, far)]
            there = _row(word for word, _ in near)
            blocks = _blocks(own, there)
            if not blocks:
                continue
            common.update(_same_words(own, there, blocks))
            off = abs(near[0][1].centre[1] - run[0].box.centre[1])
            rank = (sum(size for _, _, size in blocks), -off)
            if best is None or rank > best:
                best, ends = rank, _ends(own, there, blocks, other)
        points += ends
    return common, points


def _stretched(box: Box, page: ScannedPage, first: ScannedPage) -> Box:
    """Return where a box would lie on the first scan if the edges of the pages were the same."""
    across, down = first.size[0] / page.size[0], first.size[1] / page.size[1]
    sides = (box.left * across, box.top * down, box.right * across, box.bottom * down)
    return Box(*(round(side) for side in sides))


def _is_within(box: Box, text: Box, far: tuple[float, ...]) -> bool:
    beside = text.left - far[0] <= box.left <= text.right + far[0]
    return beside and abs(box.centre[1] - text.centre[1]) <= far[1]


# Where letters of two rows are the same: from which on in each, and how many.
_Blocks = list[tuple[int, int, int]]


def _blocks(one: _Row, other: _Row) -> _Blocks:
    """Return where two rows are the same; a letter or two are chance, unless they are a word."""
    if not fuzz.partial_ratio(one.joined, other.joined, score_cutoff=_WORTH_A_LOOK):
        return []
    matches = SequenceMatcher(None, one.joined, other.joined, autojunk=False).get_matching_blocks()
    return [
        (a, b, size)
        for a, b, size in matches
        if size >= _RUN
        or (
            all(at in row.starts and at + size in row.starts for at, row in ((a, one), (b, other)))
            and size
        )
    ]


def _same_words(one: _Row, other: _Row, blocks: _Blocks) -> Iterable[Word]:
    """Give the words of a row that are on the other: what is between the same may be misread.

    What has a figure in it may not: the numbers of two people often differ in one.
    """
    same: list[float] = []
    there = 0
    for a, b, size in [*blocks, (len(one.joined), len(other.joined), 0)]:
        between = fuzz.ratio(one.joined[len(same) : a], other.joined[there:b])
        misread = _AS_MISREAD if between >= _MISREAD else 0.0
        same += [misread] * (a - len(same)) + [1.0] * size
        there = b + size
    for word, start, end in zip(one.words, one.starts, one.starts[1:], strict=False):
        least = 1.0 if any(map(str.isdigit, word.text)) else _SAME
        if end > start and sum(same[start:end]) >= least * (end - start):
            yield word


def _ends(one: _Row, other: _Row, blocks: _Blocks, page: ScannedPage) -> list[_Point]:
    """Return where the part of two rows begins and ends that is the same."""
    (a, b, _), (c, d, size) = blocks[0], blocks[-1]
    width, height = page.size
    begins = _letter(one, a).left, _letter(other, b).left
    ends = _letter(one, c + size - 1).right, _letter(other, d + size - 1).right
    down = one.words[0].box.centre[1], other.words[0].box.centre[1] / height
    return [((x, down[0]), (there / width, down[1])) for x, there in (begins, ends)]


def _letter(row: _Row, at: int) -> Box:
    """Return where a letter of a row stands."""
    index = next(i for i, end in enumerate(row.starts[1:]) if at < end)
    start = at - row.starts[index]
    return row.words[index].box.letters(start, start + 1, len(row.own[index]))


def _is_letter(square: Box, page: ScannedPage) -> bool:
    """Say whether a square is a letter of a word."""
    return any(w.box.holds(square) and _is_longer(w, square) for w in page.words)


def _is_longer(word: Word, square: Box) -> bool:
    return word.box.width > _LETTER_OF * square.width


def _on_most(pages: Sequence[ScannedPage]) -> tuple[Box, ...]:
    """Return the squares that are on more than half of the scans, from top to bottom."""
    groups: list[dict[int, Box]] = []
    for number, page in enumerate(pages):
        for square in page.squares:
            same = (
                g
                for g in groups
                if number not in g and any(_is_same(square, b) for b in g.values())
            )
            group = next(same, None)
            if group is None:
                groups.append({number: square})
            else:
                group[number] = square
    most = [list(g.values()) for g in groups if 2 * len(g) > len(pages)]
    middle = [Box(*(median_low(edges) for edges in zip(*g, strict=True))) for g in most]
    return tuple(sorted(middle, key=lambda box: (box.top, box.left)))


def _is_same(one: Box, other: Box) -> bool:
    """Say whether two squares are one: their middles are less than their width apart."""
    (x, y), (u, v) = one.centre, other.centre
    return max(abs(x - u), abs(y - v)) < max(one.width, other.width)
