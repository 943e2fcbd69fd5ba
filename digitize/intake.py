"""Taking files in: what is a scan, what is whole, and when it is safe to say 'accepted'."""

from __future__ import annotations

import math
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from digitize.installation import Installation
from digitize.signatures import media_type
from records import filing
from records.access import Action, Viewer, require
from records.errors import InputError
from records.filing import Accepted, Intake, Sighting

# What folders hold beside scans: left alone without a word.
_LITTER = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path found where scans were looked for; ``fault`` says why it cannot be one."""

    path: Path
    fault: str | None


def walk(paths: Iterable[Path]) -> Iterator[Candidate]:
    """Find the files under paths, folders walked in the order that people count in.

    Links are not followed, so a folder cannot lead out of itself or in circles. What is hidden
    in a folder is left alone; what is named is taken.
    """
    stack = [iter(paths)]  # and not recursion: folders may be nested deeper than calls
    while stack:
        path = next(stack[-1], None)
        if path is None:
            stack.pop()
            continue
        if len(stack) > 1 and path.name.startswith("."):
            continue
        try:
            mode = path.lstat().st_mode
        except OSError:
            yield Candidate(path, f"There is no file or folder '{shown(path)}'; check the name.")
            continue
        if stat.S_ISDIR(mode):
            try:
                stack.append(iter(sorted(path.iterdir(), key=lambda p: natural_key(p.name))))
            except OSError as error:
                yield Candidate(path, _unlisted(path, error))
        elif path.name.lower() not in _LITTER:
            yield Candidate(path, None)


def _unlisted(folder: Path, error: OSError) -> str:
    return (
        f"The folder '{shown(folder)}' cannot be looked into ({error.strerror}); "
        "give this user the right to, then import it again."
    )


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts 'page 2' before 'page 10'."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def shown(path: Path) -> str:
    """Return a path that can be printed: control characters and bad bytes replaced."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def receive(
    installation: Installation,
    viewer: Viewer,
    path: Path,
    name: str,
    batch: str,
    department: str | None,
) -> Sighting:
    """Take an uploaded file durably into the archive, to be read later; it is not parsed here.

    Raises InputError with a sentence when it is no scan, NotAllowedError when the person may not
    add to the department.
    """
    chosen = department or installation.settings.intake.department
    require(viewer, Action.ADD, chosen)
    intake = Intake(viewer.name, batch, department, None, "")
    with installation.archive.working():
        return take_in(installation, path, name, intake, path.parent)[1]


def take_in(
    installation: Installation, path: Path, name: str, intake: Intake, workspace: Path
) -> tuple[Accepted, Sighting]:
    """Copy a file into the archive and enter it; when this returns, it cannot be lost."""
    limit = installation.settings.limits.file_mb
    try:
        kind = media_type(path)
        if path.stat().st_size > limit * 1_000_000:
            raise InputError(
                f"'{path.name}' is larger than the {limit} MB that limits.file_mb allows; split it."
            )
        kept = installation.archive.take_in(path, workspace)
    except InputError as error:
        raise InputError(str(error).replace(path.name, name)) from None
    except FileNotFoundError:
        raise InputError(f"'{name}' went away while it was taken in; look for it.") from None
    file = Accepted(kept.sha256, kept.size, name, kind)
    sighting = filing.accept(
        installation.store,
        file,
        intake,
        installation.settings.intake.department,
        installation.settings.intake.tries,
        installation.archive.alive,
    )
    return file, sighting


# A file that cannot be read may be half written; it is tried again until it has lain unchanged
# for so many times the settling time.
_STALLS = 15


class Settled:
    """Tells when a file in a watched folder has been written whole: it stays as it is."""

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._seen: dict[Path, tuple[tuple[int, int, int], float]] = {}
        self._left: dict[Path, tuple[tuple[int, int, int] | None, float]] = {}

    def is_settled(self, path: Path) -> bool:
        """Say whether size, time and inode have not changed for the settling time."""
        state = _state(path)
        if state is None:
            self._seen.pop(path, None)
            return False
        known = self._seen.get(path)
        if known is None or known[0] != state:
            self._seen[path] = (state, time.monotonic())
            return False
        return time.monotonic() - known[1] >= self.settle_s

    def is_same(self, path: Path) -> bool:
        """Say whether a file is still what it was when it was last looked at."""
        known = self._seen.get(path)
        return known is not None and known[0] == _state(path)

    def leave(self, path: Path, for_s: float = math.inf) -> None:
        """Leave a path alone, with which nothing can be done, until it changes or time is up."""
        self._left[path] = (_state(path), time.monotonic() + for_s)

    def still_to_come(self, path: Path) -> float:
        """Return for how many seconds more of a file may come: its writer may only be stalled."""
        try:
            return path.lstat().st_mtime + _STALLS * self.settle_s - time.time()
        except OSError:
            return 0.0

    def not_left(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return those that are not left alone; forget those that have gone or changed."""
        there = list(candidates)
        paths = {c.path for c in there}
        now = time.monotonic()
        self._left = {
            path: (state, until)
            for path, (state, until) in self._left.items()
            if path in paths and state == _state(path) and now < until
        }
        return [c for c in there if c.path not in self._left]

    def forget(self, path: Path) -> None:
        """Drop a file that has been dealt with."""
        self._seen.pop(path, None)


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None when it is not there."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino
