"""Tick boxes and bubbles: drawn here, marked in the ways people mark, then scanned badly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from digitize.marks import Mark, MarkState, read_marks
from records.geometry import Box

Grey = np.ndarray
SIDE = 34
SURE = 0.75
WAYS = ("cross", "tick", "long tick", "typed", "dot", "pencil")
SCANS = ("clean", "blurred", "fax", "specks", "turned", "dark")
SHAPES = ("square", "circle", "brackets")


@dataclass(frozen=True)
class Drawn:
    """A page of boxes and where they are printed."""

    page: Grey
    boxes: tuple[Box, ...]


def drawn(
    ways: Sequence[str], shape: str = "square", columns: int = 2, pitch: tuple[int, int] = (260, 90)
) -> Drawn:
    """Print a box for each way of marking it, some words beside each, and mark them."""
    rows = -(-len(ways) // columns)
    size = (columns * pitch[0] + 160, rows * pitch[1] + 160)
    page = Image.new("L", size, 255)
    over = Image.new("L", size, 255)
    pen, pencil = ImageDraw.Draw(page), ImageDraw.Draw(over)
    boxes = []
    for i, way in enumerate(ways):
        x, y = 120 + i % columns * pitch[0], 80 + i // columns * pitch[1]
        boxes.append(Box(x, y, x + SIDE, y + SIDE))
        _print(pen, shape, x, y, "ABCDE"[i % columns])
        if pitch[0] >= 200:
            pen.text((x + SIDE + 16, y + 2), "Employee", 0, font=ImageFont.load_default(26))
        _mark(pencil, way, x, y)
    return Drawn(np.asarray(ImageChops.darker(page, over)).copy(), tuple(boxes))


def _print(pen: ImageDraw.ImageDraw, shape: str, x: int, y: int, letter: str) -> None:
    far = SIDE - 1
    if shape == "square":
        pen.rectangle((x, y, x + far, y + far), outline=0, width=3)
    elif shape == "brackets":
        pen.line([(x + 7, y), (x, y), (x, y + far), (x + 7, y + far)], 0, 3)
        pen.line([(x + far - 7, y), (x + far, y), (x + far, y + far), (x + far - 7, y + far)], 0, 3)
    elif shape != "none":
        pen.ellipse((x, y, x + far, y + far), outline=0, width=3)
    if shape == "lettered":
        pen.text((x + SIDE / 2, y + SIDE / 2), letter, 0, ImageFont.load_default(19), anchor="mm")


def _mark(pen: ImageDraw.ImageDraw, way: str, x: int, y: int) -> None:
    def line(points: Sequence[tuple[float, float]], ink: int = 20, width: int = 4) -> None:
        pen.line([(x + px * SIDE, y + py * SIDE) for px, py in points], ink, width)

    match way:
        case "cross":
            line([(0.15, 0.2), (0.85, 0.8)])
            line([(0.8, 0.15), (0.2, 0.85)])
        case "tick":
            line([(0.2, 0.5), (0.45, 0.8), (0.85, 0.2)])
        case "long tick":
            line([(0.2, 0.4), (0.45, 0.85), (1.7, -0.9)])
        case "typed":
            pen.text((x + 8, y - 2), "X", 0, ImageFont.load_default(32))
        case "typed low":
            pen.text((x - 9, y + 9), "X", 0, ImageFont.load_default(32))
        case "filled":
            pen.rectangle((x + 1, y + 1, x + SIDE - 2, y + SIDE - 2), 30)
        case "bubble":
            pen.ellipse((x + 2, y + 2, x + SIDE - 3, y + SIDE - 3), 90)
        case "dot":
            pen.ellipse((x + 12, y + 12, x + 23, y + 23), 20)
        case "pencil":
            line([(0.2, 0.5), (0.45, 0.8), (0.85, 0.2)], 130, 3)
        case "faint":
            line([(0.3, 0.5), (0.5, 0.7), (0.7, 0.4)], 190, 2)
        case "scribbled":
            zigzag = [(-0.35 + 0.1 * i, (-0.35, 1.35)[i % 2]) for i in range(18)]
            line(zigzag, 20, 5)
            line([(b, a) for a, b in zigzag], 20, 5)


def scanned(page: Grey, how: str, seed: int = 1) -> Grey:
    """Scan a page: in grey and out of focus, as a fax, dusty, crooked or too dark."""
    chance = np.random.default_rng(seed)
    if how == "blurred":
        soft = cv2.GaussianBlur(page, (0, 0), 1.2).astype(float)
        return np.clip(soft * 0.85 + 25 + chance.normal(0, 7, page.shape), 0, 255).astype(np.uint8)
    if how == "fax":
        small = cv2.resize(page, None, fx=0.68, fy=0.68, interpolation=cv2.INTER_AREA)
        ragged = small + chance.normal(0, 45, small.shape)
        pure = np.where(ragged < 130, 0, 255).astype(np.uint8)
        return cv2.resize(pure, page.shape[::-1], interpolation=cv2.INTER_NEAREST)
    if how == "specks":
        specks = chance.random(page.shape) < 0.006
        return np.where(cv2.dilate(specks.astype(np.uint8), np.ones((2, 2))) > 0, 0, page).astype(
            np.uint8
        )
    if how == "turned":
        height, width = page.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.2, 1.0)
        return cv2.warpAffine(page, matrix, (width, height), borderValue=255)
    if how == "dark":
        thick = cv2.erode(page, np.ones((3, 3)))
        return np.clip(thick * 0.75 + chance.normal(0, 5, page.shape), 0, 255).astype(np.uint8)
    return page


def displaced(boxes: Sequence[Box], share: float, seed: int) -> list[Box]:
    """Expect each box elsewhere: by its own offset of up to a share of its side."""
    chance = np.random.default_rng(seed)
    moved = []
    for box in boxes:
        dx, dy = chance.uniform(-share * SIDE, share * SIDE, 2).round().astype(int).tolist()
        moved.append(Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy))
    return moved


def wrong(ways: Sequence[str], marks: Sequence[Mark]) -> list[tuple[str, Mark]]:
    """Return what was read surely and is not so."""
    return [
        (way, mark)
        for way, mark in zip(ways, marks, strict=True)
        if mark.confidence >= SURE and (mark.state is MarkState.EMPTY) != (way == "none")
    ]


def doubtful(marks: Sequence[Mark]) -> int:
    return sum(mark.confidence < SURE for mark in marks)


@pytest.mark.parametrize("how", SCANS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_of_marking_is_a_mark(shape: str, how: str) -> None:
    """Crosses, ticks, typed letters, dots and pencil count, on any scan, wherever it was cut."""
    ways = [way for mark in WAYS for way in ("none", mark)]
    ways += ["filled"] if shape == "circle" else []
    paper = drawn(ways, shape)
    page = scanned(paper.page, how)
    for seed in range(3):
        marks = read_marks(page, displaced(paper.boxes, 0.6, seed))
        assert not wrong(ways, marks)
        assert doubtful(marks) <= (2 if how == "fax" else 0), marks


@pytest.mark.parametrize("how", SCANS)
def test_a_printed_letter_is_no_mark(how: str) -> None:
    """The letter inside each bubble is none; a bubble filled or crossed stands out."""
    ways = ["none", "bubble", "none", "none", "none", "none", "none", "none", "cross", "none"]
    paper = drawn(ways, "lettered", columns=5, pitch=(64, 64))
    page = scanned(paper.page, how)
    for seed in range(3):
        marks = read_marks(page, displaced(paper.boxes, 0.5, seed))
        assert not wrong(ways, marks)
        assert doubtful(marks) <= 1, marks


@pytest.mark.parametrize("filled", [0, 2, 4])
def test_a_question_of_five_bubbles_tells_enough(filled: int) -> None:
    """One row with other letters in each bubble is read by itself."""
    ways = ["bubble" if i == filled else "none" for i in range(5)]
    paper = drawn(ways, "lettered", columns=5, pitch=(64, 64))
    marks = read_marks(scanned(paper.page, "blurred"), paper.boxes)
    assert [mark.state is MarkState.MARKED for mark in marks] == [way != "none" for way in ways]
    assert doubtful(marks) == 0


@pytest.mark.parametrize("shape", ["square", "circle", "lettered"])
def test_the_box_is_where_it_is_printed(shape: str) -> None:
    """However far off it was expected, the outline is found to within two pixels."""
    paper = drawn(["none", "cross", "long tick", "none", "filled", "none"], shape)
    for seed in range(5):
        marks = read_marks(paper.page, displaced(paper.boxes, 0.7, seed))
        assert all(mark.found for mark in marks)
        for mark, box in zip(marks, paper.boxes, strict=True):
            assert mark.box == pytest.approx(box, abs=2)


def test_a_badly_placed_template_is_followed() -> None:
    """When all boxes stand off alike by almost their size, each keeps its own."""
    ways = ["none", "cross"] * 5
    paper = drawn(ways, pitch=(260, 64))
    off = [Box(b.left - 14, b.top + 30, b.right - 14, b.bottom + 30) for b in paper.boxes]
    marks = read_marks(paper.page, off)
    assert [mark.box for mark in marks] == [pytest.approx(box, abs=2) for box in paper.boxes]
    assert not wrong(ways, marks)


@pytest.mark.parametrize("how", ["clean", "blurred"])
def test_a_faint_mark_is_shown_to_a_person(how: str) -> None:
    """A stroke that is hardly there is neither surely a mark nor surely none."""
    paper = drawn(["none", "faint", "none", "cross"])
    marks = read_marks(scanned(paper.page, how), paper.boxes)
    assert [mark.confidence >= SURE for mark in marks] == [True, False, True, True]


@pytest.mark.parametrize("how", SCANS)
def test_a_scribble_takes_a_mark_back(how: str) -> None:
    """A box blacked out beyond its edges is struck, and not marked."""
    paper = drawn(["none", "scribbled", "cross", "none"])
    marks = read_marks(scanned(paper.page, how), paper.boxes)
    assert [mark.state for mark in marks] == ["empty", "struck", "marked", "empty"]


def test_a_filled_box_is_marked_unless_others_are_crossed() -> None:
    """Filled in like the others it is a mark; among crosses a person must say."""
    alike = read_marks(*_page_and_boxes(drawn(["filled", "none", "filled", "none"])))
    assert [mark.state for mark in alike] == ["marked", "empty", "marked", "empty"]
    assert doubtful(alike) == 0
    among = read_marks(*_page_and_boxes(drawn(["filled", "cross", "cross", "none"])))
    assert [mark.confidence >= SURE for mark in among] == [False, True, True, True]


def _page_and_boxes(paper: Drawn) -> tuple[Grey, tuple[Box, ...]]:
    return paper.page, paper.boxes


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("pitch", [(48, 48), (60, 44), (60, 60)])
def test_a_tick_counts_for_its_own_box(columns: int, pitch: tuple[int, int]) -> None:
    """A long tick that runs over or up to its neighbours does not surely mark them."""
    ways = ["none"] * 6
    ways[3] = "long tick"
    paper = drawn(ways, columns=columns, pitch=pitch)
    marks = read_marks(paper.page, paper.boxes)
    assert marks[3].state is MarkState.MARKED
    assert not wrong(ways, marks)
    assert doubtful(marks) <= 1


@pytest.mark.parametrize("how", SCANS)
def test_a_letter_typed_beside_its_box_is_not_overlooked(how: str) -> None:
    """An X that only just touches its box is a mark, or a person is asked."""
    ways = ["none", "typed low", "none", "none"]
    paper = drawn(ways)
    marks = read_marks(scanned(paper.page, how), paper.boxes)
    assert not wrong(ways, marks)
    assert [mark.confidence >= SURE for mark in marks][::2] == [True, True]


def test_rules_and_dirt_are_no_marks() -> None:
    """A table's lines beside and through the boxes' row, and specks in a box, mark nothing."""
    paper = drawn(["none"] * 4)
    page = paper.page.copy()
    first = paper.boxes[0]
    cv2.line(page, (0, first.top - 6), (page.shape[1], first.top - 6), 0, 3)
    cv2.line(page, (first.left - 8, 0), (first.left - 8, page.shape[0]), 0, 3)
    for dx, dy in ((9, 9), (20, 14), (14, 25)):
        cv2.circle(page, (first.left + dx, first.top + dy), 1, 0, -1)
    marks = read_marks(page, paper.boxes)
    assert {mark.state for mark in marks} == {MarkState.EMPTY}
    assert doubtful(marks) == 0


def test_places_without_an_outline_are_compared() -> None:
    """On lines to write on the one that holds an X is marked; with none, a person is asked."""
    page = Image.new("L", (700, 240), 255)
    pen = ImageDraw.Draw(page)
    boxes = []
    for i, (x, y) in enumerate(((60, 60), (360, 60), (60, 150), (360, 150))):
        pen.line([(x, y + 34), (x + 60, y + 34)], 0, 3)
        pen.text((x + 76, y + 2), "Yes" if i % 2 else "No", 0, ImageFont.load_default(30))
        boxes.append(Box(x, y, x + 60, y + 36))
    empty = read_marks(np.asarray(page), boxes)
    assert {mark.state for mark in empty} == {MarkState.EMPTY}
    assert not any(mark.found or mark.confidence >= SURE for mark in empty)
    pen.text((78, 58), "X", 0, ImageFont.load_default(34))
    marks = read_marks(np.asarray(page), boxes)
    assert [mark.state for mark in marks] == ["marked", "empty", "empty", "empty"]
    assert [mark.box for mark in marks] == boxes


def test_two_alike_bubbles_may_hold_letters_or_marks() -> None:
    """When nothing tells a printed letter from a cross, a person is asked."""
    marks = read_marks(*_page_and_boxes(drawn(["cross", "cross"], "circle")))
    assert doubtful(marks) == 2
    alone = read_marks(*_page_and_boxes(drawn(["none"], "lettered")))
    assert doubtful(alone) == 1


def test_boxes_of_other_sizes_are_read_in_one_call() -> None:
    """Small bubbles and large boxes of one page do not disturb each other; order is kept."""
    small = drawn(["none", "cross", "none", "none"])
    large = drawn(["cross", "none", "none", "cross"])
    wide = cv2.resize(large.page, None, fx=2.5, fy=2.5)
    page = np.full((small.page.shape[0] + wide.shape[0], wide.shape[1]), 255, np.uint8)
    page[: small.page.shape[0], : small.page.shape[1]] = small.page
    page[small.page.shape[0] :] = wide
    down = small.page.shape[0]
    big = [
        Box(*(round(v * 2.5) + d for v, d in zip(b, (0, down) * 2, strict=True)))
        for b in large.boxes
    ]
    boxes = [box for pair in zip(small.boxes, big, strict=True) for box in pair]
    marks = read_marks(page, boxes)
    expected = [False, True, True, False, False, False, False, True]
    assert [mark.state is MarkState.MARKED for mark in marks] == expected
    assert doubtful(marks) == 0


def test_what_is_off_the_page_is_unknown() -> None:
    """A box that does not lie on the page is empty with no confidence at all."""
    page = np.full((60, 60), 255, np.uint8)
    for mark in read_marks(page, [Box(-20, -20, 10, 10), Box(200, 200, 230, 230)]):
        assert (mark.state, mark.found, mark.confidence) == (MarkState.EMPTY, False, 0.0)
    assert read_marks(page, []) == ()


@given(
    seed=st.integers(0, 2**32 - 1),
    boxes=st.lists(st.tuples(*[st.integers(-60, 260)] * 2, *[st.integers(0, 120)] * 2), max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_anything_gets_an_answer(seed: int, boxes: list[tuple[int, int, int, int]]) -> None:
    """Whatever a page shows and wherever boxes are expected, each has one mark within bounds."""
    chance = np.random.default_rng(seed)
    page = cv2.blur(chance.integers(0, 256, (200, 200), np.uint8), (3, 3))
    page = np.where(page < chance.integers(60, 200), 0, page).astype(np.uint8)
    marks = read_marks(page, [Box(x, y, x + w, y + h) for x, y, w, h in boxes])
    assert len(marks) == len(boxes)
    for mark in marks:
        assert 0 <= mark.ink <= 1
        assert 0 <= mark.confidence <= 1


def test_a_hundred_boxes_take_no_time() -> None:
    """A page's boxes are read in less time than a line of text: 2 ms each at most."""
    paper = drawn(["none", "cross"] * 50)
    took = []
    for _ in range(3):
        started = time.process_time()
        read_marks(paper.page, paper.boxes)
        took.append(time.process_time() - started)
    assert min(took) < 0.2
