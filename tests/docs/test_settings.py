"""docs/settings.md against records.settings, records.access and config.toml."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import get_type_hints

import pytest

from records import settings
from records.access import Action, Viewer, departments_for
from records.model import Role
from records.setting_words import SENTENCES
from tests.docs.markdown import ROOT, codes, read, rows, sections

TEXT = read("docs/settings.md")
SECTIONS = sections(TEXT)


def as_toml(value: object) -> str:
    """Write a default as TOML does."""
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize("name", sorted(settings.SECTIONS))
def test_every_setting_with_its_default(name: str) -> None:
    """Each setting of a section stands there with its default and in its order, and no other."""
    table = [(codes(cells[0])[0], codes(cells[1])[0]) for cells in rows(SECTIONS[name])]
    fields = dataclasses.fields(settings.SECTIONS[name])
    assert table == [(field.name, as_toml(field.default)) for field in fields]


@pytest.mark.parametrize("name", sorted(settings.SECTIONS))
def test_what_a_setting_may_be(name: str) -> None:
    """Limits and choices of a setting are those that are checked."""
    allowed = {codes(cells[0])[0]: cells[2] for cells in rows(SECTIONS[name])}
    hints = get_type_hints(settings.SECTIONS[name])
    for field in dataclasses.fields(settings.SECTIONS[name]):
        said = allowed[field.name]
        if "low" in field.metadata:
            low, high = field.metadata["low"], field.metadata["high"]
            assert said == f"{low:g} to {high:.0f}", field.name
        elif "choices" in field.metadata:
            assert {c.strip('"') for c in codes(said)} == set(field.metadata["choices"])
        elif hints[field.name] is bool:
            assert codes(said) == ["true", "false"]


def test_every_setting_has_its_one_sentence() -> None:
    """No setting lacks a sentence, and no sentence its setting; the paper begins with it."""
    assert {name: list(says) for name, says in SENTENCES.items()} == {
        name: [field.name for field in dataclasses.fields(cls)]
        for name, cls in settings.SECTIONS.items()
    }
    for name, says in SENTENCES.items():
        meanings = {codes(cells[0])[0]: cells[3] for cells in rows(SECTIONS[name])}
        for setting, sentence in says.items():
            assert sentence.endswith(".")
            assert ". " not in sentence
            plain = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", meanings[setting]).replace("`", "")
            assert plain.startswith(sentence), setting


def test_config_toml_has_every_setting_with_its_default() -> None:
    """The file that comes with digitize names every setting, each with its default."""
    raw = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    for name, cls in settings.SECTIONS.items():
        defaults = {f.name: as_toml(f.default) for f in dataclasses.fields(cls)}
        assert {key: as_toml(value) for key, value in raw[name].items()} == defaults


def test_config_toml_says_something_of_every_setting() -> None:
    """Every setting in the file but the port has a comment beside it."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8").partition("[[department]]")[0]
    bare = [line for line in text.splitlines() if "=" in line and "#" not in line]
    assert bare == ["port = 8000"]


def test_departments() -> None:
    """The keys of a department, and those that come with digitize, are as the paper says."""
    section = SECTIONS["Departments"]
    assert [codes(cells[0])[0] for cells in rows(section)] == ["name", "title", "shared"]
    for department in settings.load(ROOT / "config.toml").departments:
        assert f"`{department.name}`" in section


def said(role: Role, action: Action) -> str:
    """Say, in the words of the table, where a role may do something."""
    every = frozenset({"own", "shared", "others"})
    viewer = Viewer("test", role, frozenset({"own"}), frozenset({"shared"}), every)
    where = departments_for(viewer, action)
    return "all" if where == every else " and ".join(sorted(where)) or "no"


def test_roles_are_those_of_the_rules() -> None:
    """The table of roles says what records.access decides, for each role and action."""
    head = next(line for line in SECTIONS["Roles"].splitlines() if line.startswith("| Role"))
    assert [c.strip() for c in head.split("|")[2:-1]] == [str(a) for a in Action]
    table = {codes(cells[0])[0]: cells[1:] for cells in rows(SECTIONS["Roles"])}
    assert table == {str(role): [said(role, action) for action in Action] for role in Role}
