"""Page images and original files: only through a record that the person may see."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, make_response, request, send_file, url_for

from digitize.image import rendition
from records.access import Action, Viewer, may
from records.errors import ArchiveError, NotFoundError
from records.model import Original, Page
from webui.context import installation, viewer

blueprint = Blueprint("images", __name__)

WIDTHS = {"page": 1200, "large": 2400, "thumbnail": 160}
_CACHED = 64  # renditions, about 200 KB each
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-()")


def image_url(document_id: int, page: Page, size: str) -> str:
    """Return the address of a page's image; it changes when the image does."""
    stamp = (page.image or "")[:16]
    return url_for(
        "images.page_image", document_id=document_id, number=page.number, size=size, v=stamp
    )


def whole_file_is_seen(file: Original, viewer: Viewer) -> bool:
    """Say whether the person may see every record that was found in a file.

    A file can hold records of several departments; who may not see all gets pages only.
    """
    holders = installation().store.departments_of(file.sha256)
    return all(may(viewer, Action.SEE, department) for department in holders)


@blueprint.get("/records/<int:document_id>/pages/<int:number>/<any(page,large,thumbnail):size>.jpg")
def page_image(document_id: int, number: int, size: str) -> Response:
    """Send a cleaned page, drawn afresh as JPEG, in one of three sizes."""
    store = installation().store
    document = store.document(document_id, viewer())
    page = next((p for p in store.pages(document.id) if p.number == number), None)
    if page is None or page.image is None:
        raise NotFoundError(f"Record {document_id} has no picture of page {number}.")
    return drawn(page.image, size)


def drawn(image: str, size: str) -> Response:
    """Answer with a page image (its hash) in one of three sizes."""
    etag = f"{image[:32]}-{size}"
    answer = make_response()
    answer.mimetype = "image/jpeg"
    answer.set_etag(etag)
    answer.cache_control.private = True
    answer.cache_control.max_age = installation().settings.web.session_hours * 3600
    # Only an address with the image's own hash can never mean another image.
    if request.args.get("v") == image[:16]:
        answer.cache_control.immutable = True
    else:
        answer.cache_control.no_cache = True
    if etag not in request.if_none_match:
        answer.data = _drawn(installation().archive.image_path(image), WIDTHS[size])
    answer.make_conditional(request)
    return answer


@blueprint.get("/records/<int:document_id>/original")
def original(document_id: int) -> Response:
    """Send a file as it was handed in, always as a download and never shown by the browser.

    ``file`` says which, by the beginning of its hash, where a record's pages come from several.
    """
    document = installation().store.document(document_id, viewer())
    wanted = request.args.get("file", "")
    files = installation().store.files(document.id)
    file = next((f for f in files if f.sha256.startswith(wanted)), None)
    if file is None or not whole_file_is_seen(file, viewer()):
        raise NotFoundError(f"Record {document_id} has no such file, or it holds more than yours.")
    path = installation().archive.original_path(file.sha256)
    if not path.is_file():
        raise ArchiveError(f"The original of record {document_id} is missing from the archive.")
    answer = send_file(
        path,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=safe_name(file.name, document.id),
        etag=file.sha256,
        conditional=True,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def safe_name(name: str, document_id: int) -> str:
    """Return a file name that no header, shell or file system stumbles over."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c if c in _PLAIN else "_" for c in last).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    kept = f"{stem[:80]}.{ending[:8]}" if dot and stem else kept[:80]
    return kept if kept.strip("_") else f"record-{document_id}"


@lru_cache(maxsize=_CACHED)
def _drawn(path: Path, width: int) -> bytes:
    try:
        return rendition(path.read_bytes(), width)
    except FileNotFoundError:
        raise ArchiveError("The picture of this page is missing from the archive.") from None
