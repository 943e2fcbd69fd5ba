"""The one boundary of the site: every error becomes a page that says what to do next."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from records.errors import (
    ArchiveError,
    BusyError,
    DigitizeError,
    InputError,
    NotAllowedError,
    NotFoundError,
    StaleVersionError,
)
from webui import keys
from webui.context import installation

_PRIVATE = ("csrf_token", "password", "new", "again", "version", "save", "confirm", "next")
_LONGEST_TYPED = 2000


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error as a page: its HTTP status, its heading, and what to do next."""

    status: int
    heading: str
    advice: str


_ABSENT = ErrorPage(
    404,
    "Not found",
    "Check the address, or search for the record by a name, a number or a date that stands on it.",
)
_BROKEN = ErrorPage(
    500,
    "Something went wrong",
    "Try again in a minute. If it happens again, tell your technician what you were doing. "
    "Everything that was saved before is safe.",
)
_NO_PAGE = ErrorPage(
    405,
    "This is no page to open",
    "The address belongs to a button. Go to the search, and press the button where you find it.",
)
_TOO_BIG = "Send fewer files at a time, or ask your technician to import a very large file."
_OLD_FORM = (
    "Open the page afresh, and do it again. "
    "This happens when a page stays open for a long time or cookies are switched off."
)
_KINDS: tuple[tuple[type[DigitizeError], ErrorPage], ...] = (
    (NotFoundError, _ABSENT),
    (StaleVersionError, ErrorPage(409, "Changed meanwhile", "Nothing was lost or overwritten.")),
    (
        InputError,
        ErrorPage(
            400, "That cannot be used", "Go back and change it; nothing was changed by this."
        ),
    ),
    (NotAllowedError, ErrorPage(403, "Not allowed", "Everything else works as before.")),
    (BusyError, ErrorPage(503, "Busy", "Wait a minute, then load the page again.")),
    (
        ArchiveError,
        ErrorPage(
            500,
            "The archive cannot be used",
            "Tell your technician what stands here, then try again.",
        ),
    ),
)


def register(app: Flask) -> None:
    """Catch every error of the app's views here, and nowhere else."""
    app.register_error_handler(DigitizeError, _digitize_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OverflowError, _absent)
    app.register_error_handler(OSError, _disk_error)
    app.register_error_handler(sqlite3.OperationalError, _database_error)


def page_for(error: DigitizeError) -> ErrorPage:
    """Return the page that a kind of error gets."""
    return next((page for kind, page in _KINDS if isinstance(error, kind)), _BROKEN)


def signed_out_page() -> Response:
    """Tell someone whose session has ended so, with what they had typed."""
    advice = "Sign in again. Copy what you typed first: it has not been saved."
    page = ErrorPage(401, "You are signed out", advice if _typed() else "Sign in again.")
    return _answer(page, "You did nothing for a while, or signed out in another window.")


def _digitize_error(error: DigitizeError) -> Response:
    page = page_for(error)
    if page.status >= 500:
        said = " ".join([str(error), *getattr(error, "__notes__", ())])
        current_app.logger.error("%s %s: %s", request.method, request.path, said)
    # Someone who may not see a record is told the same as when there is none.
    return _answer(page, "There is no such page." if page is _ABSENT else str(error))


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, CSRFError):
        return _answer(ErrorPage(400, "This page was too old", _OLD_FORM), "Nothing was changed.")
    if isinstance(error, RequestEntityTooLarge):
        limit = installation().settings.web.upload_mb
        said = f"That is more than {limit} MB, or too many files at once; none of it was taken in."
        return _answer(ErrorPage(413, "Too large to send", _TOO_BIG), said)
    if isinstance(error, NotFound):
        return _answer(_ABSENT, "There is no such page.")
    if error.response is not None:  # a redirect that routing asks for
        return make_response(error.get_response())
    status = error.code or 500
    if status >= 500:
        return _answer(_BROKEN, "The page could not be made.")
    other = ErrorPage(status, "That did not work", "Go back and try again; nothing was changed.")
    answer = _answer(_NO_PAGE if status == 405 else other, "")
    for name, value in error.get_headers():  # such as the methods that a page allows
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _absent(error: OverflowError) -> Response:
    """Answer an address with a number that no record can have."""
    return _answer(_ABSENT, "There is no such page.")


def _disk_error(error: OSError) -> Response:
    current_app.logger.error("%s %s: %s", request.method, request.path, error)
    said = "A file could not be read or written; the disk may be full."
    return _answer(ErrorPage(500, _BROKEN.heading, _BROKEN.advice), said)


def _database_error(error: sqlite3.OperationalError) -> Response:
    current_app.logger.error("%s %s: %s", request.method, request.path, error)
    busy = page_for(BusyError())
    return _answer(busy, "The database is busy, or its disk is full; nothing was changed.")


def _answer(page: ErrorPage, said: str) -> Response:
    typed = _typed() if page.status != 413 else {}
    answer = make_response(
        render_template(
            "error.html",
            page=page,
            said=said,
            typed=typed,
            way_on=_way_on(page),
            keys_here=keys.on_any_page,
        ),
        page.status,
    )
    if page.status == 503:
        answer.headers["Retry-After"] = "60"
    return answer


def _way_on(page: ErrorPage) -> tuple[str, str] | None:
    """Return the words and the address of a link to where one can go on, beside the search.

    A page that is not there gets none: nothing may tell it from one that may not be seen.
    """
    number, before = (request.view_args or {}).get("document_id"), _came_from()
    if page.status == 404:
        return None
    if page.status == 401:
        return "Sign in", url_for("signin.sign_in", next=before)
    if page.status >= 500 and request.method == "GET":
        return "Load the page again", request.full_path.rstrip("?")
    if request.blueprint == "handing_in" and page.status != 403:
        return "Back to the upload", url_for("handing_in.upload")
    if number is not None and page.status != 403:
        return "Open the record afresh", url_for("record.show", document_id=number)
    return ("Back to the page before", before) if before else None


def _came_from() -> str | None:
    """Return the page of this site that the request came from, where it is one to open."""
    parts = urlsplit(request.referrer or "")
    adapter = current_app.create_url_adapter(request)
    if parts.netloc != request.host or parts.path.startswith("//") or adapter is None:
        return None
    if not adapter.test(parts.path, "GET"):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _typed() -> dict[str, str]:
    """Return what a refused form held, so that no one has to type it twice."""
    if request.method != "POST" or request.endpoint in ("signin.sign_in", "signin.password"):
        return {}
    if request.mimetype != "application/x-www-form-urlencoded":
        return {}
    return {
        name.partition(".")[2] or name: value[:_LONGEST_TYPED]
        for name, value in request.form.items()
        if value and name not in _PRIVATE and not name.startswith("was.")
    }
