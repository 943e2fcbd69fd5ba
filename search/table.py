"""The pages of an index and their records: what filters, facets, ranges and orders need of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from search.arrays import GONE, Floats, Ints, Mask, joined
from search.index import FACETS, Filters
from search.pages import PageEntry


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The facts of the pages of one segment of an index.

    ``facets`` holds the values of each of FACETS, and for each page which one it has; ``days`` and
    ``amounts`` hold by field the pages that have such a value, ascending, and the values.
    """

    records: Ints
    numbers: Ints
    facets: tuple[tuple[Sequence[str], Ints], ...]
    days: Mapping[str, tuple[Ints, Ints]]
    amounts: Mapping[str, tuple[Ints, Floats]]


class PageTable:
    """The pages and records of an index as of one commit, by numbers; see ``search.arrays``."""

    def __init__(self, parts: Sequence[Columns], alive: Mask) -> None:
        ids = joined([part.records for part in parts])[alive]
        known, first, places = np.unique(ids, return_index=True, return_inverse=True)
        self.record_ids: Ints = np.append(known, GONE)
        self.record_of: Ints = np.full(len(alive), GONE)
        self.record_of[alive] = places
        self._parts = parts
        self._numbers = joined([part.numbers for part in parts])
        a_page_of = np.flatnonzero(alive)[first]
        self._facets = [
            _one_facet([part.facets[place] for part in parts], a_page_of)
            for place in range(len(FACETS))
        ]

    @cached_property
    def days_of_records(self) -> Ints:
        """Return the day of each record as a number; 0 for those without a date."""
        found: Ints = np.zeros(len(self.record_ids), np.int64)
        pages, days = self._values("days", "date")
        found[self.record_of[pages[::-1]]] = days[::-1]  # of several the first, which comes last
        found[GONE] = 0
        return found

    def page_numbers(self, pages: Ints) -> Ints:
        """Return the number of each page in its record."""
        return self._numbers[pages]

    def pages_of(self, ids: Iterable[int]) -> Ints:
        """Return the pages of the records of these ids."""
        wanted: Mask = np.isin(self.record_ids, list(ids))
        wanted[GONE] = False
        return np.flatnonzero(wanted[self.record_of])

    def best_pages(self, records: Ints, scores: Floats) -> Ints:
        """Return the page of each record that has the highest score, or is its first without."""
        wanted = self.none()
        wanted[records] = True
        pages = np.flatnonzero(wanted[self.record_of])
        of_page, score = self.record_of[pages], scores[pages]
        by_number = np.where(score > 0, 0, self._numbers[pages])
        order = np.lexsort((by_number, -score, of_page))
        known, first = np.unique(of_page[order], return_index=True)
        best: Ints = pages[order[first]]
        return best[np.searchsorted(known, records)]

    def none(self) -> Mask:
        """Return a set of records that is empty."""
        return np.zeros(len(self.record_ids), bool)

    def holding(self, facet: str, values: Iterable[str]) -> Mask:
        """Return the records that have one of these values."""
        known, codes = self._facets[FACETS.index(facet)]
        wanted = set(values)
        return np.array([*(value in wanted for value in known), False])[codes]

    def accepted(self, records: Mask, filters: Filters, but: str = "") -> Mask:
        """Return the records that pass all filters, or all but one."""
        for facet in FACETS:
            values: tuple[str, ...] = getattr(filters, facet)
            if values and facet != but:
                records = records & self.holding(facet, values)
        return records

    def counted(self, facet: str, records: Mask) -> Iterator[tuple[str, int]]:
        """Yield the values that these records have, and how many have each."""
        known, codes = self._facets[FACETS.index(facet)]
        counts = np.bincount(codes[records], minlength=len(known)).tolist()
        return ((value, count) for value, count in zip(known, counts, strict=True) if count)

    def with_day(self, field: str, low: str | None, high: str | None) -> Ints:
        """Return the pages where a field is a day from low to high (ISO), both included."""
        pages, days = self._values("days", field)
        limits = (None if day is None else day_number(day) for day in (low, high))
        return _between(pages, days, *limits)

    def with_amount(self, field: str, low: float | None, high: float | None) -> Ints:
        """Return the pages where a field is a number from low to high, both included."""
        return _between(*self._values("amounts", field), low, high)

    def _values(self, kind: str, field: str) -> tuple[Ints, Any]:
        """Return (pages, values) of all segments; also of pages that are no more."""
        pages, values, offset = [], [], 0
        for part in self._parts:
            if field in (of_fields := getattr(part, kind)):
                pages.append(of_fields[field][0] + offset)
                values.append(of_fields[field][1])
            offset += len(part.records)
        return joined(pages), joined(values)


def columns(entries: Iterable[PageEntry]) -> Columns:
    """Put the facts of a segment's pages together."""
    records, numbers = [], []
    known: list[dict[str, int]] = [{} for _ in FACETS]
    codes: list[list[int]] = [[] for _ in FACETS]
    days: dict[str, list[tuple[int, int]]] = defaultdict(list)
    amounts: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for page, entry in enumerate(entries):
        records.append(entry.record)
        numbers.append(entry.number)
        for place, value in enumerate(entry.facets):
            codes[place].append(known[place].setdefault(value, len(known[place])))
        for name, told in entry.values:
            if isinstance(told, str):
                days[name].append((page, day_number(told)))
            else:
                amounts[name].append((page, told))
    facets = ((tuple(k), np.array(c, np.int64)) for k, c in zip(known, codes, strict=True))
    return Columns(
        np.array(records, np.int64),
        np.array(numbers, np.int64),
        tuple(facets),
        {name: _apart(pairs, np.int64) for name, pairs in days.items()},
        {name: _apart(pairs, np.float64) for name, pairs in amounts.items()},
    )


def day_number(iso: str) -> int:
    """Return a day (ISO) as a number that sorts as days do."""
    return int(iso.replace("-", ""))


def _one_facet(
    parts: Sequence[tuple[Sequence[str], Ints]], a_page_of: Ints
) -> tuple[Sequence[str], Ints]:
    """Return the values of a facet in all segments, and for each record which one it has."""
    known: dict[str, int] = {}
    codes = []
    for values, of_pages in parts:
        shared = [known.setdefault(value, len(known)) for value in values]
        codes.append(np.array(shared, np.int64)[of_pages])
    return tuple(known), np.append(joined(codes)[a_page_of], len(known))


def _apart(pairs: list[tuple[int, int]] | list[tuple[int, float]], kind: type) -> tuple[Ints, Any]:
    pages, values = zip(*pairs, strict=True)
    return np.array(pages, np.int64), np.array(values, kind)


def _between(pages: Ints, values: Ints | Floats, low: float | None, high: float | None) -> Ints:
    chosen: Mask = np.ones(len(pages), bool)
    if low is not None:
        chosen &= values >= low
    if high is not None:
        chosen &= values <= high
    return np.unique(pages[chosen])
