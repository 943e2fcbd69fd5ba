"""Words after corrections: what a person said of a field stands in its place on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digitize.corrections import corrected_lines
from digitize.values import Reading
from records.geometry import Box
from records.model import Field, FieldStatus, Line, Word
from records.overlaying import spread

CUSTOMS = Reading(day_first=False, region="US")
# A form of three lines: a label with its answer, an answer of two lines, and a printed foot.
PAGE = (
    Line((
        Word("Owner", Box(10, 10, 60, 30), 0.9), Word("Sue", Box(100, 10, 140, 30), 0.4),
        Word("Yarow", Box(150, 10, 210, 30), 0.5), Word("Age", Box(400, 10, 440, 30), 0.9),
    )),
    Line((Word("Build", Box(100, 50, 180, 70), 0.9), Word("a", Box(190, 50, 200, 70), 0.9))),
    Line((Word("fense", Box(100, 80, 180, 100), 0.6),)),
    Line((Word("Form", Box(10, 200, 60, 220), 0.9), Word("L-7", Box(70, 200, 110, 220), 0.9))),
)  # fmt: skip
OWNER = Box(98, 8, 212, 32)
WORK = Box(98, 48, 202, 102)


def said(value: str, box: Box | None, raw: str = "", **changes: object) -> Field:
    """Return a field that a person has corrected."""
    field = Field(
        "f",
        "F",
        "text",
        raw,
        value,
        1.0,
        1,
        box,
        FieldStatus.CORRECTED,
        (),
        "person ann",
        "zone",
    )
    return replace(field, **changes)  # type: ignore[arg-type]


def texts(*fields: Field, page: int = 1) -> list[str]:
    """Return the lines of the page after corrections."""
    return [line.text for line in corrected_lines(PAGE, fields, page, CUSTOMS)]


def test_the_words_in_the_box_make_way_for_the_value() -> None:
    """The value stands where the words stood, in their line, sure, and within their box."""
    lines = corrected_lines(PAGE, [said("Susan Yarrow", OWNER, "Sue Yarow")], 1, CUSTOMS)
    assert lines[0].text == "Owner Susan Yarrow Age"
    assert lines[1:] == PAGE[1:]
    first, last = lines[0].words[1:3]
    assert (first.box.left, last.box.right) == (100, 210)
    assert first.box.right < last.box.left
    assert {w.box.top for w in (first, last)} == {10}
    assert first.confidence == last.confidence == 1.0


def test_an_answer_of_two_lines_stays_one_of_two_lines() -> None:
    """A value is shared out over the lines that its words had, and none of it is lost."""
    lines = corrected_lines(PAGE, [said("Build a high fence", WORK, "Build a fense")], 1, CUSTOMS)
    assert " ".join(line.text for line in lines[1:3]) == "Build a high fence"
    assert all(line.words for line in lines[1:3])
    assert {w.box.top for w in lines[2].words} == {80}


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(220, 10, 380, 30), 0),  # between two words of the first line
        (Box(500, 12, 600, 32), 0),
        (Box(10, 120, 300, 180), 3),  # in a space of its own
        (Box(10, 300, 300, 340), 4),
    ],
)
def test_what_could_not_be_read_is_put_where_it_stands(box: Box, expected: int) -> None:
    """A value in an empty zone joins the line beside it, or is a line where it lies."""
    lines = corrected_lines(PAGE, [said("Hand written", box)], 1, CUSTOMS)
    assert "Hand written" in lines[expected].text
    assert sum(len(line.words) for line in lines) == sum(len(line.words) for line in PAGE) + 2
    lefts = [w.box.left for w in lines[expected].words]
    assert lefts == sorted(lefts)


def test_no_correction_drives_out_another() -> None:
    """Where the boxes of two fields overlap, the values of both are in the text."""
    found = texts(said("Susan Yarrow", OWNER, "Sue Yarow"), said("Town", Box(0, 0, 500, 40)))
    assert sorted(found[0].split()) == ["Susan", "Town", "Yarrow"]


def test_nothing_is_nothing() -> None:
    """Where a person says that nothing is written, the misread words go."""
    assert texts(said("", WORK, "Build a fense")) == ["Owner Sue Yarow Age", "Form L-7"]
    assert texts(said("", Box(300, 300, 400, 320))) == [line.text for line in PAGE]


@pytest.mark.parametrize(
    "field",
    [
        said("Sue Yarow", OWNER, "Sue Yarow"),
        said("2019-07-01", OWNER, "July 1, 2019", kind="date"),
        said("yes", OWNER, kind="tick"),
        said("Repair", OWNER, kind="choice"),
        said("elsewhere", None),
        said("another page", OWNER, page=2),
        said("by the machine", OWNER, status=FieldStatus.OK),
    ],
    ids=["confirmed", "confirmed date", "tick", "choice", "no place", "other page", "read"],
)
def test_words_stay_as_the_paper_has_them(field: Field) -> None:
    """What was only confirmed, is no writing, or lies nowhere here changes no word."""
    assert corrected_lines(PAGE, [field], 1, CUSTOMS) == PAGE


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("Susan Yarrow", said("Susan Yarrow", OWNER, "Sue Yarow"), "Susan Yarrow"),
        ("July 1, 2019", said("2019-07-01", OWNER, "Ju1y l, 2O19", kind="date"), "July 1, 2019"),
        ("July 1, 2019", said("2019-07-02", OWNER, "Ju1y l, 2O19", kind="date"), "2019-07-02"),
    ],
    ids=["alike", "as the paper says it", "otherwise"],
)
def test_text_that_people_put_right_stays(text: str, field: Field, expected: str) -> None:
    """Where the text says the field's value already, it stays as the paper has it."""
    words = spread(text.split(), Box(100, 10, 210, 30))
    line = Line((PAGE[0].words[0], *words, PAGE[0].words[-1]))
    (found,) = corrected_lines([line], [field], 1, CUSTOMS)
    assert found.text == f"Owner {expected} Age"


def test_characters_that_no_format_holds_are_left_out() -> None:
    """Control characters go, and words of nothing else; all other text stays."""
    words = ("a\x00b", "\x1f", "\ufeff", " ", "\U0001f600", "ﬁ", "e\u0301", "\ufffe")
    line = Line(tuple(Word(text, Box(0, 0, 9, 9), 0.9) for text in words))
    (kept,) = corrected_lines([line, Line(line.words[1:2])], [], 1, CUSTOMS)
    assert [word.text for word in kept.words] == ["ab", "\U0001f600", "ﬁ", "e\u0301"]


def test_long_and_short_values_in_small_boxes() -> None:
    """Every word has a width, however long the value and however small the box."""
    for value in ("x", "a b c d e f g h", "w" * 500, " ".join("word" for _ in range(200))):
        lines = corrected_lines(PAGE, [said(value, WORK, "Build a fense")], 1, CUSTOMS)
        words = [w for line in lines for w in line.words]
        assert all(w.box.width > 0 and w.box.height > 0 for w in words)
        assert value in " ".join(w.text for w in words)


def test_print_that_reaches_into_the_box_stays() -> None:
    """A tall letter of the line above lies in the answer's box, and is none of its words."""
    page = (
        Line((Word("To", Box(100, 0, 120, 20), 0.9), Word("you", Box(130, 0, 170, 60), 0.3))),
        Line((Word("Ann", Box(100, 40, 140, 60), 0.9), Word("Hard", Box(180, 40, 230, 60), 0.9))),
    )
    corrected = said("Ann Hart", Box(98, 10, 232, 62), "Ann Hard")
    lines = corrected_lines(page, [corrected], 1, CUSTOMS)
    assert [line.text for line in lines] == ["To you", "Ann Hart"]
