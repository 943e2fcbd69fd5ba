"""Signing in and out, and changing one's password."""

from __future__ import annotations

import time

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from records import people
from records.errors import InputError, NotFoundError
from records.people import Person
from records.store import Store
from webui import gate, passwords
from webui.context import installation, person, signed_in

blueprint = Blueprint("signin", __name__)

WINDOW_S = 15 * 60
MOST_BY_NAME = 5
MOST_BY_ADDRESS = 20
_WRONG = "The name or the password is wrong. Check both and try again."
_WAIT = "There were too many wrong tries. Wait 15 minutes, then try again."


@blueprint.get("/sign-in")
@gate.open_to_all
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form."""
    target = gate.safe_next(request.args.get("next"))
    if signed_in() is not None:
        return redirect(target)
    return render_template("sign_in.html", target=target, name="", error=None)


@blueprint.post("/sign-in")
@gate.open_to_all
def sign_in_with_password() -> ResponseReturnValue:
    """Sign a person in, unless the password is wrong or too many were tried."""
    name = request.form.get("name", "").strip()
    target = gate.safe_next(request.form.get("next"))
    found, error = _try(name, request.form.get("password", ""))
    if found is None:
        page = render_template("sign_in.html", target=target, name=name, error=error)
        return page, 429 if error == _WAIT else 401
    gate.begin(found)
    return redirect(target, 303)


@blueprint.post("/sign-out")
@gate.open_to_all
def sign_out() -> ResponseReturnValue:
    """End the session, on the server as well as in the browser."""
    session.clear()
    return redirect(url_for(".sign_in"), 303)


@blueprint.get("/password")
def password() -> ResponseReturnValue:
    """Show the form to change one's own password."""
    return render_template("password.html", errors={}, shortest=passwords.SHORTEST)


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Change one's own password; every session of this person ends."""
    me, new = person(), request.form.get("new", "")
    _, wrong = _try(me.name, request.form.get("password", ""))
    errors = {"password": wrong.replace("name or the password is", "old password is")}
    if not wrong:
        errors = _faults(new, request.form.get("again", ""), me.name)
    if errors:
        shortest = passwords.SHORTEST
        return render_template("password.html", errors=errors, shortest=shortest), 422
    people.set_password(installation().store, me.name, me, passwords.hash_password(new))
    gate.begin(people.by_id(installation().store, me.id))
    flash("Your password is changed. You are signed out everywhere else.")
    return redirect(url_for("finding.search"), 303)


def _faults(new: str, again: str, name: str) -> dict[str, str]:
    try:
        passwords.check_new_password(new, name)
    except InputError as error:
        return {"new": str(error)}
    return {} if new == again else {"again": "The two new passwords differ; type both again."}


def _try(name: str, password: str) -> tuple[Person | None, str]:
    """Return the person whose name and password these are, or None and the reason."""
    store = installation().store
    now, address = time.time(), request.remote_addr or ""
    by_name, by_address = people.failed_sign_ins(store, name, address, now - WINDOW_S)
    if by_name >= MOST_BY_NAME or by_address >= MOST_BY_ADDRESS:
        return None, _WAIT
    # Counted before it is checked, so that many tries at the same moment are counted too.
    people.note_failed_sign_in(store, name, address, now)
    found = _known(store, name)
    if not passwords.check_password(found.password_hash if found else None, password):
        return None, _WRONG
    if found is None or found.disabled:
        return None, _WRONG
    people.forget_failed_sign_ins(store, name)
    if passwords.needs_rehash(found.password_hash):
        people.set_password(store, found.name, found, passwords.hash_password(password))
        found = people.by_id(store, found.id)
    return found, ""


def _known(store: Store, name: str) -> Person | None:
    try:
        return people.by_name(store, name)
    except NotFoundError:
        return None
