"""How values look on a terminal 80 columns wide."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence

import click
from tabulate import tabulate

from records.model import Document, DocumentStatus, Field, FieldStatus, Pair

_STATUS = {
    DocumentStatus.WAITING: "waiting",
    DocumentStatus.NEEDS_REVIEW: "needs a look",
    DocumentStatus.FILED: "filed",
    DocumentStatus.FAILED: "failed",
}


def say_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def width() -> int:
    """Return the columns of the terminal; 80 in a pipe."""
    return max(60, shutil.get_terminal_size((80, 24)).columns)


def cut(text: str, columns: int) -> str:
    """Shorten a text to so many columns."""
    flat = " ".join(text.split())
    return flat if len(flat) <= columns else flat[: max(1, columns - 1)] + "\u2026"


def table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> None:
    """Print a table."""
    click.echo(tabulate(rows, headers=headers, disable_numparse=True))


def document_line(document: Document) -> str:
    """Return one record on one line."""
    head = f"{document.id:>5}  {_STATUS[document.status]:<12}  {document.form or '-':<16}  "
    return head + cut(document.title, width() - len(head))


def document_head(document: Document) -> None:
    """Print what is known of a record as a whole."""
    click.echo(f"Record {document.id}: {document.title}")
    rows = [
        ("form", document.form or "none that is known"),
        ("date", document.date or "-"),
        ("department", document.department),
        ("status", _STATUS[document.status]),
        ("file", f"{document.source} (from page {document.part})"),
        ("batch", document.batch),
        ("version", str(document.version)),
    ]
    for name, value in rows:
        click.echo(f"  {name:<11} {cut(value, width() - 15)}")
    for reason in document.reasons:
        click.echo(f"  look: {reason}")


def pairs_table(pairs: Sequence[tuple[int, Pair]]) -> None:
    """Print the labels of a record that is no known form, with their answers."""
    if pairs:
        room = max(16, width() - 46)
        rows = [(cut(p.label, 30), cut(p.value, room), page) for page, p in pairs]
        table(rows, ("label", "answer", "page"))


def fields_table(fields: Sequence[Field]) -> None:
    """Print a record's fields."""
    if not fields:
        click.echo("No fields.")
        return
    rows = []
    room = max(16, width() - 58)
    for field in fields:
        sure = "" if field.status is FieldStatus.CORRECTED else f"{int(field.confidence * 100)}%"
        why = "; ".join(field.reasons) or field.status
        rows.append((field.name, cut(field.value or "-", room), sure, field.page, cut(why, 26)))
    table(rows, ("field", "value", "sure", "page", "status"))
