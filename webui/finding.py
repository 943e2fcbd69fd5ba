"""Finding records: one box, filters, and hits in their line of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from search.index import FACETS, Facet, Filters
from webui import wording
from webui.context import installation, viewer

blueprint = Blueprint("finding", __name__)

LAST_PAGE = 500
LONGEST_QUERY = 1000
_SEEN_AT_ONCE = 8  # values of one filter
_MOST_CHOSEN = 20  # values of one filter
_TITLES = {"form": "Form", "year": "Year", "department": "Department", "status": "Status"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One search as the address of its page says it."""

    text: str
    filters: Filters
    page: int

    def href(self) -> str:
        """Return the address that asks this."""
        asked: dict[str, Any] = {"q": self.text} if self.text else {}
        asked |= {name: list(values) for name, values in asdict(self.filters).items() if values}
        asked |= {"p": self.page} if self.page > 1 else {}
        return url_for("finding.search", **asked)

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
    """A filter with its values."""

    name: str
    title: str
    choices: tuple[Choice, ...]

    @property
    def first(self) -> tuple[Choice, ...]:
        """Return the values that are seen at once: the first few, and those that are on."""
        return tuple(c for n, c in enumerate(self.choices) if c.chosen or n < _SEEN_AT_ONCE)

    @property
    def rest(self) -> tuple[Choice, ...]:
        """Return the values that are folded away."""
        return tuple(c for c in self.choices if c not in self.first)


@blueprint.get("/")
def search() -> ResponseReturnValue:
    """Search the records that this person may see; without words, list the newest."""
    asked = _asked(request.args)
    size = installation().settings.search.page_size
    results = installation().finder.search(
        asked.text, viewer(), asked.filters, size, (asked.page - 1) * size
    )
    pages = min(LAST_PAGE, -(-results.total // size))
    return render_template(
        "search.html",
        asked=asked,
        results=results,
        groups=[_group(name, results.facets.get(name, ()), asked) for name in FACETS],
        first=(asked.page - 1) * size + 1,
        older=replace(asked, page=asked.page + 1).href() if asked.page < pages else None,
        newer=replace(asked, page=asked.page - 1).href() if asked.page > 1 else None,
        pages=pages,
        unfiltered=replace(asked, filters=Filters(), page=1).href(),
        suggested=_suggested(asked, results.suggestion),
    )


def _asked(args: MultiDict[str, str]) -> Asked:
    number = args.get("p", 1, type=int) or 1
    chosen = {name: tuple(dict.fromkeys(args.getlist(name)))[:_MOST_CHOSEN] for name in FACETS}
    return Asked(
        text=args.get("q", "").strip()[:LONGEST_QUERY],
        filters=Filters(**chosen),
        page=min(max(number, 1), LAST_PAGE),
    )


def _suggested(asked: Asked, suggestion: str | None) -> str | None:
    return replace(asked, text=suggestion, page=1).href() if suggestion else None


def _group(name: str, facets: Sequence[Facet], asked: Asked) -> FilterGroup:
    chosen: tuple[str, ...] = getattr(asked.filters, name)
    counts: dict[str, int | None] = {facet.value: facet.count for facet in facets}
    label = _labels()[name]
    choices = []
    for value in [*counts, *(v for v in chosen if v not in counts)]:
        on = value in chosen
        rest = tuple(v for v in chosen if v != value)
        changed = replace(asked.filters, **{name: rest if on else (*chosen, value)})
        href = replace(asked, filters=changed, page=1).href()
        choices.append(Choice(label(value), counts.get(value), on, href))
    return FilterGroup(name, _TITLES[name], tuple(choices))


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
