"""Which pages a record has, and in which order, where people say so; files are never touched.

Every arrangement is one transaction over all records that it changes. It is kept with what it takes
to take it back, for as long as none of the records was changed since.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from records import checking, filing, noting, rows
from records.access import Action, Viewer, may, require
from records.errors import BusyError, NotFoundError, StaleVersionError, stale
from records.filing import Draft
from records.model import Document, Field, FieldStatus, PageFailure, PageKey, PageResult
from records.store import CORRECTED, LEAF, Store, now

# What a page that was put into a record keeps of its own row; the reading itself never moves.
_PLACED = ("sha256", "number", "document_id", "position", "arranged", "said", "waits")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of a record with its reading; ``place`` counts from 1, and is 0 where laid aside.

    ``leaf`` is what the record calls it (see ``records.model.Page``). ``said`` are the corrections
    that go with the page wherever it is put.
    """

    key: PageKey
    place: int
    leaf: int
    reading: PageResult | PageFailure
    said: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Arranged:
    """A record as it will be; ``pages`` in order, those ``aside`` are kept and not shown.

    ``said`` are the corrections that wait with a page because its record has no such field.
    """

    pages: tuple[PageKey, ...]
    aside: tuple[PageKey, ...]
    draft: Draft
    said: Mapping[PageKey, tuple[Field, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """What an arrangement does to one record, which is at ``before.version`` until then."""

    before: Document
    after: Arranged


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One that was made, and can be taken back; ``records`` are those that it changed."""

    id: int
    at: str
    person: str
    what: str
    records: tuple[int, ...]


def sheets(store: Store, document_id: int, aside: bool = False) -> tuple[Sheet, ...]:
    """Return a record's pages in order, then those laid aside; or these alone."""
    found = store.db.conn.execute(
        f"""SELECT p.*, {LEAF} AS leaf, {CORRECTED} FROM pages p
        WHERE p.document_id = ? AND (p.position = 0 OR NOT ?)
        ORDER BY p.position = 0, p.position, p.sha256, p.number""",
        [document_id, aside],
    ).fetchall()
    said = _said(store.fields(document_id), found)
    return tuple(
        Sheet(
            PageKey(row["sha256"], row["number"]),
            row["position"],
            row["leaf"],
            rows.corrected_result(row),
            (*said.get(row["leaf"], ()), *map(rows.field, json.loads(row["said"]))),
        )
        for row in found
    )


def page_keys(store: Store, document_id: int) -> list[PageKey]:
    """Return what names a record's pages, those laid aside too."""
    found = store.db.conn.execute(
        "SELECT sha256, number FROM pages WHERE document_id = ? ORDER BY position", [document_id]
    )
    return [PageKey(row["sha256"], row["number"]) for row in found]


def unheld(store: Store, document_id: int) -> list[Field]:
    """Return what people said of fields that a record has no room for; see ``Arranged.said``."""
    found = store.db.conn.execute(
        "SELECT position, said FROM pages WHERE document_id = ? AND said != '[]' ORDER BY position",
        [document_id],
    )
    waiting = [(row["position"], rows.field(f)) for row in found for f in json.loads(row["said"])]
    return [replace(field, page=place) for place, field in waiting]


def is_being_read(store: Store, document_id: int) -> bool:
    """Say whether pages of a file that a record has pages of, or was made for, are to come yet."""
    found = store.db.conn.execute(
        """SELECT EXISTS (SELECT 1 FROM originals o WHERE o.state != 'read'
        AND (o.sha256 = (SELECT sha256 FROM documents WHERE id = :id)
            OR o.sha256 IN (SELECT sha256 FROM pages WHERE document_id = :id))
        AND coalesce(o.page_count, 1 + (SELECT max(number) FROM pages WHERE sha256 = o.sha256), 1)
            > (SELECT count(*) FROM pages WHERE sha256 = o.sha256))""",
        {"id": document_id},
    )
    return bool(found.fetchone()[0])


def _said(fields: Iterable[Field], pages: Sequence[sqlite3.Row]) -> dict[int, list[Field]]:
    """Return what people said of a record's fields by the page (leaf) that it was read on."""
    leaves = [row["leaf"] for row in pages]
    said: dict[int, list[Field]] = {}
    for field in fields:
        if field.status is FieldStatus.CORRECTED and leaves:
            page = field.page if field.page in leaves else leaves[0]
            said.setdefault(page, []).append(field)
    return said


def arrange(
    store: Store,
    viewer: Viewer,
    what: str,
    changes: Sequence[Change],
    new: Arranged | None = None,
) -> int | None:
    """Write an arrangement of pages; return the number of the ``new`` record that it makes.

    ``what`` says what was done. Raises NotAllowedError, and StaleVersionError when a record was
    changed meanwhile, or pages would be lost or stand twice.
    """
    for change in changes:
        require(viewer, Action.CORRECT, change.before.department)
    ids = [change.before.id for change in changes]
    with store.write() as db:
        _hold_all_pages(db, ids, [*(c.after for c in changes), *((new,) if new else ())])
        before = _as_it_is(db, ids)
        waiting = _waiting_at_pages(db, ids)
        made = _new_record(store, db, changes[0].before, new) if new else None
        placed = [(c.before.id, c.before.version, c.after) for c in changes]
        if made and new:
            placed.append((made, 1, new))
        for document_id, version, after in placed:
            filing.write_draft(store, db, document_id, version, after.draft)
            _set_fields(db, document_id, after.draft)
            _place(db, document_id, after, waiting)
        _take_notes_along(db, changes)
        held = {c.before.id: c.before.version for c in changes}
        number = _keep(db, viewer, what, before, held, [p[0] for p in placed])
        for document_id, _, after in placed:
            told = {"arrangement": number, "what": what, "pages": len(after.pages)}
            store.audit(db, viewer.name, "arranged", told, document_id)
    return made


def _hold_all_pages(db: Database, ids: Sequence[int], parts: Sequence[Arranged]) -> None:
    """Hold that the records have the same pages before and after, each once."""
    found = db.conn.execute(
        "SELECT sha256, number FROM pages WHERE document_id IN (SELECT value FROM json_each(?))",
        [json.dumps(ids)],
    )
    have = Counter(PageKey(row["sha256"], row["number"]) for row in found)
    if have != Counter(key for part in parts for key in (*part.pages, *part.aside)):
        raise other_pages()


def other_pages() -> StaleVersionError:
    """Return the error that says that a record has other pages than a person was shown."""
    return StaleVersionError(
        "The pages are others than those that you saw; look at the record again, "
        "then say it once more."
    )


def _as_it_is(db: Database, ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of records that an arrangement may change."""
    wanted = [json.dumps(ids)]
    within = "IN (SELECT value FROM json_each(?))"

    def all_rows(sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in db.conn.execute(sql, wanted)]

    placed = ", ".join(_PLACED)
    return {
        "documents": all_rows(
            f"SELECT id, form, title, date, status, reasons FROM documents WHERE id {within}"
        ),
        "pages": all_rows(f"SELECT {placed} FROM pages WHERE document_id {within}"),
        "fields": all_rows(f"SELECT * FROM fields WHERE document_id {within}"),
        "checks": all_rows(f"SELECT * FROM checks WHERE document_id {within}"),
        "notes": all_rows(f"SELECT id, document_id FROM notes WHERE document_id {within}"),
        "tags": all_rows(f"SELECT * FROM tags WHERE document_id {within}"),
    }


def _new_record(store: Store, db: Database, origin: Document, new: Arranged) -> int:
    """Enter a record for pages that leave another; ``part`` only has to be one of its own."""
    sha256 = new.pages[0].sha256
    part, batch = db.conn.execute(
        """SELECT 1 + max(coalesce(o.page_count, 0), (SELECT max(part) FROM documents d
        WHERE d.sha256 = o.sha256)), (SELECT batch_id FROM documents WHERE id = ?)
        FROM originals o WHERE o.sha256 = ?""",
        [origin.id, sha256],
    ).fetchone()
    row = {
        "sha256": sha256,
        "part": part,
        "batch_id": batch,
        "department": origin.department,
        "title": new.draft.title,
        "status": new.draft.status,
        "version": 1,
        "rev": store.next_rev(db),
        "created_at": now(),
    }
    return int(db.table("documents").insert(row).last_pk or 0)


def _waiting_at_pages(db: Database, ids: Sequence[int]) -> dict[PageKey, list[dict[str, Any]]]:
    """Return the checks that go with the page of their field, with those that wait there."""
    wanted = [json.dumps(ids)]
    within = "document_id IN (SELECT value FROM json_each(?))"
    waiting: dict[PageKey, list[dict[str, Any]]] = {}
    pages: dict[tuple[int, int], PageKey] = {}
    found = db.conn.execute(f"SELECT p.*, {LEAF} AS leaf FROM pages p WHERE p.{within}", wanted)
    for row in found:
        key = PageKey(row["sha256"], row["number"])
        pages[row["document_id"], row["leaf"]] = key
        waiting[key] = json.loads(row["waits"])
    checks = db.conn.execute(
        f"""SELECT c.*, f.page FROM checks c JOIN fields f USING (document_id, name)
        WHERE c.{within} AND c.kind NOT IN ('look', 'sample')""",
        wanted,
    )
    for row in checks:
        check = {name: row[name] for name in row.keys() if name != "page"}  # noqa: SIM118
        if key_of := pages.get((row["document_id"], row["page"])):
            waiting[key_of].append(check)
    return waiting


def _place(
    db: Database,
    document_id: int,
    after: Arranged,
    waiting: Mapping[PageKey, Sequence[Mapping[str, Any]]],
) -> None:
    """Write where the pages of a record stand, and what goes with each or waits there."""
    own = {(field.name, field.page) for field in after.draft.fields}
    places = [*enumerate(after.pages, 1), *((0, key) for key in after.aside)]
    for place, key in places:
        said = [rows.field_row(f, document_id, 0) for f in after.said.get(key, ())]
        checks = waiting.get(key, ())
        here = [check for check in checks if (check["name"], place) in own]
        db.conn.execute(
            """UPDATE pages SET document_id = ?, position = ?, arranged = 1, said = ?, waits = ?
            WHERE sha256 = ? AND number = ?""",
            [
                document_id,
                place,
                _column(said),
                _column([c for c in checks if c not in here]),
                *key,
            ],
        )
        for check in here:
            free = {"document_id": document_id, "held_by": None, "held_until": 0}
            db.table("checks").upsert({**check, **free}, pk=("document_id", "name"))
    checking.follow(db, document_id)


def _take_notes_along(db: Database, changes: Sequence[Change]) -> None:
    """Let notes and tags of a record that loses all its pages go to the record that gets them."""
    for emptied in changes:
        taker = max(changes, key=lambda change: len(change.after.pages))
        if emptied.after.pages or taker is emptied:
            continue
        noting.carry(db, emptied.before.id, taker.before.id)


def _column(found: Sequence[object]) -> str:
    return json.dumps(found, ensure_ascii=False)


def _set_fields(db: Database, document_id: int, draft: Draft) -> None:
    db.table("fields").delete_where("document_id = ?", [document_id])
    db.table("checks").delete_where("document_id = ?", [document_id])
    db.table("fields").insert_all(
        rows.field_row(field, document_id, place) for place, field in enumerate(draft.fields)
    )
    checking.enter(db, document_id, draft.fields, draft.sampled, draft.twice)


def _keep(
    db: Database,
    viewer: Viewer,
    what: str,
    before: Mapping[str, object],
    held: Mapping[int, int],
    ids: Sequence[int],
) -> int:
    row = {
        "at": now(),
        "person": viewer.name,
        "what": what,
        "before": json.dumps(before, ensure_ascii=False),
        "held": json.dumps(held),
        "versions": json.dumps(_versions(db, ids)),
        "waiting": _waiting(db, ids),
    }
    number = int(db.table("arrangements").insert(row).last_pk or 0)
    db.table("arrangement_records").insert_all(
        {"document_id": document_id, "arrangement_id": number} for document_id in ids
    )
    return number


def _versions(db: Database, ids: Sequence[int]) -> dict[int, int]:
    found = db.conn.execute(
        "SELECT id, version FROM documents WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(ids)],
    )
    return {row["id"]: row["version"] for row in found}


def _waiting(db: Database, ids: Sequence[int]) -> str:
    """Return what waits for a second or third person, or a senior: none of it raises a version."""
    found = db.conn.execute(
        """SELECT document_id, name, kind, keyed, note, seen FROM checks
        WHERE document_id IN (SELECT value FROM json_each(?)) AND kind NOT IN ('look', 'sample')
        ORDER BY document_id, name""",
        [json.dumps(ids)],
    )
    return json.dumps([list(row) for row in found], ensure_ascii=False)


def last_arrangement(store: Store, document_id: int) -> Arrangement | None:
    """Return the newest arrangement that a record was part of and that still stands."""
    row = store.db.conn.execute(
        """SELECT a.* FROM arrangements a JOIN arrangement_records r ON r.arrangement_id = a.id
        WHERE r.document_id = ? AND a.taken_back_at IS NULL ORDER BY a.id DESC LIMIT 1""",
        [document_id],
    ).fetchone()
    if row is None:
        return None
    records = tuple(map(int, json.loads(row["versions"])))
    return Arrangement(row["id"], row["at"], row["person"], row["what"], records)


def arranged_with(store: Store, document_id: int) -> list[int]:
    """Return the other records of the newest arrangement of a record, taken back or not."""
    found = store.db.conn.execute(
        """SELECT document_id FROM arrangement_records WHERE document_id != :id
        AND arrangement_id = (SELECT max(arrangement_id) FROM arrangement_records
        WHERE document_id = :id) ORDER BY document_id""",
        {"id": document_id},
    )
    return [row["document_id"] for row in found]


def can_be_taken_back(store: Store, viewer: Viewer, arrangement: Arrangement) -> bool:
    """Say whether a person may change all of an arrangement's records, and nobody did since."""
    found = store.summaries(arrangement.records).values()
    if not all(may(viewer, Action.CORRECT, document.department) for document in found):
        return False
    return not _changed_since(store.db, arrangement.id)


def _changed_since(db: Database, number: int) -> list[int]:
    row = db.conn.execute("SELECT * FROM arrangements WHERE id = ?", [number]).fetchone()
    versions = {int(key): version for key, version in json.loads(row["versions"]).items()}
    now_at = _versions(db, list(versions))
    changed = [key for key, version in versions.items() if now_at[key] != version]
    if not changed and _waiting(db, list(versions)) != row["waiting"]:
        return list(versions)
    return changed


def take_back(store: Store, viewer: Viewer, arrangement: Arrangement) -> None:
    """Put all pages, fields and checks back where they were before an arrangement.

    A record that it made keeps its number, without pages. Raises NotAllowedError, NotFoundError
    when it was taken back already, and StaleVersionError when a record was changed since.
    """
    for number in arrangement.records:
        require(viewer, Action.CORRECT, store.document(number, viewer).department)
    with store.write() as db:
        row = db.conn.execute(
            "SELECT * FROM arrangements WHERE id = ?", [arrangement.id]
        ).fetchone()
        if row["taken_back_at"]:
            raise NotFoundError("This arrangement of pages was taken back already.")
        if changed := _changed_since(db, arrangement.id):
            raise StaleVersionError(
                f"Record {changed[0]} was changed since the pages were arranged; "
                "move the pages back one by one."
            )
        _restore(store, db, json.loads(row["before"]), arrangement.records)
        _let_older_be_taken_back(db, json.loads(row["held"]), arrangement)
        db.table("arrangements").update(arrangement.id, {"taken_back_at": now()})
        told = {"arrangement": arrangement.id, "what": arrangement.what}
        for number in arrangement.records:
            store.audit(db, viewer.name, "put pages back", told, number)


def _let_older_be_taken_back(
    db: Database, held: Mapping[str, int], arrangement: Arrangement
) -> None:
    """Let the arrangement before one that was taken back be the last: all is as it left it."""
    now_at = _versions(db, arrangement.records)
    found = db.conn.execute(
        """SELECT DISTINCT a.id, a.versions FROM arrangements a
        JOIN arrangement_records r ON r.arrangement_id = a.id
        WHERE r.document_id IN (SELECT value FROM json_each(?))
        AND a.id < ? AND a.taken_back_at IS NULL""",
        [json.dumps(arrangement.records), arrangement.id],
    ).fetchall()
    for row in found:
        versions = json.loads(row["versions"])
        same = {key: now_at[int(key)] for key, v in versions.items() if held.get(key) == v}
        if same:
            db.table("arrangements").update(row["id"], {"versions": json.dumps(versions | same)})


def _restore(store: Store, db: Database, before: Mapping[str, Any], ids: Sequence[int]) -> None:
    known = {row["id"]: row for row in before["documents"]}
    holders = {
        row["document_id"]
        for row in db.conn.execute(
            "SELECT document_id FROM pages WHERE document_id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(known))],
        )
    }
    for number in ids:
        emptied = {"status": "filed", "reasons": "[]", "date": None}
        row = {**known.get(number, emptied), "rev": store.next_rev(db)}
        db.table("documents").update(number, row)
        db.conn.execute("UPDATE documents SET version = version + 1 WHERE id = ?", [number])
        db.table("fields").delete_where("document_id = ?", [number])
        db.table("checks").delete_where("document_id = ?", [number])
    for page in before["pages"]:
        db.conn.execute(
            """UPDATE pages SET document_id = :document_id, position = :position,
            arranged = :arranged, said = :said, waits = :waits
            WHERE sha256 = :sha256 AND number = :number""",
            page,
        )
    db.table("fields").insert_all(before["fields"])
    free = {"held_by": None, "held_until": 0}
    db.table("checks").insert_all({**row, **free} for row in before["checks"])
    noting.carry_back(db, before, [number for number in known if number not in holders])


def turn(
    store: Store,
    viewer: Viewer,
    before: Document,
    key: PageKey,
    degrees: int,
    alive: Callable[[str | None], bool],
) -> None:
    """Write that a page lies otherwise than the machine found, and have it read again so.

    ``degrees`` are those of ``PageGeometry.turn``. Raises NotAllowedError, StaleVersionError, and
    BusyError while a run that is ``alive`` reads the page's file.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        run = db.conn.execute("SELECT run FROM originals WHERE sha256 = ?", [key.sha256]).fetchone()
        if alive(run["run"]):
            raise BusyError("The file of this page is being read at this moment; try in a minute.")
        changed = db.conn.execute(
            """UPDATE documents SET version = version + 1, rev = ? WHERE id = ? AND version = ?""",
            [store.next_rev(db), before.id, before.version],
        )
        row = db.conn.execute(
            """UPDATE pages SET turned = ?, key = '' WHERE sha256 = ? AND number = ?
            AND document_id = ? RETURNING position""",
            [degrees, *key, before.id],
        ).fetchone()
        if not changed.rowcount or row is None:
            raise stale(before.id)
        db.table("originals").update(key.sha256, {"state": "waiting", "run": None})
        told = {"page": row["position"], "turn": degrees}
        store.audit(db, viewer.name, "turned", told, before.id)
