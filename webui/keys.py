"""The keys of the site: what each does, on which page, and who wants no keys of one letter."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from records import personal
from webui.context import installation, person, signed_in

blueprint = Blueprint("keys", __name__)

_HINT = "letter-keys"  # put away by who wants no keys of one letter (WCAG 2.1, 2.1.4)


@dataclass(frozen=True, slots=True)
class Key:
    """One or more keys, and what they do there."""

    names: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class Board:
    """The keys of some pages; ``pages`` are endpoints, with the way of working where one has it."""

    name: str
    title: str
    pages: frozenset[str]
    keys: tuple[Key, ...]


EVERYWHERE = Board(
    "every",
    "On every page",
    frozenset(),
    (Key(("?",), "shows the keys of the page; again, or Esc, puts them away"),),
)
BOARDS = (
    Board(
        "search",
        "Search",
        frozenset({"finding.search"}),
        (
            Key(("/",), "to the box to search in"),
            Key(("n",), "the next page of results"),
            Key(("p",), "the page of results before"),
        ),
    ),
    Board(
        "batch",
        "A batch",
        frozenset({"batches.one"}),
        (Key(("n",), "the next page of its records"), Key(("p",), "the page before")),
    ),
    Board(
        "record",
        "A record",
        frozenset({"record.show", "record.correct"}),
        (
            Key(("n",), "the next record that was found"),
            Key(("p",), "the record before"),
            Key(("j",), "the next page of this record"),
            Key(("k",), "the page before"),
            Key(("+",), "the picture larger"),
            Key(("-",), "the picture smaller"),
            Key(("r",), "the picture turned"),
            Key(
                ("←", "→", "↑", "↓"), "move a picture that is larger; so does the mouse, held down"
            ),
        ),
    ),
    Board(
        "check",
        "Check, one by one and record by record",
        frozenset({"checking.work/column", "checking.work/record"}),
        (
            Key(("Enter",), "right as it stands in the box: save it and go on"),
            Key(
                ("↑", "↓"),
                "the field before, the next field; in a long text, from its beginning or its end",
            ),
            Key(("F2", "F3", "F4"), "take what is offered, and go on"),
            Key(("F6",), "nothing is written there (where two people key)"),
            Key(("F8",), "cannot tell: write a note if you like, then Enter"),
            Key(("F9",), "see the whole page; again to go back"),
            Key(("F10",), "take back the last decision"),
        ),
    ),
    Board(
        "groups",
        "Check, in groups",
        frozenset({"checking.work/group"}),
        (
            Key(("←", "→", "↑", "↓"), "from picture to picture"),
            Key(("Space",), "picks out what does not belong there"),
            Key(("Enter",), "confirms the rest"),
            Key(("F10",), "takes back the last decision: all of a group"),
        ),
    ),
    EVERYWHERE,
)


@blueprint.get("/keys")
def every() -> ResponseReturnValue:
    """Show all keys, page by page."""
    return render_template("keys.html", boards=BOARDS)


@blueprint.post("/keys")
def switch() -> ResponseReturnValue:
    """Switch this person's keys of one letter on or off."""
    if request.form.get("letters"):
        personal.bring_back(installation().store, person().id, _HINT)
        flash("Keys of one letter work again.")
    else:
        personal.put_away(installation().store, person().id, _HINT)
        flash("Keys of one letter are switched off.")
    return redirect(url_for(".every"), 303)


@blueprint.app_context_processor
def _for_templates() -> dict[str, Any]:
    return {"keys_here": _here, "letter_keys": _wants_letters}


def on_any_page() -> tuple[Board, ...]:
    """Return the keys of a page that has none of its own."""
    return (EVERYWHERE,)


def _here() -> tuple[Board, ...]:
    """Return the boards of the page that is asked for."""
    way = (request.view_args or {}).get("way")
    page = f"{request.endpoint}/{way}" if way else request.endpoint
    return (*(board for board in BOARDS if page in board.pages), *on_any_page())


def _wants_letters() -> bool:
    known = signed_in()
    try:
        return known is not None and not personal.has_seen(installation().store, known.id, _HINT)
    except sqlite3.OperationalError:  # this may be the very page that says so
        return False
