"""Commands that look after an installation: forms, reindex, check, repair, status."""

from __future__ import annotations

from pathlib import Path

import click

from digitize.cli.printing import cut, say_json, table, width
from digitize.cli.session import Session, json_option, pass_session
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from records import filing, upkeep
from records.errors import ExitCode, NotFoundError


@click.group()
def forms() -> None:
    """The form templates."""


@forms.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the form templates."""
    found = list(session.installation.forms.values())
    if as_json:
        say_json([_form_json(form) for form in found])
        return
    rows = [(f.name, cut(f.title, 30), f.department or "-", f.pages, len(f.fields)) for f in found]
    table(rows, ("name", "title", "department", "pages", "fields"))


@forms.command("show")
@click.argument("name")
@json_option
@pass_session
def show_form(session: Session, name: str, as_json: bool) -> None:
    """Show one form template."""
    form = session.installation.forms.get(name)
    if form is None:
        known = ", ".join(session.installation.forms)
        raise NotFoundError(f"There is no form '{name}'; use one of: {known}.")
    _show_form(form, as_json)


@forms.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_session
def check_form(session: Session, file: Path, as_json: bool) -> None:
    """Check a form template's file, naming every mistake in it."""
    departments = frozenset(d.name for d in session.settings.departments)
    form = load_form(file, departments)
    if not as_json:
        click.echo(f"'{file.name}' is a good template.")
    _show_form(form, as_json)


def _show_form(form: FormTemplate, as_json: bool) -> None:
    if as_json:
        say_json(_form_json(form))
        return
    click.echo(
        f"{form.name}: {form.title} ({form.pages} page(s), {form.department or 'no'} department)"
    )
    anchors = ", ".join(f"'{a.text}'" for a in form.anchors)
    click.echo(cut(f"known by {form.minimum:.0%} of: {anchors}", width()))
    rows = []
    for field in form.fields:
        place = (
            "zone" if field.zone or field.options else f"{'beside' if field.beside else 'under'}"
        )
        rules = ["required"] if field.required else []
        rules += ["pattern"] if field.pattern else []
        rules += ["range"] if field.minimum or field.maximum else []
        rules += ["list"] if field.values or field.options else []
        rows.append((field.name, field.kind, _pages(field.pages), place, ", ".join(rules)))
    table(rows, ("field", "kind", "page", "by", "rules"))


def _pages(pages: tuple[int, ...]) -> str:
    return ", ".join(map(str, pages))


def _form_json(form: FormTemplate) -> dict[str, object]:
    return {
        "name": form.name,
        "title": form.title,
        "department": form.department,
        "role": form.role,
        "pages": form.pages,
        "fields": [
            {"name": f.name, "label": f.label, "kind": f.kind, "pages": list(f.pages),
             "required": f.required}
            for f in form.fields
        ],
    }  # fmt: skip


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
    """Mend what can be made again: index, page images; set stray files aside."""
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


COMMANDS = (forms, reindex, check, repair, status)
