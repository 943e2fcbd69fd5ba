"""Files on their way into a record: where their pages go as soon as they are read."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from records.access import Viewer
from records.model import PageKey
from records.store import Store


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where the pages of a file go that is not read yet: before the page now at ``place``.

    ``replaces`` is the page that is laid aside then.
    """

    document_id: int
    place: int
    replaces: PageKey | None
    person: str
    asked_at: str
    sha256: str


def expect(store: Store, viewer: Viewer, arrival: Arrival) -> None:
    """Write where the pages of a file go as soon as they are read."""
    with store.write() as db:
        place = {
            "sha256": arrival.sha256,
            "document_id": arrival.document_id,
            "place": arrival.place,
            "replaces": json.dumps(arrival.replaces),
            "person": arrival.person,
            "asked_at": arrival.asked_at,
        }
        db.table("arrivals").upsert(place, pk="sha256")
        told = {"sha256": arrival.sha256, "place": arrival.place}
        store.audit(db, viewer.name, "handed pages in", told, arrival.document_id)


def arrival(store: Store, sha256: str) -> Arrival | None:
    """Return where the pages of a file go; None where they are a record of their own."""
    row = store.db.conn.execute("SELECT * FROM arrivals WHERE sha256 = ?", [sha256]).fetchone()
    return _arrival(row) if row else None


def overdue(store: Store) -> list[str]:
    """Return the files that are read, and whose pages are not where they were wanted."""
    found = store.db.conn.execute(
        "SELECT sha256 FROM arrivals JOIN originals USING (sha256) WHERE state = 'read'"
    )
    return [row["sha256"] for row in found]


def arrivals(store: Store, document_id: int) -> list[Arrival]:
    """Return what is on its way into a record."""
    found = store.db.conn.execute(
        "SELECT * FROM arrivals WHERE document_id = ? ORDER BY asked_at", [document_id]
    )
    return [_arrival(row) for row in found]


def arrived(store: Store, sha256: str) -> None:
    """Forget where a file's pages go: they are there, or stay a record of their own."""
    with store.write() as db:
        db.conn.execute("DELETE FROM arrivals WHERE sha256 = ?", [sha256])


def _arrival(row: sqlite3.Row) -> Arrival:
    replaces = json.loads(row["replaces"])
    return Arrival(
        row["document_id"],
        row["place"],
        PageKey(*replaces) if replaces else None,
        row["person"],
        row["asked_at"],
        row["sha256"],
    )
