"""A folder that is watched: whole files are taken in, then moved to done/ or failed/."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from digitize.importing import Importer, Outcome
from digitize.installation import Installation
from digitize.intake import Candidate, Settled, walk
from records import filing
from records.filing import Intake, Sighting

DONE, FAILED = "done", "failed"
_LOOK_EVERY_S = 1.0


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
    as well.
    """
    settled = Settled(installation.settings.intake.settle_s)
    while not stop():
        found = [c for c in _waiting(folder) if c.fault or settled.is_settled(c.path)]
        pending = filing.waiting(installation.store)
        if found or pending:
            _round(installation, folder, actor, workers, found, pending, on_outcome)
            for candidate in found:
                settled.forget(candidate.path)
        else:
            installation.finder.sync()
        time.sleep(_LOOK_EVERY_S)


def _waiting(folder: Path) -> Iterator[Candidate]:
    aside = (folder / DONE, folder / FAILED)
    yield from walk(p for p in sorted(folder.iterdir()) if p not in aside)


def _round(
    installation: Installation,
    folder: Path,
    actor: str,
    workers: int,
    found: list[Candidate],
    pending: list[str],
    on_outcome: Callable[[Outcome], None],
) -> None:
    def ended(outcome: Outcome) -> None:
        if outcome.path is not None and outcome.sighting is not Sighting.BUSY:
            _move(folder, outcome)
        on_outcome(outcome)

    with installation.archive.run() as run:
        batch = f"watched {datetime.now(UTC).date().isoformat()}"
        intake = Intake(actor, batch, None, None, run.name)
        importer = Importer(installation, intake, run, ended, lambda _: None)
        alive = installation.archive.alive
        free = [s for s in pending if not alive(filing.holder(installation.store, s))]
        if found or free:
            importer.process(found, free, workers)


def _move(folder: Path, outcome: Outcome) -> None:
    """Move a file that has been dealt with; when it failed, say why in a text beside it."""
    assert outcome.path is not None
    aside = folder / (FAILED if outcome.message else DONE)
    place = aside / outcome.path.relative_to(folder).parent
    place.mkdir(parents=True, exist_ok=True)
    target = _free_name(place / outcome.path.name)
    outcome.path.rename(target)
    if outcome.message:
        note = target.with_name(target.name + ".txt")
        note.write_text(outcome.message + "\n", encoding="utf-8")


def _free_name(path: Path) -> Path:
    """Return the path, or one with a number when a file of that name lies there already."""
    number, free = 2, path
    while free.exists() or free.is_symlink():
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    return free
