"""How forms are scored: what counts as right, and that the templates of the benchmark are good."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import forms
from digitize.forms import names
from records.model import Field, FieldStatus


def field(value: str, raw: str = "", status: FieldStatus = FieldStatus.OK) -> Field:
    """Return an answer."""
    return Field(
        "f", "F", "text", raw or value, value, 0.95, 1, None, status, (), "test", "zone"
    )  # fmt: skip


def test_the_templates_are_good_and_are_those_of_the_truth() -> None:
    """All templates load, and every form of the truth has one, under its name."""
    known = forms.templates(without="")
    assert set(names(known.values())) == {*forms.FORMS.values(), "receipt"}
    wanted = {*forms.FIELDS.values(), *forms.OTHER_FIELDS.values(), "date_filed"}
    found = {f.name for form in known.values() if form.name != "receipt" for f in form.fields}
    assert found == wanted


@pytest.mark.parametrize(
    ("labelled", "true", "value", "right"),
    [
        ("signer_name", {"text": "Ann Hart", "norm": None}, "ANN  HART.", True),
        ("signer_name", {"text": "Ann Hart", "norm": None}, "Ann Hard", False),
        ("signer_name", {"text": "A. Hart\nClerk", "norm": "A. Hart"}, "A Hart", True),
        ("signer_name", {"text": "Ann Hart", "norm": None}, "", False),
        ("file_date", {"text": "'91 OCT -8", "norm": "1991-10-08"}, "1991-10-08", True),
        ("file_date", {"text": "'91 OCT -8", "norm": "1991-10-08"}, "1991-10-03", False),
    ],
)
def test_what_counts_as_right(labelled: str, true: dict[str, Any], value: str, right: bool) -> None:
    """Case, blanks and punctuation make no difference; a date must be the day; empty is wrong."""
    assert forms.is_right(labelled, true, field(value)) == right


def test_a_field_that_is_not_there_is_wrong() -> None:
    """A form whose template lacks a field gets no credit for it."""
    assert not forms.is_right("signer_name", {"text": "Ann Hart", "norm": None}, None)


def test_what_is_illegible_is_not_asked_for() -> None:
    """Only what is legible counts, and of names what is typed or printed; a stamped date counts."""
    how = {"legible": True, "norm": None}
    label = {
        "fields": {
            "registrant_name": {"text": "Ann Hart", "how": "typed", **how},
            "signer_name": {"text": "Ann", "how": "handwritten", **how},
            "signer_title": {"text": "Clerk", "how": "typed", "legible": False, "norm": None},
            "file_date": {
                "text": "MAY 5 61",
                "how": "stamped",
                "legible": True,
                "norm": "1961-05-05",
            },
            "person_name": {"text": None, "how": None, "legible": None},
        }
    }
    tallies: dict[str, forms.Tally] = forms.defaultdict(forms.Tally)
    got = forms.Document("x", ("x",), {"registrant": field("Ann Hart")})
    forms.score_fields("scan", label, got, tallies, show=False)
    assert {name: (t.asked, t.right) for name, t in tallies.items()} == {
        "registrant_name": (1, 1), "these five": (1, 1), "file_date": (1, 0),
    }  # fmt: skip


def test_what_passed_unseen_and_was_wrong_is_counted() -> None:
    """Only a field that no person would be shown passed unseen."""
    tally = forms.Tally()
    tally.count(field("a"), right=True)
    tally.count(field("b"), right=False)
    tally.count(field("c", status=FieldStatus.UNSURE), right=False)
    tally.count(None, right=False)
    assert (tally.asked, tally.right, tally.unseen, tally.wrong_unseen) == (4, 1, 2, 1)
    assert tally.f1 == pytest.approx(2 * 1 / (4 + 3))
