"""Signing in and out, throttling, passwords, and how sessions end."""

from __future__ import annotations

import time

import pytest
from flask.testing import FlaskClient

from records import people
from records.errors import InputError
from webui import passwords, signin
from webui.sessions import COOKIE

from .conftest import PASSWORD, Site, csrf, sign_in

NEW = "another four plain words"


def _changed(client: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str = NEW):
    data = {"password": old, "new": new, "again": again, "csrf_token": csrf(client, "/password")}
    return client.post("/password", data=data)


def _token(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def test_the_right_password_opens_the_page_that_was_asked_for(site: Site) -> None:
    """Someone sent to sign in comes back to where they wanted to go."""
    client = site.client()
    sent = client.get("/records/1?page=2")
    assert sent.status_code == 302
    assert sent.location == "/sign-in?next=/records/1?page%3D2"
    assert sign_in(client, "carl", target="/records/1?page=2").location == "/records/1?page=2"
    assert "carl" in client.get("/").text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "",
     "/\t/evil.example", "\\\\evil.example", "evil"],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(site: Site, target: str) -> None:
    """A forged link cannot send someone elsewhere after they sign in."""
    assert sign_in(site.client(), "carl", target=target).location == "/"


@pytest.mark.parametrize(("name", "password"), [("carl", "wrong"), ("no one", PASSWORD), ("", "")])
def test_a_wrong_name_or_password_gets_the_same_answer(
    site: Site, name: str, password: str
) -> None:
    """What a stranger is told does not say which names exist."""
    client = site.client()
    answer = sign_in(client, name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert client.get("/").status_code == 302


def test_too_many_wrong_tries_for_a_name_must_wait(site: Site) -> None:
    """After five wrong tries even the right password waits, whatever the case of the name."""
    client = site.client()
    for name in ("carl", "Carl", "CARL", "carl", "carl"):
        assert sign_in(client, name, "wrong").status_code == 401
    answer = sign_in(client, "carl")
    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.text
    assert sign_in(site.client(), "vera").status_code == 303


def test_too_many_wrong_tries_from_an_address_must_wait(site: Site) -> None:
    """Trying one password on many names is stopped as well."""
    now = time.time()
    for number in range(signin.MOST_BY_ADDRESS):
        people.note_failed_sign_in(site.installation.store, f"name {number}", "127.0.0.1", now)
    assert sign_in(site.client(), "carl").status_code == 429


def test_old_failures_and_a_success_are_forgotten(site: Site) -> None:
    """Nobody is locked out for good, and a typing mistake does not add up over weeks."""
    store = site.installation.store
    for _ in range(signin.MOST_BY_NAME):
        people.note_failed_sign_in(store, "carl", "10.0.0.1", time.time() - signin.WINDOW_S - 1)
    assert sign_in(site.client(), "carl", "wrong").status_code == 401
    assert sign_in(site.client(), "carl").status_code == 303
    assert people.failed_sign_ins(store, "carl", "127.0.0.1", 0) == (0, 0)


def test_a_disabled_person_is_out_at_once(site: Site) -> None:
    """Closing an account ends its sessions, and it cannot be opened again from outside."""
    client, store = site.client("carl"), site.installation.store
    people.set_disabled(store, "ada", people.by_name(store, "carl"), True)
    assert client.get("/").status_code == 302
    assert sign_in(site.client(), "carl").status_code == 401


def test_a_revived_session_row_does_not_let_a_disabled_person_in(site: Site) -> None:
    """A request under way while the account is closed cannot bring its session back to life."""
    client, store = site.client("carl"), site.installation.store
    token, carl = _token(client), people.by_name(store, "carl")
    data = people.load_session(store, token, time.time())
    assert data is not None
    people.set_password(store, "ada", carl, passwords.hash_password(NEW))
    people.save_session(store, token, data, carl.id, time.time() + 999)
    assert client.get("/").status_code == 302


def test_a_new_token_is_made_at_sign_in(site: Site) -> None:
    """A token that someone planted before the sign-in is worth nothing after it."""
    client = site.client()
    csrf(client, "/sign-in")
    planted = _token(client)
    sign_in(client, "carl")
    assert _token(client) != planted
    assert people.load_session(site.installation.store, planted, time.time()) is None


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    """A copied cookie is worth nothing after its owner has signed out."""
    client = site.client("carl")
    token = _token(client)
    answer = client.post("/sign-out", data={"csrf_token": csrf(client, "/")})
    assert answer.location == "/sign-in"
    client.set_cookie(COOKIE, token)
    assert client.get("/").status_code == 302


def test_changing_the_password_ends_every_other_session(site: Site) -> None:
    """Someone who fears that their password is known gets everyone else out."""
    here, elsewhere = site.client("carl"), site.client("carl")
    assert _changed(here).status_code == 303
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert sign_in(site.client(), "carl").status_code == 401
    assert sign_in(site.client(), "carl", NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "The old password is wrong."),
        (PASSWORD, "short", "short", "too short"),
        (PASSWORD, "carl carl carl carl", "carl carl carl carl", "too easy"),
        (PASSWORD, "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa", "too easy"),
        (PASSWORD, NEW, NEW + "x", "differ"),
        (PASSWORD, "x1y" * 99, "x1y" * 99, "too long"),
    ],
)
def test_a_password_that_cannot_be_taken_is_told_why(
    site: Site, old: str, new: str, again: str, said: str
) -> None:
    """Each fault of the form has its own sentence, and the old password still works."""
    client = site.client("carl")
    answer = _changed(client, old, new, again)
    assert answer.status_code == 422
    assert said in answer.text
    assert sign_in(site.client(), "carl").status_code == 303


def test_guessing_the_old_password_is_throttled_too(site: Site) -> None:
    """A session left open at the counter is no way to guess its owner's password."""
    client = site.client("carl")
    for _ in range(signin.MOST_BY_NAME):
        _changed(client, old="wrong")
    assert "Wait 15 minutes" in _changed(client).text


def test_an_idle_session_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who does nothing for the set hours is signed out; one who works is not."""
    client = site.client("carl")
    hours = site.installation.settings.web.session_hours
    start = time.time()
    for moved in (0.9, 1.8):
        monkeypatch.setattr("webui.sessions.time.time", lambda m=moved: start + m * hours * 3600)
        assert client.get("/").status_code == 200
    monkeypatch.setattr("webui.sessions.time.time", lambda: start + 2.9 * hours * 3600)
    assert client.get("/").status_code == 302


def test_what_a_page_asks_by_itself_keeps_no_one_signed_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch's page left open over night does not stay signed in for it."""
    client, start = site.client("carl"), time.time()
    hours = site.installation.settings.web.session_hours
    for moved in (0.5, 0.9):
        monkeypatch.setattr("webui.sessions.time.time", lambda m=moved: start + m * hours * 3600)
        assert client.get("/batch/progress?name=Drawer+1").status_code == 200
    monkeypatch.setattr("webui.sessions.time.time", lambda: start + 1.1 * hours * 3600)
    assert client.get("/").status_code == 302


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    """The session's cookie is HttpOnly and SameSite, and holds nothing but a random token."""
    answer = site.client().get("/sign-in")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 40


def test_a_role_change_acts_at_once(site: Site) -> None:
    """Rights are looked up for every request and not kept in the session."""
    client = site.client("carl")
    assert client.get("/upload").status_code == 200
    with site.installation.store.write() as db:
        db.execute("UPDATE people SET role = 'viewer' WHERE name = 'carl'")
    assert client.get("/upload").status_code == 403


def test_passwords_are_argon2id_and_salted() -> None:
    """Two hashes of one password differ, and each is checked by its own."""
    one, two = passwords.hash_password(PASSWORD), passwords.hash_password(PASSWORD)
    assert one.startswith("$argon2id$")
    assert one != two
    assert passwords.check_password(one, PASSWORD)
    assert not passwords.check_password(one, PASSWORD + " ")
    assert not passwords.check_password("no hash", PASSWORD)
    assert not passwords.check_password(None, "the password of no one")
    assert not passwords.needs_rehash(one)


def test_a_weak_hash_is_replaced_at_sign_in(site: Site) -> None:
    """When the settings of hashing are raised, accounts follow as people sign in."""
    from argon2 import PasswordHasher

    store, old = site.installation.store, PasswordHasher(1, 8, 1).hash(PASSWORD)
    people.set_password(store, "test", people.by_name(store, "carl"), old)
    client = site.client("carl")
    assert not passwords.needs_rehash(people.by_name(store, "carl").password_hash)
    assert client.get("/").status_code == 200


def test_a_new_password_is_checked_in_one_place() -> None:
    """The command line can hold new accounts to the same rule."""
    with pytest.raises(InputError, match="12 characters or more"):
        passwords.check_new_password("short", "carl")
