"""The answers on a page that is a known form: places, words, marks, values, reasons."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from digitize import image as pixels
from digitize import places, second_look, stamps, values
from digitize.forms import Comparison, FieldTemplate, FormTemplate
from digitize.identify import Found, Identified, register, spell
from digitize.marks import Mark, MarkState, read_marks
from digitize.places import Marks, PageView, Stand
from digitize.registration import Registration
from ocr.calibration import Kind, shipped
from ocr.reading import ReaderError
from records.geometry import Box, union
from records.model import Field, FieldStatus, Line, Word

Rows = tuple[tuple[Word, ...], ...]

# A mark is clear that is read so surely, and its field then so sure; else a person looks at it.
_CLEAR, _SURE_MARK, _NOT_SURE = 0.75, 0.95, 0.4
# Shares of ink (0 to 1) in a field.
_SIGNED = 0.008
_SOMETHING_WRITTEN = 0.004
# How sure a reading is that was taken for the sake of a rule.
_BY_THE_RULES = 0.5
# A printed line that lies further (share of the page's width) from its place is another text.
_OUT_OF_PLACE = 0.03
_NOT_HERE = "its place is not on this scan"
_UNREAD = "something is written here that could not be read"
# A letter or two that were read less surely may be a speck.
_NOISE = 0.5
# How sure an answer is at most that one reader alone has seen: too little to pass unseen.
_BY_ONE = 0.85
# How sure an answer is at most where its form could not be placed.
_NOT_PLACED = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in a field's place, before rules: raw text, its words' box, how sure (0 to 1).

    ``by`` is what it was found by: zone, label, field or page. ``others`` are what the text would
    be had another reader been believed for one of its words. ``why`` says what is in doubt beside
    the reading.
    """

    raw: str
    box: Box | None
    confidence: float
    by: str
    others: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a page is to be asked for its answers.

    ``sure`` is the confidence from which a value passes unseen; ``second`` are the languages for
    the second reader, none where it is not to look.
    """

    sure: float
    reading: values.Reading
    second: tuple[str, ...] = ()


def extract(
    identified: Identified, lines: tuple[Line, ...], image: pixels.Grey, number: int, reader: str,
    asked: Asked,
) -> tuple[Field, ...]:  # fmt: skip
    """Return the fields that stand on this page of the form, in the form's order."""
    size = (image.shape[1], image.shape[0])
    place = register(identified, size)
    known = (*identified.found, *identified.placed)
    printed = frozenset(word for f in known if _in_its_place(f, place, size) for word in f.words)
    view = PageView(
        lines, spell(lines), image, place, printed, reader, number, identified.page, asked.reading,
        asked.second, _marks(identified.form, identified.page, place, image),
    )  # fmt: skip
    form = identified.form
    found: dict[str, Field] = {}
    templates = form.fields_on(identified.page)
    for template in templates:
        answer = _answer(template, view, form, found)
        found[template.name] = make_field(template, answer, number, reader, asked)
    return tuple(compared(found[t.name], t.compare, found) for t in templates)


def _in_its_place(found: Found, place: Registration, size: tuple[int, int]) -> bool:
    """Say whether a printed line stands where the form has it: an answer may say the same."""
    if found.anchor.box is None or not place.trusted:
        return True
    (x, y), (there_x, there_y) = found.box.centre, place.box(found.anchor.box).centre
    return max(abs(x - there_x), abs(y - there_y)) <= _OUT_OF_PLACE * size[0]


def compared(field: Field, rules: tuple[Comparison, ...], others: Mapping[str, Field]) -> Field:
    """Hold a field against others, where both have values of their kind."""
    if field.status is FieldStatus.INVALID or not field.value:
        return field
    for rule in rules:
        other = others.get(rule.other)
        if other is None or not other.value or other.status is FieldStatus.INVALID:
            continue
        if not values.keeps(field.value, rule.operator, other.value, field.kind):
            said = f"breaks a rule: is not {rule.operator} {other.label} ({other.value})"
            return replace(field, status=FieldStatus.INVALID, reasons=(*field.reasons, said))
    return field


def make_field(
    template: FieldTemplate, answer: Answer, page: int, reader: str, asked: Asked
) -> Field:
    """Normalise an answer, hold it against the field's rules, and say what is in doubt."""
    sure = asked.sure if template.sure is None else template.sure
    answer = _unless_a_rule_breaks(template, answer, asked.reading)
    value, fault = judge(template, answer.raw, asked.reading)
    confidence = round(answer.confidence, 3)
    reasons: list[str] = []
    status = FieldStatus.OK
    if confidence < sure:
        status = FieldStatus.UNSURE
        reasons.append(_why_unsure(answer))
    elif template.filled == "hand" and value:
        status = FieldStatus.UNSURE
        reasons.append("unsure: it is written by hand")
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
        found_by=answer.by,
    )


def _why_unsure(answer: Answer) -> str:
    if answer.why:
        return f"unsure: {answer.why}"
    differ = [other for other in answer.others if other != answer.raw]
    if differ and answer.confidence > 0:
        return f"readers disagree: it may be '{differ[0]}'"
    return "unsure: the reading is not certain"


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
        same = (one for one in allowed if one.casefold() == value.casefold())
        near = next(same, None) if typed else values.nearest(value, allowed)
        if near is None:
            return value, f"is none of: {', '.join(allowed)}"
        value = near
    if template.kind == "identifier" and template.pattern and not typed:
        whole = [w for w in raw.split() if re.fullmatch(template.pattern, w)]
        value = whole[0] if len(whole) == 1 else value
    if value and template.pattern and not typed and not re.fullmatch(template.pattern, value):
        joined = "".join(value.split())  # a reader often parts what was written in one
        value = joined if re.fullmatch(template.pattern, joined) else value
    if value and fault is None:
        fault = values.broken_rule(
            template.kind, value, template.pattern, template.minimum, template.maximum
        )
    return value, fault


def _answer(
    template: FieldTemplate, view: PageView, form: FormTemplate, before: Mapping[str, Field]
) -> Answer:
    match template.kind:
        case "choice":
            return _choice(template, view)
        case "tick":
            return _tick(template, view)
        case "signature":
            return _signature(template, view)
        case "stamp":
            return _stamp(template, view, form, before)
        case "table":
            return _table(template, view)
    return _written(template, view, form, before)


def _written(
    template: FieldTemplate, view: PageView, form: FormTemplate, before: Mapping[str, Field]
) -> Answer:
    """Return what is written at the first place where it keeps the field's rules.

    At a label it must also have the look of its kind, if that has any; where it nowhere has, any
    look will do. Failing that, it is what stands at the first place where anything is written, or
    where it should be.
    """
    first: Answer | None = None
    keeps: Answer | None = None
    likely: list[Answer] = []
    for stand in places.stands(template, view, form, before):
        answer = _at(stand, template, view)
        if answer.raw and judge(template, answer.raw, view.reading)[1] is None:
            if stand.by == "zone":
                return _of_several(likely, template, view) if likely else answer
            if _has_its_look(template, answer.raw, view):
                likely.append(answer)
            keeps = keeps or answer
        if first is None or (answer.raw and not first.raw):
            first = answer
    if likely and first and first.by == "zone" and view.place.trusted:
        found = _of_several(likely, template, view)
        why = f"its place holds '{first.raw}'" if first.raw else "its place is empty"
        return replace(found, confidence=min(found.confidence, _NOT_PLACED), why=why)
    if likely:
        return _of_several(likely, template, view)
    found = keeps or first or Answer("", None, 0.0, "")
    in_doubt = not found.raw or judge(template, found.raw, view.reading)[1] is not None
    if in_doubt and found.confidence < 1.0 and view.second and template.zone and view.place.trusted:
        return _closer(template, view) or found
    return found


def _of_several(likely: Sequence[Answer], template: FieldTemplate, view: PageView) -> Answer:
    """Return the likeliest answer; in doubt where other places of its kind say otherwise."""
    first = likely[0]
    value = judge(template, first.raw, view.reading)[0]
    others = (a for a in likely[1:] if a.by == first.by)
    other = next((a for a in others if judge(template, a.raw, view.reading)[0] != value), None)
    if other is not None:
        why = f"it may also be '{other.raw}'"
        return replace(first, confidence=min(first.confidence, _NOT_PLACED), why=why)
    return (
        first if first.by != "field" else replace(first, confidence=min(first.confidence, _BY_ONE))
    )


def _closer(template: FieldTemplate, view: PageView) -> Answer | None:
    """Let the second reader look at a field's place alone; return what keeps the field's rules."""
    assert template.zone is not None
    area = view.place.box(template.zone)
    try:
        lines = second_look.lines_in(view.image, area, view.printed, view.lines, view.second)
    except ReaderError:
        return None
    rows = places.rows_of([line.words for line in lines], template.lines)
    answer = _at(Stand(area, rows, "zone"), template, view)
    value, fault = judge(template, answer.raw, view.reading)
    if not value or fault is not None:
        return None
    return replace(answer, confidence=min(answer.confidence, _BY_ONE))


def _has_its_look(template: FieldTemplate, raw: str, view: PageView) -> bool:
    if template.kind not in values.RECOGNISABLE and not template.pattern:
        return True
    return bool(values.recognised(template.kind, template.pattern, raw, view.reading.region))


def _at(stand: Stand, template: FieldTemplate, view: PageView) -> Answer:
    """Return what is written at one place, and how sure it is."""
    words = _wanted(stand, template, view)
    if not words and _is_cut_off(stand.area, view):
        return Answer("", None, 0.0, stand.by, why=_NOT_HERE)
    if not words:
        inner = _inset(stand.area, 0.02, 0.15)
        if _ink_beside_print(inner, view) > _SOMETHING_WRITTEN:
            took = template.take and any(stand.rows)
            why = f"none of 'take' matches '{_text(stand.rows)}'" if took else _UNREAD
            return Answer("", stand.area, 0.0, stand.by, why=why)
        sure = 1.0 if view.place.trusted or stand.by != "zone" else _NOT_PLACED
        return Answer("", stand.area, sure, stand.by)
    raw = " ".join(w.text for w in words)
    all_right = math.prod(w.confidence for w in words)
    sure = shipped().probability(Kind.FIELD, all_right)
    if stand.by == "zone" and not view.place.trusted:
        sure = min(sure, _NOT_PLACED)
    why = _doubt(stand, words, template, view)
    if why:
        sure = min(sure, _NOT_PLACED)
    return Answer(raw, union([w.box for w in words]), sure, stand.by, _other_readings(words), why)


def _doubt(stand: Stand, words: Sequence[Word], template: FieldTemplate, view: PageView) -> str:
    """Say what is in doubt about words that were taken: some left out beside them, or an edge."""
    box = union([w.box for w in words])
    if box is None:
        return ""
    width = view.image.shape[1]
    leaves = stand.area.left < 0 or stand.area.right > width
    if leaves and (box.left < box.height or box.right > width - box.height):
        return "it may go on beyond the edge of this scan"
    if template.take or template.filled == "hand" or stand.by != "zone":
        return ""
    kept = {id(row) for row in stand.rows if any(w in row for w in words)}
    for row in stand.rows:
        for word in row:
            near = id(row) in kept and _gap(word.box, box) <= box.height
            dropped = word not in words and word.confidence < _NOISE
            if dropped and near and any(c.isdigit() for c in word.text):
                return f"'{word.text}' beside it was hardly read"
    return ""


def _gap(one: Box, other: Box) -> int:
    return max(one.left - other.right, other.left - one.right, 0)


def _ink_beside_print(area: Box, view: PageView) -> float:
    """Return the share (0 to 1) of a place that is ink and not the form's own print."""
    part, _ = pixels.cut_out(view.image, area, [word.box for word in view.printed])
    return pixels.ink_share(part, pixels.whole(part))


def _is_cut_off(area: Box, view: PageView) -> bool:
    """Say whether more than half of a place lies beyond the page."""
    return area.overlap(pixels.whole(view.image)) * 2 <= max(0, area.width) * max(0, area.height)


def _without_noise(rows: Rows) -> Rows:
    """Drop what stands beside a typed answer and is none: specks, a signature's strokes.

    Those are rows that were hardly read where another was, and letters at a row's ends.
    """
    if any(_is_surely_read(row) for row in rows):
        rows = tuple(row for row in rows if max(w.confidence for w in row) >= _NOISE)
    return tuple(_trimmed(row) for row in rows)


def _is_surely_read(row: Sequence[Word]) -> bool:
    return min(w.confidence for w in row) >= _NOISE and sum(len(w.text) for w in row) >= 3


def _trimmed(row: tuple[Word, ...]) -> tuple[Word, ...]:
    while len(row) > 1 and _is_noise(row[0]) and not _is_noise(row[1]):
        row = row[1:]
    while len(row) > 1 and _is_noise(row[-1]) and not _is_noise(row[-2]):
        row = row[:-1]
    return row


def _is_noise(word: Word) -> bool:
    return word.confidence < _NOISE and sum(c.isalnum() for c in word.text) <= 2


def _wanted(stand: Stand, template: FieldTemplate, view: PageView) -> list[Word]:
    """Keep the words that ``take`` wants, or at a label what has the look of the kind, if any has.

    Beside a label there may be more than the answer; in a zone there should not.
    """
    rows = stand.rows if template.filled == "hand" else _without_noise(stand.rows)
    words = [word for row in rows for word in row]
    if template.take:
        span = _taken(template.take, _text(rows))
        return _words_between(rows, span) if span else []
    if stand.by == "zone" or not words:
        return words
    spans = values.recognised(template.kind, template.pattern, _text(rows), view.reading.region)
    return _words_between(rows, spans[0]) if spans else words


def _taken(patterns: Sequence[str], text: str) -> tuple[int, int] | None:
    """Return what the first pattern that is found takes of a text: its group, if it has one."""
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            own = (i for i, g in enumerate(match.groups(), 1) if g is not None)
            return match.span(next(own, 0))
    return None


def _text(rows: Sequence[Sequence[Word]]) -> str:
    """Return the text of rows of words, a line each."""
    return "\n".join(" ".join(word.text for word in row) for row in rows)


def _words_between(rows: Sequence[Sequence[Word]], span: tuple[int, int]) -> list[Word]:
    """Return the words that a span of ``_text`` covers, what lies outside it cut off."""
    found: list[Word] = []
    start = 0
    for word in (word for row in rows for word in row):
        first, last = max(span[0] - start, 0), min(span[1] - start, len(word.text))
        text = word.text[first:last] if first < last else ""
        if text == word.text:
            found.append(word)
        elif text.strip(" ,;:"):
            box = word.box.letters(first, last, len(word.text))
            found.append(replace(word, text=text, box=box, readings=()))
        start += len(word.text) + 1
    return found


def _stamp(
    template: FieldTemplate, view: PageView, form: FormTemplate, before: Mapping[str, Field]
) -> Answer:
    """Return the date of a stamp: at its label, or any way round in its zone.

    Of the dates in a zone those that do not stand upright come first: others may be typed.
    """
    if template.labels:
        found = _written(replace(template, zone=None), view, form, before)
        if _is_date(template, found, view):
            return found
    area = view.place.box(template.zone) if template.zone else None
    if area and view.second:
        try:
            dates = stamps.stamped_dates(view.image, area, view.lines, view.second)
        except ReaderError:
            dates = ()
        answers = [Answer(d.text, d.box, d.probability, "zone") for d in dates]
        answers = [answer for answer in answers if _is_date(template, answer, view)]
        if answers:
            return _of_several(answers, template, view)
    upright = list(_upright_dates(template, view)) if area and not template.labels else []
    if not upright:
        return Answer("", area, 0.0, "zone")
    why = "it stands upright, and may be typed"
    return replace(upright[0], confidence=min(upright[0].confidence, _NOT_PLACED), why=why)


def _is_date(template: FieldTemplate, answer: Answer, view: PageView) -> bool:
    value, fault = judge(template, answer.raw, view.reading)
    return bool(value) and fault is None


def _upright_dates(template: FieldTemplate, view: PageView) -> Iterator[Answer]:
    zone = template.zone or (0.0, 0.0, 1.0, 1.0)
    area = view.place.box(zone)
    anywhere = replace(template, anywhere=True, pattern=None, zone=None, beside=(), under=())
    for stand in places.anywhere(anywhere, view):
        if area.holds(stand.area):
            answer = _at(stand, anywhere, view)
            if _is_date(template, answer, view):
                yield answer


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


def _inset(box: Box, x_share: float, y_share: float) -> Box:
    dx, dy = round(box.width * x_share), round(box.height * y_share)
    return Box(box.left + dx, box.top + dy, box.right - dx, box.bottom - dy)


def _marks(form: FormTemplate, page: int, place: Registration, image: pixels.Grey) -> Marks:
    """Read all tick boxes of a page together: they show what an empty one looks like on it."""
    boxes = [
        place.box(zone)
        for field in form.fields_on(page)
        for zone in (*(o.zone for o in field.options), *((field.zone,) if field.zone else ()))
        if field.kind in ("choice", "tick")
    ]
    return dict(zip(boxes, read_marks(image, boxes), strict=True))


def _choice(template: FieldTemplate, view: PageView) -> Answer:
    seen = [(view.marks[view.place.box(o.zone)], o.value) for o in template.options]
    sure = min(_sure_of(mark, view) for mark, _ in seen)
    lost = [value for mark, value in seen if not mark.found]
    why = f"no box was found for '{lost[0]}'" if lost else ""
    marked = sorted(
        ((mark, value) for mark, value in seen if mark.state is MarkState.MARKED),
        key=lambda m: -m[0].ink,
    )
    if not marked:
        return Answer("", seen[0][0].box, sure, "zone", why=why)
    mark, value = marked[0]
    if len(marked) > 1:
        why = f"'{marked[1][1]}' is marked as well"
        sure = min(sure, _NOT_SURE)
    return Answer(value, mark.box, sure, "zone", why=why)


def _tick(template: FieldTemplate, view: PageView) -> Answer:
    if template.zone is None:
        return Answer("", None, 0.0, "")
    mark = view.marks[view.place.box(template.zone)]
    ticked = "yes" if mark.state is MarkState.MARKED else "no"
    why = "" if mark.found else "no box was found here"
    return Answer(ticked, mark.box, _sure_of(mark, view), "zone", why=why)


def _sure_of(mark: Mark, view: PageView) -> float:
    if not view.place.trusted or mark.confidence < _CLEAR:
        return min(mark.confidence, _NOT_SURE)
    return max(mark.confidence, _SURE_MARK)


def _table(template: FieldTemplate, view: PageView) -> Answer:
    """Return the rows of a table, a line each, with bars between its columns.

    What stands in a column is told by the headings: the nearest one's. A row is a line of text.
    """
    if template.zone is None:
        return Answer("", None, 0.0, "")
    area = view.place.box(template.zone)
    inside = places.runs_in(area, view)
    heads = places.headings(template.columns, area, view)
    if heads is None:
        return Answer("", area, 0.0, "zone")
    below = max(box.bottom for box in heads)
    under = ([w for w in run if w.box.centre[1] > below] for run in inside)
    rows = places.rows_of(under, template.lines)
    if not rows:
        room = Box(area.left, below + 2, area.right, area.bottom)
        if _ink_beside_print(room, view) > _SOMETHING_WRITTEN:
            return Answer("", area, 0.0, "zone", why=_UNREAD)
        return Answer("", area, 1.0 if view.place.trusted else _NOT_PLACED, "zone")
    lines = []
    for row in rows:
        cells: list[list[str]] = [[] for _ in heads]
        for word in row:
            cells[places.nearest_heading(word.box, heads)].append(word.text)
        lines.append(" | ".join(" ".join(cell) for cell in cells))
    words = [word for row in rows for word in row]
    sure = shipped().probability(Kind.FIELD, math.prod(w.confidence for w in words))
    sure = sure if view.place.trusted else min(sure, _NOT_PLACED)
    return Answer("\n".join(lines), union([w.box for w in words]), sure, "zone")


def _signature(template: FieldTemplate, view: PageView) -> Answer:
    if template.zone is None:
        return Answer("", None, 0.0, "")
    zone = view.place.box(template.zone)
    if _is_cut_off(zone, view):
        return Answer("", None, 0.0, "zone", why=_NOT_HERE)
    ink = pixels.ink_share(view.image, _inset(zone, 0.01, 0.05))
    signed = ink >= _SIGNED
    clear = (ink >= 2 * _SIGNED or ink < _SIGNED / 2) and view.place.trusted
    return Answer("signed" if signed else "", zone, 0.9 if clear else 0.4, "zone")
