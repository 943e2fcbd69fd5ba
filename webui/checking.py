"""Checking: the queue of fields that need a person, and three ways to work through it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from digitize import desk
from digitize.experience import interval
from digitize.forms import FieldTemplate, form_named
from digitize.offers import offers
from digitize.values import Reading
from records import checking, correcting
from records.access import Action, departments_for, require
from records.checking import Check, CheckKind, Waiting, Which
from records.correcting import How
from records.errors import (
    BusyError,
    InputError,
    NotAllowedError,
    NotFoundError,
    StaleVersionError,
)
from records.model import Field, Page, Word
from webui import gate, images, wording
from webui.context import installation, person, viewer
from webui.overlay import AIR
from webui.record import LONGEST_VALUE, ONE_LINE, options_of
from webui.snippets import snippet_url

blueprint = Blueprint("checking", __name__)

COLUMN, TILES, LONGEST_NOTE, LONGEST_KEY = 16, 60, 500, 64
QUEUES = {
    "look": "Needs a look",
    "second": "To be keyed a second time",
    "third": "Keyed differently by two people",
    "senior": "Nobody could tell",
}
_WAYS = ("record", "column", "group")
_MOST_AHEAD = 200  # records on one screen, and those that are fetched ahead


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of the queue and a way to work through it, as the address says it."""

    way: str
    which: Which

    def href(self, **more: Any) -> str:
        """Return the address that asks this."""
        values = {k: v for k, v in asdict(self.which).items() if v is not None and v is not False}
        return url_for("checking.work", way=self.way, **{**values, **more})


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a form in one queue: how many wait, for which reasons."""

    label: str
    count: int
    reasons: tuple[tuple[str, int], ...]
    column: str
    group: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """One form in one queue."""

    form: str
    queue: str
    count: int
    columns: tuple[Column, ...]
    record: str


@dataclass(frozen=True, slots=True)
class Item:
    """One field to decide. Of what is keyed blindly it holds nothing that was read or keyed."""

    check: Check
    title: str
    text: str
    said: str
    options: tuple[str, ...]
    suggestions: tuple[str, ...]
    offers: tuple[str, ...]
    long: bool
    snippet: str | None
    sheet: str | None
    frame: tuple[float, float, float, float] | None  # left, top, width, height in % of the page
    page: int

    @property
    def id(self) -> str:
        return f"{self.check.document_id}-{self.check.name}"

    @property
    def must_say(self) -> bool:
        """Say whether Enter in an empty box is a slip, and not a field that is empty."""
        return self.check.blind


@blueprint.get("/check")
def queue() -> ResponseReturnValue:
    """Show what waits for this person, and how often what passed unseen was wrong."""
    _may_check()
    part = _which()
    waiting = checking.waiting(
        installation().store, viewer(), [replace(part, queue=queue) for queue in QUEUES]
    )
    shown = [
        (s, interval(s.wrong, s.checked)) for s in checking.sampled(installation().store, viewer())
    ]
    batches = [b["name"] for b in installation().store.batches(viewer())]
    return render_template(
        "check.html",
        parts={queue: _parts([w for w in waiting if w.queue == queue], part) for queue in QUEUES},
        queues=QUEUES,
        total=sum(w.count for w in waiting),
        which=part,
        filtered=any((part.department, part.batch, part.reason)),
        departments=sorted(departments_for(viewer(), Action.CORRECT)),
        batches=batches if part.batch in (None, *batches) else [part.batch, *batches],
        reasons={n: tag for n, tag in wording.REASONS.items() if n != CheckKind.SAMPLE},
        sampled=shown,
    )


def _parts(waiting: Sequence[Waiting], part: Which) -> list[Part]:
    made = []
    forms: dict[str, dict[str, list[Waiting]]] = {}
    for each in waiting:
        forms.setdefault(each.form, {}).setdefault(each.name, []).append(each)
    for form, named in forms.items():
        columns = [each for same in named.values() for each in same]
        asked = Asked("record", replace(part, queue=columns[0].queue, form=form))
        fields = [_column(same, asked) for same in named.values()]
        made.append(
            Part(form, columns[0].queue, sum(c.count for c in fields), tuple(fields), asked.href())
        )
    return made


def _column(same: Sequence[Waiting], asked: Asked) -> Column:
    which = replace(asked.which, field=same[0].name)
    grouped = Asked("group", replace(which, grouped=True)).href() if which.queue == "look" else None
    reasons: dict[str, int] = {}
    for each in same:
        reason = "unsure" if each.reason == CheckKind.SAMPLE else each.reason
        reasons[reason] = reasons.get(reason, 0) + each.count
    return Column(
        same[0].label,
        sum(w.count for w in same),
        tuple(reasons.items()),
        Asked("column", which).href(),
        grouped,
    )


@blueprint.get("/check/<any(record,column,group):way>")
def work(way: str) -> ResponseReturnValue:
    """Give this person the next fields, and show them in one of three ways."""
    _may_check()
    asked = Asked(way, _which())
    if way == "group":
        asked = Asked(way, replace(asked.which, queue="look", grouped=True))
    if way == "group" and asked.which.value is None:
        return _groups(asked)
    skip = [int(n) for n in request.args.getlist("skip")[-_MOST_AHEAD:] if _is_number(n)]
    store, hold_s = installation().store, installation().settings.check.hold_minutes * 60
    if way == "record":
        checks = checking.take_record(store, viewer(), asked.which, hold_s, skip)
    else:
        count = TILES if way == "group" else COLUMN
        checks = checking.take(store, viewer(), asked.which, count, hold_s, skip)
    items = _items(checks)
    chosen = next((i for i in items if i.id == request.args.get("at")), items[0] if items else None)
    ids = dict.fromkeys(check.document_id for check in checks)
    return render_template(
        f"check_{way}.html",
        asked=asked,
        items=items,
        chosen=chosen,
        since=int(time.time()),
        ahead=asked.href(skip=[*skip, *ids][-_MOST_AHEAD:]),
        here=asked.href(),
        left=sum(w.count for w in checking.waiting(store, viewer(), [asked.which])),
        queue_title=QUEUES[asked.which.queue],
        last=correcting.last_key(store, viewer()),
        key=secrets.token_hex(8),
    )


def _groups(asked: Asked) -> ResponseReturnValue:
    if asked.which.form is None or asked.which.field is None:
        raise InputError("Groups are of one field of one form; choose it on the page 'Check'.")
    found = checking.groups(installation().store, viewer(), asked.which)
    groups = [
        (value, count, Asked("group", replace(asked.which, value=value)).href())
        for value, count in found
    ]
    last = correcting.last_key(installation().store, viewer())
    return render_template(
        "check_groups.html", asked=asked, groups=groups, here=asked.href(), last=last
    )


@blueprint.get("/records/<int:document_id>/fields/<name>/page")
def look(document_id: int, name: str) -> ResponseReturnValue:
    """Show the whole page that a field stands on, with its place; nothing of what was read."""
    document = installation().store.document(document_id, viewer())
    fields = {f.name: f for f in installation().store.fields(document.id)}
    if name not in fields:
        raise NotFoundError(f"Record {document.id} has no field '{name}'.")
    field = fields[name]
    pages = {p.number: p for p in installation().store.pages(document.id)}
    page = pages.get(field.page)
    if page is None or page.image is None:
        raise NotFoundError(f"Record {document.id} has no picture of page {field.page}.")
    return render_template(
        "check_look.html",
        label=field.label,
        sheet=images.image_url(document.id, page, "large"),
        size=(page.width, page.height),
        frame=_frame(field, page),
        back=gate.safe_next(request.args.get("back")),
    )


@blueprint.post("/records/<int:document_id>/fields/<name>/decision")
def decide(document_id: int, name: str) -> ResponseReturnValue:
    """Take one decision; a script is answered in JSON, a browser without one by the next field."""
    document = installation().store.document(document_id, viewer())
    require(viewer(), Action.CORRECT, document.department)
    try:
        desk.decide(installation(), viewer(), _verdict(document_id, name))
    except (StaleVersionError, InputError) as error:
        return _told(str(error), 409 if isinstance(error, StaleVersionError) else 422)
    hold_s = installation().settings.check.hold_minutes * 60
    checking.hold_on(installation().store, viewer(), hold_s)
    return jsonify(saved=True) if _wants_json() else redirect(_back(), 303)


def _told(said: str, status: int) -> ResponseReturnValue:
    """Say why a decision was not taken, with what was typed, so that it is not lost."""
    if _wants_json():
        return jsonify(saved=False, said=said), status
    typed = request.form.get("offer", request.form.get("value", ""))[:LONGEST_VALUE]
    flash(f"{said} You had typed: {typed}" if typed else said, "bad")
    return redirect(_back(), 303)


def _verdict(document_id: int, name: str) -> desk.Verdict:
    form = request.form
    said = _said(document_id, name)
    # Without scripts, Enter behind the note presses the form's first button.
    if form.get("cannot") or (form.get("note") and not {"offer", "empty"} & form.keys()):
        said = None
    try:
        kind, place = CheckKind(form.get("kind", "")), form["place"]
        seconds = float(form.get("seconds") or time.time() - float(form.get("since") or "nan"))
    except (ValueError, KeyError):
        raise InputError("The form did not say which field it decides; reload the page.") from None
    check = checking.held(installation().store, viewer(), document_id, name)
    if said == "" and check and check.blind and not {"offer", "empty"} & form.keys():
        raise InputError("Type what stands there, or say that nothing is written there.")
    way = form.get("way", "") if form.get("way") in _WAYS else "column"
    longest = installation().settings.check.hold_minutes * 60
    how = How(way, _within(seconds, longest), _key())
    return desk.Verdict(document_id, name, kind, place, said, form.get("note", ""), how)


def _said(document_id: int, name: str) -> str | None:
    """Return the value that was sent; one that is too long only where it stands there already."""
    form = request.form
    value = "" if "empty" in form else form.get("offer", form.get("value", ""))
    value = value.replace("\r\n", "\n").strip()
    if len(form.get("note", "")) > LONGEST_NOTE:
        raise InputError(f"A note has at most {LONGEST_NOTE} characters; shorten it.")
    if len(value) > LONGEST_VALUE:
        fields = installation().store.fields(document_id)
        if value not in [f.value.strip() for f in fields if f.name == name]:
            raise InputError(f"A value has at most {LONGEST_VALUE} characters; shorten it.")
    return value


def _key() -> str:
    """Return what names this decision; one that was sent without a name gets one."""
    key = request.form.get("key", "")
    return key if 0 < len(key) <= LONGEST_KEY else secrets.token_hex(8)


def _within(seconds: float, longest: float) -> float:
    return min(max(seconds, 0.0), longest) if seconds == seconds else 0.0


@blueprint.post("/check/group")
def accept() -> ResponseReturnValue:
    """Accept a group's value for all that were not picked out of it."""
    _may_check()
    form = request.form
    seconds = _within(time.time() - float(form.get("since", type=float) or time.time()), 3600)
    odd, names = set(form.getlist("odd")), form.getlist("item")[:TILES]
    tiles = []
    for item in names:
        number, _, name = item.partition("-")
        if _is_number(number):
            tiles.append(
                desk.Tile(int(number), name, form.get(f"place.{item}", ""), item in odd)
            )  # fmt: skip
    value = form.get("value", "").replace("\r\n", "\n")
    how = How("group", seconds / max(len(tiles), 1), _key())
    tally = desk.decide_alike(installation(), viewer(), tiles, value, how)
    flash(wording.tallied(tally), "bad" if tally.left else "message")
    return redirect(_back(), 303)


@blueprint.post("/check/undo")
def undo() -> ResponseReturnValue:
    """Take back what this person decided last, or what the form names; it is theirs again."""
    _may_check()
    try:
        taken = desk.undo(installation(), viewer(), request.form.get("key"))
    except (BusyError, InputError) as error:
        said, tone = str(error), "bad"
    else:
        said, tone = wording.taken_back(taken), "good"
    if _wants_json():
        return jsonify(saved=tone == "good", said=said), 200 if tone == "good" else 409
    flash(said, tone)
    return redirect(_back(), 303)


@blueprint.post("/check/release")
def release() -> ResponseReturnValue:
    """Give back all that this person holds, and show what waits."""
    _may_check()
    checking.release(installation().store, viewer())
    return redirect(url_for("checking.queue"), 303)


def _may_check() -> None:
    if not departments_for(viewer(), Action.CORRECT):
        raise NotAllowedError(
            f"{person().name} may not check fields; ask an administrator for the right to."
        )


def _which() -> Which:
    """Return the part of the queue that the address names."""
    args = request.args
    queue = args.get("queue", "look")
    return Which(
        queue=queue if queue in QUEUES else "look",
        form=args.get("form") or None,
        field=args.get("field") or None,
        department=args.get("department") or None,
        batch=args.get("batch") or None,
        reason=args.get("reason") or None,
        value=args.get("value"),
        grouped=args.get("grouped") == "True",
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _back() -> str:
    return gate.safe_next(request.form.get("back") or url_for("checking.queue"))


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


# Items


def _items(checks: Sequence[Check]) -> list[Item]:
    made = []
    for number, same in groupby(checks, key=lambda c: c.document_id):
        store = installation().store
        try:
            document = store.document(number, viewer())
        except NotFoundError:  # it has moved to another department at this moment
            continue
        fields = {f.name: f for f in store.fields(number)}
        pages = {p.number: p for p in store.pages(number)}
        form = form_named(installation().forms, document.form, store.template_of(number))
        words: dict[int, list[Word]] = {}
        for check in same:
            field = fields[check.name]
            if field.page not in words:
                lines = store.lines(number, field.page)
                words[field.page] = [w for line in lines for w in line.words]
            template = form.field(check.name) if form else None
            made.append(_item(check, field, document.title, pages, words[field.page], template))
    return made


def _item(
    check: Check,
    field: Field,
    title: str,
    pages: Mapping[int, Page],
    words: Sequence[Word],
    template: FieldTemplate | None,
) -> Item:
    page = pages.get(field.page)
    blind = check.blind
    options = options_of(field, template)
    text = "" if blind else field.value
    return Item(
        check=check,
        title="" if blind else title,
        text=text,
        said="" if blind or field.raw == field.value else field.raw,
        options=options,
        suggestions=template.values if template else (),
        offers=_offered(check, field, words, template, options),
        long=not options and (len(text) > ONE_LINE or "\n" in text or field.kind == "table"),
        snippet=snippet_url(field, check.document_id, page) if page else None,
        sheet=images.image_url(check.document_id, page, "page") if page and page.image else None,
        frame=_frame(field, page) if page else None,
        page=field.page,
    )


def _offered(
    check: Check,
    field: Field,
    words: Sequence[Word],
    template: FieldTemplate | None,
    options: tuple[str, ...],
) -> tuple[str, ...]:
    """Return what is offered at a key each: other readings, or what two people have keyed."""
    if check.kind is CheckKind.SECOND:
        return ()
    if check.two_keyed:
        return tuple(sorted({field.value, check.keyed}))
    if options:
        return tuple(option for option in options if option != field.value)[:3]
    customs = installation().settings.forms
    return offers(field, words, template, Reading(customs.day_first, customs.region))


def _frame(field: Field, page: Page) -> tuple[float, float, float, float] | None:
    """Return where a field stands on its page, in % of its width and height."""
    if field.box is None:
        return None
    box = field.box.grown(page.width // AIR, page.width // AIR)
    across, down = 100 / page.width, 100 / page.height
    return (
        round(max(box.left, 0) * across, 2), round(max(box.top, 0) * down, 2),
        round(box.width * across, 2), round(box.height * down, 2),
    )  # fmt: skip
