"""Where the answers stand that people have verified, and what is printed at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from digitize import values
from digitize.experience import Answered
from digitize.forms import FieldTemplate, FormTemplate, Zone
from digitize.identify import as_form, find_text, letters, register, spell
from digitize.registration import Registration
from records import filing
from records.geometry import Box, union
from records.model import Line, PageResult, Word
from records.store import Store

# How like (0 to 100) a verified value its reading on the page must be, to be that value.
_LIKE_A_VALUE = 90
# Values with fewer letters and digits stand on a page in too many places.
_LEAST_LETTERS = 3
# A gap of so many letter heights parts a label from the next thing on its line.
_WIDE_GAP = 2.5
# A label stands at most so many of its heights above its answer.
_FAR_ABOVE = 4
# So much of a printed text is letters, and it has so many at least.
_MOSTLY_LETTERS, _LEAST_OF_LABEL = 0.6, 3
# An answer that lies further beyond its zone (shares of the page) is another text.
_NEAR = 0.02
# Fields whose answers are words in the way of reading.
_KINDS = tuple(kind for kind in values.TEXT_KINDS if kind != "stamp")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a verified answer of a record stands: what is printed ``left`` of it and ``above``.

    ``by_other`` says that the machine did not find it by a label. ``beyond`` is by how much it
    lies beyond the left, top, right and bottom edge of its zone, in shares of the page: below 0
    where it lies inside; None where it has no zone, or the form could not be placed.
    """

    record: int
    field: str
    by_other: bool
    left: str
    above: str
    beyond: Zone | None


def placed(
    store: Store, form: FormTemplate, verified: Iterable[Answered], customs: values.Reading
) -> Iterator[Placed]:
    """Say where verified answers stand, as far as the words of their pages show."""
    wanted = [v for v in verified if v.said and v.machine.kind in _KINDS and _has_place(form, v)]
    wanted.sort(key=lambda v: (v.record, v.machine.page))
    for (sha256, number), group in groupby(wanted, key=lambda v: (v.sha256, v.machine.page)):
        answers = list(group)
        page = filing.read_page(store, sha256, number)
        if isinstance(page, PageResult):
            yield from placed_on(page, form, answers, customs)


def _has_place(form: FormTemplate, answered: Answered) -> bool:
    template = form.field(answered.machine.name)
    return template is not None and bool(template.zone or template.labels)


def placed_on(
    page: PageResult, form: FormTemplate, answers: Sequence[Answered], customs: values.Reading
) -> Iterator[Placed]:
    """Say where verified answers stand on a page, those that stand in one place for sure."""
    place = register(as_form(page.lines, form, answers[0].form_page), page.size)
    for answered in answers:
        template = form.field(answered.machine.name)
        box = _box(answered, template, page.lines, customs) if template else None
        if template is None or box is None:
            continue
        others = [f.box for f in page.fields if f.name != template.name and f.box and f.value]
        words = [
            w for line in page.lines for w in line.words if not any(b.holds(w.box) for b in others)
        ]
        yield Placed(
            record=answered.record,
            field=template.name,
            by_other=not (answered.right and answered.machine.found_by == "label"),
            left=_label(_left_of(box, words)),
            above=_label(_above(box, words)),
            beyond=_beyond(box, template, place),
        )


def _box(
    answered: Answered, template: FieldTemplate, lines: Iterable[Line], customs: values.Reading
) -> Box | None:
    """Return where the verified value stands: where the machine read it, or its only place."""
    if answered.right:
        return answered.machine.box
    said = answered.said or ""
    if len(letters(said)) < _LEAST_LETTERS:
        return None
    found = [box for line in lines for box in _in_line(said, template, line, customs)]
    return found[0] if len(found) == 1 else None


def _in_line(
    said: str, template: FieldTemplate, line: Line, customs: values.Reading
) -> Iterator[Box]:
    """Give the boxes of the words of a line that are the value, as it is or as it is written."""
    spans = values.recognised(template.kind, template.pattern, line.text, customs.region)
    for start, end in spans:
        if values.normalise(template.kind, line.text[start:end], customs).text == said:
            box = union([w.box for w in _between(line, start, end)])
            if box:
                yield box
    if not spans and (hit := find_text(said, spell([line]), _LIKE_A_VALUE)):
        box = union([w.box for w in hit[0]])
        if box:
            yield box


def _between(line: Line, start: int, end: int) -> list[Word]:
    """Return the words of a line that a span of its text touches."""
    found, at = [], 0
    for word in line.words:
        if at < end and at + len(word.text) > start:
            found.append(word)
        at += len(word.text) + 1
    return found


def _left_of(box: Box, words: Iterable[Word]) -> list[Word]:
    """Return the words next to an answer on its left, from left to right."""
    most = box.left + box.height // 4
    row = [w for w in words if box.top <= w.box.centre[1] <= box.bottom and w.box.right <= most]
    return _run(sorted(row, key=lambda w: -w.box.right))[::-1]


def _above(box: Box, words: Sequence[Word]) -> list[Word]:
    """Return the words of the nearest row above an answer that begins over it."""
    over = [
        w
        for w in words
        if w.box.bottom <= box.top + w.box.height // 4
        and w.box.bottom >= box.top - _FAR_ABOVE * w.box.height
        and w.box.right > box.left
        and w.box.left < box.right
    ]
    nearest = max(over, key=lambda w: w.box.bottom, default=None)
    if nearest is None:
        return []
    row = [w for w in words if nearest.box.top <= w.box.centre[1] <= nearest.box.bottom]
    row.sort(key=lambda w: w.box.left)
    at = row.index(nearest)
    return _run(row[at::-1])[::-1] + _run(row[at:])[1:]


def _run(words: Sequence[Word]) -> list[Word]:
    """Keep the words of a row, from its first, up to a wide gap in either direction."""
    kept = list(words[:1])
    for word in words[1:]:
        last = kept[-1].box
        gap = max(word.box.left - last.right, last.left - word.box.right)
        if gap > _WIDE_GAP * max(last.height, 1):
            break
        kept.append(word)
    return kept


def _label(words: Sequence[Word]) -> str:
    """Return words as the text of a label, empty where they look like none."""
    text = " ".join(w.text for w in words).strip(" .:;,_-|")
    alphas = sum(c.isalpha() for c in text)
    is_one = alphas >= _LEAST_OF_LABEL and alphas >= _MOSTLY_LETTERS * len(letters(text))
    return text if is_one else ""


def _beyond(box: Box, template: FieldTemplate, place: Registration) -> Zone | None:
    if template.zone is None or not place.trusted:
        return None
    zone = place.box(template.zone)
    across = zone.width / (template.zone[2] - template.zone[0])
    down = zone.height / (template.zone[3] - template.zone[1])
    near = Box(
        round(zone.left - _NEAR * across), round(zone.top - _NEAR * down),
        round(zone.right + _NEAR * across), round(zone.bottom + _NEAR * down),
    )  # fmt: skip
    if not near.overlap(box):
        return None
    return (
        (zone.left - box.left) / across,
        (zone.top - box.top) / down,
        (box.right - zone.right) / across,
        (box.bottom - zone.bottom) / down,
    )
