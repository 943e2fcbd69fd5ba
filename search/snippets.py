"""Where on a page the words that were asked for stand: the snippet, and the boxes to mark."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from records.geometry import Box, union
from records.model import Line, Word
from search.query import Node, Spelling, Term, terms_of
from search.spelling import is_near
from search.text import tokens

LONGEST = 200  # characters of a snippet
BEFORE = 60  # of which at most so many stand before the first hit
_TELLING = 3  # letters; a shorter word away from its neighbours says nothing
_OF_THE_RECORD = frozenset({"form", "department", "status", "year", "batch", "source", "id"})
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a snippet; ``hit`` says that it is what was asked for."""

    text: str
    hit: bool


def hit_words(lines: Sequence[Line], root: Node, met: frozenset[str]) -> frozenset[int]:
    """Return which words of a page, counted over all lines, answer the query.

    ``met`` are the words that the index says were met. The words of a phrase count only where
    they stand together, so that the O of O'Brien is not marked all over the page.
    """
    cut = [(place, token) for place, word in enumerate(_words(lines)) for token in _cut(word.text)]
    hits: set[int] = set()
    for term in terms_of(root):
        if term.field not in _OF_THE_RECORD:
            hits |= _together(term, cut, met) or _apart(term, cut, met)
    return frozenset(hits)


@lru_cache(maxsize=50_000)
def _cut(word: str) -> tuple[str, ...]:
    """Return a word's tokens; pages of one archive have mostly the same words."""
    return tokens(word)


def boxes_of(lines: Sequence[Line], hits: frozenset[int]) -> tuple[Box, ...]:
    """Return the boxes of the hit words, in reading order."""
    return tuple(word.box for place, word in enumerate(_words(lines)) if place in hits)


def line_of(lines: Sequence[Line], hits: frozenset[int]) -> Box | None:
    """Return the box of the line with the most hit words, the first of several; None without."""
    best: tuple[int, Box | None] = (0, None)
    place = 0
    for line in lines:
        count = sum(number in hits for number in range(place, place + len(line.words)))
        place += len(line.words)
        if count > best[0]:
            best = count, union([word.box for word in line.words])
    return best[1]


def snippet(lines: Sequence[Line], hits: frozenset[int]) -> tuple[Fragment, ...]:
    """Return about LONGEST characters around the most different hit words, or the page's start."""
    words = [word.text for word in _words(lines)]
    if not words:
        return ()
    first = _best_start(words, sorted(hits))
    begin, room = first, BEFORE
    while begin and len(words[begin - 1]) + 1 <= room:
        begin -= 1
        room -= len(words[begin]) + 1
    end, size = begin, 0
    while end < len(words) and (end <= first or size + len(words[end]) + 1 <= LONGEST):
        size += len(words[end]) + 1
        end += 1
    fragments = list(_fragments(words[begin:end], {place - begin for place in hits}))
    if begin:
        fragments.insert(0, Fragment(_ELLIPSIS + " ", False))
    if end < len(words):
        fragments.append(Fragment(" " + _ELLIPSIS, False))
    return tuple(_glued(fragments))


def _words(lines: Sequence[Line]) -> Iterator[Word]:
    return (word for line in lines for word in line.words)


def _together(term: Term, cut: Sequence[tuple[int, str]], met: frozenset[str]) -> set[int]:
    """Return the words where all words of the term stand one after the other."""
    beginnings = {token for token in {token for _, token in cut} if _fits(term, 0, token, met)}
    hits: set[int] = set()
    length = len(term.tokens)
    for start in range(len(cut) - length + 1):
        if cut[start][1] in beginnings and all(
            _fits(term, number, cut[start + number][1], met) for number in range(1, length)
        ):
            hits.update(cut[start + number][0] for number in range(length))
    return hits


def _apart(term: Term, cut: Sequence[tuple[int, str]], met: frozenset[str]) -> set[int]:
    """Return the words of a term that was met in pieces, for want of a page with all of it."""
    if term.quoted:
        return set()
    return {
        place
        for place, token in cut
        if len(token) >= _TELLING and token in met and any(is_near(token, t) for t in term.tokens)
    }


def _fits(term: Term, number: int, token: str, met: frozenset[str]) -> bool:
    wanted = term.tokens[number]
    if token == wanted:
        return True
    if token not in met:
        return False
    last = number == len(term.tokens) - 1
    if term.spelling is Spelling.PREFIX and last and token.startswith(wanted):
        return True
    return is_near(token, wanted)


def _best_start(words: Sequence[str], hits: Sequence[int]) -> int:
    """Return the hit from which on most different hit words fit in, or the first word."""
    starts = [0, *accumulate(len(word) + 1 for word in words)]
    best, most = 0, 0
    for number, first in enumerate(hits):
        end = bisect_left(hits, bisect_left(starts, starts[first] + LONGEST - BEFORE))
        different = {tokens(words[place]) for place in hits[number:end]}
        if len(different) > most:
            best, most = first, len(different)
    return best


def _fragments(words: Sequence[str], hits: set[int]) -> Iterator[Fragment]:
    for place, word in enumerate(words):
        if place:
            yield Fragment(" ", place in hits and place - 1 in hits)
        yield Fragment(word, place in hits)


def _glued(fragments: Sequence[Fragment]) -> Iterator[Fragment]:
    """Join neighbours of one kind."""
    text, hit = "", False
    for fragment in fragments:
        if fragment.hit != hit and text:
            yield Fragment(text, hit)
            text = ""
        text, hit = text + fragment.text, fragment.hit
    if text:
        yield Fragment(text, hit)
