"""The production server: waitress before the app, and a thread that keeps the index current."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from records.errors import BusyError, DigitizeError, SettingsError
from webui import spool
from webui.app import create_app

if TYPE_CHECKING:
    from digitize.installation import Installation

FOLLOW_S = 1.0
_MB = 1_000_000
_BACKLOG = 128
_log = logging.getLogger(__name__)


class Follower:
    """A thread that brings the index up to date with changes of this and other processes."""

    def __init__(self, installation: Installation, every_s: float = FOLLOW_S) -> None:
        self._installation = installation
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="index follower", daemon=True)
        self._failing = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until a round that is under way is over."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._installation.finder.sync()
                self._failing = False
            except (DigitizeError, sqlite3.Error, OSError) as error:
                if not self._failing:  # once, not every second
                    _log.warning("The search index could not be brought up to date: %s", error)
                self._failing = True
            self._stop.wait(self._every_s)
        self._installation.store.close()


class Site:
    """A bound server; ``run`` serves until ``close`` is called or the process is told to end."""

    def __init__(self, installation: Installation) -> None:
        """Bind; raises BusyError when the port is taken, SettingsError for a wrong address."""
        web = installation.settings.web
        # Bound here and not by waitress, which leaves its socket open when that fails.
        bound = _bound(web.host, web.port)
        self._waited_on: dict[int, Any] = {}
        self._server: Any = create_server(
            create_app(installation),
            map=self._waited_on,
            sockets=[bound],
            threads=web.threads,
            ident="",
            # The app refuses a smaller size with a page that says why; this is the backstop.
            max_request_body_size=4 * web.upload_mb * _MB,
            inbuf_overflow=_MB,
            channel_timeout=300,
            clear_untrusted_proxy_headers=True,
        )
        # It warns of every request that waits its turn, which tells a technician nothing.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._follower = Follower(installation)
        self._spool = str(spool.folder(installation.archive))
        host = f"[{web.host}]" if ":" in web.host else web.host
        self.url = f"http://{host}:{bound.getsockname()[1]}"

    def run(self) -> None:
        """Serve until told to stop; then finish the requests that are under way."""
        before = tempfile.tempdir
        tempfile.tempdir = self._spool  # waitress buffers large bodies; /tmp is often small
        self._follower.start()
        try:
            self._server.run()
        finally:
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._waited_on)
            self._follower.stop()
            tempfile.tempdir = before

    def close(self) -> None:
        """Stop serving; may be called from another thread."""
        # What waitress waits on is closed in the thread that waits, or it would trip over it.
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._waited_on))


def serve(installation: Installation, ready: Callable[[str], None] | None = None) -> None:
    """Serve an installation until the process is told to stop.

    ``ready`` is called with the site's address once it answers there. Raises BusyError when the
    port is taken.
    """
    site = Site(installation)
    if ready is not None:
        ready(site.url)
    with _ending_at_sigterm():
        site.run()


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """Let a polite request to end finish the requests that are under way."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raises what a person can mend."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BusyError(
                f"Port {port} of {host} is in use; stop what uses it, or set web.port to another."
            ) from None
        if error.errno == errno.EACCES:
            raise SettingsError(
                f"Port {port} may not be used by this user; set web.port to 1024 or more."
            ) from None
        raise SettingsError(
            f"The site cannot be served at '{host}', port {port} ({error.strerror}); "
            "set web.host to an address of this machine, such as 127.0.0.1."
        ) from None
