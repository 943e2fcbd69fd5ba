"""The production server: waitress before the app, and a thread that keeps the index current.

One process serves alone; of several, see ``webui.crew``, the parent keeps the index current.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from digitize.installation import Installation, open_installation
from records.errors import BusyError, DigitizeError, SettingsError
from records.settings import Settings
from webui import spool
from webui.app import create_app
from webui.crew import Crew

FOLLOW_S = 1.0
_FINISHES_S = 25.0  # what is under way may take so long once told to end; see webui.crew
_MB = 1_000_000
_BACKLOG = 128
_VALUES_BETWEEN_SWEEPS = 20_000  # Python's own 700 costs a search page a quarter of its time
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
            except Exception as error:  # noqa: BLE001 - else the thread ends, and nobody hears of it
                if not self._failing:  # once, not every second
                    said = str(error) or type(error).__name__
                    _log.warning("The search index could not be brought up to date: %s", said)
                self._failing = True
            self._stop.wait(self._every_s)
        self._installation.store.close()


class Site:
    """A bound server; ``run`` serves until ``close`` is called or the process is told to end."""

    def __init__(self, installation: Installation, shared: socket.socket | None = None) -> None:
        """Bind; raises BusyError when the port is taken, SettingsError for a wrong address.

        A ``shared`` socket is bound already, and others serve it too: a share of the threads is
        ours, and the index is not our business.
        """
        web = installation.settings.web
        # Bound here and not by waitress, which leaves its socket open when that fails.
        bound = shared or _bound(web.host, web.port)
        self._waited_on: dict[int, Any] = {}
        self._server: Any = create_server(
            create_app(installation),
            map=self._waited_on,
            sockets=[bound],
            threads=-(-web.threads // process_count(installation)) if shared else web.threads,
            ident="",
            # The app refuses a smaller size with a page that says why; this is the backstop.
            max_request_body_size=4 * web.upload_mb * _MB,
            inbuf_overflow=_MB,
            channel_timeout=300,
            clear_untrusted_proxy_headers=True,
        )
        # It warns of every request that waits its turn, which tells a technician nothing.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._installation = installation
        self._follower = None if shared else Follower(installation)
        self._spool = str(spool.folder(installation.archive))
        self._ending = False
        self.url = _url(web.host, bound)

    def run(self) -> None:
        """Serve until told to stop; then finish the requests that are under way."""
        before = tempfile.tempdir
        tempfile.tempdir = self._spool  # waitress buffers large bodies; /tmp is often small
        threading.Thread(target=self._read_ahead, name="index reader", daemon=True).start()
        if self._follower:
            self._follower.start()
        gc.freeze()  # what is there now stays; a page makes many values, which are soon gone
        gc.set_threshold(_VALUES_BETWEEN_SWEEPS)
        try:
            with suppress(SystemExit, KeyboardInterrupt):
                while not self._ending:
                    self._wait()
            with suppress(KeyboardInterrupt):  # a key pressed once more: at once
                self._finish()
        finally:
            self._ending = True
            for channel in self._channels():
                channel.handle_close()
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._waited_on)
            if self._follower:
                self._follower.stop()
            tempfile.tempdir = before

    def _wait(self) -> None:
        """Read and write what there is to, once (waitress's own loop ends before all is sent)."""
        wasyncore.loop(timeout=1, map=self._waited_on, count=1)

    def _finish(self) -> None:
        """Let nobody new in, and go on until every answer that is under way is sent."""
        wasyncore.dispatcher.close(self._server)  # the socket alone; threads still wake the loop
        until = time.monotonic() + _FINISHES_S
        while time.monotonic() < until:
            for channel in self._channels():
                if not _under_way(channel):
                    channel.handle_close()
            if not self._channels():
                return
            self._wait()

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())

    def _read_ahead(self) -> None:
        with suppress(DigitizeError, sqlite3.Error, OSError):  # a search meets it, and tells it
            self._installation.finder.prepare()
        self._installation.store.close()

    def close(self) -> None:
        """Stop serving, once what is under way is done; for other threads and signal handlers.

        It only says so: an exception out of a handler could tear an answer apart.
        """
        if not self._ending:
            self._ending = True
            self._server.pull_trigger()


def _under_way(channel: Any) -> bool:
    """Say whether a connection has a request that comes in or is worked on, or an answer to send.

    Asked in this order, since a thread that has answered takes its request away last.
    """
    return bool(channel.request or channel.requests or channel.total_outbufs_len)


def serve(installation: Installation, ready: Callable[[str], None] | None = None) -> None:
    """Serve an installation until the process is told to stop.

    ``ready`` is called with the site's address once it answers there. Raises BusyError when the
    port is taken.
    """
    if process_count(installation) > 1:
        _serve_with_others(installation, ready)
        return
    site = Site(installation)
    if ready is not None:
        ready(site.url)
    with _at_sigterm(site.close):
        site.run()


def process_count(installation: Installation) -> int:
    """Return how many processes serve the site."""
    return installation.settings.web.processes or os.cpu_count() or 1


def _serve_with_others(installation: Installation, ready: Callable[[str], None] | None) -> None:
    web = installation.settings.web
    with _bound(web.host, web.port) as bound:
        crew = Crew(_serve_shared, installation.settings, bound, process_count(installation))
        follower = Follower(installation)
        follower.start()
        try:
            with _at_sigterm(_end):
                crew.run(lambda: ready(_url(web.host, bound)) if ready else None)
        finally:
            follower.stop()


def _serve_shared(settings: Settings, bound: socket.socket, up: Callable[[], None]) -> None:
    """Serve, in a process of its own, a socket that others serve too."""
    site = Site(open_installation(settings), bound)
    up()
    with _at_sigterm(site.close):
        site.run()


@contextmanager
def _at_sigterm(end: Callable[[], None]) -> Iterator[None]:
    """Let a polite request to end finish the requests that are under way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end() -> None:
    raise SystemExit(0)


def _url(host: str, bound: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound.getsockname()[1]}"


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
