"""Uploads and batches: what is accepted is safe, what is not is told why."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from records.archive import hash_file
from records.errors import ArchiveError
from webui import spool

from .conftest import Site, csrf


def png(shade: int = 0) -> bytes:
    """Return a small picture of its own."""
    made = io.BytesIO()
    Image.new("L", (60, 80), shade).save(made, "PNG")
    return made.getvalue()


def send(
    client: FlaskClient,
    *files: tuple[bytes, str],
    batch: str = "Drawer 7",
    department: str = "building",
) -> TestResponse:
    """Fill the form to hand files in and send it."""
    data = {
        "csrf_token": csrf(client, "/"),
        "batch": batch,
        "department": department,
        "files": [(io.BytesIO(content), name) for content, name in files],
    }
    return client.post("/upload", data=data, content_type="multipart/form-data")


def _spooled(site: Site) -> list[Path]:
    return list(spool.folder(site.installation.archive).iterdir())


def test_an_accepted_file_is_safe_before_it_is_said(site: Site, clerk: FlaskClient) -> None:
    """201 means: in the archive under its hash, with its waiting record, by whom and where."""
    answer = send(clerk, (png(), "fence.png"))
    assert answer.status_code == 201
    assert "Accepted" in answer.text
    assert 'href="/batch?name=Drawer+7"' in answer.text
    store = site.installation.store
    made = store.documents(store.system_viewer("test"), batch="Drawer 7")[0]
    assert (made.source, made.department, str(made.status)) == ("fence.png", "building", "waiting")
    assert hash_file(site.installation.archive.original_path(made.sha256)) == made.sha256
    assert store.history(made.id)[0].actor == "carl"


def test_the_same_file_again_is_no_second_record(site: Site, clerk: FlaskClient) -> None:
    """Handing in twice, or by two people, makes one record, and the page leads to it."""
    send(clerk, (png(), "fence.png"))
    store = site.installation.store
    sha256 = store.documents(store.system_viewer("test"), batch="Drawer 7")[0].sha256
    with store.write() as db:
        db.execute("UPDATE originals SET state = 'read' WHERE sha256 = ?", [sha256])
    answer = send(clerk, (png(), "copy of fence.png"))
    assert answer.status_code == 200
    assert "Already here" in answer.text
    assert "/records/" in answer.text
    assert len(store.documents(store.system_viewer("test"), batch="Drawer 7")) == 1


def test_one_bad_file_does_not_stop_the_others(site: Site, clerk: FlaskClient) -> None:
    """Each file has its own answer; a wrong one is named with what is wrong."""
    answer = send(
        clerk, (b"", "empty.pdf"), (b"MZ program", "scan.pdf"), (png(), "../../fence.png")
    )
    assert answer.status_code == 201
    assert answer.text.count("Refused") == 2
    assert "empty.pdf" in answer.text
    assert "1 file of 3 accepted" in answer.text
    assert ".upload" not in answer.text
    store = site.installation.store
    found = store.documents(store.system_viewer("test"), batch="Drawer 7")
    assert [d.source for d in found] == ["fence.png"]


def test_only_bad_files_are_no_success(clerk: FlaskClient) -> None:
    """When nothing was taken the answer says so to programs, too."""
    answer = send(clerk, (b"MZ program", "scan.pdf"))
    assert answer.status_code == 422
    assert "0 files of 1 accepted" in answer.text
    assert "/batch?" not in answer.text


def test_a_full_disk_is_told_and_loses_nothing(
    site: Site, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the archive has no room the file is refused with a sentence, not with a crash."""

    def full(size: int) -> None:
        raise ArchiveError("The disk has 0 MB left, which is too little; make room.")

    monkeypatch.setattr(site.installation.archive, "check_room", full)
    answer = send(clerk, (png(), "fence.png"))
    assert answer.status_code == 422
    assert "make room" in answer.text


@pytest.mark.parametrize(
    ("batch", "department", "said"),
    [
        ("", "building", "Give this batch a name"),
        ("x" * 101, "building", "at most 100"),
        ("a\x00b", "building", "at most 100"),
        ("Drawer 7", "", "Choose the department"),
        ("Drawer 7", "nonsense", "Choose the department"),
    ],
)
def test_a_form_with_a_fault_says_which(
    site: Site, clerk: FlaskClient, batch: str, department: str, said: str
) -> None:
    """Nothing is taken in from a form that is not whole, and what was typed stays in it."""
    answer = send(clerk, (png(), "fence.png"), batch=batch, department=department)
    assert answer.status_code == 422
    assert said in answer.text
    assert site.installation.store.counts()["originals"] == 4


def test_no_file_is_a_fault(clerk: FlaskClient) -> None:
    """The button without a file asks for one."""
    answer = send(clerk)
    assert answer.status_code == 422
    assert "Choose at least one file." in answer.text


@pytest.mark.parametrize(("who", "department"), [("carl", "licensing"), ("vera", "building"),
                                                 ("carl", "clerk")])  # fmt: skip
def test_nobody_adds_to_a_department_that_is_not_theirs(
    site: Site, who: str, department: str
) -> None:
    """A forged department is refused, and a viewer hands in nothing."""
    answer = send(site.client(who), (png(), "fence.png"), department=department)
    assert answer.status_code == 403
    assert site.installation.store.counts()["originals"] == 4


def test_departments_offered_are_those_one_may_add_to(shared_site: Site) -> None:
    """The list holds one's own departments; who works everywhere can leave it to the form."""
    carl, ada = (shared_site.client(who).get("/upload").text for who in ("carl", "ada"))
    assert re.findall(r'<option value="(\w*)"', carl) == ["building"]
    offered = ["", "building", "clerk", "licensing", "records", "services"]
    assert re.findall(r'<option value="(\w*)"', ada) == offered


def test_too_large_is_told(site: Site, clerk: FlaskClient) -> None:
    """More than the limit gets a page that says how much is allowed, and nothing is taken."""
    assert site.app.config["MAX_CONTENT_LENGTH"] == 1_000_000
    site.app.config["MAX_CONTENT_LENGTH"] = 100_000
    answer = send(clerk, (b"%PDF-1.4" + bytes(200_000), "big.pdf"))
    assert answer.status_code == 413
    assert "more than 1 MB" in answer.text
    assert "fewer files at a time" in answer.text
    assert _spooled(site) == []


def test_the_spool_is_empty_afterwards(
    site: Site, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads lie in the archive's own work folder while they are taken in, and not longer."""
    seen: list[Path] = []
    take_in = site.installation.archive.take_in

    def watched(source: Path, workspace: Path) -> object:
        seen.append(source)
        return take_in(source, workspace)

    monkeypatch.setattr(site.installation.archive, "take_in", watched)
    send(clerk, (png(), "a.png"), (png(9), "b.png"))
    assert {path.parent for path in seen} == {spool.folder(site.installation.archive)}
    assert _spooled(site) == []


def test_a_stranger_cannot_fill_the_disk(site: Site) -> None:
    """A file from someone who is not signed in is not even spooled."""
    data = {"files": (io.BytesIO(png()), "a.png"), "batch": "x", "department": "building"}
    answer = site.client().post("/upload", data=data, content_type="multipart/form-data")
    assert answer.status_code == 401
    assert _spooled(site) == []


def test_what_a_dead_server_left_is_cleared(site: Site) -> None:
    """Half-sent files of a server that died go when the next one starts, fresh ones stay."""
    place = spool.folder(site.installation.archive)
    old, fresh = place / "old.upload", place / "fresh.upload"
    for file in (old, fresh):
        file.write_bytes(b"x")
    os.utime(old, (1, 1))
    spool.register(site.app, site.installation.archive)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_batch_shows_how_far_it_is(site: Site, clerk: FlaskClient) -> None:
    """Its page counts what waits, is read, needs a look or failed, with the reasons."""
    send(clerk, (png(), "fence.png"), batch="Drawer 1")
    text = clerk.get("/batch?name=Drawer+1").text
    assert "3 of 4 records done" in text
    assert "needs a password" in text
    assert '<noscript><meta http-equiv="refresh"' in text
    part = clerk.get("/batch/progress?name=Drawer+1").text
    assert "<html" not in part
    assert 'data-waiting="1"' in part


def test_a_batch_counts_only_what_one_may_see(shared_site: Site) -> None:
    """Neither the list of batches nor a batch tells of other departments' records."""
    carl, olga = shared_site.client("carl"), shared_site.client("olga")
    assert "3 records" in carl.get("/batches").text
    assert "4 records" in olga.get("/batches").text
    assert "Dog licence" not in carl.get("/batch?name=Drawer+1").text
    assert "Done: 3 records" in carl.get("/batch?name=Drawer+1").text
    outsider = shared_site.client("outsider").get("/batch?name=Drawer+1").text
    assert "locked.pdf" not in outsider


def test_a_batch_without_anything_to_see_is_not_there(site: Site, clerk: FlaskClient) -> None:
    """A batch of another department alone answers as one that never was."""
    send(clerk, (png(), "fence.png"), batch="Secret drawer")
    outsider = site.client("outsider")
    assert "Secret drawer" not in outsider.get("/batches").text
    for path in ("/batch", "/batch/progress"):
        assert outsider.get(path, query_string={"name": "Secret drawer"}).status_code == 404


@pytest.mark.parametrize("name", ["a/b", "..", "100 %", "<b>x</b>", "a&p=2", "档案", "?"])
def test_a_batch_may_have_any_name(site: Site, clerk: FlaskClient, name: str) -> None:
    """A name that people write on boxes leads to its batch."""
    answer = send(clerk, (png(), "fence.png"), batch=name)
    link = re.search(r'href="(/batch\?[^"]+)"', answer.text)
    assert link
    assert "<b>x</b>" not in answer.text
    assert clerk.get(link.group(1).replace("&amp;", "&")).status_code == 200
