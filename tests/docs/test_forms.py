"""docs/forms.md against digitize.forms: a technician has nothing else to go by."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitize import form_file, forms, values
from records.model import FieldStatus
from tests.docs.markdown import blocks, codes, read, rows, sections

SECTIONS = sections(read("docs/forms.md"))
CUSTOMS = values.Reading(day_first=False, region="US")


def keys(section: str) -> list[str]:
    """Return the keys that the first cells of a section's tables name."""
    return [code for cells in rows(SECTIONS[section]) for code in codes(cells[0])]


def test_keys_of_a_form() -> None:
    """Every key of a template is explained, and no other."""
    assert set(keys("The form")) == form_file.FORM_KEYS


def test_keys_of_a_field() -> None:
    """Every key of a field is explained, and no other."""
    assert set(keys("The fields")) == form_file.FIELD_KEYS


def test_keys_of_anchors_and_options() -> None:
    """The keys by which a form is known, and those of an option, are the ones that are read."""
    assert keys("How to know it") == ["minimum", "anchors", "barcode", "text", "page", "box"]
    assert keys("Choices, tick boxes and signatures") == ["value", "zone"]


def test_names_that_are_taken() -> None:
    """The names that no field may have are all there."""
    (name,) = [cells[2] for cells in rows(SECTIONS["The fields"]) if cells[0] == "`name`"]
    assert set(codes(name.partition("These are taken:")[2])) == form_file.RESERVED


def test_kinds() -> None:
    """Every kind of field is explained, in the order of the code."""
    assert keys("Kinds") == list(values.KINDS)


def test_what_is_written_becomes_what_is_said() -> None:
    """The examples in the table of kinds are what digitize makes of them."""
    for kind, _, written, becomes in rows(SECTIONS["Kinds"]):
        if codes(kind)[0] in values.TEXT_KINDS:
            (raw,), (value,) = codes(written), codes(becomes)
            assert values.normalise(codes(kind)[0], raw, CUSTOMS) == values.Value(value)


def test_statuses() -> None:
    """Every status that a field can have is explained."""
    assert keys("What a person is shown") == [str(s) for s in FieldStatus] or set(
        keys("What a person is shown")
    ) >= {str(s) for s in FieldStatus}


@pytest.fixture
def example(tmp_path: Path) -> forms.FormTemplate:
    """Return the example of the paper, loaded as any template is."""
    (text,) = blocks(SECTIONS["A whole example"], "toml")
    path = tmp_path / "library-card.toml"
    path.write_text(text, encoding="utf-8")
    return form_file.load_form(path, frozenset({"clerk"}))


def test_the_example_is_a_good_template(example: forms.FormTemplate) -> None:
    """The example loads without a fault and describes what the text says it does."""
    assert (example.name, example.size, example.pages) == ("library-card", (7.0, 5.0), 1)
    assert len([a for a in example.anchors if a.box]) >= 2
    assert {"text", "phone", "date", "choice", "signature", "number"} == {
        field.kind for field in example.fields
    }


def test_defaults(tmp_path: Path) -> None:
    """A template with only what must be there has the defaults that the tables say."""
    path = tmp_path / "least.toml"
    path.write_text(
        'name = "least"\nidentify = { anchors = [{ text = "A HEADING" }] }\n'
        'fields = [{ name = "one", beside = "One" }]\n'
    )
    form = form_file.load_form(path, frozenset())
    assert (form.title, form.role, form.pages, form.minimum) == ("least", "form", 1, 0.6)
    assert (form.size, form.date, form.department, form.anchors[0].page) == (None, None, None, 1)
    field = form.fields[0]
    assert (field.label, field.kind, field.pages, field.required) == ("one", "text", (1,), False)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('name = "two words"', "name must be lower-case"),
        ("pages = 0", "pages must be a whole number"),
        ("size = [8.5]", "size must be"),
        ('colour = "red"', "'colour' means nothing"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, fault: str) -> None:
    """A template with a mistake is refused with a sentence that names it."""
    path = tmp_path / "wrong.toml"
    name = "" if line.startswith("name") else 'name = "wrong"\n'
    path.write_text(f'{name}{line}\nidentify = {{ anchors = [{{ text = "A HEADING" }}] }}\n')
    with pytest.raises(form_file.FormError, match=fault):
        form_file.load_form(path, frozenset())
