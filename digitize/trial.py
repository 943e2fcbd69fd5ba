"""Files read on trial: in an archive of their own that is gone afterwards."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from digitize.forms import Forms
from digitize.importing import Importer, Outcome
from digitize.installation import Installation
from digitize.intake import shown, walk
from records import filing
from records.archive import Archive
from records.filing import Intake
from records.model import Document, Field, PageFailure, PageResult
from records.settings import Settings
from records.store import Store
from search.finder import Finder


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A record as it would be filed, with its fields."""

    document: Document
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class TrialFile:
    """One file: its pages with their pictures (PNG, None where one failed), and its records.

    ``message`` is a sentence when the file could not be read.
    """

    name: str
    sha256: str | None
    pages: tuple[PageResult | PageFailure, ...]
    pictures: tuple[bytes | None, ...]
    records: tuple[TrialRecord, ...]
    message: str | None


def read_on_trial(
    settings: Settings, forms: Forms, files: Sequence[Path], workers: int, form: str | None = None
) -> tuple[TrialFile, ...]:
    """Read files as an import would, with these templates; nothing of it is kept.

    ``form`` is what the files are said to be. Raises what an import does.
    """
    with tempfile.TemporaryDirectory(prefix="digitize-trial-") as folder:
        installation = _installation(settings, forms, Path(folder))
        outcomes: list[Outcome] = []
        candidates = list(walk(files))
        try:
            with _ended_by_signals(), installation.archive.run() as run:
                intake = Intake("trial", "trial", None, form, run.name)
                importer = Importer(installation, intake, run, outcomes.append, lambda _t: None)
                importer.process(candidates, (), workers)
            found = [_file(installation, outcome) for outcome in outcomes]
        finally:
            installation.store.close()
    order = {shown(Path(c.path.name)): i for i, c in reversed(list(enumerate(candidates)))}
    return tuple(sorted(found, key=lambda file: order.get(file.name, len(order))))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let the signal that ends a process raise, so that nothing of a trial is left behind."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _installation(settings: Settings, forms: Forms, folder: Path) -> Installation:
    own = replace(settings, archive=replace(settings.archive, folder=folder / "archive"))
    archive = Archive(own.archive.folder, own.archive.free_mb)
    archive.prepare()
    store = Store(archive.database, own.departments)
    archive.bind(store.store_id, True)
    return Installation(own, archive, store, forms, Finder(store, own))


def _file(installation: Installation, outcome: Outcome) -> TrialFile:
    store, archive = installation.store, installation.archive
    sha256 = outcome.records[0].sha256 if outcome.records else None
    pages = tuple(filing.read_pages(store, sha256)) if sha256 else ()
    pictures = tuple(
        archive.image_path(page.image).read_bytes() if isinstance(page, PageResult) else None
        for page in pages
    )
    viewer = store.system_viewer("trial")
    filed = store.documents(viewer, sha256=sha256) if sha256 else []
    records = tuple(TrialRecord(record, store.fields(record.id)) for record in filed)
    return TrialFile(outcome.name, sha256, pages, pictures, records, outcome.message)
