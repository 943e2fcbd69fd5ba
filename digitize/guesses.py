"""What a form seems to have, guessed from scans of it: its print, fields, ticks and signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from digitize import values
from digitize.copies import FormPage, ScannedPage, parted
from digitize.forms import Zone
from digitize.identify import letters
from records.geometry import Box, union
from records.model import Pair, Word

# How like (0 to 100) a label must read on another scan, and so short a word as "date".
_LIKE, _LIKE_DATE = 85, 75
_LEAST_LETTERS = 6
# What is printed where somebody signs, in so many words at most; how high a signature may be, and
# how near to its rule such a text stands (shares of the page's height).
_SIGN, _SIGN_WORDS = re.compile(r"\b(signature|signed|sign here)\b", re.IGNORECASE), 8
_DATE = re.compile(r"\bdated?\b", re.IGNORECASE)
_SIGNATURE_HEIGHT, _AT_RULE = 0.04, 0.02
# Right of a text that ends beyond this share of the page's width nobody signs.
_NO_ROOM = 0.9
# A text stands at a tick box when it is nearer than so many of its widths.
_CLOSE = 3
# Two zones side by side are kept so far apart (share of the page).
_APART = 0.005


@dataclass(frozen=True, slots=True)
class Printed:
    """A text that is printed on the form, where it stands, and how sure (0 to 1) it was read."""

    text: str
    page: int
    zone: Zone
    sure: float
    height: float

    @property
    def letters(self) -> int:
        return len(letters(self.text))


@dataclass(frozen=True, slots=True)
class Guess:
    """A field that a form seems to have: its label, the answers seen, and where they stand."""

    label: str
    page: int
    zone: Zone
    label_zone: Zone
    answers: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What all its answers are, if they are all of one kind."""
        for kind in ("date", "phone", "money", "number"):
            if self.answers and all(_is_of(kind, answer) for answer in self.answers):
                return kind
        return "text"


def _is_of(kind: str, answer: str) -> bool:
    if kind == "money" and not re.search(r"[$\u00a3\u20ac]|\.\d\d\b", answer):
        return False
    if kind in ("number", "money") and re.search(r"[A-Za-z]", answer):
        return False
    if kind == "phone" and sum(c.isdigit() for c in answer) < 7:
        return False
    return values.normalise(kind, answer, values.Reading(False, "US")).fault is None


@dataclass(frozen=True, slots=True)
class Ticks:
    """A tick box with the text beside it; or a row of them, each an option of one ``label``.

    An option is its text and the box's zone; ``texts`` are where all these words stand, ``top`` is
    the upper edge of the row.
    """

    label: str
    page: int
    top: float
    options: tuple[tuple[str, Zone], ...]
    texts: tuple[Zone, ...]


# What is printed


def printed_texts(pages: Sequence[FormPage]) -> tuple[Printed, ...]:
    """Return the texts that all scans of a form have in common: those that are printed on it.

    With one scan only, it is all texts that answer no label.
    """
    found = []
    for page in pages:
        for line in page.first.lines:
            for text in page.texts(line.words):
                printed = page.printed(text)
                left, top, right, bottom = _zone(printed, page)
                long = len(letters(said(printed))) >= _LEAST_LETTERS
                if long and left < right and top < bottom:
                    found.append(_printed(printed, page))
    return tuple(found)


def _printed(words: Sequence[Word], page: FormPage) -> Printed:
    zone = _zone(words, page)
    return Printed(
        said(words), page.number, zone, min(w.confidence for w in words), zone[3] - zone[1]
    )


def _zone(words: Sequence[Word], page: FormPage) -> Zone:
    box = union([word.box for word in words])
    return page.first.zone(box) if box else (0.0, 0.0, 0.0, 0.0)


def said(words: Sequence[Word]) -> str:
    """Return what words say."""
    return " ".join(word.text for word in words)


# Fields


def guesses(pages: Sequence[FormPage], texts: Sequence[Printed]) -> tuple[Guess, ...]:
    """Guess a form's fields: the labels on all scans that the first, and about half, has answered.

    A field's zone holds the answers of all scans, and reaches to the next printed text. One that
    tick boxes stand in is theirs.
    """
    found = []
    for page in pages:
        for pair in page.first.pairs:
            seen = [pair]
            seen += [p for other in page.others if (p := _same_label(pair, other))]
            label = [word for word in page.first.words if pair.label_box.holds(word.box)]
            # A part of a word that was taken for the label is a word of it.
            whole = all(word in page.common or not letters(word.text) for word in label)
            if len(seen) < len(page.others) // 2 + 1 or not (label and whole):
                continue
            place = page.first.zone(pair.label_box)
            zone = _around([page.first.zone(p.value_box) for p in seen])
            if any(in_any(page.first.zone(square), [zone]) for square in page.squares):
                continue
            zone = _roomy(zone, place, _stops(page, texts))
            found.append(Guess(pair.label, page.number, zone, place, tuple(p.value for p in seen)))
    return tuple(found)


def _same_label(pair: Pair, other: ScannedPage) -> Pair | None:
    """Return the pair of another scan that has the same label at about the same place."""
    for candidate in other.pairs:
        alike = fuzz.ratio(letters(candidate.label), letters(pair.label)) >= _LIKE
        if alike and other.is_near(candidate.label_box, pair.label_box):
            return candidate
    return None


def _around(zones: Sequence[Zone]) -> Zone:
    edges = list(zip(*zones, strict=True))
    return min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])


def _stops(page: FormPage, texts: Sequence[Printed]) -> list[Zone]:
    """Return what no answer reaches into: printed texts, and tick boxes."""
    squares = [page.first.zone(square) for square in page.squares]
    return [*(t.zone for t in texts if t.page == page.number), *squares]


def _roomy(zone: Zone, label: Zone, stops: Sequence[Zone]) -> Zone:
    """Widen a zone to what stops it on its right, and by half a line up and down."""
    left, top, right, bottom = zone
    half = (bottom - top) * 0.5 if bottom - top < 0.03 else 0.006
    same_row = [o[0] for o in stops if o[0] > right and o[1] < bottom and o[3] > top]
    beside = abs((label[1] + label[3]) / 2 - (top + bottom) / 2) < (bottom - top)
    left = max(left - 0.01, label[2] + 0.002 if beside and label[2] < left else 0.0)
    right = min([0.98, *(edge - 0.005 for edge in same_row)])
    top = max(top - half, 0.0 if beside else label[3])
    bottom = min(bottom + half, 1.0)
    return left, min(top, zone[1]), max(right, zone[2]), bottom


# Tick boxes


def tick_boxes(pages: Sequence[FormPage]) -> tuple[Ticks, ...]:
    """Guess a form's tick boxes: squares that most scans have, with a printed text at each.

    It is the text right of a box, or left of it in a row that ends with a box.
    """
    found: list[Ticks] = []
    for page in pages:
        for row in _rows(page.squares):
            ends = _ends_with_boxes(row, page)
            texts = [(s, _left_of(s, row, page) if ends else _beside(s, page)) for s in row]
            boxes = [(square, text) for square, text in texts if text]
            if boxes:
                first = boxes[0][1][0].box.left if ends else boxes[0][0].left
                found += _of_row(boxes, _before(first, boxes[0][0], page), page)
    return tuple(found)


def _ends_with_boxes(row: Sequence[Box], page: FormPage) -> bool:
    """Say whether the texts of a row stand left of their boxes: it ends so, or all are nearer."""
    if not _left_of(row[0], row, page):
        return False
    return not _beside(row[-1], page) or all(_is_nearer(square, row, page) for square in row)


def _is_nearer(square: Box, row: Sequence[Box], page: FormPage) -> bool:
    """Say whether a box has a text left of it that is nearer than the one right of it."""
    left, right = _left_of(square, row, page), _beside(square, page)
    if not left or not right:
        return bool(left)
    return square.left - left[-1].box.right < right[0].box.left - square.right


def _of_row(
    boxes: Sequence[tuple[Box, list[Word]]], before: list[Word], page: FormPage
) -> Iterable[Ticks]:
    """Give what the boxes of a row are: the options of the text before them, or a field each."""
    top = min(page.first.zone(square)[1] for square, _ in boxes)
    options = tuple((said(text), page.first.zone(square)) for square, text in boxes)
    texts = tuple(_zone(text, page) for _, text in boxes)
    if before and 1 < len(boxes) == len({letters(text) for text, _ in options}):
        yield Ticks(said(before), page.number, top, options, (*texts, _zone(before, page)))
        return
    for option, place in zip(options, texts, strict=True):
        yield Ticks(option[0], page.number, top, (option,), (place,))


def _rows(squares: Iterable[Box]) -> Iterable[list[Box]]:
    """Give the squares of each row, from left to right."""
    rows: list[list[Box]] = []
    for square in squares:
        if rows and _are_level(rows[-1][-1], square):
            rows[-1].append(square)
        else:
            rows.append([square])
    return (sorted(row) for row in rows)


def _are_level(one: Box, other: Box) -> bool:
    return abs(one.centre[1] - other.centre[1]) < max(one.height, other.height) / 2


def _on_row(square: Box, page: FormPage) -> list[Word]:
    """Return the words at the height of a square, from left to right, tick boxes left out."""
    words = [w for w in page.first.words if letters(w.text) and not page.is_box(w)]
    level = [w for w in words if w.box.top <= square.centre[1] <= w.box.bottom]
    return sorted(level, key=lambda w: w.box.left)


def _beside(square: Box, page: FormPage) -> list[Word]:
    """Return the print that begins right of a square and ends at a gap or at the next square."""
    row = [w for w in _on_row(square, page) if w.box.centre[0] > square.right or _has(w, square)]
    run = next(iter(parted(row)), [])
    ends = [b.left for b in page.squares if b.left >= square.right and _are_level(b, square)]
    run = [w for w in run if w.box.left < min(ends, default=page.first.size[0])]
    if not run or run[0].box.left - square.right >= _CLOSE * square.width:
        return []
    misread = not (page.is_print(run[0]) or page.is_answer(run[0]))
    return page.printed(run[1:] if misread else run)


def _has(word: Word, square: Box) -> bool:
    """Say whether a word was read together with the tick box before it."""
    return word.box.holds(square) and square.centre[0] <= word.box.centre[0]


def _runs_into(word: Word, square: Box) -> bool:
    """Say whether a word was read together with the tick box behind it."""
    return word.box.left < square.left < word.box.right and word.box.centre[0] < square.centre[0]


def _left_of(square: Box, row: Sequence[Box], page: FormPage) -> list[Word]:
    """Return the text that ends left of a square, after the square before it, if it is printed."""
    after = max((b.right for b in row if b.right <= square.left), default=0)
    words = [
        w
        for w in _on_row(square, page)
        if after <= w.box.centre[0] and (w.box.right <= square.left or _runs_into(w, square))
    ]
    runs = list(parted(words))
    close = runs and square.left - runs[-1][-1].box.right < _CLOSE * square.width
    return runs[-1] if close and all(map(page.is_print, runs[-1])) else []


def _before(left: int, square: Box, page: FormPage) -> list[Word]:
    """Return the last text on a square's row that ends before a place, if it is printed."""
    row = [w for w in _on_row(square, page) if w.box.right <= left]
    runs = list(parted(row))
    return runs[-1] if runs and all(map(page.is_print, runs[-1])) else []


# Signatures


def signatures(
    pages: Sequence[FormPage], texts: Sequence[Printed], ticks: Sequence[Ticks]
) -> tuple[Guess, ...]:
    """Guess where somebody signs: on the rule over a text that asks for it, or right of it.

    The text of a tick box asks for none, nor does that of a date.
    """
    found = []
    for text in texts:
        asks = _asks(text.text) and not _is_dated(text.text)
        ticked = any(t.page == text.page and in_any(text.zone, t.texts) for t in ticks)
        if asks and not ticked and len(text.text.split()) <= _SIGN_WORDS:
            zone = _sign_zone(text, pages[text.page - 1], texts)
            if zone[0] < zone[2] and zone[1] < zone[3]:
                found.append(Guess(text.text, text.page, zone, text.zone))
    return tuple(found)


def _asks(text: str) -> bool:
    """Say whether a text asks for a signature, a letter or so misread."""
    misread = any(fuzz.ratio(letters(word), "signature") >= _LIKE for word in text.split())
    return misread or bool(_SIGN.search(text))


def _is_dated(text: str) -> bool:
    """Say whether a text asks for a date, a letter of it misread."""
    misread = any(fuzz.ratio(letters(word), "date") >= _LIKE_DATE for word in text.split())
    return misread or bool(_DATE.search(text))


def _sign_zone(text: Printed, page: FormPage, texts: Sequence[Printed]) -> Zone:
    """Return the place over the rule that a text stands under, or else right of it."""
    left, top, right, bottom = text.zone
    prints = [
        _zone(printed, page)
        for line in page.first.lines
        for words in page.texts(line.words)
        if letters(said(printed := page.printed(words)))
    ]
    rules = [page.first.zone(rule) for rule in page.first.rules]
    over = [rule for rule in rules if _is_under(text.zone, [rule])]
    if over or right > _NO_ROOM:
        line = max(over, key=lambda rule: rule[3]) if over else text.zone
        level = [zone for zone in prints if zone[1] < bottom and zone[3] > top]
        ends = [zone[0] - _APART for zone in level if zone[0] >= right]
        starts = [left for zone in level if zone[2] <= left]
        zone = (
            max([line[0], *starts]), max(0.0, line[1] - _SIGNATURE_HEIGHT),
            min([line[2], *ends]), line[1],
        )  # fmt: skip
        # What is printed in a cell stands right under a rule, as this text does; and through the
        # place to sign goes no other rule.
        heads = [z for z in prints if z != text.zone and _is_under(z, rules)]
        heads += [rule for rule in rules if rule != line]
        heads = [z for z in heads if z[3] > zone[1] + _APART and z[1] < zone[3] - _APART]
        if right > _NO_ROOM or not any(z[0] < zone[2] and z[2] > zone[0] for z in heads):
            return zone
    return _roomy((right + 0.01, top, right + 0.02, bottom), text.zone, _stops(page, texts))


def _is_under(text: Zone, rules: Iterable[Zone]) -> bool:
    """Say whether a text stands right under a rule."""
    return any(
        0 <= text[1] - rule[3] + 0.004 <= _AT_RULE and rule[0] < text[2] and rule[2] > text[0]
        for rule in rules
    )


def in_any(zone: Zone, others: Iterable[Zone]) -> bool:
    """Say whether the middle of a zone lies in one of others."""
    x, y = (zone[0] + zone[2]) / 2, (zone[1] + zone[3]) / 2
    return any(o[0] <= x <= o[2] and o[1] <= y <= o[3] for o in others)
