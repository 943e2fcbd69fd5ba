"""What a person at the desk does to a record; the command line and the site call the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digitize.assemble import first_words, record_date, record_status, record_title
from digitize.extract import judge
from digitize.forms import form_named
from digitize.installation import Installation
from digitize.values import Reading, normalise
from records import checking, correcting, rewriting
from records.access import Action, Viewer, require
from records.checking import DISAGREE, Check, CheckKind
from records.correcting import BY_RECORD, How
from records.errors import BusyError, NotFoundError, StaleVersionError
from records.model import Document, Field, FieldStatus
from records.rewriting import SaidLine

TWO_PEOPLE = f"{DISAGREE}: two people keyed it differently"
# So often is a record that others change at the same moment tried again.
_TRIES = 20


def correct_field(
    installation: Installation,
    viewer: Viewer,
    document_id: int,
    name: str,
    value: str,
    version: int,
    how: How = BY_RECORD,
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
    after = _with_fields(installation, document, fields)
    return correcting.correct(installation.store, viewer, document, new, after, how)


def _with_fields(
    installation: Installation, document: Document, fields: Sequence[Field]
) -> Document:
    """Return a record as it is called, dated and marked with these fields."""
    form = form_named(
        installation.forms, document.form, installation.store.template_of(document.id)
    )
    return replace(
        document,
        title=record_title(form, fields) or document.title,
        date=record_date(form, fields) if form else document.date,
        status=record_status(fields, document.reasons),
    )


def look_over(
    installation: Installation, viewer: Viewer, document_id: int, version: int
) -> Document:
    """Write that what is odd about a record, such as a page that is hard to read, is in order.

    Its fields that are in doubt stay so. Raises NotFoundError, NotAllowedError and
    StaleVersionError.
    """
    document = replace(installation.store.document(document_id, viewer), version=version)
    fields = installation.store.fields(document_id)
    after = replace(document, reasons=(), status=record_status(fields, ()))
    return correcting.look_over(installation.store, viewer, document, after)


def rewrite_line(
    installation: Installation, viewer: Viewer, document: Document, said: SaidLine
) -> Document:
    """Write what a person says that a line of a page reads; see ``records.rewriting``.

    Paper of no known form is called by its first words, and by those that stand there now.
    """
    sure = installation.settings.forms.sure
    return rewriting.rewrite(
        installation.store, viewer, document, said, sure, lambda: _title(installation, document)
    )


def put_line_back(
    installation: Installation, viewer: Viewer, document: Document, said: SaidLine
) -> Document:
    """Take back all that people said of a line of a page; see ``records.rewriting``."""
    return rewriting.put_back(
        installation.store, viewer, document, said, lambda: _title(installation, document)
    )


def _title(installation: Installation, document: Document) -> str:
    """Return what a record is called by its text as it stands now, or by its form as before."""
    if document.form is not None:
        return document.title
    store = installation.store
    text = (line for p in store.pages(document.id) for line in store.lines(document.id, p.number))
    return first_words(text) or document.source


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a field that waits; ``value`` None when they cannot tell.

    ``place`` is the place on the paper that they were shown (``Check.place``).
    """

    document_id: int
    name: str
    kind: CheckKind
    place: str
    value: str | None
    note: str
    how: How


def decide(installation: Installation, viewer: Viewer, verdict: Verdict) -> None:
    """Write a verdict on a field that waits for a person.

    A second keying is held against the first, and a third person is asked when they differ.
    Raises StaleVersionError when the field waits no more, stands elsewhere, or somebody else has
    it or has changed it, and NotAllowedError.
    """
    store = installation.store
    document = store.document(verdict.document_id, viewer)
    require(viewer, Action.CORRECT, document.department)
    check = checking.held(store, viewer, document.id, verdict.name)
    if check is None or check.kind.told is not verdict.kind.told:
        raise StaleVersionError(
            "Someone else has decided this field meanwhile, or has it on the screen; "
            "what you said of it was not saved."
        )
    if check.place != verdict.place:
        raise correcting.elsewhere(check)
    if verdict.value is None:
        correcting.pass_on(store, viewer, document, check, verdict.note, verdict.how)
    elif check.kind is CheckKind.SECOND:
        _key_again(installation, viewer, document, check, verdict)
    else:
        _say(installation, viewer, document, check, verdict)


def _say(
    installation: Installation, viewer: Viewer, document: Document, check: Check, verdict: Verdict
) -> None:
    """Write the value of a field, though others change other fields of the record meanwhile."""
    for _ in range(_TRIES):
        try:
            correct_field(
                installation, viewer, document.id, check.name, verdict.value or "",
                document.version, verdict.how,
            )  # fmt: skip
        except StaleVersionError:
            document = installation.store.document(document.id, viewer)
            still = checking.held(installation.store, viewer, document.id, check.name)
            if still != check:
                raise
        else:
            return
    raise BusyError(f"Record {document.id} is being changed by many at once; try again.")


def _key_again(
    installation: Installation, viewer: Viewer, document: Document, check: Check, verdict: Verdict
) -> None:
    store = installation.store
    first = next(f for f in store.fields(document.id) if f.name == check.name)
    keyed = _corrected(installation, document, first, verdict.value or "", viewer).value
    if keyed == first.value:
        correcting.agree(store, viewer, document, check, verdict.how)
    else:
        told = replace(first, reasons=(*first.reasons, TWO_PEOPLE))
        fields = [told if f.name == check.name else f for f in store.fields(document.id)]
        after = _with_fields(installation, document, fields)
        correcting.differ(store, viewer, document, check, keyed, told, after, verdict.how)


def undo(installation: Installation, viewer: Viewer) -> correcting.Decision:
    """Take back the last that a person decided; returns it.

    Raises NotFoundError when there is nothing to take back, StaleVersionError and InputError.
    """
    store = installation.store
    decision = correcting.last_decision(store, viewer)
    if decision is None:
        raise NotFoundError("You have decided nothing that could be taken back.")
    document = store.document(decision.document_id, viewer)
    fields = [
        decision.field if field.name == decision.name else field
        for field in store.fields(document.id)
    ]
    after = _with_fields(installation, document, fields)
    correcting.take_back(store, viewer, document, decision, after)
    return decision


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
