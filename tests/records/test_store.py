"""The database: its shape, its PRAGMAs, one way to write, and an audit that cannot be bent."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from records import upkeep
from records.archive import Archive
from records.errors import ArchiveError, BusyError, NotFoundError
from records.model import Department
from records.store import BUSY_MS, GENESIS, Store, chain_hash
from tests.records.making import DEPARTMENTS, Room, accept, field

ROOT = Path(__file__).parents[2]
PROCESSES, THREADS, EACH = 4, 2, 100
_WRITE = """
import sys, threading
from pathlib import Path
from records.store import Store
from tests.records.making import Intake, accept

store = Store(Path(sys.argv[1]))
process, threads, each = (int(n) for n in sys.argv[2:])

def write(thread):
    for number in range(each):
        content = f"{process} {thread} {number}".encode()
        accept(store, content, Intake("p", "drawer", None, None, ""))
    store.close()

writers = [threading.Thread(target=write, args=(n,)) for n in range(threads)]
[w.start() for w in writers]
[w.join() for w in writers]
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records.db", DEPARTMENTS)


def test_a_new_database_has_its_departments(store: Store) -> None:
    """The first start makes every table, and enters the departments of the settings."""
    assert store.departments() == tuple(sorted(DEPARTMENTS, key=lambda d: d.name))
    assert store.counts()["documents"] == 0
    assert store.revision() == 0


def test_opening_again_keeps_what_is_there(store: Store) -> None:
    """A second start finds the same database, and changes nothing in it."""
    accept(store, b"one")
    again = Store(store.path, DEPARTMENTS)
    assert again.store_id == store.store_id
    assert again.counts() == store.counts()
    assert again.revision() == store.revision()


def test_departments_follow_the_settings(store: Store) -> None:
    """A department that was renamed in the settings keeps its records and gets its new title."""
    accept(store, b"one")
    again = Store(store.path, [Department("clerk", "Office of the Clerk", False)])
    assert Department("clerk", "Office of the Clerk", False) in again.departments()
    assert again.counts()["documents"] == 1


def test_the_pragmas(store: Store) -> None:
    """Every connection of every thread is opened as safely as trust.md says."""
    want = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": BUSY_MS,
        "trusted_schema": 0,
        "cell_size_check": 1,
    }
    seen: list[dict[str, object]] = []

    def look() -> None:
        found = {p: store.db.conn.execute(f"PRAGMA {p}").fetchone()[0] for p in want}
        seen.append(found)
        store.close()

    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [want, want]


def test_what_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    """A damaged database is named, with the cure."""
    path = tmp_path / "records.db"
    path.write_bytes(b"not a database, but long enough to look like one " * 50)
    with pytest.raises(ArchiveError, match="put back the last backup"):
        Store(path)


def test_a_database_in_no_folder_is_told_as_such(tmp_path: Path) -> None:
    """A path that cannot be opened is named."""
    with pytest.raises(ArchiveError, match="see that its folder exists"):
        Store(tmp_path / "nowhere" / "records.db")


def test_a_database_that_stays_locked_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start beside a stuck writer says 'try again' rather than that the database is damaged."""
    path = tmp_path / "records.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("records.store.BUSY_MS", 50)
    with pytest.raises(BusyError, match="try again in a minute"):
        Store(path)
    other.close()


def test_the_write_lock_is_held_from_the_first_statement(store: Store) -> None:
    """BEGIN IMMEDIATE: nobody else can begin to write, and readers are not held up."""
    other = sqlite3.connect(store.path, isolation_level=None, timeout=0.05)
    with store.write():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM documents").fetchone()[0] == 0
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    """A transaction is whole or not at all, sqlite-utils' own inserts included."""

    def half() -> None:
        with store.write() as db:
            db.table("meta").insert({"key": "half", "value": "done"})
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        half()
    assert not store.db.conn.in_transaction
    assert not store.db.execute("SELECT * FROM meta WHERE key = 'half'").fetchall()


def test_a_full_disk_is_told_and_the_store_goes_on(store: Store) -> None:
    """When SQLite ends the transaction itself, its own error is heard, and later writes work."""
    conn = store.db.conn
    pages = conn.execute("PRAGMA page_count").fetchone()[0]
    conn.execute(f"PRAGMA max_page_count={pages + 1}")

    def fill() -> None:
        with store.write() as db:
            db.table("meta").insert({"key": "big", "value": "x" * 1_000_000})

    with pytest.raises(sqlite3.OperationalError, match="full"):
        fill()
    conn.execute("PRAGMA max_page_count=1000000")
    fill()
    found = conn.execute("SELECT length(value) FROM meta WHERE key = 'big'").fetchone()
    assert found[0] == 1_000_000


def test_whoever_writes_without_a_pause_keeps_nobody_out(store: Store) -> None:
    """A thread that writes now and then waits for one write, not until the busy one has ended."""
    done, seen = threading.Event(), []

    def busy() -> None:
        while not done.is_set():
            with store.write():
                seen.append("busy")
                time.sleep(0.005)
        store.close()

    thread = threading.Thread(target=busy)
    thread.start()
    while not seen:
        time.sleep(0.001)
    for _ in range(5):
        before = len(seen)
        with store.write():
            assert len(seen) - before <= 2
    done.set()
    thread.join()


def test_a_database_that_is_held_too_long_is_busy(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told to try again, a note says who holds it, and later writes work."""
    monkeypatch.setattr("records.store.BUSY_MS", 50)
    notes: list[str] = []

    def wait() -> None:
        with pytest.raises(BusyError, match="try again in a minute") as told, store.write():
            raise AssertionError("not reached")
        notes.extend(told.value.__notes__)
        store.close()

    thread = threading.Thread(target=wait)
    with store.write():
        thread.start()
        thread.join()
    assert "thread 'MainThread' " in notes[0].replace(",", " ")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError) as told, store.write():
        raise AssertionError("not reached")
    assert "another process is writing" in told.value.__notes__[0]
    other.close()
    with store.write() as db:
        db.table("meta").insert({"key": "later", "value": "done"})


def test_eight_writers_lose_nothing(store: Store) -> None:
    """Processes and threads writing at once keep everything; nobody reads 'database is locked'."""
    command = [sys.executable, "-c", _WRITE, str(store.path)]
    children = [
        subprocess.Popen(
            [*command, str(n), str(THREADS), str(EACH)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for n in range(PROCESSES)
    ]
    said = [child.communicate(timeout=120)[1] for child in children]
    assert said == [""] * PROCESSES
    wanted = PROCESSES * THREADS * EACH
    counts = store.counts()
    links = list(store.audit_rows())
    accepted = [link for link in links if link.action == "accepted"]
    assert counts["documents"] == counts["originals"] == len(accepted) == wanted
    assert store.revision() == wanted
    assert all(b.previous == a.hash for a, b in pairwise(links))


@pytest.mark.parametrize(
    "bend", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "REPLACE INTO audit "
             "SELECT id, at, 'nobody', action, document_id, version, change, field_values, "
             "previous, hash FROM audit"],
)  # fmt: skip
def test_the_audit_cannot_be_bent(store: Store, bend: str) -> None:
    """Neither a change nor a deletion of an audit row is let through."""
    accept(store, b"one")
    before = list(store.audit_rows())
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.db.conn.execute(bend)
    assert list(store.audit_rows()) == before


def test_each_link_holds_the_one_before(room: Room) -> None:
    """The chain can be worked out again by anyone, from what the rows say."""
    room.file(b"one", field("owner", "Lee"))
    previous = GENESIS
    for row in room.store.db.execute("SELECT * FROM audit ORDER BY id").fetchall():
        body = {k: row[k] for k in row.keys() if k not in ("id", "hash")}  # noqa: SIM118
        assert row["previous"] == previous
        assert row["hash"] == chain_hash(previous, body)
        previous = row["hash"]
    assert previous != GENESIS


def _drop_triggers(conn: sqlite3.Connection) -> None:
    conn.execute("DROP TRIGGER audit_is_not_changed")
    conn.execute("DROP TRIGGER audit_is_not_deleted")


def _forge(conn: sqlite3.Connection) -> None:
    _drop_triggers(conn)
    conn.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")


def _cut_out(conn: sqlite3.Connection) -> None:
    _drop_triggers(conn)
    conn.execute("DELETE FROM audit WHERE id = 2")


def _change_a_field(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE fields SET value = 'Mallory'")


def _remove_a_field(conn: sqlite3.Connection) -> None:
    conn.execute("DELETE FROM fields")


@pytest.mark.parametrize("tamper", [_forge, _cut_out, _change_a_field, _remove_a_field])
def test_tampering_is_found(room: Room, tamper: Callable[[sqlite3.Connection], None]) -> None:
    """Someone who can write to the database file, triggers or not, is found out by a full check."""
    room.file(b"one", field("owner", "Lee"))
    assert upkeep.check(room.store, room.archive, full=True) == []
    tamper(room.store.db.conn)
    problems = upkeep.check(room.store, room.archive, full=True)
    assert [("audit" in p.sentence, p.cure) for p in problems] == [(True, upkeep.Cure.NONE)]


def test_a_record_that_may_not_be_seen_looks_like_none(room: Room) -> None:
    """The answer about a hidden record is the answer about one that is not there."""
    number = room.file(b"one")
    stranger = room.store.system_viewer("x")
    blind = type(stranger)("x", stranger.role, frozenset(), frozenset(), frozenset())
    with pytest.raises(NotFoundError) as hidden:
        room.store.document(number, blind)
    with pytest.raises(NotFoundError) as absent:
        room.store.document(number + 1, blind)
    assert str(absent.value).replace(str(number + 1), str(number)) == str(hidden.value)
    assert room.store.documents(blind) == []
    assert room.store.batches(blind) == []


def test_changes_come_in_the_order_of_their_revision(room: Room) -> None:
    """The index can follow the store in steps, and misses nothing."""
    ids = [room.file(f"file {n}".encode(), field("owner", f"Lee {n}")) for n in range(3)]
    seen, at = [], 0
    while found := room.store.changed_since(at, 2):
        seen += [d.id for d in found]
        at = found[-1].rev
    assert seen == ids
    assert at == room.store.revision()
    assert room.store.changed_since(at, 2) == []


def test_words_and_fields_of_many_are_those_of_each(room: Room) -> None:
    """What lists ask for at once is what is told of each page and record by itself."""
    ids = [
        room.file(b"one", field("owner", "Lee"), field("fee", "5"), pages=2),
        room.file(b"two", field("owner", "Ann")),
        room.file(b"three"),
    ]
    asked = [(ids[0], 2), (ids[1], 1), (ids[1], 2), (ids[2] + 1, 1)]
    words = room.store.words(asked)
    assert set(words) == {(ids[0], 2), (ids[1], 1)}
    for (document_id, number), page in words.items():
        [line] = room.store.lines(document_id, number)
        assert (page.texts, page.ends) == ([word.text for word in line.words], [1])
        assert page.box(0) == line.words[0].box
    assert room.store.fields_of(ids) == {n: room.store.fields(n) for n in ids}
    assert [f.value for f in room.store.fields(ids[0])] == ["Lee", "5"]
    assert (room.store.words([]), room.store.fields_of([])) == ({}, {})


def test_words_of_a_record_that_waits_are_not_told(room: Room) -> None:
    """While a file is read nobody knows whose its pages are."""
    sha256 = room.hand_in(b"one")
    room.read(sha256)
    waiting = room.store.documents(room.store.system_viewer("x"), sha256=sha256)
    assert len(waiting) == 1
    assert room.store.words([(waiting[0].id, 1)]) == {}


def test_the_two_folders_belong_together(tmp_path: Path) -> None:
    """The id of the database is what its archive's sentinel has to say."""
    archive = Archive(tmp_path)
    archive.prepare()
    store = Store(archive.database)
    archive.bind(store.store_id, new=True)
    archive.bind(store.store_id, new=False)
    assert (tmp_path / ".digitize-archive").read_text().strip() == store.store_id
