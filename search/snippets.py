"""Where on a page the words that were asked for stand: the snippet, and the boxes to mark."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby

from records.geometry import Box, union
from records.model import PageWords
from search.query import Node, Spelling, Term, terms_of
from search.spelling import is_near
from search.text import LONGEST_TOKEN, tokens

LONGEST = 200  # characters of a snippet
BEFORE = 60  # of which at most so many stand before the first hit
_TELLING = 3  # letters; a shorter word away from its neighbours says nothing
_OF_THE_RECORD = frozenset(
    {"form", "department", "status", "year", "batch", "source", "id", "note", "tag"}
)
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a snippet; ``hit`` says that it is what was asked for."""

    text: str
    hit: bool


def hit_words(page: PageWords, root: Node, met: frozenset[str]) -> frozenset[int]:
    """Return which words of a page, counted over all lines, answer the query.

    ``met`` are the words that the index says were met. The words of a phrase count only where
    they stand together, so that the O of O'Brien is not marked all over the page.
    """
    terms = [term for term in terms_of(root) if term.field not in _OF_THE_RECORD]
    cut = _tokens_among(page.texts, met.union(*(term.tokens for term in terms)))
    hits: set[int] = set()
    for term in terms:
        hits |= _together(term, cut, met) or _apart(term, cut, met)
    return frozenset(hits)


def boxes_of(page: PageWords, hits: frozenset[int]) -> tuple[Box, ...]:
    """Return the boxes of the hit words, in reading order."""
    return tuple(page.box(place) for place in sorted(hits))


def line_of(page: PageWords, hits: frozenset[int]) -> Box | None:
    """Return the box of the line with the most hit words, the first of several; None without."""
    counts = Counter(bisect_right(page.ends, place) for place in sorted(hits))
    if not counts:
        return None
    line, _ = counts.most_common(1)[0]
    begin = page.ends[line - 1] if line else 0
    return union([page.box(place) for place in range(begin, page.ends[line])])


def snippet(page: PageWords, hits: frozenset[int]) -> tuple[Fragment, ...]:
    """Return about LONGEST characters around the most different hit words, or the page's start."""
    words = page.texts
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
    return tuple(_fragments(words, range(begin, end), hits))


@lru_cache(maxsize=50_000)
def _cut(word: str) -> tuple[str, ...]:
    """Return a word's tokens; pages of one archive have mostly the same words."""
    return tokens(word)


def _tokens_among(words: Sequence[str], wanted: frozenset[str]) -> list[tuple[int, str]]:
    """Return (place, token) of the words of a page with a token that is wanted.

    "" stands for all tokens between two of them; few words of a page are told of a query.
    """
    cut: list[tuple[int, str]] = []
    last = -1
    for place in sorted(_places_of(words, wanted)):
        if any(map(_cut, words[last + 1 : place])):
            cut.append((place, ""))
        cut += ((place, token) for token in _cut(words[place]))
        last = place
    return cut


def _places_of(words: Sequence[str], wanted: frozenset[str]) -> set[int]:
    """Return which words have a wanted token: plain ones by a look through all as one text."""
    plain = [word if word.isascii() else "" for word in words]
    places = {
        place
        for place, word in enumerate(plain)
        if not word and not wanted.isdisjoint(_cut(words[place]))
    }
    text = "\n".join(plain).lower()
    found = [at for token in wanted if token.isascii() for at in _finds(text, token)]
    ends = list(accumulate(len(word) + 1 for word in plain)) if found else []
    return places.union(bisect_right(ends, at) for at in found)


def _finds(text: str, token: str) -> Iterator[int]:
    """Yield where a token begins in a text of small letters without accents."""
    at = text.find(token)
    while at >= 0:
        after = at + len(token)
        ends = len(token) == LONGEST_TOKEN or not text[after : after + 1].isalnum()
        if ends and not text[at - 1 : at].isalnum():
            yield at
        at = text.find(token, after)


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
    cut = [_cut(words[place]) for place in hits]
    best, most = 0, 0
    for number, first in enumerate(hits):
        end = bisect_left(hits, bisect_left(starts, starts[first] + LONGEST - BEFORE))
        different = set(cut[number:end])
        if len(different) > most:
            best, most = first, len(different)
    return best


def _fragments(words: Sequence[str], places: range, hits: frozenset[int]) -> Iterator[Fragment]:
    """Yield a stretch of the words, those of one kind that stand together as one fragment."""
    if places.start and places.start in hits:
        yield Fragment(_ELLIPSIS + " ", False)
    for hit, run in groupby(places, key=hits.__contains__):
        together = list(run)
        text = " ".join(words[together[0] : together[-1] + 1])
        yield Fragment(text if hit else _between_hits(text, together, places, len(words)), hit)
    if places.stop < len(words) and places.stop - 1 in hits:
        yield Fragment(" " + _ELLIPSIS, False)


def _between_hits(text: str, run: Sequence[int], places: range, words: int) -> str:
    """Return words that are no hits with what parts them from those before and after."""
    before = " " if run[0] > places.start else _ELLIPSIS + " " if places.start else ""
    after = " " if run[-1] + 1 < places.stop else " " + _ELLIPSIS if places.stop < words else ""
    return before + text + after
