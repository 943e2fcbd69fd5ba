"""What is left out of a record's pages for who is to key a field of it a second time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from records.model import Document, Field


def veiled(
    document: Document, fields: tuple[Field, ...], names: Collection[str]
) -> tuple[Document, tuple[Field, ...]]:
    """Return a record and its fields without what those of some names hold, or were read as."""
    hidden = [f for f in fields if f.name in names]
    title = veiled_title(document.title, document.id, hidden)
    shown = [replace(f, value="", raw="") if f in hidden else f for f in fields]
    return replace(document, title=title), tuple(shown)


def veiled_title(title: str, document_id: int, hidden: Iterable[Field]) -> str:
    """Return what a record is called by who must not read these fields."""
    told = any(text and text in title for f in hidden for text in (f.value, f.raw))
    return f"Record {document_id}" if told else title
