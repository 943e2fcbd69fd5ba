"""What a person at the desk does to a record; the command line and the site call the same."""

from __future__ import annotations

from dataclasses import replace

from digitize.assemble import record_date, record_status, record_title
from digitize.extract import judge
from digitize.forms import form_named
from digitize.installation import Installation
from digitize.values import Reading, normalise
from records import filing
from records.access import Viewer
from records.errors import NotFoundError
from records.model import Document, Field, FieldStatus


def correct_field(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    name: str,
    value: str,
    version: int,
) -> Document:
    """Write what a person says that a field holds, normalised as the form would.

    What the machine read stays beside it, as ``raw``.

    A value that breaks a rule is kept, since the paper may; the field's reasons then say so.
    Raises NotFoundError, NotAllowedError, and StaleVersionError when the record is no longer at
    ``version``.
    """
    document = replace(installation.store.document(document_id, viewer), version=version)
    fields = installation.store.fields(document_id)
    old = next((f for f in fields if f.name == name), None)
    if old is None:
        known = ", ".join(f.name for f in fields) or "none"
        raise NotFoundError(f"Record {document_id} has no field '{name}'; it has: {known}.")
    new = _corrected(installation, document, old, value, viewer)
    fields = tuple(new if f.name == name else f for f in fields)
    form = form_named(
        installation.forms, document.form, installation.store.template_of(document.id)
    )
    after = replace(
        document,
        title=record_title(form, fields) or document.title,
        date=record_date(form, fields) if form else document.date,
        status=record_status(fields, document.reasons),
    )
    return filing.correct(installation.store, viewer, document, new, after)


def _corrected(
    installation: Installation, document: Document, old: Field, value: str, viewer: Viewer
) -> Field:
    settings = installation.settings.forms
    customs = Reading(settings.day_first, settings.region)
    form = form_named(
        installation.forms, document.form, installation.store.template_of(document.id)
    )
    template = form.field(old.name) if form else None
    if template is None:
        found, fault = normalise(old.kind, value, customs, typed=True).text, None
    else:
        found, fault = judge(template, value, customs, typed=True)
    return replace(
        old,
        value=found,
        confidence=1.0,
        status=FieldStatus.CORRECTED,
        reasons=(f"breaks a rule: {fault}",) if fault else (),
        reader=f"person {viewer.name}",
    )
