"""The page of settings: all of them, for administrators alone, and no secret on it."""

from __future__ import annotations

import dataclasses
import html
import re
from dataclasses import dataclass, replace

import pytest
from flask.testing import FlaskClient

from records import settings
from records.setting_words import SENTENCES
from webui.settings import SECRET, shown

from .conftest import Site


@pytest.fixture
def administrator(shared_site: Site) -> FlaskClient:
    """The administrator, signed in."""
    return shared_site.client("ada")


def test_every_setting_is_shown(shared_site: Site, administrator: FlaskClient) -> None:
    """Under its section, with the value in force, and the sentence that says what it does."""
    text = html.unescape(administrator.get("/settings").text)
    for name, cls in settings.SECTIONS.items():
        section = text[text.index(f">[{name}]</h2>") :].partition("</section>")[0]
        found = re.findall(r"<dt><code>(\w+) = (.+?)</code>", section)
        assert [setting for setting, _ in found] == [f.name for f in dataclasses.fields(cls)]
        for sentence in SENTENCES[name].values():
            assert f"<dd>{sentence}</dd>" in section
    assert "port = 8000" in text
    assert str(shared_site.installation.settings.path) in text
    assert "<td><code>building</code></td><td>Building and Safety</td><td>no</td>" in text


def test_what_is_not_as_it_comes_is_marked(shared_site: Site) -> None:
    """Of a value that somebody has set the default stands beside it, of others not."""
    found = {s.name: s for s in shown(shared_site.installation.settings, "web")}
    assert (found["upload_mb"].value, found["upload_mb"].default) == ("1", "200")
    assert (found["secure_cookies"].value, found["secure_cookies"].default) == ("false", None)
    plain = settings.check(
        {"department": [{"name": "clerk", "title": "City Clerk"}]},
        shared_site.installation.settings.path,
    )
    for name in settings.SECTIONS:
        assert [s.name for s in shown(plain, name) if s.default is not None] == []


def test_a_secret_is_only_said_to_be_set(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    """A setting that is called a secret never shows its value, nor its default."""

    @dataclass(frozen=True)
    class Mail:
        mail_password: str = ""
        mail_token: str = ""

    monkeypatch.setitem(settings.SECTIONS, "web", Mail)
    words = {"mail_password": "How mail is sent.", "mail_token": "How mail is signed."}
    monkeypatch.setitem(SENTENCES, "web", words)  # type: ignore[arg-type]
    made = replace(site.installation.settings, web=Mail("hunter2"))  # type: ignore[arg-type]
    assert [(s.value, s.default) for s in shown(made, "web")] == [
        ("set", "not set"), ("not set", None),
    ]  # fmt: skip
    assert "password" in SECRET


def test_nobody_else_is_led_there(shared_site: Site, administrator: FlaskClient) -> None:
    """Who may not administer sees no link, and gets a sentence at its address."""
    assert 'href="/settings"' in administrator.get("/").text
    for who in ("carl", "vera", "olga"):
        client = shared_site.client(who)
        assert 'href="/settings"' not in client.get("/").text
        answer = client.get("/settings")
        assert answer.status_code == 403
        assert "may not see the settings; ask an administrator." in answer.text
        assert "page_s" not in answer.text
