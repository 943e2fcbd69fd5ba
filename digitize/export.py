"""Records out: tables and lines for programs, searchable PDFs for people, words with their places.

CSV and JSON Lines are one file of many records; PDF, hOCR and ALTO are files in a folder.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from digitize import layered, markup
from digitize.corrections import (
    CorrectedPage,
    corrected_lines,
    last_said,
    still_said,
    writable,
)
from digitize.installation import Installation
from digitize.values import Reading
from records import noting
from records.access import Action, Viewer, may
from records.archive import hash_file
from records.errors import ArchiveError, InputError
from records.model import Document, DocumentStatus, Field, Line, Page
from records.overlaying import lines_of

IN_ONE_FILE = ("csv", "jsonl")
IN_A_FOLDER = ("pdf", "hocr", "alto")
FORMATS = IN_ONE_FILE + IN_A_FOLDER
_RECORD_COLUMNS = ("id", "source", "sha256", "department", "form", "status", "title", "date")
MOST_PAGES, MOST_MB = 300, 200  # of one PDF of many records; it is made in memory
_PAGE = 200
_SLUG_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of one record: its files, and a sentence for everything that is not in them."""

    document: Document
    files: tuple[Path, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Records for one PDF, and a sentence for each page, or record, that cannot be in it."""

    documents: tuple[Document, ...]
    left_out: tuple[str, ...]


def records(
    installation: Installation, viewer: Viewer, which: str | int | None
) -> Iterator[Document]:
    """Return the records to export: those a query finds, the one of an id, or all.

    Only those that this person may export; raises NotFoundError for an id that they may not see.
    """
    store = installation.store
    if isinstance(which, int):
        found = [store.document(which, viewer)]
        yield from (d for d in found if may(viewer, Action.EXPORT, d.department))
        return
    if which is None:
        after = 0
        while found := store.documents(viewer, after=after, limit=_PAGE):
            yield from (d for d in found if may(viewer, Action.EXPORT, d.department))
            after = found[-1].id
        return
    offset = 0
    while hits := installation.finder.search(which, viewer, limit=_PAGE, offset=offset).hits:
        for hit in hits:
            document = store.document(hit.document_id, viewer)
            if may(viewer, Action.EXPORT, document.department):
                yield document
        offset += _PAGE


def corrected_pages(installation: Installation, document_id: int) -> list[CorrectedPage]:
    """Return a record's pages with their words as they are after corrections."""
    store, forms = installation.store, installation.settings.forms
    fields, customs = store.fields(document_id), Reading(forms.day_first, forms.region)
    said_at = last_said(store.history(document_id)) if any(f.by_person for f in fields) else {}
    found = []
    for page in store.pages(document_id):
        text = store.page_text(document_id, page.number)
        laid = text.lines if text else ()
        said = still_said(fields, laid, page.number, said_at)
        lines = corrected_lines(lines_of(laid), said, page.number, customs)
        found.append(CorrectedPage(page, lines))
    return found


def as_json(installation: Installation, document: Document) -> dict[str, Any]:
    """Return one record with its fields, pages and words, as plain values."""
    store = installation.store
    pairs = store.pairs(document.id)
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
        "tags": list(noting.tags(store, [document.id])[document.id]),
        "notes": [
            {"text": note.text, "person": note.person, "at": note.at}
            for note in noting.notes(store, document.id)
        ],
        "fields": {f.name: field_json(f) for f in store.fields(document.id)},
        "pages": [
            {
                "number": page.number,
                "sha256": page.key.sha256,
                "page_of_file": page.key.number,
                "text": each.text,
                "turn": page.geometry.turn,
                "skew_degrees": page.geometry.skew_degrees,
                "width": page.width,
                "height": page.height,
                "blank": page.blank,
                "form": page.form,
                "pairs": [
                    {"label": p.label, "value": p.value, "confidence": p.confidence}
                    for number, p in pairs
                    if number == page.number
                ],
                "words": words_json(each.lines),
            }
            for each in corrected_pages(installation, document.id)
            for page in [each.page]
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
        "found_by": field.found_by,
        "page": field.page,
        "box": list(field.box) if field.box else None,
    }


def words_json(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Return a page's words as plain values, each with the number of its line."""
    return [
        {
            "text": w.text,
            "box": list(w.box),
            "confidence": round(w.confidence, 3),
            "alternatives": list(w.alternatives),
            "line": number,
        }
        for number, line in enumerate(lines, 1)
        for w in line.words
    ]


def safe_cell(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    first = value[:1] if value[:1] in ("\t", "\r") else value.lstrip()[:1]
    return f"'{value}" if first in ("=", "+", "-", "@", "\t", "\r") else value


def write(
    installation: Installation, viewer: Viewer, which: str | int | None, kind: str, out: Path
) -> int:
    """Write records (see ``records``) to one CSV or JSON Lines file; return how many."""
    found = records(installation, viewer, which)
    with (
        _whole(out) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as stream,
    ):
        if kind == "csv":
            return write_csv(installation, list(found), stream)
        count = 0
        for document in found:
            line = json.dumps(as_json(installation, document), ensure_ascii=False)
            stream.write(line + "\n")
            count += 1
        return count


def write_folder(
    installation: Installation, viewer: Viewer, which: str | int | None, kind: str, folder: Path
) -> Iterator[Exported]:
    """Write records (see ``records``) to PDF, hOCR or ALTO files in a folder, made if missing.

    A file has the record's id and title in its name. A page that could not be read is left out,
    and a record without any other gets no file; each has its sentence.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    for document in records(installation, viewer, which):
        yield _write_record(installation, document, kind, folder)


def _write_record(
    installation: Installation, document: Document, kind: str, folder: Path
) -> Exported:
    pages, faults = _usable(installation, document, kind)
    if not pages:
        fault = f"{_without_pages(document)}; no file was written for it."
        return Exported(document, (), (*faults, fault))
    files = []
    for name, content in _files(installation, document, pages, kind):
        with _whole(folder / name) as temporary:
            temporary.write_bytes(content)
        files.append(folder / name)
    return Exported(document, tuple(files), tuple(faults))


def searchable_pdf(installation: Installation, document: Document) -> tuple[bytes, tuple[str, ...]]:
    """Return one record, that its reader may export, as a searchable PDF/A-2b.

    Beside it a sentence for each page left out. Raises InputError when there is no page at all.
    """
    pages, faults = _usable(installation, document, "pdf")
    if not pages:
        raise InputError(
            f"Record {document.id} has no page that could be read; look at its original."
        )
    return _drawn(installation, document, pages), tuple(faults)


def gathered(installation: Installation, documents: Iterable[Document]) -> Gathered:
    """Look over records, that their reader may export, which shall be one searchable PDF.

    Raises InputError when that were more than one PDF takes, or none at all.
    """
    usable, left_out, pages, size = list[Document](), list[str](), 0, 0
    for document in documents:
        some = False
        for page in installation.store.pages(document.id):
            pages += 1
            if fault := _fault(installation, document, page, "pdf"):
                left_out.append(fault)
                continue
            some = True
            size += installation.archive.image_path(page.image or "").stat().st_size
            if pages > MOST_PAGES or size > MOST_MB * 1_000_000:
                raise InputError(
                    f"One PDF takes at most {MOST_PAGES} pages and {MOST_MB} MB, and these records "
                    "have more; search more narrowly, or ask your technician for 'digitize export'."
                )
        if some:
            usable.append(document)
        elif document.status in (DocumentStatus.WAITING, DocumentStatus.FAILED):
            left_out.append(f"{_without_pages(document)}.")
    if not usable:
        raise InputError("None of these records has a page that could be read; search for others.")
    if not installation.archive.has_room(size):
        raise ArchiveError("The server's disk has too little room to make this PDF.")
    return Gathered(tuple(usable), tuple(left_out))


def write_gathered(
    installation: Installation, what: Gathered, title: str, created: str, out: IO[bytes]
) -> None:
    """Write gathered records to one searchable PDF/A-2b; raises OSError when the disk is full."""
    about = layered.About(writable(title), created, ())
    records = (
        (document, _pictured(installation, _usable(installation, document, "pdf")[0]))
        for document in what.documents
    )
    layered.write_searchable_pdf(about, records, out)


def _files(
    installation: Installation, document: Document, pages: list[CorrectedPage], kind: str
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file of a record."""
    stem = file_stem(document)
    if kind == "pdf":
        yield f"{stem}.pdf", _drawn(installation, document, pages)
    elif kind == "hocr":
        yield f"{stem}.hocr", markup.hocr(document, pages)
    else:
        for each in pages:
            yield f"{stem}-p{each.page.number:04}.xml", markup.alto(each)


def _drawn(installation: Installation, document: Document, pages: list[CorrectedPage]) -> bytes:
    return layered.searchable_pdf(document, _pictured(installation, pages))


def _pictured(
    installation: Installation, pages: list[CorrectedPage]
) -> Iterator[tuple[CorrectedPage, bytes]]:
    path = installation.archive.image_path
    return ((each, path(each.page.image or "").read_bytes()) for each in pages)


def _usable(
    installation: Installation, document: Document, kind: str
) -> tuple[list[CorrectedPage], list[str]]:
    """Return those of a record's pages that a format can give, and a sentence for each other."""
    usable, faults = list[CorrectedPage](), list[str]()
    for each in corrected_pages(installation, document.id):
        if fault := _fault(installation, document, each.page, kind):
            faults.append(fault)
        else:
            usable.append(each)
    return usable, faults


def _fault(installation: Installation, document: Document, page: Page, kind: str) -> str | None:
    """Return a sentence that says why a format cannot give a page, or None when it can."""
    named = f"page {page.number} of '{document.source}'"
    if page.image is None:
        fault = f"{named} could not be read and is left out; look at the original"
    elif kind == "pdf" and not _is_sound(installation, page.image):
        fault = f"the picture of {named} is missing or damaged, and the page left out; "
        fault += "run 'digitize repair', which has it made again"
    else:
        return None
    return f"Record {document.id}: {fault}."


def _without_pages(document: Document) -> str:
    why = "is not read yet" if document.status is DocumentStatus.WAITING else "has no page left"
    return f"Record {document.id} ('{document.source}') {why}"


def _is_sound(installation: Installation, image: str) -> bool:
    """Say whether a page image is as it was stored."""
    try:
        return hash_file(installation.archive.image_path(image)) == image
    except OSError:
        return False


def file_stem(document: Document) -> str:
    """Return what a record's files are called: its id, and its title in ``a-z``, ``0-9``, ``-``."""
    plain = unicodedata.normalize("NFKD", document.title).encode("ascii", "ignore").decode()
    slug = re.sub("[^a-z0-9]+", "-", plain.lower())[:_SLUG_LENGTH].strip("-")
    return f"{document.id:06}-{slug or 'record'}"


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a temporary path whose file takes a name when it is whole, or else goes."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"'{path}' cannot be written ({error.strerror}); name a place that can, with room."
    )


def write_csv(installation: Installation, documents: list[Document], stream: Any) -> int:
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
        text = "\n".join(each.text for each in corrected_pages(installation, document.id))
        writer.writerow([safe_cell(cell) for cell in [*head, *body, text]])
    return len(rows)
