"""Commands that take paper in: import and watch."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click._termui_impl import ProgressBar

from digitize.cli.printing import cut, document_line, say_json, width
from digitize.cli.session import Session, json_option, pass_session
from digitize.forms import names
from digitize.importing import Importer, Outcome, Tally
from digitize.intake import walk
from digitize.watching import watch as watch_folder
from records import filing
from records.errors import ExitCode, InputError, SettingsError
from records.filing import Intake, Sighting


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--batch", help="The name of this sitting; several imports may share it.")
@click.option("--form", help="What form these files are, when you know.")
@click.option("--department", help="Whose records these are; else as the form or settings say.")
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes; else as set.")
@click.option("--list", "list_records", is_flag=True, help="Print one line per record at the end.")
@json_option
@pass_session
def import_(
    session: Session, paths: Sequence[Path], batch: str | None, form: str | None,
    department: str | None, workers: int | None, list_records: bool, as_json: bool,
) -> int:  # fmt: skip
    """Read files and folders of scans into records.

    PDF, TIFF, JPEG, PNG, BMP and WebP. The files stay where they are. What was
    imported before is known again; an import that was cut short is finished
    by calling it again.
    """
    _check_words(session, form, department)
    session.check_programs()
    installation = session.installation
    batch = batch or f"import {datetime.now(UTC).strftime('%Y-%m-%d %H:%M')}"
    keeps = installation.archive.keeps
    candidates = [c for c in walk(paths) if not keeps(c.path)]
    show = _Shower(len(candidates), quiet=as_json, keep=as_json or list_records)
    with installation.archive.run() as run, show:
        intake = Intake(session.actor, batch, department, form, run.name)
        importer = Importer(installation, intake, run, show.outcome, show.progress)
        importer.process(candidates, filing.waiting(installation.store), session.workers(workers))
    if importer.index_fault:
        why = importer.index_fault.rstrip(".")
        click.echo(f"The files are in, but search does not find them yet ({why}).", err=True)
    if as_json:
        say_json(_summary(importer.tally, batch, show.outcomes))
    else:
        _print_summary(importer.tally, batch, show.busy)
        if list_records:
            for outcome in show.outcomes:
                for record in outcome.records:
                    click.echo(document_line(record))
    return _exit_code(importer.tally, show.unread)


def _check_words(session: Session, form: str | None, department: str | None) -> None:
    forms = session.installation.forms
    known = sorted(names(f for f in forms.values() if f.role == "form"))
    if form and form not in known:
        raise SettingsError(f"There is no form '{form}'; use one of: {', '.join(known)}.")
    departments = [d.name for d in session.settings.departments]
    if department and department not in departments:
        raise SettingsError(
            f"There is no department '{department}'; use one of: {', '.join(departments)}."
        )


def _exit_code(tally: Tally, unread: int) -> ExitCode:
    if tally.failed_pages or unread:
        return ExitCode.PAGES_FAILED
    return ExitCode.INPUT if tally.failed else ExitCode.DONE


class _Shower:
    """Shows an import's progress: a bar on a terminal, a line a file in a pipe.

    The outcomes are kept only when asked for: a drawer can hold very many.
    """

    def __init__(self, files: int, quiet: bool, keep: bool) -> None:
        self.outcomes: list[Outcome] = []
        self.busy = 0
        self.unread = 0  # files that were taken in and could not be read
        self._keep = keep
        self._quiet = quiet
        self._stack = ExitStack()
        self._bar: ProgressBar[Any] | None = None
        if not quiet and sys.stderr.isatty():
            self._bar = click.progressbar(
                length=files, label="Reading", file=sys.stderr, show_pos=True, show_eta=False,
                item_show_func=lambda tally: f"{tally.pages} pages" if tally else "",
            )  # fmt: skip
        self._tally: Tally | None = None

    def __enter__(self) -> _Shower:
        if self._bar is not None:
            self._stack.enter_context(self._bar)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def progress(self, tally: Tally) -> None:
        """Take note of how far the import is."""
        self._tally = tally
        if self._bar is not None:
            self._bar.update(0, tally)

    def outcome(self, outcome: Outcome) -> None:
        """Show what became of one file."""
        if self._keep:
            self.outcomes.append(outcome)
        self.busy += outcome.sighting is Sighting.BUSY
        self.unread += bool(outcome.sighting and outcome.message)
        if self._bar is not None:
            self._bar.update(1, self._tally)
            if outcome.message:
                click.echo(f"\r\033[K{outcome.message}", err=True)
        elif outcome.message:
            click.echo(outcome.message, err=True)
        elif not self._quiet:
            click.echo(_outcome_line(outcome))


def _outcome_line(outcome: Outcome) -> str:
    records = ", ".join(str(r.id) for r in outcome.records)
    said = {
        Sighting.DUPLICATE: f"known already, record {records}",
        Sighting.BUSY: "is being read by another import",
    }.get(outcome.sighting or Sighting.NEW, f"record {records}")
    return f"{cut(outcome.name, width() - 30)}: {said}"


def _summary(tally: Tally, batch: str, outcomes: Sequence[Outcome]) -> dict[str, object]:
    return {
        "batch": batch,
        "files": tally.files,
        "pages": tally.pages,
        "records": tally.records,
        "duplicates": tally.duplicates,
        "blanks": tally.blanks,
        "needs_review": tally.needs_review,
        "failed": tally.failed,
        "failed_pages": tally.failed_pages,
        "pages_per_minute": round(tally.pages_per_minute, 1),
        "seconds": round(tally.seconds, 2),
        "results": [
            {
                "file": o.name,
                "was": str(o.sighting) if o.sighting else "refused",
                "records": [r.id for r in o.records],
                "message": o.message,
            }
            for o in outcomes
        ],
    }


def _print_summary(tally: Tally, batch: str, busy: int) -> None:
    click.echo(f"\nBatch '{batch}'")
    for name, value in (
        ("files", tally.files),
        ("pages", tally.pages),
        ("records", tally.records),
        ("duplicates", tally.duplicates),
        ("blanks", tally.blanks),
        ("needs review", tally.needs_review),
        ("failed", tally.failed),
        ("pages per minute", f"{tally.pages_per_minute:.0f}"),
    ):
        click.echo(f"  {name:<17} {value:>5}")
    if busy:
        click.echo(f"{busy} of the duplicates are being read by another import at this moment.")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes; else as set.")
@pass_session
def watch(session: Session, folder: Path | None, workers: int | None) -> None:
    """Read whatever is put into a folder, for ever.

    Without FOLDER, the archive's inbox. A file is taken when it has stopped
    growing, and moved to done/ when it is filed, or to failed/ with a text
    that says why. Files uploaded on the site are read as well.
    """
    session.check_programs()
    folder = folder or session.installation.archive.inbox
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'; make it, or name another.")
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    click.echo(f"Watching {folder}; put scans there. Ctrl-C stops.")

    def ended(outcome: Outcome) -> None:
        click.echo(outcome.message or _outcome_line(outcome))

    watch_folder(
        session.installation, folder, session.actor, session.workers(workers), ended,
        lambda: bool(stopped),
    )  # fmt: skip


COMMANDS = (import_, watch)
