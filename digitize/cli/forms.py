"""Commands about forms: the templates there are, how to write one and to try it."""

from __future__ import annotations

from pathlib import Path

import click

from digitize.cli.printing import cut, say_json, table, width
from digitize.cli.session import Session, json_option, pass_session
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from records.errors import NotFoundError


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


COMMANDS = (forms,)
