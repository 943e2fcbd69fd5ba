"""Settings: every mistake named at start, and config.toml that says them all."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as unhurried
from hypothesis import strategies as st

from records import settings
from records.errors import SettingsError

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config.toml"
RIGHT: dict[str, Any] = {"department": [{"name": "clerk", "title": "City Clerk"}]}


def told(raw: dict[str, Any]) -> list[str]:
    """Return the mistakes that are named, a line each."""
    with pytest.raises(SettingsError) as caught:
        settings.check(raw, Path("config.toml"))
    return str(caught.value).splitlines()[1:]


def test_the_file_in_the_repository_says_every_setting_with_its_default() -> None:
    """config.toml is a full list of settings, and what it says is what would hold without it."""
    raw = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    written = settings.load(CONFIG)
    silent = settings.check({"department": raw["department"]}, CONFIG)
    assert written == silent
    for name, section in settings.SECTIONS.items():
        assert list(raw[name]) == [spec.name for spec in dataclasses.fields(section)]


def test_every_setting_is_explained() -> None:
    """A technician reads beside each setting what it does; the two that speak for themselves may
    stand alone."""
    bare = [
        line.split("=")[0].strip()
        for line in CONFIG.read_text(encoding="utf-8").splitlines()
        if "=" in line and "#" not in line
    ]
    assert set(bare) <= {"port", "name", "title", "shared"}


def test_all_mistakes_are_named_at_once() -> None:
    """Nobody has to start five times to find five mistakes."""
    lines = told(
        {
            "limits": {"pages": 0, "page_s": "long"},
            "read": {"born_digital": "maybe", "languages": "eng"},
            "web": {"port": True},
            "department": [{"name": "Clerk", "title": ""}],
        }
    )
    for part in ("limits.pages", "limits.page_s", "read.born_digital", "read.languages"):
        assert sum(part in line for line in lines) == 1
    assert any("web.port is True, but must be a whole number" in line for line in lines)
    assert any("department 1" in line for line in lines)
    assert all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"limts": {}}, "[limts] is no section; did you mean limits?"),
        ({"limits": {"page": 3}}, "limits.page is no setting; did you mean pages?"),
        ({"clean": {"xyz": 3}}, "clean.xyz is no setting; known are: turn, deskew"),
        ({"web": 3}, "[web] must be a table"),
        ({"archive": {"folder": ""}}, "archive.folder is '', but must be a text in quotes"),
        ({"forms": {"sure": float("nan")}}, "must lie between 0.0 and 1.0"),
        ({"limits": {"pages": 2.5}}, "must be a whole number"),
        ({"intake": {"split": ["page"]}}, "each must be one of: separator, form, blank"),
        ({"intake": {"split_every": -1}}, "intake.split_every is -1, but must lie between 0 and"),
        (
            {"intake": {"separator_barcode": "("}},
            "must be a regular expression in quotes, or empty",
        ),
        ({"intake": {"separator_barcode": "x{99999999999}"}}, "must be a regular expression"),
        ({"intake": {"separator_barcode": 7}}, "must be a regular expression in quotes, or empty"),
        ({"read": {"languages": []}}, "read.languages is []"),
        ({"department": []}, "there is no [[department]]"),
        ({"department": {}}, "[[department]] must be a list of tables"),
        ({"intake": {"department": "fire"}}, "'fire', which is no [[department]]"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(raw: dict[str, Any], said: str) -> None:
    """Each mistake has its path, and what to write instead."""
    lines = told(RIGHT | raw)
    assert any(said in line for line in lines), lines


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": "City Hall", "title": "x"}, "name must be lower-case"),
        ({"name": "hall"}, "title must be a text"),
        ({"name": "hall", "title": "x", "shared": "yes"}, "shared must be true or false"),
        ({"name": "hall", "title": "x", "public": True}, "public is no setting"),
        ({"name": "clerk", "title": "x"}, "'clerk' stands there twice"),
    ],
)
def test_a_departments_mistake_is_named(row: dict[str, Any], said: str) -> None:
    """Departments are checked as the settings are."""
    assert any(said in line for line in told({"department": [*RIGHT["department"], row]}))


def test_the_separators_barcode_may_be_none() -> None:
    """An empty pattern is right: no barcode parts papers."""
    found = settings.check(RIGHT | {"intake": {"separator_barcode": ""}}, Path("config.toml"))
    assert found.intake.separator_barcode == ""


def test_relative_paths_start_at_the_settings_file(tmp_path: Path) -> None:
    """It does not matter in which folder a command is called."""
    found = settings.check(RIGHT | {"archive": {"folder": "kept"}}, tmp_path / "config.toml")
    assert found.archive.folder == tmp_path / "kept"
    assert found.forms.folder == tmp_path / "forms"
    absolute = settings.check(RIGHT | {"archive": {"folder": "/srv/kept"}}, tmp_path / "c.toml")
    assert absolute.archive.folder == Path("/srv/kept")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no settings file"),
        (b"[archive", "is not valid TOML"),
        (b"# caf\xe9", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    """A settings file that is missing or broken is a sentence, not a traceback."""
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said) as caught:
        settings.load(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    """Naming the folder instead of the file is told as such."""
    with pytest.raises(SettingsError, match="is a folder; name the file"):
        settings.load(tmp_path)


def test_where_settings_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """--config goes before DIGITIZE_CONFIG, and that before config.toml in this folder."""
    monkeypatch.delenv("DIGITIZE_CONFIG", raising=False)
    assert settings.find_config(None) == Path("config.toml")
    monkeypatch.setenv("DIGITIZE_CONFIG", "/etc/digitize.toml")
    assert settings.find_config(None) == Path("/etc/digitize.toml")
    assert settings.find_config(Path("mine.toml")) == Path("mine.toml")


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just({}),
    st.lists(st.text(max_size=3), max_size=2),
)  # fmt: skip
tables = st.dictionaries(st.sampled_from(["folder", "pages", "turn", "languages", "x"]), values)


@unhurried(suppress_health_check=[HealthCheck.too_slow])  # beside other tests, drawing is slow
@given(st.dictionaries(st.sampled_from([*settings.SECTIONS, "department", "odd"]), tables | values))
def test_no_settings_file_ends_in_a_traceback(raw: dict[str, Any]) -> None:
    """Whatever stands in the file, the answer is Settings or a SettingsError."""
    said, found = "", None
    try:
        found = settings.check(raw, Path("config.toml"))
    except SettingsError as error:
        said = str(error)
    assert "mistake(s)" in said or (found is not None and found.departments)
