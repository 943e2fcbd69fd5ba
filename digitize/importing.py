"""The whole line: files in, records filed and found; what dies in the middle, a rerun finishes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from digitize import arranging, sources
from digitize import page as pages
from digitize.assemble import Reading, as_corrected, as_settled, assemble
from digitize.forms import Forms
from digitize.installation import Installation
from digitize.intake import Candidate, shown, take_in
from digitize.page import PageTask
from digitize.workers import Died, Limits, Workers
from records import arrivals, filing
from records.archive import Run
from records.errors import ArchiveError, InputError, StaleVersionError
from records.filing import Draft, Intake, Sighting
from records.model import Document, DocumentStatus, PageFailure, PageResult, TemplateText
from records.settings import Settings
from records.store import now
from search.generations import BrokenIndexError

_INDEX_EVERY_S = 2.0
# So often is the filing of a file tried whose records people are changing.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class InspectTask:
    """A file whose pages are to be counted, in a reading process."""

    original: Path
    name: str
    media_type: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file that was handed in: ``message`` is a sentence when it failed."""

    path: Path | None
    name: str
    sighting: Sighting | None
    records: tuple[Document, ...]
    message: str | None


@dataclass(slots=True)
class Tally:
    """What an import has done so far."""

    files: int = 0
    pages: int = 0
    records: int = 0
    duplicates: int = 0
    blanks: int = 0
    needs_review: int = 0
    failed: int = 0
    failed_pages: int = 0
    seconds: float = 0.0

    @property
    def pages_per_minute(self) -> float:
        return self.pages * 60 / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Open:
    """A file that is being read: what is still out, and where it was handed in.

    The words of the pages in ``known`` still hold. ``kept`` says why pages could not be read
    again whose earlier readings stay.
    """

    path: Path | None
    name: str
    sighting: Sighting
    media_type: str
    key: str = ""
    form: str | None = None
    out: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    kept: list[PageFailure] = field(default_factory=list)


Task = InspectTask | PageTask
Result = int | PageResult | PageFailure


def work(task: Task) -> Result:
    """Do one task in a reading process."""
    if isinstance(task, PageTask):
        return pages.work_on_page(task)
    try:
        return sources.count_pages(task.original, task.media_type, task.settings)
    except InputError as error:
        return PageFailure(0, "source", "unreadable", f"'{task.name}' {error}.")


def _versions(forms: Forms) -> list[TemplateText]:
    return [TemplateText(f.digest, f.name, f.printing, f.text, now()) for f in forms.values()]


class _Stopped(Exception):  # noqa: N818 - no fault
    """Somebody wants the run to end."""


class Importer:
    """One run over some files; also what feeds the reading processes."""

    def __init__(
        self,
        installation: Installation,
        intake: Intake,
        run: Run,
        on_outcome: Callable[[Outcome], None],
        on_progress: Callable[[Tally], None],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.installation = installation
        self.intake = intake
        self.run = run
        self.tally = Tally()
        self.index_fault = ""  # why the index could not follow at the end
        self._stop = stop
        self._on_outcome = on_outcome
        self._on_progress = on_progress
        self._viewer = installation.store.system_viewer(intake.actor)
        self._candidates: Iterator[Candidate] = iter(())
        self._pending: Iterator[str] = iter(())
        self._ready: deque[InspectTask | tuple[str, int]] = deque()  # a page: file and number
        self._open: dict[str, _Open] = {}

    def process(
        self, candidates: Iterable[Candidate], pending: Iterable[str], workers: int
    ) -> None:
        """Take in and read all candidates, and read the pending files (hashes) of earlier runs.

        Once ``stop`` says so it ends with the next page; what is left waits for the next run.
        """
        started = time.monotonic()
        filing.keep_templates(
            self.installation.store, self.intake.actor, _versions(self.installation.forms)
        )
        self._candidates, self._pending = iter(candidates), iter(pending)
        for sha256 in arrivals.overdue(
            self.installation.store
        ):  # a run ended before they were put in
            arranging.let_in(self.installation, sha256)
        pages.write_known_words(self.installation.store.verified_words(), self.run.folder)
        with suppress(_Stopped):
            self._read(workers, started)
        self.index_fault = self._sync(wait_s=0.0 if self._stop() else 10.0)
        self.tally.seconds = time.monotonic() - started

    def _read(self, workers: int, started: float) -> None:
        synced = started
        limits = self.installation.settings.limits
        archive = self.installation.archive
        writable = (archive.pages, self.run.folder, archive.quarantine)
        most = Limits(limits.memory_mb, limits.page_s, writable)
        with Workers(workers, most, self.run.folder) as pool:
            for task, result in pool.run(work, self):
                self._settle(task, result)
                self.tally.seconds = time.monotonic() - started
                self._on_progress(self.tally)
                if self._stop():
                    raise _Stopped  # ends what is in flight
                if time.monotonic() - synced >= _INDEX_EVERY_S:
                    self._sync()
                    synced = time.monotonic()

    def _sync(self, wait_s: float = 0.0) -> str:
        """Bring the index up to date; one that fails can be made good later: return why."""
        try:
            self.installation.finder.sync(wait_s=wait_s)
        except (ArchiveError, BrokenIndexError, OSError) as error:
            return str(error)
        return ""

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        """Return the next task; StopIteration may be followed by more, when a count comes in."""
        if self._stop():
            raise StopIteration
        while not self._ready:
            sha256 = next(self._pending, None)
            if sha256 is not None:
                self._take_up(sha256)
                continue
            candidate = next(self._candidates, None)
            if candidate is None:
                raise StopIteration
            self._accept(candidate)
        ready = self._ready.popleft()
        return ready if isinstance(ready, InspectTask) else self._page_task(*ready)

    def _accept(self, candidate: Candidate) -> None:
        name = shown(Path(candidate.path.name))
        self.tally.files += 1
        try:
            if candidate.fault:
                raise InputError(candidate.fault)
            file, sighting = take_in(
                self.installation, candidate.path, name, self.intake, self.run.folder
            )
        except InputError as error:
            self._end(Outcome(candidate.path, name, None, (), str(error)))
            return
        if sighting in (Sighting.NEW, Sighting.RESUMED):
            self._inspect(file.sha256, _Open(candidate.path, name, sighting, file.media_type))
            return
        message = None
        if sighting is Sighting.SET_ASIDE:
            tries = self.installation.settings.intake.tries
            message = (
                f"'{name}' failed {tries} times and is set aside; look at its record, "
                "then scan it again."
            )
        records = tuple(self.installation.store.documents_of(file.sha256, self._viewer))
        self._end(Outcome(candidate.path, name, sighting, records, message))

    def _take_up(self, sha256: str) -> None:
        store, archive = self.installation.store, self.installation.archive
        original = store.original(sha256)
        if original and filing.claim(store, sha256, self.run.name, archive.alive):
            self.tally.files += 1
            opened = _Open(None, original.name, Sighting.RESUMED, original.media_type)
            self._inspect(sha256, opened)

    def _inspect(self, sha256: str, opened: _Open) -> None:
        self._open[sha256] = opened
        path = self.installation.archive.original_path(sha256)
        settings = self.installation.settings
        self._ready.append(InspectTask(path, opened.name, opened.media_type, settings))

    def _settle(self, task: Task, result: Result | Died) -> None:
        sha256 = task.original.name
        opened = self._open[sha256]
        if isinstance(task, InspectTask):
            self._counted(sha256, opened, result)
        else:
            self._page_done(sha256, opened, task.number, result)
        if not opened.out and sha256 in self._open:
            self._file(sha256, opened)

    def _counted(self, sha256: str, opened: _Open, result: Result | Died) -> None:
        store = self.installation.store
        if not isinstance(result, int):
            failure = _failure(opened.name, 0, result)
            if filing.is_filed(store, sha256):
                failure = _still_kept(failure)
                filing.close_unread(store, self.intake.actor, sha256, failure)
            else:
                filing.fail_original(store, self.intake.actor, sha256, failure)
            del self._open[sha256]
            self.tally.failed_pages += 1
            records = tuple(store.documents_of(sha256, self._viewer))
            self._end(Outcome(opened.path, opened.name, opened.sighting, records, failure.message))
            return
        filing.count_pages(store, sha256, result)
        opened.form = filing.told(store, sha256).form or None
        settings = self.installation.settings
        opened.key = pages.reading_key(settings, self.installation.forms, opened.form)
        done = filing.page_keys(store, sha256)
        words = pages.words_key(settings)
        opened.out = {n for n in range(1, result + 1) if done.get(n) != opened.key}
        opened.known = {n for n in opened.out if done.get(n, "").startswith(words)}
        self._ready.extend((sha256, number) for number in sorted(opened.out))

    def _page_task(self, sha256: str, number: int) -> PageTask:
        opened = self._open[sha256]
        reading = None
        if number in opened.known:
            reading = filing.read_page(self.installation.store, sha256, number)
        return PageTask(
            original=self.installation.archive.original_path(sha256),
            name=opened.name,
            media_type=opened.media_type,
            number=number,
            form=opened.form,
            settings=self.installation.settings,
            forms=self.installation.forms,
            workspace=self.run.folder,
            known=reading if isinstance(reading, PageResult) else None,
            turned=filing.turns(self.installation.store, sha256).get(number),
        )

    def _page_done(self, sha256: str, opened: _Open, number: int, result: Result | Died) -> None:
        store = self.installation.store
        page = result if isinstance(result, PageResult) else _failure(opened.name, number, result)
        was_read = isinstance(page, PageFailure) and number in filing.page_keys(store, sha256)
        if isinstance(page, PageFailure) and was_read and filing.is_filed(store, sha256):
            opened.kept.append(_still_kept(page))
        else:
            filing.save_page(store, self.intake.actor, sha256, page, opened.key)
        opened.out.discard(number)
        self.tally.pages += 1
        self.tally.failed_pages += isinstance(page, PageFailure)
        self.tally.blanks += isinstance(page, PageResult) and page.blank

    def _file(self, sha256: str, opened: _Open) -> None:
        """Put the file's records together and file them, now that no page is out any more."""
        store = self.installation.store
        read = filing.read_pages(store, sha256)
        failure = next((p for p in read if isinstance(p, PageFailure)), None)
        for tries in range(_TRIES, 0, -1):
            try:
                self._file_pages(sha256, opened.name, read, failure)
                break
            except StaleVersionError:  # a person corrects or arranges its records at this moment
                if tries == 1:
                    raise
        arranging.let_in(self.installation, sha256)
        del self._open[sha256]
        records = tuple(store.documents_of(sha256, self._viewer))
        self.tally.records += len(records)
        self.tally.needs_review += sum(r.status is DocumentStatus.NEEDS_REVIEW for r in records)
        told = failure or next(iter(opened.kept), None)
        message = told.message if told else None
        self._end(Outcome(opened.path, opened.name, opened.sighting, records, message))

    def _file_pages(
        self, sha256: str, name: str, read: Sequence[Reading], failure: PageFailure | None
    ) -> None:
        """File what was read: as records of its own, or as people have arranged the pages."""
        store, actor = self.installation.store, self.intake.actor
        if filing.is_arranged(store, sha256):
            filed = arranging.drafts(self.installation, sha256)
            filing.refile_records(store, actor, sha256, filed, failure)
            return
        department = filing.told(store, sha256).department
        drafts = assemble(
            read, name, department, self.installation.forms, self.installation.settings
        )
        known = {d.part: d.id for d in store.documents(self._viewer, sha256=sha256)}
        filing.file_records(
            store, actor, sha256, [self._as_said(d, known.get(d.pages[0])) for d in drafts], failure
        )

    def _as_said(self, draft: Draft, document_id: int | None) -> Draft:
        """Return a draft with what people have said of its record before."""
        if document_id is None:
            return draft
        store = self.installation.store
        draft = as_settled(draft, store.settled(document_id))
        return as_corrected(draft, store.fields(document_id), self.installation.forms)

    def _end(self, outcome: Outcome) -> None:
        self.tally.failed += outcome.message is not None
        self.tally.duplicates += outcome.sighting in (Sighting.DUPLICATE, Sighting.BUSY)
        self._on_outcome(outcome)


def _still_kept(failure: PageFailure) -> PageFailure:
    """Return why something could not be read again, with what became of the earlier reading."""
    said = failure.message.rstrip(".")
    return replace(failure, message=f"{said}; the earlier reading is kept.")


def _failure(name: str, number: int, result: Result | Died) -> PageFailure:
    if isinstance(result, PageFailure):
        return result
    place = f"'{name}' page {number}" if number else f"'{name}'"
    if isinstance(result, Died):
        return PageFailure(number, "worker", result.kind, f"{place} {result.message}; look at it.")
    return PageFailure(number, "worker", "bug", f"{place} gave an unexpected result; look at it.")
