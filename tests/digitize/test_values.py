"""Written answers to values: many styles of hand, and no guess where none is safe."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize import values
from digitize.values import KINDS, TEXT_KINDS, Reading, broken_rule, nearest, normalise, tidy

US, UK = Reading(False, "US"), Reading(True, "GB")


@pytest.mark.parametrize(
    "text",
    ["03/14/2019", "3/14/2019", "3/14/19", "3-14-2019", "3.14.2019", "2019-03-14", "2019/03/14",
     "March 14, 2019", "Mar. 14, 2019", "14 March 2019", "14 MAR 2019", "14th of March 2019",
     "Thursday, March 14, 2019", "MARCH 14 2019.", "| 03/14/2019 |", "O3/14/2O19", "03/l4/2019"],
)  # fmt: skip
def test_a_date_in_any_style(text: str) -> None:
    """However a clerk wrote it, a date is one ISO date; look-alikes of digits are digits."""
    assert normalise("date", text, US) == values.Value("2019-03-14")


def test_day_and_month_as_the_city_writes_them() -> None:
    """03/04 is the third of April where the settings say so; ISO dates never turn."""
    assert normalise("date", "03/04/2019", US).text == "2019-03-04"
    assert normalise("date", "03/04/2019", UK).text == "2019-04-03"
    assert normalise("date", "2019-03-04", UK).text == "2019-03-04"


@pytest.mark.parametrize("year", ["61", "'61", "45", "99"])
def test_a_year_of_two_digits_has_been(year: str) -> None:
    """Paper is older than its scan: '61 is 1961, and not a day that is still to come."""
    found = normalise("date", f"4/12/{year}", US)
    assert found.text == f"19{year[-2:]}-04-12"


def test_a_year_of_two_digits_may_lie_a_little_ahead() -> None:
    """Licences expire next year: a few years ahead are believed."""
    ahead = date.today().year + 2
    assert normalise("date", f"12/31/{ahead % 100:02}", US).text == f"{ahead}-12-31"


@pytest.mark.parametrize(
    "text",
    ["May 2019", "2019", "14", "March 14", "Monday", "10:30", "3/14", "02/30/2019", "13/13/2019",
     "0/0/0000", "tomorrow", "see above", "----9", "March 14 or 15, 2019"],
)  # fmt: skip
def test_a_partial_or_impossible_date_is_refused(text: str) -> None:
    """What is no full date stays as written, and is said to be none; no day is made up."""
    found = normalise("date", text, US)
    assert found.fault == "is no date"
    assert found.text == tidy(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1,250.00", "1250.00"), ("1250", "1250.00"), ("$ 12.5", "12.50"), ("USD 99", "99.00"),
        ("\u00a7 35.00", "35.00"), ("S125.00", "125.00"), ("$l25.00", "125.00"),
        ("$1O0.OO", "100.00"), ("100 50", "100.50"), ("1.250,00", "1250.00"),
        ("$12.50 paid", "12.50"), ("1 250.00", "1250.00"),
    ],
)  # fmt: skip
def test_money(text: str, value: str) -> None:
    """Sums are plain decimals with two places, whatever stands around them."""
    assert normalise("money", text, US) == values.Value(value)


@pytest.mark.parametrize("text", ["waived", "n/a", "$", "Solid"])
def test_what_is_no_money_is_refused(text: str) -> None:
    """Words are no sum."""
    assert normalise("money", text, US).fault == "is no sum of money"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"), ("007", "7"), ("1,250", "1250"), ("1 250", "1250"), ("12.50", "12.5"),
        ("100", "100"), ("#12", "12"), ("3O5", "305"), ("lO", "10"), ("I5", "15"),
        ("1,2OO", "1200"),
        ("12 apples", "12"), ("10 lbs", "10"), ("10lbs", "10"), ("1200 SQ FT", "1200"),
        ("1200SQFT", "1200"), ("12 S", "12"), ("5 or 6", "5"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
    ],
)  # fmt: skip
def test_numbers(text: str, value: str) -> None:
    """Digits that were misread are mended, and the letters of a unit never become digits."""
    assert normalise("number", text, US) == values.Value(value)


@pytest.mark.parametrize("text", ["No. 12", "1.234.5", "twelve", "Solid", "-", "."])
def test_what_is_no_number_is_refused(text: str) -> None:
    """What is no number is not made one."""
    assert normalise("number", text, US).text in (tidy(text), "")
    assert tidy(text) == "" or normalise("number", text, US).fault == "is no number"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("money", ".50", "0.50"),
        ("number", ".5", "0.5"),
        ("money", "-12.00", "-12.00"),
        ("money", "(12.00)", "-12.00"),
        ("number", "1 250", "1250"),
        ("text", "12\u201314 Elm St", "12\u201314 Elm St"),
        ("text", "A_2 [x]", "A_2 [x]"),
    ],
)
def test_what_a_person_typed_is_kept_as_meant(kind: str, text: str, value: str) -> None:
    """A correction loses no sign, point or character to the tidying of machine readings."""
    assert normalise(kind, text, US, typed=True) == values.Value(value)


@pytest.mark.parametrize("text", ["3 4", "1e5"])
def test_what_a_person_typed_is_not_guessed_at(text: str) -> None:
    """A number that could mean two things is not made one of them in silence."""
    assert normalise("number", text, US, typed=True).fault == "is no number"


@pytest.mark.parametrize(("kind", "text"), [("number", "-5"), ("money", "-50"), ("money", "(50)")])
def test_a_sign_is_not_lost_in_silence(kind: str, text: str) -> None:
    """A credit is not taken for a charge: either the sign stays, or the answer is in doubt."""
    found = normalise(kind, text, US)
    assert found.fault or found.text.startswith("-")


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("555-555-0142", "US", "(555) 555-0142"),
        ("(555) 555 0142", "US", "(555) 555-0142"),
        ("555.555.O142", "US", "(555) 555-0142"),
        ("+1 555 555 0142", "US", "(555) 555-0142"),
        ("+44 20 7946 0958", "US", "+44 20 7946 0958"),
        ("020 7946 0958", "GB", "020 7946 0958"),
    ],
)
def test_telephones(text: str, region: str, value: str) -> None:
    """A number of one's own country is written as there, a foreign one with its country code."""
    assert normalise("phone", text, Reading(False, region)) == values.Value(value)


@pytest.mark.parametrize("text", ["none", "12", "123456789012345678", "ask Bob"])
def test_what_is_no_telephone_is_refused(text: str) -> None:
    """Too short, too long, or words."""
    assert normalise("phone", text, US).fault == "is no telephone number"


@pytest.mark.parametrize(
    ("text", "value"), [("Yes", "yes"), ("X", "yes"), ("ticked", "yes"), ("No", "no"), ("0", "no")]
)
def test_ticks(text: str, value: str) -> None:
    """A person at the desk may write a tick in any of the usual words."""
    assert normalise("tick", text, US) == values.Value(value)
    assert normalise("tick", "perhaps", US).fault == "is neither yes nor no"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("| Elm Street |", "Elm Street"), ("__Elm__", "Elm"), ("  two \n lines ", "two lines"),
        ("\u201cElm\u201d,", "Elm"), ("Ave.", "Ave."), (".", ""), ("\u2014", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_rules_leave_is_dropped(raw: str, text: str) -> None:
    """Box edges and rules around an answer are no part of it."""
    assert tidy(raw) == text


@given(st.sampled_from(KINDS), st.text(max_size=40), st.sampled_from([US, UK]))
def test_no_text_raises(kind: str, text: str, reading: Reading) -> None:
    """Whatever a reader makes of a smudge, the answer is a value, with or without a fault."""
    found = normalise(kind, text, reading)
    assert isinstance(found.text, str)
    assert found.fault is None or found.fault.startswith("is n")


digitish = st.text(alphabet="0123456789OolISB|.,/-:$# \u00a7TZamp+()", max_size=24)


@given(st.sampled_from(TEXT_KINDS), digitish)
def test_no_figure_raises(kind: str, text: str) -> None:
    """The same for what looks like figures; what is accepted has the form of its kind."""
    found = normalise(kind, text, US)
    shape = {"date": r"\d{4}-\d\d-\d\d", "money": r"-?\d+\.\d\d", "number": r"-?\d+(\.\d+)?"}
    if found.fault is None and found.text and kind in shape:
        assert re.fullmatch(shape[kind], found.text)


@given(st.dates(date(1850, 1, 1), date(2030, 12, 31)), st.sampled_from(["%m/%d/%Y", "%d %B %Y"]))
def test_every_day_comes_back(day: date, style: str) -> None:
    """Any day written out in full is read as that day."""
    assert normalise("date", day.strftime(style), US).text == day.isoformat()


@given(st.decimals(0, 10**9, places=2))
def test_every_sum_comes_back(amount: Decimal) -> None:
    """Any sum written with commas is read as that sum."""
    assert normalise("money", f"${amount:,.2f}", US).text == f"{amount:.2f}"


@pytest.mark.parametrize(
    ("kind", "value", "pattern", "low", "high", "said"),
    [
        ("text", "2019-0412", r"\d{4}-\d{4}", None, None, None),
        ("text", "2019-412", r"\d{4}-\d{4}", None, None, r"does not have the form \d{4}-\d{4}"),
        ("number", "5", None, "1", "9", None),
        ("number", "0", None, "1", "9", "is less than 1"),
        ("money", "9.01", None, "1", "9", "is more than 9"),
        ("money", "free", None, "1", "9", None),
        ("date", "2019-01-01", None, "2019-01-01", "2019-12-31", None),
        ("date", "2018-12-31", None, "2019-01-01", None, "is before 2019-01-01"),
        ("date", "2020-01-01", None, None, "2019-12-31", "is after 2019-12-31"),
    ],
)
def test_rules(
    kind: str, value: str, pattern: str | None, low: str | None, high: str | None, said: str | None
) -> None:
    """A value that breaks a rule is told which."""
    assert broken_rule(kind, value, pattern, low, high) == said


def test_the_nearest_of_a_list() -> None:
    """A misread word of a list is mended, and another word is not bent into one."""
    allowed = ("Demolition", "Addition", "Repair")
    assert nearest("Demolitlon", allowed) == "Demolition"
    assert nearest("REPAIR", allowed) == "Repair"
    assert nearest("Fence", allowed) is None


@pytest.mark.parametrize("raw", ["24 Aug 201", "March 14, 912"])
def test_a_year_of_three_figures_is_no_date(raw: str) -> None:
    """A figure of the year that was not read makes the date none, and not one of long ago."""
    assert normalise("date", raw, US).fault == "is no date"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("Ward 7", ("Ward 1", "Ward 2")), ("12 Elm", ("11 Elm", "13 Elm"))],
)
def test_two_values_that_are_as_near_are_none(text: str, allowed: tuple[str, ...]) -> None:
    """A misread figure does not become another figure that the list has."""
    assert nearest(text, allowed) is None


@pytest.mark.parametrize(
    ("raw", "day"),
    [("OCT 8 10:30 AM 1991", "1991-10-08"), ("RECEIVED OCT 8 10:30", None),
     ("Monday March 2019", None)],
)  # fmt: skip
def test_an_hour_is_no_year_and_a_weekday_no_day(raw: str, day: str | None) -> None:
    """What is lacking in a date is not made up from what stands beside it."""
    found = normalise("stamp", raw, US)
    assert (found.text if found.fault is None else None) == day
