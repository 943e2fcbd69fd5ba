"""People: accounts, the departments they belong to, their sessions, and failed sign-ins.

Password hashes come and go as text; making and checking them is the site's matter.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from records.access import Viewer
from records.errors import InputError, NotFoundError
from records.model import Role
from records.store import Store, now


@dataclass(frozen=True, slots=True)
class Person:
    """One account."""

    id: int
    name: str
    role: Role
    disabled: bool
    password_hash: str
    departments: frozenset[str]


def add(
    store: Store,
    actor: str,
    name: str,
    role: Role,
    password_hash: str,
    departments: Sequence[str] = (),
) -> Person:
    """Make an account; raises InputError when the name is taken or a department unknown."""
    known = {d.name for d in store.departments()}
    for department in departments:
        if department not in known:
            raise InputError(
                f"There is no department '{department}'; use one of: {', '.join(sorted(known))}."
            )
    try:
        with store.write() as db:
            made = db.table("people").insert(
                {
                    "name": name,
                    "role": role,
                    "password_hash": password_hash,
                    "created_at": now(),
                }
            )
            rows = [{"person_id": made.last_pk, "department": d} for d in departments]
            db.table("memberships").insert_all(rows)
            change = {"name": name, "role": role, "departments": list(departments)}
            store.audit(db, actor, "person added", change)
    except sqlite3.IntegrityError:
        raise InputError(f"There is a person '{name}' already; choose another name.") from None
    return by_name(store, name)


def by_name(store: Store, name: str) -> Person:
    """Return the account of this name, whatever its case, or raise NotFoundError."""
    return _person(store, "name = ?", name, f"There is no person '{name}'.")


def by_id(store: Store, person_id: int) -> Person:
    """Return the account of this number, or raise NotFoundError."""
    return _person(store, "id = ?", person_id, "There is no such person.")


def everyone(store: Store) -> list[Person]:
    """Return all accounts by name."""
    found = store.db.conn.execute("SELECT id FROM people ORDER BY name").fetchall()
    return [by_id(store, row["id"]) for row in found]


def _person(store: Store, where: str, value: object, absent: str) -> Person:
    row = store.db.conn.execute(f"SELECT * FROM people WHERE {where}", [value]).fetchone()
    if row is None:
        raise NotFoundError(absent)
    found = store.db.conn.execute(
        "SELECT department FROM memberships WHERE person_id = ?", [row["id"]]
    )
    return Person(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        disabled=bool(row["disabled"]),
        password_hash=row["password_hash"],
        departments=frozenset(r["department"] for r in found),
    )


def viewer(store: Store, person: Person) -> Viewer:
    """Return the person as the access rules see them."""
    departments = store.departments()
    return Viewer(
        name=person.name,
        role=person.role,
        own=person.departments,
        shared=frozenset(d.name for d in departments if d.shared),
        all=frozenset(d.name for d in departments),
    )


def set_password(store: Store, actor: str, person: Person, password_hash: str) -> None:
    """Change a password, and end every session of the person."""
    with store.write() as db:
        db.table("people").update(person.id, {"password_hash": password_hash})
        db.conn.execute("DELETE FROM sessions WHERE person_id = ?", [person.id])
        store.audit(db, actor, "password changed", {"name": person.name})


def set_disabled(store: Store, actor: str, person: Person, disabled: bool) -> None:
    """Close or reopen an account; closing it ends every session of the person."""
    with store.write() as db:
        db.table("people").update(person.id, {"disabled": int(disabled)})
        db.conn.execute("DELETE FROM sessions WHERE person_id = ?", [person.id])
        store.audit(db, actor, "disabled" if disabled else "enabled", {"name": person.name})


# Sessions live here and not in the cookie, so that they can be ended; the cookie's token is kept
# as a hash, so that a copy of the database opens no session.


def load_session(store: Store, token: str, at: float) -> dict[str, object] | None:
    """Return what a live session holds, or None."""
    row = store.db.conn.execute(
        "SELECT data FROM sessions WHERE token_hash = ? AND expires_at > ?", [_hash(token), at]
    ).fetchone()
    return dict(json.loads(row["data"])) if row else None


def save_session(
    store: Store, token: str, data: dict[str, object], person_id: int | None, expires_at: float
) -> None:
    """Keep what a session holds until ``expires_at`` (seconds since 1970)."""
    with store.write() as db:
        row = {
            "token_hash": _hash(token),
            "person_id": person_id,
            "data": json.dumps(data),
            "expires_at": expires_at,
        }
        db.table("sessions").upsert(row, pk="token_hash")


def end_session(store: Store, token: str, at: float) -> None:
    """End a session, and sweep out those that have expired."""
    with store.write() as db:
        db.conn.execute(
            "DELETE FROM sessions WHERE token_hash = ? OR expires_at <= ?", [_hash(token), at]
        )


def note_failed_sign_in(store: Store, name: str, address: str, at: float) -> None:
    """Remember a failed sign-in, for throttling; those older than a day are forgotten."""
    with store.write() as db:
        db.conn.execute("DELETE FROM failed_sign_ins WHERE at < ?", [at - 86_400])
        db.table("failed_sign_ins").insert({"name": name[:200], "address": address, "at": at})


def failed_sign_ins(store: Store, name: str, address: str, since: float) -> tuple[int, int]:
    """Count the failed sign-ins since a moment: (for this name, from this address)."""
    row = store.db.conn.execute(
        """SELECT count(*) FILTER (WHERE name = ?) AS by_name,
        count(*) FILTER (WHERE address = ?) AS by_address FROM failed_sign_ins WHERE at >= ?""",
        [name[:200], address, since],
    ).fetchone()
    return int(row["by_name"]), int(row["by_address"])


def forget_failed_sign_ins(store: Store, name: str) -> None:
    """Start the count for this name again, after a sign-in that worked."""
    with store.write() as db:
        db.conn.execute("DELETE FROM failed_sign_ins WHERE name = ?", [name[:200]])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
