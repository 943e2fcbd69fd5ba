"""A watched folder: whole files only, nothing lost, one bad file stops nothing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from digitize import watching
from digitize.importing import Outcome
from digitize.intake import receive
from digitize.watching import watch
from tests.faults import engines
from tests.faults.house import House, end, until
from tests.faults.paper import write_scan


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Watch an inbox into which all sorts of things are put in one go, until all are dealt with."""
    folder = tmp_path_factory.mktemp("day")
    house = House(folder / "house")
    house.engine(engines.FAST)
    house.prepare()
    inbox = house.inbox
    write_scan(inbox / "whole.png", "whole")
    write_scan(inbox / "twice a.png", "the same")
    shutil.copy(inbox / "twice a.png", inbox / "twice b.png")
    write_scan(inbox / "drawer 1" / "inside.tif", "inside", 2)
    write_scan(inbox / "done" / "taken.png", "an older one of this name")
    write_scan(inbox / "taken.png", "a newer one of this name")
    whole = write_scan(folder / "cut.png", "cut").read_bytes()
    (inbox / "cut.png").write_bytes(whole[: len(whole) // 2])
    (inbox / "notes.txt").write_text("no scan")
    (inbox / "cut.png.txt").write_text("a text of somebody's, not ours")
    (inbox / "empty.pdf").touch()
    (inbox / ".hidden.part").write_text("being copied")
    (inbox / "link.png").symlink_to(inbox / "whole.png")
    os.mkfifo(inbox / "pipe.png")
    uploaded = write_scan(folder / "spool" / "1.png", "handed in on the site")
    with house.opened() as installation:
        viewer = installation.store.system_viewer("site")
        receive(installation, viewer, uploaded, "upload.png", "uploads", None)
    with house.watching():
        until(lambda: {p.name for p in inbox.iterdir()} <= {"done", "failed", ".hidden.part",
                                                            "drawer 1"})  # fmt: skip
        until(lambda: not house.rows("SELECT * FROM originals WHERE state = 'waiting'"))
    yield house
    assert not house.processes()


def _names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def test_what_is_filed_lies_in_done(day: House) -> None:
    """Filed files are in done/, in their folders, and none there is overwritten."""
    assert _names(day.inbox / "done") == {
        "whole.png", "twice a.png", "twice b.png", "drawer 1/inside.tif", "taken.png",
        "taken (2).png",
    }  # fmt: skip


def test_what_failed_lies_in_failed_with_the_reason(day: House) -> None:
    """Each file that could not be read is in failed/, with a text that names it and says why."""
    failed = day.inbox / "failed"
    names = {"cut.png", "notes.txt", "cut.png.txt", "empty.pdf", "link.png", "pipe.png"}
    assert names <= _names(failed)
    texts = {p.name: p.read_text() for p in failed.glob("*.txt") if p.name not in names}
    for name in names:
        assert any(f"'{name}'" in text and text.endswith(".\n") for text in texts.values()), name


def test_a_reason_never_overwrites_a_file(day: House) -> None:
    """The text that says why is written beside a file of that very name, not over it."""
    kept = [p.read_text() for p in (day.inbox / "failed").glob("cut.png*.txt")]
    assert "a text of somebody's, not ours" in kept


def test_every_file_is_one_record(day: House) -> None:
    """What was dropped twice is one record; what was uploaded is read as well."""
    assert day.sources() == [
        "cut.png", "inside.tif", "taken.png", "twice a.png", "upload.png", "whole.png",
    ]  # fmt: skip
    states = dict(day.rows("SELECT name, state FROM originals"))
    assert states.pop("cut.png") == "failed"
    assert set(states.values()) == {"read"}


def test_what_is_hidden_is_left_alone(day: House) -> None:
    """A file that a copying program still hides stays where it is."""
    assert (day.inbox / ".hidden.part").exists()


def test_all_is_well_at_the_end_of_the_day(day: House) -> None:
    """``check --full`` finds nothing, and the uploaded page is found by search."""
    assert day.problems() == []
    assert day.found("filed") == 5


def test_a_growing_file_is_not_taken(house: House, tmp_path: Path) -> None:
    """A file that is still being written is taken only when it is whole."""
    house.set({"intake.settle_s": 0.8})
    house.prepare()
    scan = write_scan(tmp_path / "slow.bmp", "slow").read_bytes()
    target = house.inbox / "slow.bmp"
    with house.watching(), open(target, "wb") as stream:
        for start in range(0, len(scan), len(scan) // 8 + 1):
            stream.write(scan[start : start + len(scan) // 8 + 1])
            stream.flush()
            time.sleep(0.4)
            assert target.exists()
            assert not house.rows("SELECT * FROM originals")
        stream.close()
        assert until(lambda: (house.inbox / "done" / "slow.bmp").exists())
    assert house.rows("SELECT name, state FROM originals") == [("slow.bmp", "read")]


def test_a_file_whose_writer_stalls_is_tried_again(house: House, tmp_path: Path) -> None:
    """A file that does not parse may be half written: it is tried again, and never skipped."""
    house.prepare()
    scan = write_scan(tmp_path / "slow.png", "slow").read_bytes()
    target = house.inbox / "slow.png"
    with house.watching(), open(target, "wb") as stream:
        stream.write(scan[: len(scan) // 2])
        stream.flush()
        time.sleep(2.5)  # far longer than intake.settle_s
        stream.write(scan[len(scan) // 2 :])
        stream.close()
        assert until(lambda: (house.inbox / "done" / "slow.png").exists(), 10)


def test_a_file_written_anew_while_it_is_read_is_read_too(house: House, tmp_path: Path) -> None:
    """A scanner that uses a name again: the second file is not taken for the first one."""
    house.engine("sleep 1\n" + engines.FAST)
    house.prepare()
    target = write_scan(house.inbox / "scan.png", "the first")
    second = write_scan(tmp_path / "scan.png", "the second")
    with house.watching():
        assert until(lambda: house.rows("SELECT * FROM originals"))
        shutil.copy(second, tmp_path / "copy.png")
        (tmp_path / "copy.png").replace(target)
        assert until(lambda: not target.exists())
    assert house.sources() == ["scan.png", "scan.png"]


def test_a_file_that_vanishes_stops_nothing(house: House) -> None:
    """A file that somebody takes away while it is read is filed all the same; the watch goes on."""
    house.engine("sleep 1\n" + engines.FAST)
    house.prepare()
    gone = write_scan(house.inbox / "gone.png", "gone")
    with house.watching() as process:
        assert until(lambda: house.rows("SELECT * FROM originals"))
        gone.unlink()
        write_scan(house.inbox / "next.png", "next")
        assert until(lambda: (house.inbox / "done" / "next.png").exists())
        assert process.poll() is None
    assert house.sources() == ["gone.png", "next.png"]


def test_a_kill_between_commit_and_move_loses_nothing(house: House) -> None:
    """The source goes after the commit; a watch killed between both moves it the next time."""
    house.prepare()
    scan = write_scan(house.inbox / "a.png", "a")
    killed = "import os, digitize.watching as w\nw._move = lambda *_: os.kill(os.getpid(), 9)"
    process = house.start("watch", "--workers", 1, before=killed)
    assert end(process).code == -9
    assert scan.exists()
    assert house.rows("SELECT name, state FROM originals") == [("a.png", "read")]
    with house.watching():
        assert until(lambda: (house.inbox / "done" / "a.png").exists())
    assert house.sources() == ["a.png"]


def test_nothing_is_moved_before_it_is_safe(house: House) -> None:
    """While a file is read, and its copy is safe already, it still lies in the inbox."""
    house.engine(engines.HANGS)
    house.prepare()
    scan = write_scan(house.inbox / "a.png", "a")
    with house.watching() as process:
        assert until(lambda: house.rows("SELECT * FROM originals"))
        process.kill()
        process.wait()
    assert scan.exists()


def test_trouble_is_waited_for(house: House, tmp_path: Path) -> None:
    """A full disk, or a folder that has gone, is said once; the watch goes on when it is over."""
    said: list[Outcome] = []
    began = time.monotonic()
    folder, away = tmp_path / "in", tmp_path / "away"
    turns = [0, 0, 0, 0]  # how often it looked again, by what had been said

    def rest(_: float) -> None:
        time.sleep(0.1)
        turns[len(said)] += 1
        if turns[1] == 6 and folder.exists():
            folder.rename(away)
        if turns[2] == 4 and away.exists():
            away.rename(folder)
            installation.archive.free_mb = 0

    def stop() -> bool:
        return len(said) == 3 or time.monotonic() > began + 15

    write_scan(folder / "a.png", "a")
    with house.opened() as installation, pytest.MonkeyPatch.context() as patch:
        patch.setattr("digitize.watching.time", SimpleNamespace(sleep=rest))
        patch.setenv("PATH", house.environment()["PATH"])
        installation.archive.free_mb = 10**9
        watch(installation, folder, "test", 1, said.append, stop)
    assert "make room" in str(said[0].message)
    assert "No such file" in str(said[1].message)
    assert "Errno" not in str(said[1].message)
    assert (said[2].name, said[2].message) == ("a.png", None)
    assert (folder / "done" / "a.png").exists()


def test_what_cannot_be_dealt_with_is_told_once(house: House, tmp_path: Path) -> None:
    """A folder that cannot be listed and a file that cannot be moved are told once, then left.

    They hold up nothing else: what comes later is filed.
    """
    said: list[Outcome] = []
    folder = tmp_path / "in"
    (folder / "locked").mkdir(parents=True)
    (folder / "failed").touch()  # where the next one should go
    (folder / "bad.txt").write_text("no scan")
    looks, listed = [0], Path.iterdir

    def rest(_: float) -> None:
        time.sleep(0.1)
        looks[0] += 1
        if looks[0] == 12:
            write_scan(folder / "later.png", "later")

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied", str(self))
        return listed(self)

    with house.opened() as installation, pytest.MonkeyPatch.context() as patch:
        patch.setattr("digitize.watching.time", SimpleNamespace(sleep=rest))
        patch.setattr(Path, "iterdir", iterdir)
        patch.setenv("PATH", house.environment()["PATH"])
        watch(
            installation, folder, "test", 1, said.append,
            lambda: looks[0] > 120 or (folder / "done" / "later.png").exists(),
        )  # fmt: skip
    assert [o.name for o in said] == ["locked", "bad.txt", "later.png"]
    assert "cannot be looked into" in str(said[0].message)
    assert "cannot be moved away" in str(said[1].message)
    assert said[2].message is None


@pytest.mark.parametrize("aside", ["done", "failed"])
@pytest.mark.parametrize("name", ["n" * 248 + ".png", "\u00e4" * 125 + ".png", "x." + "y" * 253])
def test_long_names_are_cut(tmp_path: Path, aside: str, name: str) -> None:
    """A file whose name leaves no room for a number, or for its text, is moved with a shorter."""
    message = None if aside == "done" else "It cannot be read."
    for time_ in range(3):
        path = tmp_path / name
        path.write_text(str(time_))
        watching._move(tmp_path, path, message)
        assert not path.exists()
    kept = sorted((tmp_path / aside).iterdir())
    assert len(kept) == (3 if aside == "done" else 6)
    assert {p.read_text() for p in kept} - {"It cannot be read.\n"} == {"0", "1", "2"}


def test_a_file_that_cannot_be_moved_has_no_text(tmp_path: Path) -> None:
    """The text that says why is written before the move, and goes when that fails."""
    gone = tmp_path / "gone.png"
    with pytest.raises(FileNotFoundError):
        watching._move(tmp_path, gone, "It cannot be read.")
    assert list((tmp_path / "failed").iterdir()) == []


def test_a_fault_of_no_file_is_said_in_words(house: House, tmp_path: Path) -> None:
    """An error of the disk that names no file is not told as a fault of 'None'."""
    said: list[Outcome] = []

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with house.opened() as installation, pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "_look", fail)
        patch.setattr("digitize.watching.time", SimpleNamespace(sleep=lambda _: None))
        watch(installation, tmp_path, "test", 1, said.append, lambda: bool(said))
    assert said[0].message == "The disk failed (Input/output error). It will be tried again."
