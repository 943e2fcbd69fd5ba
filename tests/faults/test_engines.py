"""Engines that crash, hang or write rubbish: a sentence for that page, the others are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import engines
from tests.faults.house import House, Ran
from tests.faults.paper import write_scan

# The page number in a file of many pages: what the engine does there, and what must be said.
WAYS = {
    1: (engines.FAST, "", ""),
    2: (engines.FAILS, "crashed", "Tesseract ended with exit code 3"),
    3: (engines.HANGS, "timeout", "Tesseract was not done after 5 seconds"),
    4: (engines.RUBBISH, "rubbish", "Tesseract gave a table that cannot be read"),
    5: (engines.SHORT_ROWS, "rubbish", "Tesseract gave a table that cannot be read"),
    6: (engines.NO_NUMBERS, "rubbish", "Tesseract gave a table that cannot be read"),
    7: (engines.BAD_UTF8, "rubbish", "Tesseract gave text that is not UTF-8"),
    8: (engines.WRITES_NOTHING, "rubbish", "Tesseract gave no table"),
    9: (engines.KILLS_ITS_READER, "crashed", "made the reading process crash"),
    10: (engines.CRASHES, "crashed", "Tesseract ended with exit code -11"),
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Ran]]:
    """Import a file on each page of which the engine goes wrong in another way."""
    folder = tmp_path_factory.mktemp("engines")
    house = House(folder / "house", {"read.timeout_s": 5, "limits.page_s": 20})
    cases = "".join(f"*-{n}-[0-9]*.png)\n{way[0]}\n;;\n" for n, way in WAYS.items())
    house.engine(f'case "$image" in\n{cases}esac\n')
    scans = folder / "in"
    write_scan(scans / "ways.tif", "one way a page", len(WAYS))
    write_scan(scans / "zz other.png", "the next file")
    house.engine(f'case "$image" in\n{cases}esac\n')
    yield house, house.run("import", scans, "--workers", 1, "--json")
    assert not house.processes()


@pytest.mark.parametrize("page", [2, 3, 4, 5, 6, 7, 8, 9, 10])
def test_a_page_that_the_engine_fails_on_says_why(read: tuple[House, Ran], page: int) -> None:
    """The failure names the file and the page, and says what happened, in a sentence."""
    house, _ = read
    [(failure,)] = house.rows(
        "SELECT p.failure FROM pages p JOIN originals USING (sha256) WHERE name = ? AND number = ?",
        *("ways.tif", page),
    )
    assert failure, f"page {page} counts as read"
    _, kind, said = WAYS[page]
    assert f'"{kind}"' in failure
    assert f"'ways.tif' page {page} " in failure
    assert said in failure
    assert "fault of digitize" not in failure


def test_the_other_pages_are_read(read: tuple[House, Ran]) -> None:
    """Pages on which the engine does its work are read, in that file and in the next."""
    house, ran = read
    found = house.rows("SELECT name, number FROM pages JOIN originals USING (sha256) "
                       "WHERE pages.state = 'read' ORDER BY name")  # fmt: skip
    assert found == [("ways.tif", 1), ("zz other.png", 1)]
    assert ran.json["pages"] == len(WAYS) + 1
    assert ran.json["failed_pages"] == len(WAYS) - 1


def test_a_batch_with_failed_pages_ends_with_7(read: tuple[House, Ran]) -> None:
    """The exit code says that pages failed; there is no traceback."""
    _, ran = read
    assert ran.code == 7
    assert "Traceback" not in ran.err


def test_a_failed_page_is_tried_again(read: tuple[House, Ran]) -> None:
    """The next import reads the failed pages, and only those, once the engine is well."""
    house, _ = read
    reading = "SELECT number, read_at FROM pages JOIN originals USING (sha256) WHERE name = ? AND "
    before = dict(house.rows(reading + "number = 1", "ways.tif"))
    house.engine(engines.FAST)
    again = house.run("import", house.folder.parent / "in", "--workers", 1, "--json")
    assert again.code == 0
    after = dict(house.rows(reading + "pages.state = 'read'", "ways.tif"))
    assert sorted(after) == sorted(WAYS)
    assert after[1] == before[1]


def test_a_missing_engine_ends_the_import_at_once(tmp_path: Path, house: House) -> None:
    """Without Tesseract nothing is begun: exit code 4, and the package is named."""
    empty = tmp_path / "no programs"
    empty.mkdir()
    ran = house.run("import", tmp_path, before=f"import os; os.environ['PATH'] = {str(empty)!r}")
    assert ran.code == 4
    assert "install the package tesseract-ocr" in ran.err


def test_a_missing_language_ends_the_import_at_once(tmp_path: Path, house: House) -> None:
    """A language that is not installed is named with its package, before anything is read."""
    house.set({"read.languages": ["eng", "xyz"]})
    ran = house.run("import", write_scan(tmp_path / "a.png", "a"))
    assert ran.code == 4
    assert "'xyz'" in ran.err
    assert "tesseract-ocr-xyz" in ran.err


@pytest.mark.parametrize(
    "front", ["#!/bin/sh\nexit 127\n", "#!/bin/sh\necho no version at all\n"], ids=["ends", "talks"]
)
def test_an_engine_that_does_not_start_is_missing(tmp_path: Path, house: House, front: str) -> None:
    """A Tesseract that cannot even say its version is reported as missing, without a traceback."""
    assert house.programs
    engines.write_script(house.programs / "tesseract", front)
    ran = house.run("import", write_scan(tmp_path / "a.png", "a"))
    assert ran.code == 4
    assert "Traceback" not in ran.err


def test_an_engine_that_goes_away_ends_the_run(tmp_path: Path, house: House) -> None:
    """When Tesseract is removed in the middle, the pages are not blamed: exit 4, and resumed."""
    scans = write_scan(tmp_path / "in" / "a.tif", "a", 2)
    before = (
        "import ocr.tesseract as t; t.check_languages = lambda _: None; "
        "import os; os.environ['PATH'] = '/nowhere'; "
        "import digitize.poppler as p; p.check_installed = lambda: None"
    )
    ran = house.run("import", scans, "--workers", 1, before=before)
    assert ran.code == 4
    assert house.run("import", scans, "--workers", 1).code == 0
