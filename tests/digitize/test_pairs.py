"""digitize.pairs: labels and their answers on pages that are no known form."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from digitize import sources
from digitize.pairs import find_pairs
from digitize.scan import Bench, ReadPage, read_scan
from digitize.signatures import media_type
from records.geometry import Box, union
from records.model import Line, Pair, Word
from records.settings import Settings
from tests.digitize.making import SAMPLES

HIGH, WIDE = 20, 12  # of a letter, in pixels


def words(x: int, y: int, text: str, confidence: float = 0.95) -> tuple[Word, ...]:
    """Set the words of a text in letters of one width."""
    made = []
    for part in text.split(" "):
        box = Box(x, y, x + WIDE * len(part), y + HIGH)
        made.append(Word(part, box, confidence))
        x = box.right + WIDE
    return tuple(made)


def line(*texts: tuple[int, int, str]) -> Line:
    """Set texts that a reader took for one line."""
    return Line(tuple(word for text in texts for word in words(*text)))


def lines(*texts: tuple[int, int, str]) -> tuple[Line, ...]:
    """Set texts, each a line of its own."""
    return tuple(line(text) for text in texts)


def told(page: tuple[Line, ...]) -> list[tuple[str, str]]:
    return [(pair.label, pair.value) for pair in find_pairs(page)]


FORM = (
    (100, 100, "Date:"), (300, 100, "04/17/1998"),
    (100, 150, "Permit No."), (300, 150, "B-2207"),
    (100, 200, "Name of applicant"), (400, 200, "Rosalind Ostrander"),
    (100, 250, "Estimated cost"), (400, 250, "$11,150.00"),
)  # fmt: skip
FORM_SAYS = [
    ("Date", "04/17/1998"),
    ("Permit No.", "B-2207"),
    ("Name of applicant", "Rosalind Ostrander"),
    ("Estimated cost", "$11,150.00"),
]


def test_an_answer_stands_beside_its_label() -> None:
    """Labels with and without a colon find what stands to their right; colons are left out."""
    assert told(lines(*FORM)) == FORM_SAYS


def test_it_does_not_matter_how_a_reader_cut_the_lines() -> None:
    """A line over several columns, in any order of lines, tells the same as its pieces."""
    rows = [line(*FORM[i : i + 2]) for i in range(0, len(FORM), 2)]
    assert told(tuple(reversed(rows))) == FORM_SAYS


def test_a_row_may_hold_two_pairs() -> None:
    """Each label of a row has the answer before the next label."""
    page = (line((100, 100, "Name: Theda Hollis"), (700, 100, "Date: 8/18/1974")),)
    assert told(page) == [("Name", "Theda Hollis"), ("Date", "8/18/1974")]


def test_label_and_answer_in_one_word_are_parted_at_the_colon() -> None:
    """A reader that sees no blank after a colon does not hide an answer."""
    (pair,) = find_pairs(lines((100, 100, "Date:4/17/98")))
    assert (pair.label, pair.value) == ("Date", "4/17/98")
    assert pair.label_box.right <= pair.value_box.left


@pytest.mark.parametrize("text", ["Meeting at 10:30 tonight", "10:30", "http://alderfalls.example"])
def test_a_colon_within_a_time_or_an_address_parts_nothing(text: str) -> None:
    """What has a colon inside is no label."""
    assert told(lines((100, 100, text))) == []


def test_a_time_is_an_answer() -> None:
    """The colon in a time does not make a label of its hour."""
    assert told(lines((100, 100, "Time received: 10:30 a.m."))) == [("Time received", "10:30 a.m.")]


def test_leaders_are_in_neither_label_nor_answer() -> None:
    """Dots and dashes lead from a label to its answer, whether read as words or in them."""
    page = (
        line((100, 100, "Length ........... 85 mm")),
        line((100, 150, "Width------------- 20 mm")),
    )
    assert told(page) == [("Length", "85 mm"), ("Width", "20 mm")]


def test_an_answer_may_stand_under_its_label() -> None:
    """On a form of boxes each label stands small in a corner, and its answer under it."""
    page = lines(
        (100, 100, "PERMIT NO."), (110, 130, "1999-0319"),
        (700, 100, "DATE OF APPLICATION"), (710, 130, "10-19-1999"),
        (100, 300, "NAME OF OWNER"), (110, 330, "Rosalind Ostrander"),
        (700, 300, "TELEPHONE"), (710, 330, "(555) 555-0154"),
    )  # fmt: skip
    assert sorted(told(page)) == [
        ("DATE OF APPLICATION", "10-19-1999"),
        ("NAME OF OWNER", "Rosalind Ostrander"),
        ("PERMIT NO.", "1999-0319"),
        ("TELEPHONE", "(555) 555-0154"),
    ]


def test_an_answer_of_several_lines_is_one_value() -> None:
    """Lines that go on under an answer are joined to it by blanks, and its box is around them."""
    page = lines(
        (100, 100, "Remarks:"), (300, 100, "The hedge at the corner of Elm Street hides"),
        (300, 126, "the stop sign from all who come down the hill"),
        (300, 152, "and must be cut."),
        (100, 250, "Date:"), (300, 250, "6/2/1978"),
    )  # fmt: skip
    remark, date = find_pairs(page)
    assert remark.value == (
        "The hedge at the corner of Elm Street hides the stop sign from all who come down the hill"
        " and must be cut."
    )
    assert remark.value_box == union([word.box for row in page[1:4] for word in row.words])
    assert date.value == "6/2/1978"


def test_a_label_of_two_lines_is_one_label() -> None:
    """A label that goes on in a second line keeps its first."""
    page = lines((100, 100, "Name and address"), (100, 124, "of owner:"), (320, 124, "A. Hollis"))
    assert told(page) == [("Name and address of owner", "A. Hollis")]


def test_numbered_labels_keep_their_numbers() -> None:
    """The number before a label is no answer, and stays as printed."""
    page = lines(
        (100, 100, "3. Name of owner"), (350, 100, "Gilbert Lindqvist"),
        (100, 150, "4. Opening date"), (350, 150, "5-9-2009"),
    )  # fmt: skip
    assert told(page) == [
        ("3. Name of owner", "Gilbert Lindqvist"),
        ("4. Opening date", "5-9-2009"),
    ]


def test_a_tables_headings_have_their_columns() -> None:
    """A heading over several cells has all of them, and a row's label its row."""
    page = lines(
        (400, 100, "Lot"), (600, 100, "Fee"),
        (100, 150, "Elm Street"), (400, 150, "17"), (600, 150, "14.50"),
        (100, 200, "Mill Road"), (400, 200, "23"), (600, 200, "20.00"),
        (100, 250, "High Street"), (400, 250, "31"), (600, 250, "14.50"),
    )  # fmt: skip
    assert set(told(page)) == {
        ("Lot", "17 23 31"),
        ("Fee", "14.50 20.00 14.50"),
        ("Elm Street", "17 14.50"),
        ("Mill Road", "23 20.00"),
        ("High Street", "31 14.50"),
    }


def test_a_tick_is_not_taken_for_the_next_choice() -> None:
    """What stands after a ticked choice is no part of its answer."""
    page = lines((100, 100, "Corner lot?"), (300, 100, "X"), (360, 100, "Fenced"))
    assert all(value in ("X", "Fenced") for _, value in told(page))


@pytest.mark.parametrize(
    "page",
    [
        (),
        (Line(()),),
        lines((100, 100, "Date:")),
        lines((100, 100, "04/17/1998")),
        lines((100, 100, "Name of applicant"), (100, 400, "Permit No.")),
        lines((100, 100, "04/17/1998"), (400, 100, "$185.00")),
        lines((100, 100, "Name:"), (500, 100, "Date:")),
        lines((100, 100, "....."), (300, 100, "----")),
        (Line((Word("", Box(100, 100, 100, 100), 0.0), Word("Date:", Box(9, 9, 9, 9), 0.5))),),
    ],
)
def test_where_there_is_no_pair_none_is_found(page: tuple[Line, ...]) -> None:
    """No words, a label alone, answers alone, labels without answers, specks, words of no size."""
    assert find_pairs(page) == ()


def test_words_that_run_up_the_page_are_nobodys_answer() -> None:
    """A number stamped up the margin is not what the label before it asks for."""
    upright = Line((Word("00283813", Box(500, 20, 524, 200), 0.9),))
    assert find_pairs((*lines((100, 100, "Date:")), upright)) == ()


LETTER = """Dear Mrs. Quillby:
I am writing about the street light at the corner of Mill Road and
Elm Street, which has been dark since the storm of last month. Three
of my neighbours have called the department of public works, and we
were told each time that a crew would come within the week. That was
on May 3, and there is still no light. My mother is 81 and will not
go out after supper.
Please let me know when the work will be done.
Yours truly,
Theda R. Hollis"""


def test_a_letter_has_no_pairs() -> None:
    """Running text is not cut into labels and answers, not even after a salutation."""
    page = [(100, 100 + 30 * i, text) for i, text in enumerate(LETTER.splitlines())]
    assert find_pairs(lines(*page)) == ()


def test_confidence_falls_with_the_reading() -> None:
    """A pair that was read badly is less sure than one that was read well."""

    def pair(confidence: float) -> Pair:
        label, value = words(100, 100, "Date:", 0.95), words(300, 100, "4/17/98", confidence)
        return find_pairs((Line(label), Line(value)))[0]

    assert 0 < pair(0.5).confidence < pair(0.9).confidence <= 1


def test_every_pair_is_made_of_words_of_the_page() -> None:
    """Whatever lies where, labels and values are not empty and lie where their words do."""
    dice = random.Random(5)
    texts = ("Date:", "Name", "17", "of the", "X", "(see below)", "NO.", "$4.50", "- -", "Elm St.")
    for _ in range(200):
        page = lines(
            *(
                (dice.randrange(1200), dice.randrange(400), dice.choice(texts))
                for _ in range(dice.randrange(25))
            )
        )
        whole = union([word.box for row in page for word in row.words])
        for pair in find_pairs(page):
            assert whole is not None
            assert pair.label
            assert pair.value
            assert not pair.label.endswith(":")
            assert union([whole, pair.label_box, pair.value_box]) == whole
            assert 0 <= pair.confidence <= 1


def test_a_full_page_takes_no_time() -> None:
    """A form of 500 words is done in a small part of the second that reading it takes."""
    rows = [
        (left, 60 + 30 * row, text)
        for row in range(50)
        for left, text in ((100, "Name of owner:"), (500, "Theda R. Hollis"), (900, "Fee paid"),
                           (1200, "14.50"), (1400, "Lot"))
    ]  # fmt: skip
    page = lines(*rows)
    assert sum(len(row.words) for row in page) >= 500
    least = min(_seconds(page) for _ in range(3))
    assert least < 0.5


def _seconds(page: tuple[Line, ...]) -> float:
    started = time.perf_counter()
    find_pairs(page)
    return time.perf_counter() - started


def test_a_real_card_is_understood(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed burial card is told without a template, its answers beside what asks for them."""
    monkeypatch.setitem(os.environ, "OMP_THREAD_LIMIT", "1")
    path = SAMPLES / "Hollis burial card.png"
    found = read_scan(
        sources.load_page(path, media_type(path), 1, settings), Bench(settings, tmp_path, "test")
    )
    assert isinstance(found, ReadPage)
    pairs = dict(told(found.reading.lines))
    assert pairs["Name of deceased"] == "Theda R. Hollis"
    assert pairs["Date of burial"] == "22 Aug 1974"
