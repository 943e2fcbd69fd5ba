"""Where an answer stands on a page, and the words that stand there: pure functions on words."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from digitize import image as pixels
from digitize import values
from digitize.forms import FieldTemplate, FormTemplate
from digitize.identify import Spelled, find_text, letters, spell
from digitize.marks import Mark
from digitize.registration import Registration
from records.geometry import Box, union
from records.model import Field, Line, Word

# A gap of so many letter heights parts an answer from the next thing on its line.
_WIDE_GAP = 2.5
# A shorter word of a label may begin an answer too.
_WHOLE_WORD = 4
# Signs that stand alone and mean something.
_SIGNS = frozenset({"&", "+"})
# A label that is found so far below a perfect reading may be another text.
_LIKE_A_LABEL = 78


Marks = Mapping[Box, Mark]


@dataclass(frozen=True, slots=True)
class PageView:
    """A page to take answers from: its words, its pixels, and where the template lies on it.

    ``number`` is its number in the file, ``form_page`` in the form. ``printed`` are the words of
    the form itself that were found on the page, ``second`` the languages in which a second reader
    may look at a place again: none where it is not wanted. ``marks`` are what is in the page's tick
    boxes, by where they were expected.
    """

    lines: tuple[Line, ...]
    spelled: tuple[Spelled, ...]
    image: pixels.Grey
    place: Registration
    printed: frozenset[Word]
    reader: str
    number: int
    form_page: int
    reading: values.Reading
    second: tuple[str, ...]
    marks: Marks


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an answer may stand: the area, the words in it by rows, and by what it was found.

    ``by`` is zone, label, field (below another one) or page (anywhere on it).
    """

    area: Box
    rows: tuple[tuple[Word, ...], ...]
    by: str


def stands(
    template: FieldTemplate, view: PageView, form: FormTemplate, before: Mapping[str, Field]
) -> Iterator[Stand]:
    """Give the places where an answer may stand, the likeliest first.

    A zone comes first; where the template could not be placed, labels do. ``before`` are the
    fields of the page that were read already.
    """
    zone = template.zone
    if zone is not None and (view.place.trusted or not template.labels):
        yield _in_zone(template, view)
    yield from _at_labels(template, view, form)
    if zone is not None and not view.place.trusted and template.labels:
        yield _in_zone(template, view)
    if template.below and (above := before.get(template.below)) and above.box:
        yield _below(template, above.box, view)
    if template.anywhere:
        yield from anywhere(template, view)


def _in_zone(template: FieldTemplate, view: PageView) -> Stand:
    assert template.zone is not None
    area = view.place.box(template.zone)
    found = []
    for line in view.lines:
        inside = _said_in(area, line)
        own = _not_printed(inside, view)
        # Where the form's print was taken out, nothing of the label is left.
        found.append(own if len(own) < len(inside) else _without_label(own, (template.label,)))
    return Stand(
        area, _without_parts_of_label(rows_of(found), template)[: template.lines or None], "zone"
    )


def runs_in(area: Box, view: PageView) -> list[list[Word]]:
    """Return by lines the words whose middle lies in an area and that are not the form's own."""
    return [_not_printed(_said_in(area, line), view) for line in view.lines]


def _said_in(area: Box, line: Line) -> list[Word]:
    return [w for w in line.words if area.holds(w.box) and _says(w)]


def headings(texts: Sequence[str], area: Box, view: PageView) -> list[Box] | None:
    """Return where a table's headings stand in an area; None where one of them is not found."""
    lines = [Line(tuple(w for w in line.words if area.holds(w.box))) for line in view.lines]
    spelled = spell(line for line in lines if line.words)
    found = [find_text(text, spelled) for text in texts]
    boxes = [union([w.box for w in hit[0]]) for hit in found if hit]
    return [b for b in boxes if b] if len(boxes) == len(texts) else None


def nearest_heading(box: Box, heads: Sequence[Box]) -> int:
    """Return which heading a word stands under: the one that it overlaps most, or is nearest to."""

    def apart(head: Box) -> float:
        return max(head.left - box.right, box.left - head.right)

    return min(range(len(heads)), key=lambda i: apart(heads[i]))


def _not_printed(words: list[Word], view: PageView) -> list[Word]:
    """Drop the words that are the form's own."""
    return [w for w in words if w not in view.printed]


def rows_of(lines: Iterable[Sequence[Word]], most: int = 0) -> tuple[tuple[Word, ...], ...]:
    """Order the words of lines by rows from the top, each from left to right.

    At most so many rows are given, all if ``most`` is 0. Words that were read as one line stay
    together as long as each is as high as the one before, and what goes on beside the last is of
    the same row: where paper bends, the heights of two rows overlap.
    """
    rows: list[list[Word]] = []
    runs = [run for line in lines for run in _runs(sorted(line, key=lambda w: w.box.left))]
    for run in sorted(runs, key=lambda run: run[0].box.left):
        ends = [row for row in rows if _goes_on(row[-1].box, run[0].box)]
        if ends:
            max(ends, key=lambda row: row[-1].box.right).extend(run)
        else:
            rows.append(run)
    rows.sort(key=_middle)
    return tuple(tuple(row) for row in (rows[:most] if most else rows))


def _runs(words: Sequence[Word]) -> list[list[Word]]:
    """Part a line, from left to right, where the next word is not as high as the one before."""
    runs: list[list[Word]] = []
    for word in words:
        if runs and _goes_on(runs[-1][-1].box, word.box):
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _goes_on(last: Box, box: Box) -> bool:
    """Say whether a word stands to the right of another and as high: half of the lower one."""
    shared = min(last.bottom, box.bottom) - max(last.top, box.top)
    return last.centre[0] < box.centre[0] and 2 * shared > min(last.height, box.height)


def _at_labels(template: FieldTemplate, view: PageView, form: FormTemplate) -> Iterator[Stand]:
    found = [(label, place) for label in template.labels for place in _labels(label, view)]
    for label, place in sorted(found, key=lambda f: f[1].longer):
        beside = label in template.beside
        area = _until_next_label(_at(place.box, beside, view), template, view, form)
        inside = [
            _until_gap(_without_label(_said_in(area, line), (label, template.label)))
            for line in view.lines
        ]
        rows = rows_of(inside, 0 if beside else template.lines)
        if beside and rows:  # the lines above and below are other answers
            rows = (min(rows, key=lambda row: abs(_middle(row) - place.box.centre[1])),)
        yield Stand(area, rows, "label")


def _middle(row: Sequence[Word]) -> float:
    """Return at what height the middle of a row lies."""
    return statistics.fmean(word.box.centre[1] for word in row)


def _says(word: Word) -> bool:
    """Say whether a word is more than a mark that a rule or a speck may have left."""
    return bool(letters(word.text)) or word.text in _SIGNS


@dataclass(frozen=True, slots=True)
class _Label:
    """Where a label is read: its box, how ``like`` it reads, and whether the text is ``longer``."""

    box: Box
    like: float
    longer: bool


def _labels(label: str, view: PageView) -> list[_Label]:
    """Return every place where a label is read, the likest first, then from the top.

    A label begins what is printed: TOTAL is not found in SUB TOTAL. One that goes on may be
    another: TOTAL in TOTAL BEFORE TAX.
    """
    found = []
    for line in view.spelled:
        hit = find_text(label, (line,), _LIKE_A_LABEL)
        box = union([w.box for w in hit[0]]) if hit else None
        if hit is None or box is None:
            continue
        start, end = line.words.index(hit[0][0]), line.words.index(hit[0][-1]) + 1
        if start and _continues(line.words[start - 1], line.words[start]):
            continue
        after = line.words[end].text[:1] if end < len(line.words) else ""
        more = after == "(" or after.isalpha()
        longer = more and _continues(line.words[end - 1], line.words[end])
        found.append(_Label(box, hit[1], longer))
    return sorted(found, key=lambda place: -place.like)


def _continues(before: Word, word: Word) -> bool:
    """Say whether a word goes on with the text of the one before it."""
    near = word.box.left - before.box.right < 0.8 * max(word.box.height, 1)
    return near and before.text[-1:].isalpha()


def _at(label: Box, beside: bool, view: PageView) -> Box:
    height, width = view.image.shape
    reach = label.height * 2
    if beside:
        return Box(label.right + 2, label.top - reach // 2, width, label.bottom + reach // 2)
    return Box(
        max(0, label.left - reach), label.bottom + 1, width, min(height, label.bottom + reach * 2)
    )


def _below(template: FieldTemplate, above: Box, view: PageView) -> Stand:
    """Return the lines that follow on another answer, up to a text that ends them."""
    height, width = view.image.shape
    ends = [
        min(w.box.top for w in hit[0])
        for text in template.until
        if (hit := find_text(text, [s for s in view.spelled if _top(s) >= above.bottom - 2]))
    ]
    bottom = min([height, *ends])
    area = Box(0, above.bottom, width, bottom)
    rows = rows_of([_said_in(area, line) for line in view.lines], template.lines)
    box = union([w.box for row in rows for w in row])
    return Stand(Box(0, above.bottom, width, box.bottom if box else bottom), rows, "field")


def _top(line: Spelled) -> int:
    return min(word.box.top for word in line.words)


def anywhere(template: FieldTemplate, view: PageView) -> Iterator[Stand]:
    """Give what has the look of the field's kind, from the top of the page to its end."""
    for line in sorted(view.lines, key=lambda ln: min(w.box.top for w in ln.words)):
        text, ends = "", []
        for word in line.words:
            text = f"{text} {word.text}" if text else word.text
            ends.append(len(text))
        for start, end in values.recognised(
            template.kind, template.pattern, text, view.reading.region
        ):
            words = tuple(
                word
                for word, last in zip(line.words, ends, strict=True)
                if last > start and last - len(word.text) < end
            )
            if box := union([w.box for w in words]):
                yield Stand(box, (words,), "page")


def _until_next_label(
    area: Box, template: FieldTemplate, view: PageView, form: FormTemplate
) -> Box:
    """Cut an area off where the next printed label or another field's zone begins."""
    right, bottom = area.right, area.bottom
    middle = (area.top + area.bottom) // 2
    for other in form.fields_on(view.form_page):
        if other.name == template.name:
            continue
        if other.zone is not None and view.place.trusted:
            zone = view.place.box(other.zone)
            if zone.top <= middle <= zone.bottom and zone.left > area.left:
                right = min(right, zone.left)
        for label in other.labels or (other.label,):
            hit = find_text(label, view.spelled)
            box = union([w.box for w in hit[0]]) if hit else None
            if box is None:
                continue
            if box.left > area.left and box.top < area.bottom and box.bottom > area.top:
                right = min(right, box.left)
            elif template.under and area.top < box.top < bottom and box.left < area.right:
                bottom = box.top
    return Box(area.left, area.top, right, bottom)


def _without_label(words: list[Word], labels: tuple[str, ...]) -> list[Word]:
    """Drop the printed label where it stands whole, and its words where the answer begins."""
    if not words:
        return []
    left = words
    for label in labels:
        printed = find_text(label, spell([Line(tuple(left))])) if left else None
        if printed and printed[0][0] is left[0]:
            left = [w for w in left if w not in printed[0]]
            continue
        own = [letters(part) for part in label.split() if len(letters(part)) >= _WHOLE_WORD]
        rest = left
        while rest and any(fuzz.ratio(letters(rest[0].text), part) >= 80 for part in own):
            rest = rest[1:]
        if 2 * (len(left) - len(rest)) > len(own):  # and not a word that an answer may begin with
            left = rest
    return left


def _without_parts_of_label(
    rows: tuple[tuple[Word, ...], ...], template: FieldTemplate
) -> tuple[tuple[Word, ...], ...]:
    """Drop the rows above an answer that hold words of its printed label and nothing else."""
    own = {letters(part) for label in (template.label, *template.labels) for part in label.split()}
    while len(rows) > 1 and all(letters(word.text) in own for word in rows[0]):
        rows = rows[1:]
    return rows


def _until_gap(words: list[Word]) -> list[Word]:
    """Keep the words up to the first wide gap: beyond it stands something else of the form."""
    kept = words[:1]
    for word in words[1:]:
        if word.box.left - kept[-1].box.right > _WIDE_GAP * max(kept[-1].box.height, 1):
            break
        kept.append(word)
    return kept
