"""The answers on a page that is a known form: places, words, marks, values, reasons."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from digitize import image as pixels
from digitize import values
from digitize.forms import FieldTemplate, FormTemplate
from digitize.identify import Identified, Registration, Spelled, find_text, letters, register, spell
from ocr.calibration import Kind, shipped
from records.geometry import Box, union
from records.model import Field, FieldStatus, Line, Word

# Shares of ink (0 to 1): a tick box holds a mark above the first, none below the second.
_MARKED, _UNMARKED = 0.10, 0.045
_SIGNED = 0.008
_SOMETHING_WRITTEN = 0.004
# A gap of so many letter heights parts an answer from the next thing on its line.
_WIDE_GAP = 2.5
# How sure a reading is that was taken for the sake of a rule.
_BY_THE_RULES = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in a field's place, before rules: raw text, its words' box, how sure (0 to 1).

    ``others`` are what the text would be had another reader been believed for one of its words.
    """

    raw: str
    box: Box | None
    confidence: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageView:
    """A page to take answers from: its words, its pixels, and where the template lies on it."""

    lines: tuple[Line, ...]
    spelled: tuple[Spelled, ...]
    image: pixels.Grey
    place: Registration
    reader: str
    number: int


def extract(
    identified: Identified, lines: tuple[Line, ...], image: pixels.Grey, number: int, reader: str,
    sure: float, reading: values.Reading,
) -> tuple[Field, ...]:  # fmt: skip
    """Return the fields that stand on this page of the form, in the form's order."""
    size = (image.shape[1], image.shape[0])
    view = PageView(lines, spell(lines), image, register(identified, size), reader, number)
    return tuple(
        make_field(
            template, _answer(template, view, identified.form), number, reader, sure, reading
        )
        for template in identified.form.fields_on(identified.page)
    )


def make_field(
    template: FieldTemplate, answer: Answer, page: int, reader: str, sure: float,
    reading: values.Reading,
) -> Field:  # fmt: skip
    """Normalise an answer, hold it against the field's rules, and say what is in doubt."""
    answer = _unless_a_rule_breaks(template, answer, reading)
    value, fault = judge(template, answer.raw, reading)
    confidence = round(answer.confidence, 3)
    reasons: list[str] = []
    status = FieldStatus.OK
    if confidence < sure:
        status = FieldStatus.UNSURE
        reasons.append("unsure: the reading is not certain")
    if fault:
        status = FieldStatus.INVALID
        reasons.append(f"breaks a rule: {fault}")
    if not value and template.required and confidence >= sure:
        status = FieldStatus.MISSING
        reasons = ["missing: nothing is written here"]
    return Field(
        name=template.name,
        label=template.label,
        kind=template.kind,
        raw=answer.raw,
        value=value,
        confidence=confidence,
        page=page,
        box=answer.box,
        status=status,
        reasons=tuple(reasons),
        reader=reader,
    )


def _unless_a_rule_breaks(
    template: FieldTemplate, answer: Answer, reading: values.Reading
) -> Answer:
    """Take another reader's word where the answer breaks a rule and keeps it with that word.

    It was the less likely reading, so a person is asked to look.
    """
    if judge(template, answer.raw, reading)[1] is None:
        return answer
    for other in answer.others:
        value, fault = judge(template, other, reading)
        if value and fault is None:
            return replace(answer, raw=other, confidence=min(answer.confidence, _BY_THE_RULES))
    return answer


def judge(
    template: FieldTemplate, raw: str, reading: values.Reading, typed: bool = False
) -> tuple[str, str | None]:
    """Return an answer's value, and the rule it breaks (the end of a sentence) or None."""
    found = values.normalise(template.kind, raw, reading, typed)
    value, fault = found.text, found.fault
    allowed = template.values or tuple(o.value for o in template.options)
    if value and allowed:
        near = values.nearest(value, allowed)
        if near is None:
            return value, f"is none of: {', '.join(allowed)}"
        value = near
    if value and template.pattern and not re.fullmatch(template.pattern, value):
        joined = "".join(value.split())  # a reader often parts what was written in one
        value = joined if re.fullmatch(template.pattern, joined) else value
    if value and fault is None:
        fault = values.broken_rule(
            template.kind, value, template.pattern, template.minimum, template.maximum
        )
    return value, fault


def _answer(template: FieldTemplate, view: PageView, form: FormTemplate) -> Answer:
    match template.kind:
        case "choice":
            return _choice(template, view)
        case "tick":
            return _tick(template, view)
        case "signature":
            return _signature(template, view)
    zone = _zone(template, view, form)
    if zone is None:
        return Answer("", None, 0.0)
    return _written(zone, view, template.label, by_label=template.zone is None)


def _written(zone: Box, view: PageView, label: str, by_label: bool) -> Answer:
    """Return the words whose middle lies in a zone, without the printed label's own."""
    found: list[Word] = []
    for line in view.lines:
        inside = [w for w in line.words if _inside(w.box, zone) and letters(w.text)]
        answer = _without_label(inside, label)
        found.extend(_until_gap(answer) if by_label else answer)
    box = union([w.box for w in found])
    if not found:
        inner = _inset(zone, 0.02, 0.15)
        written = pixels.ink_share(view.image, inner) > _SOMETHING_WRITTEN
        return Answer("", zone, 0.0 if written else 1.0 if view.place.trusted else 0.5)
    raw = " ".join(w.text for w in found)
    all_right = math.prod(w.confidence for w in found)
    confidence = shipped().probability(Kind.FIELD, all_right)
    confidence = confidence if view.place.trusted else min(confidence, 0.5)
    return Answer(raw, box, confidence, _other_readings(found))


def _other_readings(words: list[Word]) -> tuple[str, ...]:
    """Return the text of words with one reading after another exchanged for its alternative."""
    texts = [word.text for word in words]
    found = []
    for i, word in enumerate(words):
        for taken in word.readings:
            count = taken.text.count(" ") + 1
            if " ".join(texts[i : i + count]) == taken.text:
                others = (r.text for r in word.readings if r.text != taken.text)
                found += [" ".join([*texts[:i], text, *texts[i + count :]]) for text in others]
    return tuple(dict.fromkeys(found))


def _without_label(words: list[Word], label: str) -> list[Word]:
    """Drop the printed label where it stands whole, and its words where the answer begins."""
    if not words:
        return []
    printed = find_text(label, spell([Line(tuple(words))]))
    left = [w for w in words if not printed or w not in printed[0]]
    own = [letters(part) for part in label.split() if len(letters(part)) > 1]
    while left and any(fuzz.ratio(letters(left[0].text), part) >= 80 for part in own):
        left = left[1:]
    return left


def _until_gap(words: list[Word]) -> list[Word]:
    """Keep the words up to the first wide gap: beyond it stands something else of the form."""
    kept = words[:1]
    for word in words[1:]:
        if word.box.left - kept[-1].box.right > _WIDE_GAP * max(kept[-1].box.height, 1):
            break
        kept.append(word)
    return kept


def _inside(box: Box, zone: Box) -> bool:
    x, y = box.centre
    return zone.left <= x <= zone.right and zone.top <= y <= zone.bottom


def _inset(box: Box, x_share: float, y_share: float) -> Box:
    dx, dy = round(box.width * x_share), round(box.height * y_share)
    return Box(box.left + dx, box.top + dy, box.right - dx, box.bottom - dy)


def _zone(template: FieldTemplate, view: PageView, form: FormTemplate) -> Box | None:
    """Return the pixels in which an answer stands: its zone, or beside or under its label."""
    if template.zone is not None:
        return view.place.box(template.zone)
    label = template.beside or template.under or ""
    hit = find_text(label, view.spelled)
    box = union([w.box for w in hit[0]]) if hit else None
    if box is None:
        return None
    height, width = view.image.shape
    reach = box.height * 2
    if template.beside:
        area = Box(box.right + 2, box.top - reach // 2, width, box.bottom + reach // 2)
    else:
        area = Box(box.left - reach, box.bottom + 1, width, min(height, box.bottom + reach * 2))
    return _until_next_label(area, template, view, form)


def _until_next_label(
    area: Box, template: FieldTemplate, view: PageView, form: FormTemplate
) -> Box:
    """Cut an area off where the next printed label or another field's zone begins."""
    right = area.right
    middle = (area.top + area.bottom) // 2
    for other in form.fields_on(template.page):
        if other.name == template.name:
            continue
        if other.zone is not None:
            zone = view.place.box(other.zone)
            if zone.top <= middle <= zone.bottom and zone.left > area.left:
                right = min(right, zone.left)
        hit = find_text(other.beside or other.under or other.label, view.spelled)
        box = union([w.box for w in hit[0]]) if hit else None
        if box and box.left > area.left and box.top < area.bottom and box.bottom > area.top:
            right = min(right, box.left)
    return Box(area.left, area.top, right, area.bottom)


def _choice(template: FieldTemplate, view: PageView) -> Answer:
    marks = []
    for option in template.options:
        square = pixels.find_tick_box(view.image, view.place.box(option.zone))
        marks.append((pixels.ink_share(view.image, _inset(square, 0.2, 0.2)), option.value, square))
    marks.sort(key=lambda m: -m[0])
    most, value, square = marks[0]
    if most < _UNMARKED:
        return Answer("", None, 1.0 if view.place.trusted else 0.4)
    clear = most >= _MARKED and marks[1][0] < min(_MARKED, most * 0.5)
    confidence = 0.95 if clear and view.place.trusted else 0.4
    return Answer(value, square, confidence)


def _tick(template: FieldTemplate, view: PageView) -> Answer:
    if template.zone is None:
        return Answer("", None, 0.0)
    square = pixels.find_tick_box(view.image, view.place.box(template.zone))
    ink = pixels.ink_share(view.image, _inset(square, 0.2, 0.2))
    clear = (ink >= _MARKED or ink < _UNMARKED) and view.place.trusted
    return Answer(
        "yes" if ink >= (_MARKED + _UNMARKED) / 2 else "no", square, 0.95 if clear else 0.4
    )


def _signature(template: FieldTemplate, view: PageView) -> Answer:
    if template.zone is None:
        return Answer("", None, 0.0)
    zone = view.place.box(template.zone)
    ink = pixels.ink_share(view.image, _inset(zone, 0.01, 0.05))
    signed = ink >= _SIGNED
    clear = (ink >= 2 * _SIGNED or ink < _SIGNED / 2) and view.place.trusted
    return Answer("signed" if signed else "", zone, 0.9 if clear else 0.4)
