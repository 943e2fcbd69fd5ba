"""The SQLite store: one connection, one way to write, the audit chain, and what can be asked.

The writes that file records are in ``records.filing``, those about people in
``records.people``; both go through ``Store.write``.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from records import rows
from records.access import Action, Viewer, departments_for, may, system
from records.errors import ArchiveError, BusyError, NotFoundError
from records.model import (
    AuditRow,
    Department,
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    IndexedDocument,
    Line,
    Original,
    Page,
    PageWords,
    Pair,
    TemplateText,
)
from records.overlaying import PageText, lines_of
from records.schema import migrations
from records.turnstile import Turnstile

BUSY_MS = 10_000
_ASK_S = 0.002
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
)
GENESIS = "0" * 64
_DOCUMENTS = """
    SELECT d.*, o.name AS source, b.name AS batch
    FROM documents d JOIN originals o USING (sha256) JOIN batches b ON b.id = d.batch_id
"""

# What a record calls a page: see ``records.model.Page``. Pages that were laid aside stand at 0.
LEAF = "CASE WHEN p.arranged THEN p.position ELSE p.number END"
_READ_PAGES = """
    FROM pages p JOIN documents d ON d.id = p.document_id
    WHERE p.document_id = ? AND d.status != 'waiting' AND p.position > 0
"""
# What people have said of the words of a page ``p``, for ``rows.laid_lines``.
CORRECTED = """(
        SELECT json_group_array(json_array(
            t.id, json(t.places), t.was, t.text, t.person, t.at))
        FROM text_corrections t
        WHERE t.sha256 = p.sha256 AND t.page = p.number AND t.taken_back_at IS NULL
    ) AS corrected"""
_WORDS = f"p.words, p.geometry, {CORRECTED}"


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def chain_hash(previous: str, row: Mapping[str, object]) -> str:
    """Return the SHA-256 that links an audit row (without its hash) to the one before it."""
    body = json.dumps(dict(row), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def _close_all(connections: list[sqlite3.Connection]) -> None:
    for conn in connections:
        conn.close()


def _to_write_ahead(conn: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself for others who do so too."""
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.05)


def _begin(conn: sqlite3.Connection, until: float) -> None:
    """Take the write lock, asking every few milliseconds: SQLite itself asks ten times a second."""
    conn.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                conn.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > until:
                    raise _busy("another process is writing") from error
            time.sleep(_ASK_S)
    finally:
        conn.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def _busy(why: str) -> BusyError:
    """Return what a person is told, with a note for the log of who holds the database."""
    error = BusyError("The database is busy; try again in a minute.")
    error.add_note(f"For {BUSY_MS / 1000:.0f} s it was not free: {why}.")
    return error


class Store:
    """The database of one archive; safe to share between threads, each gets its own connection."""

    def __init__(self, path: Path, departments: Sequence[Department] = ()) -> None:
        """Open the database, bring its schema up to date and enter the departments.

        Raises ArchiveError when it cannot be opened or is no database, BusyError when it stays
        locked.
        """
        self.path = path
        self._local = threading.local()
        self._writers = Turnstile()
        self._connections: list[sqlite3.Connection] = []
        weakref.finalize(self, _close_all, self._connections)
        try:
            if migrations.pending(self.db) or self._new_departments(departments):
                with self.write() as db:
                    migrations.apply(db)
                    for department in self._new_departments(departments):
                        db.table("departments").upsert(asdict(department), pk="name")
                        self.audit(db, "settings", "department set", asdict(department))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BusyError(f"The database '{path}' is busy; try again in a minute.") from error
            raise ArchiveError(
                f"The database '{path}' cannot be opened ({error}); see that its folder exists, "
                "can be written and has room."
            ) from error
        except sqlite3.DatabaseError as error:
            raise ArchiveError(
                f"The database '{path}' is damaged ({error}); put back the last backup of it."
            ) from error
        self.store_id = str(self._one("SELECT value FROM meta WHERE key = 'store_id'")["value"])

    @property
    def db(self) -> Database:
        """This thread's connection."""
        if not hasattr(self._local, "db"):
            # Each thread uses its own; only the end of the store closes those of other threads.
            conn = sqlite3.connect(
                self.path, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False
            )
            self._connections.append(conn)
            conn.row_factory = sqlite3.Row
            _to_write_ahead(conn)
            for pragma in _PRAGMAS:
                conn.execute(pragma)
            self._local.db = Database(conn)
        return self._local.db  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close this thread's connection."""
        if hasattr(self._local, "db"):
            self._connections.remove(self._local.db.conn)
            self._local.db.close()
            del self._local.db

    @contextmanager
    def write(self) -> Iterator[Database]:
        """Run one short transaction that holds the write lock from its first statement.

        sqlite-utils' own ``atomic`` opens a deferred one, whose upgrade to a write fails at once
        when another process writes. Raises BusyError when others write for too long.
        """
        db = self.db
        until = time.monotonic() + BUSY_MS / 1000
        if not self._writers.enter(BUSY_MS / 1000):
            raise _busy(f"{self._writers.inside()} of this process is writing")
        try:
            _begin(db.conn, until)
            yield db
            db.conn.execute("COMMIT")
        except BaseException:
            if db.conn.in_transaction:  # SQLite has ended it by itself when the disk was full
                db.conn.execute("ROLLBACK")
            raise
        finally:
            self._writers.leave()

    def next_rev(self, db: Database) -> int:
        """Count up and return the revision that a changed record gets; inside ``write`` only."""
        row = db.conn.execute(
            "UPDATE meta SET value = value + 1 WHERE key = 'revision' RETURNING value"
        ).fetchone()
        return int(row[0])

    def audit(
        self,
        db: Database,
        actor: str,
        action: str,
        change: Mapping[str, object],
        document_id: int | None = None,
    ) -> None:
        """Append one link to the audit chain; inside the ``write`` that makes the change.

        The link holds the record's full field values as they are after the change.
        """
        last = db.conn.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
        previous = last["hash"] if last else GENESIS
        version, values = None, {}
        if document_id is not None:
            version = db.conn.execute(
                "SELECT version FROM documents WHERE id = ?", [document_id]
            ).fetchone()[0]
            found = db.conn.execute(
                "SELECT name, value FROM fields WHERE document_id = ? ORDER BY name", [document_id]
            )
            values = {row["name"]: row["value"] for row in found}
        row = {
            "at": now(),
            "actor": actor,
            "action": action,
            "document_id": document_id,
            "version": version,
            "change": json.dumps(dict(change), sort_keys=True, ensure_ascii=False),
            "field_values": json.dumps(values, sort_keys=True, ensure_ascii=False),
            "previous": previous,
        }
        db.table("audit").insert({**row, "hash": chain_hash(previous, row)})

    def note(
        self,
        db: Database,
        actor: str,
        kind: str,
        sha256: str | None = None,
        batch_id: int | None = None,
        **detail: object,
    ) -> None:
        """Write an event: something that happened to a file or batch but changed no record."""
        db.table("events").insert(
            {
                "at": now(),
                "actor": actor,
                "kind": kind,
                "sha256": sha256,
                "batch_id": batch_id,
                "detail": json.dumps(detail, ensure_ascii=False),
            }
        )

    # What can be asked. A viewer who may not see a record is told that there is none.

    def departments(self) -> tuple[Department, ...]:
        """Return all departments by name."""
        found = self._all("SELECT * FROM departments ORDER BY name")
        return tuple(Department(r["name"], r["title"], bool(r["shared"])) for r in found)

    def system_viewer(self, name: str) -> Viewer:
        """Return the viewer for someone at the server's own command line."""
        return system(name, self.departments())

    def document(self, document_id: int, viewer: Viewer) -> Document:
        """Return one record, or raise NotFoundError."""
        found = self._all(f"{_DOCUMENTS} WHERE d.id = ?", document_id)
        if not found or not may(viewer, Action.SEE, found[0]["department"]):
            raise NotFoundError(f"There is no record {document_id} that {viewer.name} may see.")
        return rows.document(found[0])

    def documents(
        self,
        viewer: Viewer,
        batch: str | None = None,
        sha256: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Document]:
        """Return the records this person may see, by id, optionally of one batch or one file."""
        seen = sorted(departments_for(viewer, Action.SEE))
        wanted = {"d.id > ?": after, "b.name = ?": batch, "d.sha256 = ?": sha256}
        asked = {part: value for part, value in wanted.items() if value is not None}
        found = self._all(
            f"""{_DOCUMENTS} WHERE d.department IN ({",".join("?" * len(seen))})
            AND {" AND ".join(asked)} ORDER BY d.id LIMIT ?""",
            *(*seen, *asked.values(), -1 if limit is None else limit),
        )
        return [rows.document(r) for r in found]

    def fields(self, document_id: int) -> tuple[Field, ...]:
        """Return a record's fields in the order of its form."""
        return self.fields_of([document_id])[document_id]

    def fields_of(self, ids: Sequence[int]) -> dict[int, tuple[Field, ...]]:
        """Return the fields of many records, each in the order of its form."""
        marks = ",".join("?" * len(ids))
        found = self._all(
            f"SELECT * FROM fields WHERE document_id IN ({marks}) ORDER BY position", *ids
        )
        by_record: dict[int, list[Field]] = {number: [] for number in ids}
        for row in found:
            by_record[row["document_id"]].append(rows.field(row))
        return {number: tuple(fields) for number, fields in by_record.items()}

    def pages(self, document_id: int) -> tuple[Page, ...]:
        """Return a record's pages in order, without their words; none while it is being read.

        Until then nobody knows whose they are: a private form may lie in a shared department.
        """
        found = self._all(
            f"SELECT p.*, {LEAF} AS leaf {_READ_PAGES} ORDER BY p.position", document_id
        )
        return tuple(rows.page(r) for r in found)

    def lines(self, document_id: int, page: int) -> tuple[Line, ...]:
        """Return the words of one page (by its number in the file), in reading order.

        What people have corrected stands in the place of what was read.
        """
        text = self.page_text(document_id, page)
        return lines_of(text.lines) if text else ()

    def page_text(self, document_id: int, page: int) -> PageText | None:
        """Return the text of one page with who corrected what; None where there is no such page."""
        found = self._all(
            f"SELECT p.sha256, p.number, {_WORDS} {_READ_PAGES} AND {LEAF} = ?", document_id, page
        )
        return rows.page_text(found[0]) if found else None

    def words(self, pages: Sequence[tuple[int, int]]) -> dict[tuple[int, int], PageWords]:
        """Return the words of many pages, each named by its record and its number in it."""
        if not pages:
            return {}
        ids, both = ",".join("?" * len(pages)), ",".join(["(?,?)"] * len(pages))
        found = self._all(
            f"""SELECT p.document_id, {LEAF} AS leaf, {_WORDS}
            FROM pages p JOIN documents d ON d.id = p.document_id
            WHERE p.document_id IN ({ids}) AND d.status != 'waiting' AND p.position > 0
            AND (p.document_id, {LEAF}) IN (VALUES {both})""",
            *(document_id for document_id, _ in pages),
            *(value for page in pages for value in page),
        )
        return {(r["document_id"], r["leaf"]): rows.page_words(r) for r in found}

    def files(self, document_id: int) -> tuple[Original, ...]:
        """Return the files that a record's pages come from, in the order of the pages.

        A record whose pages have gone, or were not read, has the file that it was made for.
        """
        found = self._all(
            """SELECT o.* FROM originals o JOIN (
                SELECT sha256, min(position) AS first FROM pages
                WHERE document_id = ? AND position > 0 GROUP BY sha256) p USING (sha256)
            ORDER BY p.first""",
            document_id,
        ) or self._all(
            "SELECT o.* FROM originals o JOIN documents d USING (sha256) WHERE d.id = ?",
            document_id,
        )
        return tuple(rows.original(r) for r in found)

    def holders(self, sha256: str) -> list[int]:
        """Return the records that hold pages of a file; for callers that may see all."""
        found = self._all("SELECT DISTINCT document_id FROM pages WHERE sha256 = ?", sha256)
        return [r["document_id"] for r in found]

    def documents_of(self, sha256: str, viewer: Viewer) -> list[Document]:
        """Return the records this person may see that were made for a file, or hold pages of it."""
        made = self.documents(viewer, sha256=sha256)
        known = {document.id for document in made}
        others = self.summaries([n for n in self.holders(sha256) if n not in known]).values()
        return [*made, *(d for d in others if may(viewer, Action.SEE, d.department))]

    def departments_of(self, sha256: str) -> frozenset[str]:
        """Return the departments of all records that were made for a file or hold pages of it."""
        found = self._all(
            """SELECT department FROM documents WHERE sha256 = ? UNION SELECT d.department
            FROM pages p JOIN documents d ON d.id = p.document_id WHERE p.sha256 = ?""",
            *(sha256, sha256),
        )
        return frozenset(r["department"] for r in found)

    def history(self, document_id: int) -> tuple[AuditRow, ...]:
        """Return all that was done to a record, oldest first."""
        found = self._all("SELECT * FROM audit WHERE document_id = ? ORDER BY id", document_id)
        return tuple(rows.audit(r) for r in found)

    def settled(self, document_id: int) -> frozenset[str]:
        """Return what was odd about a record, and a person has looked at and found in order.

        What was said before its pages were arranged is of other pages.
        """
        found = self._all(
            """SELECT change FROM audit WHERE document_id = ? AND action = 'looked over'
            AND id > coalesce((SELECT max(id) FROM audit WHERE document_id = ?
                AND action IN ('arranged', 'put pages back')), 0)""",
            *(document_id, document_id),
        )
        return frozenset(reason for r in found for reason in json.loads(r["change"])["reasons"])

    def audit_rows(self) -> Iterator[AuditRow]:
        """Walk the whole audit chain, oldest first."""
        for row in self.db.conn.execute("SELECT * FROM audit ORDER BY id"):
            yield rows.audit(row)

    def sightings(self, sha256: str) -> list[dict[str, Any]]:
        """Return the events of one original, oldest first."""
        found = self._all("SELECT * FROM events WHERE sha256 = ? ORDER BY id", sha256)
        return [{**dict(r), "detail": json.loads(r["detail"])} for r in found]

    def original(self, sha256: str) -> Original | None:
        """Return what is known of one kept file."""
        found = self._all("SELECT * FROM originals WHERE sha256 = ?", sha256)
        return rows.original(found[0]) if found else None

    def originals(self) -> Iterator[Original]:
        """Walk all kept files."""
        for row in self.db.conn.execute("SELECT * FROM originals ORDER BY sha256"):
            yield rows.original(row)

    def batches(self, viewer: Viewer, limit: int = 50) -> list[dict[str, Any]]:
        """Return the newest batches with records that this person may see, with their counts.

        Each is a mapping: name, created_at, created_by, records, and one count a status.
        """
        found = self._all(
            """SELECT b.name, b.created_at, b.created_by, d.department, d.status, count(*) AS n
            FROM batches b JOIN documents d ON d.batch_id = b.id
            GROUP BY b.id, d.department, d.status ORDER BY b.id DESC"""
        )
        made: dict[str, dict[str, Any]] = {}
        for row in found:
            if not may(viewer, Action.SEE, row["department"]):
                continue
            blank = {"records": 0, "waiting": 0, "needs-review": 0, "filed": 0, "failed": 0}
            batch = made.setdefault(
                row["name"],
                {k: row[k] for k in ("name", "created_at", "created_by")} | blank,
            )
            batch["records"] += row["n"]
            batch[row["status"]] += row["n"]
        return list(made.values())[:limit]

    def is_empty(self) -> bool:
        """Say whether no file was ever taken in."""
        return not self._one("SELECT EXISTS (SELECT 1 FROM originals) AS any")["any"]

    def counts(self) -> dict[str, int]:
        """Return how much of everything there is."""
        count = {
            table: int(self._one(f"SELECT count(*) AS n FROM {table}")["n"])
            for table in ("batches", "originals", "documents", "pages", "fields", "audit")
        }
        by_status = self._all("SELECT status, count(*) AS n FROM documents GROUP BY status")
        blank = self._one("SELECT count(*) AS n FROM pages WHERE blank")["n"]
        failed = self._one("SELECT count(*) AS n FROM pages WHERE state = 'failed'")["n"]
        return (
            count
            | {"blank pages": blank, "failed pages": failed}
            | {str(status): 0 for status in DocumentStatus}
            | {r["status"]: r["n"] for r in by_status}
        )

    # What the search index follows.

    def revision(self) -> int:
        """Return the revision of the newest change of any record."""
        return int(self._one("SELECT value FROM meta WHERE key = 'revision'")["value"])

    def changed_since(self, rev: int, limit: int) -> list[IndexedDocument]:
        """Return up to ``limit`` records changed after ``rev``, in the order of their change."""
        found = self._all(f"{_DOCUMENTS} WHERE d.rev > ? ORDER BY d.rev LIMIT ?", rev, limit)
        return [self._indexed(rows.document(r)) for r in found]

    def summaries(self, ids: Sequence[int]) -> dict[int, Document]:
        """Return the records with these ids; for callers that have asked what may be seen."""
        marks = ",".join("?" * len(ids))
        found = self._all(f"{_DOCUMENTS} WHERE d.id IN ({marks})", *ids)
        return {r["id"]: rows.document(r) for r in found}

    def field_names(self) -> frozenset[str]:
        """Return the names of all fields that any record has."""
        return frozenset(r["name"] for r in self._all("SELECT DISTINCT name FROM fields"))

    def template_of(self, document_id: int) -> str:
        """Return the digest of the template that a record's form was read with; empty without."""
        found = self._all(
            f"SELECT p.template {_READ_PAGES} AND p.template != '' AND p.form = d.form "
            "ORDER BY p.position LIMIT 1",
            document_id,
        )
        return str(found[0]["template"]) if found else ""

    def templates(self, form: str | None = None) -> list[TemplateText]:
        """Return the versions of templates that were used, of one form or all, oldest first."""
        found = self._all("SELECT * FROM templates ORDER BY first_used_at, digest")
        return [rows.template(r) for r in found if form is None or r["form"] == form]

    def pairs(self, document_id: int) -> tuple[tuple[int, Pair], ...]:
        """Return a record's labels with their answers: (number of the page, pair)."""
        found = self._all(
            f"SELECT {LEAF} AS leaf, p.pairs, {_WORDS} {_READ_PAGES} ORDER BY p.position",
            document_id,
        )
        return tuple((r["leaf"], pair) for r in found for pair in rows.laid_pairs(r))

    def verified_words(self) -> frozenset[str]:
        """Return the words, in small letters, of all values that people have given."""
        given = self._all("SELECT value FROM fields WHERE status = ?", FieldStatus.CORRECTED)
        words = " ".join(row["value"] for row in given).casefold().split()
        return frozenset(word.strip(".,:;()") for word in words) - {""}

    def _indexed(self, document: Document) -> IndexedDocument:
        pages = self._all(
            f"SELECT {LEAF} AS leaf, p.pairs, {_WORDS} {_READ_PAGES} ORDER BY p.position",
            document.id,
        )
        texts = tuple(
            (r["leaf"], "\n".join(line.text for line in rows.laid_lines(r) if line.words))
            for r in pages
        )
        return IndexedDocument(
            id=document.id,
            rev=document.rev,
            title=document.title,
            department=document.department,
            form=document.form,
            status=document.status,
            date=document.date,
            batch=document.batch,
            source=document.source,
            fields=self.fields(document.id),
            pages=texts,
            pairs=tuple((r["leaf"], pair) for r in pages for pair in rows.laid_pairs(r)),
            notes=self._put_on(
                "SELECT text FROM notes WHERE document_id = ? ORDER BY id", document
            ),
            tags=self._put_on("SELECT tag FROM tags WHERE document_id = ? ORDER BY tag", document),
        )

    def _put_on(self, sql: str, document: Document) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._all(sql, document.id))

    def _new_departments(self, wanted: Sequence[Department]) -> list[Department]:
        known = set(self.departments()) if self.db.table("departments").exists() else set()
        return [department for department in wanted if department not in known]

    def _all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.db.conn.execute(sql, values).fetchall()

    def _one(self, sql: str, *values: object) -> sqlite3.Row:
        return self._all(sql, *values)[0]
