"""Finding records: one box, filters, and hits in their line of text."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import IO, Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from digitize import export
from records import checking, noting, personal
from records.access import Action, may
from records.errors import InputError
from records.model import Document, Field
from records.store import now
from search.finder import Hit
from search.index import FACETS, SORTS, Facet, Filters
from webui import spool, wording
from webui.blind import veiled_title
from webui.context import installation, person, viewer
from webui.snippets import line_url

blueprint = Blueprint("finding", __name__)

LAST_PAGE = 500
LONGEST_QUERY = 1000
_SEEN_AT_ONCE = 8  # values of one filter
_MOST_CHOSEN = 20  # values of one filter
_TOLD, _SHORT = 3, 60  # fields of a hit, and the letters of one
_NEAR = 20  # places that a record is looked for up and down from where it stood
MOST_LISTED = 5000  # records in one table
_PLAIN_IN_QUERIES = "!$'()*,/:;?@"
_SORT_WORDS = {"best": "Best match", "newest": "Newest date", "oldest": "Oldest date"}
_TITLES = {"form": "Form", "year": "Year", "department": "Department", "status": "Status"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One search as the address of its page says it."""

    text: str
    filters: Filters
    page: int
    sort: str

    @property
    def words(self) -> dict[str, Any]:
        """Return what the address says, but for the page of results."""
        asked: dict[str, Any] = {"q": self.text} if self.text else {}
        chosen = {name: list(getattr(self.filters, name)) for name in FACETS}
        asked |= {name: values for name, values in chosen.items() if values}
        return asked | ({"sort": self.sort} if self.sort != SORTS[0] else {})

    def href(self) -> str:
        """Return the address that asks this."""
        page: dict[str, Any] = {"p": self.page} if self.page > 1 else {}
        return _with_query(url_for("finding.search"), self.words | page)

    def record_href(self, number: int, page: int, place: int) -> str:
        """Return the address of a record that was found, at its ``place`` (from 1) of all."""
        path = url_for("record.show", document_id=number)
        return _with_query(path, {"page": page, "at": place} | self.words)

    @property
    def filtered(self) -> bool:
        """Say whether any filter is on."""
        return self.filters != Filters()


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, as a link that switches it on or off."""

    label: str
    count: int | None
    chosen: bool
    href: str


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """A filter with its values: the first few and those that are on, and those folded away."""

    name: str
    title: str
    first: tuple[Choice, ...]
    rest: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Where a record stands among what was found, and what stands before and after it.

    ``listed`` is false when it is found no more, such as after a correction; what has moved up to
    its place is then after it.
    """

    place: int
    listed: bool
    total: int
    before: str | None
    after: str | None
    back: str


@blueprint.get("/")
def search() -> ResponseReturnValue:
    """Search the records that this person may see; without words, list the newest."""
    asked = asked_for(request.args)
    size = installation().settings.search.page_size
    results = installation().finder.search(
        asked.text, viewer(), asked.filters, size, (asked.page - 1) * size, asked.sort
    )
    pages = min(LAST_PAGE, -(-results.total // size))
    return render_template(
        "search.html",
        asked=asked,
        saved=personal.searches(installation().store, person().id),
        tour=not personal.has_seen(installation().store, person().id, "tour"),
        results=results,
        **_telling(results.hits),
        tags=noting.tags(installation().store, [hit.document_id for hit in results.hits]),
        line_url=line_url,
        most_listed=MOST_LISTED,
        most_bound=export.MOST_PAGES,
        sorts={sort: replace(asked, sort=sort, page=1).href() for sort in SORTS},
        sort_words=_SORT_WORDS,
        groups=[_group(name, results.facets.get(name, ()), asked) for name in FACETS],
        first=(asked.page - 1) * size + 1,
        older=replace(asked, page=asked.page + 1).href() if asked.page < pages else None,
        newer=replace(asked, page=asked.page - 1).href() if asked.page > 1 else None,
        pages=pages,
        unfiltered=replace(asked, filters=Filters(), page=1).href(),
        suggested=_suggested(asked, results.suggestion),
    )


@blueprint.get("/offers")
def offers() -> ResponseReturnValue:
    """Send, as a list in JSON, what the last word that is being typed may become."""
    text = request.args.get("q", "")[:LONGEST_QUERY]
    return jsonify(installation().finder.completions(text, viewer()))


def found_beside(asked: Asked, place: int, document_id: int) -> Beside:
    """Return the records before and after one that stood at a ``place`` (from 1) of what was found.

    What was found may have changed since: the record is looked for around its place.
    """
    found, total = _found_around(asked, place, 1)
    if found.get(place) is None or found[place].document_id != document_id:
        found, total = _found_around(asked, place, _NEAR)
        near = [n for n, hit in found.items() if hit.document_id == document_id]
        place = min(near, key=lambda n: abs(n - place)) if near else min(place, total + 1)
    listed = place in found and found[place].document_id == document_id
    hrefs = {n: asked.record_href(hit.document_id, hit.page, n) for n, hit in found.items()}
    size = installation().settings.search.page_size
    back = replace(asked, page=(place - 1) // size + 1).href()
    after = hrefs.get(place + 1 if listed else place)
    return Beside(place, listed, total, hrefs.get(place - 1), after, back)


def _found_around(asked: Asked, place: int, reach: int) -> tuple[dict[int, Hit], int]:
    """Return what was found by its place, so far before and after a place; and how many in all."""
    first = max(place - reach, 1)
    results = installation().finder.search(
        asked.text, viewer(), asked.filters, place + reach - first + 1, first - 1, asked.sort
    )
    return dict(enumerate(results.hits, first)), results.total


@blueprint.get("/found.csv")
def listed() -> ResponseReturnValue:
    """Send what a search finds as a table, up to a number of records that a spreadsheet takes."""
    asked = asked_for(request.args)
    mine = _exportable(asked, MOST_LISTED)[0]
    stream = io.StringIO(newline="")
    export.write_csv(installation(), mine, stream)
    answer = make_response(stream.getvalue().encode("utf-8-sig"))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = 'attachment; filename="records.csv"'
    return answer


def _telling(hits: Sequence[Hit]) -> dict[str, Any]:
    """Return the ``titles`` of records, and those first fields that are ``told`` beside them.

    Who may key a field a second time is not told what the first has keyed.
    """
    store, ids = installation().store, [hit.document_id for hit in hits]
    fields, blind = store.fields_of(ids), checking.to_key_blind(store, viewer(), ids)
    titles, told = {}, {}
    for hit in hits:
        number = hit.document_id
        hidden = [f for f in fields[number] if f.name in blind[number]]
        titles[number] = veiled_title(hit.title, number, hidden)
        shown = (f for f in fields[number] if f not in hidden and _tells(f, hit))
        told[number] = tuple(shown)[:_TOLD]
    return {"titles": titles, "told": told}


def _tells(field: Field, hit: Hit) -> bool:
    if not field.value or len(field.value) > _SHORT or field.kind == "signature":
        return False
    return field.value not in hit.title and field.value != hit.date


@blueprint.get("/found.pdf")
def bound() -> ResponseReturnValue:
    """Send what a search finds as one searchable PDF; first say what cannot be in it, if anything.

    It is made in a file without a name, which is gone when it has been sent, or the server dies.
    """
    asked = asked_for(request.args)
    mine, total = _exportable(asked, export.MOST_PAGES)
    if total > export.MOST_PAGES:
        raise InputError(
            f"These are {total:,} records, and one PDF takes at most {export.MOST_PAGES} pages; "
            "search more narrowly, or add a filter."
        )
    with spool.alone(installation().archive):
        what = export.gathered(installation(), mine)
        if what.left_out and not request.args.get("without"):
            return render_template("found_left_out.html", asked=asked, what=what)
        title = f"Records found: {asked.text}" if asked.text else "Records"
        with ExitStack() as unless_whole:
            file = unless_whole.enter_context(spool.nameless(installation().archive))
            export.write_gathered(installation(), what, title, now(), file)
            unless_whole.pop_all()
    return _sent(file, "records.pdf")


def _exportable(asked: Asked, most: int) -> tuple[list[Document], int]:
    """Return the first records that a search finds, as far as this person may export them.

    Beside them how many it finds in all.
    """
    results = installation().finder.search(asked.text, viewer(), asked.filters, most, 0, asked.sort)
    documents = (installation().store.document(h.document_id, viewer()) for h in results.hits)
    mine = [d for d in documents if may(viewer(), Action.EXPORT, d.department)]
    return mine, results.total


def _sent(file: IO[bytes], name: str) -> Response:
    """Send a file that is open, as a download; it is closed when it has been sent."""
    size = file.tell()
    file.seek(0)
    answer = send_file(file, "application/pdf", as_attachment=True, download_name=name)
    answer.content_length = size
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def asked_for(args: MultiDict[str, str]) -> Asked:
    """Return the search that an address asks for."""
    number = args.get("p", 1, type=int) or 1
    chosen = {name: tuple(dict.fromkeys(args.getlist(name)))[:_MOST_CHOSEN] for name in FACETS}
    return Asked(
        text=args.get("q", "").strip()[:LONGEST_QUERY],
        filters=Filters(**chosen),
        page=min(max(number, 1), LAST_PAGE),
        sort=args["sort"] if args.get("sort") in SORTS else SORTS[0],
    )


def _with_query(path: str, words: Mapping[str, Any]) -> str:
    """Return an address as ``url_for`` makes it, which takes its time over a hundred of them."""
    query = urlencode(words, doseq=True, safe=_PLAIN_IN_QUERIES)
    return f"{path}?{query}" if query else path


def _suggested(asked: Asked, suggestion: str | None) -> str | None:
    return replace(asked, text=suggestion, page=1).href() if suggestion else None


def _group(name: str, facets: Sequence[Facet], asked: Asked) -> FilterGroup:
    chosen: tuple[str, ...] = getattr(asked.filters, name)
    counts: dict[str, int | None] = {facet.value: facet.count for facet in facets}
    label = _labels()[name]
    choices: list[Choice] = []
    for value in [*counts, *(v for v in chosen if v not in counts)]:
        on = value in chosen
        others = tuple(v for v in chosen if v != value)
        changed = replace(asked.filters, **{name: others if on else (*chosen, value)})
        href = replace(asked, filters=changed, page=1).href()
        choices.append(Choice(label(value), counts.get(value), on, href))
    first = tuple(c for n, c in enumerate(choices) if c.chosen or n < _SEEN_AT_ONCE)
    rest = tuple(c for n, c in enumerate(choices) if not c.chosen and n >= _SEEN_AT_ONCE)
    return FilterGroup(name, _TITLES[name], first, rest)


def _labels() -> Mapping[str, Callable[[str], str]]:
    """Return, for each filter, how its values are written."""
    words = current_app.jinja_env.filters
    return {
        "form": words["form_title"],
        "year": lambda value: value or "No date",
        "department": words["department_title"],
        "status": _status_word,
    }


def _status_word(value: str) -> str:
    try:
        return wording.status_tag(value).word
    except ValueError:  # made up in the address bar
        return value
