"""An older database is brought up to date, and what it holds is still there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from records import checking, filing, rows, upkeep
from records.geometry import untouched
from records.model import DocumentStatus, PageResult, TemplateText
from records.schema import migrations
from records.store import Store, now
from tests.records.making import DEPARTMENTS, Room, open_room, page

SHA256 = "ab" * 32


def _field(name: str) -> dict[str, object]:
    return {
        "document_id": 0, "name": name, "position": 0, "label": "Owner", "kind": "text",
        "raw": "Ann", "value": "Ann", "confidence": 0.9, "page": 1, "box": "[1, 2, 3, 4]",
        "status": "ok", "reasons": "[]", "reader": "tesseract",
    }  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a database as the first version made it, with a file, its record, page and field."""
    path = tmp_path / "records.db"
    conn = sqlite3.connect(path, isolation_level=None)
    db = Database(conn)
    migrations.apply(db, stop_before="m002_templates_and_pairs")
    put = {
        "departments": {"name": "clerk", "title": "City Clerk", "shared": 1},
        "batches": {"id": 1, "name": "drawer", "created_at": now(), "created_by": "test"},
        "originals": {
            "sha256": SHA256, "name": "a.pdf", "size": 3, "media_type": "application/pdf",
            "page_count": 2, "state": "read", "accepted_at": now(),
        },
        "documents": {
            "id": 1, "sha256": SHA256, "part": 1, "batch_id": 1, "department": "clerk",
            "form": "dog-licence", "title": "Rex", "status": "filed", "version": 1, "rev": 1,
            "created_at": now(),
        },
        "fields": {**_field("owner"), "document_id": 1},
    }  # fmt: skip
    for table, row in put.items():
        db.table(table).insert(row)
    read = {
        "sha256": SHA256, "document_id": 1, "key": "k", "kind": "scan", "width": 850,
        "height": 1100, "dpi": 100, "geometry": rows.geometry_column(untouched(850, 1100)),
        "steps": "[]", "blank": 0, "separator": 0, "confidence": 0.9, "form": "dog-licence",
        "form_page": 1, "words": '[[["Fence", 10, 20, 90, 40, 0.9]]]', "reader": "tesseract",
        "languages": "eng", "exit_code": 0, "seconds": 0.5, "read_at": now(),
    }  # fmt: skip
    failure = json.dumps({"number": 2, "stage": "s", "kind": "k", "message": "no."})
    fields = json.dumps([_field("owner")])
    db.table("pages").insert_all([
        {**read, "number": 1, "position": 1, "state": "read", "fields": fields, "failure": None},
        {**read, "number": 2, "position": 2, "state": "failed", "fields": "[]", "failure": failure},
    ])  # fmt: skip
    conn.execute("UPDATE meta SET value = '1' WHERE key = 'revision'")
    conn.close()
    return path


@pytest.fixture
def opened(old: Path) -> Iterator[Store]:
    """Return that database, opened by this version."""
    store = Store(old, DEPARTMENTS)
    yield store
    store.close()


def test_the_first_version_lacks_what_is_new(old: Path) -> None:
    """The database that these tests begin with is truly an old one."""
    with sqlite3.connect(old) as conn:
        names = {row[1] for row in conn.execute("PRAGMA table_info(pages)")}
        tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    conn.close()
    assert names.isdisjoint({"template", "pairs"})
    assert "templates" not in tables


def test_old_rows_are_read_as_before(opened: Store) -> None:
    """A record, its pages and fields are there; what the first version did not know is empty."""
    viewer = opened.system_viewer("test")
    record = opened.document(1, viewer)
    assert (record.title, record.status) == ("Rex", DocumentStatus.FILED)
    (field,) = opened.fields(1)
    assert (field.value, field.found_by) == ("Ann", "")
    first, second = filing.read_pages(opened, SHA256)
    assert isinstance(first, PageResult)
    assert (first.template, first.pairs, first.text) == ("", (), "Fence")
    assert [f.found_by for f in first.fields] == [""]
    assert second.number == 2
    assert len(opened.pages(1)) == 2
    assert opened.pairs(1) == ()
    assert opened.templates() == []
    assert opened.changed_since(0, 9)[0].pairs == ()


def test_what_was_in_doubt_waits_for_a_person(old: Path) -> None:
    """An old archive's doubtful fields are in the queue, for the reason that each has."""
    doubts = {
        "a": ("missing", "[]"), "b": ("unsure", "[]"), "c": ("invalid", "[]"),
        "d": ("unsure", '["readers disagree"]'), "e": ("corrected", "[]"),
    }  # fmt: skip
    with sqlite3.connect(old) as conn:
        for name, (status, reasons) in doubts.items():
            row = {**_field(name), "document_id": 1, "status": status, "reasons": reasons}
            Database(conn).table("fields").insert(row)
    conn.close()
    store = Store(old, DEPARTMENTS)
    found = checking.waiting(store, store.system_viewer("test"))
    store.close()
    assert {w.name: w.reason for w in found} == {
        "a": "missing", "b": "unsure", "c": "breaks a rule", "d": "readers disagree",
    }  # fmt: skip


def test_old_records_are_worked_on(opened: Store) -> None:
    """A page of an old record is read again, and its new reading is kept whole."""
    read = page(1, "image")
    filing.save_page(opened, "test", SHA256, read, "k")
    assert filing.read_page(opened, SHA256, 1) == read


def test_an_old_database_is_migrated_once(old: Path) -> None:
    """Opening it again changes nothing, and a new one has the same shape."""
    shapes = []
    for path in (old, old, old.with_name("new.db")):
        store = Store(path, DEPARTMENTS)
        shapes.append(
            {
                row["name"]: [tuple(c) for c in store.db.conn.execute(
                    "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?)",
                    [row["name"]],
                )]
                for row in store.db.conn.execute("SELECT name FROM sqlite_master")
            }
        )  # fmt: skip
        store.close()
    assert shapes[0] == shapes[1] == shapes[2]


# Templates in their versions


def template(text: str, form: str = "dog-licence", at: str = "2024-01-01") -> TemplateText:
    """Return a version of a template; its digest is its text."""
    return TemplateText(text, form, "", text, at)


def test_a_template_is_kept_once_a_version(room: Room) -> None:
    """A version that is known stays as it was first kept; a changed one is another."""
    first, changed = template("one"), template("two", at="2024-02-01")
    filing.keep_templates(room.store, "clerk", [first])
    filing.keep_templates(room.store, "clerk", [template("one", at="2030-01-01"), changed])
    filing.keep_templates(room.store, "clerk", [])
    assert room.store.templates() == [first, changed]
    assert room.store.templates("dog-licence") == [first, changed]
    assert room.store.templates("cat-licence") == []


def test_two_runs_keep_a_template_once(tmp_path: Path, room: Room) -> None:
    """Two runs that start at once with the same templates are not in each other's way."""
    other = Store(room.archive.database, DEPARTMENTS)
    filing.keep_templates(other, "clerk", [template("one")])
    filing.keep_templates(room.store, "clerk", [template("one", at="2030-01-01"), template("one")])
    other.close()
    assert len(room.store.templates()) == 1


def test_a_kept_template_is_not_changed(room: Room) -> None:
    """What a page was read with stays what it was."""
    filing.keep_templates(room.store, "clerk", [template("one")])
    with room.store.write() as db, pytest.raises(sqlite3.IntegrityError):
        db.conn.execute("INSERT INTO templates VALUES ('one', 'x', '', 'other', 'now')")


def test_a_migrated_archive_is_whole(tmp_path: Path) -> None:
    """A check finds nothing wrong with an archive whose database holds templates."""
    room = open_room(tmp_path)
    room.file(b"one")
    filing.keep_templates(room.store, "clerk", [template("one")])
    assert upkeep.check(room.store, room.archive, full=True) == []
    room.store.close()


def test_decisions_of_before_can_be_named(tmp_path: Path) -> None:
    """Those that were made before decisions had keys get one each, to be taken back by."""
    path = tmp_path / "records.db"
    db = Database(sqlite3.connect(path, isolation_level=None))
    migrations.apply(db, stop_before="m007_keys_of_decisions")
    row = {"document_id": 1, "name": "owner", "form": "dog-licence", "kind": "look", "at": now()}
    row |= {"reason": "unsure", "person": "ann", "verdict": "confirmed", "old": "", "new": ""}
    row |= {"way": "column", "seconds": 1, "sampled": 0, "before": "{}", "after": "{}"}
    db.table("decisions").insert_all([row, row])
    db.conn.close()
    store = Store(path, DEPARTMENTS)
    assert [row["key"] for row in store.db.table("decisions").rows] == ["id-1", "id-2"]
