"""Arranging the pages of a record: order, turn, split, move, join, lay aside, put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from digitize import arranging as desk
from digitize.intake import receive
from records import arranging, arrivals, checking
from records.access import Action, may, require
from records.archive import hash_file
from records.arranging import Sheet
from records.arrivals import Arrival
from records.errors import BusyError, InputError, NotFoundError, StaleVersionError
from records.filing import Sighting
from records.model import Document, Page, PageKey, PageResult
from records.store import now
from webui import images, wording
from webui.blind import veiled
from webui.context import installation, viewer

blueprint = Blueprint("arranging", __name__)

_SHORT_HASH = 16
_LONGEST_NUMBER = 9  # digits
_WORDS_OF_A_PAGE = 60  # characters by which a page without a picture is known


class WrongInputError(InputError):
    """What was typed cannot be used; ``box`` names the input."""

    def __init__(self, box: str, said: str) -> None:
        super().__init__(said)
        self.box = box


@dataclass(frozen=True, slots=True)
class Attempt:
    """What could not be done, and why, by input; ``stale`` when others were quicker."""

    errors: Mapping[str, str] = field(default_factory=dict)
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """A page that was laid aside: what names it, whether it has a picture, how its text begins."""

    name: str
    pictured: bool
    begins: str


def page_name(key: PageKey) -> str:
    """Return what names a page in a form."""
    return f"{key.sha256[:_SHORT_HASH]}-{key.number}"


def went_to(document_id: int) -> list[Document]:
    """Return the records that now have the pages of one without any, as far as one may see them."""
    store = installation().store
    found = store.summaries(arranging.arranged_with(store, document_id)).values()
    seen = [d for d in found if may(viewer(), Action.SEE, d.department)]
    return [document for document in seen if store.pages(document.id)]


@blueprint.get("/records/<int:document_id>/pages")
def show(document_id: int) -> ResponseReturnValue:
    """Show a record's pages side by side, to be arranged."""
    return _page(_document(document_id), Attempt())


@blueprint.post("/records/<int:document_id>/pages")
def change(document_id: int) -> ResponseReturnValue:
    """Do what the pressed button says with the pages."""
    document = _document(document_id)
    pressed, _, rest = request.form.get("do", "").partition(":")
    doing = _DEEDS.get(pressed)
    if doing is None:
        return _page(document, Attempt({"pages": "Press the button of what you want to do."}))
    try:
        return doing(document, rest)
    except StaleVersionError:
        return _page(_document(document_id), Attempt(stale=True))
    except (InputError, BusyError) as error:
        return _page(document, _attempt(error, "pages"))


@blueprint.post("/records/<int:document_id>/pages/back")
def take_back(document_id: int) -> ResponseReturnValue:
    """Undo the last arrangement of the record's pages."""
    document = _document(document_id)
    number = request.form.get("arrangement", 0, type=int)
    try:
        what = desk.take_back(installation(), viewer(), document.id, number)
    except StaleVersionError:
        return _page(_document(document_id), Attempt(stale=True))
    flash(f"Taken back: {wording.arranged(what)}.")
    return _again(document_id)


@blueprint.post("/records/<int:document_id>/pages/file")
def hand_in(document_id: int) -> ResponseReturnValue:
    """Take in a file whose pages go into this record once they are read."""
    document = _document(document_id)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(document, Attempt({"file": "Choose the file that holds the page."}))
    try:
        _expect(document, file)
    except (InputError, BusyError) as error:
        return _page(document, _attempt(error, "file"))
    flash("Handed in. It is safe in the archive, and goes into this record as soon as it is read.")
    return _again(document_id)


@blueprint.get("/records/<int:document_id>/aside/<name>.jpg")
def aside(document_id: int, name: str) -> Response:
    """Send the picture of a page that was laid aside."""
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    laid = arranging.sheets(installation().store, document.id, aside=True)
    sheet = next((s for s in laid if page_name(s.key) == name), None)
    if sheet is None or not isinstance(sheet.reading, PageResult):
        raise NotFoundError(f"Record {document_id} has no such page laid aside.")
    return images.drawn(sheet.reading.image, "thumbnail")


def _document(document_id: int) -> Document:
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    return document


def _attempt(error: InputError | BusyError, box: str) -> Attempt:
    """Return what could not be done, at the input that the error names, or else at ``box``."""
    if isinstance(error, WrongInputError):
        box = error.box.replace(".", "-")  # as the input's id is written
    return Attempt({box: str(error)})


def _page(document: Document, attempt: Attempt) -> ResponseReturnValue:
    store = installation().store
    blind = checking.to_key_blind(store, viewer(), [document.id])[document.id]
    document, _ = veiled(document, store.fields(document.id), blind)
    last = arranging.last_arrangement(store, document.id)
    status = 409 if attempt.stale else 422 if attempt.errors else 200
    page = render_template(
        "record_pages.html",
        document=document,
        attempt=attempt,
        errors=attempt.errors,
        pages=store.pages(document.id),
        aside=[_aside(sheet) for sheet in arranging.sheets(store, document.id, aside=True)],
        last=last if last and arranging.can_be_taken_back(store, viewer(), last) else None,
        coming=[_coming(arrival) for arrival in arrivals.arrivals(store, document.id)],
        unheld=arranging.unheld(store, document.id),
        ticked=request.form.getlist("page"),
        typed={} if attempt.stale else request.form,
        page_name=lambda page: page_name(page.key),
        arranged=wording.arranged,
        image_url=images.image_url,
    )
    return page, status


def _aside(sheet: Sheet) -> Aside:
    read = sheet.reading if isinstance(sheet.reading, PageResult) else None
    text = " ".join(line.text for line in read.lines) if read else ""
    return Aside(page_name(sheet.key), read is not None, text[:_WORDS_OF_A_PAGE])


def _coming(arrival: Arrival) -> str:
    """Say what is on its way into the record."""
    what = "to replace a page" if arrival.replaces else f"to stand as page {arrival.place}"
    original = installation().store.original(arrival.sha256)
    name = original.name if original else "A file"
    if original and original.state == "failed":
        return f"'{name}', handed in by {arrival.person}, could not be read; hand in a better scan."
    return f"'{name}', handed in by {arrival.person} {what}; it is read in a moment."


def _again(document_id: int) -> ResponseReturnValue:
    return redirect(url_for(".show", document_id=document_id), 303)


# What the buttons do


def _put_in_order(document: Document, _rest: str) -> ResponseReturnValue:
    pages = installation().store.pages(document.id)
    typed = [_whole(f"place.{page_name(p.key)}", p.position) for p in pages]
    if typed == [page.position for page in pages]:
        raise WrongInputError(
            "pages", "Change the number of a page first: it is the place that it goes to."
        )
    order = [page.key for page in _sorted(pages, typed)]
    desk.reorder(installation(), viewer(), document.id, _version(), order)
    flash("The pages stand in their new order.")
    return _again(document.id)


def _sorted(pages: tuple[Page, ...], typed: list[int]) -> list[Page]:
    """Return pages by the places that were typed.

    A page that moves down goes behind the one whose place it was given, one that moves up before.
    """

    def rank(pair: tuple[Page, int]) -> tuple[int, int, int]:
        page, place = pair
        return place, (place > page.position) - (place < page.position), page.position

    return [page for page, _ in sorted(zip(pages, typed, strict=True), key=rank)]


def _split(document: Document, _rest: str) -> ResponseReturnValue:
    chosen = _ticked(document)
    made = desk.split(installation(), viewer(), document.id, _version(), chosen)
    flash(
        f"This record was made of {wording.counted(len(chosen), 'page')} of record {document.id}."
    )
    return redirect(url_for("record.show", document_id=made), 303)


def _move(document: Document, _rest: str) -> ResponseReturnValue:
    chosen, target = _ticked(document), _other_record("to")
    place = _whole("before", len(installation().store.pages(target)) + 1)
    desk.move(installation(), viewer(), document.id, _version(), chosen, target, place)
    counted = wording.counted(len(chosen), "page")
    flash(f"{counted} came into this record from record {document.id}.")
    return redirect(url_for("record.show", document_id=target), 303)


def _join(document: Document, _rest: str) -> ResponseReturnValue:
    other = _other_record("other")
    desk.join(installation(), viewer(), document.id, _version(), other)
    flash(f"The pages of record {other} stand at the end of this one now.")
    return _again(document.id)


def _lay_aside(document: Document, _rest: str) -> ResponseReturnValue:
    desk.lay_aside(installation(), viewer(), document.id, _version(), _ticked(document))
    flash("Laid aside. You find the pages below, and can bring them back.")
    return _again(document.id)


def _bring_back(document: Document, name: str) -> ResponseReturnValue:
    chosen = [_key(document, name)]
    desk.bring_back(installation(), viewer(), document.id, _version(), chosen)
    flash("The page stands at the end of the record again.")
    return _again(document.id)


def _turn(document: Document, rest: str) -> ResponseReturnValue:
    name, _, degrees = rest.partition(":")
    if degrees not in ("90", "180", "270"):
        raise WrongInputError("pages", "Turn a page to the left, to the right or over.")
    key = _key(document, name)
    desk.turn(installation(), viewer(), document.id, _version(), key, int(degrees))
    flash("Turned. The page is read again so in a moment.")
    return _again(document.id)


def _what_was_typed(document: Document, rest: str) -> ResponseReturnValue:
    """Do what the box is for in which Enter was pressed: the first that holds something."""
    for name, doing in (("to", _move), ("other", _join)):
        if request.form.get(name):
            return doing(document, rest)
    return _put_in_order(document, rest)


_DEEDS: Mapping[str, Callable[[Document, str], ResponseReturnValue]] = {
    "typed": _what_was_typed,
    "order": _put_in_order,
    "split": _split,
    "move": _move,
    "join": _join,
    "aside": _lay_aside,
    "back": _bring_back,
    "turn": _turn,
}


def _version() -> int:
    version = request.form.get("version", type=int)
    if version is None:
        raise InputError("The form did not say which version of the record it was made from.")
    return version


def _ticked(document: Document) -> list[PageKey]:
    """Return the ticked pages in their order."""
    names = request.form.getlist("page")
    if not names:
        raise WrongInputError("pages", "Tick the pages that you mean.")
    chosen = [p.key for p in installation().store.pages(document.id) if page_name(p.key) in names]
    if len(chosen) != len(set(names)):
        raise StaleVersionError(f"Record {document.id} has other pages than it had.")
    return chosen


def _key(document: Document, name: str) -> PageKey:
    for key in arranging.page_keys(installation().store, document.id):
        if page_name(key) == name:
            return key
    raise StaleVersionError(f"Record {document.id} has no such page any more.")


def _whole(box: str, otherwise: int) -> int:
    typed = request.form.get(box, "").strip()
    if not typed:
        return otherwise
    if not _is_whole(typed):
        raise WrongInputError(box, f"'{typed}' is no place; type a number such as 2.")
    return int(typed)


def _is_whole(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST_NUMBER


def _other_record(box: str) -> int:
    """Return the number of another record, which the person may see."""
    typed = request.form.get(box, "").strip()
    if not typed:
        raise WrongInputError(box, "Type the number of the record; its page says it.")
    if not _is_whole(typed):
        raise WrongInputError(
            box, f"'{typed}' is no number of a record; it is a number such as 12."
        )
    try:
        return installation().store.document(int(typed), viewer()).id
    except NotFoundError:
        raise WrongInputError(
            box, f"There is no record {typed} that you may see; look it up."
        ) from None


def _expect(document: Document, file: FileStorage) -> None:
    """Take a file into the archive, and write down where its pages go."""
    store = installation().store
    desk.hold_ready(installation(), viewer(), document.id)
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    file.stream.flush()
    path = Path(file.stream.name)
    sha256 = hash_file(path)
    if known := store.documents_of(sha256, viewer()):
        has = next((d for d in known if store.pages(d.id)), known[0])
        raise WrongInputError(
            "file",
            f"This file is in the archive already, as record {has.id}; "
            "join that record to this one, or move its pages here.",
        )
    place = _whole("at", len(store.pages(document.id)) + 1)
    replaced = request.form.get("replaces", "")
    key = _key(document, replaced) if replaced else None
    arrival = Arrival(document.id, max(place, 1), key, viewer().name, now(), sha256)
    sighting = receive(installation(), viewer(), path, name, document.batch, document.department)
    if sighting is not Sighting.NEW:
        raise WrongInputError("file", "This file is in the archive already; search for its record.")
    arrivals.expect(store, viewer(), arrival)
