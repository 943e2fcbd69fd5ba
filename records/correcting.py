"""What people decide about a field: each decision is one transaction, with its audit entry.

A decision is the record's new value, what it was, who made it, how and in how many seconds; and
what it takes to take it back.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from records import rows
from records.access import Action, Viewer, require
from records.checking import DISAGREE, KEYED_TWICE, Check, CheckKind, follow, place_of
from records.errors import InputError, NotFoundError, StaleVersionError
from records.model import Document, Field
from records.store import Store, now


@dataclass(frozen=True, slots=True)
class How:
    """How a decision was made: the ``way`` of working, and how long it took."""

    way: str
    seconds: float


BY_RECORD = How("record page", 0.0)
_TWO = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of one field; ``field`` is what it was before."""

    id: int
    document_id: int
    name: str
    person: str
    verdict: str
    old: str
    new: str
    field: Field


def correct(
    store: Store,
    viewer: Viewer,
    before: Document,
    field: Field,
    after: Document,
    how: How = BY_RECORD,
) -> Document:
    """Write a person's correction of one field, with what follows from it for the record.

    ``before`` is the record as the person saw it: when it was changed meanwhile nothing is
    written and StaleVersionError is raised. ``after`` carries the new title, date, status and
    reasons. Raises NotAllowedError when the role does not allow it.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        old = _write(db, store, before, field, after)
        change = {"field": field.name, "from": old["value"], "to": field.value}
        store.audit(db, viewer.name, "corrected", change, before.id)
        _close(db, viewer, before.id, old, field, how)
    return store.document(before.id, viewer)


def look_over(store: Store, viewer: Viewer, before: Document, after: Document) -> Document:
    """Write that a person has looked at what was odd about a record, and found it in order.

    Raises StaleVersionError when the record was changed meanwhile, and NotAllowedError.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        write_record(db, store, before, after)
        change = {"reasons": list(before.reasons), "status": after.status}
        store.audit(db, viewer.name, "looked over", change, before.id)
    return store.document(before.id, viewer)


def _write(
    db: Database, store: Store, before: Document, field: Field, after: Document
) -> sqlite3.Row:
    """Write a field and what follows for its record; return the field's row as it was."""
    old = _row(db, "fields", before.id, field.name)
    if old is None:
        raise NotFoundError(f"Record {before.id} has no field '{field.name}'.")
    write_record(db, store, before, after)
    new = rows.field_row(field, before.id, old["position"])
    db.table("fields").update((before.id, field.name), new)
    return old


def write_record(db: Database, store: Store, before: Document, after: Document) -> None:
    """Write a record's next version, inside ``store.write``.

    Raises StaleVersionError when it is no longer at the version of ``before``.
    """
    row = db.conn.execute("SELECT version FROM documents WHERE id = ?", [before.id]).fetchone()
    if row is None:
        raise NotFoundError(f"There is no record {before.id}.")
    if row["version"] != before.version:
        raise stale(before)
    db.table("documents").update(
        before.id,
        {
            "title": after.title,
            "date": after.date,
            "status": after.status,
            "reasons": json.dumps(after.reasons, ensure_ascii=False),
            "version": before.version + 1,
            "rev": store.next_rev(db),
        },
    )


def stale(document: Document) -> StaleVersionError:
    """Return the error that says that a record is no longer what a person was shown."""
    return StaleVersionError(
        f"Record {document.id} was changed by someone else meanwhile; "
        "look at it again, then say it once more."
    )


def _close(
    db: Database, viewer: Viewer, document_id: int, old: sqlite3.Row, field: Field, how: How
) -> None:
    """Take a field that was decided out of the queue, or have it keyed by a second person."""
    check = _row(db, "checks", document_id, field.name)
    if check is None:
        return
    keyed = len(json.loads(check["seen"]))
    if how is BY_RECORD and check["kind"] in (CheckKind.SECOND, CheckKind.THIRD):
        raise InputError(
            f"'{field.label}' is keyed by two people who do not see each other's; "
            "what it says is decided on the page Check."
        )
    if how is BY_RECORD and check["twice"] and viewer.name in json.loads(check["seen"]):
        raise InputError(
            f"You have keyed '{field.label}' before, or could not tell what it says; "
            "somebody else must settle it, on the page Check."
        )
    verdict = "confirmed" if field.value == old["value"] else "changed"
    _decided(db, viewer, check, verdict, (old["value"], field.value), how, old)
    if check["twice"] and check["kind"] != CheckKind.THIRD and keyed < _TWO:
        seen = [*json.loads(check["seen"]), viewer.name]
        waits = {"kind": CheckKind.SECOND, "reason": KEYED_TWICE, "value": "", "note": ""}
        _pass(db, check, {**waits, "seen": json.dumps(seen, ensure_ascii=False)})
    else:
        _leave(db, check)


def agree(store: Store, viewer: Viewer, document: Document, check: Check, how: How) -> None:
    """Write that a second person keyed the same as the first."""
    require(viewer, Action.CORRECT, document.department)
    with store.write() as db:
        row, field = _still(db, check)
        store.audit(db, viewer.name, "keyed alike", {"field": check.name}, document.id)
        _decided(db, viewer, row, "agreed", (field["value"], field["value"]), how, field)
        _leave(db, row)


def differ(
    store: Store,
    viewer: Viewer,
    before: Document,
    check: Check,
    keyed: str,
    field: Field,
    after: Document,
    how: How,
) -> None:
    """Write that a second person ``keyed`` something else; a third will settle it.

    The first's value stays in the record, and ``field`` says in its reasons that they differ.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        row, _ = _still(db, check)
        old = _write(db, store, before, field, after)
        store.audit(db, viewer.name, "keyed otherwise", {"field": check.name}, before.id)
        _decided(db, viewer, row, "differs", (old["value"], keyed), how, old)
        seen = json.dumps([*check.seen, viewer.name], ensure_ascii=False)
        change = {"kind": CheckKind.THIRD, "reason": DISAGREE, "keyed": keyed, "seen": seen}
        _pass(db, row, change)


def pass_on(
    store: Store, viewer: Viewer, document: Document, check: Check, note: str, how: How
) -> None:
    """Write that a person cannot tell what a field says; it goes to the seniors' list."""
    require(viewer, Action.CORRECT, document.department)
    with store.write() as db:
        row, field = _still(db, check)
        change = {"field": check.name, "note": note}
        store.audit(db, viewer.name, "could not tell", change, document.id)
        _decided(db, viewer, row, "passed on", (field["value"], field["value"]), how, field)
        told = {"kind": CheckKind.SENIOR, "note": f"{viewer.name}: {note}" if note else ""}
        if check.kind in (CheckKind.SECOND, CheckKind.THIRD):  # they are not asked again
            told["seen"] = json.dumps([*check.seen, viewer.name], ensure_ascii=False)
        _pass(db, row, told)


def last_decision(store: Store, viewer: Viewer) -> Decision | None:
    """Return the last that a person decided and can take back.

    That is what nobody has decided, changed or read again since, nor has on the screen.
    """
    row = store.db.conn.execute(
        """SELECT s.* FROM decisions s
        JOIN fields f ON f.document_id = s.document_id AND f.name = s.name
        WHERE s.person = :me AND s.taken_back_at IS NULL
        AND json_extract(s.after, '$.value') = f.value
        AND json_extract(s.after, '$.status') = f.status
        AND json_extract(s.after, '$.reader') = f.reader
        AND NOT EXISTS (SELECT 1 FROM decisions t WHERE t.document_id = s.document_id
            AND t.name = s.name AND t.id > s.id AND t.taken_back_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM checks c WHERE c.document_id = s.document_id
            AND c.name = s.name AND c.held_by != :me AND c.held_until >= :now)
        ORDER BY s.id DESC LIMIT 1""",
        {"me": viewer.name, "now": time.time()},
    ).fetchone()
    if row is None:
        return None
    before = json.loads(row["before"])["field"]
    named = {k: row[k] for k in ("id", "document_id", "name", "person", "verdict", "old", "new")}
    return Decision(**named, field=rows.field(before))


def take_back(
    store: Store, viewer: Viewer, before: Document, decision: Decision, after: Document
) -> None:
    """Undo a decision: the field is what it was, and waits for this person again.

    Raises StaleVersionError when the record was changed meanwhile, InputError when the field was
    decided again since.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        row = db.conn.execute("SELECT * FROM decisions WHERE id = ?", [decision.id]).fetchone()
        still = last_decision(store, viewer)
        if still is None or still.id != decision.id:
            raise InputError(
                f"'{decision.field.label}' of record {before.id} was decided again since; "
                "open the record and correct it there."
            )
        now_at = _row(db, "fields", before.id, decision.name)
        # Its page may be called otherwise since: the record's pages were put in another order.
        field = replace(decision.field, page=now_at["page"]) if now_at else decision.field
        _write(db, store, before, field, after)
        change = {"field": decision.name, "from": decision.new, "to": decision.field.value}
        store.audit(db, viewer.name, "took back", change, before.id)
        db.conn.execute("UPDATE decisions SET taken_back_at = ? WHERE id = ?", [now(), decision.id])
        db.table("checks").upsert(json.loads(row["before"])["check"], pk=("document_id", "name"))
        follow(db, before.id)


def _row(db: Database, table: str, document_id: int, name: str) -> sqlite3.Row | None:
    found = db.conn.execute(
        f"SELECT * FROM {table} WHERE document_id = ? AND name = ?", [document_id, name]
    )
    return next(iter(found), None)


def _still(db: Database, check: Check) -> tuple[sqlite3.Row, sqlite3.Row]:
    """Return the rows of a check and its field, if it still is what the person was given."""
    row = _row(db, "checks", check.document_id, check.name)
    field = _row(db, "fields", check.document_id, check.name)
    given = check.kind, json.dumps(list(check.seen), ensure_ascii=False)
    if row is None or field is None or (row["kind"], row["seen"]) != given:
        raise StaleVersionError(
            f"'{check.label}' of record {check.document_id} was decided by someone else meanwhile."
        )
    if place_of(db, check.document_id, check.name) != check.place:
        raise elsewhere(check)
    return row, field


def elsewhere(check: Check) -> StaleVersionError:
    """Return the error of a field that no longer is what stood on a person's screen."""
    return StaleVersionError(
        f"'{check.label}' of record {check.document_id} stands elsewhere since its pages were "
        "moved or read again; look at it there. What you said of it was not saved."
    )


def _leave(db: Database, check: sqlite3.Row) -> None:
    db.table("checks").delete((check["document_id"], check["name"]))


def _pass(db: Database, check: sqlite3.Row, change: Mapping[str, Any]) -> None:
    """Let go of a check that others will decide."""
    free = {"held_by": None, "held_until": 0}
    db.table("checks").update((check["document_id"], check["name"]), {**change, **free})


def _decided(
    db: Database,
    viewer: Viewer,
    check: sqlite3.Row,
    verdict: str,
    values: tuple[str, str],
    how: How,
    field: sqlite3.Row,
) -> None:
    before = {"check": dict(check), "field": dict(field)}
    after = _row(db, "fields", check["document_id"], check["name"])
    db.table("decisions").insert(
        {
            **{k: check[k] for k in ("document_id", "name", "form", "kind", "reason")},
            "at": now(),
            "person": viewer.name,
            "verdict": verdict,
            "old": values[0],
            "new": values[1],
            "way": how.way,
            "seconds": round(how.seconds, 2),
            "sampled": check["sampled"],
            "before": json.dumps(before, ensure_ascii=False),
            "after": json.dumps(dict(after) if after else {}, ensure_ascii=False),
        }
    )
