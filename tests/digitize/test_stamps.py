"""Dates that are stamped on a page, any way round, read by the real second reader."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import values
from digitize.stamps import stamped_dates
from records.geometry import Box
from records.model import Line, Word

SIZE = (1700, 2200)
WHOLE = Box(0, 0, *SIZE)
ENGLISH = ("eng",)
US = values.Reading(False, "US")


def page(text: str, turn: int, under: str = "") -> np.ndarray:
    """Draw a letter-size page at 200 dots per inch with a stamp that is turned leftwards."""
    sheet = Image.new("L", SIZE, 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(34)
    if under:
        pen.text((900, 1190), under, 0, font)
    stamp = Image.new("L", (620, 60), 255)
    ImageDraw.Draw(stamp).text((10, 8), text, 0, ImageFont.load_default(40))
    turned = stamp.rotate(turn, expand=True)
    sheet.paste(turned, (1000, 900))
    return np.array(sheet)


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize(
    ("text", "day"),
    [("'91 OCT -8 P 3:52", "1991-10-08"), ("2009 APR 10 PM 12:20", "2009-04-10")],
)
def test_a_stamp_is_read_in_every_turn(text: str, day: str, turn: int) -> None:
    """Up, down and on its head: its date is found, and its place holds the stamp."""
    found = stamped_dates(page(text, turn), WHOLE, (), ENGLISH)
    assert [values.normalise("stamp", d.text, US).text for d in found][:1] == [day]
    x, y = found[0].box.centre
    assert 1000 <= x <= 1640
    assert 900 <= y <= 1540


def test_words_that_were_read_do_not_disturb_it() -> None:
    """Print that the stamp crosses is taken out of the picture first."""
    under = "Registration of agents and their principals"
    words, left = [], 900
    for part in under.split():
        words.append(Word(part, Box(left, 1190, left + 18 * len(part), 1230), 0.98))
        left += 18 * (len(part) + 1)
    found = stamped_dates(page("'91 OCT -8", 90, under), WHOLE, (Line(tuple(words)),), ENGLISH)
    assert [values.normalise("stamp", d.text, US).text for d in found] == ["1991-10-08"]


def test_what_stands_upright_is_left_to_the_pages_words() -> None:
    """A date that was typed is no stamp."""
    assert stamped_dates(page("2009 APR 10", 0), WHOLE, (), ENGLISH) == ()


@pytest.mark.parametrize(
    "area", [Box(0, 0, 300, 300), Box(5, 5, 9, 9), Box(-50, -50, 0, 0), Box(1690, 0, 1900, 400)]
)
def test_an_area_without_a_stamp_gives_none(area: Box) -> None:
    """Nothing is found where nothing is, nor in an area that is hardly on the page."""
    assert stamped_dates(page("2009 APR 10", 90), area, (), ENGLISH) == ()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("'91 OCT -8", "1991-10-08"),
        ("94 JAN21 AM 8:59", "1994-01-21"),
        ("2010FEB18AM10:40", "2010-02-18"),
        ("AUG 15 12 59 PM '79", "1979-08-15"),
        ("RECEIVED MAY 5, 1961 TOWN CLERK", "1961-05-05"),
        ("Received by the Unit 03/20/2013 10:45:33 AM", "2013-03-20"),
        ("3rd day of June, 1975", "1975-06-03"),
    ],
)
def test_what_stamps_print_is_a_date(text: str, day: str) -> None:
    """Clocks and offices print dates in many ways, with the hour before or behind."""
    assert values.normalise("stamp", text, US) == values.Value(day)


@pytest.mark.parametrize(
    "text", ["SEPTEMBER 2007", "PM 3:52", "OCT 8", "Form L-7 of 1961", "12:30"]
)
def test_what_is_no_full_date_is_none(text: str) -> None:
    """A month and a year, a time, a day without its year are no date."""
    assert values.normalise("stamp", text, US).fault == "is no date"


@pytest.mark.parametrize(
    ("read", "meant"),
    [("BEC 12", "DEC 12"), ("0CT 8", "OCT 8"), ("JUX 3", "JUX 3"), ("MAY 5", "MAY 5"),
     ("THE 12", "THE 12")],
)  # fmt: skip
def test_a_month_with_one_letter_wrong_is_mended_where_it_can_be_but_one(
    read: str, meant: str
) -> None:
    """BEC can only be DEC; JUX may be June or July, and stays."""
    assert values.months_mended(read) == meant
