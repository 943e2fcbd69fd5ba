"""Which form a page is, and the answers on it: on pages of words that are written here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize.extract import Answer, Asked, extract, judge, make_field
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from digitize.identify import as_form, find_text, identify, letters, register, spell
from digitize.values import Reading
from ocr.calibration import Kind, shipped
from records.geometry import Box
from records.model import Field, FieldStatus, Line, Word
from tests.digitize.making import line

SIZE = (1000, 1000)  # so that a thousandth of the page is a pixel
US = Reading(False, "US")
TEMPLATE = """
name = "dog-licence"
[identify]
anchors = [
  { text = "DOG LICENCE", box = [0.1, 0.05, 0.254, 0.08] },
  { text = "Town Clerk", box = [0.6, 0.90, 0.74, 0.93] },
  { text = "Form L-7", box = [0.1, 0.90, 0.212, 0.93] },
]
[[fields]]
name = "owner"
label = "Owner"
zone = [0.1, 0.20, 0.6, 0.25]
required = true
[[fields]]
name = "dog"
beside = "Name of dog"
[[fields]]
name = "issued"
kind = "date"
under = "Date of issue"
[[fields]]
name = "fee"
kind = "money"
zone = [0.7, 0.20, 0.9, 0.25]
maximum = 100
[[fields]]
name = "breed"
zone = [0.1, 0.80, 0.6, 0.85]
values = ["Beagle", "Terrier"]
[[fields]]
name = "sex"
kind = "choice"
options = [
  { value = "male", zone = [0.1, 0.6, 0.13, 0.63] },
  { value = "female", zone = [0.2, 0.6, 0.23, 0.63] },
]
[[fields]]
name = "vaccinated"
kind = "tick"
zone = [0.3, 0.6, 0.33, 0.63]
[[fields]]
name = "signature"
kind = "signature"
zone = [0.1, 0.7, 0.6, 0.78]
"""
OTHER = """
name = "cat-licence"
[identify]
anchors = [{ text = "CAT LICENCE" }, { text = "Town Clerk" }, { text = "Form L-8" }]
[[fields]]
name = "cat"
beside = "Name of cat"
"""
PRINTED = (
    (100, 50, "DOG LICENCE"), (600, 900, "Town Clerk"), (100, 900, "Form L-7"),
    (100, 300, "Name of dog"), (100, 400, "Date of issue"),
)  # fmt: skip
FILLED = (
    (110, 210, "Aloysius Fenwick"), (300, 300, "Rex"), (100, 440, "3/14/2019"),
    (710, 210, "$12.50"), (110, 810, "Beaglc"),
)  # fmt: skip


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FormTemplate]:
    found = {}
    for text in (TEMPLATE, OTHER):
        path: Path = tmp_path_factory.mktemp("forms") / "form.toml"
        path.write_text(text)
        form = load_form(path, frozenset())
        found[form.name] = form
    return found


def lines(*texts: tuple[int, int, str]) -> tuple[Line, ...]:
    return tuple(line(*text, sure=0.95) for text in texts)


def paper(ticked: tuple[int, ...] = (), signed: bool = False) -> np.ndarray:
    """Draw the boxes of the form, some ticked; words are not drawn, but told."""
    page = np.full(SIZE, 255, np.uint8)
    for left in (100, 200, 300):
        cv2.rectangle(page, (left, 600), (left + 29, 629), 0, 2)
        if left in ticked:
            cv2.line(page, (left + 5, 605), (left + 24, 624), 0, 4)
            cv2.line(page, (left + 24, 605), (left + 5, 624), 0, 4)
    if signed:
        wave = [(120 + x, 740 + round(18 * np.sin(x / 9))) for x in range(0, 300, 3)]
        cv2.polylines(page, [np.array(wave, np.int32)], False, 0, 3)
    return page


def answers(
    form: FormTemplate, page: tuple[Line, ...], image: np.ndarray | None = None
) -> dict[str, Field]:
    image = paper((200, 300), signed=True) if image is None else image
    found = extract(as_form(page, form, 1), page, image, 1, "test", Asked(0.75, US))
    return {field.name: field for field in found}


def test_a_form_is_known_by_its_printed_texts(forms: dict[str, FormTemplate]) -> None:
    """The form whose anchors stand on the page is found, with all of them."""
    found = identify(lines(*PRINTED, *FILLED), forms)
    assert found is not None
    assert (found.form.name, found.page, found.score) == ("dog-licence", 1, 1.0)


def test_misread_letters_do_not_matter(forms: dict[str, FormTemplate]) -> None:
    """A worn print is known still."""
    worn = lines((100, 50, "D0G LlCENCE"), (600, 900, "Tovvn Clerk"), (100, 900, "Forrn L-7"))
    found = identify(worn, forms)
    assert found is not None
    assert found.form.name == "dog-licence"


@pytest.mark.parametrize(
    "texts",
    [(), ("Dear Sir, your dog barks.",), ("HUNTING PERMIT", "Town Clerk"), ("Town Clerk",),
     ("BOAT PERMIT", "Sheet 22-B", "Harbour Master")],
)  # fmt: skip
def test_unknown_paper_stays_unknown(
    forms: dict[str, FormTemplate], texts: tuple[str, ...]
) -> None:
    """What is no known form is never forced to be one."""
    page = lines(*((100, 100 * n, text) for n, text in enumerate(texts, 1)))
    assert identify(page, forms) is None


@pytest.mark.parametrize("first", ["dog-licence", "cat-licence"])
@pytest.mark.parametrize("name", ["dog-licence", "cat-licence"])
def test_of_two_forms_that_are_alike_the_more_alike_wins(
    forms: dict[str, FormTemplate], first: str, name: str
) -> None:
    """A cat licence is no dog licence, though both say LICENCE and differ in a letter or two."""
    ordered = {first: forms[first], **forms}
    page = lines(*((100, 100 * n, a.text) for n, a in enumerate(forms[name].anchors, 1)))
    found = identify(page, ordered)
    assert found is not None
    assert found.form.name == name


@given(st.lists(st.text(alphabet="abcdefgDOGLICENS 0123", max_size=30), max_size=6))
def test_any_words_get_an_answer(forms: dict[str, FormTemplate], texts: list[str]) -> None:
    """Whatever is read, a page is a form that reaches its minimum, or none."""
    page = lines(*((50, 60 * n, text) for n, text in enumerate(texts)))
    found = identify(tuple(row for row in page if row.words), forms)
    assert found is None or found.score >= found.form.minimum


def test_a_page_can_be_told_to_be_a_form(forms: dict[str, FormTemplate]) -> None:
    """What a person says a page is, it is, with as many anchors as there are."""
    found = as_form(lines((100, 50, "DOG LICENCE")), forms["dog-licence"], 1)
    assert (found.form.name, round(found.score, 2)) == ("dog-licence", 0.33)


@pytest.mark.parametrize(("scale", "dx", "dy"), [(1.0, 0, 0), (0.8, 90, 120), (1.5, -40, 30)])
def test_a_template_is_laid_on_its_page(
    forms: dict[str, FormTemplate], scale: float, dx: int, dy: int
) -> None:
    """Wherever and however large the form was scanned, a zone lies on its answer."""

    def moved(box: Box) -> Box:
        return Box(*(round(v * scale + d) for v, d in zip(box, (dx, dy) * 2, strict=True)))

    places = {"DOG LICENCE": Box(100, 50, 254, 80), "Town Clerk": Box(600, 900, 740, 930),
              "Form L-7": Box(100, 900, 212, 930)}  # fmt: skip
    page = tuple(Line((Word(text, moved(box), 0.9),)) for text, box in places.items())
    placed = register(as_form(page, forms["dog-licence"], 1), SIZE)
    assert placed.trusted
    assert placed.box((0.1, 0.2, 0.6, 0.25)) == pytest.approx(moved(Box(100, 200, 600, 250)), abs=3)


def test_too_few_anchors_are_not_trusted(forms: dict[str, FormTemplate]) -> None:
    """With one anchor the page's edges are taken, and every answer is shown to a person."""
    page = lines((100, 50, "DOG LICENCE"), *FILLED)
    placed = register(as_form(page, forms["dog-licence"], 1), SIZE)
    assert not placed.trusted
    assert placed.box((0.1, 0.2, 0.6, 0.25)) == Box(100, 200, 600, 250)
    assert answers(forms["dog-licence"], page)["owner"].status is FieldStatus.UNSURE


def test_every_answer_is_taken_where_it_stands(forms: dict[str, FormTemplate]) -> None:
    """By zone, beside and under a label, from a list, as a mark: raw, value, page and box."""
    found = answers(forms["dog-licence"], lines(*PRINTED, *FILLED))
    assert {name: f.value for name, f in found.items()} == {
        "owner": "Aloysius Fenwick", "dog": "Rex", "issued": "2019-03-14", "fee": "12.50",
        "breed": "Beagle", "sex": "female", "vaccinated": "yes", "signature": "signed",
    }  # fmt: skip
    assert all(f.status is FieldStatus.OK and f.page == 1 for f in found.values()), found
    assert (found["breed"].raw, found["issued"].raw) == ("Beaglc", "3/14/2019")
    assert found["owner"].box == Box(110, 210, 110 + 14 * 16, 240)


def test_nothing_written_is_nothing(forms: dict[str, FormTemplate]) -> None:
    """An empty form has empty answers; the required one is missing, and nobody signed."""
    found = answers(forms["dog-licence"], lines(*PRINTED), paper())
    assert {f.value for n, f in found.items() if n != "vaccinated"} == {""}
    assert found["vaccinated"].value == "no"
    assert found["owner"].status is FieldStatus.MISSING
    assert found["owner"].reasons == ("missing: nothing is written here",)
    assert all(f.status is FieldStatus.OK for n, f in found.items() if n != "owner"), found


def test_two_marks_are_not_settled(forms: dict[str, FormTemplate]) -> None:
    """When both boxes of a choice are ticked a person must say which."""
    found = answers(forms["dog-licence"], lines(*PRINTED), paper((100, 200)))
    assert found["sex"].status is FieldStatus.UNSURE


def test_ink_that_was_not_read_is_not_called_missing(forms: dict[str, FormTemplate]) -> None:
    """Handwriting that gave no words is unsure, with its place, and not missing."""
    page = paper()
    cv2.putText(page, "Fenwick", (120, 240), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.2, 0, 3)
    owner = answers(forms["dog-licence"], lines(*PRINTED), page)["owner"]
    assert owner.status is FieldStatus.UNSURE
    assert owner.box is not None


def test_a_weak_word_makes_its_field_unsure(forms: dict[str, FormTemplate]) -> None:
    """A field is as sure as all of its words together are, by the table for fields."""
    weak = Line((*line(110, 210, "Aloysius", 0.95).words, *line(240, 210, "Fenwlck", 0.4).words))
    owner = answers(forms["dog-licence"], (*lines(*PRINTED), weak))["owner"]
    sure = shipped().probability(Kind.FIELD, 0.95 * 0.4)
    assert (owner.status, owner.confidence) == (FieldStatus.UNSURE, pytest.approx(sure, abs=0.01))
    assert owner.reasons == ("unsure: the reading is not certain",)


@pytest.mark.parametrize("confidence", [0.7494, 0.7496, 0.7504])
def test_what_is_shown_is_what_was_judged(
    forms: dict[str, FormTemplate], confidence: float
) -> None:
    """A field is unsure just when the confidence that it shows is below the setting."""
    owner = next(f for f in forms["dog-licence"].fields if f.name == "owner")
    made = make_field(
        owner, Answer("Aloysius Fenwick", None, confidence, "zone"), 1, "test", Asked(0.75, US)
    )
    assert (made.status is FieldStatus.UNSURE) == (made.confidence < 0.75)


@pytest.mark.parametrize(
    ("name", "raw", "value", "said"),
    [
        ("fee", "$250", "250.00", "breaks a rule: is more than 100"),
        ("fee", "waived", "waived", "breaks a rule: is no sum of money"),
        ("issued", "May 2019", "May 2019", "breaks a rule: is no date"),
        ("breed", "Poodle", "Poodle", "breaks a rule: is none of: Beagle, Terrier"),
    ],
)
def test_a_broken_rule_is_told(
    forms: dict[str, FormTemplate], name: str, raw: str, value: str, said: str
) -> None:
    """A value that breaks a rule is kept, and says which."""
    template = forms["dog-licence"].field(name)
    assert template
    field = make_field(template, Answer(raw, None, 0.9, "zone"), 1, "test", Asked(0.75, US))
    assert (field.status, field.value, field.raw) == (FieldStatus.INVALID, value, raw)
    assert field.reasons == (said,)


def test_a_value_that_was_read_apart_is_joined(forms: dict[str, FormTemplate]) -> None:
    """A number that a reader parts keeps its pattern when it is joined."""
    template = forms["dog-licence"].field("owner")
    assert template
    numbered = replace(template, pattern=r"\d{4}-\d{4}")
    assert judge(numbered, "2019- 0412", US) == ("2019-0412", None)
    assert judge(numbered, "2019", US)[1] == r"does not have the form \d{4}-\d{4}"


def test_a_printed_text_is_found_among_others() -> None:
    """The stretch of words that reads most like it, and how like."""
    page = spell(lines((0, 0, "See Name 0f dog: Rex"), (0, 50, "Name of owner")))
    hit = find_text("Name of dog", page)
    assert hit is not None
    assert [w.text for w in hit[0]] == ["Name", "0f", "dog:"]
    assert hit[1] < 100
    assert find_text("Name of horse", page) is None
    assert letters("Name 0f dog:") == "name0fdog"


def test_what_is_cut_off_is_not_read_from_elsewhere(forms: dict[str, FormTemplate]) -> None:
    """Of half a form, the fields of the other half are unsure, and say that they are not there."""
    form = replace(forms["dog-licence"], size=(10.0, 10.0))
    down = 300
    lower = [(left, top - down, text) for left, top, text in (*PRINTED[1:], (710, 110, "$9.00"))]
    texts = lines(*lower, (110, 150, "TOWN OF ALDER FALLS"))
    found = answers(form, texts, paper((200,), signed=True)[down:])
    for name in ("owner", "fee"):
        assert (found[name].value, found[name].status) == ("", FieldStatus.UNSURE)
        assert found[name].reasons == ("unsure: its place is not on this scan",)
    assert found["signature"].value == "signed"


@pytest.mark.parametrize(
    ("changes", "typed"),
    [
        ({"values": ("Ward 1", "Ward 2")}, "Ward 7"),
        ({"kind": "identifier", "pattern": r"\d{4}-\d{3}"}, "2019-041amended"),
    ],
)
def test_what_a_person_types_is_not_made_another(
    forms: dict[str, FormTemplate], changes: dict[str, object], typed: str
) -> None:
    """A value that is in no list, or breaks a pattern, stands as it was typed, and says so."""
    template = forms["dog-licence"].field("owner")
    assert template
    value, fault = judge(replace(template, **changes), typed, US, typed=True)  # type: ignore[arg-type]
    assert value == typed
    assert fault is not None
