"""What the site keeps for one person alone: saved searches, and hints that they have put away."""

from __future__ import annotations

from dataclasses import dataclass

from records.errors import InputError
from records.store import Store, now

MOST_SEARCHES, LONGEST_NAME = 50, 60


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search under a name; ``address`` is what stands behind the ? of its page."""

    name: str
    address: str


def searches(store: Store, person_id: int) -> tuple[SavedSearch, ...]:
    """Return a person's saved searches by name."""
    found = store.db.conn.execute(
        "SELECT name, address FROM saved_searches WHERE person_id = ? ORDER BY name COLLATE NOCASE",
        [person_id],
    )
    return tuple(SavedSearch(row["name"], row["address"]) for row in found)


def save_search(store: Store, person_id: int, name: str, address: str) -> None:
    """Save a search, in place of one of that name; raises InputError for a name that is none."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"Give the search a name of at most {LONGEST_NAME} characters.")
    known = {search.name for search in searches(store, person_id)}
    if len(known) >= MOST_SEARCHES and name not in known:
        raise InputError(f"You have {MOST_SEARCHES} saved searches; remove one first.")
    with store.write() as db:
        db.table("saved_searches").upsert(
            {"person_id": person_id, "name": name, "address": address, "saved_at": now()},
            pk=("person_id", "name"),
        )


def remove_search(store: Store, person_id: int, name: str) -> None:
    """Remove a saved search; that it was not there is no error."""
    with store.write() as db:
        db.conn.execute(
            "DELETE FROM saved_searches WHERE person_id = ? AND name = ?", [person_id, name]
        )


def has_seen(store: Store, person_id: int, hint: str) -> bool:
    """Say whether a person has put a hint away."""
    found = store.db.conn.execute(
        "SELECT 1 FROM hints_seen WHERE person_id = ? AND hint = ?", [person_id, hint]
    )
    return found.fetchone() is not None


def put_away(store: Store, person_id: int, hint: str) -> None:
    """Remember that a person needs a hint no more."""
    with store.write() as db:
        db.conn.execute("INSERT OR IGNORE INTO hints_seen VALUES (?, ?)", [person_id, hint])


def bring_back(store: Store, person_id: int, hint: str) -> None:
    """Forget that a person has put a hint away."""
    with store.write() as db:
        db.conn.execute(
            "DELETE FROM hints_seen WHERE person_id = ? AND hint = ?", [person_id, hint]
        )
