"""Every page against WCAG 2.1, A and AA, by axe-core, with scripts on and off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from digitize import desk
from records import noting
from records.rewriting import SaidLine

from .browsing import DESK, opened
from .conftest import PERMIT, Site, file_record

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
PAGES = (
    "/", "/?q=maple&status=filed", "/?q=nothinglikethis", "/records/1",
    "/records/1?field=owner_name", "/records/1?text=open&line=5", "/records/1/print",
    "/records/3", "/records/4", "/records/3/pages", "/records/99", "/upload",
    "/batches", "/batch?name=Drawer+1",
    "/password", "/keys", "/settings", "/check", "/check?reason=missing", "/check/record",
    "/check/column",
    "/check/column?queue=second", "/check/group?form=building-permit&field=owner_name&grouped=True",
    "/check/group?form=building-permit&field=owner_name&grouped=True&value=Seven",
    "/records/1/fields/owner_name/page",
)  # fmt: skip


FAULTY = "<img src='x'><input><p style='color: #999; background: #aaa'>Grey</p>"
_EMPTY = {"content_type": "text/javascript", "body": ""}


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def looked_at(request: pytest.FixtureRequest, browser: Browser, states: Path) -> Iterator[Page]:
    """A page whose own scripts run, or are empty: axe itself needs a browser that runs scripts."""
    for page in opened(browser, states, DESK, True):
        if not request.param:
            page.route("**/static/*.js", lambda route: route.fulfill(**_EMPTY))
        yield page


def faults(page: Page) -> dict[str, list[str]]:
    """Return what axe finds on a page: the rule, and the first elements that break it."""
    found = Axe().run(page, options=RULES).response["violations"]
    return {fault["id"]: [node["html"][:120] for node in fault["nodes"][:2]] for fault in found}


def test_axe_finds_faults(looked_at: Page) -> None:
    """A picture without a text, a box without a label, and grey on grey are found."""
    looked_at.set_content(FAULTY)
    assert {"image-alt", "label", "color-contrast"} <= set(faults(looked_at))


def put_on(site: Site) -> None:
    """Give the first record all that people can put on one: a note, a tag, a corrected line."""
    store = site.installation.store
    viewer = store.system_viewer("ann")
    document = store.document(1, viewer)
    noting.add_note(store, viewer, document, "Owner called.")
    noting.add_tag(store, viewer, document, "urgent")
    was = store.lines(1, 1)[2].text
    said = SaidLine(1, 3, was, f"{was} again")
    desk.rewrite_line(site.installation, viewer, document, said)


def test_axe_finds_nothing(served: tuple[Site, str], looked_at: Page) -> None:
    """No page has a fault that the checker of public services knows."""
    site, url = served
    spec = (*PERMIT.fields[3][:2], "Seven", PERMIT.fields[3][3])
    for n in range(3):
        seven = replace(PERMIT, title=f"Seven {n}", fields=(spec,))
        file_record(site.installation, seven, f"{n}-{id(looked_at)}.pdf")
    put_on(site)
    found = {}
    for path in PAGES:
        looked_at.goto(url + path)
        if told := faults(looked_at):
            found[path] = told
    assert found == {}
