"""The writes that take files in, keep what was read and file records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum

from sqlite_utils import Database

from records import checking, rows
from records.errors import ArchiveError, StaleVersionError, stale
from records.model import (
    DocumentStatus,
    Field,
    PageFailure,
    PageResult,
    TemplateText,
)
from records.store import CORRECTED, Store, now

# Whether people have put pages of a file in order, or pages of it among others.
_IS_ARRANGED = "SELECT EXISTS (SELECT 1 FROM pages WHERE sha256 = ? AND arranged)"


class Sighting(StrEnum):
    """What a file that was handed in turned out to be."""

    NEW = "new"
    RESUMED = "resumed"  # known, but its reading was cut short
    DUPLICATE = "duplicate"  # known and read; this sighting is noted
    BUSY = "busy"  # another run is reading it at this moment
    SET_ASIDE = "set-aside"  # failed too often


@dataclass(frozen=True, slots=True)
class Intake:
    """What the person who hands files in has said of them."""

    actor: str
    batch: str
    department: str | None
    form: str | None
    run: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that lies safely in the archive, as it was handed in."""

    sha256: str
    size: int
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as it was put together from a file's pages, ready to be filed.

    Fields that are ``sampled`` passed unseen and are looked at all the same; those checked
    ``twice`` are keyed by two people.
    """

    pages: tuple[int, ...]
    form: str | None
    department: str
    title: str
    date: str | None
    status: DocumentStatus
    reasons: tuple[str, ...]
    fields: tuple[Field, ...]
    sampled: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()


def accept(
    store: Store, file: Accepted, intake: Intake, default_department: str, tries: int,
    alive: Callable[[str | None], bool],
) -> Sighting:  # fmt: skip
    """Enter a kept file and its first, waiting record; or note one more sighting of it.

    A file whose reading was cut short, or failed fewer than ``tries`` times, is claimed by this
    run, unless the run that has it is ``alive``.
    """
    with store.write() as db:
        batch_id = _batch(db, intake.batch, intake.actor)
        known = db.conn.execute(
            "SELECT state, run, tries FROM originals WHERE sha256 = ?", [file.sha256]
        ).fetchone()
        sighting = _sighting(known, intake.run, tries, alive) if known else Sighting.NEW
        if known is None:
            _enter(store, db, file, intake, batch_id, default_department)
        elif sighting is Sighting.RESUMED:
            db.table("originals").update(file.sha256, {"run": intake.run, "state": "waiting"})
        detail = {"name": file.name, "as": str(sighting)}
        store.note(db, intake.actor, "seen", file.sha256, batch_id, **detail)
    return sighting


def _sighting(
    known: sqlite3.Row, run: str, tries: int, alive: Callable[[str | None], bool]
) -> Sighting:
    if known["state"] == "read" or (run and known["run"] == run):
        return Sighting.DUPLICATE
    if alive(known["run"]):
        return Sighting.BUSY
    if known["state"] == "failed" and known["tries"] >= tries:
        return Sighting.SET_ASIDE
    return Sighting.RESUMED


def _batch(db: Database, name: str, actor: str) -> int:
    db.conn.execute(
        "INSERT OR IGNORE INTO batches (name, created_at, created_by) VALUES (?, ?, ?)",
        [name, now(), actor],
    )
    return int(db.conn.execute("SELECT id FROM batches WHERE name = ?", [name]).fetchone()[0])


def _enter(
    store: Store, db: Database, file: Accepted, intake: Intake, batch_id: int, department: str
) -> None:
    db.table("originals").insert(
        {
            "sha256": file.sha256,
            "name": file.name,
            "size": file.size,
            "media_type": file.media_type,
            "form": intake.form,
            "department": intake.department,
            "state": "waiting",
            "run": intake.run or None,
            "accepted_at": now(),
        }
    )
    document = {
        "sha256": file.sha256,
        "part": 1,
        "batch_id": batch_id,
        "department": intake.department or department,
        "form": None,
        "title": file.name,
        "date": None,
        "status": DocumentStatus.WAITING,
        "version": 1,
        "rev": store.next_rev(db),
        "created_at": now(),
    }
    document_id = int(db.table("documents").insert(document).last_pk or 0)
    change = {"name": file.name, "sha256": file.sha256, "size": file.size}
    store.audit(db, intake.actor, "accepted", change, document_id)


def claim(store: Store, sha256: str, run: str, alive: Callable[[str | None], bool]) -> bool:
    """Take a waiting file for this run; False when it is read or another living run has it."""
    with store.write() as db:
        row = db.conn.execute(
            "SELECT state, run FROM originals WHERE sha256 = ?", [sha256]
        ).fetchone()
        if row["state"] != "waiting" or (row["run"] != run and alive(row["run"])):
            return False
        db.table("originals").update(sha256, {"run": run})
    return True


def open_again(
    store: Store, actor: str, sha256: str, why: str, run: str | None = None,
    alive: Callable[[str | None], bool] = lambda _run: False, whole: bool = False,
) -> bool:  # fmt: skip
    """Let a file be read once more, by this run or whichever comes; its records stay as they are.

    With ``whole`` no earlier reading of its pages counts. False, and nothing done, while a run that
    is ``alive`` has the file.
    """
    with store.write() as db:
        row = db.conn.execute("SELECT run FROM originals WHERE sha256 = ?", [sha256]).fetchone()
        if row["run"] != run and alive(row["run"]):
            return False
        if whole:
            db.conn.execute("UPDATE pages SET key = '' WHERE sha256 = ?", [sha256])
        db.table("originals").update(sha256, {"state": "waiting", "run": run})
        store.note(db, actor, "to be read again", sha256, None, why=why)
        store.audit(db, actor, "to be read again", {"sha256": sha256, "why": why})
    return True


def keep_templates(store: Store, actor: str, templates: Iterable[TemplateText]) -> None:
    """Keep versions of templates that pages are about to be read with; known ones stay."""
    known = {template.digest for template in store.templates()}
    new = [t for t in templates if t.digest not in known]
    if new:
        with store.write() as db:
            for template in new:
                kept = db.conn.execute(
                    "INSERT OR IGNORE INTO templates VALUES (?, ?, ?, ?, ?)", astuple(template)
                )
                if kept.rowcount:  # and no other run has kept it meanwhile
                    about = {"form": template.form, "printing": template.printing}
                    store.audit(db, actor, "template kept", {**about, "digest": template.digest})


def is_filed(store: Store, sha256: str) -> bool:
    """Say whether a file has records from a reading that ended."""
    row = store.db.conn.execute(
        "SELECT count(*) FROM documents WHERE sha256 = ? AND status IN ('filed', 'needs-review')",
        [sha256],
    ).fetchone()
    return bool(row[0])


def close_unread(store: Store, actor: str, sha256: str, failure: PageFailure) -> None:
    """End another reading of a filed file that failed: what was read before stays.

    Where a page of it has no reading that counts, the file is as failed as before, to be tried
    again by the next import.
    """
    with store.write() as db:
        lacking = db.conn.execute(
            "SELECT count(*) FROM pages WHERE sha256 = ? AND (state = 'failed' OR key = '')",
            [sha256],
        ).fetchone()[0]
        _end_reading(db, sha256, failure if lacking else None)
        store.note(db, actor, "not read again", sha256, None, why=failure.message)


def waiting(store: Store) -> list[str]:
    """Return the hashes of all files whose reading has not ended, oldest first."""
    found = store.db.conn.execute(
        "SELECT sha256 FROM originals WHERE state = 'waiting' ORDER BY accepted_at"
    )
    return [row["sha256"] for row in found]


def page_keys(store: Store, sha256: str) -> dict[int, str]:
    """Return the key of each page's reading, by its number; of pages that were read alone."""
    found = store.db.conn.execute(
        "SELECT number, key FROM pages WHERE sha256 = ? AND state = 'read'", [sha256]
    )
    return {row["number"]: row["key"] for row in found}


def read_page(store: Store, sha256: str, number: int) -> PageResult | PageFailure:
    """Return the kept reading of one page."""
    row = store.db.conn.execute(
        "SELECT * FROM pages WHERE sha256 = ? AND number = ?", [sha256, number]
    ).fetchone()
    return rows.page_result(row)


def holder(store: Store, sha256: str) -> str | None:
    """Return the run that has claimed a file, if any."""
    row = store.db.conn.execute("SELECT run FROM originals WHERE sha256 = ?", [sha256]).fetchone()
    return row["run"] if row else None


@dataclass(frozen=True, slots=True)
class Told:
    """What the person who handed a file in said of it; empty where nothing."""

    form: str
    department: str


def told(store: Store, sha256: str) -> Told:
    """Return what the person who handed a file in said of it."""
    row = store.db.conn.execute(
        "SELECT form, department FROM originals WHERE sha256 = ?", [sha256]
    ).fetchone()
    return Told(row["form"] or "", row["department"] or "")


def count_pages(store: Store, sha256: str, pages: int) -> None:
    """Keep how many pages a file has; pages beyond, of another count, are let go."""
    with store.write() as db:
        db.table("originals").update(sha256, {"page_count": pages})
        db.conn.execute("DELETE FROM pages WHERE sha256 = ? AND number > ?", [sha256, pages])


def save_page(
    store: Store, actor: str, sha256: str, page: PageResult | PageFailure, key: str
) -> None:
    """Keep what was read from one page, or why it could not be read, with its audit link."""
    if isinstance(page, PageFailure):
        row = rows.failed_page_row(page, key)
        change = {"page": page.number, "failed": page.kind, "stage": page.stage}
    else:
        row = rows.page_row(page)
        change = {"page": page.number, "image": page.image, "reader": page.reader}
    with store.write() as db:
        place = _place_of_page(db, sha256, page.number)
        db.conn.execute("DELETE FROM pages WHERE sha256 = ? AND number = ?", [sha256, page.number])
        db.table("pages").insert({**row, **place, "sha256": sha256, "read_at": now()})
        store.audit(db, actor, "page read", change, int(str(place["document_id"])))


def fail_original(store: Store, actor: str, sha256: str, failure: PageFailure) -> None:
    """Mark a kept file that cannot be read, with the reason for a person."""
    with store.write() as db:
        _end_reading(db, sha256, failure)
        document_id = _first_document(db, sha256)
        db.conn.execute(
            """UPDATE documents SET status = 'failed', reasons = ?, version = version + 1, rev = ?
            WHERE id = ?""",
            [json.dumps([failure.message], ensure_ascii=False), store.next_rev(db), document_id],
        )
        change = {"stage": failure.stage, "kind": failure.kind, "message": failure.message}
        store.audit(db, actor, "failed", change, document_id)


def read_pages(store: Store, sha256: str) -> list[PageResult | PageFailure]:
    """Return all kept readings of a file's pages, in order, to put records together from.

    What people have said of the text stands in the place of what was read.
    """
    found = store.db.conn.execute(
        f"SELECT p.*, {CORRECTED} FROM pages p WHERE sha256 = ? ORDER BY number", [sha256]
    ).fetchall()
    return [rows.corrected_result(row) for row in found]


def file_records(
    store: Store,
    actor: str,
    sha256: str,
    drafts: Sequence[Draft],
    failure: PageFailure | None = None,
) -> list[int]:
    """File the records that a file's pages make up, in one transaction; return their ids.

    A record is known again by its first page, so that one that a page was missing from before
    does not move another's corrections. Raises ArchiveError when pages are missing, and
    StaleVersionError when people have arranged the pages: ``refile_records`` is for those.

    What a person has corrected stays, whatever the drafts say. With a ``failure`` of one of its
    pages the file counts as tried and failed, so that the next import tries that page again.
    """
    ids = []
    with store.write() as db:
        first = db.conn.execute(
            "SELECT * FROM documents WHERE sha256 = ? AND part = 1", [sha256]
        ).fetchone()
        _check_complete(db, sha256)
        if db.conn.execute(_IS_ARRANGED, [sha256]).fetchone()[0]:
            raise StaleVersionError(f"The pages of file {sha256[:12]} were arranged by a person.")
        for draft in drafts:
            document_id = _document(store, db, dict(first), draft.pages[0], draft)
            _place_pages(db, sha256, document_id, draft.pages)
            _replace_fields(db, document_id, draft.fields)
            checking.enter(db, document_id, draft.fields, draft.sampled, draft.twice)
            change = {"pages": list(draft.pages), "form": draft.form, "status": draft.status}
            store.audit(db, actor, "filed", change, document_id)
            ids.append(document_id)
        _empty_surplus(store, db, actor, sha256, {draft.pages[0] for draft in drafts})
        _end_reading(db, sha256, failure)
    return ids


def is_arranged(store: Store, sha256: str) -> bool:
    """Say whether people have put pages of a file in order, or among those of another record."""
    row = store.db.conn.execute(_IS_ARRANGED, [sha256]).fetchone()
    return bool(row[0])


def turns(store: Store, sha256: str) -> dict[int, int]:
    """Return the turns that people gave pages of a file, by their numbers."""
    found = store.db.conn.execute(
        "SELECT number, turned FROM pages WHERE sha256 = ? AND turned IS NOT NULL", [sha256]
    )
    return {row["number"]: row["turned"] for row in found}


def refile_records(
    store: Store,
    actor: str,
    sha256: str,
    drafts: Mapping[int, tuple[int, Draft]],
    failure: PageFailure | None = None,
) -> None:
    """File anew the records that hold pages of a file, each as people have arranged it.

    ``drafts`` are (version, draft) by record. Raises StaleVersionError where a record is no longer
    at its version, ArchiveError when pages are missing.
    """
    with store.write() as db:
        _check_complete(db, sha256)
        for document_id, (version, draft) in drafts.items():
            write_draft(store, db, document_id, version, draft)
            _replace_fields(db, document_id, draft.fields)
            checking.enter(db, document_id, draft.fields, draft.sampled, draft.twice)
            change = {"pages": list(draft.pages), "form": draft.form, "status": draft.status}
            store.audit(db, actor, "filed", change, document_id)
        _end_reading(db, sha256, failure)


def write_draft(store: Store, db: Database, document_id: int, version: int, draft: Draft) -> None:
    """Write what a draft says of a record as a whole, but for its department.

    Inside ``write`` only. Raises StaleVersionError where the record is no longer at ``version``.
    """
    known = db.conn.execute("SELECT version FROM documents WHERE id = ?", [document_id]).fetchone()
    if known is None or known["version"] != version:
        raise stale(document_id)
    row = _draft_row(store, db, draft)
    db.table("documents").update(document_id, {**row, "version": version + 1})


def _draft_row(store: Store, db: Database, draft: Draft) -> dict[str, object]:
    """Return what a draft says of a record as columns, but for department and version."""
    return {
        "form": draft.form,
        "title": draft.title,
        "date": draft.date,
        "status": draft.status,
        "reasons": json.dumps(draft.reasons, ensure_ascii=False),
        "rev": store.next_rev(db),
    }


def _end_reading(db: Database, sha256: str, failure: PageFailure | None) -> None:
    why = json.dumps([failure.stage, failure.kind, failure.message]) if failure else None
    db.conn.execute(
        """UPDATE originals SET state = ?, failure = ?, tries = tries + ?, run = NULL
        WHERE sha256 = ?""",
        ["failed" if failure else "read", why, int(failure is not None), sha256],
    )


def _check_complete(db: Database, sha256: str) -> None:
    """Hold that a file is done only when as many pages were read as it has."""
    expected, found = db.conn.execute(
        """SELECT page_count, (SELECT count(*) FROM pages p WHERE p.sha256 = o.sha256)
        FROM originals o WHERE sha256 = ?""",
        [sha256],
    ).fetchone()
    if expected is not None and expected != found:
        raise ArchiveError(f"File {sha256[:12]} has {expected} pages, but {found} were read.")


def _empty_surplus(
    store: Store, db: Database, actor: str, sha256: str, firsts: Collection[int]
) -> None:
    """Say of records that an earlier reading made, and this one does not, where their pages are."""
    # A record that a person made of pages, and took back, has a part beyond the file's pages.
    found = db.conn.execute(
        """SELECT d.id, d.part FROM documents d JOIN originals o USING (sha256)
        WHERE sha256 = ? AND part <= coalesce(o.page_count, part)""",
        [sha256],
    ).fetchall()
    for row in [r for r in found if r["part"] not in firsts]:
        reason = "its pages belong to another record since the file was read again"
        change = {
            "status": DocumentStatus.NEEDS_REVIEW,
            "reasons": json.dumps([reason]),
            "rev": store.next_rev(db),
        }
        db.table("documents").update(row["id"], change)
        db.conn.execute("UPDATE documents SET version = version + 1 WHERE id = ?", [row["id"]])
        _replace_fields(db, row["id"], ())
        checking.enter(db, row["id"], (), (), ())
        store.audit(db, actor, "emptied", {"reason": reason}, row["id"])


def _document(store: Store, db: Database, first: dict[str, object], part: int, draft: Draft) -> int:
    row = {"department": draft.department, **_draft_row(store, db, draft)}
    known = db.conn.execute(
        "SELECT id, version FROM documents WHERE sha256 = ? AND part = ?", [first["sha256"], part]
    ).fetchone()
    if known:
        db.table("documents").update(known["id"], {**row, "version": known["version"] + 1})
        return int(known["id"])
    place = {k: first[k] for k in ("sha256", "batch_id")} | {"created_at": now()}
    return int(
        db.table("documents").insert({**row, **place, "part": part, "version": 1}).last_pk or 0
    )


def _place_pages(db: Database, sha256: str, document_id: int, pages: Sequence[int]) -> None:
    for position, number in enumerate(pages, 1):
        db.conn.execute(
            "UPDATE pages SET document_id = ?, position = ? WHERE sha256 = ? AND number = ?",
            [document_id, position, sha256, number],
        )


def _replace_fields(db: Database, document_id: int, fields: Sequence[Field]) -> None:
    kept = db.conn.execute(
        "SELECT name FROM fields WHERE document_id = ? AND status = 'corrected'", [document_id]
    )
    corrected = {row["name"] for row in kept}
    db.conn.execute(
        "DELETE FROM fields WHERE document_id = ? AND status != 'corrected'", [document_id]
    )
    db.table("fields").insert_all(
        rows.field_row(field, document_id, position)
        for position, field in enumerate(fields)
        if field.name not in corrected
    )


def _place_of_page(db: Database, sha256: str, number: int) -> dict[str, object]:
    """Return where a page belongs, and what people did to it: as before, else the file's first."""
    row = db.conn.execute(
        """SELECT document_id, position, arranged, turned, said, waits FROM pages
        WHERE sha256 = ? AND number = ?""",
        [sha256, number],
    ).fetchone()
    if row:
        return dict(row)
    document_id = _first_document(db, sha256)
    last = db.conn.execute(
        "SELECT max(position) FROM pages WHERE document_id = ? AND arranged", [document_id]
    ).fetchone()[0]
    place = {"position": number} if last is None else {"position": last + 1, "arranged": 1}
    return {"document_id": document_id, **place}


def _first_document(db: Database, sha256: str) -> int:
    row = db.conn.execute(
        "SELECT id FROM documents WHERE sha256 = ? AND part = 1", [sha256]
    ).fetchone()
    return int(row[0])
