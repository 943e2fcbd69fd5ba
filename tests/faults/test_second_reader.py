"""A second reader that hangs, crashes, raises or is missing: one page is lost, never a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import engines, readers
from tests.faults.house import Ran, until
from tests.faults.paper import write_scan
from tests.faults.readers import HouseWithReader, failures

# The page number in a file of many pages: what the models do there, and what must be said.
WAYS = {
    2: (readers.RAISES, "crashed", "the second reader failed on it"),
    3: (readers.HAS_NO_MEMORY, "crashed", "the second reader failed on it"),
    4: (readers.GIVES_NO_NUMBERS, "rubbish", "the second reader gave no numbers"),
    5: (readers.GIVES_NOTHING, "rubbish", "the second reader gave no numbers"),
    6: (readers.CRASHES, "crashed", "made the reading process crash"),
    7: (readers.IS_KILLED, "crashed", "made the reading process crash"),
    8: (readers.HANGS, "timeout", "was not done after 6 seconds (limits.page_s)"),
}
GOOD = (1, 9)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[HouseWithReader]:
    """Return an installation in mode both, with a first reader that takes no time."""
    made = HouseWithReader(tmp_path / "house", {"read.mode": "both"})
    made.engine(engines.FAST)
    yield made
    assert until(lambda: not made.processes(), 3), "processes were left behind"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HouseWithReader, Ran]]:
    """Import a file on each page of which the second reader goes wrong in another way."""
    folder = tmp_path_factory.mktemp("second")
    house = HouseWithReader(folder / "house", {"read.mode": "both", "limits.page_s": 6})
    house.engine(engines.FAST)
    house.second_reader({page: way[0] for page, way in WAYS.items()})
    scans = folder / "in"
    write_scan(scans / "ways.tif", "one way a page", len(WAYS) + len(GOOD))
    write_scan(scans / "zz other.png", "the next file")
    yield house, house.run("import", scans, "--workers", 1, "--json")
    assert not house.processes()


@pytest.mark.parametrize("page", WAYS)
def test_a_page_that_the_second_reader_fails_on_says_why(
    read: tuple[HouseWithReader, Ran], page: int
) -> None:
    """The failure names the file and the page, and says what happened, in a sentence."""
    house, _ = read
    failure = failures(house, "ways.tif")[page]
    assert failure, f"page {page} counts as read"
    _, kind, said = WAYS[page]
    assert f'"{kind}"' in failure
    assert f"'ways.tif' page {page} " in failure
    assert said in failure
    assert "fault of digitize" not in failure


def test_the_other_pages_are_read_by_both(read: tuple[HouseWithReader, Ran]) -> None:
    """Before, between and after the bad pages both readers do their work; the batch goes on."""
    house, ran = read
    found = house.rows("SELECT name, number, reader FROM pages JOIN originals USING (sha256) "
                       "WHERE pages.state = 'read' ORDER BY name, number")  # fmt: skip
    assert [row[:2] for row in found] == [*(("ways.tif", n) for n in GOOD), ("zz other.png", 1)]
    assert all("tesseract" in row[2] and "ppocr" in row[2] for row in found)
    assert ran.json["failed_pages"] == len(WAYS)
    assert (ran.code, "Traceback" in ran.err) == (7, False)
    assert house.problems() == []


def test_failed_pages_are_read_when_the_reader_is_well(
    read: tuple[HouseWithReader, Ran],
) -> None:
    """The next import reads the failed pages again, once the second reader works."""
    house, _ = read
    house.second_reader({})
    again = house.run("import", house.folder.parent / "in", "--workers", 1, "--json")
    assert again.code == 0
    assert again.json["failed_pages"] == 0
    assert set(failures(house, "ways.tif").values()) == {None}


@pytest.mark.parametrize("missing", [("rapidocr", "onnxruntime"), ("onnxruntime",)])
def test_tesseract_alone_needs_no_second_reader(
    house: HouseWithReader, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    """In mode tesseract pages are read where rapidocr and onnxruntime are not installed."""
    house.set({"read.mode": "tesseract"})
    house.without(*missing)
    ran = house.run("import", write_scan(tmp_path / "a.tif", "a"), "--workers", 1, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["failed_pages"] == 0
    assert [reader for (reader,) in house.rows("SELECT reader FROM pages")] == ["tesseract 5.3.0"]


@pytest.mark.parametrize(("missing", "mode"), [("rapidocr", "best"), ("onnxruntime", "both")])
def test_a_missing_second_reader_ends_the_import_at_once(
    house: HouseWithReader, tmp_path: Path, missing: str, mode: str
) -> None:
    """Exit code 4, one sentence that names the cure, and nothing is written to the archive."""
    house.set({"read.mode": mode})
    house.without(missing)
    ran = house.run("import", write_scan(tmp_path / "a.tif", "a"))
    assert (ran.code, ran.out) == (4, "")
    [said] = ran.err.splitlines()
    assert "install the Python packages rapidocr, onnx and onnxruntime" in said
    assert "read.mode to 'tesseract'" in said
    kept = [*house.archive.glob("originals/[!.]*"), *house.archive.glob("pages/[!.]*")]
    assert kept == []
    assert house.rows("SELECT name FROM originals UNION SELECT name FROM batches") == []
    assert house.rows("SELECT 1 FROM documents UNION SELECT 1 FROM pages") == []


def test_a_language_of_another_script_needs_no_second_reader(
    house: HouseWithReader, tmp_path: Path
) -> None:
    """In mode both nothing is asked for that would not be used."""
    assert house.programs
    front = (house.programs / "tesseract").read_text().replace("eng\\nosd", "rus\\nosd")
    engines.write_script(house.programs / "tesseract", front)
    house.set({"read.languages": ["rus"]})
    house.without("rapidocr", "onnxruntime")
    ran = house.run("import", write_scan(tmp_path / "a.tif", "a"), "--workers", 1, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [reader for (reader,) in house.rows("SELECT reader FROM pages")] == ["tesseract 5.3.0"]
