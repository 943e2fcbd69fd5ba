"""Letters that a page makes look alike are told apart by what it says, and only then."""

from __future__ import annotations

import functools
from collections.abc import Collection

import pytest

from ocr import tesseract
from ocr.lookalikes import told_apart
from records.geometry import Box
from records.model import Line, Word, WordReading

# Invented: a page, and how it is read when it comes from a worn typewriter.
WRITTEN = """The council of the town met in the school on the sixth of
October and discussed the bridge. Twelve persons attended,
among them the clerk, who kept these minutes. It was found
that neither repair nor painting would last another winter
without stone under every pillar; work begins next spring."""
WORN = {"council": "oounoil", "school": "sohool", "October": "Ootober", "discussed": "disoussed",
        "clerk": "olerk"}  # fmt: skip
READ = functools.reduce(lambda text, word: text.replace(word, WORN[word]), WORN, WRITTEN)


def page(text: str, confidence: float = 0.97) -> tuple[Line, ...]:
    """Return the lines of a text, each word read by one reader."""
    return tuple(
        Line(tuple(
            Word(w, Box(60 * x, 40 * y, 60 * x + 50, 40 * y + 30), confidence,
                 (WordReading("tesseract", w, confidence),))
            for x, w in enumerate(line.split())
        ))
        for y, line in enumerate(text.splitlines())
    )  # fmt: skip


def text(lines: tuple[Line, ...]) -> str:
    return "\n".join(line.text for line in lines)


@pytest.fixture(scope="module")
def english() -> frozenset[str]:
    words = tesseract.dictionary(("eng",))
    assert len(words) > 100_000, "the tools of the package tesseract-ocr are missing"
    return words


def test_a_habit_of_the_page_is_undone(english: Collection[str]) -> None:
    """Every c that was read as o becomes a c again, capitals and marks as they were."""
    assert text(told_apart(page(READ), lambda: english)) == WRITTEN


def test_a_changed_word_is_shown_to_a_person(english: Collection[str]) -> None:
    """A changed word keeps what was read beside it, its place, and is no longer called sure."""
    before, after = page(READ), told_apart(page(READ), lambda: english)
    pairs = [
        (old, new)
        for one, other in zip(before, after, strict=True)
        for old, new in zip(one.words, other.words, strict=True)
    ]
    changed = [(old, new) for old, new in pairs if old.text != new.text]
    assert len(changed) == len(WORN)
    for old, new in changed:
        assert (new.box, new.readings, new.alternatives) == (old.box, old.readings, (old.text,))
        assert new.confidence < 0.9
    assert all(old == new for old, new in pairs if old.text == new.text)


def test_a_doubtful_word_is_not_made_surer(english: Collection[str]) -> None:
    """What was half sure before stays half sure."""
    done = told_apart(page(READ, 0.5), lambda: english)
    assert {word.confidence for line in done for word in line.words} == {0.5}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("Oounoil, sohool", id="two words are chance"),
        pytest.param("oounoil sohool olerk Obrodo Oksono Olandow Otzo", id="most unknown stay so"),
        pytest.param("Zxqo Wvko Trwo Qwpo", id="no word comes of it"),
        pytest.param("2oo4-oo17 A0o-3 oo/oo/1o", id="numbers"),
    ],
)
def test_what_shows_no_habit_is_left_alone(wrong: str, english: Collection[str]) -> None:
    """Names and single slips stay as they were read: they may be right."""
    lines = page(f"{WRITTEN}\n{wrong}")
    assert told_apart(lines, lambda: english) == lines


@pytest.mark.parametrize(
    "said", ["oard-77", "oouncil@town.example", "www.oouncil.example", "A/oard", "3oard"]
)
def test_numbers_and_addresses_are_never_changed(said: str, english: Collection[str]) -> None:
    """On a page with the habit too, codes and addresses stay as they were read."""
    lines = page(f"{READ}\n{said}")
    assert text(told_apart(lines, lambda: english)).splitlines()[-1] == said


def test_what_people_have_verified_is_never_changed(english: Collection[str]) -> None:
    """A name that is in no dictionary, and that a person has confirmed, is a word."""
    lines = page(f"{READ}\nMr. Oard")
    assert text(told_apart(lines, lambda: english)).endswith("Mr. Card")
    assert text(told_apart(lines, lambda: english, frozenset({"oard"}))).endswith("Mr. Oard")


def test_known_words_are_never_changed(english: Collection[str]) -> None:
    """A page with the habit keeps its words that are words: 'oars' is not made 'cars'."""
    lines = page(f"{READ}\nold oars for hire")
    assert text(told_apart(lines, lambda: english)).endswith("old oars for hire")


def test_a_card_needs_no_dictionary() -> None:
    """A page of few words shows no habit, and the dictionary is not taken out for it."""

    def touched() -> Collection[str]:
        raise AssertionError("the dictionary was asked")

    lines = page("oounoil sohool olerk Ootober")
    assert told_apart(lines, touched) == lines


def test_without_a_dictionary_nothing_is_changed() -> None:
    """Where Tesseract's tools are missing, pages stay as they were read."""
    assert told_apart(page(READ), frozenset) == page(READ)
