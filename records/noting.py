"""Notes and tags that people put on a record: beside what was read, and none of its versions."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from records.access import Action, Viewer, departments_for, may, require
from records.errors import InputError, NotAllowedError
from records.model import Document
from records.store import Store, now

LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 2000, 30, 20
_TAG = re.compile(r"[^\W_]+(-[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody has written about a record."""

    id: int
    text: str
    person: str
    at: str


def notes(store: Store, document_id: int) -> tuple[Note, ...]:
    """Return a record's notes, oldest first; for callers that have asked what may be seen."""
    found = store.db.conn.execute(
        "SELECT id, text, person, at FROM notes WHERE document_id = ? ORDER BY id", [document_id]
    )
    return tuple(Note(*row) for row in found)


def add_note(store: Store, viewer: Viewer, document: Document, text: str) -> None:
    """Write a note on a record; raises NotAllowedError, and InputError for a text that is none."""
    require(viewer, Action.CORRECT, document.department)
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InputError("The note is empty; write what others should know.")
    if len(text) > LONGEST_NOTE:
        raise InputError(f"A note has at most {LONGEST_NOTE:,} characters; shorten it.")
    with store.write() as db:
        row = {"document_id": document.id, "text": text, "person": viewer.name, "at": now()}
        number = db.table("notes").insert(row).last_pk
        _changed(store, db, viewer, document, "note added", {"note": number, "text": text})


def may_remove(viewer: Viewer, document: Document, note: Note) -> bool:
    """Say whether a person may delete a note: their own, or any as a senior."""
    own = note.person == viewer.name and may(viewer, Action.CORRECT, document.department)
    return own or may(viewer, Action.SETTLE, document.department)


def remove_note(store: Store, viewer: Viewer, document: Document, number: int) -> None:
    """Delete a note of a record; that it is not there is no error. Raises NotAllowedError."""
    require(viewer, Action.CORRECT, document.department)
    with store.write() as db:
        note = next((n for n in notes(store, document.id) if n.id == number), None)
        if note is None:
            return
        if not may_remove(viewer, document, note):
            raise NotAllowedError(
                f"The note of {note.person} on record {document.id} can be deleted by "
                f"{note.person} and by seniors only; ask one of them."
            )
        db.table("notes").delete(number)
        change = {"note": number, "of": note.person}
        _changed(store, db, viewer, document, "note deleted", change)


def tags(store: Store, ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """Return the tags of these records; for callers that have asked what may be seen."""
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    marks = ",".join("?" * len(ids))
    for row in store.db.conn.execute(
        f"SELECT document_id, tag FROM tags WHERE document_id IN ({marks}) ORDER BY tag", ids
    ):
        found[row["document_id"]] += (row["tag"],)
    return found


def tags_in_use(store: Store, viewer: Viewer, limit: int = 200) -> list[str]:
    """Return the tags on records that this person may see, those on most records first."""
    seen = sorted(departments_for(viewer, Action.SEE))
    marks = ",".join("?" * len(seen))
    found = store.db.conn.execute(
        f"""SELECT t.tag FROM tags t JOIN documents d ON d.id = t.document_id
        WHERE d.department IN ({marks}) GROUP BY t.tag ORDER BY count(*) DESC, t.tag LIMIT ?""",
        [*seen, limit],
    )
    return [row["tag"] for row in found]


def add_tag(store: Store, viewer: Viewer, document: Document, typed: str) -> str:
    """Put a tag on a record and return it, as it is kept; raises NotAllowedError and InputError."""
    require(viewer, Action.CORRECT, document.department)
    tag = tag_of(typed)
    with store.write() as db:
        known = tags(store, [document.id])[document.id]
        if tag in known:
            return tag
        if len(known) >= MOST_TAGS:
            raise InputError(f"A record has at most {MOST_TAGS} tags; take one away first.")
        db.table("tags").insert(
            {"document_id": document.id, "tag": tag, "person": viewer.name, "at": now()}
        )
        _changed(store, db, viewer, document, "tag added", {"tag": tag})
    return tag


def remove_tag(store: Store, viewer: Viewer, document: Document, tag: str) -> None:
    """Take a tag off a record; that it is not there is no error. Raises NotAllowedError."""
    require(viewer, Action.CORRECT, document.department)
    with store.write() as db:
        gone = db.conn.execute(
            "DELETE FROM tags WHERE document_id = ? AND tag = ?", [document.id, tag]
        )
        if gone.rowcount:
            _changed(store, db, viewer, document, "tag taken away", {"tag": tag})


def tag_of(typed: str) -> str:
    """Return what a person typed as a tag: small letters, hyphens for blanks; or InputError."""
    tag = "-".join(unicodedata.normalize("NFC", typed).lower().split())
    if not _TAG.fullmatch(tag) or len(tag) > LONGEST_TAG:
        raise InputError(
            f"A tag is a word of letters, digits and hyphens, {LONGEST_TAG} at most, "
            f"such as 'urgent'; '{typed.strip()[:LONGEST_TAG]}' is none."
        )
    return tag


def _changed(
    store: Store,
    db: Database,
    viewer: Viewer,
    document: Document,
    action: str,
    change: Mapping[str, object],
) -> None:
    """Have search follow, and write the history; a version is of what was read and said of it."""
    db.table("documents").update(document.id, {"rev": store.next_rev(db)})
    store.audit(db, viewer.name, action, change, document.id)


def carry(db: Database, of: int, to: int) -> None:
    """Let all notes and tags of a record be those of another; inside ``write`` only."""
    db.conn.execute("UPDATE notes SET document_id = ? WHERE document_id = ?", [to, of])
    db.conn.execute(
        """INSERT OR IGNORE INTO tags (document_id, tag, person, at)
        SELECT ?, tag, person, at FROM tags WHERE document_id = ?""",
        [to, of],
    )
    db.conn.execute("DELETE FROM tags WHERE document_id = ?", [of])


def carry_back(db: Database, before: Mapping[str, Any], emptied: Sequence[int]) -> None:
    """Give ``emptied`` records their notes and tags back, from the rows of ``before``."""
    had = {(row["document_id"], row["tag"]) for row in before["tags"]}
    for note in before["notes"]:
        if note["document_id"] in emptied:
            db.conn.execute("UPDATE notes SET document_id = :document_id WHERE id = :id", note)
    for row in before["tags"]:
        if row["document_id"] in emptied:
            others = [d["id"] for d in before["documents"] if (d["id"], row["tag"]) not in had]
            db.conn.executemany(
                "DELETE FROM tags WHERE tag = ? AND document_id = ?",
                [(row["tag"], other) for other in others],
            )
            db.table("tags").upsert(row, pk=("document_id", "tag"))
