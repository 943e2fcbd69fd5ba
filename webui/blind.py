"""What is left out of a record's page for who is to key a field of it a second time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from records.model import Document, Field


def veiled(
    document: Document, fields: tuple[Field, ...], names: Collection[str]
) -> tuple[Document, tuple[Field, ...]]:
    """Return a record and its fields without what those of some names hold, or were read as."""
    hidden = [f for f in fields if f.name in names]
    told = any(text and text in document.title for f in hidden for text in (f.value, f.raw))
    title = f"Record {document.id}" if told else document.title
    shown = [replace(f, value="", raw="") if f in hidden else f for f in fields]
    return replace(document, title=title), tuple(shown)
