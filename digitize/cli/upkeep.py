"""Commands that look after an installation: reindex, check, repair, status."""

from __future__ import annotations

import click

from digitize.cli.printing import say_json
from digitize.cli.session import Session, json_option, pass_session
from records import filing, upkeep
from records.errors import ExitCode


@click.command()
@pass_session
def reindex(session: Session) -> None:
    """Build the search index anew, beside the one in use."""
    count = session.installation.finder.rebuild()
    click.echo(f"{count} record(s) are in the new index.")


@click.command()
@click.option("--full", is_flag=True, help="Read every file again, and prove the whole history.")
@json_option
@pass_session
def check(session: Session, full: bool, as_json: bool) -> int:
    """Compare files, database and index; change nothing."""
    installation = session.installation
    problems = upkeep.check(installation.store, installation.archive, full)
    # While an import is at work, the index is behind it by a moment.
    busy = installation.archive.is_worked_on()
    sentences = [p.sentence for p in problems]
    sentences += [] if busy else installation.finder.check(full)
    if as_json:
        say_json({"full": full, "problems": sentences})
    else:
        for sentence in sentences:
            click.echo(sentence)
        click.echo(f"{len(sentences)} problem(s) found." if sentences else "All is well.")
        if any(p.cure is not upkeep.Cure.NONE for p in problems):
            click.echo("'digitize repair' mends what can be made again.")
    return ExitCode.CHECK_FOUND_PROBLEMS if sentences else ExitCode.DONE


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def repair(session: Session, yes: bool) -> int:
    """Mend what can be made again; set stray files aside.

    A broken index is built anew; a file whose page images are damaged is read once more.
    """
    with session.installation.archive.working(alone=True):
        return _mend(session, yes)


def _mend(session: Session, yes: bool) -> ExitCode:
    installation = session.installation
    problems = upkeep.check(installation.store, installation.archive, full=True)
    index = installation.finder.check(full=True)
    for sentence in [p.sentence for p in problems] + index:
        click.echo(sentence)
    curable = [p for p in problems if p.cure is not upkeep.Cure.NONE]
    if not curable and not index:
        click.echo("There is nothing that repair can mend." if problems else "All is well.")
        return ExitCode.CHECK_FOUND_PROBLEMS if problems else ExitCode.DONE
    if not yes and not click.confirm(f"Mend {len(curable) + len(index)} of these?"):
        click.echo("Nothing was changed.")
        return ExitCode.CHECK_FOUND_PROBLEMS
    for done in upkeep.repair(installation.store, installation.archive, session.actor, curable):
        click.echo(done)
    if index:
        click.echo(f"The index was built anew with {installation.finder.rebuild()} record(s).")
    left = len(problems) - len(curable)
    return ExitCode.CHECK_FOUND_PROBLEMS if left else ExitCode.DONE


@click.command()
@json_option
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Say how much there is, and what still waits."""
    installation = session.installation
    counts = installation.store.counts()
    backlog = {
        "files waiting to be read": len(filing.waiting(installation.store)),
        "records that need review": counts.get("needs-review", 0),
        "files that failed": counts.get("failed", 0),
    }
    index = installation.finder.check(full=False)
    if as_json:
        say_json({"counts": counts, "backlog": backlog, "index": index})
        return
    click.echo(f"Archive {installation.archive.folder}")
    for name in ("batches", "originals", "documents", "pages", "blank pages", "failed pages"):
        shown = {"originals": "files", "documents": "records"}.get(name, name)
        click.echo(f"  {shown:<26} {counts[name]:>8}")
    click.echo("Backlog")
    for name, count in backlog.items():
        click.echo(f"  {name:<26} {count:>8}")
    for sentence in index or ["The search index is up to date."]:
        click.echo(sentence)


COMMANDS = (reindex, check, repair, status)
