"""A folder that is watched: whole files are taken in, then moved to done/ or failed/."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from digitize.importing import Importer, Outcome
from digitize.installation import Installation
from digitize.intake import Candidate, Settled, walk
from records import filing
from records.errors import ArchiveError, BusyError
from records.filing import Intake, Sighting
from search.generations import BrokenIndexError

DONE, FAILED = "done", "failed"
_LOOK_EVERY_S = 1.0
_LONGEST_NAME = 255  # bytes; so it is on all file systems in use
_LONGEST_SUFFIX = 20
_PASSING = (ArchiveError, BusyError, BrokenIndexError, OSError, sqlite3.OperationalError)


def watch(
    installation: Installation,
    folder: Path,
    actor: str,
    workers: int,
    on_outcome: Callable[[Outcome], None],
    stop: Callable[[], bool],
) -> None:
    """Look into the folder again and again, until ``stop`` says so; file events are not needed.

    Files that were handed in elsewhere and wait to be read, by upload or after a crash, are read
    as well. A full disk, a busy database or a folder that has gone is waited for: it is told of
    once, as the outcome of no file.
    """
    told = ""
    settled = Settled(installation.settings.intake.settle_s)
    while not stop():
        try:
            if _look(installation, folder, actor, workers, settled, on_outcome, stop):
                told = ""
        except _PASSING as error:
            message = str(error).rstrip(".")
            if isinstance(error, OSError):
                what = f"'{error.filename}' cannot be used" if error.filename else "The disk failed"
                message = f"{what} ({error.strerror or message})"
            kind = re.sub(r"\d+", "", message)  # the room that is left changes all the time
            if kind != told:
                told = kind
                again = f"{message}. It will be tried again."
                on_outcome(Outcome(None, folder.name, None, (), again))
        time.sleep(_LOOK_EVERY_S)


def _look(
    installation: Installation,
    folder: Path,
    actor: str,
    workers: int,
    settled: Settled,
    on_outcome: Callable[[Outcome], None],
    stop: Callable[[], bool],
) -> bool:
    """Deal with what is whole; say whether that was done, or nothing lies there at all."""
    there = settled.not_left(_waiting(folder))
    found = [c for c in there if c.fault or settled.is_settled(c.path)]
    pending = filing.waiting(installation.store)
    if not found and not pending:
        installation.finder.sync()
        return not there
    faulty = {c.path for c in found if c.fault}

    def ended(outcome: Outcome) -> None:
        path = outcome.path
        # One that was written anew since is not the one that was taken in: its turn will come.
        if path in faulty:
            settled.leave(path)
        elif path and outcome.message and outcome.sighting and settled.still_to_come(path) > 0:
            settled.leave(path, settled.still_to_come(path))
            return
        elif path and outcome.sighting is not Sighting.BUSY and settled.is_same(path):
            try:
                _move(folder, path, outcome.message)
            except OSError as error:
                why = f"'{outcome.name}' cannot be moved away ({error.strerror})."
                outcome = replace(outcome, message=f"{outcome.message or ''} {why}".strip())
                settled.leave(path)
        on_outcome(outcome)

    try:
        _round(installation, actor, workers, found, pending, ended, stop)
    finally:
        for candidate in found:
            settled.forget(candidate.path)
    return True


def _waiting(folder: Path) -> Iterator[Candidate]:
    aside = (folder / DONE, folder / FAILED)
    inside = sorted(folder.iterdir())
    yield from walk(p for p in inside if p not in aside and not p.name.startswith("."))


def _round(
    installation: Installation,
    actor: str,
    workers: int,
    found: list[Candidate],
    pending: list[str],
    on_outcome: Callable[[Outcome], None],
    stop: Callable[[], bool],
) -> None:
    with installation.archive.run() as run:
        batch = f"watched {datetime.now(UTC).date().isoformat()}"
        intake = Intake(actor, batch, None, None, run.name)
        importer = Importer(installation, intake, run, on_outcome, lambda _: None, stop)
        alive = installation.archive.alive
        free = [s for s in pending if not alive(filing.holder(installation.store, s))]
        if found or free:
            importer.process(found, free, workers)


def _move(folder: Path, path: Path, message: str | None) -> None:
    """Move a file that has been dealt with; when it failed, say why first in a text beside it."""
    aside = folder / (FAILED if message else DONE)
    place = aside / path.relative_to(folder).parent
    place.mkdir(parents=True, exist_ok=True)
    if not message:
        path.rename(_free_name(place / path.name))
        return
    target = _free_name(place / path.name, len(".txt"))
    note = _free_name(target.with_name(target.name + ".txt"))
    try:
        note.write_text(message + "\n", encoding="utf-8")
        path.rename(target)
    except OSError:
        note.unlink(missing_ok=True)
        raise


def _free_name(path: Path, spare: int = 0) -> Path:
    """Return the path, or one with a number when a file of that name lies there already.

    Names are cut where, with ``spare`` bytes more, they would be longer than a name can be.
    """
    stem, suffix = path.stem, path.suffix
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        stem, suffix = path.name, ""
    number, mark = 1, ""
    while True:
        while len(os.fsencode(stem + mark + suffix)) + spare > _LONGEST_NAME:
            stem = stem[:-1]
        free = path.with_name(stem + mark + suffix)
        if not (free.exists() or free.is_symlink()):
            return free
        number += 1
        mark = f" ({number})"
