"""The site in a real browser, with scripts on and off, on a desk and on a phone."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from records.model import DocumentStatus, FieldStatus

from .browsing import DESK, PHONE, TABLET, ZOOMED, has_scripts, opened
from .conftest import PERMIT, Site, file_record

pytestmark = pytest.mark.browser

_NUMBERS = itertools.count(1)  # equal files would be one record
PAGES = (
    "/", "/?q=maple&status=filed", "/records/1?q=maple", "/records/1?field=owner_name",
    "/records/1?text=open&line=5", "/records/1/print",
    "/records/3", "/records/3/pages", "/records/4", "/upload", "/batches", "/check",
    "/check/record", "/check/column",
    "/check/group?form=building-permit&field=owner_name&grouped=True",
    "/batch?name=Drawer+1", "/password", "/keys", "/settings",
)  # fmt: skip


def _new_permit(site: Site, owner: str) -> int:
    """File a permit of one's own, found by its owner's name."""
    spec = ("owner_name", "OWNER", f"{owner}x", FieldStatus.UNSURE)
    written = replace(
        PERMIT,
        title=f"Permit of {owner}",
        lines=(*PERMIT.lines, f"signed {owner}"),
        fields=(*PERMIT.fields[:3], spec),
    )
    number = file_record(site.installation, written, f"{next(_NUMBERS)}.pdf")
    site.installation.finder.sync(wait_s=5)
    return number


def test_search_look_and_correct(served: tuple[Site, str], page: Page) -> None:
    """A clerk finds a record, sees the place, and corrects a field; scripts on or off."""
    site, url = served
    owner = "Quillon" if has_scripts(page) else "Pemberton"
    number = _new_permit(site, owner)
    page.goto(url)
    page.get_by_label("Words to search for").fill(owner)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=f"Permit of {owner}").click()
    page.locator(".mark-hit").first.wait_for(state="attached")
    page.get_by_role("link", name="Show OWNER on the page").click()
    page.locator(".mark-chosen").wait_for(state="attached")
    page.get_by_label("OWNER", exact=True).fill(owner)
    page.get_by_role("button", name=re.compile("OWNER")).click()
    page.get_by_text("Saved: OWNER.").wait_for()
    page.locator("#field-owner_name .field-saved").wait_for()  # where the eye is
    assert page.get_by_label("OWNER", exact=True).input_value() == owner
    fields = {f.name: f for f in site.installation.store.fields(number)}
    assert (fields["owner_name"].value, fields["owner_name"].status) == (owner, "corrected")


def test_a_page_to_be_arranged_is_turned_as_far_as_was_said(
    served: tuple[Site, str], page: Page
) -> None:
    """A quarter turn to the right is a quarter turn in the small picture too."""
    site, url = served
    number = _new_permit(site, "Turner")
    page.goto(f"{url}/records/{number}/pages")
    page.locator(".sorter-turn button", has_text="right").first.click()
    page.get_by_text("Turned.").wait_for()
    turned = "e => getComputedStyle(e).transform"
    assert page.eval_on_selector(".sorter-picture", turned) == "none"
    assert page.eval_on_selector(".sorter-picture img", turned) == "matrix(0, 1, -1, 0, 0, 0)"


def test_enter_saves_what_was_changed_and_nothing_else(
    served: tuple[Site, str], page: Page
) -> None:
    """Enter in a box saves that change; it does not confirm the first field by mistake."""
    site, url = served
    number = _new_permit(site, "Enter")
    page.goto(f"{url}/records/{number}")
    page.get_by_label("STREET ADDRESS OF SITE").fill("12 Elm Street")
    page.get_by_label("STREET ADDRESS OF SITE").press("Enter")
    page.get_by_text("Saved: STREET ADDRESS OF SITE.").wait_for()
    statuses = {f.name: str(f.status) for f in site.installation.store.fields(number)}
    assert statuses["permit_number"] == "ok"
    assert statuses["site_address"] == "corrected"


def test_who_comes_second_loses_nothing(served: tuple[Site, str], page: Page) -> None:
    """Two people at one record: the second is told, and their typing is still in its box."""
    site, url = served
    number = _new_permit(site, "Second")
    page.goto(f"{url}/records/{number}")
    with site.installation.store.write() as db:
        db.execute("UPDATE documents SET version = version + 1 WHERE id = ?", [number])
    page.get_by_label("OWNER", exact=True).fill("typed with care")
    page.get_by_role("button", name="Save all changes").click()
    page.get_by_text("Someone else changed this record").wait_for()
    assert page.get_by_label("OWNER", exact=True).input_value() == "typed with care"
    page.get_by_role("button", name="Save all changes").click()
    page.get_by_text("Saved: OWNER.").wait_for()


def test_handing_in_files(served: tuple[Site, str], page: Page) -> None:
    """Several files go in at once, each with its answer, and lead to the batch."""
    url, batch = served[1], f"Box {has_scripts(page)}"
    page.goto(f"{url}/upload")
    good = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": f"%PDF-1.4 {batch}".encode()}
    bad = {"name": "b.pdf", "mimeType": "application/pdf", "buffer": b"no pdf"}
    page.get_by_label("Files").set_input_files([good, bad])
    page.get_by_label("Name of the batch").fill(batch)
    page.get_by_label("Department").select_option("building")
    page.get_by_role("button", name="Hand in").click()
    page.get_by_text("1 file of 2 accepted").wait_for()
    page.get_by_role("link", name="See how far the batch is").click()
    page.get_by_text("0 of 1 record done").wait_for()


def test_a_batch_refreshes_itself(served: tuple[Site, str], browser: Browser, states: Path) -> None:
    """With scripts on, a batch's page shows what was read meanwhile without a reload."""
    site, url = served
    number = _new_permit(site, "Moving")
    with site.installation.store.write() as db:
        db.execute("UPDATE documents SET status = 'waiting' WHERE id = ?", [number])
    for page in opened(browser, states, DESK, True):
        page.goto(f"{url}/batch?name=Drawer+1")
        assert page.locator("#progress-in").get_attribute("data-waiting") != "0"
        with site.installation.store.write() as db:
            db.execute("UPDATE documents SET status = ? WHERE id = ?",
                       [DocumentStatus.FILED, number])  # fmt: skip
        page.get_by_text("Done: ").wait_for()


def test_the_slash_key_goes_to_the_search_box(
    served: tuple[Site, str], browser: Browser, states: Path
) -> None:
    """A key press is enough to begin the next search."""
    for page in opened(browser, states, DESK, True):
        page.goto(f"{served[1]}/?q=maple")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        assert page.get_by_label("Words to search for").input_value() == "maple"


@pytest.mark.parametrize(
    "size", [DESK, TABLET, ZOOMED, PHONE], ids=["desk", "tablet", "zoomed", "phone"]
)
def test_no_page_is_wider_than_its_window(
    served: tuple[Site, str], browser: Browser, states: Path, size: tuple[int, int]
) -> None:
    """Nobody scrolls sideways, on a phone or at 200 % zoom; each page has one h1 and a main."""
    endless = "Aktenvermerk" * 15
    spec = ("owner_name", endless, endless, FieldStatus.UNSURE)
    long = replace(PERMIT, title=endless, lines=(endless,), fields=(spec,))
    number = file_record(served[0].installation, long, f"{endless}{size[0]}.pdf")
    served[0].installation.finder.sync(wait_s=5)
    for page in opened(browser, states, size, True):
        for path in (*PAGES, f"/records/{number}"):
            page.goto(served[1] + path)
            page.evaluate(
                "document.querySelectorAll('details').forEach(function (d) { d.open = true; })"
            )
            extra = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert extra <= 0, (path, extra)
            assert page.locator("h1").count() == 1, path
            assert page.locator("main").count() == 1, path
            unlabelled = page.evaluate(
                """Array.from(document.querySelectorAll('input, select, textarea')).filter(
                function (e) { return e.type !== 'hidden' && !e.labels.length
                && e.getAttribute('aria-hidden') !== 'true'; }).length"""
            )
            assert unlabelled == 0, path


def test_marks_lie_where_the_words_are(
    served: tuple[Site, str], browser: Browser, states: Path
) -> None:
    """The frame of a hit covers its word on the picture, whatever the picture's size."""
    for size in (DESK, PHONE):
        for page in opened(browser, states, size, True):
            page.goto(f"{served[1]}/records/1?q=aloysius")
            image = page.locator(".sheet img").bounding_box()
            mark = page.locator(".mark-hit").bounding_box()
            assert image
            assert mark
            box = served[0].installation.store.lines(1, 1)[4].words[1].box
            scale = image["width"] / 850
            assert abs(mark["x"] - image["x"] - (box.left - 2) * scale) < 3
            assert abs(mark["y"] - image["y"] - (box.top - 2) * scale) < 3
            assert abs(mark["width"] - (box.width + 4) * scale) < 4


def test_words_are_offered_while_one_types(
    served: tuple[Site, str], browser: Browser, states: Path
) -> None:
    """By keyboard: arrows go through the offers and back to what was typed, Enter searches."""
    for page in opened(browser, states, DESK, True):
        page.goto(served[1])
        box = page.get_by_role("combobox", name="Words to search for")
        box.focus()
        page.keyboard.type("condit", delay=20)
        offer = page.get_by_role("option", name="conditions")
        offer.wait_for()
        assert box.get_attribute("aria-expanded") == "true"
        page.keyboard.press("ArrowDown")
        assert box.input_value() == "conditions"
        assert box.get_attribute("aria-activedescendant") == offer.get_attribute("id")
        page.keyboard.press("ArrowUp")
        assert box.input_value() == "condit"
        page.keyboard.press("Escape")
        assert not offer.is_visible()
        assert box.input_value() == "condit"
        page.keyboard.type("i", delay=20)
        offer.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?q=conditions*")


def test_an_offer_is_taken_with_the_mouse(
    served: tuple[Site, str], browser: Browser, states: Path
) -> None:
    """A click searches for it; leaving the box closes the offers."""
    for page in opened(browser, states, DESK, True):
        page.goto(served[1])
        box = page.get_by_role("combobox", name="Words to search for")
        box.focus()
        page.keyboard.type("condit", delay=20)
        page.get_by_role("option", name="conditions").click()
        page.wait_for_url("**/?q=conditions*")
        box.focus()
        page.keyboard.press("End")
        page.keyboard.press("Backspace")
        page.get_by_role("option", name="conditions").wait_for()
        page.keyboard.press("Tab")
        assert not page.get_by_role("option", name="conditions").is_visible()


@pytest.mark.parametrize("path", ["/records/1", "/records/1?zoom=300&turn=90", "/records/1/print"])
def test_on_paper_everything_has_room(
    served: tuple[Site, str], browser: Browser, states: Path, path: str
) -> None:
    """Printed, a record has no navigation, and each picture is whole and upright on a sheet."""
    for page in opened(browser, states, (700, 900), True):
        page.goto(served[1] + path)
        page.emulate_media(media="print")
        for gone in ("header.top", "footer", ".sheet-bar", ".button", ".revert", ".crumb"):
            assert not any(each.is_visible() for each in page.locator(gone).all()), gone
        pictures = page.locator(".sheet img, .printed-picture").all()
        assert pictures
        for picture in pictures:
            box = picture.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 700
            assert box["height"] <= 23 / 2.54 * 96 + 1
        assert page.locator("main").get_by_text("OWNER").first.is_visible()
