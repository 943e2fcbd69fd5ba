"""What people decide about a field: each decision is one transaction, with its audit entry.

A decision is the record's new value, what it was, who made it, how and in how many seconds; and
what it takes to take it back.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from records import rows
from records.access import Action, Viewer, departments_for, require
from records.checking import DISAGREE, KEYED_TWICE, Check, CheckKind, follow, place_of
from records.errors import DecidedAlreadyError, InputError, NotFoundError, StaleVersionError, stale
from records.model import Document, Field
from records.store import Store, now


@dataclass(frozen=True, slots=True)
class How:
    """How a decision was made: the ``way`` of working, and how long it took.

    The ``key`` is of who asks, and names what was decided at once: a field, or a whole group.
    """

    way: str
    seconds: float
    key: str


BY_RECORD = How("record page", 0.0, "")
_TWO = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of one field; ``field`` is what it was before.

    ``hindered`` says why it cannot be taken back; empty where it can.
    """

    id: int
    document_id: int
    name: str
    person: str
    verdict: str
    old: str
    new: str
    field: Field
    hindered: str


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
        raise stale(before.id)
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


def decided_last_by(store: Store, document_id: int, name: str) -> str | None:
    """Return who made the last decision of a field that stands."""
    row = store.db.conn.execute(
        """SELECT person FROM decisions WHERE document_id = ? AND name = ?
        AND taken_back_at IS NULL ORDER BY id DESC LIMIT 1""",
        [document_id, name],
    ).fetchone()
    return row["person"] if row else None


def is_written(store: Store, viewer: Viewer, document_id: int, name: str, key: str) -> bool:
    """Say whether a decision has arrived before, and only its answer was lost.

    Raises DecidedAlreadyError when it was taken back since.
    """
    row = store.db.conn.execute(
        """SELECT taken_back_at FROM decisions
        WHERE person = ? AND key = ? AND document_id = ? AND name = ?""",
        [viewer.name, key, document_id, name],
    ).fetchone()
    if row and row["taken_back_at"]:
        raise DecidedAlreadyError(
            "You have taken this decision back since; look at the field again, and decide it anew."
        )
    return row is not None


# Taking back


def last_key(store: Store, viewer: Viewer) -> str | None:
    """Return the key of the last that a person decided and that still stands.

    What is of records that they may no longer correct is left out.
    """
    row = store.db.conn.execute(f"{_STANDING} ORDER BY s.id DESC LIMIT 1", _mine(viewer)).fetchone()
    return row["key"] if row else None


def decided_under(store: Store, viewer: Viewer, key: str) -> list[Decision]:
    """Return what a person decided at once, as far as it still stands, the last first."""
    found = store.db.conn.execute(
        f"{_STANDING} AND s.key = :key ORDER BY s.id DESC", {**_mine(viewer), "key": key}
    )
    return [_decision(store.db, viewer, row) for row in found.fetchall()]


_STANDING = """SELECT s.* FROM decisions s JOIN documents d ON d.id = s.document_id
    WHERE s.person = :me AND s.taken_back_at IS NULL
    AND d.department IN (SELECT value FROM json_each(:work))"""


def _mine(viewer: Viewer) -> dict[str, object]:
    work = sorted(departments_for(viewer, Action.CORRECT))
    return {"me": viewer.name, "work": json.dumps(work)}


def _decision(db: Database, viewer: Viewer, row: sqlite3.Row) -> Decision:
    named = {k: row[k] for k in ("id", "document_id", "name", "person", "verdict", "old", "new")}
    field = rows.field(json.loads(row["before"])["field"])
    return Decision(**named, field=field, hindered=_hindered(db, viewer, row, field.label))


def _hindered(db: Database, viewer: Viewer, decided: sqlite3.Row, label: str) -> str:
    """Return why a decision cannot be taken back, as a sentence."""
    field = _row(db, "fields", decided["document_id"], decided["name"])
    check = _row(db, "checks", decided["document_id"], decided["name"])
    what, after = f"'{label}' of record {decided['document_id']}", json.loads(decided["after"])
    later = db.conn.execute(
        """SELECT 1 FROM decisions WHERE document_id = ? AND name = ? AND id > ?
        AND taken_back_at IS NULL""",
        [decided["document_id"], decided["name"], decided["id"]],
    ).fetchone()
    if field is None:
        return f"{what} is gone from it: its page was moved or read again; correct it where it is."
    if later or any(after.get(name) != field[name] for name in ("value", "status", "reader")):
        return f"{what} was decided or changed again since; open the record and correct it there."
    if check and check["held_by"] not in (None, viewer.name) and check["held_until"] > time.time():
        return f"{what} is on somebody else's screen at this moment; try it again later."
    return ""


def take_back(
    store: Store, viewer: Viewer, before: Document, decision: Decision, after: Document
) -> None:
    """Undo a decision: the field is what it was, and waits for this person again.

    Raises StaleVersionError when the record was changed meanwhile, InputError when the decision
    can no longer be taken back, NotFoundError when it was.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        row = db.conn.execute("SELECT * FROM decisions WHERE id = ?", [decision.id]).fetchone()
        if row["taken_back_at"]:
            raise NotFoundError("This was taken back already.")
        if hindered := _hindered(db, viewer, row, decision.field.label):
            raise InputError(hindered)
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
            "key": how.key or secrets.token_hex(8),
            "sampled": check["sampled"],
            "before": json.dumps(before, ensure_ascii=False),
            "after": json.dumps(dict(after) if after else {}, ensure_ascii=False),
        }
    )
