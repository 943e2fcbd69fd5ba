"""The text of a page put right on its record's page: a line at a time, in everything at once."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from digitize import arranging, desk, export
from records import rows
from records.model import Line
from records.rewriting import SaidLine

from .conftest import PERMIT, Site, csrf, file_record

OWNER, WORK = 5, 6  # lines of the permit
Say = Callable[..., TestResponse]


def show(site: Site, key: str = "permit", who: str = "carl", **arguments: object) -> str:
    path = f"/records/{site.records[key]}"
    return unescape(site.client(who).get(path, query_string=arguments).text)


def texts(site: Site, page: int = 1) -> list[str]:
    """Return the lines of the permit's text."""
    return [line.text for line in site.installation.store.lines(site.records["permit"], page)]


def lines(html: str) -> list[str]:
    """Return the lines of text that a page shows, without tags."""
    found = re.findall(r'<p class="text-words">(.*?)</p>', html, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", "", each).split()) for each in found]


def doubt(site: Site, page: int, *words: str) -> None:
    """Let some words of a page of the permit be such as were not read for sure."""
    store = site.installation.store
    number, sha256 = site.records["permit"], site.document("permit").sha256
    made = []
    for line in store.lines(number, page):
        told = [replace(w, confidence=0.4) if w.text in words else w for w in line.words]
        made.append(Line(tuple(told)))
    with store.write() as db:
        db.execute("UPDATE pages SET words = ? WHERE sha256 = ? AND number = ?",
                   [rows.words_column(tuple(made)), sha256, page])  # fmt: skip


@pytest.fixture
def say(site: Site, clerk: FlaskClient) -> Say:
    """Send the form of a line of the permit, as a browser would."""

    def send(line: int, text: str, was: str | None = None, end: str = "", **more: object):
        number = site.records["permit"]
        known = site.installation.store.page_text(number, 1)
        assert known
        data = {
            "csrf_token": csrf(clerk, f"/records/{number}"), "text": text,
            "was.line": known.lines[line - 1].text if was is None else was,
            "version": str(site.document("permit").version), "page": "1", **more,
        }  # fmt: skip
        return clerk.post(f"/records/{number}/pages/1/lines/{line}{end}", data=data)

    return send


def test_a_line_is_corrected_in_its_place(site: Site, clerk: FlaskClient, say: Say) -> None:
    """The line becomes a box with its picture; saved, it is shown again with what was saved."""
    page = show(site)
    [link] = re.findall(rf'href="([^"]+line={OWNER}[^"]*)"', page)
    form = clerk.get(link).text
    assert link.endswith(f"#say-{OWNER}")
    assert 'value="Owner Aloysius O&#39;Brien"' in form
    picture = re.search(r'src="([^"]+line\.jpg[^"]+)"', form)
    assert picture
    assert clerk.get(unescape(picture.group(1))).mimetype == "image/jpeg"
    assert 'class="mark mark-chosen"' in form
    answer = say(OWNER, "Owner Aloisius O'Bryan", q="maple", at="1")
    assert answer.status_code == 303
    assert answer.location.endswith(f"saved={OWNER}#line-{OWNER}")
    assert "q=maple" in answer.location
    assert "at=1" in answer.location
    after = unescape(clerk.get(answer.location).text)
    assert lines(after)[OWNER - 1] == "Owner Aloisius O'Bryan"
    told = after[after.index(f'id="line-{OWNER}"') :]
    assert "Saved: it says “Owner Aloisius O'Bryan” now." in told[: told.index("</li>")]
    assert "carl" in told[: told.index("</li>")]
    assert "corrected a line of page 1" in after


def test_it_is_in_search_and_in_every_download(site: Site, say: Say, tmp_path: Path) -> None:
    """What was misread is nowhere any more: not in hits, PDF, hOCR, ALTO, JSON or CSV."""
    say(WORK, "Work hedge, six feet high")
    installation, number = site.installation, site.records["permit"]
    installation.finder.sync()
    carl = site.client("carl")
    hits = {q: carl.get(f"/?q={q}").text for q in ("hedge", "wooden")}
    link = f'<a class="hit-title" href="/records/{number}?'
    assert {q: link in page for q, page in hits.items()} == {"hedge": True, "wooden": False}
    assert "Work hedge, six feet high" in re.sub("<[^>]+>", "", unescape(hits["hedge"]))
    assert "<mark>hedge" in hits["hedge"]
    assert "/line.jpg?box=" in hits["hedge"]
    viewer = installation.store.system_viewer("test")
    made = []
    for kind in export.IN_A_FOLDER:
        for exported in export.write_folder(installation, viewer, number, kind, tmp_path / kind):
            made += exported.files
    for kind in export.IN_ONE_FILE:
        made.append(tmp_path / f"records.{kind}")
        export.write(installation, viewer, number, kind, made[-1])
    assert {file.suffix for file in made} == {".pdf", ".hocr", ".xml", ".csv", ".jsonl"}
    first = [file for file in made if not file.name.endswith("p0002.xml")]
    for file in first:
        said = file.read_text() if file.suffix != ".pdf" else subprocess.run(
            ["pdftotext", file, "-"], capture_output=True, text=True, check=True
        ).stdout  # fmt: skip
        assert "hedge" in said, file.name
        assert "wooden" not in said, file.name
    record = json.loads((tmp_path / "records.jsonl").read_text())
    [word] = [w for w in record["pages"][0]["words"] if w["text"] == "hedge,"]
    assert word["confidence"] == 1.0


def test_a_corrected_field_and_corrected_text_are_both_exported(
    site: Site, say: Say, correct: Callable[..., object]
) -> None:
    """Each says what its own place says, whichever was corrected first."""
    say(OWNER, "Proprietor Aloysius O'Brien")
    correct(permit_number="2019-0413")
    pages = export.corrected_pages(site.installation, site.records["permit"])
    assert "Proprietor Aloysius" in pages[0].text
    assert "2019-0413" in pages[0].text
    assert "2019-0412" not in pages[0].text
    assert site.field("permit", "owner_name").value == "Aloysius O'Brlen"


def test_of_a_field_and_its_line_the_newest_is_exported(
    site: Site, say: Say, correct: Callable[..., object]
) -> None:
    """Whoever puts a line right after its field says what stands there, and the other way round."""

    def exported() -> str:
        return export.corrected_pages(site.installation, site.records["permit"])[0].text

    correct(owner_name="Aloysius O'Brian")
    assert "Aloysius O'Brian" in exported()
    say(OWNER, "Owner Aloysius O'Bryan")
    assert texts(site)[OWNER - 1] == "Owner Aloysius O'Bryan"
    assert "O'Bryan" in exported()
    assert "O'Brian" not in exported()
    correct(owner_name="Aloysius O'Brady")
    assert "Aloysius O'Brady" in exported()
    assert "O'Bryan" not in exported()
    say(OWNER, "Owner")
    assert "O'Br" not in exported()


def test_what_was_read_is_put_back(site: Site, say: Say) -> None:
    """A corrected line has a button that takes back all that was said of it."""
    before = texts(site)
    say(OWNER, "Nobody")
    say(OWNER, "")
    assert texts(site) == [*before[: OWNER - 1], *before[OWNER:]]
    page = show(site)
    assert lines(page)[OWNER - 1] == "(nothing is written here)"
    assert page.count("Put back what was read") == 1
    assert say(OWNER, "", end="/put-back").status_code == 303
    assert texts(site) == before
    page = show(site)
    assert "Put back what was read" not in page
    assert "put back what was read in a line of page 1" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Owner Aloysius O'Brien", "Nothing was changed"),
        ("", "nothing is written where “Owner Aloysius O'Brien” was read."),
        ("x " * 100, "it says “x x x"),
    ],
)
def test_what_was_done_is_said(
    site: Site, clerk: FlaskClient, say: Say, text: str, told: str
) -> None:
    """At the line itself, briefly, in words."""
    after = unescape(clerk.get(say(OWNER, text).location).text)
    assert told in after[after.index(f'id="line-{OWNER}"') :]
    assert told not in after[: after.index('id="text"')]


def test_a_line_that_is_right_is_saved_as_it_stands(
    site: Site, clerk: FlaskClient, say: Say
) -> None:
    """Its words are in doubt no more; the history says who has looked."""
    doubt(site, 1, "Aloysius", "six")
    assert show(site).count('class="doubt"') == 2
    after = unescape(clerk.get(say(OWNER, "Owner Aloysius O'Brien").location).text)
    assert "Saved: the line is right as it stands." in after
    assert after.count('class="doubt"') == 1
    assert "confirmed a line of page 1" in after


def test_who_comes_second_loses_nothing(site: Site, say: Say) -> None:
    """They are told, and see the record as it is now, with their typing in the line's box."""
    seen = site.document("permit").version
    say(WORK, "Work stone wall")
    answer = say(OWNER, "Owner typed with care", version=str(seen))
    text = unescape(answer.text)
    assert answer.status_code == 409
    assert "Someone else changed this record" in text
    assert f'<a href="#say-{OWNER}">' in text
    assert 'value="Owner typed with care"' in text
    assert "Work stone wall" in lines(text)
    assert f'name="version" value="{site.document("permit").version}"' in text
    assert "Owner Aloysius O'Brien" in texts(site)
    assert say(OWNER, "Owner typed with care").status_code == 303
    assert "Owner typed with care" in texts(site)


def test_saving_twice_is_saving_once(site: Site, say: Say) -> None:
    """Who presses Enter twice, or types what another has saved meanwhile, is told that it is so."""
    was, seen = texts(site)[OWNER - 1], site.document("permit").version
    for _ in range(2):
        answer = say(OWNER, "Owner Ann", was=was, version=str(seen))
        assert answer.status_code == 303
    assert site.document("permit").version == seen + 1


def test_the_same_line_corrected_by_two(site: Site, say: Say) -> None:
    """The second sees what it says now beside what they typed."""
    was, seen = texts(site)[OWNER - 1], site.document("permit").version
    say(OWNER, "Owner Ann")
    answer = say(OWNER, "Owner Bea", was=was, version=str(seen))
    assert answer.status_code == 409
    assert 'value="Owner Bea"' in answer.text
    assert "In the record it is now: <strong>Owner Ann</strong>" in answer.text
    assert say(99, "Owner Bea", was="gone", version=str(seen)).status_code == 409
    assert texts(site)[OWNER - 1] == "Owner Ann"


@pytest.mark.parametrize("damage", [{"version": ""}, {"version": "x"}, {"text": "x" * 2001}])
def test_a_damaged_form_is_refused(site: Site, say: Say, damage: dict[str, str]) -> None:
    """Nothing is written, and what was typed is shown to be copied."""
    before = texts(site)
    text = damage.pop("text", "typed")
    answer = say(OWNER, text, **damage)
    assert answer.status_code == 400
    assert text[:100] in answer.text
    assert texts(site) == before


def test_a_line_past_the_pages_end_opens_nothing(shared_site: Site) -> None:
    """A made-up number in the address shows the page as it is."""
    for line in (0, 99, "x", 10**30):
        assert "say-" not in show(shared_site, text="open", line=line).replace("#say-", "")


def test_who_may_not_correct_sees_who_did(site: Site, say: Say) -> None:
    """A viewer reads the text and who put it right; there is no form to fill in vain."""
    say(OWNER, "Owner Ann")
    page = show(site, who="vera", text="open", line=OWNER)
    assert "Owner Ann" in lines(page)
    assert "Put back" not in page
    assert ">Correct<" not in page
    assert "say-" not in page
    told = page[page.index(f'id="line-{OWNER}"') :]
    assert "carl" in told[: told.index("</li>")]


def test_words_in_doubt_are_walked_through(site: Site) -> None:
    """Each leads to the next and the one before, and the last to the next page that has any."""
    doubt(site, 1, "Aloysius", "six")
    doubt(site, 2, "Conditions")
    page, number = show(site), site.records["permit"]
    walks = re.findall(r'<span class="doubt-walk">(.*?)</span>\s*\w', page, re.DOTALL)
    hrefs = [re.findall('href="([^"]+)"', walk) for walk in walks]
    assert hrefs == [["#doubt-2"], ["#doubt-1", f"/records/{number}/doubts?page=1"]]
    client = site.client("carl")
    onward = client.get(hrefs[1][1])
    assert onward.location.endswith("page=2&text=open#doubt-1")
    assert 'id="doubt-1"' in client.get(onward.location).text
    end = client.get(f"/records/{number}/doubts?page=2", follow_redirects=True)
    assert "No page behind this one has a word that is in doubt." in end.text


def test_paper_without_fields_shows_its_text_at_once(shared_site: Site) -> None:
    """Where there are no fields, the text is what there is to see; else it is folded away."""
    assert '<details class="text" open>' in show(shared_site, "minutes")
    assert '<details class="text">' in show(shared_site, "permit")
    assert '<details class="text" open>' in show(shared_site, "permit", text="open")


def test_a_record_of_no_form_is_called_by_its_text(site: Site) -> None:
    """A first line that is put right is the title too; put back, it is as it was read."""
    client, number = site.client("ada"), site.records["minutes"]

    def send(end: str, was: str, text: str) -> str:
        version = str(site.document("minutes").version)
        token = csrf(client, f"/records/{number}")
        data = {"csrf_token": token, "version": version, "was.line": was, "text": text}
        client.post(f"/records/{number}/pages/1/lines/1{end}", data=data)
        return site.document("minutes").title

    first = PERMIT.lines[0]
    assert send("", first, "Minutes of the Council").startswith("Minutes of the Council - ")
    site.installation.finder.sync()
    assert "Minutes of the Council" in client.get("/?q=title:council").text
    assert send("/put-back", "Minutes of the Council", "").startswith(f"{first} - ")


def test_it_goes_where_its_page_goes(site: Site) -> None:
    """A page that is made a record of its own takes along what people said of its text."""
    store, number = site.installation.store, site.records["permit"]
    viewer = store.system_viewer("ada")
    said = SaidLine(2, 2, "Conditions of the permit", "Terms of the permit")
    now = desk.rewrite_line(site.installation, viewer, site.document("permit"), said)
    key = store.pages(number)[1].key
    made = arranging.split(site.installation, viewer, number, now.version, [key])
    [page] = store.pages(made)
    assert [line.text for line in store.lines(made, page.number)][1] == "Terms of the permit"
    site.installation.finder.sync()
    assert f"/records/{made}?" in site.client("ada").get('/?q="terms of the permit"').text
    client = site.client("ada")
    form = client.get(f"/records/{made}?text=open&line=2").text
    assert f'action="/records/{made}/pages/{page.number}/lines/2"' in form


def test_text_of_another_page_is_corrected_there(site: Site) -> None:
    """A line belongs to its page: the same line of another page stays."""
    number = file_record(site.installation, replace(PERMIT, title="Two"), "two.pdf")
    client = site.client("carl")
    store = site.installation.store
    token = csrf(client, f"/records/{number}")
    data = {"csrf_token": token, "version": "3", "was.line": "Page two", "text": "Page 2"}
    version = store.document(number, store.system_viewer("test")).version
    answer = client.post(
        f"/records/{number}/pages/2/lines/1", data=data | {"version": str(version)}
    )
    assert "page=2" in answer.location
    assert store.lines(number, 2)[0].text == "Page 2"
    assert store.lines(number, 1)[0].text == PERMIT.lines[0]
    assert texts(site, 2)[0] == "Page two"
