"""Handing files in: each goes safely into the archive before anyone is told so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from digitize.intake import receive
from records.access import Action, departments_for, require
from records.archive import hash_file
from records.errors import DigitizeError, NotAllowedError
from records.filing import Sighting
from records.model import Document
from webui import wording
from webui.context import installation, viewer

blueprint = Blueprint("handing_in", __name__)

LONGEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file that was sent."""

    name: str
    word: str
    sentence: str
    taken: bool
    records: tuple[Document, ...]


@blueprint.get("/upload")
def upload() -> ResponseReturnValue:
    """Show the form to hand files in."""
    return _form({}, batch=f"{datetime.now():%Y-%m-%d} {viewer().name}", department="")


@blueprint.post("/upload")
def take_in() -> ResponseReturnValue:
    """Take every file that was sent into the archive, and say for each what became of it.

    201 means that at least one is newly in the archive, durably.
    """
    batch = " ".join(request.form.get("batch", "").split())
    department = request.form.get("department", "")
    files = [file for file in request.files.getlist("files") if file.filename]
    errors = _faults(batch, department, files)
    if errors:
        return _form(errors, batch, department)
    outcomes = [_outcome(file, batch, department or None) for file in files]
    taken = any(outcome.taken for outcome in outcomes)
    known = any(outcome.records for outcome in outcomes)
    page = render_template("uploaded.html", batch=batch, outcomes=outcomes, taken=taken)
    return page, 201 if taken else 200 if known else 422


def _form(errors: dict[str, str], batch: str, department: str) -> ResponseReturnValue:
    mine = departments_for(viewer(), Action.ADD)
    if not mine:
        raise NotAllowedError(
            f"{viewer().name} may look at records, but not add any; ask for the right to."
        )
    store = installation().store
    page = render_template(
        "upload.html",
        errors=errors,
        batch=batch,
        chosen=department,
        departments=[d for d in store.departments() if d.name in mine],
        by_form=mine == viewer().all,
        most_mb=installation().settings.web.upload_mb,
    )
    return page, 422 if errors else 200


def _faults(batch: str, department: str, files: list[FileStorage]) -> dict[str, str]:
    """Return what is wrong with the form, by input; raise NotAllowedError for a role without."""
    mine = departments_for(viewer(), Action.ADD)
    if department in viewer().all or not mine:
        require(viewer(), Action.ADD, department)
    errors = {}
    if not files:
        errors["files"] = "Choose at least one file."
    if not batch:
        errors["batch"] = "Give this batch a name, such as 'Drawer 12'."
    elif len(batch) > LONGEST_BATCH or not batch.isprintable():
        errors["batch"] = f"Use a name of at most {LONGEST_BATCH} plain letters and digits."
    if department not in mine and not (department == "" and mine == viewer().all):
        errors["department"] = "Choose the department that the records belong to."
    return errors


def _outcome(file: FileStorage, batch: str, department: str | None) -> Outcome:
    """Take one file in; a file that cannot be taken is an outcome too, not an error."""
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    file.stream.flush()
    path = Path(file.stream.name)
    try:
        sighting = receive(installation(), viewer(), path, name, batch, department)
    except DigitizeError as error:
        return Outcome(name, "Refused", str(error), False, ())
    word, sentence = wording.sighting_words(sighting)
    taken = sighting in (Sighting.NEW, Sighting.RESUMED)
    records = installation().store.documents(viewer(), sha256=hash_file(path))
    return Outcome(name, word, sentence, taken, tuple(records))
