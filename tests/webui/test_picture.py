"""The picture of a page in a real browser: moved, enlarged, and still in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .browsing import DESK, PHONE, opened
from .conftest import Site

pytestmark = pytest.mark.browser

FRAME = ".sheet-window"
Served = tuple[Site, str]


@pytest.fixture
def scripted(browser: Browser, states: Path) -> Iterator[Page]:
    """A page with scripts."""
    yield from opened(browser, states, DESK, True)


def scrolled(page: Page) -> tuple[float, float]:
    """Return how far the picture is scrolled in its frame."""
    left, top = page.eval_on_selector(FRAME, "f => [f.scrollLeft, f.scrollTop]")
    return left, top


def drag(page: Page, x: int, y: int) -> None:
    """Press the mouse in the middle of the frame, move it, and let go."""
    box = page.locator(FRAME).bounding_box()
    assert box
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + x / 2, at[1] + y / 2)
    page.mouse.move(at[0] + x, at[1] + y)
    page.mouse.up()


def test_the_mouse_moves_the_picture(served: Served, scripted: Page) -> None:
    """By as much as the hand, both ways; and no mark under the mouse is followed as a link."""
    scripted.goto(f"{served[1]}/records/1?zoom=300")
    scripted.locator(FRAME).scroll_into_view_if_needed()
    assert scrolled(scripted) == (0, 0)
    drag(scripted, -150, -90)
    assert scrolled(scripted) == (150, 90)
    drag(scripted, 50, 40)
    assert scrolled(scripted) == (100, 50)
    scripted.mouse.move(5, 5)
    assert scrolled(scripted) == (100, 50)
    scripted.eval_on_selector(FRAME, "f => { f.scrollLeft = 0; f.scrollTop = 0; }")
    mark = scripted.locator(".marks a rect").first.bounding_box()
    assert mark
    scripted.mouse.move(mark["x"] + 60, mark["y"] + 10)
    scripted.mouse.down()
    scripted.mouse.move(mark["x"] + 20, mark["y"] + 10, steps=3)
    scripted.mouse.up()
    assert scrolled(scripted)[0] == 40
    assert "#field-" not in scripted.url
    scripted.locator(".marks a rect").first.click(position={"x": 90, "y": 10})
    assert "#field-" in scripted.url


def test_a_picture_that_fits_stays(served: Served, scripted: Page) -> None:
    """At its first size it has no frame of its own to be moved in."""
    scripted.goto(f"{served[1]}/records/1")
    drag(scripted, -100, -100)
    assert scrolled(scripted) == (0, 0)
    assert scripted.locator(".sheet-frame").count() == 0


def test_arrows_move_the_picture(served: Served, scripted: Page) -> None:
    """Once the picture has the focus, without a script too."""
    scripted.goto(f"{served[1]}/records/1?zoom=200")
    scripted.locator(FRAME).focus()
    for key in ("ArrowRight", "ArrowDown"):
        scripted.keyboard.press(key)
        scripted.wait_for_timeout(300)
    left, top = scrolled(scripted)
    assert left > 0
    assert top > 0


def test_the_place_is_kept_from_size_to_size(served: Served, scripted: Page) -> None:
    """What stood in the middle stands there again, and the keys go on from it."""
    scripted.goto(f"{served[1]}/records/1?zoom=200")
    drag(scripted, -200, -150)
    middle = """f => [(f.scrollLeft + f.clientWidth / 2) / f.scrollWidth,
                      (f.scrollTop + f.clientHeight / 2) / f.scrollHeight]"""
    before = scripted.eval_on_selector(FRAME, middle)
    scripted.keyboard.press("+")
    scripted.locator(".zoom-300").wait_for()
    after = scripted.eval_on_selector(FRAME, middle)
    assert all(abs(a - b) < 0.01 for a, b in zip(before, after, strict=True))
    scripted.locator(f"{FRAME}:focus").wait_for()
    scripted.goto(f"{served[1]}/records/1?zoom=300&page=2")
    assert scrolled(scripted) == (0, 0)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_field_is_in_sight(
    served: Served, browser: Browser, states: Path, size: tuple[int, int]
) -> None:
    """The place of a field that is asked for is what the frame shows, also when made larger."""
    for page in opened(browser, states, size, True):
        page.goto(f"{served[1]}/records/1?field=owner_name&zoom=200")
        page.get_by_role("link", name="Larger").click()
        page.locator(".zoom-300").wait_for()
        page.goto(page.url)
        frame = page.locator(FRAME).bounding_box()
        mark = page.locator(".mark-chosen").bounding_box()
        assert frame
        assert mark
        middle = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
        assert frame["x"] <= middle[0] <= frame["x"] + frame["width"]
        assert frame["y"] <= middle[1] <= frame["y"] + frame["height"]


def test_the_field_that_is_shown_is_in_sight(served: Served, scripted: Page) -> None:
    """Also the last one: the picture stays beside the fields, and these do not go to their top."""
    scripted.set_viewport_size({"width": 1280, "height": 450})
    scripted.goto(f"{served[1]}/records/1")
    scripted.locator(".field-show").last.click()
    expect(scripted.locator(".field-chosen")).to_be_in_viewport(ratio=1)
    expect(scripted.locator(FRAME)).to_be_in_viewport(ratio=0.3)
