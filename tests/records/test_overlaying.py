"""What people say of a page's text, laid over what was read there: words, places and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.geometry import Box, union
from records.model import Line, Word
from records.overlaying import Change, Correction, LaidLine, changes, lay_over, lines_of, spread

SURE = 0.75


def line(text: str, top: int = 10, confidence: float = 0.9) -> Line:
    """Return a line of words of 10 pixels a letter, with a letter between them."""
    words, left = [], 10
    for part in text.split():
        words.append(Word(part, Box(left, top, left + 10 * len(part), top + 20), confidence))
        left += 10 * (len(part) + 1)
    return Line(tuple(words))


PAGE = (line("Bilding permit No 12"), line("Ann Hart of Elm Street", 50), line("fense", 90))


def corrections(found: list[Change], first: int = 1) -> list[Correction]:
    """Return changes as the store keeps them."""
    return [
        Correction(number, c.places, c.was, c.text, "ann", "now")
        for number, c in enumerate(found, first)
    ]


def said(page: tuple[Line, ...], number: int, text: str) -> tuple[LaidLine, ...]:
    """Return a page after a person has said what one of its lines reads."""
    return lay_over(page, corrections(changes(lay_over(page, ())[number], text.split(), SURE)))


def texts(laid: tuple[LaidLine, ...]) -> list[str]:
    return [each.text for each in laid]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Building permit No 12", [("Bilding", "Building")]),
        ("Building permit No 13", [("Bilding", "Building"), ("12", "13")]),
        ("Building Permit No 12", [("Bilding", "Building"), ("permit", "Permit")]),
        ("Bilding permit 12", [("No", "")]),
        ("Bilding permit No 12 b", [("12", "12 b")]),
        ("A Bilding permit No 12", [("Bilding", "A Bilding")]),
        ("Bilding new permit No 12", [("Bilding", "Bilding new")]),
        ("Bildingpermit No 12", [("Bilding permit", "Bildingpermit")]),
        ("Bil ding permit No 12", [("Bilding", "Bil ding")]),
        ("", [("Bilding permit No 12", "")]),
        ("Bilding permit No 12", []),
    ],
)
def test_only_what_differs_is_kept(text: str, kept: list[tuple[str, str]]) -> None:
    """Of a corrected line the changed words are kept, and the line then says what was typed."""
    found = changes(lay_over(PAGE, ())[0], text.split(), SURE)
    assert [(change.was, change.text) for change in found] == kept
    after = lay_over(PAGE, corrections(found))
    assert texts(after) == [text, *(each.text for each in PAGE[1:])]


def test_words_that_are_left_keep_their_places() -> None:
    """A word that nobody changed has its own box and its reader's confidence; a new one is sure."""
    words = said(PAGE, 0, "Building permit No 12")[0].words
    assert words[1:] == PAGE[0].words[1:]
    assert (words[0].box, words[0].confidence) == (PAGE[0].words[0].box, 1.0)


def test_several_words_share_the_place_of_one() -> None:
    """Words in the place of others lie side by side within it, as wide as they are long."""
    one, two = said(PAGE, 2, "a fence")[2].words
    place = PAGE[2].words[0].box
    assert (one.box.left, two.box.right) == (place.left, place.right)
    assert one.box.right < two.box.left
    assert one.box.width < two.box.width


def test_a_word_in_doubt_that_is_left_as_it_stands_is_confirmed() -> None:
    """Who saves a line says that all of it is right: nothing in it is in doubt any more."""
    page = (line("Fence six feet", confidence=0.4),)
    found = changes(lay_over(page, ())[0], ["Fence", "six", "feet"], SURE)
    assert [(c.was, c.text) for c in found] == [("Fence", "Fence"), ("six", "six"),
                                                ("feet", "feet")]  # fmt: skip
    (after,) = lay_over(page, corrections(found))
    assert after.text == "Fence six feet"
    assert {word.confidence for word in after.words} == {1.0}
    assert [w.box for w in after.words] == [w.box for w in page[0].words]


def test_an_emptied_line_is_none() -> None:
    """A line that says nothing is in no text, and can still be given its words again."""
    after = said(PAGE, 2, "")
    assert texts(after)[2] == ""
    assert [each.text for each in lines_of(after)] == [each.text for each in PAGE[:2]]
    assert after[2].place == PAGE[2].words[0].box
    (again,) = changes(after[2], ["fence"], SURE)
    assert (again.was, again.text, again.replaces) == ("fense", "fence", frozenset({1}))
    assert changes(after[2], [], SURE) == []


def test_a_correction_is_replaced_by_the_next() -> None:
    """Correcting what was corrected takes the place of it whole, and keeps what was read."""
    first = corrections(changes(lay_over(PAGE, ())[2], ["a", "high", "fence"], SURE))
    (again,) = changes(lay_over(PAGE, first)[2], ["a", "low", "fence"], SURE)
    assert (again.was, again.text, again.replaces) == ("fense", "a low fence", frozenset({1}))
    after = lay_over(PAGE, corrections([again], 2))
    assert texts(after)[2] == "a low fence"
    assert union([w.box for w in after[2].words]) == PAGE[2].words[0].box


def test_a_correction_with_another_between_its_words_loses_none() -> None:
    """Where a later reading lets two corrections stand in each other, all words that stay stay."""
    around = Correction(1, (Box(10, 10, 152, 30),), "Bilding permit", "Building permit", "ann", "")
    between = Correction(2, (Box(88, 10, 92, 30),), "", "x", "ann", "")
    standing = [around, between]
    laid = lay_over(PAGE, standing)[0]
    assert laid.text == "Building x permit No 12"
    for typed in ("House x permit No 12", "Building x permits No 12", "Building y permit No 12"):
        found = changes(laid, typed.split(), SURE)
        gone = {number for change in found for number in change.replaces}
        left = [c for c in standing if c.id not in gone]
        assert texts(lay_over(PAGE, left + corrections(found, 10)))[0] == typed


def test_another_reading_is_corrected_where_it_says_the_same_place() -> None:
    """Words cut otherwise by a later reading make way all the same, and neighbours stay."""
    kept = corrections(changes(lay_over(PAGE, ())[1], ["Ann", "Hart", "of", "Oakroad"], SURE))
    assert [c.was for c in kept] == ["Elm Street"]
    for reading in (
        line("Ann Hart of Elm5treet", 52), line("Ann Hart of El m Stree", 48),
        line("Ann Hart of E1m Street", 50),
    ):  # fmt: skip
        assert texts(lay_over((PAGE[0], reading, PAGE[2]), kept))[1] == "Ann Hart of Oakroad"


def test_a_line_that_leans_takes_no_word_of_another() -> None:
    """On bent paper the words of a long line stand higher and lower; only they make way."""
    words = line("one two three four five six").words
    bent = tuple(
        replace(w, box=w.box.moved(0, 12 * number)) for number, w in enumerate(words)
    )  # fmt: skip
    other = Line((Word("other", Box(10, 60, 60, 80), 0.9),))
    found = changes(lay_over((Line(bent), other), ())[0], ["all", "typed", "again"], SURE)
    assert texts(lay_over((Line(bent), other), corrections(found))) == ["all typed again", "other"]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(300, 50, 340, 70), ["Bilding permit No 12", "Ann Hart of Elm Street X", "fense"]),
        (Box(10, 30, 40, 44), ["Bilding permit No 12", "X", "Ann Hart of Elm Street", "fense"]),
        (Box(10, 0, 40, 8), ["X", "Bilding permit No 12", "Ann Hart of Elm Street", "fense"]),
    ],
)
def test_where_nothing_is_read_any_more_it_still_says_so(box: Box, expected: list[str]) -> None:
    """A correction whose words a later reading lacks stands beside its line, or alone."""
    assert texts(lay_over(PAGE, [Correction(1, (box,), "x", "X", "ann", "now")])) == expected


def test_no_correction_drives_out_another() -> None:
    """Two corrections whose places overlap are both in the text."""
    two = [Correction(n, (Box(0, 0, 500, 40),), "", text, "ann", "now")
           for n, text in ((1, "one"), (2, "two"))]  # fmt: skip
    assert sorted(texts(lay_over(PAGE, two))[0].split()) == ["one", "two"]


def test_who_said_what_is_known() -> None:
    """A line tells its corrections, those that emptied a word too, oldest first."""
    after = said(PAGE, 0, "Building permit 12")
    assert [(c.id, c.was, c.text) for c in after[0].corrections] == [
        (1, "Bilding", "Building"), (2, "No", ""),
    ]  # fmt: skip
    assert after[1].corrections == ()


words = st.lists(st.sampled_from(["a", "bc", "def", "g", "bc."]), max_size=7)


@given(st.lists(words, min_size=1, max_size=5), st.lists(words, min_size=1, max_size=3))
def test_a_line_always_says_what_was_typed(read: list[list[str]], typed: list[list[str]]) -> None:
    """However often and however a line is corrected, it says what was typed last; no other does."""
    page = tuple(line(" ".join(each), 10 + 40 * n) for n, each in enumerate(read))
    number = next((n for n, each in enumerate(read) if each), None)
    if number is None:
        return
    standing: list[Correction] = []
    for count, each in enumerate(typed):
        found = changes(lay_over(page, standing)[number], each, SURE)
        gone = {replaced for change in found for replaced in change.replaces}
        new = corrections(found, 100 * (count + 1))
        standing = [c for c in standing if c.id not in gone] + new
        after = texts(lay_over(page, standing))
        assert after[number].split() == each
        assert after[:number] == [" ".join(each) for each in read[:number]]
        assert after[number + 1 :] == [" ".join(each) for each in read[number + 1 :]]


def test_spreading_gives_every_word_a_width() -> None:
    """However long the text and however small the box."""
    for text in ("x", "a b c d e f g h", "w" * 500):
        made = spread(text.split(), Box(5, 5, 8, 9))
        assert all(word.box.width > 0 and word.box.height > 0 for word in made)
