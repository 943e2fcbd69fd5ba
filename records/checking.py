"""The queue of fields that wait for a person: who is given what, and how much there is.

A check is one field of one record. Nobody is given one that somebody else holds, and what was
decided leaves the queue in the transaction that writes the decision (``records.correcting``).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlite_utils import Database

from records.access import Action, Viewer, departments_for
from records.model import Field, FieldStatus
from records.store import LEAF, Store


class CheckKind(StrEnum):
    """Why a field waits."""

    LOOK = "look"  # the machine is not sure, or a form wants it keyed twice
    SAMPLE = "sample"  # it passed unseen, and shows how often what passed is wrong
    SECOND = "second"  # one person has keyed it, and another must, without seeing the first's
    THIRD = "third"  # the two differ
    SENIOR = "senior"  # somebody could not tell

    @property
    def told(self) -> CheckKind:
        """What a person is told that it is: nobody is told which are samples."""
        return CheckKind.LOOK if self is CheckKind.SAMPLE else self


# What is worked through together: a sample is mixed in, so that nobody knows which it is.
QUEUES = {
    "look": (CheckKind.LOOK, CheckKind.SAMPLE),
    "second": (CheckKind.SECOND,),
    "third": (CheckKind.THIRD,),
    "senior": (CheckKind.SENIOR,),
}
KEYED_TWICE = "keyed twice"
PICKED_OUT = "picked out"
_COULD_NOT_TELL = """EXISTS (SELECT 1 FROM decisions s WHERE s.document_id = c.document_id
    AND s.name = c.name AND s.person = :me AND s.verdict = 'passed on'
    AND s.taken_back_at IS NULL)"""
# No record has so many fields.
_ALL = 100_000
_DOUBTS = {FieldStatus.MISSING: "missing", FieldStatus.INVALID: "breaks a rule"}
DISAGREE = "readers disagree"


@dataclass(frozen=True, slots=True)
class Which:
    """A part of the queue: everything, where a name is None."""

    queue: str = "look"
    form: str | None = None
    field: str | None = None
    department: str | None = None
    batch: str | None = None
    reason: str | None = None
    value: str | None = None
    document_id: int | None = None
    grouped: bool = False  # without what was picked out of its group


@dataclass(frozen=True, slots=True)
class Check:
    """One field that waits. ``keyed`` is what the second person keyed, ``seen`` who has decided.

    ``place`` names the piece of paper that it stands on, whatever its record calls the page.
    """

    document_id: int
    name: str
    label: str
    kind: CheckKind
    reason: str
    form: str
    department: str
    value: str
    keyed: str
    note: str
    seen: tuple[str, ...]
    place: str

    @property
    def two_keyed(self) -> bool:
        """Say whether two people have keyed it, and differently."""
        passed_on = self.kind is CheckKind.SENIOR and len(self.seen) > len(("first", "second"))
        return self.kind is CheckKind.THIRD or passed_on

    @property
    def blind(self) -> bool:
        """Say whether it is decided from the paper, in a box that is empty."""
        return self.kind is CheckKind.SECOND or self.two_keyed


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many fields of one column of a form wait in one queue, for one reason."""

    form: str
    name: str
    label: str
    queue: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """Of a form's fields that passed unseen: so many were looked at, so many of them were wrong."""

    form: str
    checked: int
    wrong: int


def reason_of(field: Field) -> str:
    """Return why a field that is in doubt is: one of the four reasons."""
    if field.status in _DOUBTS:
        return _DOUBTS[field.status]
    disagree = any(reason.startswith(DISAGREE) for reason in field.reasons)
    return DISAGREE if disagree else "unsure"


def enter(
    db: Database,
    document_id: int,
    fields: Sequence[Field],
    sampled: Collection[str],
    twice: Collection[str],
) -> None:
    """Bring the queue in line with the fields of a record that was filed; inside ``write`` only.

    What people are in the middle of stays: what waits for a second or third person, or a senior.
    """
    place = db.conn.execute(
        "SELECT form, department, batch_id FROM documents WHERE id = ?", [document_id]
    ).fetchone()
    known = {
        row["name"]: row
        for row in db.conn.execute("SELECT * FROM checks WHERE document_id = ?", [document_id])
    }
    db.conn.execute(
        """DELETE FROM checks WHERE document_id = :id AND (kind IN ('look', 'sample')
        OR name NOT IN (SELECT name FROM fields WHERE document_id = :id))""",
        {"id": document_id},
    )
    follow(db, document_id)
    said = {
        row["name"]
        for row in db.conn.execute(
            "SELECT name FROM fields WHERE document_id = ? AND status = 'corrected'", [document_id]
        )
    }
    if place["form"] is None:
        return
    there = {name for name, row in known.items() if row["kind"] not in ("look", "sample")}
    rows = []
    for position, field in enumerate(fields):
        kind, reason = CheckKind.LOOK, reason_of(field)
        if field.status is FieldStatus.OK:
            if field.name not in twice and field.name not in sampled:
                continue
            kind, reason = CheckKind.SAMPLE, CheckKind.SAMPLE.value
        if field.name in twice:
            kind = CheckKind.LOOK
            reason = KEYED_TWICE if field.status is FieldStatus.OK else reason
        if field.name not in said | there and not field.by_person:
            row: dict[str, object] = {"name": field.name, "label": field.label}
            row |= {"kind": kind, "reason": reason}
            row |= {"value": field.value, "twice": field.name in twice, "position": position}
            row |= {"sampled": kind is CheckKind.SAMPLE, **_as_known(known.get(field.name))}
            rows.append({**dict(place), **row, "document_id": document_id})
    db.table("checks").insert_all(rows)


def _as_known(row: sqlite3.Row | None) -> dict[str, object]:
    """Return what stays of a check when its record is read again: who has it on the screen."""
    if row is None:
        return {"held_by": None, "held_until": 0}
    held: dict[str, object] = {"held_by": row["held_by"], "held_until": row["held_until"]}
    return held | ({"reason": PICKED_OUT} if row["reason"] == PICKED_OUT else {})


def follow(db: Database, document_id: int) -> None:
    """Bring a record's checks to its department, batch and form; inside ``write`` only."""
    db.conn.execute(
        """UPDATE checks SET department = d.department, batch_id = d.batch_id,
        form = coalesce(d.form, checks.form) FROM documents d
        WHERE checks.document_id = :id AND d.id = :id""",
        {"id": document_id},
    )


# What a person may be given


def _allowed(viewer: Viewer) -> tuple[str, dict[str, object]]:
    """Return what a person may be given, as SQL: with SETTLE only what others could not tell."""
    work = sorted(departments_for(viewer, Action.CORRECT))
    settle = sorted(departments_for(viewer, Action.SETTLE))
    sql = """c.department IN (SELECT value FROM json_each(:work))
        AND (c.kind != 'senior' OR c.department IN (SELECT value FROM json_each(:settle)))
        AND (NOT (c.kind IN ('second', 'third') OR (c.kind = 'senior' AND c.twice))
            OR NOT EXISTS (SELECT 1 FROM json_each(c.seen) WHERE value = :me))"""
    return sql, {"work": json.dumps(work), "settle": json.dumps(settle), "me": viewer.name}


def _within(which: Which) -> tuple[str, dict[str, object]]:
    """Return a part of the queue as SQL."""
    kinds = [kind.value for kind in QUEUES[which.queue]]
    wanted: dict[str, object] = {
        "c.form": which.form, "c.name": which.field, "c.department": which.department,
        "c.value": which.value, "c.document_id": which.document_id,
    }  # fmt: skip
    wanted = {column: value for column, value in wanted.items() if value is not None}
    values = {f"w{n}": value for n, value in enumerate(wanted.values())}
    sql = "c.kind IN (SELECT value FROM json_each(:kinds))"
    sql += "".join(f" AND {column} = :w{n}" for n, column in enumerate(wanted))
    if which.reason is not None:  # nobody is told which are samples
        sql += " AND CASE c.reason WHEN 'sample' THEN 'unsure' ELSE c.reason END = :reason"
        values["reason"] = which.reason
    if which.grouped:
        sql += f" AND c.reason != '{PICKED_OUT}'"
    if which.batch is not None:
        sql += " AND c.batch_id = (SELECT id FROM batches WHERE name = :batch)"
        values["batch"] = which.batch
    return sql, {"kinds": json.dumps(kinds), **values}


def waiting(
    store: Store, viewer: Viewer, parts: Iterable[Which] = tuple(map(Which, QUEUES))
) -> tuple[Waiting, ...]:
    """Count what waits for this person, by form, field, queue and reason.

    What others hold at the moment counts too. Samples count among what must be looked at.
    """
    return tuple(w for part in parts for w in _waiting(store, viewer, part))


def _waiting(store: Store, viewer: Viewer, which: Which) -> Iterable[Waiting]:
    allowed, values = _allowed(viewer)
    within, more = _within(which)
    found = store.db.conn.execute(
        f"""SELECT c.form, c.name, max(c.label) AS label, c.kind, c.reason, count(*) AS count,
        min(c.position) AS position FROM checks c WHERE {allowed} AND {within}
        GROUP BY c.form, c.name, c.kind, c.reason ORDER BY c.form, position, c.kind, c.reason""",
        {**values, **more},
    )
    for r in found:
        yield Waiting(r["form"], r["name"], r["label"], which.queue, r["reason"], r["count"])


def groups(store: Store, viewer: Viewer, which: Which, limit: int = 60) -> list[tuple[str, int]]:
    """Return the values that were read in a column and how often, the most frequent first.

    Only what this person may take at the moment counts.
    """
    sql, values = _free(viewer, which)
    found = store.db.conn.execute(
        f"""SELECT c.value, count(*) AS count FROM checks c WHERE {sql}
        GROUP BY c.value ORDER BY count DESC, c.value LIMIT :limit""",
        {**values, "limit": limit},
    )
    return [(row["value"], row["count"]) for row in found]


def _free(viewer: Viewer, which: Which) -> tuple[str, dict[str, object]]:
    allowed, values = _allowed(viewer)
    within, more = _within(which)
    free = "(c.held_by IS NULL OR c.held_by = :me OR c.held_until < :now)"
    return f"{allowed} AND {within} AND {free}", {**values, **more, "now": time.time()}


def take(
    store: Store,
    viewer: Viewer,
    which: Which,
    count: int,
    hold_s: float,
    skip: Iterable[int] = (),
) -> tuple[Check, ...]:
    """Give a person up to so many checks, in the order of records; they hold them for ``hold_s``.

    What the person holds already comes first, what they could not tell before comes last. Records
    to ``skip`` are those on the screen.
    """
    sql, values = _free(viewer, which)
    values |= {"skip": json.dumps(list(skip))}
    mine = "c.held_by = :me AND c.held_until >= :now"
    # What is one's own comes by its index: others would wait for the lock while all were sorted.
    parts = [("INDEXED BY checks_held", mine), (_index(which), f"NOT coalesce({mine}, 0)")]
    if which.queue == "senior":
        parts = [(index, f"{part} AND NOT {_COULD_NOT_TELL}") for index, part in parts]
        parts.append(("", _COULD_NOT_TELL))
    with store.write() as db:
        found: list[sqlite3.Row] = []
        for index, part in parts:
            found += db.conn.execute(
                f"""SELECT c.* FROM checks c {index} WHERE {part} AND {sql}
                AND c.document_id NOT IN (SELECT value FROM json_each(:skip))
                ORDER BY c.document_id, c.position LIMIT :count""",
                {**values, "count": count - len(found)},
            ).fetchall()
        _hold(db, viewer, found, hold_s)
    return tuple(_check(store.db, row) for row in found)


def _index(which: Which) -> str:
    """Return the index by which to read a part of the queue, where SQLite would choose worse.

    It goes by the kind then and sorts all of it, which takes 130 ms of 100,000 that wait to be
    looked at. Most rows of that queue fit, so in the order of records the first are soon found.
    """
    if which.form is not None and which.field is not None and which.value is not None:
        return "INDEXED BY checks_column"
    narrow = (which.field, which.document_id, which.batch, which.reason, which.value)
    if which.queue == "look" and all(part is None for part in narrow):
        return "INDEXED BY checks_in_order"
    return ""


def take_record(
    store: Store, viewer: Viewer, which: Which, hold_s: float, skip: Iterable[int] = ()
) -> tuple[Check, ...]:
    """Give a person all that waits of the next record, without those to ``skip``."""
    first = take(store, viewer, which, 1, hold_s, skip)
    if not first:
        return ()
    return take(store, viewer, replace(which, document_id=first[0].document_id), _ALL, hold_s)


def pick_out(store: Store, viewer: Viewer, document_id: int, names: Sequence[str]) -> None:
    """Say that fields do not belong to the group of their value; they are looked at one by one."""
    allowed, values = _allowed(viewer)
    with store.write() as db:
        db.conn.execute(
            f"""UPDATE checks AS c SET reason = :reason, held_by = NULL, held_until = 0
            WHERE c.document_id = :id AND c.name IN (SELECT value FROM json_each(:names))
            AND c.held_by = :me AND c.kind IN ('look', 'sample') AND {allowed}""",
            {**values, "reason": PICKED_OUT, "id": document_id, "names": json.dumps(list(names))},
        )


def _hold(db: Database, viewer: Viewer, found: Sequence[sqlite3.Row], hold_s: float) -> None:
    db.conn.executemany(
        "UPDATE checks SET held_by = ?, held_until = ? WHERE document_id = ? AND name = ?",
        [(viewer.name, time.time() + hold_s, row["document_id"], row["name"]) for row in found],
    )


def holds(store: Store, viewer: Viewer, document_id: int, name: str) -> bool:
    """Say whether a check is on this person's screen, and nobody has taken it since."""
    found = store.db.conn.execute(
        "SELECT 1 FROM checks WHERE document_id = ? AND name = ? AND held_by = ?",
        [document_id, name, viewer.name],
    )
    return found.fetchone() is not None


def held(store: Store, viewer: Viewer, document_id: int, name: str) -> Check | None:
    """Return a check that this person may decide at the moment; None where they may not."""
    which = [Which(queue, document_id=document_id, field=name) for queue in QUEUES]
    for part in which:
        sql, values = _free(viewer, part)
        row = store.db.conn.execute(f"SELECT c.* FROM checks c WHERE {sql}", values).fetchone()
        if row:
            return _check(store.db, row)
    return None


def to_key_blind(store: Store, viewer: Viewer, ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
    """Return, for each of some records, the fields that this person may key a second time.

    What the first person keyed is not to be shown to them on any page.
    """
    allowed, values = _allowed(viewer)
    found = store.db.conn.execute(
        f"""SELECT c.document_id, c.name FROM checks c
        WHERE c.document_id IN (SELECT value FROM json_each(:ids)) AND c.kind = 'second'
        AND {allowed}""",
        {**values, "ids": json.dumps(list(ids))},
    )
    named: dict[int, frozenset[str]] = {number: frozenset() for number in ids}
    for row in found:
        named[row["document_id"]] |= {row["name"]}
    return named


def release(store: Store, viewer: Viewer) -> None:
    """Give back all that a person holds."""
    with store.write() as db:
        db.conn.execute(
            "UPDATE checks SET held_by = NULL, held_until = 0 WHERE held_by = ?", [viewer.name]
        )


def hold_on(store: Store, viewer: Viewer, hold_s: float) -> None:
    """Keep what a person still holds for ``hold_s`` from now on."""
    with store.write() as db:
        db.conn.execute(
            "UPDATE checks SET held_until = :until WHERE held_by = :me AND held_until > :now",
            {"until": time.time() + hold_s, "me": viewer.name, "now": time.time()},
        )


def sampled(store: Store, viewer: Viewer) -> tuple[Sampled, ...]:
    """Return what the samples of each form have shown, in the departments that a person may see."""
    seen = sorted(departments_for(viewer, Action.SEE))
    found = store.db.conn.execute(
        """SELECT s.form, count(*) AS checked, sum(s.verdict = 'changed') AS wrong
        FROM decisions s JOIN documents d ON d.id = s.document_id
        WHERE s.sampled AND s.verdict IN ('confirmed', 'changed')
        AND s.taken_back_at IS NULL AND d.department IN (SELECT value FROM json_each(?))
        GROUP BY s.form ORDER BY s.form""",
        [json.dumps(seen)],
    )
    return tuple(Sampled(row["form"], row["checked"], row["wrong"]) for row in found)


def place_of(db: Database, document_id: int, name: str) -> str:
    """Return what names the piece of paper that a field stands on: its page, and its box there."""
    row = db.conn.execute(
        f"""SELECT f.box, p.sha256, p.number FROM fields f
        LEFT JOIN pages p ON p.document_id = f.document_id AND p.position > 0 AND {LEAF} = f.page
        WHERE f.document_id = ? AND f.name = ?""",
        [document_id, name],
    ).fetchone()
    if row is None:
        return ""
    return hashlib.sha256(json.dumps(list(row)).encode()).hexdigest()[:16]


def _check(db: Database, row: sqlite3.Row) -> Check:
    return Check(
        document_id=row["document_id"],
        name=row["name"],
        label=row["label"],
        kind=CheckKind(row["kind"]),
        reason=row["reason"],
        form=row["form"],
        department=row["department"],
        value=row["value"],
        keyed=row["keyed"],
        note=row["note"],
        seen=tuple(json.loads(row["seen"])),
        place=place_of(db, row["document_id"], row["name"]),
    )
