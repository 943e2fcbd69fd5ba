"""Words, dates, numbers and misspellings: pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.spelling import is_near, neighbours
from search.text import LONGEST_TOKEN, fold, replace_token, tokens
from search.values import date_span, iso_date, number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fence, 6 ft.", ("fence", "6", "ft")),
        ("2019-0412", ("2019", "0412")),
        ("O'Brien", ("o", "brien")),
        ("Jos\u00e9 Nu\u00f1ez Stra\u00dfe", ("jose", "nunez", "strasse")),
        ("\ufb01le \uff21\uff22", ("file", "ab")),
        ("snake_case", ("snake", "case")),
        ("\u041f\u0440\u0438\u0432\u0435\u0442", ("\u043f\u0440\u0438\u0432\u0435\u0442",)),
        ("\0 \U0001f600 --", ()),
    ],
)
def test_tokens(text: str, words: tuple[str, ...]) -> None:
    """Case, accents, ligatures and punctuation make no difference to what is found."""
    assert tokens(text) == words


@given(st.text())
def test_tokens_are_stable(text: str) -> None:
    """A word that was cut once is cut the same way again, so queries meet pages."""
    for token in tokens(text):
        assert tokens(token) == (token,)
        assert 0 < len(token) <= LONGEST_TOKEN


@given(st.text())
def test_a_page_cut_by_word_is_a_page_cut_whole(text: str) -> None:
    """Words on the page image and the page's text give the same tokens."""
    apart = tuple(token for word in text.split() for token in tokens(word))
    assert apart == tokens(text)
    assert fold(fold(text)) == fold(text) or not text.isascii()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2019", ("2019-01-01", "2019-12-31")),
        ("2019-02", ("2019-02-01", "2019-02-28")),
        ("2020-2-29", ("2020-02-29", "2020-02-29")),
        ("5/12/2019", ("2019-05-12", "2019-05-12")),
        ("2019-13", None),
        ("2019-02-30", None),
        ("0000", None),
        ("13/1/2019", None),
        ("", None),
        ("\u0662\u0660\u0661\u0669", None),
        ("last year", None),
    ],
)
def test_date_span(text: str, span: tuple[str, str] | None) -> None:
    """A typed year, month or day means its first to its last day; anything else is no date."""
    assert date_span(text) == span


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("150", 150.0),
        ("$1,250.50", 1250.5),
        ("-3", -3.0),
        (".5", 0.5),
        ("1,2", None),
        ("2019-0412", None),
        ("", None),
        ("$", None),
        ("9" * 400, None),
        ("nan", None),
    ],
)
def test_number(text: str, value: float | None) -> None:
    """Money and plain numbers are compared by value; what only looks like one is not."""
    assert number(text) == value


@given(st.text(max_size=30))
def test_values_never_fail(text: str) -> None:
    """No text makes the reading of values fail."""
    date_span(text)
    number(text)
    iso_date(text)


@pytest.mark.parametrize("typed", ["smth", "smitth", "smiht", "smyth", "xsmith", "mith", "smith"])
def test_neighbours_and_is_near_agree(typed: str) -> None:
    """One slip is a letter dropped, put in, exchanged or swapped with the next."""
    assert is_near(typed, "smith")
    assert is_near("smith", typed)
    assert typed == "smith" or "smith" in set(neighbours(typed))


@pytest.mark.parametrize("typed", ["smithers", "htims", "smi", "smaeth", ""])
def test_two_slips_are_too_many(typed: str) -> None:
    """Words two edits apart are different words."""
    assert not is_near(typed, "smith")
    assert "smith" not in set(neighbours(typed))


def test_a_number_has_no_misspelling() -> None:
    """Another number is another record: only a digit read as a letter is tried."""
    assert set(neighbours("2019")) == {"zo19".replace("zo", "z0"), "2o19", "20l9", "20i9"}


def test_other_scripts_are_tried_in_their_letters() -> None:
    """A Cyrillic or Greek word is put right with letters of its own script."""
    assert "\u043c\u043e\u0441\u043a\u0432\u0430" in set(
        neighbours("\u043c\u0430\u0441\u043a\u0432\u0430")
    )


@pytest.mark.parametrize(
    ("text", "token", "other", "changed"),
    [
        ("fense permit", "fense", "fence", "fence permit"),
        ("Fense FENSE fense-post", "fense", "fence", "Fence FENCE fence-post"),
        ("fense:fense", "fense", "fence", "fense:fence"),
        ("offense", "fense", "fence", "offense"),
    ],
)
def test_replace_token(text: str, token: str, other: str, changed: str) -> None:
    """A suggestion is the typed text with just the one word put right."""
    assert replace_token(text, token, other) == changed
