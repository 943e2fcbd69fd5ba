"""The text of a page put right, a line at a time; and from one word in doubt to the next."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from digitize import desk
from records.access import Action, require
from records.errors import InputError, StaleVersionError
from records.model import Document
from records.overlaying import LaidLine
from records.rewriting import SaidLine
from webui.context import installation, viewer
from webui.finding import asked_for
from webui.page_text import FLASHED, OPEN, LineEntry, in_doubt
from webui.record import Attempt, at_version, record_page

blueprint = Blueprint("text", __name__)

_SHORT = 60  # characters of a line that a person is told


@blueprint.post("/records/<int:document_id>/pages/<int:number>/lines/<int:line>")
def save(document_id: int, number: int, line: int) -> ResponseReturnValue:
    """Save what a person says that a line reads, and show the line again.

    Where somebody was faster, the record is shown as it is now, with what was typed in its box.
    """
    document = _document(document_id)
    said = _said(number, line, request.form.get("text"))
    try:
        after = desk.rewrite_line(installation(), viewer(), document, said)
    except StaleVersionError:
        return _come_late(document, said)
    if after.version == document.version:
        told = "Nothing was changed, so there was nothing to save."
    elif not said.text.split():
        told = f"Saved: nothing is written where “{_short(said.was)}” was read."
    elif said.text.split() == said.was.split():
        told = "Saved: the line is right as it stands."
    else:
        told = f"Saved: it says “{_short(said.text)}” now."
    flash(told, FLASHED)
    return _back(document, number, line)


@blueprint.post("/records/<int:document_id>/pages/<int:number>/lines/<int:line>/put-back")
def put_back(document_id: int, number: int, line: int) -> ResponseReturnValue:
    """Take back what people said of a line, and show what was read there."""
    document = _document(document_id)
    desk.put_line_back(installation(), viewer(), document, _said(number, line, ""))
    flash("The line is again what was read there.", FLASHED)
    return _back(document, number, line)


@blueprint.get("/records/<int:document_id>/doubts")
def next_doubt(document_id: int) -> ResponseReturnValue:
    """Lead to the first word in doubt on a page behind the one that is named."""
    store = installation().store
    document = store.document(document_id, viewer())
    asked = request.args.get("page", type=int)
    pages = [page.number for page in store.pages(document.id)]
    behind = pages[pages.index(asked) + 1 :] if asked in pages else pages
    for number in behind:
        text = store.page_text(document.id, number)
        if text and any(in_doubt(line, _sure()) for line in text.lines):
            return redirect(_place(document, number, text=OPEN, _anchor="doubt-1"))
    flash("No page behind this one has a word that is in doubt.", FLASHED)
    return redirect(_place(document, asked, text=OPEN, _anchor="text"))


def _document(document_id: int) -> Document:
    """Return the record at the version that the form was made from, to who may correct it."""
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    return at_version(document)


def _said(number: int, line: int, text: str | None) -> SaidLine:
    was = request.form.get("was.line")
    if text is None or was is None:
        raise InputError("The form did not say what the line was, and what it should be.")
    return SaidLine(number, line, was, text)


def _come_late(document: Document, said: SaidLine) -> ResponseReturnValue:
    """Show a record that was changed meanwhile, with what was typed in the box of its line."""
    store = installation().store
    text = store.page_text(document.id, said.page)
    number = _found(text.lines if text else (), said)
    entry = LineEntry(number, said.text)
    now = store.document(document.id, viewer())
    return record_page(now, Attempt(stale=True), said.page, entry)


def _found(lines: tuple[LaidLine, ...], said: SaidLine) -> int:
    """Return the number of the line that a person meant: the one that reads as they saw it.

    Raises StaleVersionError, whose page shows what was typed, where the page has no such line.
    """
    same = [n for n, line in enumerate(lines, 1) if line.text.split() == said.was.split()]
    if same:
        return min(same, key=lambda n: abs(n - said.number))
    if 0 < said.number <= len(lines):
        return said.number
    raise StaleVersionError(
        "This line is gone since someone else changed the record; what you typed was not saved."
    )


def _back(document: Document, number: int, line: int) -> ResponseReturnValue:
    text = installation().store.page_text(document.id, number)
    there = text is not None and 0 < line <= len(text.lines)
    anchor = f"line-{line}" if there else "text"
    return redirect(_place(document, number, text=OPEN, saved=line, _anchor=anchor), 303)


def _place(document: Document, number: int | None, **more: Any) -> str:
    """Return the address of a page of a record, with what was searched for to find it."""
    words: dict[str, Any] = asked_for(request.values).words
    if place := request.values.get("at", type=int):
        words["at"] = place
    return url_for("record.show", document_id=document.id, page=number, **words, **more)


def _sure() -> float:
    return installation().settings.forms.sure


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT].rstrip()}\N{HORIZONTAL ELLIPSIS}"
