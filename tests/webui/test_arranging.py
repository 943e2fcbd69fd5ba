"""Arranging the pages of a record on its page: what a clerk does, sees, and is told."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from werkzeug.test import TestResponse

from digitize.importing import Importer
from records import arranging, filing
from records.arranging import Sheet
from records.filing import Intake
from records.model import PageKey
from tests.digitize.making import as_bytes, card
from webui.arranging import page_name

from .conftest import PERMIT, Site, csrf, file_record

_NUMBERS = itertools.count(1)
PAGES = "/records/{}/pages"


class Desk:
    """A records officer at the pages of one record."""

    def __init__(self, site: Site, key: str) -> None:
        self.site = site
        self.number = site.records[key]
        self.client: FlaskClient = site.client("olga")
        self.path = PAGES.format(self.number)

    @property
    def page(self) -> str:
        return self.client.get(self.path).text

    def pages(self, number: int | None = None) -> list[PageKey]:
        return [p.key for p in self.site.installation.store.pages(number or self.number)]

    def aside(self) -> list[Sheet]:
        sheets = arranging.sheets(self.site.installation.store, self.number)
        return [sheet for sheet in sheets if not sheet.place]

    def send(self, do: str, version: int | None = None, **data: object) -> TestResponse:
        """Press a button of the form."""
        store = self.site.installation.store
        now = store.document(self.number, store.system_viewer("test")).version
        known = {"csrf_token": csrf(self.client, self.path), "do": do, "version": version or now}
        named = {name.replace("__", "."): value for name, value in data.items()}
        return self.client.post(self.path, data={**known, **named})


@pytest.fixture
def desk(site: Site) -> Desk:
    """The council minutes: two pages, no form."""
    return Desk(site, "minutes")


def _names(desk: Desk) -> list[str]:
    return [page_name(key) for key in desk.pages()]


def test_a_page_goes_to_the_place_that_is_typed(desk: Desk) -> None:
    """One number is changed, and the others make room."""
    one, two = desk.pages()
    answer = desk.send("order", **{f"place__{page_name(two)}": "1"})
    assert answer.status_code == 303
    assert desk.pages() == [two, one]
    assert "The pages stand in their new order." in desk.page
    answer = desk.send("order", **{f"place__{page_name(two)}": "2"})
    assert desk.pages() == [one, two]


@pytest.mark.parametrize("typed", ["", "x", "-1", "2"])
def test_a_place_that_is_none_is_named(desk: Desk, typed: str) -> None:
    """What was typed stands in its box still, and nothing moved."""
    before = desk.pages()
    answer = desk.send("order", **{f"place__{_names(desk)[1]}": typed})
    assert answer.status_code == 422
    assert desk.pages() == before
    if typed in ("x", "-1"):
        assert f"&#39;{typed}&#39; is no place" in answer.text
        assert f'value="{typed}"' in answer.text
    else:
        assert "Change the number of a page first" in answer.text


def test_enter_does_what_its_box_is_for(desk: Desk) -> None:
    """Nobody turns or parts pages by pressing Enter in a box."""
    target, (one, two) = desk.site.records["permit"], desk.pages()
    place = {f"place__{page_name(two)}": "1"}
    assert desk.page.index('value="typed"') < desk.page.index('value="turn:')
    desk.send("typed", **place)
    assert desk.pages() == [two, one]
    desk.send("typed", page=[page_name(one)], to=str(target))
    assert desk.pages() == [two]
    desk.send("typed", other=str(target))
    assert desk.pages(target) == []


def test_ticked_pages_become_a_record(desk: Desk) -> None:
    """The clerk is led to the new record, which says where it came from, and can take it back."""
    answer = desk.send("split", page=_names(desk)[1:])
    assert answer.status_code == 303
    made = int(re.findall(r"\d+", answer.location)[-1])
    text = desk.client.get(answer.location).text
    assert f"This record was made of 1 page of record {desk.number}." in text
    assert "made a record of its own of some pages" in text
    assert len(desk.pages()) == len(desk.pages(made)) == 1
    text = desk.client.get(PAGES.format(made)).text
    last = re.search(r'name="arrangement" value="(\d+)"', text)
    assert last
    token = csrf(desk.client, PAGES.format(made))
    back, data = f"{PAGES.format(made)}/back", {"csrf_token": token, "arrangement": "99"}
    assert desk.client.post(back, data=data).status_code == 409
    data["arrangement"] = last.group(1)
    assert desk.client.post(back, data=data).status_code == 303
    assert len(desk.pages()) == 2
    emptied = desk.client.get(f"/records/{made}").text
    assert "This record has no pages any more" in emptied
    assert f'href="/records/{desk.number}"' in emptied


def test_nothing_ticked_is_named(desk: Desk) -> None:
    """A button that needs pages says so."""
    for button in ("split", "aside", "move"):
        answer = desk.send(button, to=str(desk.site.records["permit"]))
        assert answer.status_code == 422
        assert "Tick the pages that you mean." in answer.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Type the number"), ("99999", "no record 99999"), ("x", "is no number of a record")],
)
def test_a_record_number_that_is_none_is_named(desk: Desk, typed: str, said: str) -> None:
    """At its box, with the pages still ticked."""
    names = _names(desk)
    answer = desk.send("move", page=names[:1], to=typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="to-error"' in answer.text
    assert f'value="{names[0]}" checked' in answer.text
    assert said in desk.send("join", other=typed).text


def test_pages_move_and_records_join(desk: Desk) -> None:
    """The clerk is led to where the pages are now."""
    target = desk.site.records["permit"]
    answer = desk.send("move", page=_names(desk)[:1], to=str(target), before="1")
    assert answer.status_code == 303
    assert answer.location.endswith(f"/records/{target}")
    text = desk.client.get(answer.location).text
    assert f"1 page came into this record from record {desk.number}." in text
    assert text.count("Download the original file") == 2
    assert len(desk.pages(target)) == 3
    assert desk.send("join", other=str(target)).status_code == 303
    assert len(desk.pages()) == 4
    assert desk.pages(target) == []


def test_each_file_of_a_record_can_be_had(desk: Desk) -> None:
    """A record of pages from two files gives both, as they were handed in."""
    target = desk.site.records["permit"]
    desk.send("join", other=str(target))
    text = desk.client.get(f"/records/{desk.number}").text
    links = re.findall(r'href="(/records/\d+/original\?file=\w+)"', text)
    assert len(links) == 2
    got = {desk.client.get(link, buffered=True).data for link in links}
    assert {data.split()[1] for data in got} == {b"minutes.png", b"permit.pdf"}


def test_a_page_is_laid_aside_and_seen_there(desk: Desk) -> None:
    """It can be looked at where it lies, and brought back."""
    name = _names(desk)[1]
    desk.send("aside", page=[name])
    assert len(desk.pages()) == 1
    text = desk.page
    assert "Laid aside" in text
    picture = f"/records/{desk.number}/aside/{name}.jpg"
    assert picture in text
    assert desk.client.get(picture).mimetype == "image/jpeg"
    desk.send(f"back:{name}")
    assert len(desk.pages()) == 2
    assert desk.client.get(picture).status_code == 404


def test_who_comes_second_is_told(desk: Desk) -> None:
    """Nothing is done to pages that look otherwise than the clerk saw them."""
    names, version = _names(desk), desk.site.document("minutes").version
    desk.send("aside", page=names[1:])
    before = desk.pages()
    answer = desk.send("split", version=version, page=names[:1])
    assert answer.status_code in (409, 422)
    answer = desk.send("aside", version=version, page=names[1:])
    assert answer.status_code == 409
    assert "Someone else changed this record" in answer.text
    assert desk.pages() == before


def test_what_was_typed_for_other_pages_is_not_kept(desk: Desk) -> None:
    """The page that tells of another's change has no places that would undo it."""
    _, two = desk.pages()
    version = desk.site.document("minutes").version
    desk.send("order", **{f"place__{page_name(two)}": "1"})
    answer = desk.send("order", version, **{f"place__{page_name(two)}": "7"})
    assert answer.status_code == 409
    assert 'value="7"' not in answer.text


def test_nobody_takes_back_what_reaches_where_they_may_not_work(site: Site) -> None:
    """An arrangement with a record of another department is not offered to be taken back."""
    olga = Desk(site, "permit")
    olga.send("move", page=_names(olga)[:1], to=str(site.records["licence"]))
    assert "Take this back" in olga.page
    assert "Take this back" not in site.client("carl").get(olga.path).text
    text = site.client("carl").get(f"/records/{olga.number}").text
    assert "dogs.tif" not in text


def test_a_page_is_turned(desk: Desk) -> None:
    """It is shown as told at once, and its file waits to be read again so."""
    name = _names(desk)[0]
    assert desk.send(f"turn:{name}:90").status_code == 303
    text = desk.client.get(f"/records/{desk.number}").text
    assert 'class="sheet zoom-100 turn-90"' in text
    assert "This page was turned, and is read again in a moment" in text
    assert "turned page 1" in text
    assert "sorter-picture lies-90" in desk.page
    assert filing.waiting(desk.site.installation.store) == [desk.pages()[0].sha256]
    assert desk.send(f"turn:{name}:45").status_code == 422


def test_a_page_from_a_file_goes_into_the_record(desk: Desk) -> None:
    """It is safe at once, is said to be on its way, and stands in the record once it is read."""
    scan = as_bytes(card(("A page on bicycles",)), "PNG", dpi=(200, 200))
    old = desk.pages()
    data = {"csrf_token": csrf(desk.client, desk.path), "replaces": page_name(old[0]),
            "file": (io.BytesIO(scan), "new.png")}  # fmt: skip
    assert desk.client.post(f"{desk.path}/file", data=data).status_code == 303
    assert "handed in by olga to replace a page" in desk.page
    installation = desk.site.installation
    with installation.archive.run() as run:
        intake = Intake("test", "Drawer 1", None, None, run.name)
        importer = Importer(installation, intake, run, lambda _: None, lambda _: None)
        importer.process((), filing.waiting(installation.store), 1)
    new, rest = desk.pages()
    assert new not in old
    assert rest == old[1]
    assert [sheet.key for sheet in desk.aside()] == old[:1]
    assert "handed in by" not in desk.page
    again = {**data, "csrf_token": csrf(desk.client, desk.path),
             "file": (io.BytesIO(scan), "new.png")}  # fmt: skip
    refused = desk.client.post(f"{desk.path}/file", data=again)
    assert refused.status_code == 422
    assert "This file is in the archive already, as record" in refused.text


def test_no_file_and_no_scan_are_named(desk: Desk) -> None:
    """The form says what to choose, and what cannot be taken."""
    token = csrf(desk.client, desk.path)
    none = desk.client.post(f"{desk.path}/file", data={"csrf_token": token})
    assert none.status_code == 422
    assert "Choose the file that holds the page." in none.text
    data = {"csrf_token": token, "file": (io.BytesIO(b"hello"), "note.txt")}
    wrong = desk.client.post(f"{desk.path}/file", data=data)
    assert wrong.status_code == 422
    assert "note.txt" in wrong.text


@pytest.mark.browser
def test_a_clerk_arranges_pages_by_keyboard(page: Page, served: tuple[Site, str]) -> None:
    """From the record's page: tick, press the button, and take it back; without scripts too."""
    site, url = served
    minutes = replace(PERMIT, title=f"Minutes {next(_NUMBERS)}", form=None, fields=())
    number = file_record(site.installation, minutes, f"{minutes.title}.pdf")
    page.goto(f"{url}/records/{number}")
    page.get_by_role("link", name="Arrange the pages").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Arrange the pages").wait_for()
    page.get_by_label("Page 2", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Make a new record of them").focus()
    page.keyboard.press("Enter")
    page.get_by_text("This record was made of 1 page").wait_for()
    made = int(re.findall(r"\d+$", page.url)[0])
    assert len(site.installation.store.pages(made)) == 1
    page.get_by_role("link", name="Arrange the pages").click()
    page.get_by_role("button", name="Take this back").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Taken back: made").wait_for()
    assert len(site.installation.store.pages(number)) == 2
