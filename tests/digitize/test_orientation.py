"""How pages lie: the project's own scans in every turn, and pages drawn for one question each."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import image, orientation
from digitize.orientation import SURE_ENOUGH, Grey, find_orientation
from ocr import ppocr
from records.settings import Settings
from tests.digitize.making import card
from tests.digitize.test_image import ALL, DENSE, SAMPLE_PAGES, Sample, loaded, typed

TURNS = (0, 90, 180, 270)
NO_ASCENDERS = (
    "PURCHASE ORDER 0047711 SHEET 1",
    "REQUISITION NO. 2004, 11 MARCH",
    "TOTAL AMOUNT DUE UPON RECEIPT",
    "CITY OF ALDER FALLS, ROOM 114",
    "QUANTITY 26, PRICE EACH 11.50",
)


def apart(one: float, other: float) -> float:
    """Return the degrees between two angles."""
    return abs((one - other + 180) % 360 - 180)


def turned(page: Grey, turn: int) -> Grey:
    """Return a page as it lies when it needs a turn to stand upright."""
    return np.ascontiguousarray(np.rot90(page, turn // 90))


def blank_sheet() -> Grey:
    return np.full((1400, 1000), 255, np.uint8)


def framed_out(sample: Sample, settings: Settings) -> Grey:
    """Return a sample as its orientation is looked for: the scanner's frame left out."""
    if sample.truth["blank"]:
        pytest.skip("nothing on a blank page says how it lies")
    page = loaded(sample.file, sample.number, settings).image
    frame = image.border_mask(page)
    return page if frame is None else np.where(frame > 0, np.uint8(255), page)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("sample", SAMPLE_PAGES, ids=str)
def test_letters_say_how_a_sample_lies(sample: Sample, turn: int, settings: Settings) -> None:
    """By its letters alone each page's turn is right or unsure, and never on its side wrongly."""
    found = find_orientation(turned(framed_out(sample, settings), turn))
    true = (sample.truth["turn"] + turn) % 360
    assert found.turn % 180 == true % 180
    assert found.turn == true or found.sureness < SURE_ENOUGH
    lies = found.turn + found.skew_degrees
    assert apart(lies % 180 * 2, (true + sample.truth["skew_degrees"]) % 180 * 2) <= 0.6


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("sample", SAMPLE_PAGES, ids=str)
def test_the_classifier_makes_sure(sample: Sample, turn: int, settings: Settings) -> None:
    """With the classifier of lines each page's turn is right, and surely so."""
    pytest.importorskip("rapidocr")
    seen = turned(framed_out(sample, settings), turn)
    found = find_orientation(seen, judge=ppocr.upright_share)
    assert found.turn == (sample.truth["turn"] + turn) % 360
    assert found.sureness >= SURE_ENOUGH
    assert apart(found.skew_degrees, sample.truth["skew_degrees"]) <= 0.3


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("skew", [0.0, 2.5, -7.0, 12.0])
def test_any_turn_and_skew_is_found(turn: int, skew: float) -> None:
    """A page turned and leaning by a known angle is found to lie so, and is put upright."""
    page = turned(image.rotate(typed(), -skew), turn)
    found = find_orientation(page)
    assert found.turn == turn
    assert found.sureness >= SURE_ENOUGH
    assert found.skew_degrees == pytest.approx(skew, abs=0.1)
    clean = image.clean(page, found, False, ALL)
    again = find_orientation(clean.image)
    assert again.turn == 0
    assert abs(again.skew_degrees) < 0.1


@pytest.mark.parametrize("skew", [-0.4, -0.3, -0.2, 0.2, 0.3, 0.4])
def test_a_small_skew_is_not_taken_for_none(skew: float) -> None:
    """The pixels' own grid does not draw a page that leans a little to 0 degrees."""
    small = image.reduced(typed(), 0.5)
    big = blank_sheet()
    big[300 : 300 + small.shape[0], 200 : 200 + small.shape[1]] = small
    found = find_orientation(image.rotate(big, -skew))
    assert found.skew_degrees == pytest.approx(skew, abs=0.05)


def figures() -> Grey:
    """Return a table: narrow columns of figures, far apart, their rows close."""
    page = Image.new("L", (1000, 1400), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(28)
    for column in range(4):
        for row in range(44):
            number = (row * 7 + column * 31) % 90 + 10
            pen.text((130 + column * 220, 60 + row * 29), f"{number}", fill=0, font=font)
    return np.array(page)


@pytest.mark.parametrize("turn", [0, 90])
def test_columns_of_figures_are_not_lines(turn: int) -> None:
    """Figures below each other make sharper rows than those beside; they are no lines of text."""
    found = find_orientation(turned(figures(), turn))
    assert found.turn % 180 == turn


def test_a_note_up_the_margin_does_not_turn_a_page() -> None:
    """Where lines run in two directions, those that are more count."""
    page = blank_sheet()
    page[100:1000] = typed()
    note = np.array(card(DENSE[:1], (1000, 120)))[::2, ::2]
    page[850:1350, 20 : 20 + note.shape[0]] = np.rot90(note)
    found = find_orientation(page)
    assert found.turn == 0
    assert found.sureness >= SURE_ENOUGH


def speckled() -> Grey:
    page = blank_sheet()
    drawn = np.random.default_rng(3)
    for x, y, size in drawn.integers((30, 30, 2), (970, 1370, 7), (1500, 3)):
        cv2.circle(page, (int(x), int(y)), int(size), 0, -1)
    return page


def ruled() -> Grey:
    page = blank_sheet()
    for y in range(100, 1300, 60):
        page[y : y + 3, 80:920] = 0
    for x in range(80, 921, 210):
        page[100:1243, x : x + 3] = 0
    return page


@pytest.mark.parametrize("page", [speckled(), ruled(), blank_sheet()], ids=["specks", "rules", "-"])
@pytest.mark.parametrize("turn", TURNS)
def test_what_is_no_writing_says_nothing(page: Grey, turn: int) -> None:
    """Specks, a table of bare rules, an empty sheet: nothing of how they lie is sure."""
    assert find_orientation(turned(page, turn)).sureness < SURE_ENOUGH


def dotted() -> Grey:
    """Return a form of capitals, most of whose marks are the leaders' dots."""
    page = blank_sheet()
    for y in (40, 280):
        page[y : y + 225, 40:540] = image.reduced(typed(NO_ASCENDERS), 0.5)[:225]
    for y in range(560, 1300, 22):
        for x in range(60, 940, 8):
            page[y : y + 2, x : x + 4] = 0
    return page


def test_dots_are_not_taken_for_the_letters() -> None:
    """How high letters are is told by letters, however many dots lead from label to answer."""
    lettered = blank_sheet()
    lettered[40:265, 40:540] = image.reduced(typed(NO_ASCENDERS), 0.5)[:225]
    seen = orientation.see(dotted())
    assert np.median(seen.stats[:, 3]) < orientation._READABLE
    assert orientation.letter_height(seen) == pytest.approx(
        orientation.letter_height(orientation.see(lettered)), rel=0.1
    )


def looks_upright(shown: Sequence[Grey]) -> float:
    """Judge lines by where their heavier half is: ours are drawn with a thick foot."""
    halves = [(255.0 - crop[:24].mean(), 255.0 - crop[24:].mean()) for crop in shown]
    return float(np.mean([foot > head for head, foot in halves]))


def footed() -> Grey:
    """Return lines of which only a judge can say which way is up."""
    page = blank_sheet()
    for y in range(120, 1300, 60):
        for x in range(80, 900, 18):
            page[y : y + 20, x : x + 3] = 0
            page[y : y + 20, x + 9 : x + 12] = 0
            page[y + 13 : y + 20, x : x + 12] = 0
    return page


@pytest.mark.parametrize("turn", TURNS)
def test_a_judge_tells_which_way_is_up(turn: int) -> None:
    """What is shown to a judge are lines, level, either upright or on their heads."""
    found = find_orientation(turned(footed(), turn), judge=looks_upright)
    assert found.turn == turn
    assert found.sureness >= SURE_ENOUGH


@pytest.mark.parametrize("judge", [None, lambda shown: None, lambda shown: 0.5])
def test_a_judge_may_have_nothing_to_say(judge: orientation.Judge | None) -> None:
    """Without a judgement the letters alone decide."""
    found = find_orientation(turned(typed(), 180), judge=judge)
    assert found.turn == 180


@pytest.mark.parametrize("texts", [("Approved May 11 2021, J. Fenwick",), DENSE])
def test_a_page_with_a_line_is_not_blank(texts: tuple[str, ...]) -> None:
    """One line in the middle of a page is enough to keep it."""
    page = blank_sheet()
    page[400 : 400 + 900] = typed(texts)
    assert not orientation.is_blank(page)


def test_a_narrow_slip_is_not_blank() -> None:
    """A slip with a single line, scanned by itself, is writing from edge to edge."""
    slip = np.array(card(("Receipt 4711 for A. Fenwick, dog licence 2019",), (1000, 110)))
    assert not orientation.is_blank(slip[20:100])


@pytest.mark.parametrize("skew", [0.0, 6.0])
def test_lines_to_try_a_turn_on(skew: float) -> None:
    """The longest lines are cut out of a page, level and whole; a page without any gives none."""
    lines = orientation.lines_to_try(image.rotate(typed(), -skew), skew)
    assert lines is not None
    assert (lines < 128).sum() == pytest.approx((typed() < 128).sum() * 0.8, rel=0.1)
    assert abs(find_orientation(lines, turn=False).skew_degrees) < 0.1
    assert orientation.lines_to_try(blank_sheet(), 0.0) is None


# The classifier of PP-OCR


@pytest.fixture
def _fresh() -> Iterator[None]:
    """Let the model be looked for anew, in the test and after it."""
    ppocr._session.cache_clear()
    yield
    ppocr._session.cache_clear()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("texts", [DENSE, NO_ASCENDERS])
def test_the_classifier_tells_lines_on_their_heads(turn: int, texts: tuple[str, ...]) -> None:
    """Capitals and figures, which have no ascenders, are told as surely as other text."""
    pytest.importorskip("rapidocr")
    found = find_orientation(turned(typed(texts), turn), judge=ppocr.upright_share)
    assert found.turn == turn
    assert found.sureness >= 0.8


@pytest.mark.parametrize("turn", TURNS)
def test_leaders_of_dots_are_not_asked(turn: int) -> None:
    """Rows of dots, most of what is on some forms, do not drown its lines."""
    pytest.importorskip("rapidocr")
    found = find_orientation(turned(dotted(), turn), judge=ppocr.upright_share)
    assert found.turn == turn
    assert found.sureness >= SURE_ENOUGH


@pytest.mark.parametrize("size", [(48, 192), (20, 80), (90, 400), (1, 1), (3, 700)])
def test_crops_of_any_size_are_taken(size: tuple[int, int]) -> None:
    """A share comes back whatever the crops measure, and none for no crops."""
    pytest.importorskip("rapidocr")
    share = ppocr.upright_share([np.full(size, 255, np.uint8)] * 3)
    assert share is not None
    assert 0.0 <= share <= 1.0
    assert ppocr.upright_share([]) is None


@pytest.mark.usefixtures("_fresh")
def test_without_the_classifier_there_is_no_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rapidocr is not installed nothing fails: the classifier says that it cannot say."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert ppocr.upright_share([np.full((48, 192), 255, np.uint8)]) is None
