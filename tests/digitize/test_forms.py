"""Form templates: the project's own load, and every mistake in one is named at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from digitize.form_file import load_form, load_forms
from digitize.forms import FormTemplate
from records.errors import FormError
from records.settings import Settings
from tests.digitize.making import ROOT, TRUTH, configured

DEPARTMENTS = frozenset({"clerk", "licensing"})
GOOD = """
name = "dog-licence"
title = "Dog licence"
department = "licensing"
date = "issued"
record_title = "{dog} of {owner}"
[identify]
anchors = [{ text = "DOG LICENCE", box = [0.1, 0.1, 0.5, 0.2] }]
[[fields]]
name = "owner"
zone = [0.1, 0.3, 0.9, 0.4]
required = true
[[fields]]
name = "dog"
beside = "Name of dog"
[[fields]]
name = "issued"
kind = "date"
under = "Date"
minimum = 1900-01-01
[[fields]]
name = "sex"
kind = "choice"
options = [
  { value = "male", zone = [0.1, 0.5, 0.12, 0.52] },
  { value = "female", zone = [0.2, 0.5, 0.22, 0.52] },
]
"""


def load(folder: Path, text: str) -> FormTemplate:
    """Load a template of this text."""
    path = folder / "form.toml"
    path.write_text(text, encoding="utf-8")
    return load_form(path, DEPARTMENTS)


def told(folder: Path, text: str) -> list[str]:
    """Return the mistakes that are named, a line each."""
    with pytest.raises(FormError) as caught:
        load(folder, text)
    return str(caught.value).splitlines()


def test_the_projects_templates_load(settings: Settings) -> None:
    """All templates are good, and there is one for every form of the samples' truth."""
    forms = load_forms(settings)
    assert {f.name for f in forms.values() if f.role == "separator"} == {"separator"}
    named: set[str] = set()
    for path in TRUTH.glob("*.json"):
        truth = json.loads(path.read_text(encoding="utf-8"))
        named |= {page["form"] for page in truth["pages"] if page["form"]}
        for page in truth["pages"]:
            if page["form"]:
                fields = {f.name for f in forms[page["form"]].fields_on(page["form_page"])}
                assert set(page["fields"]) == fields
    assert named == set(forms) - {"separator"}


def test_every_template_is_named_after_its_file() -> None:
    """A person who looks for a form finds its file."""
    for path in (ROOT / "forms").glob("*.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8"))["name"] == path.stem


def test_a_template_says_what_its_file_says(tmp_path: Path) -> None:
    """Kinds, places and rules come out as written, and the rest has its default."""
    form = load(tmp_path, GOOD)
    assert (form.name, form.pages, form.role, form.minimum) == ("dog-licence", 1, "form", 0.6)
    owner, dog, issued, sex = form.fields
    assert (owner.kind, owner.required, owner.zone) == ("text", True, (0.1, 0.3, 0.9, 0.4))
    assert (dog.label, dog.beside, dog.required) == ("dog", ("Name of dog",), False)
    assert (issued.kind, issued.minimum) == ("date", "1900-01-01")
    assert [o.value for o in sex.options] == ["male", "female"]
    assert form.field("owner") is owner
    assert form.field("cat") is None


def _with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_with('name = "dog-licence"', 'name = "Dog Licence"'), "name must be lower-case letters"),
        (_with('name = "dog-licence"', ""), "the form: name must be a text"),
        (_with('title = "Dog licence"', "title = 3"), "title must be a text in quotes"),
        (_with('"licensing"', '"parks"'), "department 'parks' is not in the settings"),
        (_with('date = "issued"', 'date = "owner"'), "'owner', which is no field of kind date"),
        (_with("{dog} of", "{cat} of"), "record_title names 'cat', which is no field"),
        (_with('title = "Dog licence"', 'titel = "x"'), "'titel' means nothing"),
        (_with('title = "Dog licence"', 'role = "sheet"'), "role must be form or separator"),
        (_with('title = "Dog licence"', "pages = 2"), "page 2 has no anchor"),
        (_with('title = "Dog licence"', "pages = 0"), "pages must be a whole number from 1"),
        (_with("[identify]", "[identify]\nminimum = 2"), "minimum must be a number above 0"),
        (_with("[identify]", "[know]"), "there is no [identify]"),
        (_with('"DOG LICENCE"', '"DOG LICENCE", page = 3'), "anchor 1: page 3 is beyond"),
        (_with("[0.1, 0.1, 0.5, 0.2]", "[0.5, 0.1, 0.1, 0.2]"), "anchor 1: box must be [left"),
        (_with("[0.1, 0.3, 0.9, 0.4]", "[10, 30, 90, 40]"), "field 'owner': zone must be [left"),
        (_with('name = "owner"', 'name = "status"'), "field 'status': a name is lower-case"),
        (_with('name = "dog"', 'name = "owner"'), "field 'owner' stands there twice"),
        (_with('kind = "date"', 'kind = "day"'), "kind must be one of text, number"),
        (_with("required = true", 'required = "yes"'), "required must be true or false"),
        (_with("required = true", "pattern = '('"), "pattern is no regular expression"),
        (_with("required = true", "page = 2"), "page 2 is beyond the form's 1 page(s)"),
        (_with("required = true", "minimum = 3"), "minimum must be a number for number"),
        (_with("1900-01-01", '"yesterday"'), "2019-12-31 for a date"),
        (_with("required = true", "values = [1]"), "values must be a list of texts"),
        (_with('beside = "Name of dog"', ""), "say where it stands, by zone, beside, under, below"),
        (_with('kind = "choice"', 'kind = "tick"'), "only a choice has options"),
        (_with('under = "Date"', 'under = "Date"\noptions = []').replace('"date"\n', '"tick"\n'),
         "a tick needs a zone"),
        (_with(', zone = [0.2, 0.5, 0.22, 0.52] },', " }, 3,"), "options must be a list of tables"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake names its field and what would be right, under the file's name."""
    lines = told(tmp_path, text)
    assert lines[0].startswith("The form template 'form.toml' has ")
    assert any(said in line for line in lines[1:]), lines
    assert all(line.endswith(".") for line in lines[1:])


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """Nobody has to check a template five times to find five mistakes."""
    text = _with('"licensing"', '"parks"').replace('"date"\n', '"day"\n').replace("0.9", "9")
    lines = told(tmp_path, text)
    assert sum(w in line for line in lines for w in ("parks", "kind must", "zone must")) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name = ", "is not valid TOML"), (b"# caf\xe9", "cannot be read"), (None, "cannot be read")],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A template that is missing or broken is a sentence."""
    path = tmp_path / "form.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormError, match=said):
        load_form(path, DEPARTMENTS)


def test_the_folders_mistakes_are_named_together(tmp_path: Path) -> None:
    """All bad templates of a folder are told, and so are two forms of one name."""
    for name, text in (
        ("a", GOOD), ("b", GOOD), ("c", "name = "), ("d", _with('"licensing"', '"parks"')),
    ):  # fmt: skip
        (tmp_path / f"{name}.toml").write_text(text)
    settings = configured(tmp_path, forms={"folder": str(tmp_path)})
    with pytest.raises(FormError) as caught:
        load_forms(settings)
    said = str(caught.value)
    for part in ("two forms named 'dog-licence'", "'c.toml' is not valid TOML", "parks"):
        assert part in said


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """forms.folder that is not there says which setting to mend."""
    settings = configured(tmp_path, forms={"folder": str(tmp_path / "none")})
    with pytest.raises(FormError, match=r"is missing; set forms\.folder"):
        load_forms(settings)


def _kinds(form: Any) -> set[str]:
    return {field.kind for field in form.fields}


def test_the_templates_show_every_kind(settings: Settings) -> None:
    """Whoever writes a template finds an example of each kind of field."""
    kinds = set().union(*(_kinds(form) for form in load_forms(settings).values()))
    assert kinds == {"text", "number", "money", "date", "phone", "choice", "tick", "signature"}
