"""What people say that a page reads: each correction is one transaction, with its audit entry.

What machines read stays as it is. What people say is kept by the page's file and its number
there, and laid over it (``records.overlaying``) whenever somebody asks for the words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlite_utils import Database

from records import rows
from records.access import Action, Viewer, require
from records.correcting import write_record
from records.errors import InputError, stale
from records.model import Document
from records.overlaying import Change, LaidLine, PageText, changes
from records.store import Store, now

LONGEST_LINE = 2000  # characters
MOST_WORDS = 200  # of a line


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A line as a person says that it reads; ``was`` is what they were shown of it.

    ``page`` is what the record calls the page, ``number`` counts its lines from 1, those that
    people have emptied too.
    """

    page: int
    number: int
    was: str
    text: str


def rewrite(
    store: Store,
    viewer: Viewer,
    before: Document,
    said: SaidLine,
    sure: float,
    title: Callable[[], str],
) -> Document:
    """Write what a person says that a line reads; words read with less than ``sure`` are confirmed.

    ``before`` is the record as the person saw it; ``title`` is asked what it is called once the
    line is written. Where the line says so already, nothing is written. Raises StaleVersionError
    when the record or the line is no longer what it was, NotAllowedError, and InputError for a line
    that is too long.
    """
    require(viewer, Action.CORRECT, before.department)
    words = _readable(said.text).split()
    if len(said.text) > LONGEST_LINE:
        raise InputError(f"A line has at most {LONGEST_LINE} characters; shorten it.")
    if len(words) > MOST_WORDS:  # comparing many that are alike takes long
        raise InputError(f"A line has at most {MOST_WORDS} words; correct the lines one by one.")
    with store.write() as db:
        page, line = _line(store, before, said)
        new = changes(line, words, sure)
        if new:
            _require_seen(line, said, before)
            _take_back(db, viewer, {number for change in new for number in change.replaces})
            _insert(db, viewer, page, new)
            write_record(db, store, before, replace(before, title=title()))
            change = {"page": said.page, "from": line.text, "to": " ".join(words)}
            store.audit(db, viewer.name, "text corrected", change, before.id)
    return store.document(before.id, viewer)


def put_back(
    store: Store, viewer: Viewer, before: Document, said: SaidLine, title: Callable[[], str]
) -> Document:
    """Take back all that people said of a line: it is again what was read there.

    Raises StaleVersionError and NotAllowedError as ``rewrite`` does.
    """
    require(viewer, Action.CORRECT, before.department)
    with store.write() as db:
        page, line = _line(store, before, said)
        _require_seen(line, said, before)
        gone = {correction.id for correction in line.corrections}
        if gone:
            _take_back(db, viewer, gone)
            write_record(db, store, before, replace(before, title=title()))
            left = _lines(store, before, said)
            # A line that only a correction had made is gone with it.
            read = left[said.number - 1].text if len(left) == len(page.lines) else ""
            change = {"page": said.page, "from": line.text, "to": read}
            store.audit(db, viewer.name, "text put back", change, before.id)
    return store.document(before.id, viewer)


def _line(store: Store, before: Document, said: SaidLine) -> tuple[PageText, LaidLine]:
    """Return the page and the line that a person speaks of."""
    page = store.page_text(before.id, said.page)
    if page is None or not 0 < said.number <= len(page.lines):
        raise stale(before.id)
    return page, page.lines[said.number - 1]


def _require_seen(line: LaidLine, said: SaidLine, before: Document) -> None:
    if line.text.split() != said.was.split():
        raise stale(before.id)


def _lines(store: Store, before: Document, said: SaidLine) -> tuple[LaidLine, ...]:
    page = store.page_text(before.id, said.page)
    return page.lines if page else ()


def _take_back(db: Database, viewer: Viewer, corrections: Iterable[int]) -> None:
    db.conn.executemany(
        "UPDATE text_corrections SET taken_back_by = ?, taken_back_at = ? WHERE id = ?",
        [(viewer.name, now(), number) for number in corrections],
    )


def _insert(db: Database, viewer: Viewer, page: PageText, new: Iterable[Change]) -> None:
    db.table("text_corrections").insert_all(
        {
            "sha256": page.sha256,
            "page": page.number,
            "places": rows.places_column(change.places, page.geometry),
            "was": change.was,
            "text": change.text,
            "person": viewer.name,
            "at": now(),
        }
        for change in new
    )


def _readable(text: str) -> str:
    """Return a text without control characters, which no format may hold."""
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
