"""The site and the process that reads for it: they end together, and neither fails for long."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digitize.cli import site
from tests.faults import engines
from tests.faults.house import House, end, until
from tests.faults.paper import write_scan


@contextmanager
def serving(house: House) -> Iterator[subprocess.Popen[str]]:
    """Serve the house until the block ends; wait for the site to answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house.set({"web.port": port, "intake.workers": 1})
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
        began = time.monotonic()
        ran = end(process, 10)
    assert time.monotonic() - began < 3
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
