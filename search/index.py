"""What every search engine is asked, what it answers, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from records.model import IndexedDocument
from search.query import Query

FACETS = ("form", "year", "department", "status")
SORTS = ("best", "newest", "oldest")  # what fits best, or by the records' own dates


@dataclass(frozen=True, slots=True)
class Filters:
    """Values that a record must have; an empty tuple accepts any.

    "" is the form of a record without one, and the year of a record without a date.
    """

    form: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    status: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One search; ``departments`` are those whose records this person may see.

    ``sort`` is one of SORTS; records without a date come last.
    """

    query: Query
    departments: frozenset[str]
    filters: Filters
    limit: int
    offset: int
    sort: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a word, one token, to be finished; ``field`` is None for anywhere.

    ``departments`` are those whose records this person may see.
    """

    token: str
    field: str | None
    departments: frozenset[str]
    limit: int


@dataclass(frozen=True, slots=True)
class Match:
    """A record that was found, with its best page and the words that were met on it."""

    document_id: int
    page: int
    score: float
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facet:
    """A value that found records have, and how many records have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found.

    ``total`` and the facets count records. A facet's counts heed the other filters but not its
    own, so that they say what choosing another value would give. ``near`` says that nothing was
    found as typed and the matches are similar instead. ``suggestion`` is the typed text with a
    misspelt word put right; it finds something among the records this person may see.
    """

    total: int
    matches: tuple[Match, ...]
    facets: Mapping[str, tuple[Facet, ...]]
    near: bool
    suggestion: str | None


class Index(Protocol):
    """A full-text index of records, derived from the store.

    Everything that it tells (matches, totals, facets, suggestions, completions) is computed from
    records of the departments asked for alone. Safe to use from several threads.
    """

    @property
    def revision(self) -> int:
        """Return the store's revision up to which all records are in the index."""

    def search(self, request: Request) -> Answer:
        """Find records in the order asked for; the best of an empty query are the newest filed."""

    def completions(self, beginning: Beginning) -> tuple[str, ...]:
        """Return longer words that begin so, those on most pages first.

        A thousand of the commonest words of all records are looked at, at most, so that it takes
        no long time: rare words of one department alone may be passed over.
        """

    def prepare(self) -> None:
        """Read ahead what the first searches would have to wait for."""

    def update(self, documents: Sequence[IndexedDocument], revision: int) -> None:
        """Put records in, in place of what was known of them; durable on return.

        Only one process at a time may call this; ``Finder`` sees to it.
        """

    def close(self) -> None:
        """Let go of the files."""


class Engine(Protocol):
    """How indexes of one kind are made and opened; each has a folder of its own."""

    def create(self, folder: Path, store_id: str) -> Index:
        """Make an empty index in a folder that does not exist yet."""

    def open_index(self, folder: Path, store_id: str) -> Index:
        """Open an index whose files are proved whole, or raise BrokenIndexError."""
