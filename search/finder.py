"""Find records: the one door through which all other rooms search."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from records.access import Action, Viewer, departments_for
from records.errors import ArchiveError, BusyError
from records.geometry import Box
from records.model import Document, DocumentStatus, IndexedDocument, PageWords
from records.settings import Settings
from search import generations
from search.generations import BrokenIndexError
from search.index import Answer, Beginning, Engine, Facet, Filters, Index, Match, Request
from search.pages import RECORD_FIELDS
from search.query import LONGEST_QUERY, Query, parse
from search.snippets import Fragment, boxes_of, hit_words, line_of, snippet
from search.text import last_word, tokens

__all__ = ["Facet", "Filters", "Finder", "Fragment", "Hit", "Results", "Source"]

CHUNK = 500  # records that are put into the index by one commit
REBUILD_CHUNK = 1000
PATIENCE_S = 20.0  # how long a search waits for another process that builds the first index
_TRIES = 5
_PAGES_AT_ONCE = 100  # whose words are in memory
_NO_WORDS = PageWords((), ())
Told = TypeVar("Told")
_ENGINES = {"whoosh": "search.whoosh_index"}


class Source(Protocol):
    """What the finder needs of the store; ``records.store`` has it."""

    @property
    def store_id(self) -> str:
        """Return what tells this store from any other."""

    def revision(self) -> int:
        """Return the highest rev of any record."""

    def changed_since(self, rev: int, limit: int) -> list[IndexedDocument]:
        """Return records with a higher rev, ordered by rev."""

    def summaries(self, ids: Sequence[int]) -> Mapping[int, Document]:
        """Return the records of these ids, those that exist."""

    def words(self, pages: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], PageWords]:
        """Return the words of pages named by (record, number), those that exist."""

    def field_names(self) -> frozenset[str]:
        """Return the names of all fields that any record has."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found, with the place on its best page.

    ``boxes`` are those of the hit words, in pixels of the stored page image, and ``line`` that of
    the line with the most of them.
    """

    document_id: int
    title: str
    form: str | None
    date: str | None
    department: str
    status: DocumentStatus
    source: str
    page: int
    snippet: tuple[Fragment, ...]
    boxes: tuple[Box, ...]
    line: Box | None
    score: float


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found; see ``search.index.Answer`` for the counts, near and suggestion."""

    query_text: str
    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[Facet, ...]]
    near: bool
    suggestion: str | None
    seconds: float


class Finder:
    """Searches, and keeps the index up with the store. Safe to share between threads."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._folder = settings.archive.folder / "index"
        self._engine = cast(Engine, importlib.import_module(_ENGINES[settings.search.engine]))
        self._day_first = settings.forms.day_first
        self._opening = threading.RLock()
        self._open: tuple[Path, Index] | None = None
        self._names: tuple[int, frozenset[str]] = (-1, frozenset())

    def search(
        self,
        text: str,
        viewer: Viewer,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        limit: int = 20,
        offset: int = 0,
        sort: str = "best",
    ) -> Results:
        """Find records that this person may see; an empty text finds all, the newest first.

        ``sort`` is one of ``search.index.SORTS``.

        A missing or broken index is rebuilt first. Raises BusyError when another process is
        building the first index and takes long.
        """
        began = time.perf_counter()
        departments = departments_for(viewer, Action.SEE)

        def asked(index: Index) -> tuple[Query, Answer]:
            query = parse(text, self._field_names(index), self._day_first)
            request = Request(query, departments, filters, max(0, limit), max(0, offset), sort)
            return query, index.search(request)

        query, answer = self._ask(asked)
        return Results(
            query_text=text,
            total=answer.total,
            hits=self._hits(answer.matches, query, departments),
            facets=answer.facets,
            near=answer.near,
            suggestion=answer.suggestion,
            seconds=time.perf_counter() - began,
        )

    def completions(self, text: str, viewer: Viewer, limit: int = 8) -> tuple[str, ...]:
        """Return ways to finish the last word of a text, those on most pages first.

        Each is the whole text, its last word finished with one that stands in records that this
        person may see. Raises what ``search`` raises.
        """
        last = last_word(text) if len(text) <= LONGEST_QUERY and limit > 0 else None
        if last is None or len(cut := tokens(last.typed)) != 1:
            return ()
        departments = departments_for(viewer, Action.SEE)

        def asked(index: Index) -> tuple[str, ...]:
            known = last.field if last.field in self._field_names(index) else None
            return index.completions(Beginning(cut[0], known, departments, limit))

        return tuple(last.finished(word) for word in self._ask(asked))

    def prepare(self) -> None:
        """Open the index, where there is one, and read ahead what the first searches need."""
        with contextlib.suppress(BrokenIndexError):
            if index := self._live():
                index.prepare()

    def sync(self, wait_s: float = 0.0) -> int:
        """Bring the index up to the store's revision; return how many records were put in.

        Returns 0 when another process is at it and does not finish within ``wait_s`` seconds.
        """
        with self._writing(wait_s) as mine:
            if not mine:
                return 0
            with contextlib.suppress(BrokenIndexError):
                index = self._live()
                if index is not None and index.revision <= self._source.revision():
                    generations.sweep(self._folder, self._kept())
                    return self._catch_up(index, CHUNK)
            return self._rebuild()

    def rebuild(self) -> int:
        """Build a new index from the store and put it in place of the live one.

        Returns how many records were put in. Raises BusyError when another process is writing.
        """
        with self._writing(PATIENCE_S) as mine:
            if not mine:
                raise BusyError("The search index is being written; try again in a moment.")
            return self._rebuild()

    def check(self, full: bool) -> list[str]:
        """Return a sentence for everything that is wrong with the index; change nothing.

        ``full`` reads every file of the index again and compares its SHA-256.
        """
        try:
            folder = generations.live(self._folder)
            if folder is None:
                nothing = not self._source.revision()
                return [] if nothing else ["There is no search index; it can be built anew."]
            if full and (faults := generations.full_check(folder)):
                return faults
            index = self._live()
        except BrokenIndexError as error:
            return [f"{error} It can be rebuilt from the store."]
        if index is None or index.revision > self._source.revision():
            return ["The search index is ahead of the store; it can be rebuilt."]
        behind = len(self._source.changed_since(index.revision, CHUNK))
        count = f"{behind} or more" if behind == CHUNK else str(behind)
        return [f"The search index is behind the store by {count} record(s)."] if behind else []

    def _ask(self, question: Callable[[Index], Told]) -> Told:
        """Return what the live index says."""
        for _ in range(_TRIES):
            index = self._index_for_search()
            with contextlib.suppress(BrokenIndexError):  # another process put a new one in place
                return question(index)
        raise BusyError("The search index is being rebuilt; try again in a moment.")

    def _index_for_search(self) -> Index:
        """Return the live index, building it when there is none that can be used."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                index = self._live()
            except BrokenIndexError:
                index = None
            if index is not None:
                return index
            with self._writing(0.0) as mine:
                if mine:
                    self._build_unless_done()
                    continue
            if time.monotonic() > until:
                raise BusyError("The search index is being built; try again in a moment.")
            time.sleep(0.1)

    def _build_unless_done(self) -> None:
        """Rebuild, unless another process has just done it before the lock became ours."""
        with contextlib.suppress(BrokenIndexError):
            if self._live() is not None:
                return
        self._rebuild()

    def _live(self) -> Index | None:
        """Return the live generation, opened, or None when there is none.

        Raises BrokenIndexError. Once open it stays so until another one is named live, and is
        proved anew whenever something was committed to it.
        """
        folder = generations.live(self._folder)
        with self._opening:
            if folder is None:
                self._open = None
                return None
            if self._open is None or self._open[0] != folder:
                self._open = None
                self._open = (folder, self._engine.open_index(folder, self._source.store_id))
            index = self._open[1]
        try:
            _ = index.revision
        except BrokenIndexError:
            self._open = None
            raise
        return index

    def _rebuild(self) -> int:
        """Build the next generation beside the live one, and swap; the lock must be ours."""
        generations.sweep(self._folder, self._kept())
        folder = generations.next_folder(self._folder)
        index = self._engine.create(folder, self._source.store_id)
        count = self._catch_up(index, REBUILD_CHUNK)
        generations.make_live(self._folder, folder)
        with self._opening:
            self._open = (folder, index)
        return count

    def _kept(self) -> Path | None:
        with contextlib.suppress(BrokenIndexError):
            return generations.live(self._folder)
        return None

    def _catch_up(self, index: Index, chunk: int) -> int:
        count = 0
        while documents := self._source.changed_since(index.revision, chunk):
            try:
                index.update(documents, documents[-1].rev)
            except OSError as error:
                raise ArchiveError(
                    f"The search index cannot be written ({error.strerror}); "
                    f"make room or give the right to write in '{self._folder}', then try again."
                ) from error
            count += len(documents)
        return count

    @contextlib.contextmanager
    def _writing(self, wait_s: float) -> Iterator[bool]:
        """Hold the right to write the index, of all processes and threads; yield whether we do."""
        self._folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + wait_s
        with (self._folder / "lock").open("a") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= until:
                        yield False
                        return
                    time.sleep(0.05)
                else:
                    yield True
                    return

    def _field_names(self, index: Index) -> frozenset[str]:
        revision = index.revision
        if self._names[0] != revision:
            self._names = (revision, self._source.field_names() | RECORD_FIELDS)
        return self._names[1]

    def _hits(
        self, matches: Sequence[Match], query: Query, departments: frozenset[str]
    ) -> tuple[Hit, ...]:
        """Return the hits as the store has them now.

        A record that has gone, or has moved to a department that this person may not see, since
        it was indexed, is left out.
        """
        known = self._source.summaries([match.document_id for match in matches])
        seen = [m for m in matches if _may_see(known.get(m.document_id), departments)]
        hits: list[Hit] = []
        for begin in range(0, len(seen), _PAGES_AT_ONCE):
            run = seen[begin : begin + _PAGES_AT_ONCE]
            words = self._source.words([(match.document_id, match.page) for match in run])
            for match in run:
                page = words.get((match.document_id, match.page), _NO_WORDS)
                hits.append(_hit(known[match.document_id], match, query, page))
        return tuple(hits)


def _may_see(document: Document | None, departments: frozenset[str]) -> bool:
    return document is not None and document.department in departments


def _hit(document: Document, match: Match, query: Query, page: PageWords) -> Hit:
    words = hit_words(page, query.root, match.terms)
    return Hit(
        document_id=document.id,
        title=document.title,
        form=document.form,
        date=document.date,
        department=document.department,
        status=document.status,
        source=document.source,
        page=match.page,
        snippet=snippet(page, words),
        boxes=boxes_of(page, words),
        line=line_of(page, words),
        score=match.score,
    )
