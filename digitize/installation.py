"""Everything an installation is made of, opened together from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digitize.form_file import load_forms
from digitize.forms import FormTemplate
from records.archive import Archive
from records.settings import Settings
from records.store import Store
from search.finder import Finder


@dataclass(frozen=True, slots=True)
class Installation:
    """One archive with its settings, database, form templates and index."""

    settings: Settings
    archive: Archive
    store: Store
    forms: Mapping[str, FormTemplate]
    finder: Finder


def open_installation(settings: Settings) -> Installation:
    """Open an archive, or make it when it is new; raises what a person can mend."""
    forms = load_forms(settings)
    archive = Archive(settings.archive.folder, settings.archive.free_mb)
    archive.prepare()
    new = not archive.database.exists()
    store = Store(archive.database, settings.departments)
    archive.bind(store.store_id, new or store.is_empty())
    return Installation(settings, archive, store, forms, Finder(store, settings))
