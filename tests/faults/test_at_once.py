"""Several imports at once, and an import beside a watched folder."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from records.settings import load
from records.store import Store
from tests.faults import engines
from tests.faults.house import House, end, until
from tests.faults.paper import drawer, write_scan


@pytest.mark.parametrize("count", [2, 3])
def test_imports_of_the_same_folder_at_once(house: House, tmp_path: Path, count: int) -> None:
    """Each file becomes one record; for the others it is a duplicate; nobody sees a lock."""
    house.engine(engines.SLOW)
    scans = drawer(tmp_path / "in", [f"f{n}" for n in range(5)], pages=1)
    started = [house.start("import", scans, "--workers", 1, "--json") for _ in range(count)]
    ended = [end(process, 60) for process in started]
    assert [(ran.code, ran.err) for ran in ended] == [(0, "")] * count
    assert house.sources() == [f"f{n}.tif" for n in range(5)]
    summaries = [ran.json for ran in ended]
    assert sum(s["records"] for s in summaries) == 5
    assert sum(s["duplicates"] for s in summaries) == 5 * (count - 1)
    assert sum(s["pages"] for s in summaries) == 5
    assert house.problems() == []


def test_an_import_beside_a_watched_folder(house: House) -> None:
    """An import of the inbox while it is watched: one record a file, and each is moved to done."""
    house.engine(engines.SLOW)
    house.prepare()
    drawer(house.inbox, ["a", "b", "c"], pages=1)
    with house.watching() as watch:
        ran = house.run("import", house.inbox, "--workers", 1)
        assert ran.code in (0, 3), ran.err  # 3: the watch has moved a file that we came for
        assert "Traceback" not in ran.err
        done = house.inbox / "done"
        assert until(lambda: len(list(done.glob("*.tif"))) == 3)
        assert watch.poll() is None
    assert house.sources() == ["a.tif", "b.tif", "c.tif"]
    assert house.problems() == []


def test_many_open_a_new_archive_at_once(tmp_path: Path) -> None:
    """The first opening of a database, by many at the same moment, fails for none."""
    departments = load(House(tmp_path / "house").config).departments
    for attempt in range(5):
        faults: list[sqlite3.Error] = []
        start = threading.Barrier(6)

        def open_it(path: Path = tmp_path / f"{attempt}.db", start=start, faults=faults) -> None:  # type: ignore[no-untyped-def]
            start.wait()
            try:
                Store(path, departments).close()
            except sqlite3.Error as error:
                faults.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults


def test_a_lock_of_some_seconds_is_waited_for(house: House, tmp_path: Path) -> None:
    """An import beside a process that holds the database for a while only takes longer."""
    house.prepare()
    holder = sqlite3.connect(house.archive / "records.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    process = house.start("import", write_scan(tmp_path / "a.png", "a"), "--workers", 1)
    with pytest.raises(Exception, match="timed out"):
        process.wait(2.5)
    holder.execute("ROLLBACK")
    holder.close()
    ran = end(process)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("command", ["import", "correct"])
def test_a_lock_that_stays_is_said(house: House, tmp_path: Path, command: str) -> None:
    """A database that stays locked ends a command with 5 and a sentence; the next one goes on."""
    scan = write_scan(tmp_path / "a.png", "a")
    house.prepare()
    holder = sqlite3.connect(house.archive / "records.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    impatient = "import records.store as s\ns.BUSY_MS = 300"
    words = ("import", scan) if command == "import" else ("users", "add", "ann", "--role", "clerk")
    ran = house.run(*words, before=impatient)
    holder.execute("ROLLBACK")
    holder.close()
    assert ran.code == 5
    assert ran.err == "digitize: The database is busy; try again in a minute.\n"
    assert house.run(*words).code == 0


def test_a_check_beside_an_import_finds_nothing(house: House, tmp_path: Path) -> None:
    """What an import has kept and not yet entered is no stray file: ``repair`` must not take it."""
    house.engine(engines.SLOW)
    house.prepare()
    with house.opened() as installation, installation.archive.run():
        stray = installation.archive.originals / "ab" / ("ab" * 32)
        stray.parent.mkdir()
        stray.write_bytes(b"kept, and about to be entered")
        ran = house.run("repair", "--yes")
        assert ran.code == 5
        assert stray.exists()
        assert "import" in ran.err
    assert house.run("repair", "--yes").code == 0
    assert not stray.exists()
