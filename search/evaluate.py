"""Answer a query from postings: which records have what is asked for, and on which page best.

Words are looked for in whole records: two words may stand on different pages of one record.
An engine with a query evaluator of its own has no need of this module.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeVar

from search.query import And, Everything, Most, Node, Not, Or, Range, Spelling, Term
from search.ranking import AreaLengths, bm25, merged
from search.spelling import may_be_misspelt, neighbours

TEXT, TITLE, VALUES, KEYED = "text", "title", "values", "keyed"
AREAS = {TEXT: 1.0, TITLE: 2.0, VALUES: 1.5, KEYED: 1.5}  # with their weight
ANYWHERE = (TEXT, TITLE, VALUES)
SEPARATOR = "\x1f"  # between a field's name and a word of its value; never part of a token
MOST_COMPLETIONS = 4000  # of all prefixes in a query together; the shortest words are taken
MOST_VARIANTS = 24  # of one word
MOST_MISSPELT = 36  # words by area that other spellings are looked up for in one search
ENOUGH = 0.6  # of the weight of the words that the best record has
_RANGE_SCORE = 1.0
_Value = TypeVar("_Value", str, float)


class Reach(IntEnum):
    """How far from the typed spelling words are looked for."""

    EXACT = 0
    SAME_INITIAL = 1  # one edit, the first letter as typed
    ANY_EDIT = 2


class Postings(Protocol):
    """What is known of words and pages; pages go by their number in the index."""

    @property
    def record_of(self) -> Sequence[int]:
        """Return the record of each page; -1 for pages that are no more."""

    def counts(self, area: str, term: str) -> Mapping[int, float]:
        """Return how often each page has a term."""

    def positions(self, area: str, term: str, wanted: AbstractSet[int]) -> dict[int, Sequence[int]]:
        """Return where the term stands on the wanted pages, counted in words."""

    def holds(self, area: str, term: str) -> bool:
        """Say whether any page has, or had, this term."""

    def completions(self, area: str, prefix: str) -> list[str]:
        """Return all terms that begin so."""

    def lengths(self, area: str) -> AreaLengths:
        """Return the length of pages in words."""

    def days(self, field: str) -> Sequence[tuple[str, int]]:
        """Return (ISO day, page) of all records with this field, sorted."""

    def numbers(self, field: str) -> Sequence[tuple[float, int]]:
        """Return (number, page) of all records with this field, sorted."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The pages that have one term or range: by spelling, and scored."""

    spellings: Mapping[str, AbstractSet[int]]
    scores: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Found:
    """The records that answer a query, and the leaves that rank them."""

    records: AbstractSet[int]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class _Hunt:
    """One walk over a query: how far to look, and the leaves gathered on the way."""

    reach: Reach
    leaves: list[Leaf]


class Evaluation:
    """Evaluates queries over the records in ``visible``; no other is ever looked at.

    It remembers what it has read, so one request should use one of these, and then drop it.
    """

    def __init__(self, postings: Postings, visible: AbstractSet[int]) -> None:
        self._postings = postings
        self._visible = visible
        self._record_of = postings.record_of
        self._read: dict[tuple[str, str], Mapping[int, float]] = {}
        self._near: dict[tuple[str, str, str], list[str]] = {}
        self._whole: dict[tuple[str, str], list[str]] = {}

    def found(self, root: Node, reach: Reach = Reach.EXACT) -> Found:
        """Return the records for a query, with the leaves that speak for them."""
        hunt = _Hunt(reach, [])
        return Found(self._records(root, self._visible, hunt), tuple(hunt.leaves))

    def variants(self, word: str, reach: Reach, area: str = TEXT, prefix: str = "") -> list[str]:
        """Return other spellings of a word that occur, those on most visible pages first."""
        key = (area, prefix, word)
        if key not in self._near and len(self._near) < MOST_MISSPELT:
            seen = []
            for other in dict.fromkeys(neighbours(word)):
                if other and other != word and self._postings.holds(area, prefix + other):
                    pages = len(self._counts(area, prefix + other))
                    if pages:
                        seen.append((-pages, other))
            self._near[key] = [other for _, other in sorted(seen)]
        near = self._near.get(key, [])
        if reach is Reach.SAME_INITIAL:
            near = [other for other in near if other[0] == word[0]]
        return near[:MOST_VARIANTS]

    def record_count(self, word: str) -> int:
        """Return in how many visible records a word stands."""
        return len(self._with_page(self._counts(TEXT, word)))

    def _records(self, node: Node, among: AbstractSet[int], hunt: _Hunt) -> AbstractSet[int]:
        match node:
            case Term():
                return self._leaf(self._term(node, hunt.reach), among, hunt)
            case Range():
                return self._leaf(self._range(node), among, hunt)
            case And(parts):
                for part in sorted(parts, key=lambda part: isinstance(part, Most)):
                    among = self._records(part, among, hunt)
                return among
            case Or(parts):
                found = [self._records(part, among, hunt) for part in parts]
                return set[int]().union(*found)
            case Most(parts):
                return _most([self._records(part, among, hunt) for part in parts], len(among))
            case Not(part):
                return among - self._records(part, among, _Hunt(Reach.EXACT, []))
            case Everything():
                return among

    def _leaf(self, leaf: Leaf, among: AbstractSet[int], hunt: _Hunt) -> AbstractSet[int]:
        hunt.leaves.append(leaf)
        return self._with_page(leaf.scores) & among

    def _with_page(self, pages: Mapping[int, float]) -> AbstractSet[int]:
        record_of = self._record_of
        return {record_of[page] for page in pages}

    def _counts(self, area: str, term: str) -> Mapping[int, float]:
        """Return how often each visible page has a term."""
        key = (area, term)
        if key not in self._read:
            record_of, visible = self._record_of, self._visible
            counts = self._postings.counts(area, term)
            self._read[key] = {
                page: count for page, count in counts.items() if record_of[page] in visible
            }
        return self._read[key]

    def _term(self, term: Term, reach: Reach) -> Leaf:
        areas = ANYWHERE if term.field is None else (KEYED,)
        prefix = "" if term.field is None else term.field + SEPARATOR
        spellings: dict[str, set[int]] = {}
        scores: dict[int, float] = {}
        for area in areas:
            slots = [
                self._sightings(area, prefix, term, place, reach)
                for place in range(len(term.tokens))
            ]
            pages = self._adjacent(area, prefix, slots) if len(slots) > 1 else None
            for word, sightings in zip(term.tokens, slots, strict=True):
                counts = merged(word, sightings)
                if pages is not None:
                    counts = {page: counts[page] for page in pages}
                scored = bm25(counts, self._postings.lengths(area), AREAS[area])
                for page, score in scored.items():
                    scores[page] = scores.get(page, 0.0) + score
                if area in (TEXT, KEYED):
                    for spelling, on_pages in sightings.items():
                        met = on_pages.keys() if pages is None else on_pages.keys() & pages
                        spellings.setdefault(spelling, set()).update(met)
        return Leaf(spellings, scores)

    def _sightings(
        self, area: str, prefix: str, term: Term, place: int, reach: Reach
    ) -> dict[str, Mapping[int, float]]:
        """Return the visible pages of each spelling that a word of the term may have."""
        word = term.tokens[place]
        spellings = [word]
        if term.spelling is Spelling.PREFIX and place == len(term.tokens) - 1:
            spellings += [other[len(prefix) :] for other in self._completions(area, prefix + word)]
        if term.spelling is Spelling.ABOUT:
            reach = Reach.ANY_EDIT
        if reach and may_be_misspelt(word):
            spellings += self.variants(word, reach, area, prefix)
        seen = {word: self._counts(area, prefix + word) for word in dict.fromkeys(spellings)}
        return {word: pages for word, pages in seen.items() if pages}

    def _completions(self, area: str, beginning: str) -> list[str]:
        key = (area, beginning)
        if key not in self._whole:
            left = MOST_COMPLETIONS - sum(len(words) for words in self._whole.values())
            words = self._postings.completions(area, beginning) if left > 0 else []
            self._whole[key] = sorted(words, key=len)[:left]
        return self._whole[key]

    def _adjacent(
        self, area: str, prefix: str, slots: Sequence[Mapping[str, Mapping[int, float]]]
    ) -> AbstractSet[int]:
        """Return the pages where a spelling of each word stands right after one of the last."""
        pages: AbstractSet[int] = set.intersection(
            *({page for counts in slot.values() for page in counts} for slot in slots)
        )
        ends: dict[int, set[int]] = {}
        for number, slot in enumerate(slots):
            here: dict[int, set[int]] = {}
            for word in slot if pages else ():
                for page, places in self._postings.positions(area, prefix + word, pages).items():
                    here.setdefault(page, set()).update(places)
            if number:
                here = {
                    page: {place for place in places if place - 1 in ends[page]}
                    for page, places in here.items()
                    if page in ends
                }
            ends = {page: places for page, places in here.items() if places}
            pages = ends.keys()
        return pages

    def _range(self, asked: Range) -> Leaf:
        pages: set[int] = set()
        if asked.days:
            pages |= _between(self._postings.days(asked.field), *asked.days)
        if asked.numbers:
            pages |= _between(self._postings.numbers(asked.field), *asked.numbers)
        record_of, visible = self._record_of, self._visible
        return Leaf({}, {page: _RANGE_SCORE for page in pages if record_of[page] in visible})


def best_pages(found: Found, record_of: Sequence[int]) -> dict[int, tuple[float, int]]:
    """Return (score, page) of the best page of each found record that a leaf has a page of."""
    totals: dict[int, float] = {}
    for leaf in found.leaves:
        for page, score in leaf.scores.items():
            totals[page] = totals.get(page, 0.0) + score
    best: dict[int, tuple[float, int]] = {}
    records = found.records
    for page, score in totals.items():
        record = record_of[page]
        if record in records:
            known = best.get(record)
            if known is None or score > known[0] or (score == known[0] and page < known[1]):
                best[record] = (score, page)
    return best


def terms_on(found: Found, page: int) -> frozenset[str]:
    """Return the words, in the spelling met, that a page was found by."""
    return frozenset(
        word for leaf in found.leaves for word, pages in leaf.spellings.items() if page in pages
    )


def _most(found: Sequence[AbstractSet[int]], among: int) -> AbstractSet[int]:
    """Return the records that hold nearly as much of the words as any does.

    A word weighs by its rarity among the records, for 'the' should not stand in for a name.
    """
    weights: dict[int, float] = {}
    for records in found:
        weight = math.log(1 + among / len(records)) if records else 0.0
        for record in records:
            weights[record] = weights.get(record, 0.0) + weight
    enough = ENOUGH * max(weights.values(), default=0.0)
    return {record for record, weight in weights.items() if weight >= enough}


def _between(
    spread: Sequence[tuple[_Value, int]], low: _Value | None, high: _Value | None
) -> set[int]:
    """Return the pages of the values from low to high, both included."""
    start = 0 if low is None else bisect_left(spread, low, key=lambda pair: pair[0])
    end = len(spread) if high is None else bisect_right(spread, high, key=lambda pair: pair[0])
    return {page for _, page in spread[start:end]}
