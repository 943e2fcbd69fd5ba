"""Disks that are full, read-only or lose files: a sentence, the sources stay, a rerun goes on."""

from __future__ import annotations

import ctypes
import resource
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults import engines
from tests.faults.house import House, Ran, end, until
from tests.faults.paper import drawer, write_scan


def said_in_one_line(ran: Ran) -> bool:
    """Say whether a command told of its fault in one line that is no traceback."""
    return ran.err.startswith("digitize: ") and ran.err.count("\n") == 1


def test_a_full_disk_is_seen_before(house: House, tmp_path: Path) -> None:
    """With less room than archive.free_mb nothing is taken in; with room the rerun does it all."""
    scans = drawer(tmp_path / "in")
    house.set({"archive.free_mb": 10_000_000})
    ran = house.run("import", scans, "--workers", 1)
    assert ran.code == 1
    assert said_in_one_line(ran)
    assert "make room" in ran.err
    assert len(list(scans.iterdir())) == 3
    assert not house.rows("SELECT * FROM originals")
    house.set({"archive.free_mb": 0})
    assert house.run("import", scans, "--workers", 1).code == 0
    assert house.sources() == ["a.tif", "b.tif", "c.tif"]


def test_a_disk_that_fills_while_a_file_is_kept(house: House, tmp_path: Path) -> None:
    """A copy that cannot be written ends the import with a sentence; nothing half is kept."""
    house.prepare()
    scan = write_scan(tmp_path / "a.bmp", "a")
    ran = house.run("import", scan, "--workers", 1, preexec_fn=_no_file_over(100_000))
    assert ran.code == 1
    assert said_in_one_line(ran)
    assert "'a.bmp' could not be kept" in ran.err
    assert not list((house.archive / "originals").glob("??/*"))
    assert house.run("import", scan, "--workers", 1).code == 0
    assert house.problems() == []


def test_a_disk_that_fills_while_a_page_is_kept(house: House, tmp_path: Path) -> None:
    """A page image that cannot be written is no fault of the page: the import ends, and resumes."""
    house.prepare()
    pages = house.archive / "pages"
    block = f"for a in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do touch {pages}/${{a}}0; "
    block += "".join(f"touch {pages}/${{a}}{b}; " for b in "123456789abcdef") + "done\n"
    house.engine(block + engines.FAST)
    scan = write_scan(tmp_path / "a.png", "a")
    ran = house.run("import", scan, "--workers", 1)
    assert ran.code == 1
    assert said_in_one_line(ran), ran.err
    assert "page image" in ran.err
    assert house.rows("SELECT state, tries FROM originals") == [("waiting", 0)]
    for path in pages.glob("??"):
        path.unlink()
    house.engine(engines.FAST)
    assert house.run("import", scan, "--workers", 1).code == 0
    assert house.rows("SELECT state FROM originals") == [("read",)]


def test_an_archive_that_may_not_be_written(house: House, tmp_path: Path) -> None:
    """An archive that is read-only: a sentence, and nothing is changed."""
    scan = write_scan(tmp_path / "a.png", "a")
    assert house.run("import", scan, "--workers", 1).code == 0
    other = write_scan(tmp_path / "b.png", "b")
    places = [house.archive, *house.archive.rglob("*")]
    modes = {place: place.stat().st_mode for place in places}
    for place, mode in modes.items():
        place.chmod(mode & 0o555)
    try:
        ran = house.run("import", other, preexec_fn=_without_root)
    finally:
        for place, mode in modes.items():
            if place.exists():
                place.chmod(mode)
    assert ran.code == 1
    assert said_in_one_line(ran), ran.err
    assert "write" in ran.err
    assert house.sources() == ["a.png"]
    assert house.problems() == []


def test_an_archive_that_cannot_be_made(house: House, tmp_path: Path) -> None:
    """An archive in a place where nothing can be made: a sentence that names the setting."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "archive", tmp_path / "file"):
        house.set({"archive.folder": str(folder)})
        ran = house.run("import", tmp_path)
        assert ran.code == 1
        assert said_in_one_line(ran)
        assert "archive.folder" in ran.err


def test_an_archive_that_is_not_mounted(house: House, tmp_path: Path) -> None:
    """The database's archive without its sentinel is refused: its disk may not be there."""
    scan = write_scan(tmp_path / "a.png", "a")
    assert house.run("import", scan, "--workers", 1).code == 0
    (house.archive / ".digitize-archive").unlink()
    ran = house.run("import", scan)
    assert ran.code == 1
    assert said_in_one_line(ran)
    assert "mount" in ran.err


def test_a_database_that_is_damaged(house: House, tmp_path: Path) -> None:
    """A database that is none any more: a sentence that asks for the backup, no traceback."""
    house.prepare()
    (house.archive / "records.db").write_bytes(b"this is no database " * 1000)
    for command in (["import", tmp_path], ["status"], ["check", "--full"]):
        ran = house.run(*command)
        assert ran.code == 1
        assert said_in_one_line(ran), ran.err
        assert "backup" in ran.err


@pytest.mark.parametrize("damage", ["deleted", "altered"])
def test_an_index_that_breaks_during_an_import(house: House, tmp_path: Path, damage: str) -> None:
    """The index can be lost at any moment: the import is finished, and search finds all of it."""
    house.engine(engines.SLOW)
    index = house.archive / "index"
    first = write_scan(tmp_path / "before.png", "before")
    assert house.run("import", first, "--workers", 1).code == 0
    process = house.start("import", drawer(tmp_path / "in", pages=1), "--workers", 1)
    assert until(lambda: len(house.rows("SELECT * FROM pages")) > 1)
    if damage == "deleted":
        shutil.rmtree(index)
    for path in [p for p in index.rglob("*") if p.is_file() and p.name != "lock"]:
        with suppress(FileNotFoundError):  # the import itself deletes what a commit leaves over
            path.write_bytes(b"x" + path.read_bytes()[1:])
    ran = end(process)
    assert (ran.code, ran.err) == (0, "")
    assert house.sources() == ["a.tif", "b.tif", "before.png", "c.tif"]
    assert {r[0] for r in house.rows("SELECT state FROM originals")} == {"read"}
    assert house.found("filed") == 4


def _no_file_over(size: int):  # type: ignore[no-untyped-def]
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def _without_root() -> None:
    """Let file modes hold for root, too: give up the right to pass over them."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
