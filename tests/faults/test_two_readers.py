"""What went wrong once where two readers look at a page, and must not again."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitize.scan import Bench, ReadPage, read_scan
from digitize.second_look import look_again
from digitize.sources import Loaded
from ocr import ppocr
from ocr.joining import SecondLine, doubtful_part, join
from ocr.reading import Character, ReaderError, Reading
from records.geometry import Box
from records.model import Line, Word
from records.settings import ReadSettings, Settings
from tests.digitize.making import card, configured
from tests.faults import engines
from tests.faults.paper import write_scan
from tests.faults.readers import HouseWithReader, failures
from tests.ocr.test_joining import first, second, texts, word


def read(page: np.ndarray, dpi: int, tmp_path: Path, **more) -> ReadPage:
    os.environ["OMP_THREAD_LIMIT"] = "1"
    settings: Settings = configured(tmp_path, **more)
    found = read_scan(Loaded(page, dpi, False, None), Bench(settings, tmp_path, "t"))
    assert isinstance(found, ReadPage)
    return found


def house_with(tmp_path: Path, mode: str, old: str, new: str) -> HouseWithReader:
    house = HouseWithReader(tmp_path / "house", {"read.mode": mode})
    house.engine(engines.FAST)
    house.second_reader({})
    runtime = house.packages / "onnxruntime" / "__init__.py"
    runtime.write_text(runtime.read_text().replace(old, new))
    return house


@pytest.mark.parametrize("mode", ["tesseract", "both"])
def test_a_failing_classifier_costs_no_page(tmp_path: Path, mode: str) -> None:
    """When the classifier of lines fails, the letters alone say how a page lies."""
    test = 'if "_cls_" in self.model:'
    house = house_with(tmp_path, mode, test, f'{test}\n            raise Fail("x")')
    house.run("import", write_scan(tmp_path / "a.tif", "a"), "--workers", 1)
    assert failures(house, "a.tif") == {1: None}


def test_a_readers_error_can_be_sent_between_processes() -> None:
    """ReaderError survives pickling; else it breaks the pool: 'made the reading process crash'."""
    again = pickle.loads(pickle.dumps(ReaderError("crashed", "the second reader failed on it")))
    assert (again.kind, str(again)) == ("crashed", "the second reader failed on it")


def test_tesseract_alone_works_beside_a_broken_runtime(tmp_path: Path) -> None:
    """In mode tesseract an onnxruntime that cannot be loaded costs no page."""
    house = house_with(tmp_path, "tesseract", "import os", "raise ImportError('so'); import os")
    house.run("import", write_scan(tmp_path / "a.tif", "a"), "--workers", 1)
    assert failures(house, "a.tif") == {1: None}


def test_a_broken_runtime_ends_the_import_at_once(tmp_path: Path) -> None:
    """In mode both an onnxruntime that cannot be loaded is named before anything is read."""
    house = house_with(tmp_path, "both", "import os", "raise ImportError('so'); import os")
    ran = house.run("import", write_scan(tmp_path / "a.tif", "a"), "--workers", 1)
    assert ran.code == 4, ran.err


def test_a_model_that_cannot_be_loaded_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """read_line turns a failure to load its model into ReaderError too."""
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidProtobuf

    def fail(*_: object) -> None:
        raise InvalidProtobuf("Protobuf parsing failed")

    ppocr._characters.cache_clear()
    monkeypatch.setattr(ppocr, "_session", fail)
    with pytest.raises(ReaderError):
        ppocr.read_line(np.full((48, 200), 255, np.uint8), Box(0, 0, 200, 48), ("eng",))


def test_words_at_the_edge_lie_on_the_page(tmp_path: Path) -> None:
    """A doubtful word at the foot of a page keeps its box within it."""
    whole = np.array(card(("Town of Alder Falls", "Fence 2019-0412", "Owner Fenwick"), (700, 300)))
    page = whole[: np.flatnonzero((whole < 128).any(axis=1))[-1] + 1]
    done = read(np.ascontiguousarray(page), 150, tmp_path, clean={"crop": False})
    *before, last = done.reading.lines
    box = last.words[-1].box
    middle = sum(box[::2]) // 2
    halves = (Word("xx", Box(box.left, box.top, middle - 3, box.bottom), 0.3),
              Word("yy", Box(middle + 3, box.top, box.right, box.bottom), 0.3))  # fmt: skip
    lines = (*before, Line((*last.words[:-1], *halves)))
    lines = tuple(
        Line(tuple(w if w in halves else replace(w, confidence=0.99) for w in line.words))
        for line in lines
    )
    doubtful = replace(done, reading=replace(done.reading, lines=lines))
    found = look_again(doubtful, ReadSettings(mode="both"))
    height, width = done.page.image.shape
    for w in (w for line in found.lines for w in line.words):
        assert (w.box.bottom <= height, w.box.right <= width) == (True, True), w


def test_a_sure_word_that_the_second_skipped_is_kept() -> None:
    """Words read alike do not drag down one between them that only one reader saw."""
    ours = first("Fee 30.50 paid", sure=0.96)
    theirs = SecondLine(
        Box(-4, -4, 150, 24),
        (
            *second("Fee", sure=0.999).characters,
            Character(" ", 1.0, Box(30, 0, 100, 20)),
            *second("paid", 100, sure=0.999).characters,
        ),
    )
    [line] = join([ours], [theirs])
    assert line.text == "Fee 30.50 paid"


def test_a_word_that_only_the_second_saw_is_kept_between_sure_ones() -> None:
    """A word that the first overlooked within a line is put in, however sure the first was."""
    ours = Line((word("Fee", 0, sure=0.97), word("paid", 100, sure=0.97)))
    [line] = join([ours], [second("Fee 30.50 paid", sure=0.96)])
    assert line.text == "Fee 30.50 paid"


def test_one_doubtful_letter_loses_no_line() -> None:
    """Of a line that only the second saw, each word is judged by itself."""
    line = second("Town of Alder Falls", sure=0.99)
    last = line.characters[-1]
    doubtful = SecondLine(line.box, (*line.characters[:-1], replace(last, confidence=0.1)))
    assert join([], [doubtful])[0].text.startswith("Town of Alder")


def test_alternatives_are_what_somebody_else_read() -> None:
    """A word of a line that one reader saw alone has no alternatives, least of all the line."""
    [line] = join([], [second("Town of Alder Falls", sure=0.99)])
    assert [w.alternatives for w in line.words] == [()] * 4


def test_the_reading_that_was_taken_is_no_alternative() -> None:
    """Where one word was parted into two, the first has the other reading beside it."""
    [line] = join([first("AlderFalls", sure=0.3)], [second("Alder Falls", sure=0.95)])
    assert line.words[0].alternatives == ("AlderFalls",)


def test_a_surely_read_word_stays_where_the_second_saw_nothing() -> None:
    """With the shipped tables, what Tesseract read at 0.97 is not thrown away."""
    assert texts(join([first("Fence", sure=0.97)], [SecondLine(Box(-4, -4, 54, 24), ())]))


def test_a_doubtful_word_under_a_sure_one_is_read_again() -> None:
    """A doubtful word that a wide, sure one overlaps is not cut off with it."""
    wide, narrow = Word("wide", Box(0, 0, 100, 20), 0.99), Word("x", Box(50, 0, 80, 20), 0.3)
    assert doubtful_part(Box(0, 0, 110, 20), [wide, narrow], 0.93) is not None


@pytest.mark.parametrize("box", [Box(5, 5, 5, 25), Box(700, 10, 760, 40), Box(-20, -20, -2, 10)])
def test_a_box_without_pixels_holds_nothing(box: Box) -> None:
    """A box beside the page, or of no width, is no crash (low: no caller makes one today)."""
    assert ppocr.read_line(np.full((100, 600), 255, np.uint8), box, ("eng",)) == ()


@pytest.mark.parametrize("place", [(1, 1), (2, 4)])
def test_a_narrow_word_is_not_read_lying_on_its_side(
    tmp_path: Path, place: tuple[int, int]
) -> None:
    """A doubtful '1', higher than wide, is looked at as it stands: it is no line that runs up."""
    wanted = ("Town of Alder Falls", "Lot 1 in Block 7", "Unit A, Floor 4, 1 acre", "114 Maple St")
    page = read(np.array(card(wanted)), 200, tmp_path)
    row, column = place
    lines = [
        Line(
            tuple(
                replace(w, confidence=0.3 if (y, x) == place else 0.99)
                for x, w in enumerate(line.words)
            )
        )
        for y, line in enumerate(page.reading.lines)
    ]
    assert lines[row].words[column].text == "1"
    page = replace(page, reading=replace(page.reading, lines=tuple(lines)))
    found = look_again(page, ReadSettings(mode="both"))
    assert isinstance(found, Reading)
    assert found.lines[row].text == wanted[row]
