"""Searching: what is found, what is not, and that nothing a person types is an error."""

from __future__ import annotations

import csv
import html
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO

import pikepdf
import pytest
from PIL import Image
from werkzeug.test import TestResponse

from digitize import export
from records.archive import Archive
from records.model import DocumentStatus
from webui import spool

from .conftest import PERMIT, Site, csrf, file_record

HOSTILE = '<script>alert("x")</script>'


def test_a_hit_leads_to_the_page_and_the_place(shared_site: Site) -> None:
    """A hit shows title, facts and its line with the words marked, and leads to the spot."""
    text = shared_site.client("carl").get("/?q=aloysius").text
    assert "<mark>Aloysius</mark>" in text
    assert "Building permit application" in text
    assert "March 14, 2019" in text
    assert "Needs a look" in text
    number = shared_site.records["permit"]
    assert f'href="/records/{number}?page=1&amp;at=1&amp;q=aloysius"' in text
    page = shared_site.client("carl").get(f"/records/{number}?page=1&q=aloysius").text
    assert page.count("mark-hit") == 1


@pytest.mark.parametrize("query", [
    "(((", '"', "O'Brien", "reg:1", "NOT", "AND OR", "*", "~", "-", ":", "a:b:c", "[", "\\",
    "permit_number:", "date:..", "%00", "\x00", "%", "_", "🙂", "x" * 5000, "NOT (", "form:",
    "' OR 1=1 --", HOSTILE, "{{7*7}}", "../../etc/passwd",
])  # fmt: skip
def test_whatever_is_typed_gets_an_answer(shared_site: Site, query: str) -> None:
    """No text in the box is an error, and none of it becomes part of the page's code."""
    answer = shared_site.client("carl").get("/", query_string={"q": query})
    assert answer.status_code == 200
    assert HOSTILE not in answer.text
    if len(query) < 100:
        assert f'value="{html.escape(query.strip())}"'.replace("&#x27;", "&#39;").replace(
            "&quot;", "&#34;"
        ) in answer.text.replace("\ufffd", "\x00")


@pytest.mark.parametrize(
    "arguments",
    ["p=0", "p=-1", "p=abc", "p=99999999999", "status=nonsense", "year=%27", "form=",
     "form=x&form=y", "department=licensing", "&".join(f"year={n}" for n in range(500))],
)  # fmt: skip
def test_whatever_stands_in_the_address_gets_an_answer(shared_site: Site, arguments: str) -> None:
    """A mangled link shows a page, and a filter cannot show what may not be seen."""
    answer = shared_site.client("carl").get(f"/?{arguments}")
    assert answer.status_code == 200
    assert "Dog licence 77" not in answer.text


def test_other_departments_records_are_not_there(shared_site: Site) -> None:
    """Neither hits, counts, filters nor suggestions tell of what a person may not see."""
    text = shared_site.client("carl").get("/?q=dog").text
    assert "Dog licence" not in text
    everything = shared_site.client("carl").get("/").text
    assert "3 records" in everything
    assert "Licensing" not in everything
    assert "4 records" in shared_site.client("ada").get("/").text


def test_filters_are_links_that_work_without_scripts(shared_site: Site) -> None:
    """Each filter value says how many records it would leave, and a second click takes it away."""
    client = shared_site.client("ada")
    found = re.search(r'href="(/\?[^"]*status=filed[^"]*)"', client.get("/?q=maple").text)
    assert found
    chosen = client.get(html.unescape(found.group(1))).text
    assert "1 record found" in chosen
    assert "Council minutes" in chosen
    assert "114 Maple Street" not in chosen
    assert 'href="/?q=maple"' in chosen
    assert '<input type="hidden" name="status" value="filed">' in chosen


def test_many_filter_values_are_folded_away(site: Site) -> None:
    """A drawer of fifty years does not push the other filters off the page."""
    years = range(1960, 1975)
    for year in years:
        number = file_record(site.installation, replace(PERMIT, title=f"{year}"), f"{year}.pdf", 1)
        with site.installation.store.write() as db:
            rev = site.installation.store.next_rev(db)
            db.execute("UPDATE documents SET date = ?, rev = ? WHERE id = ?",
                       [f"{year}-01-01", rev, number])  # fmt: skip
    site.installation.finder.sync()
    text = site.client("carl").get("/?year=1960").text
    assert "8 more" in text or "7 more" in text
    assert text.index("choice-on") < text.index(" more<")


def test_a_misspelt_word_is_put_right(shared_site: Site) -> None:
    """One wrong letter still finds, and says so."""
    text = shared_site.client("carl").get("/?q=northrn").text
    assert "114 Maple Street" in text
    assert "Nothing has just these words" in text or "Did you mean" in text
    assert "nearest.Did" not in text


def test_nothing_found_says_what_to_do(shared_site: Site) -> None:
    """An empty answer is not a dead end."""
    text = shared_site.client("carl").get("/?q=zzzqqq&status=filed").text
    assert "Nothing found" in text
    assert "Take away the filters" in text
    assert "Use fewer words" in text


def test_an_empty_archive_says_what_to_do(site: Site) -> None:
    """Someone who may see nothing yet is told whom to ask, or how to begin."""
    with site.installation.store.write() as db:
        db.execute("UPDATE departments SET shared = 0")
    carl = site.client("outsider").get("/?department=licensing")
    assert carl.status_code == 200
    with site.installation.store.write() as db:
        db.execute("DELETE FROM memberships")
    assert "Ask an administrator" in site.client("vera").get("/").text


def test_many_hits_come_in_pages(site: Site) -> None:
    """Results beyond the first page are reached with plain links."""
    for number in range(21):
        title = f"Permit number {number:02}"
        file_record(site.installation, replace(PERMIT, title=title), f"{number}.pdf", pages=1)
    site.installation.finder.sync()
    client = site.client("carl")
    first = client.get("/?q=fence").text
    assert first.count('class="hit-title"') == 20
    assert "Page 1 of 2" in first
    assert 'rel="next" href="/?q=fence&amp;p=2"' in first
    second = client.get("/?q=fence&p=2").text
    assert second.count('class="hit-title"') == 3
    assert '<ol class="hits" start="21">' in second
    assert "There are no more results here" in client.get("/?q=fence&p=9").text


def test_hostile_text_on_paper_stays_text(site: Site) -> None:
    """What stands on a page, in a title or a field is never taken for the page's own code."""
    evil = replace(
        PERMIT,
        title=HOSTILE,
        lines=(HOSTILE, "findme <img src=x onerror=alert(1)>"),
        fields=tuple((*field[:2], HOSTILE, field[3]) for field in PERMIT.fields),
    )
    number = file_record(site.installation, evil, name=f"{HOSTILE}.pdf")
    site.installation.finder.sync()
    client = site.client("carl")
    for path in ("/?q=findme", "/", f"/records/{number}", f"/records/{number}?field=owner_name",
                 "/batch?name=Drawer+1"):  # fmt: skip
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
    assert "&lt;script&gt;" in client.get(f"/records/{number}").text


def test_waiting_records_are_found_too(site: Site) -> None:
    """A record is listed with its status from the moment it is accepted."""
    with site.installation.store.write() as db:
        rev = site.installation.store.next_rev(db)
        db.execute("UPDATE documents SET status = ?, rev = ? WHERE id = ?",
                   [DocumentStatus.WAITING, rev, site.records["permit"]])  # fmt: skip
    site.installation.finder.sync()
    assert "Waiting to be read" in site.client("carl").get("/?q=maple").text


def test_a_hit_shows_its_line_and_what_else_matters(shared_site: Site) -> None:
    """The line on the paper as a picture, and the fields that the title does not say."""
    client = shared_site.client("carl")
    text = client.get("/?q=aloysius").text
    url = re.findall(r'class="hit-line" src="([^"]+)"', text)[0]
    answer = client.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    width, height = Image.open(io.BytesIO(answer.data)).size
    assert width > 300
    assert height < 60
    assert "<dt>PERMIT NO.</dt> <dd>2019-0412</dd>" in text
    assert "<dt>STREET ADDRESS OF SITE</dt>" not in text  # the title says it
    assert "hit-line" not in client.get("/").text


@pytest.mark.parametrize("box", ["", "1-2-3", "1-2-3-x", "0-0-9999-20", "5-5-1-1", "1-2-3-4-5"])
def test_a_line_that_is_none_is_not_there(shared_site: Site, box: str) -> None:
    """Only a piece of the page can be asked for."""
    number = shared_site.records["permit"]
    answer = shared_site.client("carl").get(f"/records/{number}/pages/1/line.jpg?box={box}")
    assert answer.status_code == 404


def test_results_are_walked_through(site: Site) -> None:
    """From record to record without going back; the last step back leads to the right page."""
    for n in range(3):
        written = replace(PERMIT, title=f"Fence {n}", lines=(*PERMIT.lines, f"walk {n}"))
        file_record(site.installation, written, f"walk{n}.pdf")
    site.installation.finder.sync()
    client = site.client("carl")
    hrefs = re.findall(r'class="hit-title" href="([^"]+)"', client.get("/?q=walk").text)
    seen = [href.replace("&amp;", "&") for href in hrefs]
    assert len(seen) == 3
    for place, href in enumerate(seen, 1):
        page = client.get(href).text
        assert f"{place} of 3" in page
        step = r'rel="(prev|next)" href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?(?:Record|Next r)'
        steps = re.findall(step, page)
        found = {way: to.replace("&amp;", "&") for way, to in steps}
        assert found.get("prev") == (seen[place - 2] if place > 1 else None)
        assert found.get("next") == (seen[place] if place < 3 else None)
    assert 'href="/?q=walk"' in page
    for odd in ("at=0", "at=-1", "at=x", "at=99999999", "at=7"):
        assert client.get(f"/records/1?q=walk&{odd}").status_code == 200


def _steps(page: str) -> dict[str, str]:
    """Return where the links to the record before and the next one lead."""
    found = re.findall(
        r'rel="(prev|next)" href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?(?:Rec|Next r)', page
    )
    return {way: to.replace("&amp;", "&") for way, to in found}


def test_a_list_that_grows_shorter_is_walked_whole(site: Site) -> None:
    """What was corrected falls out of the list; the next record is none that was passed over."""
    store, client = site.installation.store, site.client("carl")
    for n in range(4):
        written = replace(PERMIT, title=f"Fence {n}", lines=(*PERMIT.lines, f"walk {n}"))
        file_record(site.installation, written, f"walk{n}.pdf")
    site.installation.finder.sync()
    page = client.get("/?q=walk&status=needs-review").text
    hrefs = re.findall(r'class="hit-title" href="([^"]+)"', page)
    one, two, three, four = (href.replace("&amp;", "&") for href in hrefs)
    numbers = [int(re.findall(r"/records/(\d+)", href)[0]) for href in (one, two, three, four)]

    def settle(number: int) -> None:
        with store.write() as db:
            db.execute("UPDATE documents SET status = 'filed', rev = ? WHERE id = ?",
                       [store.next_rev(db), number])  # fmt: skip
        site.installation.finder.sync()

    before = _steps(client.get(one).text)
    settle(numbers[0])
    gone = client.get(one).text
    assert "No longer in this list" in gone
    after = _steps(gone)
    assert f"/records/{numbers[1]}?" in after["next"]  # it moved up into the place
    assert "at=1&" in after["next"]
    assert "prev" not in after
    moved = client.get(before["next"]).text  # an address from when the list was longer
    assert "1 of 3" in moved
    assert f"/records/{numbers[2]}?" in _steps(moved)["next"]
    assert 'name="at" value="1"' in moved
    settle(numbers[3])
    last = client.get(four).text
    assert f"/records/{numbers[2]}?" in _steps(last)["prev"]
    assert "next" not in _steps(last)


def test_a_correction_keeps_the_walk(site: Site) -> None:
    """Who corrects a record goes on from where they were in the list."""
    client, number = site.client("carl"), site.records["permit"]
    page = client.get(f"/records/{number}?q=maple&at=1&status=needs-review").text
    form = page[page.index('class="fields" method="post"') :]
    data = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    data |= {"value.owner_name": "Ann", "was.owner_name": "x", "save": "owner_name"}
    answer = client.post(f"/records/{number}/fields", data=data)
    assert {"at=1", "q=maple", "status=needs-review"} <= set(
        answer.location.partition("?")[2].partition("#")[0].split("&")
    )


def test_results_are_sorted(site: Site) -> None:
    """By fit, or by the records' own dates; the choice stays while searching on."""
    store = site.installation.store
    for year, key in (("1950", "permit"), ("2020", "minutes")):
        with store.write() as db:
            db.execute("UPDATE documents SET date = ?, rev = ? WHERE id = ?",
                       [f"{year}-01-01", store.next_rev(db), site.records[key]])  # fmt: skip
    site.installation.finder.sync()
    client = site.client("carl")
    for sort, first in (("oldest", "permit"), ("newest", "minutes")):
        text = client.get(f"/?q=fence&sort={sort}").text
        found = re.findall(r'class="hit-title" href="/records/(\d+)', text)
        assert int(found[0]) == site.records[first]
        assert f'<input type="hidden" name="sort" value="{sort}">' in text
    assert '<strong aria-current="true">Newest date</strong>' in text
    assert client.get("/?q=fence&sort=dragon").status_code == 200


def test_the_list_is_a_table_to_take_away(site: Site) -> None:
    """What is found, and may be exported, is a CSV; no cell is a formula."""
    client = site.client("carl")
    spec = (*PERMIT.fields[3][:2], " =1+1", PERMIT.fields[3][3])
    file_record(site.installation, replace(PERMIT, title="=2+2", fields=(spec,)), "formula.pdf")
    site.installation.finder.sync()
    assert "/found.csv?q=maple" in client.get("/?q=maple").text
    answer = client.get("/found.csv?q=maple")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["owner_name"] for row in rows if row["form"] == "building-permit"] == [
        "Aloysius O'Brlen", "' =1+1",
    ]  # fmt: skip
    assert "'=2+2" in [row["title"] for row in rows]
    assert "Dog licence" not in answer.text


def test_a_search_is_saved_for_oneself(site: Site) -> None:
    """With its filters and order, under a name; others have their own. It can be removed."""
    client, other = site.client("carl"), site.client("vic")
    page = client.get("/?q=maple&status=needs-review&sort=newest").text
    form = page[page.index('action="/saved"') :]
    fields = re.findall(r'name="([^"]+)"(?: maxlength="60")? value="([^"]*)"', form)
    data = dict(fields[: [name for name, _ in fields].index("name") + 1])
    client.post("/saved", data={**data, "name": "  Maple   permits "})
    page = client.get("/").text
    (href,) = re.findall(r'class="saved"><a href="([^"]+)">Maple permits<', page)
    assert href.replace("&amp;", "&") == "/?q=maple&status=needs-review&sort=newest"
    assert "Maple permits" not in other.get("/").text
    token = data["csrf_token"]
    other.post(
        "/saved/remove", data={"csrf_token": csrf(other, "/password"), "name": "Maple permits"}
    )
    assert "Maple permits" in client.get("/").text
    client.post("/saved/remove", data={"csrf_token": token, "name": "Maple permits"})
    assert 'class="saved"' not in client.get("/").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_saved_search_needs_a_name(site: Site, name: str) -> None:
    """The sentence says so, and the search is shown again."""
    client = site.client("carl")
    data = {"csrf_token": csrf(client, "/password"), "name": name, "q": "maple"}
    answer = client.post("/saved", data=data)
    assert answer.location == "/?q=maple"
    assert "Give the search a name" in client.get(answer.location).text


def test_the_tour_is_shown_until_it_is_put_away(site: Site) -> None:
    """On the first page after the first sign-in; it speaks of what the person may do."""
    client, looker = site.client("carl"), site.client("vera")
    assert "What to know on the first day" in client.get("/").text
    assert "<strong>Upload</strong>" in client.get("/").text
    assert "<strong>Upload</strong>" not in looker.get("/").text
    client.post("/tour/done", data={"csrf_token": csrf(client, "/password")})
    assert "What to know on the first day" not in client.get("/").text
    assert "What to know on the first day" in looker.get("/").text


# Words that are offered while one types


@pytest.mark.parametrize("text", ["aloys", "fence aloys", "owner_name:aloys"])
def test_a_word_is_finished(shared_site: Site, text: str) -> None:
    """The last word of what is typed so far is finished, and what stands before it stays."""
    offers = shared_site.client("carl").get("/offers", query_string={"q": text}).json
    assert f"{text}ius" in offers


def test_nobody_is_offered_a_word_that_they_may_not_see(shared_site: Site) -> None:
    """A word of another department's records is offered to nobody outside it."""
    for who, offers in (("carl", []), ("outsider", ["licence"]), ("ada", ["licence"])):
        client = shared_site.client(who)
        assert client.get("/offers?q=licenc").json == offers
        assert client.get("/offers?q=licence").json == []  # there is nothing to finish


@pytest.mark.parametrize(
    "text", ["", " ", "x" * 5000, "(((", '"', "a:", "\x00", "NOT ", "\U0001f642"]
)
def test_whatever_is_typed_has_offers_or_none(shared_site: Site, text: str) -> None:
    """No text on its way is an error."""
    answer = shared_site.client("carl").get("/offers", query_string={"q": text})
    assert answer.status_code == 200
    assert isinstance(answer.json, list)


def _bound(site: Site, query: str, who: str = "carl") -> tuple[TestResponse, str]:
    """Return the PDF of what is found, and its text."""
    answer = site.client(who).get(f"/found.pdf?{query}", buffered=True)
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf", answer.text
    done = subprocess.run(["pdftotext", "-", "-"], input=answer.data, capture_output=True)
    return answer, done.stdout.decode()


def test_what_is_found_is_one_pdf(shared_site: Site) -> None:
    """All pages of the records that are found, with their text and a bookmark at each record."""
    client = shared_site.client("carl")
    assert "/found.pdf?q=maple" in client.get("/?q=maple").text
    answer, text = _bound(shared_site, "q=maple")
    assert answer.headers["Content-Disposition"] == "attachment; filename=records.pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.content_length == len(answer.data)
    assert text.count("BUILDING PERMIT APPLICATION") == 2
    assert text.count("Conditions of the permit") == 2
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert len(pdf.pages) == 4
        with pdf.open_outline() as outline:
            marks = {str(item.title): item.destination[0] for item in outline.root}
        assert list(marks) == ["114 Maple Street - O'Brien", "Council minutes"]
        places = [pdf.pages.index(pikepdf.Page(page)) for page in marks.values()]
        assert places == [0, 2]
        assert str(pdf.docinfo.Title) == "Records found: maple"
    left = list(spool.folder(shared_site.installation.archive).iterdir())
    assert left == []


def test_the_pdf_has_what_one_may_have(shared_site: Site) -> None:
    """Each gets their own; a record that one may not see is not counted either."""
    for who, titles in (("carl", 2), ("ada", 3), ("outsider", 2)):
        answer = _bound(shared_site, "q=maple", who)[0]
        with pikepdf.open(io.BytesIO(answer.data)) as pdf, pdf.open_outline() as outline:
            found = [str(item.title) for item in outline.root]
        assert len(found) == titles
        assert ("Dog licence 77" in found) is (who != "carl")


def test_what_cannot_be_in_the_pdf_is_said_first(site: Site) -> None:
    """A page without a sound picture, and a file that could not be read: a list, then the rest."""
    store, archive = site.installation.store, site.installation.archive
    page = store.pages(site.records["permit"])[1]
    path = archive.image_path(page.image or "")
    spec = replace(PERMIT, title="Another", lines=("another page",))
    file_record(site.installation, spec, "another.pdf", pages=1)
    path.chmod(0o600)
    path.write_bytes(b"damaged")
    site.installation.finder.sync()
    client = site.client("carl")
    said = html.unescape(client.get("/found.pdf").text)
    assert "the picture of page 2 of 'permit.pdf' is missing or damaged" in said
    assert "('locked.pdf') has no page left." in said
    (href,) = re.findall(r'class="button" href="([^"]+)"', said)
    answer = client.get(href, buffered=True)
    assert answer.mimetype == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert len(pdf.pages) == 3
    page_of = client.get("/found.pdf?q=locked&without=1")
    assert page_of.status_code == 400
    assert "None of these records has a page that could be read" in page_of.text


@pytest.mark.parametrize(("most_pages", "most_mb"), [(3, 200), (300, 0)])
def test_too_much_for_one_pdf_is_refused(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch, most_pages: int, most_mb: int
) -> None:
    """By pages and by size, with a sentence that says what to do."""
    monkeypatch.setattr(export, "MOST_PAGES", most_pages)
    monkeypatch.setattr(export, "MOST_MB", most_mb)
    answer = shared_site.client("carl").get("/found.pdf?q=maple")
    assert answer.status_code == 400
    assert f"at most {most_pages} pages and {most_mb} MB" in answer.text
    assert "search more narrowly" in answer.text


def test_too_many_records_for_one_pdf_are_refused(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No link offers what cannot be had, and its address says why not."""
    monkeypatch.setattr(export, "MOST_PAGES", 1)
    client = shared_site.client("carl")
    assert "/found.pdf" not in client.get("/?q=maple").text
    answer = client.get("/found.pdf?q=maple")
    assert answer.status_code == 400
    assert "These are 2 records, and one PDF takes at most 1 pages" in answer.text


def test_one_list_is_made_at_a_time(shared_site: Site) -> None:
    """Whatever process makes it: who comes meanwhile is told to try again, and afterwards may."""
    hold = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), 2); print(''); input()"
    place = str(spool.folder(shared_site.installation.archive))
    with subprocess.Popen(
        [sys.executable, "-u", "-c", hold, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        answer = shared_site.client("carl").get("/found.pdf?q=maple")
        other.communicate(b"\n")
    assert answer.status_code == 503
    assert "try again in a minute" in answer.text
    _bound(shared_site, "q=maple")


@pytest.mark.parametrize("buffering", [0, -1, 10_000_000])
def test_a_full_disk_ends_no_server(
    site: Site, monkeypatch: pytest.MonkeyPatch, buffering: int
) -> None:
    """The PDF that does not fit is a page that says so; nothing of it stays, and all goes on."""
    files = []

    def full(archive: Archive) -> IO[bytes]:
        file = Path("/dev/full").open("wb", buffering)  # noqa: SIM115 - what is tested closes it
        files.append(file)
        return file

    with monkeypatch.context() as patched:
        patched.setattr(spool, "nameless", full)
        answer = site.client("carl").get("/found.pdf?q=maple")
    assert answer.status_code == 500
    assert "the disk may be full" in answer.text
    assert [file.closed for file in files] == [True]
    with monkeypatch.context() as patched:
        patched.setattr(Archive, "has_room", lambda *_: False)
        answer = site.client("carl").get("/found.pdf?q=maple")
    assert answer.status_code == 500
    assert "too little room" in answer.text
    _bound(site, "q=maple")
