"""Sessions that live in the database, so that they can be ended; the cookie is a random token."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from records import people
from records.store import Store

COOKIE = "digitize_session"
UNKNOWN_S = 3600.0  # how long a form on the sign-in page stays good
REFRESH_S = 300.0  # a session's end is moved on at most this often
PERSON, PROOF, UNTIL = "person", "proof", "until"


class StoredSession(CallbackDict[str, Any], SessionMixin):
    """One person's session; ``token`` is what the cookie holds.

    ``passive`` marks a request that a page made by itself, which keeps no one signed in.
    """

    def __init__(self, data: Mapping[str, Any], token: str, new: bool) -> None:
        def changed(_session: CallbackDict[str, Any]) -> None:
            self.modified = True

        super().__init__(data, changed)
        self.token = token
        self.new = new
        self.modified = False
        self.passive = False
        self.replaced: str | None = None

    def begin(self, person_id: int, proof: str) -> None:
        """Make this the session of a person who has just signed in, under a new token."""
        self.clear()
        self.replaced, self.token, self.new = self.token, _new_token(), True
        self[PERSON], self[PROOF] = person_id, proof


class StoredSessions(SessionInterface):
    """Keep sessions in the store, hashed tokens only; they end after a time without a request."""

    def __init__(self, store: Store, hours: float, secure: bool) -> None:
        self.store = store
        self.seconds = hours * 3600
        self.secure = secure

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """Return the live session that the request's cookie names, or a new one."""
        token = request.cookies.get(COOKIE, "")
        if token and not request.path.startswith("/static/"):
            data = people.load_session(self.store, token, time.time())
            if data is not None:
                return StoredSession(data, token, new=False)
        return StoredSession({}, _new_token(), new=True)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed, and move the session's end on; end it when it is empty."""
        if not isinstance(session, StoredSession) or not (session.modified or session):
            return
        response.vary.add("Cookie")
        now = time.time()
        if session.replaced:
            people.end_session(self.store, session.replaced, now)
        if not session:
            people.end_session(self.store, session.token, now)
            response.delete_cookie(COOKIE, secure=self.secure, httponly=True, samesite="Lax")
            return
        lifetime = self.seconds if PERSON in session else min(UNKNOWN_S, self.seconds)
        ends = float(session.get(UNTIL, 0.0))
        if session.modified or (not session.passive and ends < now + lifetime - REFRESH_S):
            self._keep(session, now, ends if session.passive and ends else now + lifetime)
        if session.new:
            response.set_cookie(
                COOKIE, session.token, secure=self.secure, httponly=True, samesite="Lax"
            )

    def _keep(self, session: StoredSession, now: float, until: float) -> None:
        # A request that was under way while its person signed out must not bring the session back.
        if not session.new and people.load_session(self.store, session.token, now) is None:
            return
        session[UNTIL] = until
        people.save_session(self.store, session.token, dict(session), session.get(PERSON), until)


def _new_token() -> str:
    return secrets.token_urlsafe(32)
