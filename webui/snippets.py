"""Pieces of pages: a field as the paper has it, and the line of text that a search has found."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, make_response, request, url_for

from digitize.image import Grey, decode_png, snippet
from records.errors import ArchiveError, NotFoundError
from records.geometry import Box
from records.model import Field, Page
from webui.context import installation, viewer

blueprint = Blueprint("snippets", __name__)

_WIDTH = 900  # pixels
_CACHED_PAGES, _CACHED = 4, 512  # about 8 MB and 10 KB each
# How much of the page is seen around a field (shares of its width and its height).
_ACROSS, _DOWN = 0.02, 0.006


def snippet_url(field: Field, document_id: int, page: Page) -> str | None:
    """Return the address of a field's picture, None where its place is not known."""
    if field.box is None or page.image is None:
        return None
    stamp = f"{page.image[:12]}-{'-'.join(map(str, field.box))}"
    return url_for("snippets.picture", document_id=document_id, name=field.name, v=stamp)


def area(box: Box, page: Page) -> Box:
    """Return the piece of a page that is shown of a field: its box with some air."""
    across, down = round(page.width * _ACROSS), round(page.height * _DOWN)
    return box.grown(across, down).cut(_all(page))


@blueprint.get("/records/<int:document_id>/fields/<name>.jpg")
def picture(document_id: int, name: str) -> Response:
    """Send the piece of its page that a field was read from."""
    store = installation().store
    document = store.document(document_id, viewer())
    field = next((f for f in store.fields(document.id) if f.name == name), None)
    page = next((p for p in store.pages(document.id) if field and p.number == field.page), None)
    if field is None or page is None or (url := snippet_url(field, document.id, page)) is None:
        raise NotFoundError(f"Record {document_id} has no picture of '{name}'.")
    assert field.box is not None
    assert page.image is not None
    answer = _piece(page.image, area(field.box, page))
    # Only an address with the page's own hash and the box can never mean another picture.
    if url.endswith(f"?v={request.args.get('v')}"):
        answer.cache_control.immutable = True
    return answer


def line_url(document_id: int, number: int, line: Box) -> str:
    """Return the address of a picture of a line of text."""
    box = "-".join(map(str, line))
    return url_for("snippets.line", document_id=document_id, number=number, box=box)


@blueprint.get("/records/<int:document_id>/pages/<int:number>/line.jpg")
def line(document_id: int, number: int) -> Response:
    """Send the piece of a page that the address names: a line of its text."""
    store = installation().store
    document = store.document(document_id, viewer())
    page = next((p for p in store.pages(document.id) if p.number == number), None)
    edges = request.args.get("box", "").split("-")
    named = len(edges) == 4 and all(e.isascii() and e.isdigit() and len(e) < 7 for e in edges)
    box = Box(*map(int, edges)) if named else None
    box = box if box and box.width > 0 and box.height > 0 else None
    if page is None or page.image is None or box is None or box.cut(_all(page)) != box:
        raise NotFoundError(f"Record {document_id} has no such line on page {number}.")
    return _piece(page.image, area(box, page))


def _piece(image: str, box: Box) -> Response:
    """Return a piece of a page as an answer that the browser may keep as long as the session."""
    answer = make_response()
    answer.mimetype = "image/jpeg"
    answer.cache_control.private = True
    answer.cache_control.max_age = installation().settings.web.session_hours * 3600
    answer.data = _cut(installation().archive.image_path(image), box)
    return answer


def _all(page: Page) -> Box:
    return Box(0, 0, page.width, page.height)


@lru_cache(maxsize=_CACHED)
def _cut(path: Path, box: Box) -> bytes:
    return snippet(_pixels(path), box, _WIDTH)


@lru_cache(maxsize=_CACHED_PAGES)
def _pixels(path: Path) -> Grey:
    try:
        return decode_png(path.read_bytes())
    except FileNotFoundError:
        raise ArchiveError("The picture of this page is missing from the archive.") from None
