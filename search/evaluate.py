"""Answer a query from postings: which records have what is asked for, and on which page best.

Words are looked for in whole records: two words may stand on different pages of one record.
An engine with a query evaluator of its own has no need of this module.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from typing import Protocol

import numpy as np

from search.arrays import Floats, Ints, Mask, within
from search.query import And, Everything, Most, Node, Not, Or, Range, Spelling, Term
from search.ranking import AreaLengths, Counted, bm25, merged
from search.spelling import may_be_misspelt, neighbours

TEXT, TITLE, VALUES, KEYED = "text", "title", "values", "keyed"
AREAS = {TEXT: 1.0, TITLE: 2.0, VALUES: 1.5, KEYED: 1.5}  # with their weight
ANYWHERE = (TEXT, TITLE, VALUES)
SEPARATOR = "\x1f"  # between a field's name and a word of its value; never part of a token
MOST_COMPLETIONS = 4000  # of all prefixes in a query together; the shortest words are taken
LOOKED_AT = (50, 250, 1000)  # words that may finish one; more while too few are of visible pages
MOST_VARIANTS = 24  # of one word
MOST_MISSPELT = 36  # words by area that other spellings are looked up for in one search
ENOUGH = 0.6  # of the weight of the words that the best record has
_RANGE_SCORE = 1.0
PLACE_BITS = 17  # of a key: a page and a place on it, the last of which none follows


class Reach(IntEnum):
    """How far from the typed spelling words are looked for."""

    EXACT = 0
    SAME_INITIAL = 1  # one edit, the first letter as typed
    ANY_EDIT = 2


class Postings(Protocol):
    """What is known of words and pages; see ``search.arrays`` for how they go."""

    @property
    def record_of(self) -> Ints:
        """Return the record of each page."""

    def counts(self, area: str, term: str) -> Counted:
        """Return how often each page has a term."""

    def keys(self, area: str, term: str, wanted: Mask) -> Ints:
        """Return where the term stands on the wanted pages, ascending.

        A key is the page, moved by PLACE_BITS, and the place counted in words.
        """

    def spread(self, area: str, terms: Sequence[str]) -> Ints:
        """Return for each term on how many pages it stands at most, those that are no more too."""

    def completions(self, area: str, prefix: str) -> list[str]:
        """Return all terms that begin so."""

    def commonest(self, area: str, prefix: str, most: int) -> dict[str, int]:
        """Return about so many terms that begin so, those on most pages, with how many."""

    def lengths(self, area: str) -> AreaLengths:
        """Return the length of pages in words."""

    def with_day(self, field: str, low: str | None, high: str | None) -> Ints:
        """Return the pages where a field is a day from low to high (ISO), both included."""

    def with_amount(self, field: str, low: float | None, high: float | None) -> Ints:
        """Return the pages where a field is a number from low to high, both included."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """The pages that have one term or range: by spelling, and with their scores to be added up."""

    spellings: Sequence[tuple[str, Ints]]
    scores: Sequence[tuple[Ints, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The records that answer a query, and the leaves that rank them."""

    records: Mask
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

    def __init__(self, postings: Postings, visible: Mask) -> None:
        self._postings = postings
        self._visible = visible
        self._record_of = postings.record_of
        self._seen_pages = visible[postings.record_of]
        self._read: dict[tuple[str, str], Counted] = {}
        self._near: dict[tuple[str, str, str], Mapping[str, int]] = {}
        self._whole: dict[tuple[str, str], list[str]] = {}

    def found(self, root: Node, reach: Reach = Reach.EXACT) -> Found:
        """Return the records for a query, with the leaves that speak for them."""
        hunt = _Hunt(reach, [])
        return Found(self._records(root, self._visible, hunt), tuple(hunt.leaves))

    def variants(
        self,
        word: str,
        reach: Reach,
        area: str = TEXT,
        prefix: str = "",
        most: int = MOST_VARIANTS,
    ) -> list[str]:
        """Return other spellings of a word that occur, those on most visible pages first."""
        near = list(self._neighbours(area, prefix, word).items())
        if reach is Reach.SAME_INITIAL:
            near = [(other, pages) for other, pages in near if other[0] == word[0]]
        return self._commonest([area], prefix, near, most)

    def _neighbours(self, area: str, prefix: str, word: str) -> Mapping[str, int]:
        """Return words one edit away, those on most pages first, with how many at most."""
        key = (area, prefix, word)
        if key not in self._near and len(self._near) < MOST_MISSPELT:
            others = list(set(neighbours(word)) - {"", word})
            pages = self._postings.spread(area, [prefix + other for other in others])
            order = np.argsort(-pages, kind="stable")[: np.count_nonzero(pages)].tolist()
            self._near[key] = {others[place]: int(pages[place]) for place in order}
        return self._near.get(key, {})

    def _commonest(
        self, areas: Sequence[str], prefix: str, words: Iterable[tuple[str, int]], most: int
    ) -> list[str]:
        """Return so many of the words as are on most visible pages, the commonest first.

        Each comes with on how many pages it may be, the highest first: so few are looked up.
        """
        seen: list[tuple[int, str]] = []
        for word, at_most in words:
            if len(seen) >= most and -seen[most - 1][0] > at_most:
                break
            if pages := self._page_count(areas, prefix + word):
                insort(seen, (-pages, word))
        return [word for _, word in seen[:most]]

    def _page_count(self, areas: Sequence[str], term: str) -> int:
        """Return on how many visible pages a term stands in one of the areas."""
        if len(areas) == 1:
            return len(self._counts(areas[0], term).pages)
        return int(self._pages_in(self._counts(area, term) for area in areas).sum())

    def record_count(self, word: str) -> int:
        """Return in how many visible records a word stands."""
        return int(self._with_page(self._counts(TEXT, word).pages).sum())

    def completions(self, token: str, field: str | None, limit: int) -> tuple[str, ...]:
        """Return longer words that begin with a token, those on most visible pages first."""
        areas = ANYWHERE if field is None else (KEYED,)
        prefix = "" if field is None else field + SEPARATOR
        found: list[str] = []
        for most in LOOKED_AT:
            words = self._longer(areas, prefix, token, most)
            found = self._commonest(areas, prefix, words, limit)
            if len(found) >= limit or len(words) < most - 1:  # one may be the token itself
                break
        return tuple(found)

    def _longer(
        self, areas: Sequence[str], prefix: str, token: str, most: int
    ) -> list[tuple[str, int]]:
        """Return longer words, those on most pages of all records first, with how many at most."""
        everywhere: Counter[str] = Counter()
        for area in areas:
            everywhere.update(self._postings.commonest(area, prefix + token, most))
        return [
            (term[len(prefix) :], pages)
            for term, pages in everywhere.most_common(most)
            if term != prefix + token
        ]

    def _records(self, node: Node, among: Mask, hunt: _Hunt) -> Mask:
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
                return reduce(np.logical_or, found)
            case Most(parts):
                found = [self._records(part, among, hunt) for part in parts]
                return _most(found, int(among.sum()))
            case Not(part):
                return among & ~self._records(part, among, _Hunt(Reach.EXACT, []))
            case Everything():
                return among

    def _leaf(self, leaf: Leaf, among: Mask, hunt: _Hunt) -> Mask:
        hunt.leaves.append(leaf)
        return among & self._with_page(*(pages for pages, _ in leaf.scores))

    def _with_page(self, *of_pages: Ints) -> Mask:
        """Return the records that have one of these pages."""
        records = np.zeros_like(self._visible)
        for pages in of_pages:
            records[self._record_of[pages]] = True
        return records

    def _counts(self, area: str, term: str) -> Counted:
        """Return how often each visible page has a term."""
        key = (area, term)
        if key not in self._read:
            counted = self._postings.counts(area, term)
            seen = self._seen_pages[counted.pages]
            if not seen.all():
                counted = Counted(counted.pages[seen], counted.counts[seen])
            self._read[key] = counted
        return self._read[key]

    def _term(self, term: Term, reach: Reach) -> Leaf:
        areas = ANYWHERE if term.field is None else (KEYED,)
        prefix = "" if term.field is None else term.field + SEPARATOR
        spellings: list[tuple[str, Ints]] = []
        scores: list[tuple[Ints, Floats]] = []
        for area in areas:
            slots = [
                self._sightings(area, prefix, term, place, reach)
                for place in range(len(term.tokens))
            ]
            if len(slots) > 1:
                pages = self._adjacent(area, prefix, slots)
                slots = [{w: _on(pages, counted) for w, counted in s.items()} for s in slots]
            for word, sightings in zip(term.tokens, slots, strict=True):
                counted = merged(word, sightings, len(self._record_of))
                if len(counted.pages):
                    score = bm25(counted, self._postings.lengths(area), AREAS[area])
                    scores.append((counted.pages, score))
                if area in (TEXT, KEYED):
                    spellings += ((other, c.pages) for other, c in sightings.items())
        return Leaf(spellings, scores)

    def _sightings(
        self, area: str, prefix: str, term: Term, place: int, reach: Reach
    ) -> dict[str, Counted]:
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
        return {word: counted for word, counted in seen.items() if len(counted.pages)}

    def _completions(self, area: str, beginning: str) -> list[str]:
        key = (area, beginning)
        if key not in self._whole:
            left = MOST_COMPLETIONS - sum(len(words) for words in self._whole.values())
            words = self._postings.completions(area, beginning) if left > 0 else []
            self._whole[key] = sorted(words, key=len)[:left]
        return self._whole[key]

    def _adjacent(self, area: str, prefix: str, slots: Sequence[Mapping[str, Counted]]) -> Ints:
        """Return the pages where a spelling of each word stands right after one of the last."""
        shared = reduce(np.logical_and, (self._pages_in(slot.values()) for slot in slots))
        ends: Ints | None = None
        for slot in slots if shared.any() else ():
            words = [self._postings.keys(area, prefix + word, shared) for word in slot]
            here = np.unique(np.concatenate(words))
            ends = here if ends is None else here[within(here, ends + 1)]
        return np.unique(ends >> PLACE_BITS) if ends is not None else np.zeros(0, np.int64)

    def _pages_in(self, sightings: Iterable[Counted]) -> Mask:
        pages = np.zeros_like(self._seen_pages)
        for counted in sightings:
            pages[counted.pages] = True
        return pages

    def _range(self, asked: Range) -> Leaf:
        pages = np.zeros_like(self._seen_pages)
        if asked.days:
            pages[self._postings.with_day(asked.field, *asked.days)] = True
        if asked.numbers:
            pages[self._postings.with_amount(asked.field, *asked.numbers)] = True
        met = np.flatnonzero(pages & self._seen_pages)
        return Leaf((), [(met, np.full(len(met), _RANGE_SCORE))])


def page_scores(found: Found, pages: int) -> Floats:
    """Return the score of each page of the index, 0 where no leaf has it."""
    totals = np.zeros(pages)
    for leaf in found.leaves:
        for on_pages, scores in leaf.scores:
            totals[on_pages] += scores
    return totals


def terms_on(found: Found, pages: Ints) -> list[frozenset[str]]:
    """Return the words, in the spelling met, that each of these pages was found by."""
    met: list[set[str]] = [set() for _ in pages]
    for leaf in found.leaves:
        for word, on_pages in leaf.spellings:
            for number in np.flatnonzero(within(pages, on_pages)):
                met[number].add(word)
    return [frozenset(words) for words in met]


def _on(pages: Ints, counted: Counted) -> Counted:
    """Return the counts of these pages alone."""
    kept = within(counted.pages, pages)
    return Counted(counted.pages[kept], counted.counts[kept])


def _most(found: Sequence[Mask], among: int) -> Mask:
    """Return the records that hold nearly as much of the words as any does.

    A word weighs by its rarity among the records, for 'the' should not stand in for a name.
    """
    weights = np.zeros(len(found[0]))
    for records in found:
        if count := int(records.sum()):
            weights[records] += math.log(1 + among / count)
    enough: Mask = weights >= ENOUGH * weights.max()
    return enough & (weights > 0)
