"""Files that are kept, read once more: with new templates, new settings or a newer digitize.

Only what would come out otherwise is done: pages whose words still hold keep them, and their form
alone is looked for anew. What people have said stays. What changed of each record is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from digitize.importing import Importer, Outcome, Tally
from digitize.installation import Installation
from digitize.page import reading_key
from records import filing
from records.archive import Run
from records.filing import Intake
from records.model import Document, Field, FieldStatus

WHY = "asked for"


@dataclass(frozen=True, slots=True)
class Difference:
    """What another reading changed of one record: a sentence's part for each thing."""

    record: int
    title: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reread:
    """One file that was read again: ``message`` says what went wrong, if anything did."""

    name: str
    records: int
    differences: tuple[Difference, ...]
    message: str | None


@dataclass(frozen=True, slots=True)
class _Before:
    """A record as it was: its fields by name, the text of its pages by number."""

    document: Document
    fields: dict[str, Field]
    texts: dict[int, str]


def outdated(installation: Installation, documents: Iterable[Document]) -> list[str]:
    """Return the files (hashes) of records that were read otherwise than they would be now."""
    store = installation.store
    files = dict.fromkeys(file.sha256 for d in documents for file in store.files(d.id))
    present: dict[str, str] = {}
    return [sha256 for sha256 in files if _is_outdated(installation, sha256, present)]


def _is_outdated(installation: Installation, sha256: str, present: dict[str, str]) -> bool:
    """Say so of one file, also where another reading of it did not come to its end.

    ``present`` keeps the key of a reading now, by the form that a person told.
    """
    store = installation.store
    told = filing.told(store, sha256).form
    if told not in present:
        present[told] = reading_key(installation.settings, installation.forms, told or None)
    original, keys = store.original(sha256), filing.page_keys(store, sha256)
    if original is None or original.state != "read" or not original.page_count:
        return True
    return any(keys.get(n) != present[told] for n in range(1, original.page_count + 1))


class Rereader:
    """One run over kept files, which tells of each what its reading has changed."""

    def __init__(
        self, installation: Installation, actor: str, run: Run, on_file: Callable[[Reread], None]
    ) -> None:
        self.installation = installation
        self.busy = 0  # files that another run is reading at this moment
        self._viewer = installation.store.system_viewer(actor)
        self._actor = actor
        self._run = run
        self._on_file = on_file
        self._before: dict[str, list[_Before]] = {}
        self._importer = Importer(
            installation, Intake(actor, "", None, None, run.name), run, self._ended, lambda _: None
        )

    def process(self, files: Sequence[str], workers: int) -> Tally:
        """Read files (by their hashes) again; return what was done."""
        self._importer.process((), self._opened(files), workers)
        return self._importer.tally

    @property
    def index_fault(self) -> str:
        """Why search could not follow at the end; empty when it could."""
        return self._importer.index_fault

    def _opened(self, files: Sequence[str]) -> Iterator[str]:
        """Yield files that are open for reading, noting how their records are before."""
        store, alive = self.installation.store, self.installation.archive.alive
        for sha256 in files:
            before = [self._record(d) for d in store.documents_of(sha256, self._viewer)]
            if filing.open_again(store, self._actor, sha256, WHY, self._run.name, alive):
                self._before[sha256] = before
                yield sha256
            else:
                self.busy += 1

    def _record(self, document: Document) -> _Before:
        store = self.installation.store
        fields = {field.name: field for field in store.fields(document.id)}
        texts = {
            page.number: "\n".join(line.text for line in store.lines(document.id, page.number))
            for page in store.pages(document.id)
        }
        return _Before(document, fields, texts)

    def _ended(self, outcome: Outcome) -> None:
        sha256 = outcome.records[0].sha256
        known = {before.document.id: before for before in self._before.pop(sha256, ())}
        differences = [
            Difference(now.document.id, now.document.title, changes)
            for now in map(self._record, outcome.records)
            if (changes := tuple(_changes(known.get(now.document.id), now)))
        ]
        told = Reread(outcome.name, len(outcome.records), tuple(differences), outcome.message)
        self._on_file(told)


def _changes(before: _Before | None, now: _Before) -> Iterator[str]:
    """Say what is otherwise than before: form, date, department, status, pages, fields, text."""
    if before is None:
        yield "is a record of its own now"
        return
    for name in ("form", "title", "date", "department", "status"):
        old, new = getattr(before.document, name), getattr(now.document, name)
        if old != new:
            yield f"{name}: {_shown(old)} -> {_shown(new)}"
    for name in dict.fromkeys((*before.fields, *now.fields)):
        yield from _field_change(name, before.fields.get(name), now.fields.get(name))
    if list(before.texts) != list(now.texts):
        yield f"pages: {_numbers(before.texts)} -> {_numbers(now.texts)}"
    changed = [n for n, text in now.texts.items() if before.texts.get(n, text) != text]
    if changed:
        yield f"text of page {_numbers(changed)}"


def _field_change(name: str, old: Field | None, new: Field | None) -> Iterator[str]:
    if new is None:
        yield f"{name}: {_shown(old.value if old else None)} -> no such field"
    elif old is None:
        yield f"{name}: new, {_shown(new.value)}"
    elif old.value != new.value:
        yield f"{name}: {_shown(old.value)} -> {_shown(new.value)}"
    elif old.status != new.status and FieldStatus.CORRECTED not in (old.status, new.status):
        yield f"{name}: {old.status} -> {new.status}"


def _shown(value: str | None) -> str:
    return f"'{value}'" if value else "nothing"


def _numbers(pages: Sequence[int] | dict[int, str]) -> str:
    return ", ".join(map(str, pages)) or "none"
