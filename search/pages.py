"""What an index keeps of a page: its words by area, and the facts that filters and ranges need."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from records.model import DocumentStatus, IndexedDocument
from search.evaluate import KEYED, SEPARATOR, TEXT, TITLE, VALUES
from search.index import FACETS, Filters
from search.text import tokens
from search.values import iso_date, number

GONE = -1
_GAP = 8  # places between two values, so that no phrase reaches from one into the next
RECORD_FIELDS = frozenset(
    {"form", "department", "status", "year", "date", "batch", "source", "title", "id", "label"}
)
Placed = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class PageEntry:
    """The facts of one page of a record, as an index stores them.

    ``values`` are (field, day or number) for ranges; ``facets`` stand in the order of FACETS.
    """

    record: int
    number: int
    facets: tuple[str, ...]
    values: tuple[tuple[str, str | float], ...]

    def to_bytes(self) -> bytes:
        """Return the facts as an index column keeps them."""
        return json.dumps([self.record, self.number, self.facets, self.values]).encode()

    @classmethod
    def from_bytes(cls, facts: bytes) -> PageEntry:
        """Return the facts that ``to_bytes`` made."""
        record, page, facets, values = json.loads(facts)
        return cls(record, page, tuple(facets), tuple((name, value) for name, value in values))


@dataclass(frozen=True, slots=True)
class NewPage:
    """A page to be indexed: its facts, and its words with their places by area."""

    entry: PageEntry
    areas: Mapping[str, Placed]


class PageTable:
    """The pages of an index by their number in it, and their records by facet."""

    def __init__(self, entries: Sequence[PageEntry | None]) -> None:
        self._entries = entries
        self.record_of = [GONE if entry is None else entry.record for entry in entries]
        self.first_page: dict[int, int] = {}
        self.facets: dict[int, tuple[str, ...]] = {}
        self._holders: tuple[dict[str, set[int]], ...] = tuple(defaultdict(set) for _ in FACETS)
        for page, entry in enumerate(entries):
            if entry is None:
                continue
            record = entry.record
            if record in self.facets:
                known = entries[self.first_page[record]]
                if known is None or entry.number < known.number:
                    self.first_page[record] = page
                continue
            self.first_page[record] = page
            self.facets[record] = entry.facets
            for holders, value in zip(self._holders, entry.facets, strict=True):
                holders[value].add(record)
        self._days: dict[str, list[tuple[str, int]]] | None = None
        self._numbers: dict[str, list[tuple[float, int]]] = {}
        self._dates: dict[int, str] | None = None

    @property
    def dates(self) -> Mapping[int, str]:
        """Return the day (ISO) of each record that has one."""
        if self._dates is None:
            found: dict[int, str] = {}
            for entry in filter(None, self._entries):
                for name, value in entry.values:
                    if name == "date" and isinstance(value, str):
                        found.setdefault(entry.record, value)
            self._dates = found
        return self._dates

    def page_number(self, page: int) -> int:
        """Return the page's number in its record."""
        entry = self._entries[page]
        return entry.number if entry else 0

    def pages_of(self, records: AbstractSet[int]) -> Iterator[int]:
        """Yield the pages of these records."""
        return (page for page, record in enumerate(self.record_of) if record in records)

    def holding(self, facet: str, values: Iterable[str]) -> set[int]:
        """Return the records that have one of these values."""
        holders = self._holders[FACETS.index(facet)]
        return set[int]().union(*(holders.get(value, ()) for value in values))

    def accepted(
        self, records: AbstractSet[int], filters: Filters, but: str = ""
    ) -> AbstractSet[int]:
        """Return the records that pass all filters, or all but one."""
        for facet in FACETS:
            values: tuple[str, ...] = getattr(filters, facet)
            if values and facet != but:
                records = records & self.holding(facet, values)
        return records

    def days(self, field: str) -> Sequence[tuple[str, int]]:
        """Return (ISO day, page) of every page with such a value, sorted."""
        self._spread()
        return (self._days or {}).get(field, [])

    def numbers(self, field: str) -> Sequence[tuple[float, int]]:
        """Return (number, page) of every page with such a value, sorted."""
        self._spread()
        return self._numbers.get(field, [])

    def _spread(self) -> None:
        if self._days is not None:
            return
        days: dict[str, list[tuple[str, int]]] = defaultdict(list)
        numbers: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for page, entry in enumerate(self._entries):
            for name, value in entry.values if entry else ():
                if isinstance(value, str):
                    days[name].append((value, page))
                else:
                    numbers[name].append((value, page))
        for of_days in days.values():
            of_days.sort()
        for of_numbers in numbers.values():
            of_numbers.sort()
        self._numbers, self._days = numbers, days  # in this order, for threads beside this one


def pages_of(document: IndexedDocument) -> Iterator[NewPage]:
    """Yield what is indexed of a record, a page at a time.

    What is known of the whole record stands with its first page, and a field with the page that
    it was read on. A record without pages yet is found by what is known of it; one whose pages a
    person has put into other records is not found.
    """
    if not document.pages and document.status is DocumentStatus.FILED:
        return
    facets = (
        document.form or "",
        (document.date or "")[:4],
        document.department,
        str(document.status),
    )
    pages = document.pages or ((1, ""),)
    numbers = [page for page, _ in pages]
    keyed: dict[int, list[tuple[str, str]]] = defaultdict(list)
    keyed[numbers[0]] = _of_record(document)
    values: dict[int, list[str]] = defaultdict(list)
    for field in document.fields:
        page = field.page if field.page in numbers else numbers[0]
        keyed[page].append((field.name, field.value))
        values[page].append(field.value)
    for told, pair in document.pairs:
        page = told if told in numbers else numbers[0]
        keyed[page].append(("label", f"{pair.label} {pair.value}"))
    for page, text in pages:
        first = page == numbers[0]
        spread = tuple(pair for name, value in keyed[page] for pair in _spread_of(name, value))
        areas = {
            TEXT: list(enumerate(tokens(text))),
            TITLE: list(enumerate(tokens(document.title))) if first else [],
            VALUES: _placed([("", value) for value in values[page]]),
            KEYED: _placed(keyed[page]),
        }
        yield NewPage(PageEntry(document.id, page, facets, spread), areas)


def _of_record(document: IndexedDocument) -> list[tuple[str, str]]:
    """Return (field, value) of what every record has."""
    known = {
        "form": document.form,
        "department": document.department,
        "status": str(document.status),
        "year": (document.date or "")[:4],
        "date": document.date,
        "batch": document.batch,
        "source": document.source,
        "title": document.title,
        "id": str(document.id),
    }
    return [(name, value) for name, value in known.items() if value]


def _placed(pairs: Iterable[tuple[str, str]]) -> Placed:
    """Return the words of several values with their places, each under its field's name."""
    placed: Placed = []
    place = 0
    for name, value in pairs:
        prefix = name + SEPARATOR if name else ""
        for word in tokens(value):
            placed.append((place, prefix + word))
            place += 1
        place += _GAP
    return placed


def _spread_of(name: str, value: str) -> Iterator[tuple[str, Any]]:
    if day := iso_date(value.strip()):
        yield name, day
    elif (amount := number(value)) is not None:
        yield name, amount
