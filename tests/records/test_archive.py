"""The archive's files: nothing is lost, changed or written over, and the reason is a sentence."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from records.archive import SENTINEL, Archive, hash_file, open_plain, write_durably
from records.errors import ArchiveError, InputError

SCAN = b"%PDF-1.4 a scan"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    made.prepare()
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    return folder


def handed_in(desk: Path, content: bytes = SCAN, name: str = "scan.pdf") -> Path:
    """Lay a file on the desk."""
    path = desk / name
    path.write_bytes(content)
    return path


def files(folder: Path) -> list[Path]:
    """Return every file under a folder."""
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_a_file_is_kept_by_its_content(archive: Archive, desk: Path) -> None:
    """A kept file is named by its SHA-256, equals its source, and can be written by nobody."""
    source = handed_in(desk)
    before = source.stat()
    kept = archive.take_in(source, archive.work)
    path = archive.original_path(kept.sha256)
    assert path.read_bytes() == SCAN
    assert path.name == hash_file(source) == kept.sha256
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert kept.size == len(SCAN)
    assert (before.st_mtime_ns, before.st_ino) == (source.stat().st_mtime_ns, before.st_ino)
    assert files(archive.work) == []


def test_equal_bytes_are_one_file(archive: Archive, desk: Path) -> None:
    """The same scan under two names is kept once, and the first copy is not touched again."""
    first = archive.take_in(handed_in(desk), archive.work)
    path = archive.original_path(first.sha256)
    inode = path.stat().st_ino
    second = archive.take_in(handed_in(desk, name="copy.pdf"), archive.work)
    assert second == first
    assert files(archive.originals) == [path]
    assert path.stat().st_ino == inode


def test_a_source_that_is_linked_twice_is_copied(archive: Archive, desk: Path) -> None:
    """What is kept shares nothing with the source: writing to the source changes no original."""
    source = handed_in(desk)
    kept = archive.take_in(source, archive.work)
    source.write_bytes(b"overwritten")
    assert archive.original_path(kept.sha256).read_bytes() == SCAN


def test_a_damaged_kept_file_is_set_aside(archive: Archive, desk: Path) -> None:
    """When a kept file rots on the disk, a new sighting heals it; the rotten one is kept too."""
    kept = archive.take_in(handed_in(desk), archive.work)
    path = archive.original_path(kept.sha256)
    path.unlink()
    path.write_bytes(b"rotten")
    archive.take_in(handed_in(desk, name="again.pdf"), archive.work)
    assert path.read_bytes() == SCAN
    assert [p.read_bytes() for p in files(archive.quarantine)] == [b"rotten"]


def _empty(desk: Path) -> Path:
    return handed_in(desk, b"")


def _link(desk: Path) -> Path:
    path = desk / "link.pdf"
    path.symlink_to(handed_in(desk))
    return path


def _fifo(desk: Path) -> Path:
    path = desk / "pipe.pdf"
    os.mkfifo(path)
    return path


def _device(desk: Path) -> Path:
    return Path("/dev/null")


def _folder(desk: Path) -> Path:
    path = desk / "folder.pdf"
    path.mkdir()
    return path


def _nothing(desk: Path) -> Path:
    return desk / "nothing.pdf"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_empty, "'scan.pdf' is empty; scan or copy it again."),
        (_link, "'link.pdf' is a link, not a file; import the file that it points to."),
        (_fifo, "'pipe.pdf' is no ordinary file; import a scan or a PDF."),
        (_device, "'null' is no ordinary file; import a scan or a PDF."),
        (_folder, "'folder.pdf' is no ordinary file; import a scan or a PDF."),
        (_nothing, "check the name."),
    ],
)
def test_what_is_no_file_is_refused(
    archive: Archive, desk: Path, make: Callable[[Path], Path], said: str
) -> None:
    """Each kind of what is no plain file is refused with a sentence, and nothing hangs."""
    with pytest.raises(InputError) as caught:
        archive.take_in(make(desk), archive.work)
    assert str(caught.value).endswith(said)
    assert files(archive.folder) == []


@pytest.fixture
def endpoint(desk: Path) -> Iterator[Path]:
    path = desk / "s.pdf"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        yield path


def test_a_socket_is_refused(archive: Archive, endpoint: Path) -> None:
    """A socket is told as what cannot be opened."""
    with pytest.raises(InputError, match=r"'s\.pdf' cannot be opened"):
        archive.take_in(endpoint, archive.work)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(archive: Archive, desk: Path) -> None:
    """A file without the right to read it is named, with the cure."""
    source = handed_in(desk)
    source.chmod(0)
    with pytest.raises(InputError, match="give this user the right to"):
        archive.take_in(source, archive.work)


def test_a_file_that_cannot_be_read_to_its_end_is_refused(archive: Archive) -> None:
    """A bad sector in the source is that file's fault, not the archive's: the batch goes on."""
    unreadable = Path("/proc/self/mem")  # an ordinary file whose first page cannot be read
    if not unreadable.exists():
        pytest.skip("needs Linux's /proc")
    with pytest.raises(InputError, match=r"^'mem' .*\.$"):
        archive.take_in(unreadable, archive.work)
    assert files(archive.folder) == []


class _Grown:
    """A scanner that goes on writing while its file is read: 20 MB at most, then it is done."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        with open(self.source, "ab") as stream:
            for _ in range(20_000):
                if self.stop.is_set():
                    return
                stream.write(b"x" * 1000)
                stream.flush()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self.thread.join()


def test_a_file_that_changes_while_it_is_read_is_refused(archive: Archive, desk: Path) -> None:
    """Half a file is never kept, and a file that grows does not fill the disk with its copy."""
    source = handed_in(desk, b"x" * 2_000_000)
    with _Grown(source), pytest.raises(InputError, match="was changed while it was read"):
        archive.take_in(source, archive.work)
    assert files(archive.folder) == []


def test_a_file_that_is_swapped_while_it_is_read_is_refused(archive: Archive, desk: Path) -> None:
    """Another file of the same size and name, put in its place meanwhile, is not taken for it."""
    source = handed_in(desk, b"x" * 100)
    other = handed_in(desk, b"y" * 100, "other.pdf")
    os.utime(other, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    check_room = archive.check_room

    def swap(size: int) -> None:
        other.rename(source)
        check_room(size)

    archive.check_room = swap  # type: ignore[method-assign]
    with pytest.raises(InputError, match="was changed while it was read"):
        archive.take_in(source, archive.work)


def test_a_file_that_goes_away_while_it_is_read_is_refused(archive: Archive, desk: Path) -> None:
    """A file that its owner removes meanwhile fails alone; the batch goes on."""
    source = handed_in(desk)
    check_room = archive.check_room

    def remove(size: int) -> None:
        source.unlink()
        check_room(size)

    archive.check_room = remove  # type: ignore[method-assign]
    with pytest.raises(InputError, match="was changed while it was read"):
        archive.take_in(source, archive.work)


def test_a_disk_that_is_nearly_full_takes_nothing_more(tmp_path: Path, desk: Path) -> None:
    """Below archive.free_mb nothing is taken in, and the sentence says that nothing is lost."""
    free = shutil.disk_usage(tmp_path).free // 1_000_000
    archive = Archive(tmp_path / "archive", free_mb=free * 2 + 1)
    archive.prepare()
    source = handed_in(desk)
    with pytest.raises(ArchiveError, match="nothing that was taken in is lost"):
        archive.take_in(source, archive.work)
    assert files(archive.folder) == []
    assert source.read_bytes() == SCAN


def test_page_images_are_kept_by_content(archive: Archive) -> None:
    """A page image is stored once under its hash, and can be written by nobody."""
    one = archive.keep_image(b"png", archive.work)
    assert archive.keep_image(b"png", archive.work) == one
    path = archive.image_path(one)
    assert files(archive.folder) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_missing_sentinel_stops_the_start(archive: Archive) -> None:
    """A share that is not mounted looks like an empty folder: nothing is begun on it."""
    archive.bind("this", new=True)
    (archive.folder / SENTINEL).unlink()
    with pytest.raises(ArchiveError, match="mount or put back the right folder"):
        archive.bind("this", new=False)


@pytest.mark.parametrize("part", ["originals", "pages"])
def test_a_part_that_is_not_mounted_stops_the_start(archive: Archive, part: str) -> None:
    """Where the originals lie on a share, its empty mount point is not taken for them."""
    archive.bind("this", new=True)
    (archive.folder / part / SENTINEL).unlink()
    with pytest.raises(ArchiveError, match="mount or put back the right folder"):
        archive.bind("this", new=False)


def test_another_archives_sentinel_stops_the_start(archive: Archive) -> None:
    """A database is not used with another archive's files, not even a new one."""
    archive.bind("this", new=True)
    for new in (True, False):
        with pytest.raises(ArchiveError, match="does not belong to its database"):
            archive.bind("that", new=new)


def test_a_file_in_the_archives_place_is_told_as_such(tmp_path: Path) -> None:
    """archive.folder that names a file is a sentence with the setting to mend."""
    place = tmp_path / "archive"
    place.write_text("")
    with pytest.raises(ArchiveError, match=r"is not a folder; set archive\.folder"):
        Archive(place).prepare()


def test_a_place_that_cannot_be_written_is_told_as_such(tmp_path: Path) -> None:
    """An archive in an impossible place says so, and what to do."""
    with pytest.raises(ArchiveError, match="cannot be written"):
        Archive(Path("/proc/archive")).prepare()


def test_a_run_is_alive_until_it_ends(archive: Archive) -> None:
    """Other processes can tell a run at work from one that is over."""
    with archive.run() as run:
        assert Archive(archive.folder).alive(run.name)
        archive.sweep()
        assert run.folder.exists()
    assert not archive.alive(run.name)
    assert not run.folder.exists()
    assert not archive.alive(None)
    assert not archive.alive("never-was")


def test_a_run_that_was_killed_is_dead_and_swept(archive: Archive) -> None:
    """kill -9 leaves a folder, but no lock: the next run sweeps it out."""
    code = (
        "import sys, os; from pathlib import Path; from records.archive import Archive\n"
        "with Archive(Path(sys.argv[1])).run() as run:\n"
        "    (run.folder / 'half.part').write_text('x'); print(run.name, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(archive.folder)], cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin
    assert child.stdout
    with child.stdin, child.stdout:
        name = child.stdout.readline().strip()
        assert archive.alive(name)
        child.kill()
        child.wait()
        assert not archive.alive(name)
        assert (archive.work / name).exists()
        with archive.run():
            assert not (archive.work / name).exists()


def test_a_durable_write_replaces_whole(tmp_path: Path) -> None:
    """A small file is replaced in one step, and no temporary is left."""
    path = tmp_path / "state"
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert files(tmp_path) == [path]
    assert path.read_bytes() == b"two"


def test_a_plain_file_opens(desk: Path) -> None:
    """What is an ordinary file is simply opened."""
    with open_plain(handed_in(desk)) as stream:
        assert stream.read() == SCAN
