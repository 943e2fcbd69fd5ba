"""The site and the process that reads for it: they end together, and neither fails for long."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

import pytest

from digitize.cli import site
from tests.faults import engines
from tests.faults.house import House, end, until
from tests.faults.paper import write_scan

_BIG = 40_000_000


@contextmanager
def serving(house: House, processes: int = 2) -> Iterator[subprocess.Popen[str]]:
    """Serve the house until the block ends; wait for the site to answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house.set({"web.port": port, "web.processes": processes, "intake.workers": 1})
    process = house.start("serve")
    try:
        assert process.stdout is not None
        assert "The site is at" in process.stdout.readline()
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            end(process)


def test_a_site_that_is_stopped_while_a_big_file_is_read(house: House) -> None:
    """SIGTERM ends site and reader within a page's time; the file waits, untried, and resumes."""
    house.engine("sleep 0.4\n" + engines.FAST)
    house.prepare()
    write_scan(house.inbox / "big.tif", "big", 12)
    with serving(house) as process:
        assert until(lambda: house.rows("SELECT * FROM pages"))
        process.terminate()
        ran = end(process, 10)
    assert (ran.code, ran.err) == (0, "")
    assert not house.processes()
    assert house.rows("SELECT state, tries FROM originals") == [("waiting", 0)]
    read = house.rows("SELECT number FROM pages")
    assert 0 < len(read) < 12
    house.engine(engines.FAST)
    ran = house.run("import", house.inbox, "--workers", 2, "--json")
    assert ran.json["pages"] == 12 - len(read)


def test_a_reader_that_dies_is_started_again(house: House) -> None:
    """When the reading process is killed the site says so once and starts another."""
    house.prepare()
    with serving(house) as process:
        assert until(lambda: _readers(house))
        [first] = _readers(house)
        os.kill(first, signal.SIGKILL)
        assert until(lambda: set(_readers(house)) - {first}, 5)
        write_scan(house.inbox / "a.png", "a")
        assert until(lambda: (house.inbox / "done" / "a.png").exists())
        process.terminate()
        ran = end(process)
    assert ran.code == 0
    assert ran.err.count("has ended; it is started again") == 1


def test_a_serving_process_that_dies_is_started_again(house: House) -> None:
    """The other one serves on, with the same people signed in; it is said once, and mended."""
    with serving(house) as process:
        assert until(lambda: len(_servers(process)) == 2)
        person = Person(house)
        assert person.sign_in() == 303
        [first, second] = _servers(process)
        os.kill(first, signal.SIGKILL)
        assert until(lambda: first not in _servers(process))
        assert all("Search the records" in person.get("/") for _ in range(10))
        assert until(lambda: len(_servers(process)) == 2)
        os.kill(second, signal.SIGKILL)
        assert until(lambda: second not in _servers(process))
        assert all("Search the records" in person.get("/") for _ in range(10))
        process.terminate()
        ran = end(process)
    assert ran.code == 0
    assert ran.err.count("A process that serves the site has ended (exit code -9)") == 1
    assert not house.processes()


def test_serving_processes_end_when_their_parent_is_killed(house: House) -> None:
    """Nobody is left who serves a site that was ended by force; it can be started again."""
    with serving(house) as process:
        assert until(lambda: len(_servers(process)) == 2)
        servers = set(_servers(process))
        process.kill()
        assert until(lambda: not servers & set(house.processes()))
        for pid in house.processes():
            os.kill(pid, signal.SIGTERM)
        assert end(process).code == -signal.SIGKILL
    with serving(house):
        assert Person(house).sign_in() == 303


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_under_way_is_finished(house: House, processes: int) -> None:
    """Whoever waits for a page when the site is told to end still gets it."""
    with serving(house, processes) as process:
        person = Person(house)
        person.get("/sign-in")
        lock = sqlite3.connect(house.archive / "records.db")
        lock.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(person.sign_in)  # until the database can be written
            assert not until(waiting.done, 1)
            process.terminate()
            assert not until(lambda: waiting.done() or process.poll() is not None, 0.5)
            lock.rollback()
            assert waiting.result() == 303
        ran = end(process)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_download_under_way_is_finished(house: House, processes: int) -> None:
    """Whoever takes away a big file, slowly, when the site is told to end gets the whole of it."""
    scan = write_scan(house.folder / "big.png", "big")
    with scan.open("ab") as file:
        file.write(bytes(_BIG))  # more than all buffers on the way hold; no reader minds it
    assert house.run("import", scan).code == 0
    with serving(house, processes) as process:
        person = Person(house)
        person.sign_in()
        with person.open("/records/1/original") as download:
            start = download.read(100_000)
            process.terminate()
            assert not until(lambda: process.poll() is not None, 1.5)
            assert start + download.read() == scan.read_bytes()
        ran = end(process, 10)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("processes", [1, 2])
def test_who_only_stays_connected_keeps_no_site_from_ending(house: House, processes: int) -> None:
    """An idle connection is closed when the site ends, and nobody new is let in."""
    with serving(house, processes) as process:
        host, port = Person(house).address
        with socket.create_connection((host, port), timeout=20) as idle:
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(1000).startswith(b"HTTP/1.1 200")
            process.terminate()
            ran = end(process, 10)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, port), timeout=5)
    assert (ran.code, ran.err) == (0, "")


def test_a_reader_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that is deaf to SIGTERM is killed after a while, without a traceback."""
    monkeypatch.setattr(site, "_READER_ENDS_S", 0.2)
    reader = site._Reader(tmp_path / "config.toml")
    mark = tmp_path / "deaf"
    reader._command = ["sh", "-c", f"trap '' TERM; touch {mark}; exec sleep 60"]
    reader.start()
    assert until(mark.exists)
    reader.stop()
    assert reader._process is not None
    assert reader._process.returncode == -signal.SIGKILL


class Person:
    """A browser without pages: it keeps its session, and is signed in as the first person."""

    def __init__(self, house: House) -> None:
        self._house = house
        port = tomllib.loads(house.config.read_text())["web"]["port"]
        self.address = "127.0.0.1", port
        self._url = f"http://127.0.0.1:{port}"
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()), _Stay())
        self._token = ""

    def open(self, path: str) -> Any:
        """Return an answer that is still to be read."""
        return self._opener.open(self._url + path, timeout=20)

    def get(self, path: str) -> str:
        """Return a page, and keep its token."""
        page = self.open(path).read().decode()
        if found := re.search(r'name="csrf_token" value="([^"]+)"', page):
            self._token = found.group(1)
        return str(page)

    def sign_in(self) -> int:
        """Sign in; return the answer's status."""
        if not self._token:
            self.get("/sign-in")
        password = (self._house.archive / "first-sign-in.txt").read_text().strip()
        form = {"csrf_token": self._token, "name": site.FIRST_NAME, "password": password}
        sent = urlencode(form).encode()
        return int(self._opener.open(f"{self._url}/sign-in", sent, timeout=20).status)


class _Stay(HTTPRedirectHandler):
    """Takes being sent on for the answer."""

    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp


def _servers(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the processes that serve for this one."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline") for pid in children}
    return [pid for pid, place in commands.items() if _says(place, b"spawn_main")]


def _says(command: Path, word: bytes) -> bool:
    try:
        return word in command.read_bytes()
    except OSError:
        return False


def _readers(house: House) -> list[int]:
    """Return the ids of the processes that watch the inbox."""
    found = []
    for pid in house.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"watch" in words:
            found.append(pid)
    return found
