"""Records out: CSV for a spreadsheet, JSON Lines for another program."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitize.installation import Installation
from records.access import Action, Viewer, may
from records.errors import InputError
from records.model import Document, Field, Line

FORMATS = ("csv", "jsonl")
_RECORD_COLUMNS = ("id", "source", "sha256", "department", "form", "status", "title", "date")
_PAGE = 200


def records(installation: Installation, viewer: Viewer, query: str | None) -> Iterator[Document]:
    """Return the records to export: those a query finds, or all that this person may."""
    store = installation.store
    if query is None:
        after = 0
        while found := store.documents(viewer, after=after, limit=_PAGE):
            yield from (d for d in found if may(viewer, Action.EXPORT, d.department))
            after = found[-1].id
        return
    offset = 0
    while hits := installation.finder.search(query, viewer, limit=_PAGE, offset=offset).hits:
        for hit in hits:
            document = store.document(hit.document_id, viewer)
            if may(viewer, Action.EXPORT, document.department):
                yield document
        offset += _PAGE


def as_json(installation: Installation, document: Document) -> dict[str, Any]:
    """Return one record with its fields, pages and words, as plain values."""
    store = installation.store
    return {
        "id": document.id,
        "source": document.source,
        "sha256": document.sha256,
        "department": document.department,
        "form": document.form,
        "status": document.status,
        "reasons": list(document.reasons),
        "title": document.title,
        "date": document.date,
        "version": document.version,
        "fields": {f.name: field_json(f) for f in store.fields(document.id)},
        "pages": [
            {
                "number": page.number,
                "text": "\n".join(line.text for line in lines),
                "turn": page.geometry.turn,
                "skew_degrees": page.geometry.skew_degrees,
                "width": page.width,
                "height": page.height,
                "blank": page.blank,
                "form": page.form,
                "words": words_json(lines),
            }
            for page in store.pages(document.id)
            for lines in [store.lines(document.id, page.number)]
        ],
    }


def field_json(field: Field) -> dict[str, Any]:
    """Return one field as plain values."""
    return {
        "value": field.value,
        "raw": field.raw,
        "confidence": field.confidence,
        "status": field.status,
        "reasons": list(field.reasons),
        "page": field.page,
        "box": list(field.box) if field.box else None,
    }


def words_json(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Return a page's words as plain values, each with the number of its line."""
    return [
        {"text": w.text, "box": list(w.box), "confidence": round(w.confidence, 3), "line": number}
        for number, line in enumerate(lines, 1)
        for w in line.words
    ]


def safe_cell(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def write(
    installation: Installation, viewer: Viewer, query: str | None, kind: str, out: Path
) -> int:
    """Write the records to a file; it appears whole or not at all. Returns how many."""
    temporary = out.with_name(f".{out.name}.part")
    found = records(installation, viewer, query)
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as stream:
            if kind == "csv":
                count = _write_csv(installation, list(found), stream)
            else:
                count = 0
                for document in found:
                    line = json.dumps(as_json(installation, document), ensure_ascii=False)
                    stream.write(line + "\n")
                    count += 1
        temporary.replace(out)
    except OSError as error:
        raise InputError(
            f"'{out}' cannot be written ({error.strerror}); name a file in a folder that can."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return count


def _write_csv(installation: Installation, documents: list[Document], stream: Any) -> int:
    """Write a row a record; every field that any of them has is a column, and so is the text."""
    names: dict[str, None] = {}
    rows = []
    for document in documents:
        fields = {f.name: f.value for f in installation.store.fields(document.id)}
        names.update(dict.fromkeys(fields))
        rows.append((document, fields))
    writer = csv.writer(stream)
    writer.writerow([*_RECORD_COLUMNS, *names, "text"])
    for document, fields in rows:
        head = [str(getattr(document, column) or "") for column in _RECORD_COLUMNS]
        body = [fields.get(name, "") for name in names]
        text = "\n".join(
            line.text
            for page in installation.store.pages(document.id)
            for line in installation.store.lines(document.id, page.number)
        )
        writer.writerow([safe_cell(cell) for cell in [*head, *body, text]])
    return len(rows)
