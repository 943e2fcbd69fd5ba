"""What verified records ask a template to become: enough truth, in the right place, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from digitize.experience import Answered, Experience
from digitize.form_file import load_forms, parse_form
from digitize.forms import FieldTemplate, FormTemplate
from digitize.learning import (
    Change,
    edit,
    more_labels,
    more_values,
    other_threshold,
    other_zone,
    propose,
)
from digitize.values import Reading
from digitize.verified import Placed, placed_on
from records.geometry import Box
from records.model import Field, FieldStatus, PageResult
from tests.digitize.making import configured, line
from tests.records.making import field, page

SIZE = (1000, 1000)
US = Reading(False, "US")
HEAD = """
name = "bill"
[identify]
anchors = [
  { text = "WATER BILL", box = [0.1, 0.05, 0.24, 0.08] },
  { text = "Town of Alder Falls", box = [0.6, 0.90, 0.866, 0.93] },
]
"""
PRINTED = ((100, 50, "WATER BILL"), (600, 900, "Town of Alder Falls"))
OTHER = '[[fields]]\nname = "other"\nlabel = "Telephone"\nbeside = ["Telephone"]\n'


def form(toml: str, more: str = "") -> FormTemplate:
    """Return a form whose first field is ``f``."""
    text = f'{HEAD}[[fields]]\nname = "f"\n{toml}\n{more}'
    return parse_form(text, Path("bill.toml"), frozenset())


def template(toml: str) -> FieldTemplate:
    return form(toml).fields[0]


def readings(*told: tuple[int, float, bool | None]) -> list[Experience]:
    """Return readings: so many, how sure, and whether they were right."""
    return [
        Experience("bill", "f", sure, sure >= 0.9, False, right)
        for count, sure, right in told
        for _ in range(count)
    ]


ZONE = "zone = [0.3, 0.2, 0.7, 0.25]"

# Thresholds


@pytest.mark.parametrize(
    ("rules", "told", "sure"),
    [
        # A max_error is kept, with no more work than it takes.
        ("max_error = 0.02", [(5, 0.92, False), (50, 0.96, True)], 0.96),
        ("max_error = 0.02", [(60, 0.95, True), (20, 0.7, True), (5, 0.6, False)], 0.7),
        ("max_error = 0.02\nsure = 0.5", [(60, 0.95, True), (20, 0.7, True), (5, 0.6, False)], 0.7),
        ("max_error = 0.2", [(29, 0.95, True)], None),
        ("max_error = 0.002", [(400, 0.95, True), (9, 0.7, True)], None),
        ("max_error = 0.02", [(60, 0.95, True), (5, 0.6, False)], None),
        ("max_error = 0.02", [(60, 0.95, True), (9, 0.92, None)], None),
        ("max_error = 0.02", [(60, 0.95, False)], None),
        # Without one, the promise of the present threshold is.
        ("", [(8, 0.92, False), (40, 0.96, True)], 0.96),
        ("", [(3, 0.92, False), (27, 0.96, True)], None),
        ("", [(30, 0.6, True), (2, 0.5, False)], 0.6),
        ("", [(29, 0.6, True)], None),
        ("", [(30, 0.6, True), (2, 0.8, False)], None),
        ("sure = 0.5", [(30, 0.6, True)], None),
        ("sure = 0.7", [(30, 0.6, True)], 0.6),
        ('filled = "hand"', [(50, 0.6, True)], None),
    ],
)
def test_a_threshold_is_proposed_that_keeps_its_promise(
    rules: str, told: Sequence[tuple[int, float, bool | None]], sure: float | None
) -> None:
    """Raised where too many wrong ones pass, lowered where right ones are held back; else left."""
    change = other_threshold(template(f"{ZONE}\n{rules}"), readings(*told), 0.9)
    assert (change.field.sure if change else None) == sure


def test_a_threshold_is_proposed_with_its_price() -> None:
    """The sentence says what passes now and then, and what a person has to see."""
    told = readings((5, 0.92, False), (45, 0.96, True), (50, 0.94, None))
    change = other_threshold(template(f"{ZONE}\nmax_error = 0.03"), told, 0.9)
    assert change is not None
    assert change.why == (
        "0.9 lets 5 wrong of 50 checked pass, 0.96 lets 0 of 45 (max_error 0.03); a person sees "
        "55% instead of 0%"
    )


# Lists


def given(*values: str) -> list[Answered]:
    """Return what people said the field of some records holds."""
    return [Answered(i, "a", "bill", 1, field("f", "x"), said) for i, said in enumerate(values)]


def test_values_that_people_give_again_and_again_join_the_list() -> None:
    """From three times on; not those that are in it, nor nothing."""
    elm = template(f'{ZONE}\nvalues = ["Elm"]')
    change = more_values(elm, given(*["Oak"] * 3, *["Ash"] * 4, *["Fir"] * 2, *["Elm", ""] * 5))
    assert change is not None
    assert change.items == ("Ash", "Oak")
    assert change.why == "people gave 'Ash' 4 times, 'Oak' 3 times"
    assert more_values(elm, given("Oak", "Oak")) is None


def test_a_field_without_a_list_gets_none() -> None:
    """Free text stays free, however often it is the same."""
    assert more_values(template(ZONE), given(*["Oak"] * 9)) is None


# Labels


def labelled(*texts: str, by_other: bool = True) -> list[Placed]:
    """Return answers with these texts on their left, and the same with ABOVE above them."""
    return [Placed(i, "f", by_other, text, f"{text} ABOVE", None) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("rules", "texts", "new"),
    [
        ('beside = "Account"', ["Customer no"] * 3, ("Customer no",)),
        ('beside = "Account"', ["Customer no", "Customer n0", "Customer no"], ("Customer no",)),
        ('beside = "Account"', ["Customer no"] * 2, None),
        ('beside = "Account"', ["Account:"] * 9, None),
        ('beside = "Account"', ["Telephone"] * 9, None),
        ('beside = "Account"', [""] * 9, None),
        ('under = "Account"', ["Customer no"] * 3, ("Customer no ABOVE",)),
        (ZONE, ["Customer no"] * 3, None),
    ],
)
def test_print_at_answers_becomes_a_label(
    rules: str, texts: list[str], new: tuple[str, ...] | None
) -> None:
    """In three records or more, unless it is a label that is known, of this field or another."""
    whole = form(rules, OTHER)
    change = more_labels(whole.fields[0], labelled(*texts), whole.fields[1:])
    assert (change.items if change else None) == new


def test_what_was_found_by_a_label_needs_no_other() -> None:
    """Answers that the machine found by its labels teach no new one."""
    found = labelled(*["Customer no"] * 5, by_other=False)
    assert more_labels(template('beside = "Account"'), found, ()) is None


# Zones


def standing(*beyond: tuple[float, float, float, float]) -> list[Placed]:
    return [Placed(i, "f", False, "", "", each) for i, each in enumerate(beyond)]


INSIDE = (-0.01, -0.015, -0.2, -0.015)


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ([(-0.01, 0.006, -0.2, -0.02)] * 10, (0.3, 0.194, 0.7, 0.244)),  # room below: moved up
        ([(-0.01, -0.02, -0.2, 0.006)] * 10, (0.3, 0.206, 0.7, 0.256)),
        ([(-0.01, 0.006, -0.2, -0.004)] * 10, (0.3, 0.194, 0.7, 0.25)),  # no room: widened
        ([(-0.01, 0.006, -0.2, 0.008)] * 10, (0.3, 0.194, 0.7, 0.258)),
        ([(0.01, -0.01, -0.3, -0.01)] * 10, (0.29, 0.2, 0.7, 0.25)),  # across: widened
        ([(-0.01, -0.01, 0.1, -0.01)] * 10, (0.3, 0.2, 0.72, 0.25)),  # by 2 % at most
        ([(-0.01, -0.01, 0.004, -0.01)] * 6 + [(-0.01, -0.01, 0.012, -0.01)] * 5,
         (0.3, 0.2, 0.704, 0.25)),
        ([(-0.01, -0.01, 0.01, -0.01)] * 9 + [INSIDE] * 50, None),
        ([(-0.01, -0.01, 0.001, -0.01)] * 50, None),  # a pixel or two
        ([INSIDE] * 50, None),
    ],
)  # fmt: skip
def test_a_zone_gives_way_to_answers_that_stick_out(
    told: list[tuple[float, float, float, float]], zone: tuple[float, ...] | None
) -> None:
    """By the median of what ten records or more say."""
    change = other_zone(template(ZONE), standing(*told))
    assert (change.field.zone if change else None) == zone


# Where answers stand on a page


def on_page(
    toml: str, said: str, machine: Field, *texts: tuple[int, int, str], beside: Field | None = None
) -> list[Placed]:
    """Say where a verified answer stands on a page of these lines."""
    lines = tuple(line(*t) for t in (*PRINTED, *texts))
    fields = (machine, beside) if beside else (machine,)
    read: PageResult = replace(page(1, "0"), lines=lines, size=SIZE, fields=fields)
    whole = form(toml, OTHER)
    own = replace(machine, kind=whole.fields[0].kind)
    return list(placed_on(read, whole, [Answered(1, "a", "bill", 1, own, said)], US))


NOTHING = replace(field("f", "", FieldStatus.UNSURE), box=None, found_by="")


def test_a_missed_answer_is_found_by_what_a_person_said() -> None:
    """On the page's words, with the print left of it and above it."""
    [found] = on_page(
        'beside = "Account"', "Ann Hart", NOTHING,
        (300, 350, "Name and place"), (100, 400, "Account holder: Ann Hart"), (700, 400, "Elm"),
    )  # fmt: skip
    assert (found.left, found.above, found.by_other) == ("Account holder", "Name and place", True)


def test_a_value_is_found_as_it_is_written() -> None:
    """A date that a person gave in figures stands on the paper in words."""
    [found] = on_page(
        'kind = "date"\nbeside = "Issued"', "2019-03-14", NOTHING,
        (100, 400, "Given on March 14, 2019 at noon"),
    )  # fmt: skip
    assert found.left == "Given on"


@pytest.mark.parametrize(
    "texts",
    [
        [(100, 400, "Owner Ann Hart"), (100, 500, "Payer Ann Hart")],
        [(100, 400, "Owner Bo Lund")],
    ],
    ids=["twice", "nowhere"],
)
def test_an_answer_without_one_place_teaches_nothing(texts: list[tuple[int, int, str]]) -> None:
    """What stands there twice, or not at all, has no place for sure."""
    assert on_page('beside = "Account"', "Ann Hart", NOTHING, *texts) == []


def test_a_short_value_is_not_looked_for() -> None:
    """A figure or two stand on every page."""
    assert on_page('beside = "Age"', "42", NOTHING, (100, 400, "Years 42")) == []


def test_another_fields_answer_is_no_label() -> None:
    """The word left of it was read as the answer of another field."""
    other = replace(field("other", "5550142"), box=Box(100, 400, 198, 430))
    [found] = on_page(
        'beside = "Account"', "Ann Hart", NOTHING, (100, 400, "Falls Ann Hart"), beside=other
    )  # fmt: skip
    assert found.left == ""


@pytest.mark.parametrize(
    ("box", "beyond"),
    [
        (Box(300, 193, 426, 223), (0, 7, -274, -27)),
        (Box(310, 210, 720, 240), (-10, -10, 20, -10)),
        (Box(310, 500, 420, 530), None),  # far away: another text
    ],
)
def test_how_far_an_answer_sticks_out(box: Box, beyond: tuple[int, ...] | None) -> None:
    """In thousandths of the page here; below 0 inside the zone."""
    machine = replace(field("f", "Ann Hart"), box=box)
    [found] = on_page(ZONE, "Ann Hart", machine)
    rounded = tuple(round(each * 1000) for each in found.beyond) if found.beyond else None
    assert rounded == beyond


def test_on_a_page_that_is_not_placed_no_zone_is_judged() -> None:
    """Where the form's print was not found, nobody knows where the zone is."""
    machine = replace(field("f", "Ann Hart"), box=Box(300, 193, 426, 223))
    read = replace(page(1, "0"), lines=(line(300, 193, "Ann Hart"),), size=SIZE, fields=(machine,))
    answer = Answered(1, "a", "bill", 1, machine, "Ann Hart")
    [found] = placed_on(read, form(ZONE), [answer], US)
    assert found.beyond is None


# The template's text


def test_any_field_of_any_template_can_be_given_a_threshold(tmp_path: Path) -> None:
    """All forms of the project take a change of each field, and stay good templates."""
    settings = configured(tmp_path)
    departments = frozenset(d.name for d in settings.departments)
    for whole in load_forms(settings).values():
        changes = [Change(replace(f, sure=0.87), "sure", "it was tried") for f in whole.fields]
        edited = edit(whole, whole.text, changes, departments)
        assert (len(edited.made), edited.dropped) == (len(whole.fields), ())
        assert whole.path is not None
        read = parse_form(edited.text, whole.path, departments)
        assert [f.sure for f in read.fields] == [0.87] * len(whole.fields)
        left = [t for t in edited.text.splitlines() if t != "sure = 0.87"]
        assert left == whole.text.splitlines()


def test_changes_of_one_field_do_not_undo_each_other() -> None:
    """A field may get a threshold, a value and another zone at once."""
    whole = form(f'{ZONE}\nvalues = ["Elm"]')
    told = {"f": readings((8, 0.92, False), (40, 0.96, True))}
    high = [replace(p, beyond=(-0.01, 0.006, -0.2, -0.02)) for p in standing(*[INSIDE] * 10)]
    changes = propose(whole, told, given(*["Oak"] * 3), high, 0.9)
    edited = edit(whole, whole.text, changes, frozenset())
    assert [change.key for change in edited.made] == ["sure", "values", "zone"]
    read = parse_form(edited.text, Path("bill.toml"), frozenset()).fields[0]
    assert (read.sure, read.values, read.zone) == (0.96, ("Elm", "Oak"), (0.3, 0.194, 0.7, 0.244))


def test_values_of_a_list_beside_the_template_are_known(tmp_path: Path) -> None:
    """What a lookup has is not proposed; what it has not joins the template's own list."""
    (tmp_path / "streets.csv").write_text("street\nOak\n", encoding="utf-8")
    text = f'{HEAD}[[fields]]\nname = "f"\n{ZONE}\nvalues = ["Elm"]\nlookup = "streets.csv"\n'
    whole = parse_form(text, tmp_path / "bill.toml", frozenset())
    change = more_values(whole.fields[0], given(*["Oak", "Ash"] * 3))
    assert change is not None
    assert change.items == ("Ash",)
    edited = edit(whole, text, [change], frozenset())
    assert 'values = ["Elm", "Ash"]' in edited.text


def test_a_list_that_is_a_file_of_its_own_is_named() -> None:
    """Nothing is written into a CSV; a sentence says what a person may add."""
    change = Change(replace(template(ZONE), values=("Oak",)), "values", "", items=("Oak",))
    edited = edit(form(ZONE), form(ZONE).text, [change], frozenset())
    assert edited.text == form(ZONE).text
    assert edited.dropped == (
        "The key values of field 'f' in 'bill.toml' is not written in a way that can be changed "
        'here; add "Oak" by hand, or to its lookup.',
    )
