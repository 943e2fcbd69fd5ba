"""How well fields are read: what counts as truth, what a threshold keeps, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from digitize.experience import (
    LEAST_CHECKED,
    Answered,
    Experience,
    experience,
    gather,
    lacking,
    needed,
    passing,
    standing,
    threshold,
    upper_end,
)
from digitize.form_file import parse_form
from digitize.forms import FieldTemplate, FormTemplate
from records import correcting, filing
from records.model import Field, FieldStatus, TemplateText
from tests.records.making import Room, draft, field, open_room, page

FORM = """
name = "bill"
{printing}
[identify]
anchors = [{{ text = "WATER BILL", box = [0.1, 0.05, 0.3, 0.08] }}]
[[fields]]
name = "owner"
zone = [0.1, 0.1, 0.9, 0.2]
{rules}
"""


def form(rules: str = "", printing: str = "") -> FormTemplate:
    """Return a form of one field."""
    told = f'printing = "{printing}"' if printing else ""
    text = FORM.format(rules=rules, printing=told)
    return parse_form(text, Path(f"bill{printing}.toml"), frozenset())


def template(rules: str = "") -> FieldTemplate:
    return form(rules).fields[0]


def answered(machine: Field, said: str | None = None) -> Answered:
    return Answered(1, "a", "bill", 1, machine, said)


def experiences(*told: tuple[float, bool | None], held: bool = False) -> list[Experience]:
    """Return readings of a field: how sure each was, and whether it was right, if that is known."""
    return [Experience("bill", "owner", sure, sure >= 0.9, held, right) for sure, right in told]


def many(count: int, sure: float, right: bool | None = True) -> list[tuple[float, bool | None]]:
    return [(sure, right)] * count


# What one reading teaches


@pytest.mark.parametrize(
    ("said", "right"), [("Ann Hart", True), ("Ann Hort", False), ("", False), (None, None)]
)
def test_the_machine_was_right_when_it_had_read_what_a_person_said(
    said: str | None, right: bool | None
) -> None:
    """Values are compared letter by letter; what nobody looked at is neither right nor wrong."""
    assert answered(field("owner", "Ann Hart"), said).right is right


@pytest.mark.parametrize(
    ("value", "status", "rules", "held"),
    [
        ("Ann", FieldStatus.OK, "", False),
        ("Ann", FieldStatus.UNSURE, "", False),
        ("Ann", FieldStatus.INVALID, "", True),
        ("", FieldStatus.MISSING, "required = true", True),
        ("", FieldStatus.UNSURE, "required = true", True),
        ("", FieldStatus.UNSURE, "", False),
        ("Ann", FieldStatus.UNSURE, 'filled = "hand"', True),
        ("", FieldStatus.OK, 'filled = "hand"', False),
    ],
)
def test_some_readings_are_seen_at_any_threshold(
    value: str, status: FieldStatus, rules: str, held: bool
) -> None:
    """A broken rule, a missing answer and handwriting are shown however sure the reader was."""
    taught = experience(answered(field("owner", value, status)), template(rules))
    assert (taught.held, taught.passed) == (held, status is FieldStatus.OK)


# How a field stands


def test_only_what_was_checked_counts_as_right_or_wrong() -> None:
    """Of ten that passed four were checked and one was wrong; what nobody saw adds no truth."""
    told = [*many(6, 0.95, None), *many(3, 0.95), (0.97, False), (0.5, True), (0.4, None)]
    found = standing(experiences(*told))
    assert (found.read, found.unseen, found.checked) == (12, 10, 5)
    assert (found.passed_checked, found.wrong, found.error) == (4, 1, 0.25)


def test_without_truth_there_is_no_error() -> None:
    """A field that nobody checked is not said to be without error."""
    found = standing(experiences(*many(5, 0.95, None)))
    assert (found.error, found.at_most) == (None, None)


@pytest.mark.parametrize("checked", [1, 5, 30, 200])
def test_the_upper_end_is_honest(checked: int) -> None:
    """Were the error as great as its upper end, so few wrong ones would be seen 1 time in 20."""
    for wrong in range(checked):
        error = upper_end(wrong, checked)
        seen = sum(
            math.comb(checked, n) * error**n * (1 - error) ** (checked - n)
            for n in range(wrong + 1)
        )
        assert seen <= 0.0501


def test_the_upper_end_shrinks_with_truth() -> None:
    """No wrong one of few says little; of many it says more; and all wrong is all wrong."""
    ends = [upper_end(0, n) for n in (1, 10, 100, 1000, 10_000)]
    assert ends == sorted(ends, reverse=True)
    assert (0.9 < ends[0] < 1, ends[-1] < 0.001, upper_end(9, 9)) == (True, True, 1.0)


# Thresholds


def test_the_lowest_threshold_that_keeps_an_error() -> None:
    """It lies right above the last reading that makes the error too great."""
    told = [*many(60, 0.9), *many(40, 0.8), (0.7, False), *many(20, 0.7), (0.6, False), (0.5, True)]
    found = threshold(experiences(*told), 0.01)
    assert found is not None
    assert (found.sure, found.checked, found.wrong) == (0.7, 121, 1)
    assert math.isclose(found.seen, 2 / 123)
    stricter = threshold(experiences(*told), 0.01 / 1.3)
    assert stricter is None
    assert lacking(experiences(*told), 0.01 / 1.3) == 130 - 100


def test_the_work_counts_all_readings() -> None:
    """What must be seen are readings below the threshold and those held, checked or not."""
    told = experiences(*many(40, 0.9), *many(49, 0.3, None), *many(2, 0.3, False))
    held = experiences(*many(9, 0.99, None), held=True)
    found = threshold([*told, *held], 0.02)
    assert found is None  # 40 cannot show one in fifty
    found = threshold([*told, *held], 0.03)
    assert found is not None
    assert (found.sure, found.seen) == (0.9, 0.6)


def test_held_readings_say_nothing_of_a_threshold() -> None:
    """Wrong ones that a person sees anyhow do not raise it."""
    told = [*experiences(*many(50, 0.8)), *experiences(*many(50, 0.9, False), held=True)]
    found = threshold(told, 0.05)
    assert found is not None
    assert (found.sure, found.wrong) == (0.8, 0)


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ([], 500),
        (many(499, 0.9), 1),
        (many(500, 0.9), 0),
        ([*many(100, 0.95), *many(300, 0.9, None)], 400),
        ([(0.99, False), *many(499, 0.9)], 0),
        ([(0.99, False), *many(498, 0.9)], 500),
        ([*many(100, 0.95), (0.9, False), *many(300, 0.8)], 400),
    ],
)
def test_too_little_truth_is_said(told: list[tuple[float, bool | None]], more: int) -> None:
    """0.2 % can be told from 500 checked readings; it is said how many are missing."""
    assert lacking(experiences(*told), 0.002) == more
    assert (threshold(experiences(*told), 0.002) is None) == (more > 0)


def test_a_coarse_error_needs_some_truth_too() -> None:
    """Nothing is told from a handful of readings, whatever error is allowed."""
    assert (needed(0.002), needed(0.01), needed(0.5)) == (500, 100, LEAST_CHECKED)


def test_a_threshold_is_one_that_a_template_may_have() -> None:
    """Where even readings of confidence 0 are right, it is still above 0."""
    found = threshold(experiences(*many(40, 0.0)), 0.1)
    assert found is not None
    assert 0 < found.sure < 0.01


def test_passing_tells_of_any_threshold() -> None:
    """The present threshold is held against another in the same terms."""
    found = passing(experiences((0.9, True), (0.9, False), (0.8, None), (0.7, True)), 0.8)
    assert (found.checked, found.wrong, found.seen) == (2, 1, 0.25)
    assert passing([], 0.8).seen == 0


# What the store holds


@pytest.fixture
def room(tmp_path: Path) -> Iterable[Room]:
    made = open_room(tmp_path)
    yield made
    made.store.close()


def bill(room: Room, machine: Field, digest: str, said: str | None = None) -> int:
    """File a bill as the machine read it, and say what a person said."""
    sha256 = room.hand_in(f"{machine.value} {said} {digest}".encode())
    filing.count_pages(room.store, sha256, 1)
    read = replace(page(1, "0" * 64), form="bill", form_page=1, template=digest, fields=(machine,))
    filing.save_page(room.store, "test", sha256, read, "k")
    made = replace(draft([1], machine), form="bill")
    number = filing.file_records(room.store, "test", sha256, [made])[0]
    if said is not None:
        viewer = room.store.system_viewer("test")
        before = room.store.document(number, viewer)
        corrected = replace(machine, value=said, status=FieldStatus.CORRECTED, confidence=1.0)
        correcting.correct(room.store, viewer, before, corrected, before)
    return number


def test_the_machines_own_reading_is_held_against_what_people_said(room: Room) -> None:
    """A correction does not hide what was read; a field that is no more is left out."""
    template = form()
    unsure = replace(field("owner", "Ann Hort", FieldStatus.UNSURE), confidence=0.4)
    first = bill(room, unsure, template.digest, "Ann Hart")
    second = bill(room, field("owner", "Bo Lund"), template.digest, "Bo Lund")
    third = bill(room, field("owner", "Cy Moor"), template.digest)
    bill(room, field("dog", "Rex"), template.digest, "Rex")
    found = list(gather(room.store, {"bill": template}))
    assert [(a.record, a.machine.value, a.said, a.right) for a in found] == [
        (first, "Ann Hort", "Ann Hart", False),
        (second, "Bo Lund", "Bo Lund", True),
        (third, "Cy Moor", None, None),
    ]
    assert found[0].machine == unsure


def test_one_form_or_all(room: Room) -> None:
    """Of another form, or of one whose template is gone, nothing is told."""
    template = form()
    bill(room, field("owner", "Ann"), template.digest)
    assert len(list(gather(room.store, {"bill": template}, "bill"))) == 1
    assert list(gather(room.store, {"bill": template}, "letter")) == []
    assert list(gather(room.store, {})) == []


def test_printings_are_told_apart(room: Room) -> None:
    """A page read with an older text of a printing still counts for that printing."""
    old, new = form(printing="1996"), form(printing="2004")
    before = TemplateText("older", "bill", "2004", "", "2020-01-01")
    filing.keep_templates(room.store, "test", [before])
    bill(room, field("owner", "Ann"), old.digest)
    bill(room, field("owner", "Bo"), new.digest)
    bill(room, field("owner", "Cy"), "older")
    found = gather(room.store, {f.key: f for f in (old, new)})
    assert [a.form for a in found] == ["bill@1996", "bill@2004", "bill@2004"]
