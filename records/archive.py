"""The archive's files: kept by content, never changed, on the disk before a row says so."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from records.errors import ArchiveError, BusyError, InputError

CHUNK = 1 << 20
SENTINEL = ".digitize-archive"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is safely in the archive."""

    sha256: str
    size: int


class Archive:
    """The folders of one installation: originals, page images, quarantine, inbox, work files."""

    def __init__(self, folder: Path, free_mb: int = 0) -> None:
        self.folder = folder
        self.free_mb = free_mb
        self.originals = folder / "originals"
        self.pages = folder / "pages"
        self.quarantine = folder / "quarantine"
        self.inbox = folder / "inbox"
        self.work = folder / "work"
        self.database = folder / "records.db"
        self.index = folder / "index"

    def prepare(self) -> None:
        """Make the folders of an archive that is new."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ArchiveError(f"The archive '{self.folder}' is not a folder; set archive.folder.")
        try:
            for folder in (self.originals, self.pages, self.quarantine, self.inbox, self.work):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"The archive '{self.folder}' cannot be written ({error.strerror}); "
                "give this user the right to, or set archive.folder to another."
            ) from error

    def bind(self, store_id: str, new: bool) -> None:
        """Check that folder and database belong together, by the id that both carry.

        A network share that is not mounted looks like an empty folder: refuse to start on one,
        be it the whole archive or only its originals or page images.
        """
        for folder in (self.folder, self.originals, self.pages):
            sentinel = folder / SENTINEL
            if not sentinel.exists() and new:
                write_durably(sentinel, f"{store_id}\n".encode())
            found = sentinel.read_text().strip() if sentinel.exists() else ""
            if found != store_id:
                raise ArchiveError(
                    f"The folder '{folder}' does not belong to its database "
                    f"('{sentinel}' is missing or another's); mount or put back the right folder."
                )

    def original_path(self, sha256: str) -> Path:
        """Return where a kept file lies."""
        return self.originals / sha256[:2] / sha256

    def image_path(self, sha256: str) -> Path:
        """Return where a cleaned page image lies."""
        return self.pages / sha256[:2] / f"{sha256}.png"

    def take_in(self, source: Path, workspace: Path) -> Kept:
        """Copy a file in, and return only when it is safe on the disk under its hash.

        Raises InputError when the source is no plain file, is empty or changes meanwhile,
        ArchiveError when there is no room. The source is never touched.
        """
        with open_plain(source) as stream:
            before = os.fstat(stream.fileno())
            self.check_room(before.st_size)
            temporary = workspace / f"{uuid.uuid4().hex}.part"
            try:
                sha256, size = _copy(stream, temporary, source.name, before.st_size)
                if size == 0:
                    raise InputError(f"'{source.name}' is empty; scan or copy it again.")
                if size != before.st_size or not _is_still(source, before):
                    raise InputError(
                        f"'{source.name}' was changed while it was read; "
                        "import it again when its writer is done."
                    )
                if hash_file(temporary) != sha256:
                    raise ArchiveError(
                        f"'{source.name}' could not be copied without a change; check the disk."
                    )
                self._keep(temporary, self.original_path(sha256), sha256)
            except OSError as error:
                raise ArchiveError(
                    f"'{source.name}' could not be kept in '{self.folder}' ({error.strerror}); "
                    "make room or give the right to write, then import it again."
                ) from error
            finally:
                temporary.unlink(missing_ok=True)
        return Kept(sha256, size)

    def keep_image(self, png: bytes, workspace: Path) -> str:
        """Keep a cleaned page image, durably, and return its SHA-256."""
        sha256 = hashlib.sha256(png).hexdigest()
        target = self.image_path(sha256)
        temporary = workspace / f"{uuid.uuid4().hex}.part"
        try:
            write_durably(temporary, png)
            self._keep(temporary, target, sha256)
        except OSError as error:
            raise ArchiveError(
                f"A page image could not be kept in '{self.pages}' ({error.strerror}); make room "
                "or give the right to write, then import again: nothing is lost."
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return sha256

    def check_room(self, size: int) -> None:
        """Raise ArchiveError when a file of this many bytes would fill the disk."""
        if not self.has_room(size):
            free = shutil.disk_usage(self.folder).free
            raise ArchiveError(
                f"The disk of '{self.folder}' has {free // 1_000_000} MB left, which is too "
                "little; make room and import again: nothing that was taken in is lost."
            )

    def has_room(self, size: int) -> bool:
        """Say whether a file of this many bytes, twice while it is made, leaves enough room."""
        free = shutil.disk_usage(self.folder).free
        return free - 2 * size >= self.free_mb * 1_000_000

    def _keep(self, temporary: Path, target: Path, sha256: str) -> None:
        target.parent.mkdir(exist_ok=True)
        temporary.chmod(0o400)
        try:
            os.link(temporary, target)
        except FileExistsError:
            if hash_file(target) != sha256:  # damaged on the disk: set it aside, never overwrite
                self.quarantine.mkdir(exist_ok=True)
                target.rename(self.quarantine / f"{target.name}.{uuid.uuid4().hex[:8]}")
                os.link(temporary, target)
        sync_folder(target.parent)
        sync_folder(target.parent.parent)

    @contextmanager
    def run(self) -> Iterator[Run]:
        """Hold a work folder whose lock says, even after a crash, whether its owner lives."""
        with self.working():
            self.sweep()
            name = uuid.uuid4().hex
            folder = self.work / name
            folder.mkdir(parents=True)
            lock = open(folder / "lock.new", "wb")  # noqa: SIM115 - held open for as long as the run
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "lock.new").rename(folder / "lock")  # nobody sees it before it is held
            try:
                yield Run(name, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()

    @contextmanager
    def working(self, alone: bool = False) -> Iterator[None]:
        """Be at work on the archive beside others, or alone; raises BusyError when that cannot be.

        What one has kept and not yet entered looks like a stray file to another.
        """
        with open(self.folder / ".at-work", "ab") as lock:
            try:
                fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(
                    "An import is at work on the archive; try again when it is done."
                    if alone
                    else "The archive is being repaired; try again in a minute."
                ) from None
            yield

    def keeps(self, path: Path) -> bool:
        """Say whether a path lies among the files that the archive itself has written."""
        own = (self.originals, self.pages, self.quarantine, self.work, self.index)
        found = path.parent.resolve() / path.name
        database = self.database.resolve()
        beside = {
            database,
            *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm")),
        }
        return found in beside or any(found.is_relative_to(folder.resolve()) for folder in own)

    def alive(self, run: str | None) -> bool:
        """Say whether the run of this name is still at work on this machine."""
        if not run:
            return False
        try:
            with open(self.work / run / "lock", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def is_worked_on(self) -> bool:
        """Say whether any run is at work; what it has kept may not have its row yet."""
        return any(self.alive(folder.name) for folder in self.work.iterdir())

    def sweep(self) -> None:
        """Remove the work folders of runs that died."""
        for folder in self.work.iterdir() if self.work.exists() else ():
            lock = folder / "lock"
            # A folder without a lock may be one that is being made at this moment.
            if lock.exists() and not self.alive(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Run:
    """One command at work: its name in the database's claims, and its folder for work files."""

    name: str
    folder: Path


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading, but no link, pipe, device or folder."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError(f"There is no file '{path}'; check the name.") from None
    except PermissionError:
        raise InputError(
            f"'{path.name}' may not be read; give this user the right to, then import it again."
        ) from None
    except OSError as error:
        if path.is_symlink():
            raise InputError(
                f"'{path.name}' is a link, not a file; import the file that it points to."
            ) from None
        raise InputError(f"'{path.name}' cannot be opened ({error.strerror}).") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"'{path.name}' is no ordinary file; import a scan or a PDF.")
    return os.fdopen(handle, "rb")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file, or replace one whole, and see it onto the disk."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with open(temporary, "xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See a folder's entries onto the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_some(stream: BinaryIO, size: int, name: str) -> bytes:
    """Read on in a file that was handed in; raises InputError when its disk gives nothing back."""
    try:
        return stream.read(size)
    except OSError as error:
        raise InputError(
            f"'{name}' cannot be read to its end ({error.strerror}); copy or scan it again."
        ) from None


def _copy(stream: BinaryIO, target: Path, name: str, most: int) -> tuple[str, int]:
    """Copy a file and return its hash and size; one that grows is not followed for ever."""
    digest, size = hashlib.sha256(), 0
    with open(target, "xb") as copy:
        while size <= most and (chunk := read_some(stream, CHUNK, name)):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _is_still(source: Path, before: os.stat_result) -> bool:
    try:
        after = source.lstat()
    except OSError:  # it went away
        return False
    return all(
        getattr(before, what) == getattr(after, what)
        for what in ("st_size", "st_mtime_ns", "st_ino")
    )
