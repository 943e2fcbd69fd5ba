"""What every view needs: the installation that is served, and the person who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g

from records.access import Viewer
from records.people import Person

if TYPE_CHECKING:
    from digitize.installation import Installation

EXTENSION = "digitize"


def installation() -> Installation:
    """Return the installation that this app serves."""
    return cast("Installation", current_app.extensions[EXTENSION])


def person() -> Person:
    """Return the person who is signed in; only in views that are not open to all."""
    return cast(Person, g.person)


def viewer() -> Viewer:
    """Return what the access rules know of the person who is signed in."""
    return cast(Viewer, g.viewer)


def signed_in() -> Person | None:
    """Return the person who is signed in, or None."""
    return cast(Person | None, g.get("person"))
