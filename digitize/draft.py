"""A first draft of a form's template from scans of it, for a person to edit: what is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from digitize import values
from digitize.form_file import RESERVED
from digitize.forms import Anchor, Zone
from digitize.identify import find_text, letters, spell
from records.errors import InputError
from records.geometry import Box, union
from records.model import Line, Pair, Word

# A gap of so many letter heights parts two texts on one line.
_GAP = 1.5
# A text that is read so surely is fit to know a form by.
_SURE = 0.8
# How like a text must read on another scan, and how near to its place (share of the page) lie.
_LIKE, _NEAR = 85, 0.06
_LEAST_LETTERS = 6
_ANCHORS = 6
_TITLE_LENGTH = 60
# A text with so many figures on the only scan of a form may be somebody's answer.
_FIGURES = 4
# What is printed where somebody signs, in so many words at most; how high a signature may be, and
# how near to its rule such a text stands (shares of the page's height).
_SIGN, _SIGN_WORDS = re.compile(r"\b(signature|signed|sign here)\b", re.IGNORECASE), 8
_SIGNATURE_HEIGHT, _AT_RULE = 0.04, 0.02
# Right of a text that ends beyond this share of the page's width nobody signs.
_NO_ROOM = 0.9
# A word that is so many times wider than a square in it has it as a letter.
_LETTER_OF = 1.6


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a scan of the form: its words, its (width, height) in pixels, its pairs.

    ``squares`` are what may be tick boxes, ``rules`` the long lines across the page.
    """

    lines: tuple[Line, ...]
    size: tuple[int, int]
    pairs: tuple[Pair, ...] = ()
    squares: tuple[Box, ...] = ()
    rules: tuple[Box, ...] = ()


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


def printed_texts(scans: Sequence[Sequence[ScannedPage]]) -> tuple[Printed, ...]:
    """Return the texts that all scans of a form have in common: those that are printed on it.

    With one scan only, it is all texts, answers too: nothing tells them apart.
    """
    found = []
    for number, page in enumerate(scans[0], 1):
        others = [scan[number - 1] for scan in scans[1:] if len(scan) >= number]
        for text in _texts(page, number):
            if all(_stands_on(text, other) for other in others):
                found.append(text)
    return tuple(found)


def _texts(page: ScannedPage, number: int) -> Iterable[Printed]:
    for line in page.lines:
        answers = [pair.value_box for pair in page.pairs]
        own = [w for w in line.words if not any(answer.holds(w.box) for answer in answers)]
        for words in _parted(own):
            box = union([w.box for w in words])
            text = _said(words)
            if box and len(letters(text)) >= _LEAST_LETTERS:
                sure = min(w.confidence for w in words)
                yield Printed(text, number, _zone(box, page.size), sure, box.height / page.size[1])


def _parted(words: Sequence[Word]) -> Iterable[list[Word]]:
    run: list[Word] = []
    for word in words:
        if run and word.box.left - run[-1].box.right > _GAP * max(run[-1].box.height, 1):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _zone(box: Box, size: tuple[int, int]) -> Zone:
    width, height = size
    edges = (box.left / width, box.top / height, box.right / width, box.bottom / height)
    left, top, right, bottom = (round(min(max(edge, 0.0), 1.0), 4) for edge in edges)
    return left, top, right, bottom


def _stands_on(text: Printed, page: ScannedPage) -> bool:
    hit = find_text(text.text, spell(page.lines), _LIKE)
    box = union([w.box for w in hit[0]]) if hit else None
    if box is None:
        return False
    zone = _zone(box, page.size)
    return _is_near(zone, text.zone)


def _is_near(zone: Zone, other: Zone) -> bool:
    """Say whether two texts or squares begin at about the same place of the page."""
    return all(abs(zone[i] - other[i]) <= _NEAR for i in (0, 1))


def _said(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def anchors(texts: Sequence[Printed], page: int) -> tuple[Printed, ...]:
    """Choose texts to know a page of a form by: read surely, large or long, and far apart."""
    fit = [t for t in texts if t.page == page and t.sure >= _SURE and 10 <= t.letters <= 60]
    fit = fit or [t for t in texts if t.page == page]
    heights = sorted(t.height for t in fit)
    usual = heights[len(heights) // 2] if heights else 1.0
    chosen: list[Printed] = []
    for text in sorted(fit, key=lambda t: -_fitness(t, usual)):
        far = all(abs(text.zone[1] - other.zone[1]) > 0.05 for other in chosen)
        again = any(letters(text.text) in letters(o.text) for o in fit if o is not text)
        if far and not again:
            chosen.append(text)
        if len(chosen) == _ANCHORS:
            break
    chosen = chosen or fit[:1]
    return tuple(sorted(chosen, key=lambda t: t.zone[1]))


def _fitness(text: Printed, usual: float) -> float:
    """Weigh a text as an anchor: large letters, length, few digits, high on the page."""
    digits = sum(c.isdigit() for c in text.text)
    return text.height / usual + min(text.letters, 30) / 30 - digits / 4 - text.zone[1] / 2


def title(texts: Sequence[Printed]) -> str:
    """Guess the form's title: the largest text of the upper third of its first page."""
    upper = [t for t in texts if t.page == 1 and t.zone[1] < 0.35 and t.sure >= _SURE]
    if not upper:
        return "Untitled form"
    best = max(upper, key=lambda t: (round(t.height * 200), -t.zone[1]))
    return best.text[:_TITLE_LENGTH]


def quoted(text: str) -> str:
    """Write a text for TOML; its basic strings are escaped as JSON's are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def zone_text(zone: Zone) -> str:
    """Write a zone for TOML."""
    return "[" + ", ".join(f"{edge:.4f}".rstrip("0").rstrip(".") or "0" for edge in zone) + "]"


def anchor_line(text: Printed | Anchor, zone: Zone | None) -> str:
    """Write an anchor or a line of the reference."""
    page = f"page = {text.page}, " if text.page > 1 else ""
    box = f", box = {zone_text(zone)}" if zone else ""
    return f"  {{ {page}text = {quoted(text.text)}{box} }},"


def field_name(label: str, taken: Iterable[str]) -> str:
    """Make a field's name of its label, unlike those that are taken."""
    words = re.findall(r"[a-z0-9]+", label.casefold())
    name = "_".join(words[:4])[:40] or "field"
    name = name if name[0].isalpha() else f"field_{name}"
    used, number = set(taken), 2
    unique = name
    while unique in used:
        unique, number = f"{name}_{number}", number + 1
    return unique


# The draft itself


@dataclass(frozen=True, slots=True)
class Guess:
    """A field that a form seems to have: its label, the answers seen, and where they stand."""

    label: str
    page: int
    zone: Zone
    answers: tuple[str, ...]

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


def guesses(scans: Sequence[Sequence[ScannedPage]], texts: Sequence[Printed]) -> tuple[Guess, ...]:
    """Guess a form's fields: the labels that stand on all scans with an answer beside or under.

    A field's zone holds the answers of all scans, and reaches to the next printed text.
    """
    found = []
    for number, page in enumerate(scans[0], 1):
        others = [scan[number - 1] for scan in scans[1:] if len(scan) >= number]
        for pair in page.pairs:
            seen = [(pair, page)]
            seen += [(p, o) for o in others if (p := _same_label(pair, page, o))]
            label = _printed_label(pair, number, page)
            if len(seen) < len(others) // 2 + 1 or not all(_stands_on(label, o) for o in others):
                continue
            zones = [_zone(p.value_box, o.size) for p, o in seen]
            zone = _roomy(_around(zones), label.zone, number, texts)
            found.append(Guess(pair.label, number, zone, tuple(p.value for p, _ in seen)))
    return tuple(found)


def _printed_label(pair: Pair, number: int, page: ScannedPage) -> Printed:
    zone = _zone(pair.label_box, page.size)
    return Printed(pair.label, number, zone, pair.confidence, zone[3] - zone[1])


def _same_label(pair: Pair, page: ScannedPage, other: ScannedPage) -> Pair | None:
    """Return the pair of another scan that has the same label at about the same place."""
    place = _zone(pair.label_box, page.size)
    for candidate in other.pairs:
        there = _zone(candidate.label_box, other.size)
        if (
            _is_near(there, place)
            and fuzz.ratio(letters(candidate.label), letters(pair.label)) >= _LIKE
        ):
            return candidate
    return None


def _around(zones: Sequence[Zone]) -> Zone:
    edges = list(zip(*zones, strict=True))
    return min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])


def _roomy(zone: Zone, label: Zone, page: int, texts: Sequence[Printed]) -> Zone:
    """Widen a zone to the printed text on its right, and by half a line up and down."""
    left, top, right, bottom = zone
    half = (bottom - top) * 0.5 if bottom - top < 0.03 else 0.006
    same_row = [
        t.zone[0]
        for t in texts
        if t.page == page and t.zone[0] > right and t.zone[1] < bottom and t.zone[3] > top
    ]
    beside = abs((label[1] + label[3]) / 2 - (top + bottom) / 2) < (bottom - top)
    left = max(left - 0.01, label[2] + 0.002 if beside and label[2] < left else 0.0)
    right = min([0.98, *(edge - 0.005 for edge in same_row)])
    top = max(top - half, 0.0 if beside else label[3])
    bottom = min(bottom + half, 1.0)
    return left, min(top, zone[1]), max(right, zone[2]), bottom


@dataclass(frozen=True, slots=True)
class Ticks:
    """A tick box with the text beside it; or a row of them, each an option of one ``label``."""

    label: str
    page: int
    options: tuple[tuple[str, Zone], ...]


def tick_boxes(scans: Sequence[Sequence[ScannedPage]]) -> tuple[Ticks, ...]:
    """Guess a form's tick boxes: squares that most scans have, with a printed text beside them."""
    found: list[Ticks] = []
    for number, page in enumerate(scans[0], 1):
        others = [scan[number - 1] for scan in scans[1:] if len(scan) >= number]
        squares = [square for square in page.squares if not _is_letter(square, page)]
        boxes = []
        for square in squares:
            zone = _zone(square, page.size)
            have = sum(any(_is_near(zone, _zone(b, o.size)) for b in o.squares) for o in others)
            text = _beside(square, squares, page)
            if text and 2 * have >= len(others) and _is_print(text, number, page, others):
                boxes.append((square, _said(text)))
        for row in _rows(boxes):
            before = _before(row[0][0], page)
            options = tuple((text, _zone(square, page.size)) for square, text in row)
            own = {letters(text) for text, _ in options}
            if 1 < len(row) == len(own) and before and _is_print(before, number, page, others):
                found.append(Ticks(_said(before), number, options))
            else:
                found += [Ticks(text, number, ((text, zone),)) for text, zone in options]
    return tuple(found)


def _is_letter(square: Box, page: ScannedPage) -> bool:
    """Say whether a square is a letter of a word."""
    words = (word for line in page.lines for word in line.words)
    return any(w.box.holds(square) and w.box.width > _LETTER_OF * square.width for w in words)


def _on_row(square: Box, page: ScannedPage) -> list[Word]:
    """Return the words at the height of a square, from left to right, other squares left out."""
    words = [w for line in page.lines for w in line.words if any(map(str.isalnum, w.text))]
    level = [w for w in words if w.box.top <= square.centre[1] <= w.box.bottom]
    free = [w for w in level if not any(w.box.holds(b) for b in page.squares)]
    return sorted(free, key=lambda w: w.box.left)


def _beside(square: Box, squares: Sequence[Box], page: ScannedPage) -> list[Word]:
    """Return the text that begins right of a square and ends at a gap or at the next square."""
    row = [w for w in _on_row(square, page) if w.box.centre[0] > square.right]
    run = next(iter(_parted(row)), [])
    ends = [b.left for b in squares if b.left >= square.right and _are_level(b, square)]
    run = [w for w in run if w.box.left < min(ends, default=page.size[0])]
    return run if run and run[0].box.left - square.right < 3 * square.width else []


def _before(square: Box, page: ScannedPage) -> list[Word]:
    """Return the last text left of a square."""
    row = [w for w in _on_row(square, page) if w.box.right <= square.left]
    runs = list(_parted(row))
    return runs[-1] if runs else []


def _rows(boxes: Sequence[tuple[Box, str]]) -> Iterable[list[tuple[Box, str]]]:
    """Give the tick boxes of each row, from left to right."""
    rows: list[list[tuple[Box, str]]] = []
    for box in boxes:
        if rows and _are_level(rows[-1][-1][0], box[0]):
            rows[-1].append(box)
        else:
            rows.append([box])
    return (sorted(row, key=lambda box: box[0].left) for row in rows)


def _are_level(one: Box, other: Box) -> bool:
    return abs(one.centre[1] - other.centre[1]) < max(one.height, other.height) / 2


def _is_print(
    words: Sequence[Word], number: int, page: ScannedPage, others: Sequence[ScannedPage]
) -> bool:
    """Say whether words stand on the other scans as well."""
    box = union([w.box for w in words])
    if box is None:
        return False
    printed = Printed(_said(words), number, _zone(box, page.size), 1.0, 0.0)
    return all(_stands_on(printed, other) for other in others)


def signatures(
    scans: Sequence[Sequence[ScannedPage]], texts: Sequence[Printed]
) -> tuple[Guess, ...]:
    """Guess where somebody signs: on the rule over a text that asks for it, or right of it."""
    found = []
    for text in texts:
        long = len(text.text.split()) > _SIGN_WORDS
        if long or not _SIGN.search(text.text) or "date" in text.text.casefold():
            continue
        left, top, right, bottom = text.zone
        page = scans[0][text.page - 1]
        over = [
            rule
            for rule in (_zone(rule, page.size) for rule in page.rules)
            if 0 <= top - rule[3] + 0.004 <= _AT_RULE and rule[0] < right and rule[2] > left
        ]
        if over or right > _NO_ROOM:
            line = max(over, key=lambda rule: rule[3]) if over else text.zone
            zone = (line[0], max(0.0, line[1] - _SIGNATURE_HEIGHT), line[2], line[1])
        else:
            zone = _roomy((right + 0.01, top, right + 0.02, bottom), text.zone, text.page, texts)
        if zone[0] < zone[2] and zone[1] < zone[3]:
            found.append(Guess(text.text, text.page, zone, ()))
    return tuple(found)


def draft_form(name: str, scans: Sequence[Sequence[ScannedPage]]) -> str:
    """Write a template's first draft as TOML: how to know the form, its fields, its print.

    What somebody has written is left out as far as it is told from print: beside a tick box it may
    be taken along with the box's text, and a name over a place to sign as print.
    """
    texts = printed_texts(scans)
    ticks = tick_boxes(scans)
    signed = signatures(scans, texts)
    own = {letters(tick.label) for tick in ticks} | {letters(sign.label) for sign in signed}
    own |= {letters(text) for tick in ticks for text, _ in tick.options}
    fields = tuple(guess for guess in guesses(scans, texts) if letters(guess.label) not in own)
    printed = [t for t in texts if not any(_stands_in(t, field) for field in fields)]
    if len(scans) == 1:  # nothing tells what stands beside no label from print; figures are answers
        printed = [t for t in printed if sum(c.isdigit() for c in t.text) < _FIGURES]
    if not printed:
        raise InputError("These scans have no print in common; give copies of one form.")
    pages = max(text.page for text in printed)
    if lacking := [n for n in range(1, pages + 1) if all(t.page != n for t in printed)]:
        raise InputError(
            f"Page {lacking[0]} of these scans has no print in common; give copies of one form, "
            "their pages in order."
        )
    lines = [
        "# A first draft. Look at every line of it; docs/forms.md says what they mean.",
        f"name = {quoted(name)}",
        f"title = {quoted(title(printed))}",
        f"pages = {pages}",
        "",
        "[identify]",
        "anchors = [",
        *(
            anchor_line(anchor, anchor.zone)
            for page in range(1, pages + 1)
            for anchor in anchors(printed, page)
        ),
        "]",
    ]
    blocks = [
        *(_zone_block(field, field.kind) for field in fields),
        *(_tick_block(tick) for tick in ticks),
        *(_zone_block(sign, "signature") for sign in signed),
    ]
    names: list[str] = []
    for block in sorted(blocks, key=lambda block: (block.page, block.top)):
        if block.page <= pages:
            names.append(field_name(block.label, [*names, *RESERVED]))
            lines += ["", "[[fields]]", f"name = {quoted(names[-1])}"]
            lines += [f"label = {quoted(block.label)}", *block.lines]
    lines += [
        "",
        "# What is printed on the form: its place on a scan is found by it. Not for editing.",
        "[reference]",
        "lines = [",
        *(anchor_line(text, text.zone) for text in printed),
        "]",
        "",
    ]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Block:
    """A field of the draft: what it is called, where it begins, and its lines of TOML."""

    label: str
    page: int
    top: float
    lines: tuple[str, ...]


def _block(label: str, kind: str, page: int, zone: Zone, lines: Sequence[str]) -> _Block:
    kinds = [f"kind = {quoted(kind)}"] if kind != "text" else []
    pages = [f"page = {page}"] if page > 1 else []
    return _Block(label, page, zone[1], (*kinds, *pages, *lines))


def _zone_block(field: Guess, kind: str) -> _Block:
    place = f"zone = {zone_text(field.zone)}"
    return _block(field.label, kind, field.page, field.zone, [place])


def _tick_block(tick: Ticks) -> _Block:
    first = tick.options[0][1]
    if len(tick.options) == 1:
        return _block(tick.label, "tick", tick.page, first, [f"zone = {zone_text(first)}"])
    options = [f"  {{ value = {quoted(t)}, zone = {zone_text(z)} }}," for t, z in tick.options]
    return _block(tick.label, "choice", tick.page, first, ["options = [", *options, "]"])


def _stands_in(text: Printed, field: Guess) -> bool:
    x, y = (text.zone[0] + text.zone[2]) / 2, (text.zone[1] + text.zone[3]) / 2
    left, top, right, bottom = field.zone
    inside = text.page == field.page and left <= x <= right and top <= y <= bottom
    return inside and letters(text.text) not in letters(field.label)
