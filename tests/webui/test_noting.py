"""Notes and tags on a record's page: seen, found, and taken away by whom they may."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from digitize import export

from .conftest import Site, csrf

Send = Callable[..., TestResponse]


@pytest.fixture
def send(site: Site) -> Send:
    """Send a form of a record's page."""

    def post(path: str, who: str = "carl", key: str = "permit", **data: str) -> TestResponse:
        client, number = site.client(who), site.records[key]
        data |= {"csrf_token": csrf(client, "/password"), "page": "2"}
        return client.post(f"/records/{number}/{path}", data=data, follow_redirects=False)

    return post


def show(site: Site, who: str = "carl", key: str = "permit") -> str:
    return unescape(site.client(who).get(f"/records/{site.records[key]}").text)


def found(site: Site, text: str, who: str = "carl") -> list[str]:
    """Return the titles that a search finds."""
    site.installation.finder.sync()
    page = site.client(who).get("/", query_string={"q": text}).text
    return re.findall(r'<a class="hit-title"[^>]*>([^<]+)</a>', unescape(page))


def test_a_note_is_seen_and_found(site: Site, send: Send) -> None:
    """By all who may see the record, by `note:` and by plain words; and by nobody else."""
    answer = send("notes", note="The <b>owner</b> telephoned\nabout the zeppelin")
    assert answer.status_code == 303
    assert answer.location.endswith("page=2#notes")
    for who in ("carl", "vera", "olga"):
        page = site.client(who).get(f"/records/{site.records['permit']}").text
        assert "The &lt;b&gt;owner&lt;/b&gt; telephoned\nabout the zeppelin" in page
        assert "1 note" in page
        assert found(site, "note:zeppelin", who) == found(site, "telephoned zeppelin", who)
        assert found(site, "note:zeppelin", who) == ["114 Maple Street - O'Brien"]
    assert found(site, "note:zeppelin", "outsider") == []
    assert "wrote a note" in show(site)


@pytest.mark.parametrize(
    ("who", "status", "button"),
    [("carl", 303, True), ("vic", 303, True), ("ada", 303, True), ("vera", 403, False)],
)
def test_who_deletes_a_note(site: Site, send: Send, who: str, status: int, button: bool) -> None:
    """Who wrote it, and seniors; others have no button, and are refused."""
    send("notes", note="zeppelin")
    page = show(site, who)
    forms = re.findall(r'action="/records/\d+/(notes/\d+/delete)"', page)
    assert bool(forms) == button
    assert send((forms or ["notes/1/delete"])[0], who).status_code == status
    assert found(site, "zeppelin") == ([] if button else ["114 Maple Street - O'Brien"])
    assert ("zeppelin" in show(site)) == (not button)


def test_a_note_of_another_clerk_has_no_button(site: Site, send: Send) -> None:
    """A clerk deletes their own notes alone."""
    send("notes", "ada", note="of the administrator")
    assert "/delete" not in show(site)
    assert send("notes/1/delete").status_code == 403
    assert "of the administrator" in show(site)


def test_a_note_is_never_lost(site: Site, send: Send) -> None:
    """One that is too long comes back to be copied; an empty one is told."""
    answer = send("notes", note="long " * 401)
    assert answer.status_code == 400
    assert "long long" in answer.text
    assert "at most 2,000 characters" in answer.text
    send("notes", note="  ")
    assert "note-text" not in show(site)


def test_tags_lead_to_records_that_have_them(site: Site, send: Send) -> None:
    """A tag is shown on the record and with hits, and is a plain link to all that have it."""
    assert send("tags", tag="Call back").location.endswith("page=2#tags")
    page = show(site, "vera")
    [link] = re.findall(r'<a class="label" rel="tag" href="([^"]+)">call-back</a>', page)
    assert link == "/?q=tag:call-back"
    assert found(site, "tag:call-back") == ["114 Maple Street - O'Brien"]
    hits = site.client("vera").get(link).text
    assert '<a class="label" rel="tag" href="/?q=tag:call-back">call-back</a>' in hits
    assert "Remove" not in page
    assert "Remove" in show(site)
    send("tags/remove", tag="call-back")
    assert found(site, "tag:call-back") == []
    page = show(site)
    assert 'class="label"' not in page
    assert "added the tag call-back" in page
    assert "took away the tag call-back" in page


def test_tags_in_use_are_offered(site: Site, send: Send) -> None:
    """Those on records that this person may see, and not those that the record has."""
    send("tags", tag="urgent")
    send("tags", "outsider", "licence", tag="secret")
    send("tags", "ada", "minutes", tag="public")

    def offers(who: str, key: str) -> list[str]:
        return re.findall(r'<option value="([^"]+)">', show(site, who, key).partition(
            'id="tags-in-use"')[2].partition("</datalist>")[0])  # fmt: skip

    assert offers("carl", "permit") == ["public"]
    assert offers("ada", "minutes") == ["secret", "urgent"]
    assert offers("outsider", "licence") == ["public"]


@pytest.mark.parametrize("tag", ["", "a/b", "x" * 31, "<script>"])
def test_what_is_no_tag_is_told(site: Site, send: Send, tag: str) -> None:
    """The record stays as it is, and the person is told what a tag is."""
    client, number = site.client("carl"), site.records["permit"]
    data = {"csrf_token": csrf(client, "/password"), "tag": tag}
    answer = client.post(f"/records/{number}/tags", data=data, follow_redirects=True)
    assert "A tag is a word of letters, digits and hyphens" in answer.text
    assert "<script>" not in answer.text
    assert 'class="label"' not in answer.text


def test_who_corrects_meanwhile_is_not_disturbed(
    site: Site, send: Send, correct: Callable[..., TestResponse]
) -> None:
    """A note or a tag by somebody else makes no correction stale."""
    seen = site.document("permit").version
    send("notes", "ada", note="hello")
    send("tags", "ada", tag="urgent")
    assert correct(version=seen, owner_name="Ann").status_code == 303


def test_they_are_in_the_download(site: Site, send: Send) -> None:
    """The JSON of a record has its notes with who and when, and its tags."""
    send("notes", note="hello")
    send("tags", tag="urgent")
    made = export.as_json(site.installation, site.document("permit"))
    assert made["tags"] == ["urgent"]
    assert [(note["text"], note["person"]) for note in made["notes"]] == [("hello", "carl")]
