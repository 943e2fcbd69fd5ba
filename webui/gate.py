"""The gate before every view: nobody passes unless signed in, or the view is open to all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from records import people
from records.access import Action, departments_for
from records.errors import NotFoundError
from records.people import Person
from webui.context import installation
from webui.errors import signed_out_page
from webui.sessions import PERSON, PROOF, StoredSession

View = TypeVar("View", bound=Callable[..., Any])


def open_to_all(view: View) -> View:
    """Mark a view that answers people who are not signed in."""
    cast(Any, view).open_to_all = True
    return view


def register(app: Flask) -> None:
    """Put the gate before every view of the app; before anything that reads a request's body."""
    app.before_request(_gate)
    app.context_processor(_for_templates)


def begin(person: Person) -> None:
    """Sign a person in, under a new session token."""
    cast(StoredSession, session).begin(person.id, _proof(person))


def safe_next(target: str | None) -> str:
    """Return where to go after signing in: a page of this site, else the first page."""
    home = url_for("finding.search")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    if any(ord(c) < 0x20 or c == "\\" for c in target):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


def _gate() -> ResponseReturnValue | None:
    endpoint = request.endpoint
    if endpoint == "static":
        return None
    g.person = _person()
    if g.person is not None:
        g.viewer = people.viewer(installation().store, g.person)
        return None
    view = current_app.view_functions.get(endpoint or "")
    if view is None or getattr(view, "open_to_all", False):
        return None
    if request.method in ("GET", "HEAD"):
        target = request.full_path if request.query_string else request.path
        return redirect(url_for("signin.sign_in", next=target))
    return signed_out_page()


def _person() -> Person | None:
    """Return the person of this session as the database has them at this moment."""
    person_id = session.get(PERSON)
    if person_id is None:
        return None
    try:
        found = people.by_id(installation().store, person_id)
    except NotFoundError:
        found = None
    if found is None or found.disabled or session.get(PROOF) != _proof(found):
        session.clear()
        return None
    return found


def _proof(person: Person) -> str:
    """Return what ties a session to the password it began with, so that no write revives it."""
    return hashlib.sha256(person.password_hash.encode()).hexdigest()[:32]


def _for_templates() -> dict[str, Any]:
    viewer = g.get("viewer")
    return {
        "person": g.get("person"),
        "may_check": bool(viewer and departments_for(viewer, Action.CORRECT)),
        "may_add": bool(viewer and departments_for(viewer, Action.ADD)),
        "may_administer": bool(viewer and departments_for(viewer, Action.ADMINISTER)),
    }
