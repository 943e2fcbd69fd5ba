"""The command that reads kept files once more."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click
from click._termui_impl import ProgressBar

from digitize.cli.printing import cut, say_json, width
from digitize.cli.session import RecordNumber, Session, json_option, pass_session
from digitize.export import records
from digitize.forms import names
from digitize.rereading import Difference, Reread, Rereader, outdated
from records.errors import ExitCode, NotFoundError
from records.model import Document


@click.command()
@click.option("--query", help="Files of the records that this search finds.")
@click.option("--form", help="Files of the records of this form.")
@click.option("--unknown", is_flag=True, help="Files of the records of no known form.")
@click.option("--record", type=RecordNumber(), help="The file of this record.")
@click.option("--all", "every", is_flag=True, help="All files.")
@click.option("--dry-run", is_flag=True, help="Say how many files it would be; read none.")
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes; else as set.")
@json_option
@pass_session
def reread(
    session: Session, query: str | None, form: str | None, unknown: bool, record: int | None,
    every: bool, dry_run: bool, workers: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Read kept files again, with the templates and settings of today.

    Files that would come out as they are, are left alone. Where only templates
    have changed, words are kept and forms looked for anew, which is quick.
    What people have corrected stays. An interrupted one is finished by giving
    the same command again.
    """
    if [query is not None, form is not None, unknown, record is not None, every].count(True) != 1:
        raise click.UsageError("Give one of --query, --form, --unknown, --record and --all.")
    session.check_programs()
    installation = session.installation
    if query is not None:
        installation.finder.sync(wait_s=2.0)
    files = outdated(installation, _chosen(session, query, form, unknown, record))
    if dry_run:
        _say_how_many(len(files), as_json)
        return ExitCode.DONE
    return _read(session, files, workers, as_json)


def _chosen(
    session: Session, query: str | None, form: str | None, unknown: bool, record: int | None
) -> Iterator[Document]:
    known = sorted(names(session.installation.forms.values()))
    if form is not None and form not in known:
        raise NotFoundError(f"There is no form '{form}'; use one of: {', '.join(known)}.")
    found = records(session.installation, session.viewer, query if record is None else record)
    return (d for d in found if (form is None or d.form == form) and not (unknown and d.form))


def _say_how_many(files: int, as_json: bool) -> None:
    if as_json:
        say_json({"files": files})
    else:
        click.echo(f"{files} file(s) would be read again.")


class _Teller:
    """Tells of each record that has changed, as its file ends; a bar on a terminal."""

    def __init__(self, files: int, quiet: bool) -> None:
        self.differences: list[Difference] = []  # kept for JSON alone: an archive has very many
        self.changed = 0
        self.failed = 0
        self._quiet = quiet
        self.bar: ProgressBar[int] = click.progressbar(
            length=files, label="Reading again", file=sys.stderr, show_pos=True, show_eta=False,
            hidden=quiet or not sys.stderr.isatty(),
        )  # fmt: skip

    def file(self, done: Reread) -> None:
        """Tell of one file."""
        self.bar.update(1)
        self.changed += len(done.differences)
        if done.message:
            self.failed += 1
            click.echo(done.message, err=True)
        if self._quiet:
            self.differences += done.differences
            return
        for found in done.differences:
            click.echo(cut(f"Record {found.record}, {found.title}", width()))
            for change in found.changes:
                click.echo("  " + cut(change, width() - 2))


def _read(session: Session, files: Sequence[str], workers: int | None, as_json: bool) -> ExitCode:
    """Read files again and tell what has come of it."""
    installation = session.installation
    teller = _Teller(len(files), as_json)
    with installation.archive.run() as run, teller.bar:
        rereader = Rereader(installation, session.actor, run, teller.file)
        tally = rereader.process(files, session.workers(workers))
    if rereader.index_fault:
        why = rereader.index_fault.rstrip(".")
        click.echo(f"The files are read, but search does not know it yet ({why}).", err=True)
    if as_json:
        say_json({
            "files": tally.files, "pages": tally.pages, "changed": teller.changed,
            "failed": teller.failed, "busy": rereader.busy, "seconds": round(tally.seconds, 2),
            "records": [asdict(found) for found in teller.differences],
        })  # fmt: skip
    else:
        click.echo(
            f"{tally.files} file(s), {tally.pages} page(s) read again in {tally.seconds:.1f} s; "
            f"{teller.changed} record(s) changed."
        )
        if rereader.busy:
            click.echo(f"{rereader.busy} file(s) are being read by another import; try again.")
    return ExitCode.PAGES_FAILED if teller.failed else ExitCode.DONE


COMMANDS = (reread,)
