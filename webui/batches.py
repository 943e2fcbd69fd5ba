"""Batches: what was handed in at one sitting, and how far its reading has come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, render_template, request, session
from flask.typing import ResponseReturnValue

from records.errors import NotFoundError
from records.model import Document, DocumentStatus
from webui.context import installation, viewer
from webui.sessions import StoredSession

blueprint = Blueprint("batches", __name__)

LISTED = 100  # records on one page of a batch


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its page shows it; only records that this person may see count."""

    name: str
    counts: dict[str, int]
    failed: tuple[Document, ...]
    listed: tuple[Document, ...]
    page: int
    pages: int

    @property
    def total(self) -> int:
        """Return how many records there are."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Return how many records need no more reading."""
        return self.total - self.counts[DocumentStatus.WAITING]


@blueprint.get("/batches")
def every() -> ResponseReturnValue:
    """List the newest batches with their counts."""
    return render_template("batches.html", batches=installation().store.batches(viewer()))


@blueprint.get("/batch")
def one() -> ResponseReturnValue:
    """Show one batch: its progress and its records."""
    return render_template("batch.html", batch=_batch())


@blueprint.get("/batch/progress")
def progress() -> ResponseReturnValue:
    """Show the part of a batch's page that changes; its script asks for it every few seconds."""
    cast(StoredSession, session).passive = True
    return render_template("batch_progress.html", batch=_batch())


def _batch() -> Batch:
    name = request.args.get("name", "")
    found = installation().store.documents(viewer(), batch=name) if name else []
    if not found:
        raise NotFoundError(f"There is no batch '{name}' that {viewer().name} may see.")
    counts = Counter(str(document.status) for document in found)
    pages = -(-len(found) // LISTED)
    number = min(max(request.args.get("p", 1, type=int) or 1, 1), pages)
    return Batch(
        name=name,
        counts={str(status): counts[str(status)] for status in DocumentStatus},
        failed=tuple(d for d in found if d.status is DocumentStatus.FAILED)[:LISTED],
        listed=tuple(found[(number - 1) * LISTED : number * LISTED]),
        page=number,
        pages=pages,
    )
