"""The production server: it binds, follows changes, and stops."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from records.errors import BusyError, DigitizeError, SettingsError
from records.settings import Settings
from webui.crew import Crew
from webui.server import Follower, serve
from webui.server import Site as Server

from .conftest import Site


def _settled(said: Callable[[], bool], within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if said():
            return True
        time.sleep(0.02)
    return False


def _at(site: Site, host: str, port: int, processes: int = 1):
    web = replace(site.installation.settings.web, host=host, port=port, processes=processes)
    return replace(site.installation, settings=replace(site.installation.settings, web=web))


@dataclass
class Finder:
    """Stands in for the finder, and fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    rounds: int = 0

    def sync(self) -> int:
        """Count, or fail."""
        self.rounds += 1
        if self.failures:
            raise self.failures.pop()
        return 0


def test_a_taken_port_is_said_in_one_sentence(site: Site) -> None:
    """A second server on the same port does not start, and says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BusyError, match=r"is in use; stop what uses it, or set web\.port"):
            Server(_at(site, "127.0.0.1", taken.getsockname()[1]))


def test_a_wrong_address_is_said_in_one_sentence(site: Site) -> None:
    """An address that is not this machine's is named."""
    with pytest.raises(SettingsError, match=r"set web\.host"):
        Server(_at(site, "192.0.2.1", 8999))
    with pytest.raises(SettingsError, match=r"set web\.host"):
        Server(_at(site, "no such host", 8999))


def test_it_serves_where_it_says_and_stops(site: Site) -> None:
    """The site answers at the address that it tells, and lets go of the port when it stops."""
    server = Server(_at(site, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    with urllib.request.urlopen(f"{server.url}/health", timeout=5) as answer:
        assert answer.status == 200
        assert "waitress" not in answer.headers.get("Server", "")
    server.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{server.url}/health", timeout=5)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_polite_request_to_end_ends_it(site: Site, processes: int) -> None:
    """SIGTERM, as a service manager sends it, stops the site and returns to the caller."""
    told: list[str] = []

    def ready(url: str) -> None:
        told.append(url)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()

    before = signal.getsignal(signal.SIGTERM)
    serve(_at(site, "127.0.0.1", 0, processes), ready)
    assert told[0].startswith("http://127.0.0.1:")
    assert signal.getsignal(signal.SIGTERM) == before


def _dies(_settings: Settings, _bound: socket.socket, _up: Callable[[], None]) -> None:
    os._exit(3)


def test_a_crew_of_which_nobody_comes_up_ends(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Where every first start fails the site says so in one sentence, and is not said to be up."""
    told: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as bound:
        crew = Crew(_dies, site.installation.settings, bound, 2)
        with pytest.raises(DigitizeError, match=r"^The site cannot be served: .*exit code 3.*\.$"):
            crew.run(lambda: told.append(True))
    assert told == []
    assert len(caplog.records) == 1


def test_changes_are_found_within_a_second_or_two(site: Site) -> None:
    """What another process files is found without anyone asking for it."""
    follower = Follower(site.installation, every_s=0.05)
    follower.start()
    try:
        with site.installation.store.write() as db:
            rev = site.installation.store.next_rev(db)
            db.execute("UPDATE documents SET title = 'Zanzibar', rev = ? WHERE id = 1", [rev])
        client = site.client("carl")
        assert _settled(lambda: "1 record found" in client.get("/?q=title:zanzibar").text)
    finally:
        follower.stop()


@pytest.mark.parametrize("error", [BusyError("busy"), sqlite3.OperationalError("locked"),
                                   OSError("disk"), ValueError("odd"), MemoryError()])  # fmt: skip
def test_following_outlives_a_failure(
    site: Site, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A round that fails is told once and tried again."""
    finder: Any = Finder([error, error])
    follower = Follower(replace(site.installation, finder=finder), every_s=0.01)
    follower.start()
    assert _settled(lambda: finder.rounds > 4)
    follower.stop()
    rounds = finder.rounds
    time.sleep(0.05)
    assert finder.rounds == rounds
    assert len(caplog.records) == 1
