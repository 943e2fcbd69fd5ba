"""What a person keeps for themselves: saved searches, and the first day's tour put away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri

from records import personal
from records.errors import InputError
from webui.context import installation, person
from webui.finding import asked_for

blueprint = Blueprint("own", __name__)


@blueprint.post("/saved")
def save() -> ResponseReturnValue:
    """Save the search that the form names, and show it again."""
    asked = asked_for(MultiDict(request.form))
    address = iri_to_uri(asked.href()).partition("?")[2]
    try:
        personal.save_search(
            installation().store, person().id, request.form.get("name", ""), address
        )
    except InputError as error:
        flash(str(error), "bad")
    else:
        flash("The search is saved. It stands beside the results, and on the first page.")
    return redirect(asked.href(), 303)


@blueprint.post("/saved/remove")
def remove() -> ResponseReturnValue:
    """Remove a saved search."""
    personal.remove_search(installation().store, person().id, request.form.get("name", ""))
    flash("The saved search is removed. No record was touched.")
    return redirect(url_for("finding.search"), 303)


@blueprint.post("/tour/done")
def end_tour() -> ResponseReturnValue:
    """Put the first day's tour away for this person."""
    personal.put_away(installation().store, person().id, "tour")
    return redirect(url_for("finding.search"), 303)
