"""Changes of a form's template that verified records ask for: thresholds, lists, labels, zones.

Nothing here changes anything: what is proposed is for a person to accept.
"""

from __future__ import annotations

import statistics
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from rapidfuzz import fuzz

from digitize import toml_editing
from digitize.experience import (
    LEAST_CHECKED,
    Answered,
    Experience,
    passing,
    threshold,
    upper_end,
)
from digitize.form_file import parse_form
from digitize.forms import FieldTemplate, FormTemplate, Zone
from digitize.identify import letters
from digitize.verified import Placed
from records.errors import FormError

# People must have given a value, and print must stand at answers, in so many records.
_LEAST_GIVEN, _LEAST_LABELLED = 3, 3
# A text so like (rapidfuzz ratio, 0 to 100) a label is that label, read with a slip or two.
_LIKE_A_LABEL = 78
# Answers must stick out of a zone by so much (shares of the page) in so many records; it then gives
# way by so much at most.
_STICKS_OUT, _LEAST_OUT, _MOST_MOVED = 0.002, 10, 0.02
_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class Change:
    """One key of one field that should be another; ``why`` is the end of a sentence.

    ``field`` is as it would be then. ``items`` are what a list gains, ``numbers`` which of a zone's
    edges become what.
    """

    field: FieldTemplate
    key: str
    why: str
    items: tuple[str, ...] = ()
    numbers: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A template's text with the changes that were ``made``; ``dropped`` are sentences."""

    text: str
    made: tuple[Change, ...]
    dropped: tuple[str, ...]


def propose(
    form: FormTemplate,
    experiences: Mapping[str, Sequence[Experience]],
    verified: Sequence[Answered],
    placed: Sequence[Placed],
    sure: float,
) -> tuple[Change, ...]:
    """Return the changes of one template that its verified records ask for, field by field.

    ``experiences`` are by the field's name; ``sure`` is the threshold of fields without their own.
    """
    changes: list[Change | None] = []
    for field in form.fields:
        here = [p for p in placed if p.field == field.name]
        own = [v for v in verified if v.machine.name == field.name]
        others = [other for other in form.fields if other.name != field.name]
        changes += [
            other_threshold(field, experiences.get(field.name, ()), sure),
            more_values(field, own),
            more_labels(field, here, others),
            other_zone(field, here),
        ]
    return tuple(change for change in changes if change)


# Thresholds


def other_threshold(
    field: FieldTemplate, experiences: Sequence[Experience], sure: float
) -> Change | None:
    """Propose the threshold that keeps the field's ``max_error``, or else the promise of its own.

    A threshold of 0.9 promises that one reading in ten may be wrong at most. Where more of those
    that pass are, it is raised; where it holds back readings that by the 95 % bound keep the
    promise, it is lowered.
    """
    present = sure if field.sure is None else field.sure
    checked = sum(e.right is not None for e in experiences if not e.held)
    if checked < LEAST_CHECKED or field.filled == "hand":
        return None
    if field.max_error is not None:
        found = threshold(experiences, field.max_error)
        wanted = found.sure if found else None
    else:
        wanted = _raised(experiences, present) or _lowered(experiences, present)
    if wanted is None or not _differ(experiences, present, wanted):
        return None
    before, after = passing(experiences, present), passing(experiences, wanted)
    kept = "" if field.max_error is None else f" (max_error {field.max_error:g})"
    why = (
        f"{present:g} lets {before.wrong} wrong of {before.checked} checked pass, {wanted:g} lets "
        f"{after.wrong} of {after.checked}{kept}; a person sees {after.seen:.0%} instead of "
        f"{before.seen:.0%}"
    )
    return Change(replace(field, sure=wanted), "sure", why)


def _raised(experiences: Sequence[Experience], present: float) -> float | None:
    now, promise = passing(experiences, present), _promise(present)
    if now.checked < LEAST_CHECKED or now.wrong / now.checked <= promise:
        return None
    found = threshold(experiences, promise) if promise else None
    return found.sure if found and found.sure > present else None


def _promise(sure: float) -> float:
    """Return the error that a threshold allows: 0.1 of 0.9, and not a hair less."""
    return round(1 - sure, 6)


def _lowered(experiences: Sequence[Experience], present: float) -> float | None:
    """Return the lowest threshold below which so many held back were right as it promises."""
    held = [
        e for e in experiences if not e.held and e.right is not None and 0 < e.confidence < present
    ]
    held.sort(key=lambda e: -e.confidence)
    promise = _promise(present)
    count = wrong = 0
    lowest = None
    for sure, alike in groupby(held, key=lambda e: e.confidence):
        for each in alike:
            count += 1
            wrong += each.right is False
        if count >= LEAST_CHECKED and wrong / count <= promise >= upper_end(wrong, count):
            lowest = sure
    return lowest


def _differ(experiences: Iterable[Experience], one: float, other: float) -> bool:
    """Say whether two thresholds let other readings pass; checked ones where it would be raised."""
    low, high = sorted((one, other))
    between = [e for e in experiences if not e.held and low <= e.confidence < high]
    return any(e.right is not None or other < one for e in between)


# Lists


def more_values(field: FieldTemplate, verified: Sequence[Answered]) -> Change | None:
    """Propose values that people have given again and again, for a field that lists its own."""
    if not field.values:
        return None
    given = Counter(v.said for v in verified if v.said and v.said not in field.values)
    new = tuple(value for value, count in given.most_common() if count >= _LEAST_GIVEN)
    if not new:
        return None
    told = ", ".join(f"'{value}' {given[value]} times" for value in new)
    changed = replace(field, values=field.values + new)
    return Change(changed, "values", f"people gave {told}", items=new)


# Labels


def more_labels(
    field: FieldTemplate, placed: Sequence[Placed], others: Sequence[FieldTemplate]
) -> Change | None:
    """Propose what is printed left of verified answers, or above them, and is no known label."""
    strange = [label for other in others for label in (*other.labels, other.label)]
    for key, known in (("beside", field.beside), ("under", field.under)):
        if not known:
            continue
        texts = {(p.record, p.left if key == "beside" else p.above) for p in placed if p.by_other}
        new = [
            (text, count)
            for text, count in _alike(sorted(texts))
            if count >= _LEAST_LABELLED and not any(_like(text, t) for t in (*known, *strange))
        ]
        if new:
            labels = tuple(text for text, _ in new)
            told = ", ".join(f"'{text}' in {count} records" for text, count in new)
            where = "left of" if key == "beside" else "above"
            changed = replace(field, **{key: known + labels})  # type: ignore[arg-type]
            return Change(changed, key, f"{where} the answer stands {told}", items=labels)
    return None


def _alike(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    """Give each text, in its commonest spelling, with the number of records that have its like."""
    groups: list[list[str]] = []
    for _, text in texts:
        if text:
            group = next((g for g in groups if _like(g[0], text)), None)
            if group is None:
                groups.append([text])
            else:
                group.append(text)
    for group in groups:
        yield Counter(group).most_common(1)[0][0], len(group)


def _like(one: str, other: str) -> bool:
    return bool(fuzz.ratio(letters(one), letters(other)) >= _LIKE_A_LABEL)


# Zones


def other_zone(field: FieldTemplate, placed: Sequence[Placed]) -> Change | None:
    """Propose a zone that gives way to where verified answers stick out of it.

    Up or down it is moved where they leave room for that at its other edge, else it is widened;
    to the left and right, where answers are of any length, it is widened.
    """
    beyond = [p.beyond for p in placed if p.beyond is not None]
    if field.zone is None or len(beyond) < _LEAST_OUT:
        return None
    edges, told = list(field.zone), []
    for side, name in enumerate(_SIDES):
        out = [b[side] for b in beyond if b[side] > _STICKS_OUT]
        if len(out) < _LEAST_OUT:
            continue
        step = min(statistics.median(out), _MOST_MOVED) * (-1 if side < 2 else 1)
        other = (side + 2) % 4
        moved = side % 2 == 1 and all(b[other] < -abs(step) - _STICKS_OUT for b in beyond)
        for edge in (side, other) if moved else (side,):
            edges[edge] = round(min(1.0, max(0.0, edges[edge] + step)), 3)
        told.append(
            f"{len(out)} of {len(beyond)} answers stick out {_to(name)} by "
            f"{statistics.median(out):.1%} of the page, so it is {'moved' if moved else 'widened'} "
            f"by {abs(step):.1%}"
        )
    zone: Zone = (edges[0], edges[1], edges[2], edges[3])
    changed = tuple((i, f"{zone[i]:.3f}") for i in range(4) if zone[i] != field.zone[i])
    if not changed:
        return None
    return Change(replace(field, zone=zone), "zone", "; ".join(told), numbers=changed)


def _to(side: str) -> str:
    return f"to the {side}" if side in ("left", "right") else f"at the {side}"


# The text of the template


def edit(
    form: FormTemplate, text: str, changes: Iterable[Change], departments: frozenset[str]
) -> Edited:
    """Write changes into a template's text, one after another.

    One that would not come out as meant, or would make the template a bad one, is dropped.
    """
    assert form.path is not None
    made, dropped = list[Change](), list[str]()
    for change in changes:
        name = f"The key {change.key} of field '{change.field.name}' in '{form.path.name}'"
        if other := _in_the_way(form, change):
            dropped.append(
                f"{name} would reach into the zone of '{other}'; look at both, for {change.why}."
            )
            continue
        new = _written(text, change)
        try:
            read = parse_form(new, form.path, departments) if new is not None else None
        except FormError:
            read = None
        wanted = _changed(form, change)
        if new is None or read is None or _in_order(read) != _in_order(wanted):
            dropped.append(
                f"{name} is not written in a way that can be changed here; {_by_hand(change)}."
            )
            continue
        text, form = new, read
        made.append(change)
    return Edited(text, tuple(made), tuple(dropped))


def _changed(form: FormTemplate, change: Change) -> FormTemplate:
    """Return the form with what a change changes, and what an earlier one did to the same field."""
    fields = tuple(
        replace(f, **{change.key: getattr(change.field, change.key)})
        if f.name == change.field.name
        else f
        for f in form.fields
    )
    return replace(form, fields=fields)


def _in_order(form: FormTemplate) -> list[FieldTemplate]:
    """Return a form's fields for comparing: values that are looked up follow those listed."""
    return [replace(field, values=tuple(sorted(field.values))) for field in form.fields]


def _in_the_way(form: FormTemplate, change: Change) -> str | None:
    """Return the field whose zone another one would reach into that did not before."""
    old, new = form.field(change.field.name), change.field
    if change.key != "zone" or old is None or old.zone is None or new.zone is None:
        return None
    for other in form.fields:
        if other.name == new.name or other.zone is None or not set(other.pages) & set(new.pages):
            continue
        if _meet(new.zone, other.zone) and not _meet(old.zone, other.zone):
            return other.name
    return None


def _meet(one: Zone, other: Zone) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _written(text: str, change: Change) -> str | None:
    table = _table(text, change.field.name)
    if table is None:
        return None
    if change.items:
        return toml_editing.with_items(text, table, change.key, change.items)
    if change.numbers:
        return toml_editing.with_numbers(text, table, change.key, dict(change.numbers))
    return toml_editing.with_value(text, table, change.key, f"{change.field.sure}")


def _table(text: str, name: str) -> tuple[str, int] | None:
    rows: list[dict[str, Any]] = tomllib.loads(text)["fields"]
    return next((("fields", i) for i, row in enumerate(rows) if row["name"] == name), None)


def _by_hand(change: Change) -> str:
    """Say what a person is to write."""
    if change.items:
        return f"add {', '.join(map(toml_editing.quoted, change.items))} by hand, or to its lookup"
    value = getattr(change.field, change.key)
    return f"make it {list(value) if isinstance(value, tuple) else value} by hand"
