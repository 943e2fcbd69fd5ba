"""Checking in a real browser: by keyboard alone, without scripts, by two at once, and offline."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from records.model import Field, FieldStatus
from webui import checking

from .browsing import DESK, PHONE, opened, sign_in_at
from .conftest import PERMIT, Site, file_record

pytestmark = pytest.mark.browser

_NUMBERS = itertools.count(1)  # each test has a column of its own
Served = tuple[Site, str]


@pytest.fixture
def scripted(browser: Browser, states: Path) -> Iterator[Page]:
    """A page with scripts, as those who check all day have it."""
    yield from opened(browser, states, DESK, True)


def column(site: Site, count: int, others: int = 0) -> tuple[str, list[int]]:
    """File permits with a field of their own that waits; return its name and the records."""
    name = f"owner_{next(_NUMBERS)}"
    specs = [(name, "OWNER", f"Owner {n} of {name}", FieldStatus.UNSURE) for n in range(count)]
    more = tuple((f"{name}_{n}", f"MORE {n}", "more", FieldStatus.UNSURE) for n in range(others))
    return name, [
        file_record(
            site.installation,
            replace(
                PERMIT, title=f"Permit {n} of {name}", fields=(*PERMIT.fields[:3], spec, *more)
            ),
            f"{name}-{n}.pdf",
            pages=1,
            batch=name,
        )
        for n, spec in enumerate(specs)
    ]


def alike(site: Site, name: str, value: str) -> None:
    """Let all fields of a column have been read alike."""
    with site.installation.store.write() as db:
        for table in ("checks", "fields"):
            db.execute(f"UPDATE {table} SET value = ? WHERE name = ?", [value, name])


def work_at(url: str, name: str, way: str = "column") -> str:
    """Return the address of a column's work."""
    return f"{url}/check/{way}?form=building-permit&field={name}"


def now(site: Site, number: int, name: str) -> Field:
    """Return a field as the database has it."""
    return next(f for f in site.installation.store.fields(number) if f.name == name)


def until(page: Page, true: Callable[[], bool]) -> None:
    """Wait until the server has what the browser sends in the background."""
    for _ in range(250):
        if true():
            return
        page.wait_for_timeout(20)
    raise AssertionError("It did not come true in five seconds.")


def start_at(page: Page, address: str) -> None:
    """Open a page of work; the cursor stands in its first box."""
    page.goto(address)
    until(page, lambda: focused(page).startswith("v-"))


def focused(page: Page) -> str:
    """Return the id of what has the focus."""
    return str(page.evaluate("document.activeElement.id"))


# By keyboard alone


def test_a_column_that_was_read_right_costs_a_key_each(served: Served, scripted: Page) -> None:
    """Fifty fields, fifty times Enter: the next are there without a pause or another key."""
    site, url = served
    name, numbers = column(site, 50)
    start_at(scripted, work_at(url, name))
    keys = 0
    for number in numbers:
        assert focused(scripted) == f"v-{number}-{name}"
        scripted.keyboard.press("Enter")
        keys += 1
        if number != numbers[-1]:
            after = f"v-{number + 1}-{name}"
            until(scripted, lambda after=after: focused(scripted) == after)
            assert scripted.locator(".work-left strong").inner_text() == str(50 - keys)
    until(scripted, lambda: all(now(site, n, name).by_person for n in numbers))
    assert keys / len(numbers) <= 1.1
    values = [now(site, n, name).value for n in numbers]
    assert values == [f"Owner {n} of {name}" for n in range(50)]
    scripted.get_by_role("heading", name="All looked at").wait_for()
    rows = site.installation.store.db.query("SELECT * FROM decisions WHERE name = ?", [name])
    assert all(0 < row["seconds"] < 60 for row in rows)


def test_every_key_does_what_its_card_says(served: Served, scripted: Page) -> None:
    """Arrows, cannot tell, the whole page, taking back; what is typed is what is saved."""
    site, url = served
    name, (one, two, *_) = column(site, 4)
    start_at(scripted, work_at(url, name))
    scripted.keyboard.press("ArrowDown")
    assert focused(scripted) == f"v-{two}-{name}"
    scripted.keyboard.press("ArrowUp")
    scripted.keyboard.press("F9")
    scripted.locator("#page-over img").wait_for()
    scripted.keyboard.press("F9")
    assert scripted.locator("#page-over").count() == 0
    scripted.keyboard.type("typed over it")
    scripted.keyboard.press("Enter")
    scripted.keyboard.press("F8")
    scripted.keyboard.type("smudged")
    scripted.keyboard.press("Enter")
    until(scripted, lambda: _waits(site, two, name) == ("senior", "ada: smudged"))
    assert now(site, one, name).value == "typed over it"
    scripted.keyboard.press("F10")
    scripted.get_by_text(f"Taken back: OWNER of record {two}.").wait_for()
    assert _waits(site, two, name)[0] == "look"
    until(scripted, lambda: focused(scripted) == f"v-{two}-{name}")


def test_a_key_takes_what_is_offered(served: Served, scripted: Page) -> None:
    """F2 takes the first of two values that two people have keyed."""
    site, url = served
    name, (number,) = column(site, 1)
    with site.installation.store.write() as db:
        db.execute(
            """UPDATE checks SET kind = 'third', keyed = 'Another', seen = '["a", "b"]'
            WHERE document_id = ?""",
            [number],
        )
    start_at(scripted, f"{work_at(url, name)}&queue=third")
    scripted.keyboard.press("Enter")
    assert scripted.get_by_text("If nothing is written there, press F6.").is_visible()
    scripted.keyboard.press("F2")
    scripted.get_by_role("heading", name="Nothing left here").wait_for()
    assert now(site, number, name).value == "Another"


def test_records_follow_one_another(served: Served, scripted: Page) -> None:
    """The cursor stands on the first doubtful field; after the last, on the next record's."""
    site, url = served
    name, (one, two) = column(site, 2, others=1)
    scripted.goto(f"{url}/check/record?form=building-permit&batch={name}")
    scripted.get_by_role("heading", name=f"Permit 0 of {name}").wait_for()
    until(scripted, lambda: focused(scripted) == f"v-{one}-{name}")
    first = scripted.locator("#sheet rect").get_attribute("y")
    scripted.keyboard.press("Enter")
    assert focused(scripted) == f"v-{one}-{name}_0"
    assert scripted.locator("#sheet rect").get_attribute("y") != first
    scripted.keyboard.press("Enter")
    scripted.get_by_role("heading", name=f"Permit 1 of {name}").wait_for()
    assert focused(scripted) == f"v-{two}-{name}"
    until(scripted, lambda: now(site, one, f"{name}_0").by_person)


def test_groups_by_keyboard(served: Served, page: Page) -> None:
    """Space picks out, Enter confirms the rest; with scripts, arrows move, without them Tab."""
    site, url = served
    name, numbers = column(site, 3)
    with site.installation.store.write() as db:
        for table in ("checks", "fields"):
            db.execute(f"UPDATE {table} SET value = 'Seven' WHERE name = ?", [name])
    page.goto(f"{work_at(url, name, 'group')}&grouped=True")
    page.get_by_role("link", name="Seven").press("Enter")
    page.locator(".tile").first.wait_for()
    page.locator(".tile-box").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_text("2 fields confirmed, 1 picked out").wait_for()
    assert [now(site, n, name).by_person for n in numbers] == [True, False, True]


def test_arrows_move_in_a_group(served: Served, scripted: Page) -> None:
    """From picture to picture."""
    site, url = served
    name, numbers = column(site, 2)
    with site.installation.store.write() as db:
        db.execute("UPDATE checks SET value = 'Seven' WHERE name = ?", [name])
    scripted.goto(f"{work_at(url, name, 'group')}&grouped=True&value=Seven")
    scripted.locator(".tile-box").first.focus()
    scripted.keyboard.press("ArrowRight")
    assert focused(scripted) == f"odd-{numbers[1]}-{name}"
    scripted.keyboard.press("ArrowLeft")
    assert focused(scripted) == f"odd-{numbers[0]}-{name}"


# Without scripts


def test_each_flow_works_without_scripts(served: Served, browser: Browser, states: Path) -> None:
    """Confirm, change, pass on, look at the page, take back: each is a form or a link."""
    site, url = served
    name, (one, two, three) = column(site, 3)
    for page in opened(browser, states, DESK, False):
        page.goto(work_at(url, name))
        page.locator(f"#v-{one}-{name}").press("Enter")
        page.locator(f"#check-{one}-{name}").wait_for(state="detached")
        page.locator(f"#v-{two}-{name}").fill("typed")
        page.locator(f"#check-{two}-{name}").get_by_role("button", name="Confirm OWNER").click()
        page.locator(f"#check-{two}-{name}").wait_for(state="detached")
        last = page.locator(f"#check-{three}-{name}")
        last.get_by_role("link", name="Whole page").click()
        page.get_by_role("heading", name="OWNER on its page").wait_for()
        page.get_by_role("link", name="Back to the work").click()
        last.get_by_text("Cannot tell").click()
        last.get_by_label("What a senior should know").fill("torn")
        last.get_by_role("button", name="Pass it on").click()
        page.get_by_role("heading", name="All looked at").wait_for()
        page.get_by_role("button", name="Take back the last decision").click()
        page.get_by_text(f"Taken back: OWNER of record {three}.").wait_for()
        assert page.locator(f"#v-{three}-{name}").is_visible()
    assert [now(site, n, name).value for n in (one, two)] == [f"Owner 0 of {name}", "typed"]


# Two at once, and bad days


def test_two_verifiers_decide_each_field_once(
    served: Served, browser: Browser, states: Path
) -> None:
    """A queue of two hundred fields, two people at it at once: nobody does the other's work."""
    site, url = served
    name, numbers = column(site, 50, others=3)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    vic = context.new_page()
    sign_in_at(vic, url, "vic")
    for ada in opened(browser, states, DESK, True):
        pages = [ada, vic]
        for page in pages:
            page.goto(f"{url}/check/record?batch={name}")
        for _ in range(400):
            for page in [p for p in pages if p.locator(".check").count()]:
                page.keyboard.press("Enter")
        for page in pages:
            page.get_by_role("heading", name="All looked at").wait_for()
    context.close()
    rows = site.installation.store.db.table("decisions").rows
    mine = [row for row in rows if row["document_id"] in numbers]
    assert len(mine) == 200
    assert set(Counter((r["document_id"], r["name"]) for r in mine).values()) == {1}
    assert min(Counter(r["person"] for r in mine).values()) > 20


def test_a_lost_connection_loses_nothing(served: Served, browser: Browser, states: Path) -> None:
    """Decisions wait in the window, which says so, and are sent when the connection is back."""
    site, url = served
    name, numbers = column(site, 3)
    context = browser.new_context(storage_state=states)
    page = context.new_page()
    start_at(page, work_at(url, name))
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_text("2 decisions wait in this window, and will be sent.").wait_for()
    assert not now(site, numbers[0], name).by_person
    context.set_offline(False)
    until(page, lambda: all(now(site, n, name).by_person for n in numbers[:2]))
    assert page.get_by_text("in this window").is_hidden()
    context.close()


def test_a_crash_loses_nothing(served: Served, browser: Browser, states: Path) -> None:
    """What was decided and not yet sent is sent when the page is opened again."""
    site, url = served
    name, (one, *_) = column(site, 2)
    context = browser.new_context(storage_state=states)
    page = context.new_page()
    start_at(page, work_at(url, name))
    page.wait_for_load_state("networkidle")
    page.route("**/decision", lambda route: route.abort())
    page.keyboard.type("typed before the crash")
    page.keyboard.press("Enter")
    page.get_by_text("1 decision waits in this window").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute("**/decision")
    page.reload()
    until(page, lambda: now(site, one, name).value == "typed before the crash")
    context.close()


def test_what_someone_else_decided_is_told(served: Served, scripted: Page) -> None:
    """The sentence stands at the field, what was typed is still in its box, and work goes on."""
    site, url = served
    name, (one, two) = column(site, 2)
    start_at(scripted, work_at(url, name))
    with site.installation.store.write() as db:
        db.execute("DELETE FROM checks WHERE document_id = ?", [one])
    scripted.keyboard.type("mine")
    scripted.keyboard.press("Enter")
    told = scripted.locator(f"#check-{one}-{name} .check-told")
    told.get_by_text("Someone else has decided this field").wait_for()
    assert scripted.locator(f"#v-{one}-{name}").input_value() == "mine"
    assert focused(scripted) == f"v-{two}-{name}"


def test_the_last_field_that_was_refused_stays_to_be_read(served: Served, scripted: Page) -> None:
    """Its sentence and what was typed are there until Enter says that they were read."""
    site, url = served
    name, (number,) = column(site, 1)
    start_at(scripted, work_at(url, name))
    until(scripted, lambda: focused(scripted) == f"v-{number}-{name}")
    with site.installation.store.write() as db:
        db.execute("DELETE FROM checks WHERE document_id = ?", [number])
    scripted.keyboard.type("mine")
    scripted.keyboard.press("Enter")
    scripted.locator(".check-told").get_by_text("Someone else has decided").wait_for()
    scripted.wait_for_timeout(300)
    assert scripted.locator(f"#v-{number}-{name}").input_value() == "mine"
    scripted.keyboard.press("Enter")
    scripted.get_by_role("heading", name="All looked at").wait_for()


def test_a_button_may_be_pressed_by_other_means(served: Served, scripted: Page) -> None:
    """Assistive technology presses a button that does not have the focus."""
    site, url = served
    name, (number, _) = column(site, 2)
    start_at(scripted, work_at(url, name))
    until(scripted, lambda: focused(scripted) == f"v-{number}-{name}")
    scripted.evaluate("document.querySelector('[name=cannot]').click()")
    until(scripted, lambda: _waits(site, number, name)[0] == "senior")


def test_a_key_that_is_held_down_decides_once(served: Served, scripted: Page) -> None:
    """A sleeve on the Enter key confirms nothing unseen."""
    site, url = served
    name, numbers = column(site, 4)
    start_at(scripted, work_at(url, name))
    until(scripted, lambda: focused(scripted) == f"v-{numbers[0]}-{name}")
    for _ in range(4):
        scripted.keyboard.down("Enter")
    scripted.keyboard.up("Enter")
    until(scripted, lambda: now(site, numbers[0], name).by_person)
    scripted.wait_for_timeout(300)
    assert [now(site, n, name).by_person for n in numbers] == [True, False, False, False]


def test_a_key_that_is_held_down_confirms_no_group_unseen(
    served: Served, scripted: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One group is confirmed, and the next stays on the screen."""
    site, url = served
    monkeypatch.setattr(checking, "TILES", 2)
    name, numbers = column(site, 6)
    alike(site, name, "Seven")
    scripted.goto(f"{work_at(url, name, 'group')}&grouped=True&value=Seven")
    scripted.locator(".tile-box").first.focus()
    for _ in range(6):
        scripted.keyboard.down("Enter")
        scripted.wait_for_timeout(100)
    scripted.keyboard.up("Enter")
    scripted.get_by_text("2 fields confirmed").wait_for()
    assert sum(now(site, n, name).by_person for n in numbers) == 2


@pytest.mark.parametrize("kind", ["tick", "long"])
def test_arrows_move_on_from_every_box(served: Served, scripted: Page, kind: str) -> None:
    """They change no choice, and leave a long text from its beginning and its end."""
    site, url = served
    name, (one, two) = column(site, 2)
    alike(site, name, "yes" if kind == "tick" else "a long text " * 9)
    if kind == "tick":
        with site.installation.store.write() as db:
            db.execute("UPDATE fields SET kind = 'tick' WHERE name = ?", [name])
    start_at(scripted, work_at(url, name))
    value = scripted.locator(f"#v-{one}-{name}").input_value()
    scripted.keyboard.press("ArrowDown")
    assert focused(scripted) == f"v-{two}-{name}"
    scripted.keyboard.press("ArrowUp")
    assert focused(scripted) == f"v-{one}-{name}"
    assert scripted.locator(f"#v-{one}-{name}").input_value() == value
    if kind == "long":
        scripted.keyboard.press("End")
        scripted.keyboard.press("ArrowLeft")
        scripted.keyboard.press("ArrowDown")
        assert focused(scripted) == f"v-{one}-{name}"


def test_enter_in_a_seniors_empty_box_writes_nothing(served: Served, scripted: Page) -> None:
    """Two people have keyed the field, a third could not tell: the box is empty on purpose."""
    site, url = served
    name, (number,) = column(site, 1)
    with site.installation.store.write() as db:
        db.execute(
            """UPDATE checks SET kind = 'senior', twice = 1, keyed = 'Another',
            seen = '["a", "b", "c"]' WHERE document_id = ?""",
            [number],
        )
    start_at(scripted, f"{work_at(url, name)}&queue=senior")
    scripted.keyboard.press("Enter")
    assert scripted.get_by_text("If nothing is written there, press F6.").is_visible()
    assert not now(site, number, name).by_person


def test_taking_back_when_all_is_done(served: Served, scripted: Page) -> None:
    """The slip is seen a moment after the last Enter."""
    site, url = served
    name, (number,) = column(site, 1)
    start_at(scripted, work_at(url, name))
    until(scripted, lambda: focused(scripted) == f"v-{number}-{name}")
    scripted.keyboard.press("Enter")
    scripted.get_by_role("heading", name="All looked at").wait_for()
    scripted.wait_for_load_state()
    scripted.keyboard.press("F10")
    scripted.get_by_text(f"Taken back: OWNER of record {number}.").wait_for()


@pytest.mark.parametrize("who", ["vic", "olga"])
def test_a_session_that_ended_loses_nothing(served: Served, browser: Browser, who: str) -> None:
    """Signed in again, what waits is sent; but never under somebody else's name."""
    site, url = served
    name, (number, _) = column(site, 2)
    context = browser.new_context()
    page, other = context.new_page(), context.new_page()
    sign_in_at(page, url, "vic")
    page.goto(work_at(url, name))
    until(page, lambda: focused(page) == f"v-{number}-{name}")
    other.goto(url)
    other.get_by_role("button", name="Sign out").click()
    page.keyboard.press("Enter")
    page.get_by_text("You are signed out").wait_for()
    sign_in_at(other, url, who)
    if who == "vic":
        until(page, lambda: now(site, number, name).by_person)
    else:
        page.wait_for_timeout(3500)
        assert not now(site, number, name).by_person
        assert page.get_by_text("under your own name").is_visible()
    context.close()


@pytest.fixture
def alone(browser: Browser, states: Path) -> Iterator[Page]:
    """A page of a signed-in person whose connection may break."""
    context = browser.new_context(storage_state=states)
    yield context.new_page()
    context.close()


def test_a_lost_answer_is_no_lost_decision(served: Served, alone: Page) -> None:
    """The server has it, and the line broke before it could say so: nothing is told as lost."""
    site, url = served
    name, (one, _) = column(site, 2)
    start_at(alone, work_at(url, name))
    alone.wait_for_load_state("networkidle")
    asked = []

    def lose(route: Route) -> None:
        asked.append(route.fetch() if not asked else None)
        route.continue_() if asked[1:] else route.abort()

    alone.route("**/decision", lose)
    alone.keyboard.type("typed once")
    alone.keyboard.press("Enter")
    until(alone, lambda: len(asked) == 2)
    until(alone, lambda: not alone.evaluate("Sending.waits()"))
    assert alone.locator(".check-told:visible").count() == 0
    assert now(site, one, name).value == "typed once"
    assert len(decisions(site, name)) == 1


def decisions(site: Site, name: str) -> list[str]:
    """Return what was decided of a column and stands, in order."""
    found = site.installation.store.db.query(
        "SELECT new FROM decisions WHERE name = ? AND taken_back_at IS NULL ORDER BY id", [name]
    )
    return [row["new"] for row in found]


def unsent(page: Page, address: str, *typed: str) -> None:
    """Decide the first fields of a page without the server hearing of it."""
    start_at(page, address)
    page.wait_for_load_state("networkidle")
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/decision", lambda route: route.abort())
    for value in typed:
        page.keyboard.type(value)
        page.keyboard.press("Enter")
    page.get_by_text("in this window").wait_for()


def test_what_waits_is_decided_after_a_reload_too(served: Served, alone: Page) -> None:
    """Its fields are shown as decided, with what was typed; the cursor stands in the next."""
    site, url = served
    name, (one, two, three) = column(site, 3)
    unsent(alone, work_at(url, name), "A", "B")
    alone.reload()
    until(alone, lambda: focused(alone) == f"v-{three}-{name}")
    assert alone.locator(".check:not(.check-done)").count() == 1
    assert alone.locator(f"#v-{two}-{name}").input_value() == "B"
    alone.unroute("**/decision")
    until(alone, lambda: [now(site, n, name).value for n in (one, two)] == ["A", "B"])
    assert alone.locator(".check-told:visible").count() == 0


@pytest.mark.parametrize("path", ["/check", "/check/group?form=building-permit&field=none"])
def test_every_page_of_checking_sends_what_waits(served: Served, alone: Page, path: str) -> None:
    """And says so, as long as it cannot."""
    site, url = served
    name, (one, _) = column(site, 2)
    unsent(alone, work_at(url, name), "A")
    alone.goto(url + path)
    alone.get_by_text("1 decision waits in this window").wait_for()
    alone.unroute("**/decision")
    until(alone, lambda: now(site, one, name).value == "A")


def test_taking_back_waits_for_what_is_taken_back(served: Served, alone: Page) -> None:
    """Nothing is decided between F10 and its answer, and no other decision is taken back."""
    site, url = served
    name, (one, two, _) = column(site, 3)
    start_at(alone, work_at(url, name))
    alone.wait_for_load_state("networkidle")
    alone.context.set_offline(True)
    alone.keyboard.type("oops")
    alone.keyboard.press("Enter")
    alone.keyboard.press("F10")
    alone.get_by_text("Your last decision is taken back as soon as it has arrived.").wait_for()
    alone.keyboard.type("half")
    alone.keyboard.press("Enter")
    alone.get_by_text("is being taken back; wait until it is").wait_for()
    alone.context.set_offline(False)
    alone.get_by_text(f"Taken back: OWNER of record {one}.").wait_for()
    assert decisions(site, name) == []
    assert alone.locator(f"#v-{two}-{name}").input_value() == "half"


def test_what_was_refused_is_not_taken_back_nor_another(served: Served, scripted: Page) -> None:
    """F10 right behind a decision that the server refuses leaves the one before alone."""
    site, url = served
    name, (one, two, _) = column(site, 3)
    start_at(scripted, work_at(url, name))
    scripted.keyboard.type("first")
    scripted.keyboard.press("Enter")
    until(scripted, lambda: now(site, one, name).by_person)
    with site.installation.store.write() as db:
        db.execute("DELETE FROM checks WHERE document_id = ?", [two])
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    scripted.route("**/decision", hold)
    scripted.keyboard.type("second")
    scripted.keyboard.press("Enter")
    scripted.keyboard.press("F10")
    until(scripted, lambda: bool(held))
    held[0].continue_()
    scripted.get_by_text("was not saved. Nothing was taken back.").wait_for()
    assert decisions(site, name) == ["first"]
    scripted.keyboard.press("F10")
    scripted.get_by_text(f"Taken back: OWNER of record {one}.").wait_for()


def test_the_button_takes_back_what_the_key_does(served: Served, scripted: Page) -> None:
    """The last decision, though it was made after the page was."""
    site, url = served
    name, (one, two, _) = column(site, 3)
    start_at(scripted, work_at(url, name))
    for number in (one, two):
        scripted.keyboard.press("Enter")
        until(scripted, lambda number=number: now(site, number, name).by_person)
    scripted.get_by_role("button", name="Take back the last").click()
    scripted.get_by_text(f"Taken back: OWNER of record {two}.").wait_for()


def test_a_field_without_a_place_has_no_frame(served: Served, scripted: Page) -> None:
    """The frame of the field before is gone, and comes again with the field after."""
    site, url = served
    name, (one,) = column(site, 1, others=2)
    with site.installation.store.write() as db:
        db.execute("UPDATE fields SET box = NULL WHERE name = ?", [f"{name}_0"])
    scripted.goto(f"{url}/check/record?form=building-permit&batch={name}")
    until(scripted, lambda: focused(scripted) == f"v-{one}-{name}")
    frames = []
    for _ in range(3):
        frames.append(scripted.locator("#sheet rect").get_attribute("visibility"))
        scripted.keyboard.press("ArrowDown")
    assert frames == ["visible", "hidden", "visible"]


def test_a_page_without_a_picture_is_not_asked_for(served: Served, scripted: Page) -> None:
    """F9 says that there is none."""
    site, url = served
    name, (one, _) = column(site, 2)
    with site.installation.store.write() as db:
        db.execute("UPDATE pages SET image = NULL WHERE document_id = ?", [one])
    start_at(scripted, work_at(url, name))
    scripted.keyboard.press("F9")
    scripted.get_by_text("There is no picture of this page.").wait_for()
    assert scripted.locator("#page-over").count() == 0


def test_a_group_is_taken_back_by_one_key(served: Served, page: Page) -> None:
    """Sixty wrong confirmations are one slip; without scripts it is a button."""
    site, url = served
    name, numbers = column(site, 5)
    alike(site, name, "Seven")
    page.goto(f"{work_at(url, name, 'group')}&grouped=True&value=Seven")
    page.locator(".tile-box").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("5 fields confirmed").wait_for()
    if has_scripts_of_its_own(page):
        page.keyboard.press("F10")
    else:
        page.get_by_role("button", name="Take back the last").click()
    page.get_by_text("Taken back: OWNER of 5 records.").wait_for()
    assert not any(now(site, n, name).by_person for n in numbers)
    assert page.locator(".tile").count() == 5


def has_scripts_of_its_own(page: Page) -> bool:
    """Say whether the scripts of the page's own run."""
    return bool(page.evaluate("!!window.Sending"))


def test_a_group_that_is_confirmed_twice_is_confirmed_once(
    served: Served, scripted: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter, and Enter again before the page has gone: the next group is not confirmed unseen."""
    site, url = served
    monkeypatch.setattr(checking, "TILES", 2)
    name, _ = column(site, 6)
    alike(site, name, "Seven")
    scripted.goto(f"{work_at(url, name, 'group')}&grouped=True&value=Seven")
    scripted.locator(".tile-box").first.focus()
    scripted.evaluate("""(function () {
        var button = document.querySelector(".tiles-form button");
        button.click();
        button.click();
    }())""")
    scripted.get_by_text("2 fields confirmed.").wait_for()
    assert len(decisions(site, name)) == 2


def test_the_keys_of_a_group_fit_a_phone(served: Served, browser: Browser, states: Path) -> None:
    """Nothing stands beside the page."""
    site, url = served
    name, _ = column(site, 2)
    alike(site, name, "Seven Hills Avenue")
    for page in opened(browser, states, PHONE, True):
        page.goto(f"{work_at(url, name, 'group')}&grouped=True&value=Seven Hills Avenue")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_ten_fields_are_fetched_ahead_record_by_record(served: Served, scripted: Page) -> None:
    """Their pictures are there before their records are."""
    site, url = served
    name, numbers = column(site, 14)
    seen: list[str] = []
    scripted.on("request", lambda request: seen.append(request.url))
    start_at(scripted, f"{url}/check/record?form=building-permit&batch={name}")
    wanted = [f"/records/{n}/fields/{name}.jpg" for n in numbers[:11]]
    until(scripted, lambda: all(any(part in address for address in seen) for part in wanted))
    assert not any(f"/records/{numbers[13]}/" in address for address in seen)


def _waits(site: Site, number: int, name: str) -> tuple[str, str]:
    """Return in which queue a field waits, with its note."""
    (row,) = site.installation.store.db.query(
        "SELECT kind, note FROM checks WHERE document_id = ? AND name = ?", [number, name]
    )
    return row["kind"], row["note"]
