"""Every page against WCAG 2.1, A and AA, by axe-core, with scripts on and off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .conftest import PERMIT, Site, file_record

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
PAGES = (
    "/", "/?q=maple&status=filed", "/?q=nothinglikethis", "/records/1",
    "/records/1?field=owner_name",
    "/records/3", "/records/4", "/records/99", "/upload", "/batches", "/batch?name=Drawer+1",
    "/password", "/check", "/check?reason=missing", "/check/record", "/check/column",
    "/check/column?queue=second", "/check/group?form=building-permit&field=owner_name&grouped=True",
    "/check/group?form=building-permit&field=owner_name&grouped=True&value=Seven",
    "/records/1/fields/owner_name/page",
)  # fmt: skip


def test_axe_finds_nothing(served: tuple[Site, str], page: Page) -> None:
    """No page has a fault that the checker of public services knows."""
    site, url = served
    spec = (*PERMIT.fields[3][:2], "Seven", PERMIT.fields[3][3])
    seven = replace(PERMIT, title=f"Seven {page.url}", fields=(spec,))
    for n in range(3):
        file_record(site.installation, seven, f"{n}-{id(page)}.pdf")
    found = {}
    for path in PAGES:
        page.goto(url + path)
        violations = Axe().run(page, options=RULES).response["violations"]
        for fault in violations:
            found[path, fault["id"]] = [node["html"][:120] for node in fault["nodes"][:2]]
    assert found == {}
