"""Commands about forms: the templates there are, how to write one and to try it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import fill

import click

from digitize import outlines
from digitize.cli.printing import cut, say_json, table, width
from digitize.cli.session import RecordNumber, Session, json_option, pass_session
from digitize.copies import ScannedPage
from digitize.draft import draft_form
from digitize.export import field_json
from digitize.form_file import NAME, load_form, load_forms, parse_form
from digitize.form_parcel import MOST_BYTES, parcel, unpack
from digitize.forms import Forms, FormTemplate, names, printings
from digitize.image import decode_png
from digitize.pairs import find_pairs
from digitize.trial import TrialFile, read_on_trial
from digitize.trial_page import trial_page
from digitize.unknown import kinds
from records import arranging, filing
from records.archive import Archive, open_plain
from records.errors import ExitCode, FormError, InputError, NotFoundError
from records.geometry import Box
from records.model import FieldStatus, PageFailure, PageResult


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
    rows = [
        (f.name, f.printing or "-", cut(f.title, 16), f.department or "-", f.pages, len(f.fields))
        for f in found
    ]
    table(rows, ("name", "printing", "title", "department", "pages", "fields"))


@forms.command("show")
@click.argument("name")
@json_option
@pass_session
def show_form(session: Session, name: str, as_json: bool) -> None:
    """Show one form template."""
    found = _printings(session, name)
    if as_json:
        say_json(_form_json(found[0]) if len(found) == 1 else [_form_json(f) for f in found])
        return
    for form in found:
        _show_form(form, as_json)


@forms.command("new")
@click.argument("scans", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--record",
    "records",
    multiple=True,
    type=RecordNumber(),
    help="A record that is one copy; may be given again.",
)
@click.option("--name", required=True, help="The form's name: small letters, digits, hyphens.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; else NAME.toml here.")
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes; else as set.")
@pass_session
def new_form(
    session: Session, scans: Sequence[Path], records: Sequence[int], name: str, out: Path | None,
    workers: int | None,
) -> None:  # fmt: skip
    """Write the first draft of a template from scans of the form.

    Give two or more filled-in copies, best three: what they have in common is
    printed on the form, the rest are answers. One blank form will do as well.
    The draft is for a person to look at and mend, line by line.
    """
    path = out or Path(f"{name}.toml")
    _check_free(path)
    if not NAME.fullmatch(name):
        raise FormError(
            f"The name '{name}' must be small letters, digits and hyphens, such as dog-licence."
        )
    if not scans and not records:
        raise click.UsageError("Name scans of the form, or records with --record.")
    copies = [_kept(session, record) for record in records]
    if scans:
        session.check_programs()
        copies += _scanned(read_on_trial(session.settings, {}, scans, session.workers(workers)))
    if len(copies) > 1 and len({tuple(page.lines for page in copy) for copy in copies}) == 1:
        raise InputError("These are the same scan; give copies that are filled in otherwise.")
    if not any(page.lines for copy in copies for page in copy):
        raise InputError("Nothing could be read on these scans; take better ones.")
    drafted = draft_form(name, copies)
    departments = frozenset(d.name for d in session.settings.departments)
    form = parse_form(drafted, path, departments)
    with path.open("x", encoding="utf-8") as file:
        file.write(drafted)
    click.echo(
        f"A first draft, from {len(copies)} scan(s): {form.pages} page(s), {len(form.anchors)} "
        f"anchors, {len(form.fields)} fields.\nEdit it: {path}\n"
        "Then try it: digitize forms test FILE SCANS..."
    )
    if len(copies) == 1:
        click.echo(
            "One copy does not tell print from answers: see that nothing that somebody\n"
            "wrote is in the draft, or draft it from more copies."
        )


def _check_free(path: Path) -> None:
    """Raise unless a new file can be written there."""
    if path.exists():
        raise FormError(f"'{path}' is there already; move it away, or give another --out.")
    _check_folder(path)


def _check_folder(path: Path) -> None:
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder '{path.parent}'; make it, or give another --out.")


def _scanned(files: Sequence[TrialFile]) -> list[list[ScannedPage]]:
    """Return the pages of files that were read."""
    scans = []
    for file in files:
        failed = next((p for p in file.pages if isinstance(p, PageFailure)), None)
        if file.message or failed:
            raise InputError(file.message or (failed.message if failed else ""))
        scans.append(
            [
                _page(p, picture)
                for p, picture in zip(file.pages, file.pictures, strict=True)
                if isinstance(p, PageResult)
            ]
        )
    return scans


def _kept(session: Session, record: int) -> list[ScannedPage]:
    """Return the pages of a record that is filed, without those that failed."""
    store, archive = session.installation.store, session.installation.archive
    document = store.document(record, session.viewer)
    sheets = arranging.sheets(store, document.id)
    pages = (filing.read_page(store, *sheet.key) for sheet in sheets if sheet.place)
    return [_page(p, _picture(archive, p)) for p in pages if isinstance(p, PageResult)]


def _picture(archive: Archive, page: PageResult) -> bytes | None:
    """Return a kept page's picture, None where it is gone: its words are enough for a draft."""
    try:
        return archive.image_path(page.image).read_bytes()
    except OSError:
        return None


def _page(page: PageResult, picture: bytes | None) -> ScannedPage:
    """Return a page that was read, with what is drawn on its picture (PNG), if that is whole."""
    squares: tuple[Box, ...] = ()
    rules: tuple[Box, ...] = ()
    with suppress(ValueError):
        if picture:
            image = decode_png(picture)
            squares, rules = outlines.squares(image), outlines.rules(image)
    return ScannedPage(page.lines, page.size, find_pairs(page.lines), squares, rules)


@forms.command("suggest")
@click.option(
    "--least", type=click.IntRange(min=2), default=20, help="From so many alike; else 20."
)
@json_option
@pass_session
def suggest(session: Session, least: int, as_json: bool) -> None:
    """Say which records look alike and are worth a template."""
    found = kinds(session.installation.store, session.viewer, least)
    if as_json:
        say_json([{"records": list(k.records), "labels": list(k.labels)} for k in found])
        return
    if not found:
        click.echo(f"No {least} records of no known form look alike.")
    for number, kind in enumerate(found, 1):
        click.echo(f"{number}. {len(kind.records)} records alike, with these labels:")
        click.echo(cut("   " + ", ".join(kind.labels), width()))
        few = " ".join(f"--record {record}" for record in kind.records[:5])
        click.echo(f"   digitize forms new --name NAME {few}")


@forms.command("test")
@click.argument("form")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The page to write; else FORM.html.")
@click.option("--force", is_flag=True, help="Take every file as this form.")
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes; else as set.")
@json_option
@pass_session
def test_form(
    session: Session, form: str, files: Sequence[Path], out: Path | None, force: bool,
    workers: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Try a template on scans: what it reads, on a page with boxes too.

    FORM is a template's file, or the name of a form. Nothing is imported. The
    other templates are tried as well, as an import would.
    """
    known, name = _with_form(session, form)
    session.check_programs()
    told = name if force else None
    page = out or Path(f"{name}.html")
    _check_folder(page)
    read = read_on_trial(session.settings, known, files, session.workers(workers), told)
    refused = [file for file in read if not file.pages]
    if len(refused) == len(read):
        raise InputError(refused[0].message or "There is nothing to read.")
    page.write_text(trial_page(f"{name}: what was read", read, known), encoding="utf-8")
    if as_json:
        say_json([_trial_json(file) for file in read])
    else:
        for file in read:
            _show_trial(file, name)
        click.echo(f"\nSee it with its boxes: open '{page}' in a browser.")
    if refused:
        return ExitCode.INPUT
    failed = any(isinstance(p, PageFailure) for file in read for p in file.pages)
    return ExitCode.PAGES_FAILED if failed else ExitCode.DONE


def _with_form(session: Session, form: str) -> tuple[Forms, str]:
    """Return the templates with the one of a file in place of its like; and its form's name."""
    departments = frozenset(d.name for d in session.settings.departments)
    known = load_forms(session.settings)
    if form in names(known.values()):
        return known, form
    path = Path(form)
    if not path.exists():
        there = ", ".join(sorted(names(known.values())))
        raise NotFoundError(f"There is no file and no form '{form}'; forms are: {there}.")
    own = load_form(path, departments)
    return {**known, own.key: own}, own.name


def _show_trial(file: TrialFile, name: str) -> None:
    click.echo(f"\n{cut(file.name, width())}")
    if file.message:
        click.echo(fill(file.message, width(), initial_indent="  ", subsequent_indent="  "))
    for record in file.records:
        found = record.document.form
        said = "this form" if found == name else f"the form '{found}'" if found else "no known form"
        pages = ", ".join(
            str(p.number) for p in file.pages if isinstance(p, PageResult) and p.form == found
        )
        click.echo(f"  {said}" + (f", page(s) {pages} of the file" if found else ""))
        for reason in record.document.reasons:
            click.echo(cut(f"  {reason}", width()))
        rows = [
            (
                cut(f.name, 22), cut(f.value or "-", 26), f"{int(f.confidence * 100)}%", f.found_by,
                "" if f.status is FieldStatus.OK else f.status,
            )
            for f in record.fields
        ]  # fmt: skip
        if rows:
            table(rows, ("field", "value", "sure", "by", "look"))


def _trial_json(file: TrialFile) -> dict[str, object]:
    return {
        "name": file.name,
        "message": file.message,
        "records": [
            {
                "form": record.document.form,
                "reasons": list(record.document.reasons),
                "fields": {
                    f.name: field_json(f)
                    for f in record.fields
                },
            }
            for record in file.records
        ],
    }  # fmt: skip


@forms.command("export")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; else NAME.forms.zip here.")
@pass_session
def export_form(session: Session, name: str, out: Path | None) -> None:
    """Pack a form's templates and lists for another city."""
    found = _printings(session, name)
    path = out or Path(f"{name}.forms.zip")
    _check_free(path)
    packed = parcel(found)
    with path.open("xb") as file_:
        file_.write(packed)
    click.echo(f"{len(found)} template(s) of '{name}', with their lists: {path}")


@forms.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite templates that are there already.")
@pass_session
def import_form(session: Session, file: Path, replace: bool) -> None:
    """Take in the templates of a file from 'forms export'."""
    departments = frozenset(d.name for d in session.settings.departments)
    if not file.is_file():
        raise InputError(f"There is no file '{file}'; name one from 'digitize forms export'.")
    with open_plain(file) as opened:
        packed = opened.read(MOST_BYTES + 1)
    done = unpack(packed, session.settings.forms.folder, departments, replace)
    click.echo(f"The forms folder has {', '.join(done)} now.")


def _printings(session: Session, name: str) -> tuple[FormTemplate, ...]:
    known = load_forms(session.settings)
    found = printings(known, name)
    if not found:
        there = ", ".join(sorted(names(known.values())))
        raise NotFoundError(f"There is no form '{name}'; use one of: {there}.")
    return found


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
        f"{form.key}: {form.title} ({form.pages} page(s), {form.department or 'no'} department)"
    )
    anchors = ", ".join(f"'{a.text}'" for a in form.anchors)
    click.echo(cut(f"known by {form.minimum:.0%} of: {anchors}", width()))
    rows = []
    for field in form.fields:
        place = next(
            way
            for way, used in (
                ("zone", field.zone or field.options), ("beside", field.beside),
                ("under", field.under), ("below", field.below), ("anywhere", True),
            )
            if used
        )  # fmt: skip
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
        "printing": form.printing,
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
