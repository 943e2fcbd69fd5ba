"""The app factory: one Flask app for one installation."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2.ext import Extension

from webui import (
    arranging,
    batches,
    checking,
    errors,
    finding,
    gate,
    handing_in,
    headers,
    health,
    images,
    keys,
    noting,
    own,
    record,
    settings,
    signin,
    snippets,
    spool,
    text,
    wording,
)
from webui.context import EXTENSION
from webui.sessions import StoredSessions

if TYPE_CHECKING:
    from digitize.installation import Installation

_MB = 1_000_000
_BLUEPRINTS = (
    signin, finding, record, text, noting, arranging, images, snippets, checking, own, keys,
    settings, handing_in, batches, health,
)  # fmt: skip


class _Unindented(Extension):
    """Templates without their indentation, which is a tenth of what is sent."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return a template's text with its lines at the margin.

        After a tag, whose line end is taken away, a space is left: it may be one between words.
        """
        return re.sub("^ +", "", re.sub(r"(?<=[%#]\}\n) +", "\t", source), flags=re.MULTILINE)


def create_app(installation: Installation, testing: bool = False) -> Flask:
    """Return the site of an installation, ready for a WSGI server."""
    app = Flask("webui")
    web = installation.settings.web
    app.config.update(
        TESTING=testing,
        # CSRF tokens are signed with this. What protects is the random value that each holds,
        # which is compared with the one in the session, in the database; so the key need not be
        # secret, and one that outlives a restart keeps open forms good.
        SECRET_KEY=hashlib.sha256(f"digitize {installation.store.store_id}".encode()).hexdigest(),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        MAX_CONTENT_LENGTH=web.upload_mb * _MB,
        MAX_FORM_PARTS=2000,
    )
    app.extensions[EXTENSION] = installation
    app.session_interface = StoredSessions(
        installation.store, web.session_hours, web.secure_cookies
    )
    spool.register(app, installation.archive)
    headers.register(app)
    errors.register(app)
    gate.register(app)  # before CSRF, which reads the body: strangers' uploads are not taken
    CSRFProtect(app)
    _words(app, installation)
    for module in _BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    return app


def _words(app: Flask, installation: Installation) -> None:
    """Give the templates their filters."""
    settings = installation.settings
    day_first = settings.forms.day_first
    titles = {d.name: d.title for d in installation.store.departments()}
    forms = installation.forms
    app.jinja_env.add_extension(_Unindented)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        status_tag=wording.status_tag,
        reason_tag=wording.REASONS.get,
        counted=wording.counted,
        actor_words=wording.actor_words,
        sentence=wording.sentence,
        sureness=lambda field: wording.confidence_words(field, settings.forms.sure),
        day=lambda iso: wording.day(iso, day_first),
        moment=lambda iso: wording.moment(iso, day_first),
        department_title=lambda name: titles.get(name, name),
        form_title=lambda name: forms[name].title if name in forms else name or "No known form",
    )
