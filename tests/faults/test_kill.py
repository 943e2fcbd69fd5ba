"""An import that is killed, and the same import again: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults import engines
from tests.faults.house import ROOT, House, end, until
from tests.faults.paper import drawer

ORPHANS_END_S = 2.5  # two seconds, and half a one to look
_RECORDS = """
    SELECT d.sha256, d.part, d.title, d.status, p.number, p.image, p.words
    FROM documents d JOIN pages p ON p.document_id = d.id ORDER BY 1, 2, 5
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float, list[Any]]:
    """Import three files without a kill; return them, the time it took and the records."""
    folder = tmp_path_factory.mktemp("whole")
    scans = drawer(folder / "in")
    house = House(folder / "house")
    house.engine(engines.SLOW)
    began = time.monotonic()
    assert house.run("import", scans, "--workers", 2).code == 0
    return scans, time.monotonic() - began, house.rows(_RECORDS)


@pytest.mark.parametrize("quarter", range(4))
def test_a_killed_import_is_finished_by_the_next(
    house: House, whole: tuple[Path, float, list[Any]], quarter: int
) -> None:
    """kill -9 of an import at any moment loses no record and doubles none.

    Its reading processes, engines included, end by themselves within two seconds; ``check --full``
    finds nothing, the records are found, and nothing is left in the work folder.
    """
    scans, took, expected = whole
    house.engine(engines.SLOW)
    moment = took * (quarter + random.Random(quarter).random()) / 4
    process = house.start("import", scans, "--workers", 2)
    time.sleep(moment)
    process.kill()
    process.wait()
    assert until(lambda: not house.processes(), ORPHANS_END_S), "orphans go on reading"
    end(process)
    again = house.run("import", scans, "--workers", 2)
    assert (again.code, again.err) == (0, "")
    assert house.rows(_RECORDS) == expected
    assert house.problems() == []
    assert house.found("filed") == 3
    assert list((house.archive / "work").iterdir()) == []


def test_a_kill_while_engines_hang_leaves_none_behind(house: House, tmp_path: Path) -> None:
    """Engines that hang do not outlive the import that started them."""
    house.engine(engines.HANGS)
    process = house.start("import", drawer(tmp_path / "in"), "--workers", 2)
    assert until(lambda: _engines(house))
    process.kill()
    process.wait()
    assert until(lambda: not house.processes(), ORPHANS_END_S)
    end(process)


def test_an_import_that_is_interrupted_ends_soon(house: House, tmp_path: Path) -> None:
    """Ctrl-C ends an import in a moment, with a sentence, however long the pages would take."""
    scans = drawer(tmp_path / "in")
    house.engine(engines.HANGS)
    process = house.start("import", scans, "--workers", 2)
    assert until(lambda: _engines(house))
    process.send_signal(2)
    ran = end(process, 5)
    assert ran.code == 1
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    house.engine(engines.FAST)
    assert house.run("import", scans).code == 0
    assert house.sources() == ["a.tif", "b.tif", "c.tif"]


def _engines(house: House) -> bool:
    """Say whether an engine hangs that is nothing but a sleep."""
    for pid in house.processes():
        try:
            if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                return True
        except OSError:
            continue
    return False


def test_a_kill_while_poppler_hangs_leaves_it_not_behind(house: House) -> None:
    """The programs that draw and read PDF pages die with the import, as Tesseract does."""
    assert house.programs
    engines.write_script(house.programs / "pdftotext", "#!/bin/sh\nexec sleep 600\n")
    minutes = ROOT / "scans" / "samples" / "Council Minutes 2021-05-11.pdf"
    process = house.start("import", minutes, "--workers", 1)
    try:
        assert until(lambda: _engines(house))
        process.kill()
        process.wait()
        gone = until(lambda: not house.processes(), ORPHANS_END_S)
    finally:
        for pid in house.processes():
            os.kill(pid, signal.SIGKILL)
        end(process)
    assert gone
