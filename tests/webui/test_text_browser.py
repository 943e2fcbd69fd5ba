"""Putting text right in a real browser: by keyboard alone, with scripts on and off."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from records import rows
from records.model import Line

from .browsing import PHONE, opened
from .conftest import PERMIT, Site, file_record

pytestmark = pytest.mark.browser

_NUMBERS = itertools.count(1)  # equal files would be one record


@pytest.fixture
def letter(served: tuple[Site, str]) -> tuple[Site, str, int]:
    """A letter of two pages of no known form, with three words that were not read for sure."""
    site, url = served
    mark = f"{next(_NUMBERS)}"
    lines = ("To the Council", f"the fense of mark{mark}", "stands too neer the road")
    written = replace(PERMIT, title=f"Letter {mark}", form=None, lines=lines, fields=())
    number = file_record(site.installation, written, f"letter {mark}.pdf")
    store = site.installation.store
    doubtful = {1: ("fense", "neer"), 2: ("Conditions",)}
    for page, words in doubtful.items():
        told = [
            Line(tuple(replace(w, confidence=0.3) if w.text in words else w for w in line.words))
            for line in store.lines(number, page)
        ]
        with store.write() as db:
            db.execute(
                "UPDATE pages SET words = ? WHERE document_id = ? AND number = ?",
                [rows.words_column(tuple(told)), number, page],
            )
    return site, url, number


def to(page: Page, name: str) -> None:
    """Press Tab until the link or button of this name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(
            "document.activeElement.textContent.replace(/\\s+/g, ' ').trim()"
        ).startswith(name):
            return
    raise AssertionError(f"'{name}' cannot be reached by Tab.")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_from_doubt_to_doubt_by_keyboard(letter: tuple[Site, str, int], page: Page) -> None:
    """Tab and Enter lead from one doubtful word to the next, into its line's box, and on."""
    site, url, number = letter
    page.goto(f"{url}/records/{number}")
    to(page, "First doubtful word")
    page.keyboard.press("Enter")
    page.wait_for_url("**#doubt-1")
    to(page, "Next doubtful word")
    page.keyboard.press("Enter")
    page.wait_for_url("**#doubt-2")
    to(page, "Correct line 3")
    page.keyboard.press("Enter")
    page.wait_for_url("**#say-3")
    assert focused(page) == "say-3"
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("stands too near the road")
    page.keyboard.press("Enter")
    page.get_by_text("Saved: it says “stands too near the road” now.").wait_for()
    assert page.url.endswith("#line-3")
    assert site.installation.store.lines(number, 1)[2].text == "stands too near the road"
    to(page, "Next page with doubtful words")
    page.keyboard.press("Enter")
    page.wait_for_url("**page=2**#doubt-1")
    assert page.locator(".doubt").inner_text().startswith("Conditions")


def test_put_back_and_cancel_by_keyboard(letter: tuple[Site, str, int], page: Page) -> None:
    """A line is left as it was with Cancel, and is again what was read with one button."""
    site, url, number = letter
    store = site.installation.store
    page.goto(f"{url}/records/{number}?text=open&line=1#say-1")
    page.keyboard.type("typed by mistake")
    to(page, "Cancel")
    page.keyboard.press("Enter")
    page.wait_for_url("**#line-1")
    assert store.lines(number, 1)[0].text == "To the Council"
    to(page, "Correct line 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**#say-1")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("To the Board")
    page.keyboard.press("Enter")
    page.get_by_text("Saved: it says").wait_for()
    to(page, "Put back what was read")
    page.keyboard.press("Enter")
    page.get_by_text("The line is again what was read there.").wait_for()
    assert store.lines(number, 1)[0].text == "To the Council"


def test_the_picture_of_the_line_is_seen_above_its_box(
    letter: tuple[Site, str, int], browser: Browser, states: object
) -> None:
    """On a telephone too, the line's picture is in the window when its box has the focus."""
    _, url, number = letter
    for page in opened(browser, states, PHONE, True):
        page.goto(f"{url}/records/{number}?text=open&line=2#say-2")
        picture = page.locator(".line-picture img")
        picture.wait_for()
        assert page.evaluate("document.querySelector('.line-picture img').naturalWidth") > 0
        seen, box = picture.bounding_box(), page.locator("#say-2").bounding_box()
        assert seen
        assert box
        assert 0 <= seen["y"] < box["y"] < PHONE[1]


def test_notes_and_tags(served: tuple[Site, str], page: Page) -> None:
    """A clerk writes a note and puts a tag on a record, and takes both away again."""
    site, url = served
    word = f"zeppelin{next(_NUMBERS)}"
    number = file_record(site.installation, replace(PERMIT, title=word), f"{word}.pdf")
    page.goto(f"{url}/records/{number}")
    page.get_by_text("Add a tag").click()
    page.get_by_label(re.compile("A word under which")).fill(f"{word} x")
    page.keyboard.press("Enter")
    page.get_by_text(f"The record has the tag “{word}-x” now.").wait_for()
    page.get_by_label("Add a note").fill("Owner called.")
    page.get_by_role("button", name="Save the note").click()
    page.get_by_text("Your note is saved.").wait_for()
    site.installation.finder.sync(wait_s=5)
    page.get_by_role("link", name=f"{word}-x").click()
    page.get_by_role("link", name=word, exact=True).click()
    page.get_by_role("button", name="Delete the note of ada").click()
    page.get_by_text("The note is deleted.").wait_for()
    page.get_by_role("button", name=f"Remove the tag {word}-x").click()
    page.get_by_text(f"The tag “{word}-x” is taken away.").wait_for()
