"""The second reader's part: what it looks at, what comes of it, and what it must leave alone."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import second_look, sources
from digitize.scan import Bench, ReadPage, read_scan
from digitize.second_look import look_again
from digitize.signatures import media_type
from digitize.sources import Loaded
from ocr import ppocr
from ocr.calibration import Kind, Tables
from ocr.joining import FIRST, SECOND
from ocr.reading import ReaderError, ReadFailure, Reading
from records.geometry import Box
from records.model import Line, Word
from records.settings import ReadSettings, Settings
from tests.digitize.making import SAMPLES, TEXTS, TRUTH, card

pytest.importorskip("rapidocr")
pytest.importorskip("onnxruntime")

SAMPLE = "comment card.webp"  # filled in by hand, which Tesseract reads badly
MODES = ("both", "best")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "OMP_THREAD_LIMIT", "1")
        yield


def read(loaded: Loaded, settings: Settings, folder: pytest.TempPathFactory) -> ReadPage:
    found = read_scan(loaded, Bench(settings, folder.mktemp("bench"), "test"))
    assert isinstance(found, ReadPage)
    return found


@pytest.fixture(scope="module")
def sample(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> ReadPage:
    """A real card that a person filled in, read by Tesseract."""
    path = SAMPLES / SAMPLE
    loaded = sources.load_page(path, media_type(path), 1, settings)
    return read(loaded, settings, tmp_path_factory)


@pytest.fixture(scope="module")
def typed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> ReadPage:
    """A typed card, read by Tesseract."""
    return read(Loaded(np.array(card()), 200, False, None), settings, tmp_path_factory)


@pytest.fixture(scope="module")
def small(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> ReadPage:
    """A typed card in so small letters that the cleaned page is larger than the scan."""
    page = np.array(card().resize((280, 168)))
    found = read(Loaded(page, 80, False, None), settings, tmp_path_factory)
    assert found.page.geometry.scale > 1.3
    assert found.page.straight.shape < found.page.image.shape
    return found


def look(
    page: ReadPage, mode: str, languages: Sequence[str] = ("eng",), **more: frozenset[str]
) -> Reading:
    found = look_again(page, ReadSettings(mode=mode, languages=tuple(languages)), **more)
    assert isinstance(found, Reading)
    return found


def words(reading: Reading) -> list[Word]:
    return [word for line in reading.lines for word in line.words]


def texts(reading: Reading) -> list[str]:
    return [line.text for line in reading.lines]


def with_words(page: ReadPage, lines: Sequence[Line]) -> ReadPage:
    """Return a page as if Tesseract had read these lines."""
    return replace(page, reading=replace(page.reading, lines=tuple(lines)))


def sure(page: ReadPage) -> ReadPage:
    """Return a page as if Tesseract had been sure of every word."""
    return with_words(page, [
        Line(tuple(replace(word, confidence=0.99) for word in line.words))
        for line in page.reading.lines
    ])  # fmt: skip


def touches(*_: object) -> None:
    raise AssertionError("the second reader was asked")


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test fail when the second reader is asked for anything."""
    for name in ("find_lines", "read_line", "upright_share", "_run", "_session", "version"):
        monkeypatch.setattr(ppocr, name, touches)


# What is left alone


@pytest.mark.usefixtures("untouched")
def test_tesseract_alone_keeps_its_words(sample: ReadPage) -> None:
    """In mode tesseract texts, boxes and order stay; each confidence becomes a probability."""
    tables = Tables({Kind.ALONE: ((0.0, 0.1), (1.0, 0.6))})
    found = look_again(sample, ReadSettings(mode="tesseract"), tables=tables)
    assert isinstance(found, Reading)
    assert replace(found, lines=()) == replace(sample.reading, lines=())
    assert texts(found) == texts(sample.reading)
    for made, was in zip(words(found), words(sample.reading), strict=True):
        assert made.box == was.box
        assert made.confidence == pytest.approx(0.1 + 0.5 * was.confidence)
        assert [r.confidence for r in made.readings] == [was.confidence]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("languages", [("rus",), ("eng", "rus"), ("my_own",)])
def test_unknown_letters_are_left_to_tesseract(
    sample: ReadPage, mode: str, languages: tuple[str, ...]
) -> None:
    """A language whose letters the model does not know is read by Tesseract alone."""
    found = look(sample, mode, languages)
    assert texts(found) == texts(sample.reading)
    assert found.reader == sample.reading.reader


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("mode", MODES)
def test_a_blank_page_is_not_looked_at(sample: ReadPage, mode: str) -> None:
    """On a blank page there is nothing to look for, and no words."""
    blank = replace(sample, page=replace(sample.page, blank=True))
    assert look(with_words(blank, ()), mode).lines == ()


def test_what_was_read_surely_is_not_read_again(
    typed: ReadPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode both costs nothing on a page that Tesseract read well."""
    monkeypatch.setattr(ppocr, "_run", touches)
    assert texts(look(sure(typed), "both")) == list(TEXTS)


def test_best_reads_every_line(typed: ReadPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode best has every line read twice, however sure Tesseract was."""
    seen: list[Box] = []
    real = ppocr.read_line
    monkeypatch.setattr(
        ppocr, "read_line", lambda page, box, *rest: seen.append(box) or real(page, box, *rest)
    )
    found = look(sure(typed), "best")
    assert len(seen) == len(TEXTS)
    assert texts(found) == list(TEXTS)
    assert all(len(word.readings) == 2 for word in words(found))


def test_a_lone_mark_is_not_looked_for(typed: ReadPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A doubtful stop or dash, which nobody would search for, is kept and costs nothing."""
    monkeypatch.setattr(ppocr, "_run", touches)
    lines = list(sure(typed).reading.lines)
    mark = replace(lines[2].words[2], text="--", confidence=0.7)
    lines[2] = Line((*lines[2].words[:2], mark))
    assert texts(look(with_words(typed, lines), "both"))[2].endswith(" --")


def test_what_was_read_surely_is_not_searched_for_lines(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a page with doubt at its head and foot, the second reader is shown these alone."""
    sheet = np.vstack([np.array(card()), np.full((900, 700), 255, np.uint8), np.array(card())])
    page = sure(read(Loaded(sheet, 200, False, None), settings, tmp_path_factory))
    doubtful = [
        Line(tuple(replace(word, confidence=0.4) for word in line.words)) if i != 4 else line
        for i, line in enumerate(page.reading.lines)
    ]
    shown: list[int] = []
    real = ppocr.find_lines
    monkeypatch.setattr(
        ppocr, "find_lines", lambda part, height: shown.append(len(part)) or real(part, height)
    )
    found = look(with_words(page, doubtful), "both")
    assert texts(found) == [*TEXTS, *TEXTS]
    assert len(shown) == 2
    assert sum(shown) < 0.6 * len(sheet)


@pytest.mark.parametrize(("size", "gap"), [(26, 31), (26, 46), (34, 52), (34, 64)])
def test_a_line_that_is_cut_off_by_what_is_shown_is_not_read(
    size: int, gap: int, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The edge of what the second reader is shown adds no piece of a line that was read surely."""
    rows = ["jumping foxes quickly pass by"] * 16
    sheet = Image.new("L", (800, 80 + gap * len(rows)), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
    for row, line in enumerate(rows):
        pen.text((50, 30 + row * gap), line, fill=0, font=font)
    page = sure(read(Loaded(np.array(sheet), 200, False, None), settings, tmp_path_factory))
    lines = [
        Line(tuple(replace(w, confidence=0.3) for w in line.words)) if number in (5, 6, 7) else line
        for number, line in enumerate(page.reading.lines)
    ]
    assert texts(look(with_words(page, lines), "both")) == rows


def test_a_page_of_few_letters_is_searched_whole(
    typed: ReadPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody knows how high letters are, no line is cut by a guess of where it ends."""
    unknown = replace(typed, page=replace(typed.page, letter_height=0.0))
    lines = [
        Line(tuple(replace(word, confidence=0.4) for word in line.words))
        for line in typed.reading.lines
    ]
    shown: list[tuple[int, ...]] = []
    real = ppocr.find_lines
    monkeypatch.setattr(
        ppocr, "find_lines", lambda part, height: shown.append(part.shape) or real(part, height)
    )
    assert texts(look(with_words(unknown, lines), "both")) == list(TEXTS)
    assert shown == [typed.page.straight.shape]


# What it is there for


def right_words(reading: Reading) -> int:
    """Return how many words of the sample's truth were read."""
    truth = json.loads((TRUTH / f"{SAMPLE}.json").read_text(encoding="utf-8"))
    read_words = Counter("\n".join(texts(reading)).split())
    return (read_words & Counter(truth["pages"][0]["text"].split())).total()


@pytest.mark.parametrize("mode", MODES)
def test_a_badly_read_page_is_read_better(sample: ReadPage, mode: str) -> None:
    """On a card filled in by hand two readers find far more of its words than Tesseract alone."""
    alone, both = look(sample, "tesseract"), look(sample, mode)
    assert right_words(both) >= right_words(alone) + 8
    assert len(words(both)) <= 1.2 * len(words(alone)) + 20
    assert both.reader == f"{sample.reading.reader}, {ppocr.version()}"


@pytest.mark.parametrize("mode", MODES)
def test_words_of_two_readers_say_so(sample: ReadPage, mode: str) -> None:
    """Words where the readers differ keep what the other one read, for people to choose from."""
    found = words(look(sample, mode))
    assert any(word.alternatives for word in found)
    readers = {reading.reader for word in found for reading in word.readings}
    assert readers == {FIRST, SECOND}
    assert all(0.0 <= word.confidence <= 1.0 for word in found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_line_that_tesseract_overlooked_is_read(typed: ReadPage, mode: str, missing: int) -> None:
    """Ink that Tesseract read nothing of is found, and stands in its place among the lines."""
    lines = sure(typed).reading.lines
    cut = with_words(typed, lines[:missing] + lines[missing + 1 :])
    assert texts(look(cut, mode)) == list(TEXTS)


def test_a_doubtful_word_is_read_again(typed: ReadPage) -> None:
    """One doubtful word on a page is looked at alone, and put right; the others are not touched."""
    lines = list(sure(typed).reading.lines)
    wrong = replace(lines[2].words[2], text="Fcnwiek", confidence=0.3)
    lines[2] = Line((*lines[2].words[:2], wrong))
    found = look(with_words(typed, lines), "both")
    assert texts(found) == list(TEXTS)
    [looked_at] = [word for word in words(found) if len(word.readings) == 2]
    assert looked_at.alternatives == ("Fcnwiek",)
    assert looked_at.box == wrong.box


def test_verified_words_reach_the_scales(typed: ReadPage) -> None:
    """A word that people have verified is believed against the second reader."""
    lines = list(sure(typed).reading.lines)
    odd = replace(lines[2].words[2], text="Fenwyck", confidence=0.3)
    lines[2] = Line((*lines[2].words[:2], odd))
    page = with_words(typed, lines)
    assert texts(look(page, "both", known=frozenset(["fenwyck"])))[2] == "Owner Aloysius Fenwyck"
    assert texts(look(page, "both"))[2] == TEXTS[2]


# Where words lie


def assert_on_page(page: ReadPage, reading: Reading) -> None:
    height, width = page.page.image.shape
    for word in words(reading):
        assert 0 <= word.box.left < word.box.right <= width, word
        assert 0 <= word.box.top < word.box.bottom <= height, word


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("which", ["sample", "typed", "small"])
def test_words_lie_on_the_cleaned_page(
    which: str, mode: str, request: pytest.FixtureRequest
) -> None:
    """Whoever read a word, its box lies within the page that is kept, scaled or not."""
    page = request.getfixturevalue(which)
    assert_on_page(page, look(page, mode))
    assert_on_page(page, look(with_words(page, ()), mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("which", ["typed", "small"])
def test_words_of_the_second_reader_lie_where_tesseracts_do(
    which: str, mode: str, request: pytest.FixtureRequest
) -> None:
    """Boxes of a page that was scaled for Tesseract are in pixels of the page that is kept."""
    page = request.getfixturevalue(which)
    found = look(with_words(page, ()), mode)
    assert texts(found) == list(TEXTS)
    for made, was in zip(words(found), words(page.reading), strict=True):
        assert FIRST not in [reading.reader for reading in made.readings]
        (x, _), (_, y) = made.box.centre, was.box.centre
        assert was.box.left <= x <= was.box.right
        assert made.box.top <= y <= made.box.bottom
        assert made.box.overlap(was.box) > 0.4 * was.box.width * was.box.height


# When it fails


@pytest.mark.parametrize("step", ["find_lines", "read_line"])
@pytest.mark.parametrize(
    ("kind", "message"),
    [("crashed", "the second reader failed on it"), ("rubbish", "the second reader gave none")],
)
def test_a_failure_is_a_value(
    sample: ReadPage, step: str, kind: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the second reader fails, the page fails with its reason, and nothing is raised."""

    def fail(*_: object) -> None:
        raise ReaderError(kind, message)

    monkeypatch.setattr(second_look.ppocr, step, fail)
    assert look_again(sample, ReadSettings(mode="best")) == ReadFailure(kind, message)
