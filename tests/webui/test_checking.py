"""Checking fields: what a person is given and sees, and what becomes of what they say."""

from __future__ import annotations

import io
import re
import sqlite3
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from digitize import desk
from digitize.desk import Verdict
from records import checking, people
from records.access import Viewer
from records.checking import CheckKind, Which
from records.correcting import How
from records.errors import BusyError, InputError, StaleVersionError
from records.model import FieldStatus
from records.people import viewer as viewer_of
from webui.checking import COLUMN
from webui.context import EXTENSION

from .conftest import PERMIT, Site, csrf, file_listed, file_record

HOW = How("column", 1.0, "")
UNSURE = FieldStatus.UNSURE


def permits(site: Site, *owners: str, **more: frozenset[str]) -> list[int]:
    """File permits with an owner each that was not read for sure."""
    made = []
    for owner in owners:
        spec = ("owner_name", "OWNER", owner, UNSURE)
        written = replace(
            PERMIT, title=f"Permit of {owner}", fields=(*PERMIT.fields[:3], spec), **more
        )
        made.append(file_record(site.installation, written, f"{owner}{len(made)}.pdf"))
    return made


def as_(site: Site, name: str) -> Viewer:
    """Return a person as the access rules see them."""
    store = site.installation.store
    return viewer_of(store, people.by_name(store, name))


def decide(
    client: FlaskClient, number: int, value: str = "", name: str = "owner_name", **more: str
) -> TestResponse:
    """Decide a field as the page's own form does."""
    page = client.get("/check/column").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    store = client.application.extensions[EXTENSION].store
    data = {"csrf_token": token.group(1), "value": value, "kind": "look", "way": "column",
            "place": checking.place_of(store.db, number, name), "since": "1",
            "back": "/check"}  # fmt: skip
    return client.post(f"/records/{number}/fields/{name}/decision", data={**data, **more})


def verdict(
    site: Site, number: int, value: str | None, kind: CheckKind = CheckKind.LOOK, note: str = ""
) -> Verdict:
    """Return what a person says of a permit's owner, as they see it."""
    place = checking.place_of(site.installation.store.db, number, "owner_name")
    return Verdict(number, "owner_name", kind, place, value, note, HOW)


def say(site: Site, who: str, *said) -> None:
    """Have a person decide a permit's owner."""
    desk.decide(site.installation, as_(site, who), verdict(site, *said))


def items(site: Site, *numbers: int) -> dict[str, object]:
    """Return what a group's form says of the owners of permits."""
    names = {n: f"{n}-owner_name" for n in numbers}
    store = site.installation.store
    places = {
        f"place.{name}": checking.place_of(store.db, n, "owner_name") for n, name in names.items()
    }
    return {"item": list(names.values()), **places}


def field(site: Site, number: int, name: str = "owner_name"):
    """Return a field as the database has it."""
    return next(f for f in site.installation.store.fields(number) if f.name == name)


def waits(site: Site, number: int) -> dict[str, object]:
    """Return how a permit's owner waits."""
    return dict(site.installation.store.db.table("checks").get((number, "owner_name")))


def column(client: FlaskClient, **asked: str) -> str:
    """Return the page of a column."""
    words = {"form": "building-permit", "field": "owner_name", **asked}
    return client.get(f"/check/column?{urlencode(words)}").text


# What waits


def test_the_queue_says_what_waits_and_why(site: Site, clerk: FlaskClient) -> None:
    """By form and field, with the number and the reason, and three ways to work through it."""
    permits(site, "Ann", "Bob")
    page = clerk.get("/check").text
    assert "3 fields wait for a person" in page
    assert "Building permit application" in page
    assert "Please look" in page
    for way in ("record", "column", "group"):
        assert f'href="/check/{way}?' in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("reason=unsure", "1 field wait"),
        ("reason=missing", "Nothing of this kind waits"),
        ("batch=Drawer+1", "1 field wait"),
        ("batch=Drawer+9", "Nothing of this kind waits"),
        ("department=building", "1 field wait"),
        ("department=licensing", "Nothing of this kind waits"),
    ],
)
def test_a_part_of_the_queue_is_shown(shared_site: Site, asked: str, said: str) -> None:
    """By batch, department or reason; and the way back to all of it."""
    page = shared_site.client("carl").get(f"/check?{asked}").text
    assert said in page
    assert "Show all" in page


def test_who_may_not_see_a_record_is_given_none_of_it(site: Site) -> None:
    """Neither its fields nor their number reach a clerk of another department."""
    permits(site, "Ann")
    outsider = site.client("outsider")
    assert "Nothing waits" in outsider.get("/check").text
    page = column(outsider)
    assert "Ann" not in page
    assert "Nothing of this kind waits" in page
    assert site.client("vera").get("/check").status_code == 403


def test_samples_are_told_with_their_interval(site: Site, clerk: FlaskClient) -> None:
    """What was found wrong of what passed unseen is shown by form, with how sure that is."""
    spec = ("site_address", "ADDRESS", "12 Elm", FieldStatus.OK)
    for n in range(20):
        written = replace(PERMIT, title=f"{n}", fields=(spec,), sampled=frozenset({"site_address"}))
        number = file_record(site.installation, written, f"{n}.pdf")
        decide(clerk, number, "12 Elm" if n else "12 Oak", "site_address", kind="sample")
    page = clerk.get("/check").text
    assert "How often what passed unseen is wrong" in page
    assert "0.1 to 24.9 in 100" in page


# One by one


def test_a_column_shows_each_field_beside_its_picture(site: Site, clerk: FlaskClient) -> None:
    """Its value in a box, its reason, its record, and its piece of the page."""
    (number,) = permits(site, "Quillon")
    page = column(clerk)
    assert 'value="Quillon"' in page
    assert "Permit of Quillon" in page
    (url,) = set(re.findall(rf'src="(/records/{number}/fields/owner_name\.jpg\?v=[^"]+)"', page))
    answer = clerk.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert "immutable" in answer.headers["Cache-Control"]
    width, height = Image.open(io.BytesIO(answer.data)).size
    assert 440 <= width <= 500
    assert 32 <= height <= 60
    stale = clerk.get(url.partition("?")[0])
    assert "immutable" not in stale.headers["Cache-Control"]


def test_a_field_without_a_place_is_shown_on_its_page(site: Site, clerk: FlaskClient) -> None:
    """There is no piece to show, and the whole page is a link away."""
    (number,) = permits(site, "Quillon")
    with site.installation.store.write() as db:
        db.execute("UPDATE fields SET box = NULL WHERE document_id = ?", [number])
    page = column(clerk)
    assert "Its place on the page is not known" in page
    assert clerk.get(f"/records/{number}/fields/owner_name.jpg").status_code == 404
    look = clerk.get(f"/records/{number}/fields/owner_name/page?back=/check")
    assert look.status_code == 200
    assert "/pages/1/large.jpg" in look.text
    assert clerk.get(f"/records/{number}/fields/cat/page").status_code == 404


def test_the_whole_page_says_nothing_of_what_was_read(site: Site, clerk: FlaskClient) -> None:
    """It is what a second person looks at, who must not see what the first keyed."""
    (number,) = permits(site, "Quillon")
    look = clerk.get(f"/records/{number}/fields/owner_name/page").text
    assert "Quillon" not in look
    assert "<rect" in look


def test_a_value_is_confirmed(site: Site, clerk: FlaskClient) -> None:
    """It is the person's from then on, and waits no more."""
    (number,) = permits(site, "Quillon")
    answer = decide(clerk, number, "Quillon")
    assert (answer.status_code, answer.location) == (303, "/check")
    found = field(site, number)
    assert (found.value, found.status, found.reader) == ("Quillon", "corrected", "person carl")
    assert "Permit of Quillon" not in column(clerk)


def test_what_is_offered_is_taken(site: Site, clerk: FlaskClient) -> None:
    """One button, or key, gives another value than the one in the box."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "Quillon", offer="Quillan")
    assert field(site, number).value == "Quillan"


def test_a_script_is_answered_in_json(site: Site, clerk: FlaskClient) -> None:
    """It says whether the decision was saved, and if not, why."""
    (number,) = permits(site, "Quillon")
    page = {"csrf_token": csrf(clerk, "/password"), "value": "Q", "kind": "look", "seconds": "2.5"}
    page["place"] = checking.place_of(site.installation.store.db, number, "owner_name")
    path, headers = f"/records/{number}/fields/owner_name/decision", {"Accept": "application/json"}
    first = clerk.post(path, data=page, headers=headers)
    assert (first.status_code, first.json) == (200, {"saved": True})
    again = clerk.post(path, data=page, headers=headers)
    assert again.status_code == 409
    assert "You have decided this field already" in again.json["said"]
    (row,) = site.installation.store.db.table("decisions").rows
    assert (row["seconds"], row["person"], row["way"]) == (2.5, "carl", "column")


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"kind": "dragon"}, False),
        ({"since": "", "seconds": "soon"}, False),
        ({"note": "x" * 501}, False),
        ({"value": "x" * 5001}, False),
        ({"kind": "second"}, False),
        ({"seconds": "nan"}, True),
        ({"seconds": "1e99"}, True),
        ({"way": "flying"}, True),
        ({"back": "https://example.org/"}, True),
    ],
)
def test_a_broken_form_changes_nothing_or_little(
    site: Site, clerk: FlaskClient, more: dict[str, str], taken: bool
) -> None:
    """What no page of ours sends is refused, or taken for the nearest that makes sense."""
    (number,) = permits(site, "Quillon")
    answer = decide(clerk, number, **more)
    assert answer.status_code == 303
    assert (field(site, number).status == "corrected") is taken
    assert ('role="alert"' in clerk.get("/check").text) is not taken
    assert "example.org" not in (answer.location or "")
    for row in site.installation.store.db.table("decisions").rows:
        assert 0 <= row["seconds"] <= 900
        assert row["way"] in ("record", "column", "group")


def test_who_comes_second_is_told_and_loses_nothing(site: Site, clerk: FlaskClient) -> None:
    """What they typed is in the message when someone else has decided the field."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "Quillon")
    vic = site.client("vic")
    decide(vic, number, "typed with care")
    said = vic.get("/check").text
    assert "Someone else has decided this field" in said
    assert "You had typed: typed with care" in said
    assert field(site, number).value == "Quillon"


def test_two_people_are_not_given_the_same(site: Site, clerk: FlaskClient) -> None:
    """What one has on the screen, the other is told of, and is not given."""
    permits(site, "Ann", "Bob")
    assert "Permit of Ann" in column(clerk)
    page = column(site.client("vic"))
    assert "Permit of Ann" not in page
    assert "3 fields of these are on somebody else" in page
    clerk.post("/check/release", data={"csrf_token": csrf(clerk, "/password")})
    assert "Permit of Ann" in column(site.client("vic"))


def test_what_nobody_can_tell_goes_to_a_senior(site: Site, clerk: FlaskClient) -> None:
    """With a note; a clerk does not have that list."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, cannot="1", note="an o or an a")
    assert field(site, number).status == "unsure"
    assert "Nobody could tell" not in clerk.get("/check").text
    vic = site.client("vic")
    assert "Nobody could tell" in vic.get("/check").text
    page = column(vic, queue="senior")
    assert "carl: an o or an a" in page
    decide(vic, number, "Quillan", kind="senior")
    assert field(site, number).value == "Quillan"


def test_the_last_decision_is_taken_back(site: Site, clerk: FlaskClient) -> None:
    """The field is as it was and on the screen again; with nothing to take back, that is said."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "wrong")
    data = {"csrf_token": csrf(clerk, "/password"), "back": "/check"}
    clerk.post("/check/undo", data=data)
    assert f"Taken back: OWNER of record {number}." in clerk.get("/check").text
    assert (field(site, number).value, field(site, number).status) == ("Quillon", "unsure")
    assert 'value="Quillon"' in column(clerk)
    answer = clerk.post("/check/undo", data=data, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert "nothing that could be taken back" in answer.json["said"]


def test_alternatives_are_offered(site: Site, clerk: FlaskClient) -> None:
    """Members of a list that look like what was read stand at a key each."""
    file_listed(site)
    page = column(clerk, field="work")
    assert 'name="offer" value="fence" data-key="F2"' in page
    assert 'value="pool" data-key' not in page


# Twice


def first_keyed(site: Site, owner: str = "Quillon", keyed: str = "Quillan") -> int:
    """File a permit whose owner is keyed twice, and have carl key it."""
    (number,) = permits(site, owner, twice=frozenset({"owner_name"}))
    say(site, "carl", number, keyed)
    return number


def test_a_second_keyer_sees_nothing_of_the_first(site: Site, clerk: FlaskClient) -> None:
    """Neither what the machine read nor what the first person keyed is anywhere in the page."""
    number = first_keyed(site)
    assert "To be keyed a second time" not in clerk.get("/check").text
    vic = site.client("vic")
    page = column(vic, queue="second")
    assert f"Record {number}" in page
    assert "Quill" not in page
    assert "Quill" not in vic.get("/check").text
    assert "carl" not in page


@pytest.mark.parametrize("keyed", ["Quillan", " quillan "])
def test_two_who_key_the_same_agree(site: Site, keyed: str) -> None:
    """But for blanks at the ends: the value stands and waits no more."""
    number = first_keyed(site)
    decide(site.client("vic"), number, keyed, kind="second")
    agreed = keyed.strip() == "Quillan"
    assert (field(site, number).reasons == ()) is agreed
    olga = site.client("olga").get("/check").text
    assert ("Keyed differently" in olga) is not agreed


def test_a_third_settles_it(site: Site, clerk: FlaskClient) -> None:
    """Both values are offered, neither of the two people is asked, and the record says so."""
    number = first_keyed(site)
    decide(site.client("vic"), number, "Quillen", kind="second")
    found = field(site, number)
    assert (found.value, found.reasons) == ("Quillan", (desk.TWO_PEOPLE,))
    store = site.installation.store
    assert store.document(number, as_(site, "ada")).status == "needs-review"
    assert "Keyed differently" not in clerk.get("/check").text
    olga = site.client("olga")
    page = column(olga, queue="third")
    assert 'name="offer" value="Quillan"' in page
    assert 'name="offer" value="Quillen"' in page
    decide(olga, number, offer="Quillen", kind="third")
    assert (field(site, number).value, field(site, number).reasons) == ("Quillen", ())


def test_an_empty_box_is_no_answer_of_a_second_keyer(site: Site) -> None:
    """Enter by mistake settles nothing; that nothing is written there must be said."""
    number = first_keyed(site, keyed="")
    vic = site.client("vic")
    decide(vic, number, kind="second")
    assert "say that nothing is written there" in vic.get("/check").text
    assert waits(site, number)["kind"] == "second"
    decide(vic, number, kind="second", empty="1")
    assert field(site, number).reasons == ()
    assert checking.waiting(site.installation.store, as_(site, "olga"), [Which("third")]) == ()


# Record by record, group by group


def test_a_record_is_shown_with_all_that_waits_of_it(site: Site, clerk: FlaskClient) -> None:
    """Its page and its doubtful fields; the next record after it."""
    specs = tuple((*spec[:3], UNSURE) for spec in PERMIT.fields[2:])
    number = file_record(site.installation, replace(PERMIT, title="Two", fields=specs), "t.pdf")
    page = clerk.get("/check/record").text
    assert "114 Maple Street - O&#39;Brien</h1>" in page
    decide(clerk, site.records["permit"], "O'Brien")
    page = clerk.get("/check/record").text
    assert "Two</h1>" in page
    assert page.count('class="check"') == 2
    assert f"/records/{number}/pages/1/page.jpg" in page
    ahead = re.search(r'data-ahead="([^"]+)"', page)
    assert ahead
    assert "All looked at" in clerk.get(ahead.group(1).replace("&amp;", "&")).text


def test_groups_are_confirmed_at_once(site: Site, clerk: FlaskClient) -> None:
    """What does not belong is picked out and checked one by one; the rest is confirmed."""
    numbers = permits(site, "Seven", "Seven", "Seven", "One")
    page = clerk.get("/check/group?form=building-permit&field=owner_name&grouped=True").text
    assert re.findall(r'line-title" href="[^"]+">([^<]+)</a> <span[^>]+>([^<]+)<', page)[0] == (
        "Seven", "3 times",
    )  # fmt: skip
    href = re.findall(r'line-title" href="([^"]+)"', page)[0].replace("&amp;", "&")
    page = clerk.get(href).text
    shown = re.findall(r'name="item" value="([^"]+)"', page)
    assert shown == [f"{n}-owner_name" for n in numbers[:3]]
    data = {"csrf_token": csrf(clerk, "/password"), "value": "Seven", "since": "1", "back": href,
            "odd": shown[1], **items(site, *numbers[:3])}  # fmt: skip
    answer = clerk.post("/check/group", data=data)
    assert answer.location == href
    said = clerk.get(href).text
    assert "2 fields confirmed, 1 picked out" in said
    assert "This group is done" in said
    statuses = [field(site, n).status for n in numbers]
    assert statuses == ["corrected", "unsure", "corrected", "unsure"]
    assert "Picked out of its group" in column(clerk)


def test_a_group_that_changed_meanwhile_is_told(site: Site, clerk: FlaskClient) -> None:
    """What somebody else decided is left alone, and what has another value now."""
    numbers = permits(site, "Seven", "Seven")
    clerk.get("/check/group?form=building-permit&field=owner_name&value=Seven")
    clerk.get("/check/column")
    site.installation.store.db.execute("UPDATE checks SET held_until = 0")
    say(site, "vic", numbers[0], "Eleven")
    clerk.get("/check/column")
    data = {"csrf_token": csrf(clerk, "/password"), "value": "Seven", "back": "/check",
            **items(site, *numbers, site.records["permit"])}  # fmt: skip
    clerk.post("/check/group", data=data)
    assert "1 field confirmed, 2 left alone: someone else has" in clerk.get("/check").text
    assert field(site, numbers[0]).value == "Eleven"


def test_groups_need_a_column(shared_site: Site) -> None:
    """A group is of one field of one form."""
    assert shared_site.client("carl").get("/check/group").status_code == 400


def test_a_page_of_work_is_light(site: Site, clerk: FlaskClient) -> None:
    """A full column, with style sheets and scripts, weighs less than 100 KB."""
    permits(site, *(f"Owner number {n} of the long names" for n in range(25)))
    page = clerk.get("/check/column?form=building-permit&field=owner_name&reason=unsure")
    assert page.text.count('class="check"') == COLUMN
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text)
    weight = sum(len(clerk.get(file, buffered=True).data) for file in set(files))
    assert len(files) >= 6
    assert len(page.data) + weight < 100_000


# What must not happen


def test_a_later_correction_is_not_undone(site: Site, clerk: FlaskClient) -> None:
    """Who takes back their decision does not take back what another has written since."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "A")
    store = site.installation.store
    version = store.document(number, as_(site, "vic")).version
    desk.correct_field(site.installation, as_(site, "vic"), number, "owner_name", "LATER", version)
    clerk.post("/check/undo", data={"csrf_token": csrf(clerk, "/password"), "back": "/check"})
    assert field(site, number).value == "LATER"
    said = f"&#39;OWNER&#39; of record {number} was decided or changed again since"
    assert said in clerk.get("/check").text


def undo(client: FlaskClient, **more: str) -> str:
    """Take back what was decided last, or what is named; return what the page says."""
    data = {"csrf_token": csrf(client, "/password"), "back": "/check", **more}
    client.post("/check/undo", data=data)
    return client.get("/check").text


def test_undo_does_not_go_past_the_last(site: Site, clerk: FlaskClient) -> None:
    """Where the last decision can no longer be taken back, no older one is in its place."""
    (one,) = permits(site, "Xavier")
    (two,) = permits(site, "Zeno", twice=frozenset({"owner_name"}))
    decide(clerk, one, "X")
    decide(clerk, two, "Z")
    decide(site.client("vic"), two, "Z", kind="second")
    assert f"of record {two} was decided or changed again since; open the record" in undo(clerk)
    assert [field(site, n).value for n in (one, two)] == ["X", "Z"]


def test_who_could_not_tell_is_not_asked_again(site: Site) -> None:
    """A second keyer who passes a field on is shown the first's value by no other list."""
    number = first_keyed(site)
    vic = site.client("vic")
    decide(vic, number, kind="second", cannot="1")
    assert "Quill" not in column(vic, queue="senior")
    assert "Quill" in column(site.client("olga"), queue="senior")
    assert "is on somebody else&#39;s screen at this moment" in undo(vic)  # on olga's


def test_what_two_people_key_is_not_settled_on_the_records_page(site: Site, clerk) -> None:
    """Neither by one of the two, nor by chance: the page says where it is decided."""
    number = first_keyed(site)
    store, carl = site.installation.store, as_(site, "carl")
    for _ in range(2):
        version = store.document(number, carl).version
        with pytest.raises(InputError, match="decided on the page Check"):
            desk.correct_field(site.installation, carl, number, "owner_name", "mine", version)
        decide(site.client("vic"), number, "Quillen", kind="second")
    assert field(site, number).value == "Quillan"


def test_a_senior_sees_what_two_have_keyed_and_ends_it(site: Site) -> None:
    """When the third cannot tell either, the senior's word is the last."""
    number = first_keyed(site)
    decide(site.client("vic"), number, "Quillen", kind="second")
    decide(site.client("ada"), number, kind="third", cannot="1", note="blurred")
    olga = site.client("olga")
    page = column(olga, queue="senior")
    assert 'name="offer" value="Quillan"' in page
    assert 'name="offer" value="Quillen"' in page
    decide(olga, number, offer="Quillen", kind="senior")
    assert field(site, number).value == "Quillen"
    assert site.installation.store.db.table("checks").count_where(
        "document_id = ?", [number]
    ) == 0  # fmt: skip


def test_groups_are_of_what_needs_a_look_alone(site: Site, clerk: FlaskClient) -> None:
    """Nothing that two people key is confirmed in a group, whatever the address says."""
    number = first_keyed(site)
    vic = site.client("vic")
    address = "/check/group?form=building-permit&field=owner_name&queue=second&value="
    assert "This group is done" in vic.get(address).text
    column(vic, queue="second")
    data = {"csrf_token": csrf(vic, "/password"), "value": "", **items(site, number)}
    vic.post("/check/group", data=data)
    assert "0 fields confirmed, 1 left alone" in vic.get("/check").text
    assert waits(site, number)["kind"] == "second"


def test_only_what_is_on_ones_screen_is_picked_out(site: Site, clerk: FlaskClient) -> None:
    """Nobody takes a field from another's screen by saying that it is odd."""
    (number,) = permits(site, "Seven")
    column(site.client("vic"))
    data = {"csrf_token": csrf(clerk, "/password"), "value": "Seven",
            "odd": f"{number}-owner_name", **items(site, number)}  # fmt: skip
    clerk.post("/check/group", data=data)
    assert waits(site, number)["reason"] == "unsure"


def test_a_note_says_that_one_cannot_tell(site: Site, clerk: FlaskClient) -> None:
    """Without scripts, Enter behind the note presses the button that confirms."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "Quillon", note="smudged")
    assert field(site, number).status == "unsure"


def test_nobody_is_told_which_are_samples(site: Site, clerk: FlaskClient) -> None:
    """A sample looks like any other field to check, on every page."""
    spec = ("site_address", "ADDRESS", "12 Elm", FieldStatus.OK)
    written = replace(PERMIT, title="S", fields=(spec,), sampled=frozenset({"site_address"}))
    number = file_record(site.installation, written, "s.pdf")
    page = column(clerk, field="site_address")
    assert "Please look" in page
    assert "sample" not in page
    assert ">1</td>" in clerk.get("/check?reason=unsure").text
    decide(clerk, number, cannot="1", name="site_address")
    decide(site.client("vic"), number, "12 Oak", "site_address", kind="senior")
    assert "100.0 in 100" in clerk.get("/check").text


@pytest.mark.parametrize("skip", ["\u00b2", "9" * 5000, "-1", "x"])
def test_a_mangled_address_is_no_error(shared_site: Site, skip: str) -> None:
    """Numbers that are none, or that no record has."""
    client = shared_site.client("carl")
    assert client.get("/check/column", query_string={"skip": skip}).status_code == 200
    assert client.get("/records/99999999999999999999").status_code == 404
    assert client.get("/records/99999999999999999999/fields/a/page").status_code == 404


def test_a_senior_keys_what_two_keyed_differently(site: Site) -> None:
    """Enter in the empty box writes nothing, where a third could not tell either."""
    number = first_keyed(site)
    say(site, "vic", number, "", CheckKind.SECOND)
    say(site, "ada", number, None, CheckKind.THIRD)
    olga = site.client("olga")
    page = column(olga, queue="senior")
    assert "</kbd> (empty)</button>" in page
    decide(olga, number, "", kind="senior")
    assert "say that nothing is written there" in olga.get("/check").text
    assert field(site, number).value == "Quillan"
    decide(olga, number, offer="", kind="senior")
    assert field(site, number).value == ""


def test_nothing_is_written_there_means_so(site: Site) -> None:
    """What was begun in the box is not saved by the key that says that the paper is empty."""
    number = first_keyed(site)
    decide(site.client("vic"), number, "Qu", kind="second", empty="1")
    assert waits(site, number)["keyed"] == ""


def test_who_keyed_does_not_settle_it_on_the_records_page(site: Site) -> None:
    """Not even once a third person could not tell: neither of the two that differ."""
    number = first_keyed(site)
    say(site, "vic", number, "Quillen", CheckKind.SECOND)
    say(site, "olga", number, None, CheckKind.THIRD)
    for who in ("carl", "vic"):
        version = site.installation.store.document(number, as_(site, who)).version
        with pytest.raises(InputError, match="somebody else must settle it, on the page Check"):
            desk.correct_field(
                site.installation, as_(site, who), number, "owner_name", "mine", version
            )
    assert waits(site, number)["kind"] == "senior"


def moved(site: Site, number: int) -> None:
    """Lay the other page's owner under a name, as arranging pages does."""
    with site.installation.store.write() as db:
        db.execute("UPDATE fields SET page = 2 WHERE document_id = ?", [number])


@pytest.mark.parametrize("kind", [CheckKind.LOOK, CheckKind.SECOND])
@pytest.mark.parametrize("value", ["Quillan", None])
def test_what_stands_elsewhere_now_is_not_decided(
    site: Site, kind: CheckKind, value: str | None
) -> None:
    """Somebody has moved the page that is on one's screen: the value is of another paper."""
    number = first_keyed(site) if kind is CheckKind.SECOND else permits(site, "Quillan")[0]
    seen, before = verdict(site, number, value, kind), waits(site, number)
    moved(site, number)
    with pytest.raises(StaleVersionError, match="stands elsewhere since its pages"):
        desk.decide(site.installation, as_(site, "vic"), seen)
    assert waits(site, number) == before


def test_what_moves_at_that_moment_is_not_decided(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and writing as little as before."""
    number, real = permits(site, "Quillon")[0], desk.correct_field

    def late(*said):
        moved(site, number)
        with site.installation.store.write() as db:
            db.execute("UPDATE documents SET version = version + 1 WHERE id = ?", [number])
        return real(*said)

    monkeypatch.setattr(desk, "correct_field", late)
    with pytest.raises(StaleVersionError):
        say(site, "vic", number, "Quillan")
    assert field(site, number).value == "Quillon"


def test_a_group_leaves_alone_what_stands_elsewhere_now(site: Site, clerk: FlaskClient) -> None:
    """The picture that one looked at was another."""
    numbers = permits(site, "Seven", "Seven")
    clerk.get("/check/group?form=building-permit&field=owner_name&value=Seven")
    data = {"csrf_token": csrf(clerk, "/password"), "value": "Seven", **items(site, *numbers)}
    moved(site, numbers[0])
    clerk.post("/check/group", data=data)
    assert [field(site, n).by_person for n in numbers] == [False, True]


def test_the_place_says_nothing_of_the_value(site: Site) -> None:
    """A second keyer's form names the page and the box; it is the same whatever was read there."""
    number = first_keyed(site)
    page = column(site.client("vic"), queue="second")
    (place,) = re.findall(r'name="place" value="([^"]+)"', page)
    with site.installation.store.write() as db:
        db.execute("UPDATE fields SET value = 'X', raw = 'Y' WHERE document_id = ?", [number])
    assert place == checking.place_of(site.installation.store.db, number, "owner_name")


def test_an_answer_that_was_lost_is_given_again(site: Site, clerk: FlaskClient) -> None:
    """The same decision, by its key, is written once; taken back since, it is not written anew."""
    (number,) = permits(site, "Quillon")
    for _ in range(2):
        decide(clerk, number, "Q", key="one")
        assert "not saved" not in clerk.get("/check").text
    assert site.installation.store.db.table("decisions").count == 1
    decide(clerk, number, "R", key="two")
    assert "You have decided this field already" in clerk.get("/check").text
    undo(clerk, key="one")
    decide(clerk, number, "Q", key="one")
    assert "You have taken this decision back since" in clerk.get("/check").text
    assert field(site, number).value == "Quillon"


def test_a_key_is_of_one_person(site: Site, clerk: FlaskClient) -> None:
    """Nobody is told that their decision is saved because another's is."""
    (number,) = permits(site, "Quillon")
    decide(clerk, number, "Q", key="one")
    vic = site.client("vic")
    decide(vic, number, "V", key="one")
    assert "Someone else has decided" in vic.get("/check").text
    assert "never saved" in undo(vic, key="one")


def test_what_is_named_is_taken_back_and_nothing_else(site: Site, clerk: FlaskClient) -> None:
    """Another window's decision stays, and what is named twice is taken back once."""
    one, two = permits(site, "Ann", "Bob")
    decide(clerk, one, "A", key="one")
    decide(clerk, two, "B", key="two")
    assert f"Taken back: OWNER of record {one}." in undo(clerk, key="one")
    assert "was taken back already" in undo(clerk, key="one")
    assert [field(site, n).value for n in (one, two)] == ["Ann", "B"]
    assert f"Taken back: OWNER of record {two}." in undo(clerk)


def test_the_page_names_what_it_would_take_back(site: Site, clerk: FlaskClient) -> None:
    """The last decision that stood when the page was made."""
    one, _ = permits(site, "Ann", "Bob")
    decide(clerk, one, "A", key="one")
    assert 'name="key" value="one"' in column(clerk)


def test_old_decisions_are_not_taken_back_by_chance(site: Site, clerk: FlaskClient) -> None:
    """Where the last is changed since, one of years ago is not taken for it."""
    one, two = permits(site, "Ann", "Bob")
    decide(clerk, one, "A")
    decide(clerk, two, "B")
    say_on_record(site, "vic", two, "Robert")
    undo(clerk)
    assert [field(site, n).value for n in (one, two)] == ["A", "Robert"]


def say_on_record(site: Site, who: str, number: int, value: str) -> None:
    """Have a person correct a permit's owner on the record's own page."""
    version = site.installation.store.document(number, as_(site, who)).version
    desk.correct_field(
        site.installation, as_(site, who), number, "owner_name", value, version
    )  # fmt: skip


def test_a_record_that_went_to_another_department_bars_no_way(site: Site, clerk) -> None:
    """What one may no longer see is not there: the decision before it is the last."""
    one, two = permits(site, "Ann", "Bob")
    decide(clerk, one, "A")
    decide(clerk, two, "B", key="two")
    with site.installation.store.write() as db:
        db.execute("UPDATE documents SET department = 'licensing' WHERE id = ?", [two])
    assert f"record {two}" not in undo(clerk, key="two")
    assert f"Taken back: OWNER of record {one}." in undo(clerk)


def confirmed(site: Site, client: FlaskClient, numbers: list[int], **more: object) -> str:
    """Confirm a group of permits as its page does; return what is said."""
    client.get("/check/group?form=building-permit&field=owner_name&value=Seven")
    data = {"csrf_token": csrf(client, "/password"), "value": "Seven", "since": "1",
            "key": "group", **items(site, *numbers), **more}  # fmt: skip
    client.post("/check/group", data=data)
    return client.get("/check").text


def test_a_group_is_taken_back_at_once(site: Site, clerk: FlaskClient) -> None:
    """All of it; what was changed since stays, and is named."""
    numbers = permits(site, "Seven", "Seven", "Seven")
    confirmed(site, clerk, numbers)
    say_on_record(site, "vic", numbers[0], "Eight")
    page = clerk.get("/check/group?form=building-permit&field=owner_name&value=Seven").text
    assert 'data-key="F10"' in page
    assert 'name="key" value="group"' in page
    said = undo(clerk)
    assert "Taken back: OWNER of 2 records. 1 other not:" in said
    assert f"of record {numbers[0]} was decided or changed again" in said
    assert [field(site, n).status for n in numbers] == ["corrected", "unsure", "unsure"]


def test_a_group_that_was_sent_twice_is_confirmed_once(site: Site, clerk: FlaskClient) -> None:
    """And what is said of it is true the second time too."""
    numbers = permits(site, "Seven", "Seven", "Seven")
    odd = f"{numbers[0]}-owner_name"
    for _ in range(2):
        said = confirmed(site, clerk, numbers, odd=odd)
        assert "2 fields confirmed, 1 picked out to be looked at one by one." in said
    assert "0 fields confirmed, 1 picked out to be looked at one by one, 2 that you" in confirmed(
        site, clerk, numbers, odd=odd, key="another"
    )
    assert site.installation.store.db.table("decisions").count == 2


def test_a_group_whose_time_ran_out_is_confirmed(site: Site, clerk: FlaskClient) -> None:
    """Nobody else has taken it: it is still on this person's screen alone."""
    numbers = permits(site, "Seven", "Seven")
    page = clerk.get("/check/group?form=building-permit&field=owner_name&value=Seven")
    assert page.status_code == 200
    with site.installation.store.write() as db:
        db.execute("UPDATE checks SET held_until = 1")
    data = {"csrf_token": csrf(clerk, "/password"), "value": "Seven", **items(site, *numbers)}
    clerk.post("/check/group", data=data)
    assert "2 fields confirmed." in clerk.get("/check").text


@pytest.mark.parametrize("error", [BusyError("busy"), sqlite3.OperationalError("locked")])
def test_a_group_that_stops_halfway_says_so(
    site: Site, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What was confirmed, and what was not, and what to do."""
    numbers, real = permits(site, "Seven", "Seven", "Seven"), desk.decide

    def once(installation, viewer, verdict):
        if verdict.document_id != numbers[0]:
            raise error
        real(installation, viewer, verdict)

    monkeypatch.setattr(desk, "decide", once)
    said = confirmed(site, clerk, numbers)
    assert "1 field confirmed. 2 fields not: the archive is busy; confirm them again." in said
    monkeypatch.undo()
    assert "3 fields confirmed." in confirmed(site, clerk, numbers)


def test_a_second_keying_holds_though_the_record_changes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves another field of the record at that moment: it is tried again."""
    number, real, late = first_keyed(site), desk._key_again, [1]

    def again(*said):
        if late.pop() if late else None:
            with site.installation.store.write() as db:
                db.execute("UPDATE documents SET version = version + 1 WHERE id = ?", [number])
        real(*said)

    monkeypatch.setattr(desk, "_key_again", again)
    say(site, "vic", number, "Quillen", CheckKind.SECOND)
    assert waits(site, number)["kind"] == "third"


def test_a_second_keyer_sees_nothing_on_other_pages(site: Site) -> None:
    """Nor when the record is found, printed or arranged; those who need not key it see it there."""
    number = first_keyed(site)
    site.installation.finder.sync()
    paths = ("/?q=permit", f"/records/{number}/print", f"/records/{number}/pages")
    for path in paths:
        page = site.client("vic").get(path).text
        assert "Quillan" not in page, path
        assert f"/records/{number}" in page
    assert "Quillan" in site.client("carl").get(f"/records/{number}/print").text
    assert "Quillan" in site.client("carl").get("/?q=permit").text


def test_a_second_keyer_sees_nothing_on_the_records_page(site: Site, clerk: FlaskClient) -> None:
    """Not in the field, its reading, its frame, its history, nor in the title; others see it."""
    number = first_keyed(site)
    with site.installation.store.write() as db:
        db.execute("UPDATE documents SET title = 'Permit of Quillan' WHERE id = ?", [number])
    page = site.client("vic").get(f"/records/{number}?field=owner_name").text
    assert "Quill" not in page.replace("Quillon0.pdf", "")
    assert "It waits to be keyed a second time" in page
    assert "carl</strong> keyed OWNER" in page
    link = re.search(r'href="(/check/column[^"]+queue=second[^"]*)"', page)
    assert link
    assert f'id="check-{number}-' in site.client("olga").get(link[1].replace("&amp;", "&")).text
    for who in ("carl", "vera"):
        assert "Quillan" in site.client(who).get(f"/records/{number}").text
    say(site, "olga", number, "Quillan", CheckKind.SECOND)
    assert "Quillan" in site.client("vic").get(f"/records/{number}").text


def test_nobody_lists_the_samples(site: Site, clerk: FlaskClient) -> None:
    """An address that asks for them is one with an unknown reason."""
    spec = ("site_address", "ADDRESS", "12 Elm", FieldStatus.OK)
    written = replace(PERMIT, title="S", fields=(spec,), sampled=frozenset({"site_address"}))
    file_record(site.installation, written, "s.pdf")
    assert "Nothing of this kind waits" in column(clerk, field="site_address", reason="sample")
    assert "12 Elm" in column(clerk, field="site_address", reason="unsure")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_very_long_text_can_be_confirmed(site: Site, clerk: FlaskClient, line_end: str) -> None:
    """It is the paper's; only what is typed has a limit, and a line's end counts once."""
    lines = ["y" * 40] * 140
    (number,) = permits(site, "\n".join(lines))
    decide(clerk, number, line_end.join([*lines, "more"]))
    assert "at most 5000 characters" in clerk.get("/check").text
    decide(clerk, number, line_end.join(lines))
    assert field(site, number).by_person
    (other,) = permits(site, "short")
    decide(clerk, other, line_end.join(lines[:121]))
    assert field(site, other).by_person


def test_the_next_record_is_not_one_that_is_worked_at(site: Site, clerk: FlaskClient) -> None:
    """Each page that is fetched ahead leads on to the record after it."""
    permits(site, "Ann", "Bob", "Cyd")
    address, seen = "/check/record?form=building-permit", []
    while address:
        page = clerk.get(address).text
        seen += re.findall(r'id="check-(\d+)-', page)
        ahead = re.search(r'data-ahead="([^"]+)"', page)
        address = ahead[1].replace("&amp;", "&") if ahead and 'class="check"' in page else ""
    assert len(seen) == len(set(seen)) == 4
