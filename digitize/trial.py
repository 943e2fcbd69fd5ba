"""Files read on trial: in an archive of their own that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from digitize.forms import Forms
from digitize.importing import Importer, Outcome
from digitize.installation import Installation
from digitize.intake import walk
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
        candidates = walk(files)
        with installation.archive.run() as run:
            intake = Intake("trial", "trial", None, form, run.name)
            importer = Importer(installation, intake, run, outcomes.append, lambda _tally: None)
            importer.process(candidates, (), workers)
        try:
            found = [_file(installation, outcome) for outcome in outcomes]
        finally:
            installation.store.close()
    return tuple(sorted(found, key=lambda file: file.name))


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
    records = tuple(TrialRecord(record, store.fields(record.id)) for record in outcome.records)
    return TrialFile(outcome.name, pages, pictures, records, outcome.message)
