"""What an index keeps of a page: its words by area, and the facts that filters and ranges need."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from records.model import DocumentStatus, IndexedDocument
from search.evaluate import KEYED, SEPARATOR, TEXT, TITLE, VALUES
from search.text import tokens
from search.values import iso_date, number

_GAP = 8  # places between two values, so that no phrase reaches from one into the next
RECORD_FIELDS = frozenset(
    {
        "form",
        "department",
        "status",
        "year",
        "date",
        "batch",
        "source",
        "title",
        "id",
        "label",
        "note",
        "tag",
    }
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
    values[numbers[0]] += (*document.notes, *document.tags)
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
    put_on = [("note", note) for note in document.notes] + [("tag", tag) for tag in document.tags]
    return [(name, value) for name, value in known.items() if value] + put_on


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
