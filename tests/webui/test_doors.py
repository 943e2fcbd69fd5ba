"""Who gets where: every route of the app's own map, for every role, with its headers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from records.errors import ArchiveError, BusyError
from records.store import Store

from .conftest import PASSWORD, PEOPLE, Site, csrf

EVERYONE = frozenset(PEOPLE)
SEES = {
    "permit": EVERYONE - {"outsider"},
    "licence": frozenset({"outsider", "olga", "ada"}),
    "minutes": EVERYONE,
}
CORRECTS = {
    "permit": frozenset({"carl", "vic", "olga", "ada"}),
    "licence": frozenset({"outsider", "olga", "ada"}),
    "minutes": frozenset({"olga", "ada"}),
}
Expected = Callable[[str, str], int]


def _sees(who: str, key: str) -> int:
    return 200 if who in SEES[key] else 404


def _corrects(who: str, key: str) -> int:
    if who not in SEES[key]:
        return 404
    return 303 if who in CORRECTS[key] else 403


def _corrects_as(status: int) -> Expected:
    """Return a status for those who may correct a record."""
    return lambda who, key: status if _corrects(who, key) == 303 else _corrects(who, key)


def _sees_field(who: str, key: str) -> int:
    """Only the permit has fields."""
    return _sees(who, key) if key == "permit" else 404


def _corrects_a_line(who: str, key: str) -> int:
    """The tests' form says of no line what it was, and is refused where others are taken."""
    return 400 if _corrects(who, key) == 303 else _corrects(who, key)


def _checks(found: int) -> Expected:
    return lambda who, key: 403 if who == "vera" else found


# What a signed-in person gets, by endpoint, person and record. A route that is missing here fails.
ROUTES: dict[str, Expected] = {
    "static": lambda who, key: 200,
    "health.health": lambda who, key: 200,
    "finding.search": lambda who, key: 200,
    "finding.offers": lambda who, key: 200,
    "finding.listed": lambda who, key: 200,
    "finding.bound": lambda who, key: 200,
    "snippets.line": _sees,
    "record.show": _sees,
    "record.printed": _sees,
    "record.correct": _corrects,
    "record.look_over": _corrects,
    "arranging.show": _corrects_as(200),
    "arranging.change": _corrects_as(422),
    "arranging.take_back": _corrects_as(409),
    "arranging.hand_in": _corrects_as(422),
    "arranging.aside": _corrects_as(404),
    "text.save": _corrects_a_line,
    "text.put_back": _corrects_a_line,
    "text.next_doubt": lambda who, key: 302 if _sees(who, key) == 200 else 404,
    "noting.add_note": _corrects,
    "noting.delete_note": _corrects,
    "noting.add_tag": _corrects,
    "noting.remove_tag": _corrects,
    "own.save": lambda who, key: 303,
    "own.remove": lambda who, key: 303,
    "own.end_tour": lambda who, key: 303,
    "settings.show": lambda who, key: 200 if who == "ada" else 403,
    "keys.every": lambda who, key: 200,
    "keys.switch": lambda who, key: 303,
    "checking.queue": _checks(200),
    "checking.work": _checks(200),
    "checking.look": _sees_field,
    "checking.decide": _corrects,
    "checking.accept": _checks(303),
    "checking.undo": _checks(303),
    "checking.release": _checks(303),
    "snippets.picture": _sees_field,
    "images.page_image": _sees,
    "images.original": _sees,
    "handing_in.upload": lambda who, key: 403 if who == "vera" else 200,
    "handing_in.take_in": lambda who, key: 403 if who == "vera" else 422,
    "batches.every": lambda who, key: 200,
    "batches.one": lambda who, key: 200,
    "batches.progress": lambda who, key: 200,
    "signin.password": lambda who, key: 200,
    "signin.change_password": lambda who, key: 422,
    "signin.sign_in": lambda who, key: 302,
    "signin.sign_in_with_password": lambda who, key: 303,
    "signin.sign_out": lambda who, key: 303,
}
OPEN = ("static", "health.health", "signin.sign_in", "signin.sign_in_with_password",
        "signin.sign_out")  # fmt: skip


def _rules(site: Site) -> list[Rule]:
    """Return all routes; those that end a session last."""
    rules = list(site.app.url_map.iter_rules())
    return sorted(rules, key=lambda r: ("sign_out" in r.endpoint, "sign_in" in r.endpoint))


def _asked(
    client: FlaskClient, site: Site, rule: Rule, key: str, who: str = "", token: bool = True
) -> TestResponse:
    values = {
        "document_id": site.records[key], "number": 1, "size": "page", "filename": "base.css",
        "name": "owner_name", "way": "column", "line": 1, "note": 1,
    }  # fmt: skip
    needed = {name: values[name] for name in rule.arguments}
    with site.app.test_request_context():
        path = site.app.url_map.bind("localhost").build(rule.endpoint, needed)
    if "POST" not in (rule.methods or ()):
        return client.get(
            path, query_string={"name": "Drawer 1", "box": "60-60-400-92"}, buffered=True
        )
    data = {"version": str(site.document(key).version), "name": who, "password": PASSWORD}
    if rule.endpoint == "signin.change_password":
        data["password"] = "wrong"
    if token:
        form = "/password" if client.get("/password").status_code == 200 else "/sign-in"
        data["csrf_token"] = csrf(client, form)
    return client.post(path, data=data)


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_every_route_for_every_person(shared_site: Site, who: str) -> None:
    """Each person gets from each route what the rules say: 404 for what they may not see."""
    client = shared_site.client(who)
    for rule in _rules(shared_site):
        for key in SEES if rule.arguments & {"document_id"} else ("permit",):
            answer = _asked(client, shared_site, rule, key, who)
            wanted = ROUTES[rule.endpoint](who, key)
            assert answer.status_code == wanted, (rule.endpoint, who, key)
            _check_headers(answer)


def test_every_route_for_a_stranger(shared_site: Site) -> None:
    """Nothing but the sign-in page and the sign of life answers who is not signed in."""
    client = shared_site.client()
    for rule in _rules(shared_site):
        if rule.endpoint in OPEN:
            continue
        answer = _asked(client, shared_site, rule, "minutes")
        if "POST" in (rule.methods or ()):
            assert answer.status_code == 401, rule.endpoint
        else:
            assert answer.status_code == 302, rule.endpoint
            assert answer.location.startswith("/sign-in?next=")
        _check_headers(answer)


def test_every_form_needs_its_token(shared_site: Site) -> None:
    """Another site cannot make a person's browser do anything here."""
    client = shared_site.client("ada")
    posts = [rule for rule in _rules(shared_site) if "POST" in (rule.methods or ())]
    assert len(posts) >= 5
    for rule in posts:
        answer = _asked(client, shared_site, rule, "permit", "ada", token=False)
        assert answer.status_code == 400, rule.endpoint
        assert "Nothing was changed." in answer.text
        _check_headers(answer)
    assert client.get("/").status_code == 200


def test_a_record_that_may_not_be_seen_looks_like_none(shared_site: Site) -> None:
    """The page for someone else's record is word for word that for a record that never was."""
    client = shared_site.client("outsider")
    hidden, absent = client.get(f"/records/{shared_site.records['permit']}"), client.get("/nope")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text == absent.text


def test_what_was_typed_is_given_back_to_who_was_signed_out(shared_site: Site) -> None:
    """A correction sent after the session ended is not lost: the page shows it to be copied."""
    number = shared_site.records["permit"]
    typed = {"value.owner_name": "<b>Aloysius</b>", "was.owner_name": "x", "csrf_token": "y"}
    answer = shared_site.client().post(f"/records/{number}/fields", data=typed)
    assert answer.status_code == 401
    assert "&lt;b&gt;Aloysius&lt;/b&gt;" in answer.text
    assert "csrf" not in answer.text


def test_a_fault_of_ours_is_a_page_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a bug shows a page that says what to do, with all headers and without a trace."""

    def break_down(self: Store, *_: object) -> None:
        raise RuntimeError("secret detail")

    client = site.client("carl")
    monkeypatch.setattr(Store, "batches", break_down)
    site.app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    answer = client.get("/batches")
    assert answer.status_code == 500
    assert "Try again in a minute" in answer.text
    assert "secret detail" not in answer.text
    _check_headers(answer)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BusyError("The index is being built; try again in a moment."), 503, "try again"),
        (sqlite3.OperationalError("database is locked"), 503, "Wait a minute"),
        (OSError(28, "No space left on device"), 500, "the disk may be full"),
        (ArchiveError("The archive is not mounted."), 500, "Tell your technician"),
    ],
)
def test_trouble_of_the_machine_is_said_in_words(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    """A busy database, a full disk or a missing archive each says what to do."""

    def fail(self: Store, *_: object) -> None:
        raise error

    client = site.client("carl")
    monkeypatch.setattr(Store, "batches", fail)
    answer = client.get("/batches")
    assert answer.status_code == status
    assert said in answer.text
    assert "No space left" not in answer.text
    _check_headers(answer)


@pytest.mark.parametrize(
    "path",
    ["/nope", "/records/abc", "/records/999999", "/batch?name=no", "/records/1/pages/9/page.jpg",
     "/records/1/pages/1/huge.jpg", "/batch", "/static/nope.css", "/%00", "/records/1%2f..%2f2"],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_helps(shared_site: Site, path: str) -> None:
    """A wrong address leads on to the search."""
    answer = shared_site.client("carl").get(path)
    assert answer.status_code == 404
    assert "search" in answer.text
    _check_headers(answer)


def test_a_wrong_method_is_refused(shared_site: Site) -> None:
    """A page that is only read answers 405 with what it allows."""
    answer = shared_site.client("carl").get("/sign-out")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    _check_headers(answer)


def test_the_sign_of_life_tells_nothing(shared_site: Site) -> None:
    """The health page needs no session, makes none and gives no detail."""
    answer = shared_site.client().get("/health")
    assert answer.get_json() == {"status": "ok"}
    assert "Set-Cookie" not in answer.headers


def _check_headers(answer: TestResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'",
                 "base-uri 'none'", "object-src 'none'"):  # fmt: skip
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    if answer.mimetype == "text/html":
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert " onclick" not in answer.text


@pytest.mark.parametrize(
    ("status", "path", "data", "before", "link"),
    [
        (400, "/records/1/fields", {"value.owner_name": "A", "was.owner_name": "x"}, "",
         "/records/1"),
        (400, "/saved", None, "/?q=maple", "/?q=maple"),
        (400, "/saved", None, "/saved", "/"),  # nothing to open
        (403, "/check/release", {}, "/?q=maple", "/?q=maple"),
        (403, "/records/1/fields", {"version": "2"}, "", "/"),
        (404, "/records/2/fields", {}, "/?q=maple", "/"),
        (405, "/batches", {}, "/batches", "/batches"),
        (409, "/records/1/looked-over", {"version": "1"}, "", "/records/1"),
        (413, "/upload", {"files": "x" * 1_100_000}, "", "/upload"),
    ],
)  # fmt: skip
def test_an_error_page_leads_on(
    site: Site, status: int, path: str, data: dict[str, str] | None, before: str, link: str
) -> None:
    """Each says what to do, and its first link goes to where that can be done."""
    client = site.client("vera" if status == 403 else "carl")
    token = {} if data is None else {"csrf_token": csrf(client, "/password")}
    answer = client.post(
        path, data={**token, **(data or {})}, headers={"Referer": f"http://localhost{before}"}
    )
    assert answer.status_code == status
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert re.findall(r'class="button" href="([^"]+)"', main) == [link]
    assert re.search(r"<p>[A-Z][^<]+\.</p>", main)
    assert ('href="/"' in main) is True


@pytest.mark.parametrize("before", ["http://evil.example/batches", "http://localhost//batches", ""])
def test_an_error_page_leads_nowhere_else(shared_site: Site, before: str) -> None:
    """Only a page of this site is one to go back to."""
    answer = shared_site.client("carl").post("/saved", headers={"Referer": before})
    assert re.findall(r'class="button" href="([^"]+)"', answer.text) == ["/"]


def test_who_was_signed_out_signs_in_where_they_were(shared_site: Site) -> None:
    """The link leads back to the page that the form was on."""
    headers = {"Referer": "http://localhost/records/1?page=2"}
    answer = shared_site.client().post("/records/1/fields", headers=headers)
    assert 'href="/sign-in?next=/records/1?page%3D2"' in answer.text


def test_trouble_is_tried_again_by_a_link(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that could not be made links to itself, with all that was asked for."""

    def fail(self: Store, *_: object) -> None:
        raise BusyError("The index is being built; try again in a moment.")

    client = site.client("carl")
    monkeypatch.setattr(Store, "batches", fail)
    assert 'class="button" href="/batches?p=2"' in client.get("/batches?p=2").text
