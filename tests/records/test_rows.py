"""Words in the database: what each reader made of them comes back as it was kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import rows
from records.geometry import Box
from records.model import Line, Word, WordReading

BOX = Box(10, 20, 90, 40)
BOTH = (WordReading("tesseract", "Fonce", 0.61), WordReading("ppocr", "Fence", 0.93))


def word(text: str, *readings: WordReading, sure: float = 0.9) -> Word:
    return Word(text, BOX, sure, readings)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (Line((word("Fence"),)),),
        (Line((word("Fence", *BOTH),)),),
        (Line((word("Fence", *BOTH), word("of", BOTH[0]), word("x"))), Line((word("y", *BOTH),))),
        (Line((word("Alder", WordReading("tesseract", "AlderFalls", 0.3),
                    WordReading("ppocr", "Alder Falls", 0.9)), word("Falls"))),),
        (Line((word("„Größe“ <&>\"'\\", WordReading("ppocr", "许可证", 1.0)),)),),
    ],
    ids=["none", "bare", "both", "mixed", "parted", "marks"],
)  # fmt: skip
def test_words_come_back_with_their_readings(lines: tuple[Line, ...]) -> None:
    """Texts, boxes, probabilities, and who read what how surely, are kept."""
    assert rows.lines(rows.words_column(lines)) == lines


def test_rows_of_before_the_second_reader_are_read() -> None:
    """A page that was kept before there were readings keeps its words, and has none."""
    old = '[[["Fence",10,20,90,40,0.9],["permit",100,20,190,40,0.855]],[["2019",10,60,50,80,1]]]'
    found = rows.lines(old)
    assert [line.text for line in found] == ["Fence permit", "2019"]
    assert found[0].words[0] == Word("Fence", BOX, 0.9)
    assert all(w.readings == () and w.alternatives == () for line in found for w in line.words)
    assert json.loads(rows.words_column(found)) == json.loads(old)


def test_a_reading_that_is_the_word_costs_little() -> None:
    """What a reader read as it stands is not written twice; numbers are cut to four places."""
    made = word("Fence", WordReading("tesseract", "Fence", 0.912345), sure=0.987654)
    column = rows.words_column((Line((made,)),))
    assert column == '[[["Fence",10,20,90,40,0.9877,["tesseract","",0.9123]]]]'
    [[again]] = [line.words for line in rows.lines(column)]
    assert again.readings == (WordReading("tesseract", "Fence", 0.9123),)


def test_alternatives_survive_the_database() -> None:
    """What a word may be instead is the same before and after, each once, in order."""
    made = word("Fence", *BOTH, WordReading("third", "Fonce", 0.2), WordReading("x", "Pence", 0.1))
    [line] = rows.lines(rows.words_column((Line((made,)),)))
    assert made.alternatives == line.words[0].alternatives == ("Fonce", "Pence")


SHARE = st.integers(0, 10_000).map(lambda n: n / 10_000)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
READINGS = st.builds(WordReading, st.sampled_from(["tesseract", "ppocr"]), TEXT, SHARE)
BOXES = st.builds(Box, *[st.integers(0, 20_000)] * 4)
WORDS = st.builds(Word, TEXT, BOXES, SHARE, st.lists(READINGS, max_size=3).map(tuple))
LINES = st.lists(st.lists(WORDS, max_size=4).map(lambda ws: Line(tuple(ws))), max_size=3)


@given(LINES.map(tuple))
def test_any_words_come_back(lines: tuple[Line, ...]) -> None:
    """Whatever was read, in whatever script: the column is valid and holds it all."""
    assert rows.lines(rows.words_column(lines)) == lines
