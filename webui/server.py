"""The production server: waitress before the app, and a thread that keeps the index current."""

from __future__ import annotations

import errno
import logging
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from waitress.server import create_server

from records.errors import BusyError, DigitizeError, SettingsError
from webui import spool
from webui.app import create_app

if TYPE_CHECKING:
    from digitize.installation import Installation

FOLLOW_S = 1.0
_MB = 1_000_000
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
        app = create_app(installation)
        try:
            self._server = create_server(
                app,
                host=web.host,
                port=web.port,
                threads=web.threads,
                ident="",
                # The app refuses a smaller size with a page that says why; this is the backstop.
                max_request_body_size=4 * web.upload_mb * _MB,
                inbuf_overflow=_MB,
                channel_timeout=300,
                clear_untrusted_proxy_headers=True,
            )
        except ValueError:
            raise SettingsError(
                f"'{web.host}' is no address of this machine; set web.host, such as to 127.0.0.1."
            ) from None
        except OSError as error:
            raise _bind_error(error, web.host, web.port) from error
        self._follower = Follower(installation)
        self._spool = str(spool.folder(installation.archive))
        host = f"[{web.host}]" if ":" in web.host else web.host
        self.url = f"http://{host}:{web.port}"

    def run(self) -> None:
        """Serve until told to stop; then finish the requests that are under way."""
        before = tempfile.tempdir
        tempfile.tempdir = self._spool  # waitress buffers large bodies; /tmp is often small
        self._follower.start()
        try:
            self._server.run()
        finally:
            self._follower.stop()
            tempfile.tempdir = before

    def close(self) -> None:
        """Stop serving; may be called from another thread."""
        self._server.close()


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


def _bind_error(error: OSError, host: str, port: int) -> DigitizeError:
    if error.errno == errno.EADDRINUSE:
        return BusyError(
            f"Port {port} of {host} is in use; stop what uses it, or set web.port to another."
        )
    if error.errno == errno.EACCES:
        return SettingsError(f"Port {port} may not be used; set web.port to 1024 or more.")
    return SettingsError(
        f"The site cannot be served on {host}:{port} ({error.strerror}); set web.host and web.port."
    )
