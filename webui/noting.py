"""Notes and tags that people put on a record, and take away again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from records import noting
from records.errors import InputError
from records.model import Document
from webui.context import installation, viewer
from webui.finding import asked_for

blueprint = Blueprint("noting", __name__)


@blueprint.post("/records/<int:document_id>/notes")
def add_note(document_id: int) -> ResponseReturnValue:
    """Write a note on a record; one that is too long comes back to be shortened."""
    store = installation().store
    document = store.document(document_id, viewer())
    text = request.form.get("note", "")
    try:
        noting.add_note(store, viewer(), document, text)
    except InputError as error:
        if text.strip():
            raise
        flash(str(error), "bad")
    else:
        flash("Your note is saved. Everybody who may see this record sees it.")
    return _back(document, "notes")


@blueprint.post("/records/<int:document_id>/notes/<int:note>/delete")
def delete_note(document_id: int, note: int) -> ResponseReturnValue:
    """Delete a note."""
    store = installation().store
    document = store.document(document_id, viewer())
    noting.remove_note(store, viewer(), document, note)
    flash("The note is deleted.")
    return _back(document, "notes")


@blueprint.post("/records/<int:document_id>/tags")
def add_tag(document_id: int) -> ResponseReturnValue:
    """Put a tag on a record."""
    store = installation().store
    document = store.document(document_id, viewer())
    try:
        tag = noting.add_tag(store, viewer(), document, request.form.get("tag", ""))
    except InputError as error:
        flash(str(error), "bad")
    else:
        flash(f"The record has the tag “{tag}” now.")
    return _back(document, "tags")


@blueprint.post("/records/<int:document_id>/tags/remove")
def remove_tag(document_id: int) -> ResponseReturnValue:
    """Take a tag off a record."""
    store = installation().store
    document = store.document(document_id, viewer())
    tag = request.form.get("tag", "")
    noting.remove_tag(store, viewer(), document, tag)
    flash(f"The tag “{tag[: noting.LONGEST_TAG]}” is taken away.")
    return _back(document, "tags")


def _back(document: Document, anchor: str) -> ResponseReturnValue:
    """Show the record again, at the page that was looked at."""
    place: dict[str, Any] = {n: request.form.get(n, type=int) for n in ("page", "at")}
    place |= asked_for(request.form).words
    address = url_for("record.show", document_id=document.id, **place, _anchor=anchor)
    return redirect(address, 303)
