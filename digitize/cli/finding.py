"""Commands that find, show, correct and export records."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from digitize.cli.printing import (
    cut,
    document_head,
    fields_table,
    pairs_table,
    say_json,
    table,
    width,
)
from digitize.cli.session import RecordNumber, Session, json_option, pass_session
from digitize.desk import correct_field
from digitize.export import (
    FORMATS,
    IN_ONE_FILE,
    as_json,
    corrected_pages,
    field_json,
    words_json,
    write,
    write_folder,
)
from records.errors import ExitCode, InputError
from search.finder import Hit, Results
from search.index import Filters


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The most hits."
)
@click.option("--form", multiple=True, help="Only records of this form.")
@click.option("--department", multiple=True, help="Only records of this department.")
@click.option("--status", multiple=True, help="Only needs-review, filed, waiting or failed.")
@click.option("--year", multiple=True, help="Only records dated in this year.")
@json_option
@pass_session
def search(
    session: Session, query: tuple[str, ...], limit: int, form: tuple[str, ...],
    department: tuple[str, ...], status: tuple[str, ...], year: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Find records by their words and fields.

    \b
    digitize search elm street              all of these words
    digitize search '"elm street"'          exactly so
    digitize search 'permit_number:2019-0412'
    digitize search 'date:2019-01-01..2019-06-30 AND fence'
    digitize search 'perm* NOT denied'

    Without words, all records, the newest first.
    """
    finder = session.installation.finder
    finder.sync(wait_s=2.0)
    filters = Filters(form=form, department=department, status=status, year=year)
    found = finder.search(" ".join(query), session.viewer, filters, limit)
    if as_json:
        say_json(_results_json(found))
        return
    if not found.total:
        click.echo("Nothing was found; try fewer words, or the beginning of one with a * after it.")
    elif found.near:
        click.echo("Nothing was found for exactly this; these come near.")
    if found.suggestion:
        click.echo(f"Did you mean: {found.suggestion}")
    for hit in found.hits:
        _print_hit(hit)
    if found.total > len(found.hits):
        click.echo(f"{found.total} records in all; --limit shows more.")


def _print_hit(hit: Hit) -> None:
    head = f"{hit.document_id:>5}  "
    tail = f"  {hit.form or '-'}, {hit.date or 'no date'}, p. {hit.page}"
    click.echo(head + cut(hit.title, width() - len(head) - len(tail)) + tail)
    snippet = "".join(f"[{f.text}]" if f.hit else f.text for f in hit.snippet)
    if snippet.strip():
        click.echo("       " + cut(snippet, width() - 8))


def _results_json(found: Results) -> dict[str, object]:
    return {
        "query": found.query_text,
        "total": found.total,
        "near": found.near,
        "suggestion": found.suggestion,
        "seconds": round(found.seconds, 4),
        "facets": {k: {f.value: f.count for f in v} for k, v in found.facets.items()},
        "hits": [
            {
                "record": h.document_id,
                "title": h.title,
                "form": h.form,
                "date": h.date,
                "department": h.department,
                "status": h.status,
                "source": h.source,
                "page": h.page,
                "snippet": "".join(f.text for f in h.snippet),
                "boxes": [list(b) for b in h.boxes],
            }
            for h in found.hits
        ],
    }


@click.command()
@click.argument("record", type=RecordNumber(), metavar="ID")
@click.option("--text", "part", flag_value="text", help="The text of its pages.")
@click.option("--words", "part", flag_value="words", help="Each word with box and confidence.")
@click.option("--fields", "part", flag_value="fields", help="Its fields.")
@click.option("--history", "part", flag_value="history", help="All that was done to it.")
@json_option
@pass_session
def show(session: Session, record: int, part: str | None, as_json: bool) -> None:
    """Show one record."""
    installation, store = session.installation, session.installation.store
    document = store.document(record, session.viewer)
    pages = store.pages(record)
    if part == "history":
        _history(session, record, as_json)
    elif part == "fields":
        fields = store.fields(record)
        if as_json:
            say_json({f.name: field_json(f) for f in fields})
        else:
            fields_table(fields)
    elif part in ("text", "words"):
        lines = {c.page.number: c.lines for c in corrected_pages(installation, record)}
        if as_json:
            say_json([
                {"page": n, **({"text": "\n".join(line.text for line in ls)} if part == "text"
                               else {"words": words_json(ls)})}
                for n, ls in lines.items()
            ])  # fmt: skip
            return
        for number, found in lines.items():
            click.echo(f"--- page {number}")
            for line in found:
                click.echo(line.text if part == "text" else "")
                if part == "words":
                    for word in line.words:
                        click.echo(f"{word.confidence:4.0%}  {tuple(word.box)}  {word.text}")
    elif as_json:
        say_json(as_json_record(installation, document))
    else:
        document_head(document)
        rows = [
            (p.number, "failed" if p.failure else p.kind, p.geometry.turn,
             f"{p.geometry.skew_degrees:+.1f}", "blank" if p.blank else f"{p.confidence:.0%}",
             cut(", ".join(p.steps) or "-", 34))
            for p in pages
        ]  # fmt: skip
        table(rows, ("page", "from", "turn", "skew", "sure", "clean-up"))
        click.echo()
        fields_table(store.fields(record))
        pairs_table(store.pairs(record))


as_json_record = as_json


def _history(session: Session, record: int, as_json: bool) -> None:
    rows = session.installation.store.history(record)
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    for row in rows:
        change = ", ".join(f"{k} {v}" for k, v in row.change.items())
        click.echo(cut(f"{row.at[:19]}  {row.actor}  {row.action}: {change}", 10_000))


@click.command()
@click.argument("record", type=RecordNumber(), metavar="ID")
@click.argument("field")
@click.argument("value")
@click.option("--version", type=int, help="Refuse unless the record is still at this version.")
@pass_session
def correct(session: Session, record: int, field: str, value: str, version: int | None) -> None:
    """Say what a field of a record really holds.

    It is written into the record's history, and no later reading changes it.
    """
    installation, viewer = session.installation, session.viewer
    known = installation.store.document(record, viewer)
    after = correct_field(
        installation, viewer, record, field, value, known.version if version is None else version
    )
    installation.finder.sync(wait_s=2.0)
    written = next(f for f in installation.store.fields(record) if f.name == field)
    click.echo(f"Record {record}: {field} is now '{written.value}' (version {after.version}).")
    for reason in written.reasons:
        click.echo(f"Note: it {reason}.")


@click.command()
@click.option("--query", help="Only the records that this search finds.")
@click.option("--record", type=RecordNumber(), help="Only the record of this id.")
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), required=True,
    help="csv for a spreadsheet, jsonl for another program, pdf to hand on and search; "
    "hocr and alto for programs that want each word's place.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), required=True,
    help="The file to write (csv, jsonl), or the folder for the files of the others.",
)  # fmt: skip
@pass_session
def export(
    session: Session, query: str | None, record: int | None, kind: str, out: Path
) -> int | None:
    """Write records to a file, or to files of their own.

    csv and jsonl go into one file; of pdf, hocr and alto each record has its own.
    """
    if query is not None and record is not None:
        raise click.UsageError("--query and --record do not go together; give one of them.")
    if query is not None:
        session.installation.finder.sync(wait_s=2.0)
    which = query if record is None else record
    if kind not in IN_ONE_FILE:
        return _export_files(session, which, kind, out)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"'{out}' cannot be written; name a file in a folder that exists.")
    count = write(session.installation, session.viewer, which, kind, out)
    click.echo(f"{count} record(s) written to {out}.")
    return None


def _export_files(session: Session, which: str | int | None, kind: str, out: Path) -> int:
    """Write records to files in a folder; return the exit code, 7 when something is left out."""
    if out.exists() and not out.is_dir():
        raise InputError(f"'{out}' is a file; name a folder for the files, one that may be new.")
    count, whole = 0, True
    for exported in write_folder(session.installation, session.viewer, which, kind, out):
        for sentence in exported.left_out:
            click.echo(sentence, err=True)
        count += bool(exported.files)
        whole = whole and not exported.left_out
    click.echo(f"{count} record(s) written to {out}.")
    return ExitCode.DONE if whole else ExitCode.PAGES_FAILED


COMMANDS = (search, show, correct, export)
