"""Two readings of a page made one: who is believed, what is kept, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr import joining
from ocr.calibration import Kind, Tables
from ocr.joining import FIRST, SECOND, SecondLine, calibrated, doubtful_part, join, words_in
from ocr.reading import Character
from records.geometry import Box, union
from records.model import Line, Word, WordReading

# Letters in these tests are 10 pixels wide, lines 20 high.
LETTER, HEIGHT = 10, 20
# Both readers are as often right as they say; what one alone saw counts half.
TABLES = Tables(
    {
        Kind.ALONE: ((0.0, 0.0), (1.0, 1.0)),
        Kind.AGREED: ((0.0, 0.9), (1.0, 1.0)),
        Kind.PARTED: ((0.0, 0.5), (1.0, 0.9)),
        Kind.FIRST_OF_TWO: ((0.0, 0.0), (1.0, 0.8)),
        Kind.SECOND_OF_TWO: ((0.0, 0.0), (1.0, 0.8)),
        Kind.FIRST_ONLY: ((0.0, 0.0), (1.0, 0.5)),
        Kind.SECOND_ONLY: ((0.0, 0.0), (1.0, 0.5)),
    }
)


def box_at(left: int, top: int, letters: int) -> Box:
    return Box(left, top, left + letters * LETTER, top + HEIGHT)


def word(text: str, left: int = 0, top: int = 0, sure: float = 0.97) -> Word:
    return Word(text, box_at(left, top, len(text)), sure)


def first(text: str, left: int = 0, top: int = 0, sure: float = 0.97) -> Line:
    """Return a line of the first reader; each blank of the text takes a letter's room."""
    words, place = [], left
    for part in text.split(" "):
        if part:
            words.append(word(part, place, top, sure))
        place += (len(part) + 1) * LETTER
    return Line(tuple(words))


def second(text: str, left: int = 0, top: int = 0, sure: float = 0.9) -> SecondLine:
    """Return a line of the second reader, a little larger than its letters, as it finds them."""
    characters = tuple(
        Character(letter, sure, Box(left + i * LETTER, top - 2, left + (i + 1) * LETTER, top + 22))
        for i, letter in enumerate(text)
    )
    return SecondLine(Box(left - 4, top - 4, left + len(text) * LETTER + 4, top + 24), characters)


def joined(
    ours: Sequence[Line], theirs: Sequence[SecondLine], known: frozenset[str] = frozenset()
) -> tuple[Line, ...]:
    return join(ours, theirs, known, TABLES)


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]


# What both readers saw


def test_agreement_keeps_the_first_readers_box_and_both_readings() -> None:
    """A word read alike is surer than either said, stands in the closer box, and says by whom."""
    [line] = joined([first("Fence", sure=0.6)], [second("Fence", sure=0.8)])
    [made] = line.words
    assert made.text == "Fence"
    assert made.box == box_at(0, 0, 5)
    assert made.confidence == pytest.approx(0.97)
    assert made.readings == (WordReading(FIRST, "Fence", 0.6), WordReading(SECOND, "Fence", 0.8))
    assert made.alternatives == ()


@pytest.mark.parametrize(
    ("first_sure", "second_sure", "text", "other"),
    [(0.9, 0.5, "Fonce", "Fence"), (0.5, 0.9, "Fence", "Fonce")],
)
def test_of_two_readings_the_likelier_is_taken_and_the_other_kept(
    first_sure: float, second_sure: float, text: str, other: str
) -> None:
    """Where they differ the tables decide; what was not taken stays as an alternative."""
    [line] = joined([first("Fonce", sure=first_sure)], [second("Fence", sure=second_sure)])
    [made] = line.words
    assert (made.text, made.alternatives) == (text, (other,))
    assert made.confidence == pytest.approx(0.9 * 0.8)
    assert made.box == box_at(0, 0, 5)
    assert {reading.reader for reading in made.readings} == {FIRST, SECOND}


def test_a_word_is_as_sure_as_its_least_sure_letter() -> None:
    """One doubtful letter makes the second reader's word doubtful."""
    line = second("Fence", sure=0.95)
    doubtful = Character("e", 0.2, line.characters[1].box)
    line = SecondLine(line.box, (line.characters[0], doubtful, *line.characters[2:]))
    [found] = joined([first("Fonce", sure=0.5)], [line])
    assert found.text == "Fonce"
    assert found.words[0].readings[1] == WordReading(SECOND, "Fence", 0.2)


def test_only_the_words_that_differ_are_in_doubt() -> None:
    """On a line the words are compared one by one."""
    ours, theirs = first("Town of Alder Fails", sure=0.7), second("Town of Alder Falls", sure=0.9)
    [line] = joined([ours], [theirs])
    assert line.text == "Town of Alder Falls"
    assert [made.alternatives for made in line.words] == [(), (), (), ("Fails",)]
    assert [made.box for made in line.words] == [made.box for made in ours.words]
    assert line.words[0].confidence > line.words[3].confidence


# Words that people have verified


@pytest.mark.parametrize("known", ["fence", "fonce"])
def test_a_verified_word_is_believed(known: str) -> None:
    """A word that people have verified wins, whoever read it and however unsurely."""
    sure = (0.2, 0.9) if known == "fonce" else (0.9, 0.2)
    [line] = joined(
        [first("Fonce", sure=sure[0])], [second("Fence", sure=sure[1])], frozenset([known])
    )
    assert line.text.casefold() == known


@pytest.mark.parametrize("mark", [".", ",", ":", ";", ")", "("])
def test_a_verified_word_may_carry_a_mark(mark: str) -> None:
    """A point or a bracket at a word does not make it an unknown one."""
    [line] = joined(
        [first(f"FENCE{mark}", sure=0.3)], [second(f"FONCE{mark}", sure=0.9)], frozenset(["fence"])
    )
    assert line.text == f"FENCE{mark}"


def test_two_verified_words_leave_it_to_the_tables() -> None:
    """Where both readings are verified words the likelier one is taken."""
    [line] = joined(
        [first("form", sure=0.4)], [second("farm", sure=0.8)], frozenset(["form", "farm"])
    )
    assert line.text == "farm"


def test_a_verified_word_changes_nothing_where_both_agree() -> None:
    """Verified words tip the scales only; they never put a word that nobody read."""
    [line] = joined([first("Fonce")], [second("Fonce")], frozenset(["fence"]))
    assert line.text == "Fonce"


# Blanks


def test_a_wide_gap_parts_what_the_second_reader_ran_together() -> None:
    """In a form the label and its answer stand apart, and stay two words, each at its place."""
    ours = Line((word("date", 0, sure=0.8), word("11/24/2018", 120, sure=0.8)))
    characters = second("date").characters + second("11/24/2018", 120).characters
    [line] = joined([ours], [SecondLine(Box(-4, -4, 224, 24), characters)])
    assert [made.text for made in line.words] == ["date", "11/24/2018"]
    assert [made.box for made in line.words] == [made.box for made in ours.words]


def test_the_second_readers_letters_win_in_the_first_readers_words() -> None:
    """Parted at a wide gap, a better reading of a part is taken, in the first reader's box."""
    ours = Line((word("dale", 0, sure=0.3), word("11/24/2018", 120, sure=0.8)))
    characters = second("date").characters + second("11/24/2018", 120).characters
    [line] = joined([ours], [SecondLine(Box(-4, -4, 224, 24), characters)])
    assert line.text == "date 11/24/2018"
    assert line.words[0].box == ours.words[0].box


@pytest.mark.parametrize(
    ("first_sure", "second_sure", "text"),
    [(0.9, 0.5, "Maple St"), (0.5, 0.9, "MapleSt")],
)
def test_a_narrow_gap_is_decided_by_who_is_surer(
    first_sure: float, second_sure: float, text: str
) -> None:
    """The same letters, parted in two ways with little room between: the surer reader is taken."""
    ours = Line((word("Maple", 0, sure=first_sure), word("St", 55, sure=first_sure)))
    [line] = joined([ours], [second("MapleSt", sure=second_sure)])
    assert line.text == text
    assert line.words[0].readings == (
        WordReading(FIRST, "Maple St", first_sure), WordReading(SECOND, "MapleSt", second_sure)
    )  # fmt: skip


def test_the_second_reader_may_see_more_words() -> None:
    """Where the first ran words together, the surer second's parting is taken."""
    [line] = joined([first("AlderFalls", sure=0.3)], [second("Alder Falls", sure=0.9)])
    assert [made.text for made in line.words] == ["Alder", "Falls"]
    assert line.words[0].readings[0] == WordReading(FIRST, "AlderFalls", 0.3)
    assert "AlderFalls" in line.words[0].alternatives


def test_unequal_counts_leave_the_neighbours_in_peace() -> None:
    """Words around a place where the readers disagree about blanks keep their own readings."""
    ours, theirs = "the Townof Alder Falls", "the Town of Alder Falls"
    [line] = joined([first(ours, sure=0.5)], [second(theirs, sure=0.9)])
    assert line.text == theirs
    by_text = {made.text: made for made in line.words}
    assert by_text["Alder"].readings == (
        WordReading(FIRST, "Alder", 0.5), WordReading(SECOND, "Alder", 0.9)
    )  # fmt: skip


# What one reader alone saw


def test_a_line_between_lines_is_inserted_in_its_place() -> None:
    """What the first overlooked stands between the lines above and below it."""
    ours = [first("above", top=0), first("below", top=80)]
    made = joined(ours, [second("between", top=40)])
    assert texts(made) == ["above", "between", "below"]
    [reading] = made[1].words[0].readings
    assert reading == WordReading(SECOND, "between", 0.9)
    assert made[1].words[0].confidence == pytest.approx(0.45)


@pytest.mark.parametrize(("top", "order"), [(-60, 0), (140, 2)])
def test_a_line_before_or_after_all_others(top: int, order: int) -> None:
    """A heading goes first, a foot last."""
    ours = [first("one", top=0), first("two", top=80)]
    assert texts(joined(ours, [second("edge", top=top)])).index("edge") == order


@pytest.mark.parametrize(
    ("left", "text"), [(60, "Name Fenwick"), (-80, "Fenwick Name")], ids=["right", "left"]
)
def test_words_beside_a_line_join_it(left: int, text: str) -> None:
    """An answer that only the second saw stands on its label's line, to whichever side it lies."""
    made = joined([first("Name"), first("Date", top=60)], [second("Fenwick", left=left)])
    assert texts(made) == [text, "Date"]


def test_words_far_away_at_the_same_height_are_another_line() -> None:
    """A second column is not drawn into the first."""
    made = joined([first("left")], [second("right", left=600)])
    assert sorted(texts(made)) == ["left", "right"]


def test_words_seen_inside_a_read_line_stand_between_its_words() -> None:
    """On one line, a word that only the second saw stands where it lies."""
    ours = Line((word("Fee", 0, sure=0.8), word("paid", 100, sure=0.8)))
    [line] = joined([ours], [second("Fee 30.50 paid", sure=0.9)])
    assert line.text == "Fee 30.50 paid"
    lefts = [made.box.left for made in line.words]
    assert lefts == [0, 40, 100]


@pytest.mark.parametrize(("sure", "kept"), [(0.9, True), (0.5, False)])
def test_what_the_second_did_not_see_must_be_likely(sure: float, kept: bool) -> None:
    """A word where the second saw nothing stays only when it is likely enough."""
    made = joined([first("Fence", sure=sure)], [SecondLine(Box(-4, -4, 54, 24), ())])
    assert texts(made) == (["Fence"] if kept else [])
    if kept:
        assert made[0].words[0].readings == (WordReading(FIRST, "Fence", sure),)
        assert made[0].words[0].confidence == pytest.approx(sure / 2)


@pytest.mark.parametrize(("sure", "kept"), [(0.9, True), (0.5, False)])
def test_what_the_second_alone_saw_must_be_likely(sure: float, kept: bool) -> None:
    """Specks that the second reader takes for letters, unsurely, are left out."""
    assert texts(joined([], [second("Fence", sure=sure)])) == (["Fence"] if kept else [])


def test_words_in_no_second_line_stay_in_their_order() -> None:
    """Where nobody looked again the first reading stands, line by line, word by word."""
    ours = [first("one two"), first("three four", top=40), first("five", top=80)]
    made = joined(ours, [second("three", top=40, sure=0.5)])
    assert texts(made) == ["one two", "three four", "five"]
    assert made[0].words[0].readings == (WordReading(FIRST, "one", 0.97),)
    assert made[0].words[0].box == ours[0].words[0].box


@pytest.mark.parametrize(("sure", "kept"), [(0.97, True), (0.8, True), (0.5, False)])
def test_doubtful_words_outside_all_lines_count_as_not_seen(sure: float, kept: bool) -> None:
    """Doubtful words are all looked for: where the second found no line, specks were read."""
    made = joined([first("one"), first("spck", top=40, sure=sure)], [second("one")])
    assert texts(made) == (["one", "spck"] if kept else ["one"])


def test_the_first_readers_order_of_lines_is_kept() -> None:
    """In two columns the lines come as the first reader read them, however the second did."""
    ours = [first("a1"), first("a2", top=40), first("b1", left=500), first("b2", left=500, top=40)]
    theirs = [second("a1"), second("b1", left=500), second("a2", top=40), second("b2", 500, 40)]
    assert texts(joined(ours, theirs)) == ["a1", "a2", "b1", "b2"]


def test_an_empty_second_reading_leaves_the_first() -> None:
    """Where nothing was looked at again the words stay, with probabilities for scores."""
    ours = [first("one two"), first("three", top=40)]
    assert joined(ours, []) == calibrated(ours, TABLES)
    assert texts(joined(ours, [])) == ["one two", "three"]


def test_an_empty_first_reading_leaves_the_second() -> None:
    """A page of which the first reader read nothing is the second's, top to bottom."""
    theirs = [second("one two"), second("three", top=40), second("", top=80)]
    assert texts(joined([], theirs)) == ["one two", "three"]
    assert joined([], []) == ()


# Scores and probabilities


def test_calibrated_words_keep_text_and_place() -> None:
    """A reading that stands alone is not changed but for its confidences; the score is kept."""
    [line] = calibrated([first("Alder Falls", sure=0.4)], Tables({
        **TABLES.points, Kind.ALONE: ((0.0, 0.1), (0.5, 0.2), (1.0, 0.9))
    }))  # fmt: skip
    assert line.text == "Alder Falls"
    assert line.words[0].confidence == pytest.approx(0.18)
    assert line.words[0].readings == (WordReading(FIRST, "Alder", 0.4),)
    assert line.words[1].box == box_at(60, 0, 5)


# What must be read again


LINE = Box(0, 0, 400, 20)
SURE = 0.93  # from which score a word is taken on trust


def spans(*edges: tuple[int, int, float]) -> list[Word]:
    """Return words from left to right edge, with how surely each was read."""
    return [Word("x", Box(left, 0, right, HEIGHT), sure) for left, right, sure in edges]


def test_a_surely_read_line_is_not_read_again() -> None:
    """Where every word was read surely and no ink lies between, there is nothing to do."""
    words = spans((0, 120, 0.97), (130, 260, 0.99), (270, 400, 0.97))
    assert doubtful_part(LINE, words, SURE) is None


def test_what_is_sure_at_the_ends_is_cut_off() -> None:
    """Of a line with doubtful words in its middle, only these are read again."""
    words = spans((0, 100, 0.97), (110, 200, 0.5), (210, 290, 0.6), (300, 400, 0.98))
    assert doubtful_part(LINE, words, SURE) == Box(100, 0, 300, 20)


def test_words_that_are_only_nearly_sure_are_not_cut_off() -> None:
    """Sure enough to be left alone is not sure enough to be cut off beside a doubtful word."""
    nearly = SURE + joining._SURER / 2
    assert doubtful_part(LINE, spans((0, 190, nearly), (200, 400, 0.5)), SURE) == LINE
    assert doubtful_part(LINE, spans((0, 190, nearly), (200, 400, nearly)), SURE) is None


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (spans((0, 190, 0.97)), Box(190, 0, 400, 20)),
        (spans((200, 400, 0.97)), Box(0, 0, 200, 20)),
        (spans((100, 300, 0.97)), LINE),
        (spans((0, 100, 0.97), (300, 400, 0.97)), Box(100, 0, 300, 20)),
    ],
    ids=["right", "left", "both", "between"],
)
def test_unread_ink_in_a_line_is_read(words: list[Word], part: Box) -> None:
    """However surely the words were read: where none was read beside them, it is looked at."""
    assert doubtful_part(LINE, words, SURE) == part


def test_a_line_without_words_is_read_whole() -> None:
    """What the first reader overlooked is read from end to end."""
    assert doubtful_part(LINE, [], SURE) == LINE


def test_words_belong_to_the_line_nearest_their_middle() -> None:
    """Where boxes of lines overlap, each word goes to one of them, and to none far from all."""
    boxes = [Box(0, 0, 400, 30), Box(0, 20, 400, 50)]
    lines = [first("up", top=3), first("down", top=24), first("far", top=300)]
    homes = words_in(boxes, lines)
    assert [[made.text for made in home] for home in homes] == [["up"], ["down"]]


# Whatever two readers say

LETTERS = st.sampled_from("abcF1/. ")
SHARE = st.floats(0.0, 1.0)
EDGE = st.integers(0, 300)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, top = draw(EDGE), draw(EDGE)
    return Box(left, top, left + draw(st.integers(1, 120)), top + draw(st.integers(1, 40)))


@st.composite
def first_words(draw: st.DrawFn) -> Word:
    text = draw(st.text("abcF1/.", min_size=1, max_size=5))
    return Word(text, draw(boxes()), draw(SHARE))


@st.composite
def second_lines(draw: st.DrawFn) -> SecondLine:
    box = draw(boxes())
    letters = draw(st.lists(st.tuples(LETTERS, SHARE), max_size=8))
    step = max(1, box.width // max(1, len(letters)))
    characters = []
    for i, (letter, sure) in enumerate(letters):
        left = min(box.left + i * step, box.right - 1)
        place = Box(left, box.top, min(left + step, box.right), box.bottom)
        characters.append(Character(letter, sure, place))
    return SecondLine(box, tuple(characters))


FIRST_LINES = st.lists(
    st.lists(first_words(), min_size=1, max_size=4).map(lambda words: Line(tuple(words))),
    max_size=4,
)
KNOWN = st.frozensets(st.sampled_from(["abc", "a", "f1", "b/c"]))


def is_outside(made: Word, theirs: Sequence[SecondLine]) -> bool:
    x, y = made.box.centre
    return not any(
        line.box.left <= x <= line.box.right and line.box.top <= y <= line.box.bottom
        for line in theirs
    )


@given(FIRST_LINES, st.lists(second_lines(), max_size=4), KNOWN)
def test_whatever_is_joined_holds_together(
    ours: list[Line], theirs: list[SecondLine], known: frozenset[str]
) -> None:
    """Nothing raises; probabilities are shares, boxes lie where something was read, text is text.

    No word that the first reader read surely, and that nobody looked at again, is lost.
    """
    made = join(ours, theirs, known, TABLES)
    words = [found for line in made for found in line.words]
    assert all(line.words for line in made)
    assert all(0.0 <= found.confidence <= 1.0 for found in words)
    assert all(found.text and " " not in found.text for found in words)
    around = union(
        [found.box for line in ours for found in line.words] + [line.box for line in theirs]
    )
    for found in words:
        assert around is not None
        assert found.box.overlap(around) == found.box.width * found.box.height > 0
    for found in (found for line in ours for found in line.words):
        if found.confidence >= 0.97 and is_outside(found, theirs):
            assert any(w.text == found.text and w.box == found.box for w in words)


@given(FIRST_LINES, st.lists(second_lines(), max_size=4))
def test_nothing_is_read_that_nobody_read(ours: list[Line], theirs: list[SecondLine]) -> None:
    """Every letter of the joined page was read by one of the two, and each word at most once."""
    made = join(ours, theirs, frozenset(), TABLES)
    readings = [r for line in made for found in line.words for r in found.readings]
    read_by_first = [found.text for line in ours for found in line.words]
    told = [t for r in readings if r.reader == FIRST for t in r.text.split()]
    for text in set(told):
        assert told.count(text) <= read_by_first.count(text)
    letters = "".join(read_by_first) + "".join(c.text for line in theirs for c in line.characters)
    shown = "".join(found.text for line in made for found in line.words)
    assert all(shown.count(letter) <= letters.count(letter) for letter in set(shown))


@given(boxes(), st.lists(first_words(), max_size=5))
def test_what_is_read_again_lies_in_its_line(box: Box, words: list[Word]) -> None:
    """The part of a line to read again is a part of it, with its whole height, and not empty."""
    part = doubtful_part(box, words, SURE)
    if part is not None:
        assert box.left <= part.left < part.right <= box.right
        assert (part.top, part.bottom) == (box.top, box.bottom)


@given(st.lists(st.tuples(st.integers(5, 60), st.integers(0, 40), SHARE), min_size=1, max_size=6))
def test_no_doubtful_word_is_cut_off(parts: list[tuple[int, int, float]]) -> None:
    """Of words that stand one after the other, every doubtful one is read again, whole."""
    words, place = [], 0
    for width, gap, sure in parts:
        words.append(Word("x", Box(place, 0, place + width, HEIGHT), sure))
        place += width + gap
    line = Box(0, 0, place, HEIGHT)
    part = doubtful_part(line, words, SURE)
    for made in words:
        # A word narrower than a letter can be is a speck; see joining._ROOM.
        if made.confidence < SURE and made.box.width > 0.7 * HEIGHT:
            assert part is not None
            assert part.left <= made.box.left < made.box.right <= part.right
