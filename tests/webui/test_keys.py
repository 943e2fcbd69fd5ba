"""Keys: what the card says, what they do in a real browser, and that they can be switched off."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from records.model import FieldStatus
from webui.keys import BOARDS

from .browsing import DESK, opened
from .conftest import PERMIT, Site, csrf, file_record

TEMPLATES = Path(__file__).parents[2] / "webui" / "templates"
Served = tuple[Site, str]
_NUMBERS = itertools.count(1)


@pytest.fixture
def scripted(browser: Browser, states: Path) -> Iterator[Page]:
    """A page with scripts."""
    yield from opened(browser, states, DESK, True)


def focused(page: Page) -> str:
    """Return the id of what has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def test_every_key_of_a_page_is_on_a_card() -> None:
    """Each key that an element of a page carries is named, and no letter is named in vain."""
    carried = {
        key
        for template in TEMPLATES.glob("*.html")
        for key in re.findall(r'data-letter="(.)"', template.read_text())
    }
    named = {name for board in BOARDS for key in board.keys for name in key.names}
    letters = {name for name in named if len(name) == 1 and name not in "?←→↑↓"}
    assert carried == letters
    answered = set(re.findall(r'data-key="(F\d+)"', (TEMPLATES / "components.html").read_text()))
    assert answered <= named
    assert [board.name for board in BOARDS][-1] == "every"


def test_all_keys_are_listed_without_scripts(shared_site: Site) -> None:
    """A plain link at the foot of every page leads to a page of all keys."""
    client = shared_site.client("vera")
    for path in ("/", f"/records/{shared_site.records['permit']}", "/batches", "/nope"):
        assert '<a href="/keys" data-card>Keys</a>' in client.get(path).text, path
    text = client.get("/keys").text
    for board in BOARDS:
        assert f"{board.title}</h2>" in text
        for key in board.keys:
            assert key.does in text
    assert 'href="/keys"' not in shared_site.client().get("/sign-in").text


def test_single_letters_are_switched_off_for_oneself(site: Site) -> None:
    """Without scripts too, by a box and a button; it holds for this person alone, until undone."""
    carl, vera = site.client("carl"), site.client("vera")
    assert 'data-letters="on"' in carl.get("/").text
    data = {"csrf_token": csrf(carl, "/keys")}
    for _ in range(2):  # twice is not more than once
        assert carl.post("/keys", data=data).location == "/keys"
    assert "Keys of one letter are switched off." in carl.get("/keys").text
    assert 'data-letters="off"' in carl.get("/").text
    assert 'data-letters="on"' in vera.get("/").text
    carl.post("/keys", data={**data, "letters": "1"})
    assert 'data-letters="on"' in carl.get("/").text


@pytest.mark.browser
def test_the_card_opens_and_closes(served: Served, scripted: Page) -> None:
    """`?` shows the keys of this page; Escape and `?` close it, and the focus is where it was."""
    scripted.goto(f"{served[1]}/records/1")
    card = scripted.get_by_role("dialog", name="Keys")
    for close in ("Escape", "?"):
        scripted.get_by_role("link", name="Turn").focus()
        scripted.keyboard.press("?")
        assert card.is_visible()
        assert focused(scripted) == "keys-card"
        assert card.get_by_text("the picture turned").is_visible()
        assert card.get_by_text("the next page of results").count() == 0
        for _ in range(5):  # round and round, never under the card
            scripted.keyboard.press("Tab")
            assert scripted.evaluate(
                "document.getElementById('keys-card').contains(document.activeElement)"
            )
        scripted.keyboard.press("r")
        assert "turn=" not in scripted.url
        scripted.keyboard.press(close)
        assert not card.is_visible()
        assert scripted.evaluate("document.activeElement.textContent") == "Turn"


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/batches", "/upload", "/check", "/password", "/nope"])
def test_the_card_opens_on_every_page(served: Served, scripted: Page, path: str) -> None:
    """By its link, also where the cursor stands in a box, and where a page is not found."""
    scripted.goto(served[1] + path)
    scripted.locator(".foot").get_by_role("link", name="Keys").click()
    assert scripted.get_by_role("dialog", name="Keys").is_visible()
    scripted.get_by_role("button", name="Close").click()
    assert not scripted.get_by_role("dialog", name="Keys").is_visible()


@pytest.mark.browser
def test_letters_that_are_typed_do_nothing_else(served: Served, scripted: Page) -> None:
    """In a box every letter is a letter; and what was typed is not lost by a key pressed after."""
    scripted.goto(f"{served[1]}/records/1")
    box = scripted.get_by_label("OWNER", exact=True)
    box.fill("")
    box.press_sequentially("?nj+r/")
    assert box.input_value() == "?nj+r/"
    assert not scripted.get_by_role("dialog", name="Keys").is_visible()
    scripted.get_by_role("link", name="Turn").focus()
    scripted.keyboard.press("r")
    scripted.get_by_text("Something that you typed is not saved yet.").wait_for()
    assert "turn=" not in scripted.url
    assert box.input_value() == "?nj+r/"


@pytest.mark.browser
def test_pages_and_records_are_turned_by_keys(served: Served, scripted: Page) -> None:
    """n and p walk what was found, j and k turn the pages of a record, + - r change its picture."""
    site, url = served
    name = f"keyed{next(_NUMBERS)}"
    numbers = [
        file_record(
            site.installation,
            replace(PERMIT, title=f"{name} {n}", lines=(*PERMIT.lines, name)),
            f"{name}{n}.pdf",
        )
        for n in range(2)
    ]
    site.installation.finder.sync(wait_s=5)
    scripted.goto(f"{url}/?q={name}")
    scripted.locator(".hit-title").first.click()
    scripted.get_by_text("1 of 2", exact=True).wait_for()
    for key, said in (
        ("j", "Page 2 of 2"), ("k", "Page 1 of 2"), ("n", "2 of 2"), ("p", "1 of 2"),
    ):  # fmt: skip
        scripted.keyboard.press(key)
        scripted.get_by_text(said, exact=True).wait_for()
        scripted.wait_for_load_state()  # the page is there before its script listens
    for key, shown in (
        ("+", "zoom-150 turn-0"), ("+", "zoom-200 turn-0"), ("r", "zoom-200 turn-90"),
        ("-", "zoom-150 turn-90"),
    ):  # fmt: skip
        scripted.keyboard.press(key)
        scripted.locator(f'[class="sheet {shown}"]').wait_for(state="attached")
        scripted.wait_for_load_state()
    assert f"/records/{numbers[0]}" in scripted.url or f"/records/{numbers[1]}" in scripted.url


@pytest.mark.browser
def test_the_switch_on_the_card_is_kept(served: Served, scripted: Page) -> None:
    """Off at once and on the next page; then the link alone opens the card, to undo it."""
    scripted.goto(f"{served[1]}/records/1")
    scripted.keyboard.press("?")
    box = scripted.get_by_label("Keys of one letter or sign work")
    for wanted in (False, True):
        box.set_checked(wanted)
        scripted.get_by_text("from now on").wait_for()
        scripted.keyboard.press("Escape")
        scripted.goto(f"{served[1]}/records/1?page=2")
        scripted.keyboard.press("?")
        assert scripted.get_by_role("dialog", name="Keys").is_visible() is wanted
        if not wanted:
            scripted.keyboard.press("r")
            scripted.locator(".foot").get_by_role("link", name="Keys").click()
            assert "turn=" not in scripted.url
            assert not box.is_checked()


@pytest.mark.browser
def test_the_desk_has_its_card_too(served: Served, scripted: Page) -> None:
    """The card of a page of work names its keys, which do nothing while it is open."""
    site, url = served
    spec = ("owner_name", "OWNER", "Carded", FieldStatus.UNSURE)
    number = file_record(
        site.installation, replace(PERMIT, title="Carded", fields=(spec,)), "carded.pdf",
        batch="Carded",
    )  # fmt: skip
    scripted.goto(f"{url}/check/column?form=building-permit&batch=Carded")
    scripted.locator(".check-on").wait_for()
    scripted.locator("#work").get_by_role("link", name="Keys").click()
    card = scripted.get_by_role("dialog", name="Keys")
    assert card.get_by_text("take back the last decision").is_visible()
    for key in ("Enter", "F8", "F9"):
        if key == "Enter":
            scripted.locator("#keys-card").focus()
        scripted.keyboard.press(key)
    assert card.is_visible()
    assert scripted.locator("#page-over").count() == 0
    scripted.keyboard.press("Escape")
    field = next(f for f in site.installation.store.fields(number) if f.name == "owner_name")
    assert not field.by_person
