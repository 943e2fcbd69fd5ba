"""PP-OCR with its real models: lines are found and read, and whatever goes wrong is said."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import image, sources
from digitize.signatures import media_type
from ocr import ppocr
from ocr.reading import Character, ReaderError
from records.errors import ExitCode, ProgramMissingError
from records.geometry import Box
from tests.digitize.making import SAMPLES, TEXTS, card, configured
from tests.digitize.test_image import ALL, DENSE, orientation, typed

pytest.importorskip("rapidocr")
pytest.importorskip("onnxruntime")

ENGLISH = ("eng",)
LETTERS = 25.0  # the height of the letters that ``card`` and ``typed`` draw
EMPTY = {"white": 255, "grey": 128, "black": 0}


def text(characters: tuple[Character, ...]) -> str:
    return "".join(character.text for character in characters)


def whole(page: ppocr.Grey) -> Box:
    return Box(0, 0, page.shape[1], page.shape[0])


def drawn(line: str, face: str | None = None) -> ppocr.Grey:
    """Return a picture of one line."""
    font = ImageFont.truetype(face, 34) if face else ImageFont.load_default(34)
    made = Image.new("L", (round(font.getlength(line)) + 68, 68), 255)
    ImageDraw.Draw(made).text((34, 14), line, fill=0, font=font)
    return np.array(made)


def upwards(page: ppocr.Grey) -> ppocr.Grey:
    """Return a page as it is when its lines run upwards."""
    return np.ascontiguousarray(np.rot90(page))


def rows_of_ink(page: ppocr.Grey) -> list[Box]:
    """Return the box of the ink of each line on a page whose lines lie well apart."""
    dark = np.pad((page < 128).any(axis=1).astype(np.int8), 1)
    starts, ends = np.flatnonzero(np.diff(dark) == 1), np.flatnonzero(np.diff(dark) == -1)
    found = []
    for top, bottom in zip(starts.tolist(), ends.tolist(), strict=True):
        columns = np.flatnonzero((page[top:bottom] < 128).any(axis=0))
        found.append(Box(int(columns[0]), top, int(columns[-1]) + 1, bottom))
    return found


# Finding lines


@pytest.mark.parametrize("letter_height", [LETTERS, 0.0])
def test_lines_are_found_top_to_bottom(letter_height: float) -> None:
    """Each line of a page is one box; without the letters' height they are found as well."""
    page = typed()
    found = ppocr.find_lines(page, letter_height)
    assert len(found) == len(DENSE)
    assert list(found) == sorted(found, key=lambda box: box.top)
    for box, ink in zip(found, rows_of_ink(page), strict=True):
        assert box.overlap(ink) > 0.9 * ink.width * ink.height
        assert box.height < 2.5 * ink.height


@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
def test_letters_of_any_size_are_found(times: float) -> None:
    """However finely a page was scanned, its lines are found, and lie on the page."""
    page = np.array(card().resize((round(700 * times), round(420 * times))))
    found = ppocr.find_lines(page, LETTERS * times)
    assert len(found) == len(TEXTS)
    for box in found:
        assert box == Box(*(max(0, edge) for edge in box))
        assert box.right <= page.shape[1]
        assert box.bottom <= page.shape[0]


@pytest.mark.parametrize("ink", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("letter_height", [20.0, 0.0])
def test_an_empty_page_has_no_lines(ink: int, letter_height: float) -> None:
    """A page without writing has no lines, and nothing is read on it."""
    page = np.full((400, 600), ink, np.uint8)
    assert ppocr.find_lines(page, letter_height) == ()
    assert text(ppocr.read_line(page, Box(20, 20, 500, 60), ENGLISH)).strip() == ""


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 900), (900, 2)])
def test_no_page_is_too_small_to_look_at(size: tuple[int, int]) -> None:
    """A scrap of a few pixels has no lines."""
    noise = np.random.default_rng(1).integers(0, 255, size, dtype=np.uint8)
    assert ppocr.find_lines(noise, 0.0) == ()


def test_a_sample_is_read_line_by_line(tmp_path: Path) -> None:
    """On a real scan the lines that are found hold its text, printed and written by hand."""
    path = SAMPLES / "Hollis burial card.png"
    loaded = sources.load_page(path, media_type(path), 1, configured(tmp_path))
    clean = image.clean(loaded.image, orientation(loaded), loaded.bitonal, ALL)
    height, width = clean.straight.shape
    read = []
    for box in ppocr.find_lines(clean.straight, clean.letter_height):
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
        read.append(text(ppocr.read_line(clean.straight, box, ENGLISH)))
    joined = " ".join(read)
    for known in ("RECORD OF INTERMENT", "Theda R. Hollis", "18 Aug 1974", "Mossbank", "185.00"):
        assert known in joined


# Reading a line


@pytest.mark.parametrize("line", [*TEXTS, "$1,204.50 (see No. 7)"])
def test_a_drawn_line_is_read(line: str) -> None:
    """A clear line is read letter by letter, each letter surely, blanks included."""
    page = drawn(line)
    found = ppocr.read_line(page, whole(page), ENGLISH)
    assert text(found) == line
    assert all(0.0 <= character.confidence <= 1.0 for character in found)
    assert np.mean([character.confidence for character in found]) > 0.9


@pytest.mark.parametrize(
    "line", ["Größe: 3½ m², Preis 12,50 €", "Genève, naïve façade ñ §4", "Łódź, Straße 12"]
)
def test_accents_and_marks_are_read(line: str) -> None:
    """Letters of other languages in Latin script, and marks of prices and laws, are answered."""
    try:
        page = drawn(line, "LiberationSans-Regular.ttf")
    except OSError:
        pytest.skip("fonts-liberation is not installed")
    assert text(ppocr.read_line(page, whole(page), ("eng", "deu"))) == line


def test_letters_stand_from_left_to_right_on_their_ink() -> None:
    """Each letter's box lies in the line's, right of the one before, over its own ink."""
    page = np.array(card())
    box = Box(40, 190, 450, 250)  # the third line, 'Owner Aloysius Fenwick'
    found = ppocr.read_line(page, box, ENGLISH)
    assert text(found) == TEXTS[2]
    for character in found:
        assert character.box.overlap(box) == character.box.width * character.box.height > 0
    lefts = [character.box.left for character in found]
    assert lefts == sorted(set(lefts))
    font = ImageFont.load_default(34)
    for place, character in enumerate(found):
        start = 50 + font.getlength(TEXTS[2][:place])
        assert abs(character.box.left - start) < 20


def test_a_line_that_runs_upwards_is_read() -> None:
    """A note up the margin is read too; its letters stand one above the other."""
    page = upwards(drawn("Owner Aloysius Fenwick"))
    box = whole(page)
    assert ppocr.runs_upwards(box)
    found = ppocr.read_line(page, box, ENGLISH, upwards=True)
    assert text(found) == "Owner Aloysius Fenwick"
    bottoms = [character.box.bottom for character in found]
    assert bottoms == sorted(set(bottoms), reverse=True)
    for character in found:
        assert (character.box.left, character.box.right) == (box.left, box.right)
        assert box.top <= character.box.top < character.box.bottom <= box.bottom


def test_a_line_that_runs_upwards_is_found() -> None:
    """A line up the margin is one box, higher than wide."""
    [box] = ppocr.find_lines(upwards(drawn("Owner Aloysius Fenwick")), LETTERS)
    assert box.height > 5 * box.width


def test_a_gap_of_a_form_is_a_blank() -> None:
    """Two answers that stand far apart are two words, though the model sees no blank there."""
    page = np.concatenate((drawn("date"), np.full((68, 150), 255, np.uint8), drawn("2018")), axis=1)
    assert text(ppocr.read_line(page, whole(page), ENGLISH)).split() == ["date", "2018"]


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (1, 40), (40, 1), (5, 2000), (2000, 5)])
def test_no_box_is_too_small_or_too_long(size: tuple[int, int]) -> None:
    """A speck and a rule can be looked at; what is made of them lies in their box."""
    page = np.random.default_rng(1).integers(0, 255, size, dtype=np.uint8)
    found = ppocr.read_line(page, whole(page), ENGLISH)
    assert all(c.box.overlap(whole(page)) > 0 for c in found)


def test_a_huge_box_is_looked_at_in_one_piece() -> None:
    """A whole large page can be taken for a line: nothing fails, and little is read."""
    page = np.full((3000, 4000), 255, np.uint8)
    page[::40] = 0
    assert len(ppocr.read_line(page, whole(page), ENGLISH)) < 10


# Languages


@pytest.mark.parametrize(
    ("languages", "known"),
    [
        (["eng"], True), (["eng", "deu"], True), (["fra", "spa", "pol"], True), (["jpn"], True),
        (["eng", "chi_sim"], True), (["rus"], False), (["eng", "rus"], False), (["ara"], False),
        (["osd"], False), (["my_own"], False), (["srp"], False), (["srp_latn"], True),
    ],
)  # fmt: skip
def test_which_languages_are_known(languages: list[str], known: bool) -> None:
    """Languages of another script, and those that nobody has heard of, are not known."""
    assert ppocr.knows(languages) is known


def test_only_letters_of_the_languages_are_answered() -> None:
    """English pages never hold Chinese; where it is asked for, it may be answered."""
    for languages, other_letters in ((ENGLISH, False), (("eng", "chi_sim"), True)):
        answers = ppocr._characters(not any(code in ppocr._HAN for code in languages))
        assert answers[0] == ""
        assert {*"abzAZ09 .,-ßéñłŠ½€"} <= set(answers)
        assert any("\u3000" <= c <= "\uffef" for c in answers) is other_letters


def test_without_chinese_letters_the_answers_are_the_same() -> None:
    """A model that was loaded without them says of Latin letters what it says with them."""
    shown = np.asarray(cv2.resize(drawn("Permit No. 2019-0412"), (640, 48)), dtype=np.uint8)[None]
    every, latin = ppocr._characters(False), ppocr._characters(True)
    kept = [every.index(character) for character in latin]
    whole_answer = ppocr._run(ppocr._RECOGNITION, shown)[0][:, kept]
    own = ppocr._run(ppocr._RECOGNITION, shown, True)[0]
    assert len(latin) < len(every) / 30
    assert own == pytest.approx(whole_answer / whole_answer.sum(axis=1, keepdims=True), abs=1e-4)


def test_noise_is_never_taken_for_chinese() -> None:
    """Scribbles, which the model likes to take for Han letters, are Latin ones or nothing."""
    drawing = Image.new("L", (900, 64), 255)
    pen, dice = ImageDraw.Draw(drawing), np.random.default_rng(5)
    for x in range(30, 870, 44):
        points = dice.integers((-18, -24), (18, 24), (7, 2)) + np.array((x, 32))
        pen.line([tuple(point) for point in points.tolist()], fill=0, width=3)
    page = np.array(drawing)
    read = text(ppocr.read_line(page, whole(page), ENGLISH))
    assert read
    assert all(ord(c) < 0x250 or c in ppocr._MARKS for c in read), read


# What goes wrong


@pytest.fixture
def fake_session(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Put a model in the place of all others; it answers what a function returns, or raises."""
    ppocr._characters(True)  # read from the real model

    def put(answer: Callable[[], Any]) -> None:
        fake = SimpleNamespace(
            get_inputs=lambda: [SimpleNamespace(name="x")], run=lambda names, inputs: [answer()]
        )
        monkeypatch.setattr(ppocr, "_session", lambda *_: fake)

    return put


def raises(name: str) -> Callable[[], Any]:
    """Return a function that raises an exception of ONNX Runtime, or one of Python's own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    kind = getattr(raised, name, None) or getattr(builtins, name)

    def run() -> Any:
        raise kind("Non-zero status code returned")

    return run


LOOKS: dict[str, Callable[[], object]] = {
    "find_lines": lambda: ppocr.find_lines(typed(), LETTERS),
    "read_line": lambda: ppocr.read_line(typed(), Box(0, 0, 500, 60), ENGLISH),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize(
    "error",
    ["Fail", "RuntimeException", "InvalidArgument", "EngineError", "MemoryError", "RuntimeError"],
)
def test_a_model_that_fails_is_told_as_such(
    look: Callable[[], object],
    error: str,
    fake_session: Callable[[Callable[[], Any]], None],
) -> None:
    """Whatever ONNX Runtime raises is one error, of a kind that the page's failure can have."""
    fake_session(raises(error))
    with pytest.raises(ReaderError, match="the second reader failed") as caught:
        look()
    assert caught.value.kind == "crashed"
    assert caught.value.__cause__ is not None


def test_a_classifier_that_fails_cannot_say(
    fake_session: Callable[[Callable[[], Any]], None],
) -> None:
    """No page is lost because nobody can tell which way up it lies."""
    fake_session(raises("Fail"))
    assert ppocr.upright_share([np.full((48, 192), 255, np.uint8)]) is None


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize(
    "answer",
    [
        np.full((1, 1, 64, 64), np.nan, np.float32),
        np.full((1, 1, 64, 64), np.inf, np.float32),
        np.empty((0, 2), np.float32),
    ],
    ids=["nan", "inf", "empty"],
)
def test_rubbish_is_told_as_such(
    look: Callable[[], object],
    answer: np.ndarray[Any, Any],
    fake_session: Callable[[Callable[[], Any]], None],
) -> None:
    """An answer that is no numbers is never taken for a page without words."""
    fake_session(lambda: answer)
    with pytest.raises(ReaderError, match="no numbers") as caught:
        look()
    assert caught.value.kind == "rubbish"


# What must be installed


def test_it_is_installed_here() -> None:
    """Where both packages are there, nothing is raised, and the version is that of the wheel."""
    ppocr.check_installed()
    assert ppocr.installed()
    assert ppocr.version().startswith("ppocr 3.")


@pytest.mark.parametrize("missing", ["rapidocr", "onnx", "onnxruntime"])
def test_what_is_missing_is_said_with_the_cure(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the models, or what runs them, one sentence names the packages and the setting."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    monkeypatch.setitem(sys.modules, missing, None)  # what cannot be imported
    assert not ppocr.installed()
    with pytest.raises(ProgramMissingError) as caught:
        ppocr.check_installed()
    assert caught.value.exit_code is ExitCode.PROGRAM_MISSING
    said = str(caught.value)
    assert "install the Python packages rapidocr, onnx and onnxruntime" in said
    assert "read.mode to 'tesseract'" in said
    assert (said.count("\n"), said[-1]) == (0, ".")


def test_a_wheel_without_its_models_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rapidocr that has other models, as older ones do, counts as not installed."""
    other = SimpleNamespace(origin=str(tmp_path / "rapidocr" / "__init__.py"))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: other if name == "rapidocr" else real(name)
    )
    with pytest.raises(ProgramMissingError):
        ppocr.check_installed()


def test_each_model_runs_in_one_thread() -> None:
    """Reading processes are as many as cores: a model starts no threads of its own."""
    threads = Path("/proc/self/task")
    before = len(list(threads.iterdir())) if threads.exists() else 0
    session = ppocr._session.__wrapped__(ppocr._RECOGNITION)
    shown = np.zeros((1, 3, 48, 64), np.float32)
    session.run(None, {session.get_inputs()[0].name: shown})
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert before == (len(list(threads.iterdir())) if threads.exists() else 0)


def test_a_model_is_loaded_once_a_process() -> None:
    """Loading takes longer than reading a line, and is done once."""
    assert ppocr._session(ppocr._RECOGNITION) is ppocr._session(ppocr._RECOGNITION)
