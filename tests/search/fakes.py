"""A small store in memory, and records made in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from records.access import Viewer
from records.geometry import Box
from records.model import (
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    IndexedDocument,
    Line,
    PageWords,
    Role,
    Word,
)
from records.settings import Settings, check

DEPARTMENTS = ("clerk", "building", "police")
LETTER_WIDTH = 10
LINE_HEIGHT = 20


def field(name: str, value: str, kind: str = "text", page: int = 1) -> Field:
    """Return a field that was read without doubt."""
    return Field(
        name, name.title(), kind, value, value, 1.0, page, None, FieldStatus.OK, (), "test", ""
    )


def record(
    number: int,
    *pages: str,
    department: str = "clerk",
    form: str | None = None,
    date: str | None = None,
    title: str = "",
    status: DocumentStatus = DocumentStatus.FILED,
    fields: tuple[Field, ...] = (),
    notes: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
) -> IndexedDocument:
    """Return a record; its rev is its number until a FakeStore gives it another."""
    return IndexedDocument(
        number,
        number,
        title,
        department,
        form,
        status,
        date,
        "drawer-1",
        f"scan-{number}.pdf",
        fields,
        tuple(enumerate(pages, 1)),
        (),
        notes,
        tags,
    )


def lines_of(text: str) -> tuple[Line, ...]:
    """Lay a text out in a fixed-width font."""
    lines = []
    for row, line in enumerate(text.splitlines()):
        words = []
        left = 0
        for word in line.split(" "):
            right = left + LETTER_WIDTH * len(word)
            top = row * LINE_HEIGHT
            words.append(Word(word, Box(left, top, right, top + LINE_HEIGHT), 0.9))
            left = right + LETTER_WIDTH
        lines.append(Line(tuple(words)))
    return tuple(lines)


class FakeStore:
    """A ``search.finder.Source`` in memory."""

    def __init__(self, *documents: IndexedDocument, store_id: str = "store-1") -> None:
        self.store_id = store_id
        self._documents: dict[int, IndexedDocument] = {}
        self._rev = 0
        self.put(*documents)

    def put(self, *documents: IndexedDocument) -> None:
        for document in documents:
            self._rev += 1
            self._documents[document.id] = replace(document, rev=self._rev)

    def remove(self, number: int) -> None:
        del self._documents[number]

    def revision(self) -> int:
        return self._rev

    def changed_since(self, rev: int, limit: int) -> list[IndexedDocument]:
        newer = [document for document in self._documents.values() if document.rev > rev]
        return sorted(newer, key=lambda document: document.rev)[:limit]

    def summaries(self, ids: Sequence[int]) -> Mapping[int, Document]:
        return {number: self._summary(number) for number in ids if number in self._documents}

    def _summary(self, number: int) -> Document:
        d = self._documents[number]
        return Document(
            d.id,
            "0" * 64,
            d.source,
            1,
            d.batch,
            d.department,
            d.form,
            d.title,
            d.date,
            d.status,
            (),
            1,
            d.rev,
            "2026-01-01T00:00:00Z",
        )

    def words(self, pages: Sequence[tuple[int, int]]) -> dict[tuple[int, int], PageWords]:
        return {(number, page): self._words(number, page) for number, page in pages}

    def _words(self, number: int, page: int) -> PageWords:
        lines = lines_of(dict(self._documents[number].pages).get(page, ""))
        return PageWords.of(lines)

    def field_names(self) -> frozenset[str]:
        return frozenset(f.name for d in self._documents.values() for f in d.fields)


def settings_in(folder: Path) -> Settings:
    """Return settings whose archive is this folder."""
    raw = {
        "archive": {"folder": str(folder)},
        "department": [{"name": name, "title": name.title()} for name in DEPARTMENTS],
    }
    return check(raw, folder / "config.toml")


def viewer_of(*departments: str) -> Viewer:
    """Return a person who may see just these departments."""
    return Viewer("ann", Role.VIEWER, frozenset(departments), frozenset(), frozenset(DEPARTMENTS))


EVERYWHERE = viewer_of(*DEPARTMENTS)
