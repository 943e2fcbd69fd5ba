"""What machines read of the fields of filed records, beside what people said of them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from records import rows
from records.model import Field, FieldStatus
from records.store import Store


@dataclass(frozen=True, slots=True)
class AnsweredPage:
    """A page of a form: its ``number`` in the file and ``form_page`` in the form.

    ``template`` is the digest of the template it was read with. ``fields`` are the machine's own
    reading, whatever was corrected since.
    """

    number: int
    form_page: int
    template: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class AnsweredRecord:
    """A record of a known form; ``said`` are the values that people gave or confirmed, by field."""

    id: int
    sha256: str
    form: str
    pages: tuple[AnsweredPage, ...]
    said: Mapping[str, str]


def answered_records(store: Store, form: str | None = None) -> Iterator[AnsweredRecord]:
    """Give the records of one form, or of all, oldest first; of any department, for totals alone.

    Pages that are another form than their record, or none, are left out, and so are records whose
    pages people have arranged.
    """
    said = _said(store, form)
    found = store.db.conn.execute(
        """SELECT d.id, d.sha256, d.form, p.number, p.form_page, p.template, p.fields
        FROM documents d JOIN pages p ON p.document_id = d.id
        WHERE d.status != 'waiting' AND p.state = 'read' AND p.form = d.form
        AND (:form IS NULL OR d.form = :form) AND NOT p.arranged ORDER BY d.id, p.position""",
        {"form": form},
    )
    for number, group in groupby(found, key=lambda row: int(row["id"])):
        pages = list(group)
        read = tuple(map(_page, pages))
        yield AnsweredRecord(number, pages[0]["sha256"], pages[0]["form"], read, said[number])


def _said(store: Store, form: str | None) -> Mapping[int, Mapping[str, str]]:
    found = store.db.conn.execute(
        """SELECT f.document_id, f.name, f.value
        FROM fields f JOIN documents d ON d.id = f.document_id
        WHERE f.status = :corrected AND (:form IS NULL OR d.form = :form)""",
        {"corrected": FieldStatus.CORRECTED, "form": form},
    )
    said: dict[int, dict[str, str]] = defaultdict(dict)
    for row in found:
        said[row["document_id"]][row["name"]] = row["value"]
    return said


def _page(row: sqlite3.Row) -> AnsweredPage:
    fields = tuple(rows.field(field) for field in json.loads(row["fields"]))
    return AnsweredPage(row["number"], row["form_page"], row["template"], fields)
