"""A record's page: its fields, corrections, marks, pictures, file and history."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from digitize import export
from digitize.desk import correct_field
from records import filing
from records.filing import Accepted, Draft, Intake
from records.model import DocumentStatus, FieldStatus, PageFailure
from webui import record
from webui.images import safe_name

from .conftest import PERMIT, Site, csrf, draw_page, file_listed, file_record

Correct = Callable[..., object]


def _show(site: Site, key: str = "permit", who: str = "carl", **arguments: str) -> str:
    path = f"/records/{site.records[key]}"
    return site.client(who).get(path, query_string=arguments).text


def test_a_correction_is_written_at_once(site: Site, correct: Correct) -> None:
    """A corrected field is in the record, checked by a person, with who and when in its history."""
    answer = correct(owner_name="Aloysius O'Brien")
    assert answer.status_code == 303
    field = site.field("permit", "owner_name")
    assert (field.value, field.status) == ("Aloysius O'Brien", FieldStatus.CORRECTED)
    assert site.document("permit").version == 3
    page = _show(site)
    assert "Checked by a person" in page
    history = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("History") :]).split())
    assert "carl corrected OWNER from Aloysius O&#39;Brlen to Aloysius O&#39;Brien" in history


def test_a_correction_is_found(site: Site, correct: Correct) -> None:
    """A corrected value is what the search finds."""
    correct(owner_name="Bartholomew Quill")
    site.installation.finder.sync()
    assert "114 Maple Street" in site.client("carl").get("/?q=Quill").text


def test_many_fields_are_saved_with_one_button(site: Site, correct: Correct) -> None:
    """What was typed in several boxes is saved together, whichever button is pressed."""
    answer = correct(save="permit_number", permit_number="2019-0413", owner_name="Ann Quill")
    assert answer.status_code == 303
    assert answer.location.endswith("#field-permit_number")
    assert site.field("permit", "permit_number").value == "2019-0413"
    assert site.field("permit", "owner_name").value == "Ann Quill"


def test_a_doubtful_value_can_be_confirmed(site: Site, correct: Correct) -> None:
    """A value that is right as it was read is confirmed by its own button."""
    correct(save="owner_name")
    field = site.field("permit", "owner_name")
    assert (field.value, field.status) == ("Aloysius O'Brlen", FieldStatus.CORRECTED)
    assert site.field("permit", "permit_number").status is FieldStatus.OK
    assert "confirmed OWNER" in _show(site)


def test_saving_nothing_changes_nothing(site: Site, correct: Correct) -> None:
    """Pressing the button without a change makes no new version."""
    before = site.document("permit").version
    assert correct().status_code == 303
    assert site.document("permit").version == before


def test_a_stale_form_loses_nothing(site: Site, correct: Correct) -> None:
    """Who comes second sees the record as it is now, with what they typed still in its box."""
    store, installation = site.installation.store, site.installation
    seen = site.document("permit").version
    correct_field(installation, store.system_viewer("boss"), site.records["permit"],
                  "permit_number", "2019-9999", seen)  # fmt: skip
    answer = correct(version=seen, owner_name="My own typing")
    assert answer.status_code == 409
    assert "Someone else changed this record" in answer.text
    assert 'value="My own typing"' in answer.text
    assert 'value="2019-9999"' in answer.text
    assert f'name="version" value="{site.document("permit").version}"' in answer.text
    assert site.field("permit", "owner_name").value == "Aloysius O'Brlen"
    again = correct(owner_name="My own typing")
    assert again.status_code == 303
    assert site.field("permit", "owner_name").value == "My own typing"


def test_a_value_that_breaks_a_rule_is_kept_and_said_so(site: Site, correct: Correct) -> None:
    """The paper may say what the form forbids: the value is kept, with the reason beside it."""
    assert correct(application_date="no date at all").status_code == 303
    assert site.field("permit", "application_date").value == "no date at all"
    assert "Breaks a rule" in _show(site)


@pytest.mark.parametrize(
    "damage",
    [{"version": ""}, {"version": "x"}, {"value.owner_name": "x" * 6000}],
)
def test_a_damaged_form_is_refused(site: Site, clerk: FlaskClient, damage: dict[str, str]) -> None:
    """A form that lacks what it must say writes nothing."""
    number = site.records["permit"]
    token = re.search(r'csrf_token" value="([^"]+)', clerk.get(f"/records/{number}").text)
    assert token
    data = {
        "csrf_token": token.group(1),
        "version": "2",
        "value.owner_name": "x",
        "was.owner_name": "",
    }
    answer = clerk.post(f"/records/{number}/fields", data=data | damage)
    assert answer.status_code == 400
    assert site.document("permit").version == 2


def test_who_may_not_correct_gets_no_boxes(shared_site: Site) -> None:
    """A viewer reads the fields; there is no form to fill in vain."""
    text = _show(shared_site, who="vera")
    assert "Aloysius O&#39;Brlen" in text
    assert 'name="value.' not in text
    assert "Upload" not in text


def test_a_field_can_be_shown_on_its_page(shared_site: Site) -> None:
    """The link beside a field marks its box on the picture, without a script."""
    plain, shown = _show(shared_site), _show(shared_site, field="owner_name")
    assert plain.count('"mark mark-chosen"') == 0
    assert shown.count('"mark mark-chosen"') == 1
    assert plain.count('"mark mark-doubt"') == 1
    assert 'class="marks" viewBox="0 0 850 1100"' in plain
    assert "?page=1&amp;field=owner_name#page" in plain


def test_a_page_is_chosen_by_its_number(shared_site: Site) -> None:
    """Pages turn by plain links, and a wrong number shows the first page."""
    assert "Page 2 of 2" in _show(shared_site, page="2")
    assert "Conditions of the permit" in _show(shared_site, page="2")
    for wrong in ("0", "99", "x", "-1"):
        assert "Page 1 of 2" in _show(shared_site, page=wrong)


def test_words_like_those_asked_for_are_marked(shared_site: Site) -> None:
    """A misspelt search marks the nearest words, an exact one just its own."""
    assert _show(shared_site, q="northrn").count("mark-hit") == 1
    assert _show(shared_site, q="perm*").count("mark-hit") == 2
    assert _show(shared_site, q="(((").count("mark-hit") == 0


def test_a_file_that_failed_says_why(shared_site: Site) -> None:
    """The page of a file that could not be read gives the reason and keeps the file."""
    text = _show(shared_site, "broken")
    assert "&#39;locked.pdf&#39; needs a password; save it without one" in text
    assert "Download the original file" in text


def test_a_page_that_failed_says_why(site: Site) -> None:
    """One page that could not be read does not hide the others."""
    sha256 = site.document("permit").sha256
    failure = PageFailure(2, "read", "timeout", "Page 2 took too long; scan it again.")
    filing.save_page(site.installation.store, "reader", sha256, failure, "test")
    with site.installation.store.write() as db:
        db.execute("UPDATE pages SET document_id = 1 WHERE sha256 = ?", [sha256])
    assert "Page 2 took too long; scan it again." in _show(site, page="2")
    assert '<svg class="marks"' in _show(site, page="1")


def test_a_picture_is_private_and_named_by_its_content(shared_site: Site) -> None:
    """A browser may keep a page's picture, shared caches may not, and it never goes stale."""
    client, page = shared_site.client("carl"), _show(shared_site)
    address = re.search(r'<img src="([^"]+)" width="850" height="1100"', page)
    assert address
    answer = client.get(address.group(1))
    assert answer.mimetype == "image/jpeg"
    assert answer.data.startswith(b"\xff\xd8")
    control = answer.headers["Cache-Control"]
    assert "private" in control
    assert "immutable" in control
    again = client.get(address.group(1), headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    unnamed = client.get(address.group(1).partition("?")[0])
    assert "immutable" not in unnamed.headers["Cache-Control"]
    stranger = shared_site.client("outsider").get(
        address.group(1), headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert stranger.status_code == 404


def test_the_original_is_only_ever_downloaded(shared_site: Site) -> None:
    """The file comes back byte for byte, as an attachment that no browser shows."""
    number = shared_site.records["permit"]
    answer = shared_site.client("carl").get(f"/records/{number}/original", buffered=True)
    assert answer.data == f"%PDF-1.4 permit.pdf {PERMIT.title}".encode()
    assert answer.headers["Content-Disposition"] == "attachment; filename=permit.pdf"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("permit 12.pdf", "permit 12.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\scans\\a.tif", "a.tif"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_b__Set-Cookie_ x.pdf"),
        ("档案.pdf", "__.pdf"),
        ("...", "record-7"),
        ("", "record-7"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
        ("<b>.html", "_b_.html"),
    ],
)
def test_a_file_name_is_made_safe(name: str, safe: str) -> None:
    """Whatever a file was called, its name breaks no header and no folder."""
    assert safe_name(name, 7) == safe


def test_a_file_with_someone_elses_record_in_it_is_not_given_out(site: Site) -> None:
    """Who may see one record of a file gets its pages, but not the file with all records."""
    store, installation = site.installation.store, site.installation
    workspace = installation.archive.work
    source = workspace / "two"
    source.write_bytes(b"%PDF-1.4 two records")
    kept = installation.archive.take_in(source, workspace)
    file = Accepted(kept.sha256, kept.size, "two.pdf", "application/pdf")
    intake = Intake("ada", "Drawer 2", "building", None, "")
    filing.accept(store, file, intake, "clerk", 3, lambda _: False)
    for number in (1, 2):
        page = draw_page(installation, number, (f"Page {number}",))
        filing.save_page(store, "reader", kept.sha256, page, "test")
    drafts = [
        Draft((number,), None, department, f"Record {number}", None, DocumentStatus.FILED, (), ())
        for number, department in ((1, "building"), (2, "records"))
    ]
    mine, other = filing.file_records(store, "reader", kept.sha256, drafts)
    carl = site.client("carl")
    assert carl.get(f"/records/{mine}").status_code == 200
    assert carl.get(f"/records/{mine}/pages/1/page.jpg").status_code == 200
    assert carl.get(f"/records/{mine}/pages/2/page.jpg").status_code == 404
    assert carl.get(f"/records/{mine}/original").status_code == 404
    assert "Download the original" not in carl.get(f"/records/{mine}").text
    assert carl.get(f"/records/{other}").status_code == 404
    assert site.client("ada").get(f"/records/{mine}/original", buffered=True).status_code == 200


def test_choices_are_offered(site: Site) -> None:
    """A field with fixed answers is a list to choose from, which never drops an odd value."""
    spec = ("comment_type", "This is a", "Complaimt", FieldStatus.INVALID)
    card = replace(PERMIT, title="Card", form="comment-card", fields=(spec,))
    number = file_record(site.installation, card, "card.png", pages=1)
    text = site.client("carl").get(f"/records/{number}").text
    assert "<option>Suggestion</option>" in text
    assert "<option selected>Complaimt</option>" in text


def test_a_correction_is_put_back(site: Site, correct: Correct) -> None:
    """Each correction that still stands has a button in the history that writes the old value."""
    correct(owner_name="wrong")
    number, client = site.records["permit"], site.client("carl")
    page = client.get(f"/records/{number}").text
    form = page[page.index('class="revert"') :]
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))
    fields["value.owner_name"] = fields["value.owner_name"].replace("&#39;", "'")
    assert fields["value.owner_name"] == "Aloysius O'Brlen"
    client.post(f"/records/{number}/fields", data=fields)
    assert site.field("permit", "owner_name").value == "Aloysius O'Brlen"
    page = client.get(f"/records/{number}").text
    assert page.count('class="revert"') == 1  # what was put back can be taken up again
    assert 'class="revert"' not in _show(site, who="vera")


def _reverts(page: str) -> list[dict[str, str]]:
    """Return the forms of a history that put a value back, newest first."""
    forms = page.split('class="revert"')[1:]
    return [
        {name: html.unescape(value) for name, value in
         re.findall(r'name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")])}
        for form in forms
    ]  # fmt: skip


def test_every_correction_is_put_back(site: Site, correct: Correct) -> None:
    """The first of several too, from the record as it is now; and one goes on where one was."""
    first = site.field("permit", "owner_name").value
    for value in ("one", "two"):
        correct(owner_name=value)
    number, client = site.records["permit"], site.client("carl")
    page = client.get(f"/records/{number}?q=maple&at=1&page=2").text
    back = _reverts(page)
    assert [form["value.owner_name"] for form in back] == ["one", first]
    assert {form["was.owner_name"] for form in back} == {"two"}
    answer = client.post(f"/records/{number}/fields", data=back[1])
    assert site.field("permit", "owner_name").value == first
    assert {"at=1", "q=maple", "page=2"} <= set(
        answer.location.partition("?")[2].partition("#")[0].split("&")
    )
    # What stands there now is not offered; what was put back can be taken up again.
    page = client.get(f"/records/{number}").text
    assert [form["value.owner_name"] for form in _reverts(page)] == ["two", "one"]
    assert client.post(f"/records/{number}/fields", data=back[0]).status_code == 409


def test_the_history_can_be_read(site: Site, correct: Correct) -> None:
    """Who, when, from and to, each in words; a long value is folded, and whole when unfolded."""
    long = "wooden fence along the northern boundary, " * 10
    correct(owner_name=long)
    page = _show(site)
    history = page[page.index('id="history-title"') :]
    assert '<details class="folded"><summary><q>wooden fence' in history
    assert f'<q class="whole-value">{long.strip()}</q>' in history
    assert len(re.findall(r"<summary><q>([^<]+)</q>", history)[0]) <= 123
    assert re.search(r'<time datetime="[^"]+">\w+ \d{1,2}, \d{4}, \d\d:\d\d</time>', history)
    store = site.installation.store
    version = site.document("permit").version
    correct_field(site.installation, store.system_viewer("cli:root"), site.records["permit"],
                  "owner_name", "Ann", version)  # fmt: skip
    assert "<strong>root, at the command line,</strong> corrected OWNER" in _show(site)


def test_a_record_goes_on_paper(site: Site, correct: Correct) -> None:
    """Whole: each field as corrected, each page's picture, and its text unless it is left out."""
    correct(owner_name="Aloysius O'Brien")
    number, client = site.records["permit"], site.client("vera")
    assert f'href="/records/{number}/print"' in client.get(f"/records/{number}").text
    paper = html.unescape(client.get(f"/records/{number}/print").text)
    for field in site.installation.store.fields(number):
        assert f'<th scope="row">{field.label}</th>' in paper
        assert f">{field.value}</td>" in paper
    pictures = re.findall(r'class="printed-picture" src="([^"]+)"', paper)
    assert len(pictures) == 2
    assert all(client.get(address).mimetype == "image/jpeg" for address in pictures)
    for each in export.corrected_pages(site.installation, number):
        assert f'<p class="printed-text">{each.text}</p>' in paper
    assert "Conditions of the permit" in paper
    assert "<input" not in paper[paper.index("<main") : paper.index("</main>")]
    assert "Conditions of the permit" not in client.get(f"/records/{number}/print?text=0").text
    assert client.get(f"/records/{site.records['broken']}/print").status_code == 200


def test_a_very_long_record_goes_on_paper_in_part(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so, with what to do about the rest."""
    monkeypatch.setattr(record, "MOST_PRINTED", 1)
    paper = site.client("carl").get(f"/records/{site.records['permit']}/print").text
    assert paper.count("printed-picture") == 1
    assert "Page 1 of 2" in paper
    assert "Only the first 1 page of 2 is here. Ask your technician" in paper


def test_words_that_were_not_read_for_sure_are_marked(site: Site) -> None:
    """In the text, by a wave and a word, with what else they may be."""
    assert 'class="doubt"' not in _show(site)
    store = site.installation.store
    words = (
        '[[["Fenoe", 60, 60, 140, 92, 0.4, ["ppocr", "Fence", 0.6]], ["six", 150, 60, 190, 92, 1]]]'
    )
    with store.write() as db:
        db.execute("UPDATE pages SET words = ? WHERE document_id = ? AND number = 1",
                   [words, site.records["permit"]])  # fmt: skip
    page = _show(site)
    marked = '<span class="doubt" id="doubt-1" title="It may be Fence">Fenoe'
    assert page.count('class="doubt"') == 1
    assert marked in page
    assert "1 word on this page was not read for sure" in page


@pytest.mark.parametrize(
    ("look", "classes", "links"),
    [
        ({}, "zoom-100 turn-0", {"larger": "zoom=150", "turn": "turn=90"}),
        ({"zoom": "200", "turn": "270"}, "zoom-200 turn-270",
         {"larger": "zoom=300", "smaller": "zoom=150", "turn": "zoom=200"}),
        ({"zoom": "300"}, "zoom-300 turn-0", {"smaller": "zoom=200", "turn": "turn=90"}),
        ({"zoom": "7", "turn": "x"}, "zoom-100 turn-0", {"larger": "zoom=150", "turn": "turn=90"}),
    ],
)  # fmt: skip
def test_a_page_is_enlarged_and_turned(
    shared_site: Site, look: dict[str, str], classes: str, links: dict[str, str]
) -> None:
    """By plain links, that keep the place and what was searched for."""
    page = _show(shared_site, q="maple", **look)
    assert f'class="sheet {classes}"' in page
    found = dict(re.findall(r'href="([^"]+)" data-look="(\w+)"', page))
    by_name = {name: href for href, name in found.items()}
    assert set(by_name) == set(links)
    for name, part in links.items():
        assert part in by_name[name]
        assert "q=maple" in by_name[name]


def test_fifty_who_save_the_same_record(site: Site) -> None:
    """One of fifty who saved at once wins; each other is told, with what they typed in its box."""
    number, client = site.records["permit"], site.client("carl")
    page = client.get(f"/records/{number}").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    version = str(site.document("permit").version)
    cookie = client.get_cookie("digitize_session")
    assert cookie
    answers: list[tuple[str, int, str]] = []

    def save(n: int) -> None:
        mine = site.app.test_client()
        mine.set_cookie("digitize_session", cookie.value)
        data = {"csrf_token": token.group(1), "version": version, "was.owner_name": "x",
                "value.owner_name": f"typed by {n}", "save": ""}  # fmt: skip
        answer = mine.post(f"/records/{number}/fields", data=data)
        answers.append((f"typed by {n}", answer.status_code, answer.text))
        site.installation.store.close()

    people = [threading.Thread(target=save, args=(n,)) for n in range(50)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    won = [typed for typed, status, _ in answers if status == 303]
    assert len(won) == 1
    assert site.field("permit", "owner_name").value == won[0]
    told = [(typed, text) for typed, status, text in answers if status == 409]
    assert len(told) == 49
    for typed, text in told:
        assert "Someone else changed this record" in text
        assert f'value="{typed}"' in text


def test_what_is_odd_about_a_record_is_ticked_off(site: Site) -> None:
    """A page that is hard to read stays so; who has looked says so, and the reason goes."""
    client, number = site.client("carl"), site.records["permit"]
    page = client.get(f"/records/{number}").text
    assert "page 2 is hard to read" in page.lower()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    data = {"csrf_token": token.group(1), "version": str(site.document("permit").version)}
    client.post(f"/records/{number}/looked-over", data=data)
    after = site.document("permit")
    assert (after.reasons, after.status) == ((), DocumentStatus.NEEDS_REVIEW)  # a field is in doubt
    page = client.get(f"/records/{number}").text
    assert "hard to read" not in page
    assert "found it in order" in page
    assert client.post(f"/records/{number}/looked-over", data=data).status_code == 409
    broken = site.records["broken"]
    data["version"] = str(site.document("broken").version)
    assert client.post(f"/records/{broken}/looked-over", data=data).status_code == 400


def test_what_a_doubtful_field_may_be_is_taken_with_one_click(site: Site) -> None:
    """Another reading stands below the field, and its button saves it."""
    client, number = site.client("carl"), file_listed(site)
    page = client.get(f"/records/{number}").text
    assert 'name="take" value="work=fence"' in page
    assert 'name="take" value="work=pool"' not in page
    data = {"csrf_token": csrf(client, f"/records/{number}"), "version": "2", "take": "work=fence",
            "value.work": "fenoe", "was.work": "fenoe"}  # fmt: skip
    answer = client.post(f"/records/{number}/fields", data=data)
    assert answer.status_code == 303
    assert "field=work" in answer.location
    [field] = site.installation.store.fields(number)
    assert (field.value, field.status) == ("fence", FieldStatus.CORRECTED)
    page = client.get(f"/records/{number}").text
    assert 'name="take"' not in page
    assert "Read as <q>fenoe</q>, checked by a person" in page
    assert 'name="take"' not in site.client("vera").get(f"/records/{number}").text


def test_who_cannot_put_a_record_right_is_not_asked_to(shared_site: Site) -> None:
    """They are told that it is in doubt, and may take it away as a searchable PDF all the same."""
    number = shared_site.records["permit"]
    assert "Please look at this record" in _show(shared_site, who="carl")
    text = _show(shared_site, who="vera")
    assert "Please look at this record" not in text
    assert "Not everything here was read for sure" in text
    assert f'href="/found.pdf?q=id:{number}"' in text
