"""A record: its pages with what was found on them, its fields to correct, its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from digitize import desk, export
from digitize.desk import correct_field
from digitize.forms import FieldTemplate, FormTemplate, form_named
from digitize.offers import offers
from digitize.values import Reading
from records import checking, noting
from records.access import Action, may, require
from records.errors import InputError, NotFoundError, StaleVersionError
from records.model import Document, DocumentStatus, Field, FieldStatus, Page
from records.overlaying import lines_of
from webui import arranging, images, page_text, wording
from webui.blind import veiled
from webui.context import installation, viewer
from webui.finding import asked_for, found_beside
from webui.overlay import Mark, marks
from webui.page_text import LineEntry, ShownText
from webui.places import hit_boxes

blueprint = Blueprint("record", __name__)

LONGEST_VALUE = 5000
MOST_THUMBNAILS = 12
ZOOMS, TURNS = (100, 150, 200, 300), (0, 90, 180, 270)
_FARTHEST = 10_000  # so far down what was found one can walk from record to record
ONE_LINE = 60  # characters; longer values get a box of several lines
FOLDED = 120  # characters; longer values are folded in the history
MOST_PRINTED, _FEW_PRINTED = 100, 10  # pages of one record on paper; so few in full sharpness


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person typed for one field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Corrections that could not all be saved: what was typed, and why each was not taken."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    stale: bool = False
    saved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field beside the page: ``text`` is what its box holds, ``options`` what it may be.

    ``offers`` are other readings of a field that is in doubt.
    """

    field: Field
    text: str
    kept: bool  # the text was typed before and is not saved yet
    error: str | None
    options: tuple[str, ...]
    suggestions: tuple[str, ...]
    offers: tuple[str, ...]
    long: bool
    show: str


@dataclass(frozen=True, slots=True)
class PageView:
    """The page that is looked at, with what is drawn over it."""

    page: Page
    marks: tuple[Mark, ...]
    text: ShownText


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is shown: ``zoom`` in %, ``turn`` in degrees clockwise; and links to others."""

    zoom: int
    turn: int
    larger: str | None
    smaller: str | None
    turned: str


@blueprint.get("/records/<int:document_id>")
def show(document_id: int) -> ResponseReturnValue:
    """Show a record at one of its pages."""
    return record_page(installation().store.document(document_id, viewer()), Attempt())


@blueprint.get("/records/<int:document_id>/print")
def printed(document_id: int) -> ResponseReturnValue:
    """Show a whole record as it goes on paper: its fields, and each page with its text."""
    store = installation().store
    document = store.document(document_id, viewer())
    pages = export.corrected_pages(installation(), document_id)
    blind = checking.to_key_blind(store, viewer(), [document.id])[document.id]
    document, fields = veiled(document, store.fields(document.id), blind)
    return render_template(
        "record_print.html",
        document=document,
        fields=fields,
        blind=blind,
        pages=pages[:MOST_PRINTED],
        count=len(pages),
        with_text=request.args.get("text") != "0" and not blind,
        size="large" if len(pages) <= _FEW_PRINTED else "page",
        image_url=images.image_url,
    )


@blueprint.post("/records/<int:document_id>/fields")
def correct(document_id: int) -> ResponseReturnValue:
    """Save what a person changed, or confirmed, in the fields of a record.

    Every field is saved by itself. What cannot be saved comes back in its box with the reason.
    """
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    fields = {f.name: f for f in installation().store.fields(document_id)}
    attempt = _save(document, _entries(fields), fields)
    if attempt.errors or attempt.stale:
        return record_page(installation().store.document(document_id, viewer()), attempt)
    if attempt.saved:
        flash(f"Saved: {', '.join(attempt.saved)}.", "saved")
    else:
        flash("Nothing was changed, so there was nothing to save.")
    chosen = request.form.get("save") or request.form.get("field") or None
    chosen = request.form.get("take", "").partition("=")[0] or chosen
    place: dict[str, Any] = {n: request.form.get(n) or None for n in ("page", "at")}
    place |= asked_for(request.form).words
    anchor = f"field-{chosen}" if chosen in fields else "fields"
    return redirect(
        url_for(".show", document_id=document_id, field=chosen, _anchor=anchor, **place), 303
    )


@blueprint.post("/records/<int:document_id>/looked-over")
def look_over(document_id: int) -> ResponseReturnValue:
    """Take a record's own reasons away: somebody has looked, and it is in order."""
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    version = at_version(document).version
    if document.status not in (DocumentStatus.NEEDS_REVIEW, DocumentStatus.FILED):
        raise InputError("This record has not been read; hand in a better scan of it.")
    desk.look_over(installation(), viewer(), document_id, version)
    flash("Noted: you have looked at this record, and it is in order.")
    return redirect(url_for(".show", document_id=document_id, **asked_for(request.form).words), 303)


def _entries(fields: Mapping[str, Field]) -> list[Entry]:
    """Return what was changed on the form, and the field whose own button was pressed."""
    taken, _, offer = request.form.get("take", "").partition("=")
    confirmed = request.form.get("save", "") or taken
    entries = []
    for name in fields:
        typed = offer if name == taken else request.form.get(f"value.{name}")
        if typed is None:
            continue
        if len(typed) > LONGEST_VALUE:
            raise InputError(f"A value has at most {LONGEST_VALUE} characters; shorten it.")
        changed = typed.split() != request.form.get(f"was.{name}", "").split()
        if changed or name == confirmed:
            entries.append(Entry(name, typed.replace("\r\n", "\n").strip()))
    return entries


def _save(document: Document, entries: list[Entry], fields: Mapping[str, Field]) -> Attempt:
    version = at_version(document).version
    saved: list[str] = []
    errors: dict[str, str] = {}
    waiting = {entry.name: entry.value for entry in entries}
    stale = False
    for entry in entries:
        try:
            changed = correct_field(
                installation(), viewer(), document.id, entry.name, entry.value, version
            )
        except StaleVersionError:
            stale = True
            break
        except NotFoundError:
            raise
        except InputError as error:
            errors[entry.name] = str(error)
        else:
            version = changed.version
            saved.append(fields[entry.name].label)
            del waiting[entry.name]
    return Attempt(waiting, errors, stale, tuple(saved))


def at_version(document: Document) -> Document:
    """Return a record at the version that the form was made from; raises InputError without one."""
    version = request.form.get("version", type=int)
    if version is None:
        raise InputError("The form did not say which version of the record it was made from.")
    return replace(document, version=version)


def record_page(
    document: Document, attempt: Attempt, number: int | None = None, entry: LineEntry | None = None
) -> ResponseReturnValue:
    """Show a record at a page, by its ``number`` or as the address says.

    ``entry`` is a line of its text that could not be saved as it was typed.
    """
    store = installation().store
    blind = checking.to_key_blind(store, viewer(), [document.id])[document.id]
    document, fields = veiled(document, store.fields(document.id), blind)
    pages = store.pages(document.id)
    chosen = next((f for f in fields if f.name == request.values.get("field")), None)
    asked, place = asked_for(request.values), request.values.get("at", type=int)
    text = asked.text
    page = _page(pages, chosen, number)
    status = 409 if attempt.stale else 422 if attempt.errors else 200
    here = {"document_id": document.id, "page": page.number if page else None, **asked.words}
    beside = found_beside(asked, place, document.id) if place and 0 < place <= _FARTHEST else None
    here |= {"at": beside.place} if beside else {}
    corrects = may(viewer(), Action.CORRECT, document.department)
    view = _view(document, page, fields, chosen, text, entry, here) if page else None
    form = form_named(installation().forms, document.form, store.template_of(document.id))
    answer = render_template(
        "record.html",
        document=document,
        attempt=attempt,
        rows=[_row(f, form, attempt, here, view) for f in fields],
        pages=pages,
        view=view,
        turn=_neighbours(pages, page, here),
        here=here,
        beside=beside,
        text=text,
        chosen=chosen,
        may_correct=corrects,
        files=[(f, images.whole_file_is_seen(f, viewer())) for f in store.files(document.id)],
        now={f.name: f.value for f in fields},
        folded=FOLDED,
        history=wording.happenings(
            store.history(document.id), {f.name: f.label for f in fields}, blind
        ),
        blind=blind,
        notes=noting.notes(store, document.id),
        may_remove=lambda note: noting.may_remove(viewer(), document, note),
        tags=noting.tags(store, [document.id])[document.id],
        tags_in_use=noting.tags_in_use(store, viewer()) if corrects else (),
        image_url=images.image_url,
        look=_look(here | ({"field": chosen.name} if chosen else {}), page),
        went_to=arranging.went_to(document.id) if not pages else (),
        thumbnails=len(pages) <= MOST_THUMBNAILS,
    )
    return answer, status


def _look(here: Mapping[str, Any], page: Page | None) -> Look:
    """Return how large and how turned the page is shown, and the addresses of other ways.

    A page that a person has turned is shown so, until it has been read again.
    """
    upright = page.to_turn if page else 0
    zoom = request.values.get("zoom", ZOOMS[0], type=int)
    turn = request.values.get("turn", upright, type=int)
    zoom, turn = zoom if zoom in ZOOMS else ZOOMS[0], turn if turn in TURNS else 0

    def href(zoom: int, turn: int) -> str:
        look: dict[str, Any] = {"zoom": zoom} if zoom != ZOOMS[0] else {}
        look |= {"turn": turn} if turn != upright else {}
        return url_for("record.show", **here, **look, _anchor="page")

    place = ZOOMS.index(zoom)
    return Look(
        zoom,
        turn,
        href(ZOOMS[place + 1], turn) if place + 1 < len(ZOOMS) else None,
        href(ZOOMS[place - 1], turn) if place else None,
        href(zoom, (turn + 90) % 360),
    )


def _page(pages: tuple[Page, ...], chosen: Field | None, number: int | None) -> Page | None:
    """Return the page that was asked for, else the chosen field's, else the first."""
    asked = number or request.values.get("page", type=int)
    wanted = [asked, chosen.page if chosen else None]
    for number in wanted if not chosen or request.method == "POST" else wanted[::-1]:
        for page in pages:
            if page.number == number:
                return page
    return pages[0] if pages else None


def _view(
    document: Document, page: Page, fields: tuple[Field, ...], chosen: Field | None, text: str,
    entry: LineEntry | None, here: Mapping[str, Any],
) -> PageView:  # fmt: skip
    words = installation().store.page_text(document.id, page.number)
    lines = lines_of(words.lines) if words else ()
    hits = hit_boxes(installation(), text, lines) if text else ()
    drawn = marks(fields, page, hits, chosen.name if chosen else None)
    if entry is None and may(viewer(), Action.CORRECT, document.department):
        entry = page_text.asked_entry(words)
    shown = page_text.shown(words, page, entry, installation().settings.forms.sure, here)
    if shown.entry and shown.entry.place:
        drawn.append(Mark("chosen", shown.entry.place, "The line that you correct", None))
    return PageView(page, tuple(drawn), shown)


def _neighbours(
    pages: tuple[Page, ...], page: Page | None, here: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Return the addresses of the page before and the page after."""
    place = pages.index(page) if page else 0
    before = pages[place - 1] if place > 0 else None
    after = pages[place + 1] if place + 1 < len(pages) else None

    def address(p: Page | None) -> str | None:
        values = {**here, "page": p.number} if p else {}
        return url_for("record.show", **values, _anchor="page") if p else None

    return address(before), address(after)


def _row(
    field: Field,
    form: FormTemplate | None,
    attempt: Attempt,
    here: Mapping[str, Any],
    view: PageView | None,
) -> FieldRow:
    spec = form.field(field.name) if form else None
    options = options_of(field, spec)
    text = attempt.typed.get(field.name, field.value)
    if options and text and text not in options:
        options = (*options, text)
    place = {**here, "page": field.page, "field": field.name}
    return FieldRow(
        field=field,
        text=text,
        kept=field.name in attempt.typed,
        error=attempt.errors.get(field.name),
        options=options,
        suggestions=spec.values if spec else (),
        offers=() if options else _offers(field, spec, view),
        long=len(text) > ONE_LINE or "\n" in text,
        show=url_for("record.show", **place, _anchor="page"),
    )


def _offers(field: Field, template: FieldTemplate | None, view: PageView | None) -> tuple[str, ...]:
    """Return what else a field in doubt may say, where its page is the one that is shown."""
    settled = field.by_person or field.status is FieldStatus.OK
    if settled or view is None or view.page.number != field.page:
        return ()
    customs = installation().settings.forms
    words = (shown.word for line in view.text.lines for shown in line.words)
    return offers(field, words, template, Reading(customs.day_first, customs.region))


def options_of(field: Field, template: FieldTemplate | None) -> tuple[str, ...]:
    """Return what a field may be, where that is one of a few; none where anything may be typed."""
    if field.kind == "tick":
        return ("yes", "no")
    return tuple(option.value for option in template.options) if template else ()
