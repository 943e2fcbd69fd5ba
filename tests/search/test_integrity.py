"""The index on disk: killed, damaged, planted, old. It is noticed, never read, and rebuilt."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from search import generations, whoosh_index
from search.finder import Finder
from search.generations import BrokenIndexError
from tests.search.fakes import EVERYWHERE, FakeStore, record, settings_in

SHELF = [record(number, f"permit {number} for a fence") for number in range(1, 31)]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore(*SHELF)


@pytest.fixture
def finder(store: FakeStore, tmp_path: Path) -> Finder:
    made = Finder(store, settings_in(tmp_path))
    made.sync()
    return made


def generation(tmp_path: Path) -> Path:
    folder = generations.live(tmp_path / "index")
    assert folder is not None
    return folder


def flip(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)


def one(tmp_path: Path, pattern: str) -> Path:
    return next(generation(tmp_path).glob(pattern))


DAMAGE: dict[str, Callable[[Path], None]] = {
    **{
        f"a bit at {place} of {pattern}": lambda folder, pattern=pattern, place=place: flip(
            one(folder, pattern), place
        )
        for pattern in ("*.toc", "*.seg", "manifest.json")
        for place in (0.0, 0.3, 0.5, 0.9, 1.0)
    },
    "no table of contents": lambda folder: one(folder, "*.toc").unlink(),
    "no segment": lambda folder: one(folder, "*.seg").unlink(),
    "no manifest": lambda folder: one(folder, "manifest.json").unlink(),
    "cut table of contents": lambda folder: os.truncate(one(folder, "*.toc"), 40),
    "cut segment": lambda folder: os.truncate(one(folder, "*.seg"), 100),
    "empty manifest": lambda folder: os.truncate(one(folder, "manifest.json"), 0),
    **{
        f"a sealed manifest of {body!r}": lambda folder, body=body: _rewrite(
            one(folder, "manifest.json"), hashlib.sha256(body).hexdigest().encode() + b"\n" + body
        )
        for body in (b"[]", b"{}", b'{"files": {"a": {}}}', b'{"files": {}, "old": 1}', b"\xff")
    },
    "no generation": lambda folder: shutil.rmtree(generation(folder)),
    "strange current": lambda folder: _rewrite(folder / "index" / "current", b"../../etc\n"),
    "binary current": lambda folder: _rewrite(folder / "index" / "current", b"\xff\0"),
}


def _rewrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_damage_is_noticed_and_mended(
    damage: str, store: FakeStore, finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any damage is found before a byte of it is unpickled; the next search rebuilds."""
    DAMAGE[damage](tmp_path)
    with monkeypatch.context() as guard:
        for name in ("load", "loads", "Unpickler"):
            guard.setattr(pickle, name, _must_not_be_called)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("whoosh"):
                for name in ("load", "loads"):
                    if hasattr(module, name):
                        guard.setattr(module, name, _must_not_be_called)
        assert Finder(store, settings_in(tmp_path)).check(full=False)
        assert Finder(store, settings_in(tmp_path)).check(full=True)
    again = Finder(store, settings_in(tmp_path))
    assert again.search("fence", EVERYWHERE).total == 30
    assert again.check(full=True) == []
    assert len(list((tmp_path / "index").glob("g*"))) == 1


def _must_not_be_called(*_: object, **__: object) -> object:
    raise AssertionError("something was unpickled")


def test_a_planted_pickle_is_not_opened(store: FakeStore, finder: Finder, tmp_path: Path) -> None:
    """A newer table of contents that no manifest names is not read, and is swept away."""
    planted = generation(tmp_path) / "_MAIN_99.toc"
    planted.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    again = Finder(store, settings_in(tmp_path))
    assert again.search("fence", EVERYWHERE).total == 30
    store.put(record(31, "one more fence"))
    again.sync()
    assert again.search("fence", EVERYWHERE).total == 31
    assert not planted.exists()


def test_a_link_in_place_of_a_file_is_refused(
    store: FakeStore, finder: Finder, tmp_path: Path
) -> None:
    """A segment that has become a link elsewhere is not the segment that was written."""
    segment = one(tmp_path, "*.seg")
    segment.rename(tmp_path / "elsewhere")
    segment.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BrokenIndexError):
        whoosh_index.open_index(generation(tmp_path), store.store_id)


def test_another_layout_is_rebuilt(
    store: FakeStore, finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that an older version of the program laid out is rebuilt, not misread."""
    monkeypatch.setattr(whoosh_index, "SCHEMA_VERSION", whoosh_index.SCHEMA_VERSION + 1)
    again = Finder(store, settings_in(tmp_path))
    assert "another version" in again.check(full=False)[0]
    assert again.search("fence", EVERYWHERE).total == 30
    assert again.check(full=True) == []


def test_another_store_is_rebuilt(finder: Finder, tmp_path: Path) -> None:
    """An index that came along from another archive is not searched."""
    other = FakeStore(record(1, "something else"), store_id="store-2")
    again = Finder(other, settings_in(tmp_path))
    assert again.search("fence", EVERYWHERE).total == 0
    assert again.search("else", EVERYWHERE).total == 1


def test_a_store_that_went_back_is_indexed_anew(finder: Finder, tmp_path: Path) -> None:
    """After the database was restored from a backup, no record of later days is found."""
    restored = FakeStore(*SHELF[:10])
    again = Finder(restored, settings_in(tmp_path))
    assert "ahead" in again.check(full=False)[0]
    assert again.sync() == 10
    assert again.search("fence", EVERYWHERE).total == 10


@pytest.mark.parametrize(
    "moment", ["_commit_toc", "mark_file", "write_manifest", "fsync", "replace"]
)
def test_a_death_within_a_commit(
    moment: str, store: FakeStore, finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a commit dies, the last one stands, and the next goes through."""
    store.put(record(31, "one more fence"), record(1, "a pool now"))
    with monkeypatch.context() as deadly:
        target = {
            "_commit_toc": (whoosh_index._Writer, "_commit_toc"),
            "mark_file": (whoosh_index, "mark_file"),
            "write_manifest": (whoosh_index, "write_manifest"),
            "fsync": (os, "fsync"),
            "replace": (Path, "replace"),
        }[moment]
        deadly.setattr(*target, _dies)
        with pytest.raises(KeyboardInterrupt):
            finder.sync()
    again = Finder(store, settings_in(tmp_path))
    assert again.search("fence", EVERYWHERE).total == 30
    assert "behind the store by 2" in again.check(full=True)[0]
    assert again.sync() == 2
    assert again.search("fence", EVERYWHERE).total == 30
    assert again.search("pool", EVERYWHERE).total == 1
    assert again.check(full=True) == []


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


KILLED = """
    import sys
    from pathlib import Path
    from search.finder import Finder
    from tests.search.fakes import FakeStore, record, settings_in
    store = FakeStore(*[record(n, f"fence {n}") for n in range(1, 6)])
    finder = Finder(store, settings_in(Path(sys.argv[1])))
    finder.sync()
    print("ready", flush=True)
    for n in range(6, 10_000):
        store.put(record(n, f"fence {n}"))
        finder.sync()
"""


def _child(code: str, folder: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(folder)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("after_ms", [15, 60, 140, 333])
def test_kill_9(after_ms: int, tmp_path: Path) -> None:
    """A process killed while it commits leaves an index that opens and that goes on."""
    child = _child(KILLED, tmp_path)
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == "ready\n"
        signal.sigtimedwait([], after_ms / 1000)
        child.kill()
    index = whoosh_index.open_index(generation(tmp_path), "store-1")
    assert index.revision >= 5
    store = FakeStore(*[record(n, f"fence {n}") for n in range(1, index.revision + 3)])
    finder = Finder(store, settings_in(tmp_path))
    assert finder.search("fence", EVERYWHERE).total == index.revision
    assert finder.sync() == 2
    assert finder.search("fence", EVERYWHERE).total == store.revision()
    assert finder.check(full=True) == []


def test_full_check_reads_every_byte(finder: Finder, tmp_path: Path) -> None:
    """A flipped bit in a file that is already open is found by the full check."""
    assert finder.check(full=True) == []
    flip(one(tmp_path, "*.seg"), 0.5)
    assert "altered" in finder.check(full=True)[0]


def test_check_changes_nothing(finder: Finder, store: FakeStore, tmp_path: Path) -> None:
    """Looking for damage leaves every file as it is, even when there is damage."""
    flip(one(tmp_path, "*.toc"), 0.5)
    before = _state(tmp_path)
    Finder(store, settings_in(tmp_path)).check(full=True)
    assert _state(tmp_path) == before


def _state(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
