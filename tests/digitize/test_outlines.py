"""Squares and rules that are drawn on a page; letters and blots are none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import outlines
from digitize.image import Grey

SIZE = (1700, 2200)
SQUARES = ((200, 300), (600, 300), (200, 500))


def page(turned: float = 0.0, ticks: bool = False, side: int = 34) -> Grey:
    """Draw a page at 200 dpi: three tick boxes with texts, a rule, and a blot."""
    image = Image.new("L", SIZE, 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    pen.text((150, 100), "BOARD OF DOGS, OFFICE HOURS 8 TO 10, BOX 600", fill=0, font=font)
    for left, top in SQUARES:
        pen.rectangle((left, top, left + side, top + side), outline=0, width=3)
        pen.text((left + 60, top - 2), "Dog or Bitch", fill=0, font=font)
        if ticks:
            pen.line((left + 8, top + 18, left + 15, top + 26, left + 27, top + 8), fill=0, width=4)
    pen.line((200, 900, 900, 900), fill=0, width=3)
    pen.rectangle((1200, 500, 1230, 530), fill=0)
    return np.asarray(image.rotate(turned, fillcolor=255), dtype=np.uint8)


@pytest.mark.parametrize(("side", "ticks"), [(18, False), (34, False), (34, True), (50, False)])
def test_squares_are_found_empty_or_ticked(side: int, ticks: bool) -> None:
    """Each where it is drawn; no letter, figure or blot is among them."""
    found = outlines.squares(page(ticks=ticks, side=side))
    assert [(box.left, box.top) for box in found] == [(200, 300), (600, 300), (200, 500)]
    assert {(box.width, box.height) for box in found} == {(side + 1, side + 1)}


@pytest.mark.parametrize("turned", [-0.3, 0.0, 0.3])
def test_rules_are_found_on_a_page_that_is_nearly_straight(turned: float) -> None:
    """What is left of a page's turn after cleaning does not hide them."""
    (rule,) = outlines.rules(page(turned))
    assert 600 < rule.width <= 710
    assert abs(rule.centre[1] - 900) < 12


def test_an_empty_page_has_neither() -> None:
    """Nothing is drawn on white paper."""
    blank = np.full(SIZE[::-1], 255, np.uint8)
    assert (outlines.squares(blank), outlines.rules(blank)) == ((), ())
