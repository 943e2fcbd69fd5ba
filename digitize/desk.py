"""What a person at the desk does to a record; the command line and the site call the same."""

from __future__ import annotations

import sqlite3
from collections import Counter
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
from records.errors import (
    BusyError,
    DecidedAlreadyError,
    InputError,
    NotFoundError,
    StaleVersionError,
)
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

    A second keying is held against the first, and a third person is asked when they differ. A
    verdict that was written before, by its key, is not written again: only its answer was lost.
    Raises StaleVersionError when the field waits no more, stands elsewhere, or somebody else has
    it or has changed it, DecidedAlreadyError when that was this person, and NotAllowedError.
    """
    store, key = installation.store, verdict.how.key
    document = store.document(verdict.document_id, viewer)
    require(viewer, Action.CORRECT, document.department)
    if correcting.is_written(store, viewer, document.id, verdict.name, key):
        return
    try:
        _decide(installation, viewer, document, verdict)
    except StaleVersionError:  # it may have arrived twice at the same moment
        if not correcting.is_written(store, viewer, document.id, verdict.name, key):
            raise


def _decide(
    installation: Installation, viewer: Viewer, document: Document, verdict: Verdict
) -> None:
    check = checking.held(installation.store, viewer, document.id, verdict.name)
    if check is None or check.kind.told is not verdict.kind.told:
        raise _gone(installation, viewer, verdict)
    if check.place != verdict.place:
        raise correcting.elsewhere(check)
    if verdict.value is None:
        correcting.pass_on(
            installation.store, viewer, document, check, verdict.note, verdict.how
        )  # fmt: skip
        return
    write = _key_again if check.kind is CheckKind.SECOND else _say
    for _ in range(_TRIES):  # others may change other fields of the record meanwhile
        try:
            write(installation, viewer, document, check, verdict)
        except StaleVersionError:
            document = installation.store.document(document.id, viewer)
            still = checking.held(installation.store, viewer, document.id, check.name)
            if still != check:
                raise
        else:
            return
    raise BusyError(f"Record {document.id} is being changed by many at once; try again.")


def _gone(installation: Installation, viewer: Viewer, verdict: Verdict) -> StaleVersionError:
    by = correcting.decided_last_by(installation.store, verdict.document_id, verdict.name)
    if by == viewer.name:
        return DecidedAlreadyError(
            "You have decided this field already; what you said of it now was not saved. "
            "Take the first back, or correct it on the record's page."
        )
    return StaleVersionError(
        "Someone else has decided this field meanwhile, or has it on the screen; "
        "what you said of it was not saved."
    )


def _say(
    installation: Installation, viewer: Viewer, document: Document, check: Check, verdict: Verdict
) -> None:
    correct_field(
        installation, viewer, document.id, check.name, verdict.value or "",
        document.version, verdict.how,
    )  # fmt: skip


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


# Groups


@dataclass(frozen=True, slots=True)
class Tile:
    """One field of a group as it was shown; ``odd`` when it was picked out."""

    document_id: int
    name: str
    place: str
    odd: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the fields of a group.

    ``before`` are those that this person had decided before, ``others`` those that are no longer
    theirs to decide, ``left`` those that were not come to.
    """

    taken: int
    picked: int
    before: int
    others: int
    left: int


def decide_alike(
    installation: Installation, viewer: Viewer, tiles: Sequence[Tile], value: str, how: How
) -> Tally:
    """Confirm a value of all fields of a group but those that were picked out.

    Where the archive is busy, it stops there.
    """
    found: Counter[str] = Counter()
    for tile in tiles:
        try:
            found[_decide_tile(installation, viewer, tile, value, how)] += 1
        except DecidedAlreadyError:
            found["before"] += 1
        except (StaleVersionError, NotFoundError):
            found["others"] += 1
        except (BusyError, sqlite3.OperationalError):
            break
    left = len(tiles) - found.total()
    return Tally(found["taken"], found["picked"], found["before"], found["others"], left)


def _decide_tile(
    installation: Installation, viewer: Viewer, tile: Tile, value: str, how: How
) -> str:
    store, number, name = installation.store, tile.document_id, tile.name
    verdict = Verdict(number, name, CheckKind.LOOK, tile.place, value, "", how)
    check = checking.held(store, viewer, number, name)
    if tile.odd and check and check.reason == checking.PICKED_OUT:
        return "picked"
    here = check is not None and not check.blind and check.value == value
    if not here or not checking.holds(store, viewer, number, name):
        if correcting.is_written(store, viewer, number, name, how.key):
            return "taken"
        raise _gone(installation, viewer, verdict)
    if tile.odd:
        checking.pick_out(store, viewer, number, [name])
        return "picked"
    decide(installation, viewer, verdict)
    return "taken"


# Taking back


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back, and why the rest of what was decided at once was not."""

    decisions: tuple[correcting.Decision, ...]
    hindered: tuple[str, ...]


def undo(installation: Installation, viewer: Viewer, key: str | None = None) -> TakenBack:
    """Take back what a person decided at once under a key; without one, what they decided last.

    Raises NotFoundError when there is nothing to take back, InputError when it can no longer be.
    """
    store = installation.store
    key = key or correcting.last_key(store, viewer)
    if key is None:
        raise NotFoundError("You have decided nothing that could be taken back.")
    decisions = correcting.decided_under(store, viewer, key)
    if not decisions:
        raise NotFoundError("This was taken back already, or was never saved.")
    taken, hindered = [], []
    for decision in decisions:
        try:
            _take_back(installation, viewer, decision)
            taken.append(decision)
        except InputError as error:
            hindered.append(str(error))
    if not taken:
        raise InputError(hindered[0])
    return TakenBack(tuple(taken), tuple(hindered))


def _take_back(installation: Installation, viewer: Viewer, decision: correcting.Decision) -> None:
    """Take one decision back, though others change other fields of the record meanwhile."""
    store = installation.store
    for _ in range(_TRIES):
        document = store.document(decision.document_id, viewer)
        fields = [
            decision.field if f.name == decision.name else f for f in store.fields(document.id)
        ]
        after = _with_fields(installation, document, fields)
        try:
            return correcting.take_back(store, viewer, document, decision, after)
        except StaleVersionError:
            continue
    raise BusyError(f"Record {decision.document_id} is being changed by many at once; try again.")


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
