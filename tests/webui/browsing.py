"""A real browser: how it is started, and what the tests that drive it share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

PASSWORD = "four plain words here"
CHROMIUM = os.environ.get("DIGITIZE_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
DESK, TABLET, PHONE = (1280, 900), (768, 1024), (390, 844)
ZOOMED = (640, 450)  # the desk at 200 %


def opened(browser: Browser, states: Path, size: tuple[int, int], scripts: bool) -> Iterator[Page]:
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(
        viewport=viewport, java_script_enabled=scripts, storage_state=states
    )
    made, faults = context.new_page(), []
    made.set_default_timeout(8000)
    made.on("console", lambda message: faults.append(message.text))
    made.on("pageerror", lambda error: faults.append(str(error)))
    yield made
    context.close()
    # Refusals are tested for, and a person may be faster than the browser's own first focus.
    expected = ("409", "404", "422", "Autofocus processing was blocked")
    told = [fault for fault in faults if not any(part in fault for part in expected)]
    assert told == [], told


def sign_in_at(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Search the records").wait_for()


def has_scripts(page: Page) -> bool:
    """Say whether this page runs scripts of its own."""
    page.set_content("<noscript><p>off</p></noscript>")
    return page.get_by_text("off").count() == 0
