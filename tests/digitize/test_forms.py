"""Form templates: the project's own load, and every mistake in one is named at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from digitize import values
from digitize.form_file import answer_lines, load_form, load_forms
from digitize.forms import Comparison, FormTemplate, form_named, names, printings
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
        (_with("{dog} of", "{dog:>9} of"), "record_title"),
        (_with("{dog} of", "{dog!r} of"), "record_title"),
        (_with('kind = "date"', 'kind = "date"\ncompare = "> issued"'), "compare names 'issued'"),
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


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """What Windows' editor puts before a text is no part of it, as in the lists."""
    assert load(tmp_path, f"\ufeff{GOOD}").name == "dog-licence"


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


# Mistakes in the newer keys


DOG = 'beside = "Name of dog"'


def _dog(lines: str) -> str:
    return _with(DOG, f"{DOG}\n{lines}")


def _reference(lines: str) -> str:
    return f"{GOOD}[reference]\nlines = [\n{lines}\n]\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (_with('title = "Dog licence"', "printing = 1996"), 3, "printing must be a text"),
        (_with('title = "Dog licence"', 'printing = ""'), 3, "printing must be a text"),
        (_with('title = "Dog licence"', "series = 3"), 3, "series must be a text"),
        (_with('title = "Dog licence"', "size = [7]"), 3, "size must be [width, height]"),
        (_with('title = "Dog licence"', "size = [0, 5]"), 3, "size must be [width, height]"),
        (_with("[identify]", "[identify]\nbarcode = 'AF-('"), 8, "barcode is no regular express"),
        (_with("[identify]", "[identify]\nbarcode = 7"), 8, "barcode must be a text"),
        (_with("[identify]", "[identify]\nqr = 'AF'"), 8, "'qr' means nothing"),
        (_dog("under = 3"), 16, "under must be a text, or a list of texts"),
        (_dog("under = ['a', '']"), 16, "under must be a text, or a list of texts"),
        (_dog("below = 'issued'"), 16, "below names 'issued', which is no field before it"),
        (_dog("below = 'dog'"), 16, "below names 'dog', which is no field before it"),
        (_dog("below = ['owner']"), 16, "below must be a text"),
        (_dog("anywhere = 0"), 16, "anywhere must be true or false"),
        (_dog("anywhere = true"), 16, "anywhere is for date, stamp, money, phone, or what has"),
        (_dog("until = [1]"), 16, "until must be a text, or a list of texts"),
        (_dog("lines = -1"), 16, "lines must be a whole number from 0"),
        (_dog("lines = 1.5"), 16, "lines must be a whole number from 0"),
        (_dog("lines = true"), 16, "lines must be a whole number from 0"),
        (_dog("take = '('"), 16, "take is no regular expression"),
        (_dog("take = ['a', '[']"), 16, "take is no regular expression"),
        (_dog("take = 3"), 16, "take must be a text, or a list of texts"),
        (_dog("filled = 'pencil'"), 16, "filled must be one of printed, typed, hand"),
        (_dog("page = 0"), 16, "page must be a whole number from 1, or a list of some"),
        (_dog("page = []"), 16, "page must be a whole number from 1, or a list of some"),
        (_dog("page = [1, true]"), 16, "page must be a whole number from 1, or a list of some"),
        (_dog("page = [1, 2]"), 16, "page 2 is beyond the form's 1 page(s)"),
        (_dog("page = 'one'"), 16, "page must be a whole number from 1, or a list of some"),
        (_dog("sure = 0"), 16, "sure must be a number above 0, at most 1"),
        (_dog("sure = 1.1"), 16, "sure must be a number above 0, at most 1"),
        (_dog("sure = true"), 16, "sure must be a number above 0, at most 1"),
        (_dog("max_error = nan"), 16, "max_error must be a number above 0, at most 1"),
        (_dog("max_error = '2 %'"), 16, "max_error must be a number above 0, at most 1"),
        (_dog("compare = 'owner'"), 16, "compare must be like '>= date_issued'"),
        (_dog("compare = '!= owner'"), 16, "compare must be like '>= date_issued'"),
        (_dog("compare = ['= owner', 3]"), 16, "compare must be a text, or a list of texts"),
        (_dog("compare = '= cat'"), 16, "compare names 'cat', which is no field of kind text"),
        (_dog("compare = '= issued'"), 16, "compare names 'issued', which is no field of kind"),
        (_dog("lookup = 3"), 16, "lookup must be a text in quotes"),
        (_dog("lookup = 'none.csv'"), 16, "the list 'none.csv' cannot be read"),
        (_dog("lookup = '../a.csv'"), 16, "lookup must name a file that lies beside the template"),
        (_dog("lookup = '/etc/hosts'"), 16, "lookup must name a file that lies beside"),
        (_dog("lookup = '..'"), 16, "the list '..' cannot be read"),
        (_dog('lookup = "a\\u0000b"'), 16, "the list 'a"),
        (_reference("{ text = 'Owner' }"), 30, "reference line 1: box is missing"),
        (_reference("{ box = [0, 0, 1, 1] }"), 30, "reference line 1: text must be a text"),
        (_reference("{ text = 'a', box = [0, 0, 1, 1], page = 2 }"), 30, "page 2 is beyond"),
        (f"{GOOD}[reference]\nline = []\n", 29, "reference: 'line' means nothing"),
        (_with("[identify]", "reference = 3\n[identify]"), 7, "reference must be a table"),
    ],
)  # fmt: skip
def test_mistakes_in_newer_keys_are_named_with_their_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    """Each mistake is one sentence, and its line is the one that it is on."""
    found = told(tmp_path, text)
    assert len(found) == 2, found
    assert found[1].startswith(f"  line {line}: ")
    assert said in found[1]


def test_mistakes_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Whoever mends a file goes through it once, from top to bottom."""
    text = _with("1900-01-01", "3").replace('"licensing"', '"parks"').replace("0.9, 0.4", "9, 0.4")
    lines = [int(said.split(":")[0].split()[1]) for said in told(tmp_path, text)[1:]]
    assert lines == sorted(lines)
    assert set(lines) >= {4, 11, 20}


@pytest.mark.parametrize(
    "text",
    [
        _with("0.9, 0.4", "9, 0.4"),
        _with("0.22, 0.52", "0.1, 0.52"),
        _reference("{ text = 'Owner', box = [1, 1, 0, 0] }"),
        _dog("anywhere = 'yes'"),
    ],
    ids=["zone", "zone of an option", "box", "anywhere"],
)
def test_one_slip_is_one_mistake(tmp_path: Path, text: str) -> None:
    """A place that is written wrongly is not called missing, too."""
    assert len(told(tmp_path, text)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "pages = " + "9" * 5000,
        _dog("pattern = 'a{99999999999}'"),
        _dog("pattern = '" + "(" * 5000 + ")" * 5000 + "'"),
    ],
    ids=["deep", "long number", "many times", "deep pattern"],
)
def test_what_breaks_a_parser_is_a_mistake_too(tmp_path: Path, text: str) -> None:
    """A hostile file ends with a sentence, and no command dies of it."""
    with pytest.raises(FormError, match=r"form\.toml"):
        load(tmp_path, text)


def test_one_mistake_is_not_told_a_thousand_times(tmp_path: Path) -> None:
    """A slip in ``pages`` fills no screen, and no memory."""
    assert len(told(tmp_path, _with('title = "Dog licence"', "pages = 2019"))) < 20


@pytest.mark.parametrize("place", ["text = '---'", "text = '  '", "text = '*'"])
def test_an_anchor_has_letters(tmp_path: Path, place: str) -> None:
    """An anchor is compared by its letters and digits; one without any would match any speck."""
    assert "anchor 1" in told(tmp_path, _with('text = "DOG LICENCE"', place))[1]


@pytest.mark.parametrize("pattern", ["(?i)sr-\\d{4}", "(?x) sr - \\d{4} # four digits"])
def test_a_pattern_that_is_checked_can_be_used(tmp_path: Path, pattern: str) -> None:
    """A pattern that a check calls good is good for finding an answer on a page, too."""
    try:
        field = load(tmp_path, _dog(f"pattern = '{pattern}'")).field("dog")
    except FormError:
        return
    assert field
    assert values.recognised(field.kind, field.pattern, "no. SR-2041 sr-2041", "US")


# What the newer keys say


def test_newer_keys_come_out_as_written(tmp_path: Path) -> None:
    """Places, takes, pages and rules are what the file says; one text stands for a list of one."""
    text = _with('title = "Dog licence"', 'printing = "1996"\npages = 2\nseries = "L-7"').replace(
        "0.2] }]", "0.2] }, { text = 'Page two', page = 2 }]\nbarcode = 'AF-\\d+'"
    )
    more = """
    under = ["Dog", "Dog's name"]
    below = "owner"
    until = "Breed"
    lines = 3
    take = ['(\\w+) dog', '\\w+']
    page = [2, 1]
    compare = [">= owner", "=owner"]
    sure = 1
    max_error = 0.002
    """
    form = load(tmp_path, text.replace(DOG, f"{DOG}{more}"))
    assert (form.key, form.series, form.barcode) == ("dog-licence@1996", "L-7", "AF-\\d+")
    dog = form.field("dog")
    assert dog
    assert dog.labels == ("Name of dog", "Dog", "Dog's name")
    assert (dog.below, dog.until, dog.lines, dog.pages) == ("owner", ("Breed",), 3, (2, 1))
    assert dog.take == ("(\\w+) dog", "\\w+")
    assert dog.compare == (Comparison(">=", "owner"), Comparison("=", "owner"))
    assert (dog.sure, dog.max_error) == (1.0, 0.002)
    assert dog in form.fields_on(1)
    assert dog in form.fields_on(2)
    assert load(tmp_path, _dog("take = 'a'")).fields[1].take == ("a",)


def test_what_takes_an_answer_apart_may_stand_anywhere(tmp_path: Path) -> None:
    """A date, or whatever has a pattern, needs no place."""
    assert load(tmp_path, _with(DOG, "anywhere = true\npattern = 'A\\d+'")).fields[1].anywhere
    assert load(tmp_path, _with(DOG, "anywhere = true\nkind = 'money'")).fields[1].anywhere


STREETS = "\ufeffcode, name \n1,Elm\n2, Oak \n\n3\n4,Elm\n5,\n"


@pytest.mark.parametrize(
    ("lookup", "found"),
    [
        ("streets.csv", ("Ash", "1", "2", "3", "4", "5")),
        ("streets.csv:code", ("Ash", "1", "2", "3", "4", "5")),
        ("streets.csv: name ", ("Ash", "Elm", "Oak")),
    ],
)
def test_a_list_lies_beside_the_template(tmp_path: Path, lookup: str, found: tuple[str]) -> None:
    """Values are those given and those of the list's column, each once; a BOM is no letter."""
    (tmp_path / "streets.csv").write_text(STREETS, encoding="utf-8")
    assert load(tmp_path, _dog(f"lookup = '{lookup}'\nvalues = ['Ash']")).fields[1].values == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (STREETS.encode(), "has no column 'town'; it has ['code', ' name ']"),
        (b"", "has no column 'town'; it has []"),
        (b"caf\xe9\n", "the list 'streets.csv' cannot be read"),
        (b"town\n" + b"x" * 200_000, "the list 'streets.csv' cannot be read"),
    ],
)
def test_a_list_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """A list without the column, or that is no text, is a mistake on the line that names it."""
    (tmp_path / "streets.csv").write_bytes(content)
    (_, mistake) = told(tmp_path, _dog("lookup = 'streets.csv:town'"))
    assert mistake.startswith("  line 16: field 'dog': ")
    assert said in mistake


def _folder(tmp_path: Path, **texts: str) -> dict[str, FormTemplate]:
    folder = tmp_path / "forms"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return load_forms(configured(tmp_path, forms={"folder": str(folder)}))


def _printing(of: str) -> str:
    return _with('title = "Dog licence"', f'printing = "{of}"')


def test_printings_share_a_name(tmp_path: Path) -> None:
    """Two templates of one name are one form in two printings; each is told by its digest."""
    forms = _folder(tmp_path, a=_printing("1996"), b=_printing("2004"))
    assert sorted(forms) == ["dog-licence@1996", "dog-licence@2004"]
    assert names(forms.values()) == ("dog-licence",)
    first, second = printings(forms, "dog-licence")
    assert form_named(forms, "dog-licence", second.digest) is second
    assert form_named(forms, "dog-licence", "gone") is first
    assert form_named(forms, "cat-licence") is None


def test_the_same_printing_twice_is_a_mistake(tmp_path: Path) -> None:
    """Which of two templates a page was read with must not hang on their files' names."""
    with pytest.raises(FormError, match=r"two forms named 'dog-licence@1996'"):
        _folder(tmp_path, a=_printing("1996"), b=_printing("1996"))


LINES = """
  { text = "Owner", box = [0.1, 0.31, 0.2, 0.33] },
  { text = "Ann Hart", box = [0.3, 0.31, 0.4, 0.33] },
  { text = "Elsewhere", box = [0.3, 0.8, 0.4, 0.83] },
"""


def test_answers_are_no_print(tmp_path: Path) -> None:
    """A line of the reference in a field's zone that is not its label is somebody's answer."""
    text = _reference(LINES)
    form = load(tmp_path, text)
    assert [line.text for line in form.reference] == ["Owner", "Elsewhere"]
    assert answer_lines(text, form.fields) == (1,)


def test_a_name_in_a_signatures_place_is_no_print(tmp_path: Path) -> None:
    """A name that is written out in a signature's zone is an answer as well."""
    form = load(tmp_path, _reference(LINES).replace("required = true", 'kind = "signature"'))
    assert "Ann Hart" not in [line.text for line in form.reference]
