"""How well each field of each form is read, by what people have corrected and confirmed.

A field that a person has corrected or confirmed is ground truth: the machine was right when it had
read the same value. One that passed and nobody looked at says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from digitize.assemble import merged
from digitize.forms import FieldTemplate, Forms, FormTemplate, form_named
from records.answers import AnsweredRecord, answered_records
from records.model import Field, FieldStatus
from records.store import Store

# With fewer checked readings no threshold is said to keep anything.
LEAST_CHECKED = 30
# A template's ``sure`` must be above 0.
_LOWEST = 0.001
# A bound of 95 %, and how exactly it is told.
_ONE_IN_TWENTY, _EXACT = 0.05, 1e-7


@dataclass(frozen=True, slots=True)
class Answered:
    """One field of one record: the machine's reading, and what a person ``said``, if any did.

    ``form`` is the template's key, ``form_page`` the page of the form that it was read on.
    """

    record: int
    sha256: str
    form: str
    form_page: int
    machine: Field
    said: str | None

    @property
    def right(self) -> bool | None:
        """Say whether the machine had read what the person said; None where nobody did."""
        return None if self.said is None else self.machine.value == self.said


@dataclass(frozen=True, slots=True)
class Experience:
    """One reading of a field: did it pass unseen, and was it right (None: nobody looked).

    ``held`` is a reading that a person sees at any threshold: it breaks a rule, is missing, or is
    written by hand.
    """

    form: str
    field: str
    confidence: float
    passed: bool
    held: bool
    right: bool | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a field stands: readings in all, those that passed ``unseen``, and those ``checked``.

    ``passed_checked`` passed and were checked, ``wrong`` of them were wrong.
    """

    read: int
    unseen: int
    checked: int
    passed_checked: int
    wrong: int

    @property
    def error(self) -> float | None:
        """The share of wrong ones among those that passed and were checked."""
        return self.wrong / self.passed_checked if self.passed_checked else None

    @property
    def at_most(self) -> float | None:
        """The error's upper end, at 95 %."""
        return upper_end(self.wrong, self.passed_checked) if self.passed_checked else None


@dataclass(frozen=True, slots=True)
class Passing:
    """What a threshold ``sure`` lets pass.

    ``wrong`` of the ``checked`` readings that pass are wrong; ``seen`` (0 to 1) is the share of all
    readings that a person must see: the work that it costs.
    """

    sure: float
    checked: int
    wrong: int
    seen: float


def gather(store: Store, forms: Forms, form: str | None = None) -> Iterator[Answered]:
    """Give every field that was read of the records of one form, or of all, oldest first.

    Fields that the templates of today do not have are left out.
    """
    known = {template.digest: template.printing for template in store.templates()}
    for record in answered_records(store, form):
        template = _template(record, forms, known)
        if template is None:
            continue
        pages = {page.number: page.form_page for page in record.pages}
        for machine in merged(page.fields for page in record.pages).values():
            if template.field(machine.name):
                said = record.said.get(machine.name)
                place = pages.get(machine.page, 1)
                yield Answered(record.id, record.sha256, template.key, place, machine, said)


def _template(record: AnsweredRecord, forms: Forms, known: dict[str, str]) -> FormTemplate | None:
    """Return the template of today for the printing that a record was read as."""
    digest = record.pages[0].template
    printing = known.get(digest)
    same = (f for f in forms.values() if (f.name, f.printing) == (record.form, printing))
    return next(same, None) or form_named(forms, record.form, digest)


def experience(answered: Answered, template: FieldTemplate) -> Experience:
    """Return what one answer teaches about its field."""
    machine = answered.machine
    empty = template.required and not machine.value
    by_hand = template.filled == "hand" and bool(machine.value)
    return Experience(
        form=answered.form,
        field=machine.name,
        confidence=machine.confidence,
        passed=machine.status is FieldStatus.OK,
        held=empty or by_hand or machine.status in (FieldStatus.INVALID, FieldStatus.MISSING),
        right=answered.right,
    )


def by_field(answers: Iterable[Answered], forms: Forms) -> dict[tuple[str, str], list[Experience]]:
    """Return experiences by the key of their form and the name of their field."""
    found: dict[tuple[str, str], list[Experience]] = {}
    for answered in answers:
        template = forms[answered.form].field(answered.machine.name)
        if template:
            key = answered.form, template.name
            found.setdefault(key, []).append(experience(answered, template))
    return found


def standing(experiences: Sequence[Experience]) -> Standing:
    """Count how a field stands."""
    passed = [e for e in experiences if e.passed]
    return Standing(
        read=len(experiences),
        unseen=len(passed),
        checked=sum(e.right is not None for e in experiences),
        passed_checked=sum(e.right is not None for e in passed),
        wrong=sum(e.right is False for e in passed),
    )


def upper_end(wrong: int, checked: int, chance: float = _ONE_IN_TWENTY) -> float:
    """Return the error at which so few wrong ones would be seen one time in twenty.

    It is the exact 95 % bound of Clopper and Pearson (1934, Biometrika 26: 404), by bisection, or
    that of another ``chance``. It stays honest where none is wrong: 0 of 30 may still be 9.5 %.
    """
    low, high = wrong / checked, 1.0
    while high - low > _EXACT:
        middle = (low + high) / 2
        if _chance(wrong, checked, middle) > chance:
            low = middle
        else:
            high = middle
    return high


def interval(wrong: int, checked: int) -> tuple[float, float]:
    """Return the two ends between which an error lies, at 95 %, by the same method."""
    low = 1 - upper_end(checked - wrong, checked, _ONE_IN_TWENTY / 2)
    return max(low, 0.0), upper_end(wrong, checked, _ONE_IN_TWENTY / 2)


def _chance(wrong: int, checked: int, error: float) -> float:
    """Return the chance (0 to 1) of ``wrong`` or fewer among so many, at an error above 0."""
    all_ways = math.lgamma(checked + 1)
    return math.fsum(
        math.exp(
            all_ways - math.lgamma(n + 1) - math.lgamma(checked - n + 1)
            + n * math.log(error) + (checked - n) * math.log1p(-error)
        )
        for n in range(wrong + 1)
    )  # fmt: skip


def passing(experiences: Sequence[Experience], sure: float) -> Passing:
    """Say what a threshold lets pass, and what must be seen."""
    passed = [e for e in experiences if not e.held and e.confidence >= sure]
    return Passing(
        sure=sure,
        checked=sum(e.right is not None for e in passed),
        wrong=sum(e.right is False for e in passed),
        seen=1 - len(passed) / len(experiences) if experiences else 0.0,
    )


def needed(max_error: float) -> int:
    """Return how many checked readings it takes: one wrong must be no more than ``max_error``."""
    return max(LEAST_CHECKED, math.ceil(1 / max_error))


def threshold(experiences: Sequence[Experience], max_error: float) -> Passing | None:
    """Return the lowest threshold from which the checked readings keep ``max_error``.

    None where too few have been checked to say so of any; ``lacking`` says how many. Those that a
    person must see are checked most, and people save what was wrong more often than they confirm
    what was right: both make an error look greater than it is, and the threshold a careful one.
    """
    kept = [t for t in _tails(experiences, max_error) if t[1] >= needed(max_error)]
    return passing(experiences, max(_LOWEST, kept[-1][0])) if kept else None


def lacking(experiences: Sequence[Experience], max_error: float) -> int:
    """Return how many more right readings must be checked before a threshold can be told; or 0."""
    most = max((checked for _, checked in _tails(experiences, max_error)), default=0)
    return max(0, needed(max_error) - most)


def _tails(experiences: Iterable[Experience], max_error: float) -> list[tuple[float, int]]:
    """Return the thresholds that keep an error, the highest first, with how many are checked."""
    checked = [e for e in experiences if not e.held and e.right is not None]
    checked.sort(key=lambda e: -e.confidence)
    count = wrong = 0
    found = []
    for sure, alike in groupby(checked, key=lambda e: e.confidence):
        for each in alike:
            count += 1
            wrong += each.right is False
        if wrong / count <= max_error:
            found.append((sure, count))
    return found
