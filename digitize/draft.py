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


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a scan of the form: its words, its (width, height) in pixels, its pairs."""

    lines: tuple[Line, ...]
    size: tuple[int, int]
    pairs: tuple[Pair, ...] = ()


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
        own = [w for w in line.words if not any(_lies_in(w.box, answer) for answer in answers)]
        for words in _parted(own):
            box = union([w.box for w in words])
            text = " ".join(w.text for w in words)
            if box and len(letters(text)) >= _LEAST_LETTERS:
                sure = min(w.confidence for w in words)
                yield Printed(text, number, _zone(box, page.size), sure, box.height / page.size[1])


def _lies_in(box: Box, other: Box) -> bool:
    x, y = box.centre
    return other.left <= x <= other.right and other.top <= y <= other.bottom


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
    return all(abs(zone[i] - text.zone[i]) <= _NEAR for i in (0, 1))


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
        near = all(abs(there[i] - place[i]) <= _NEAR for i in (0, 1))
        if near and fuzz.ratio(letters(candidate.label), letters(pair.label)) >= _LIKE:
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


def draft_form(name: str, scans: Sequence[Sequence[ScannedPage]]) -> str:
    """Write a template's first draft as TOML: how to know the form, its fields, its print.

    What somebody has written into the form's fields is not in it.
    """
    texts = printed_texts(scans)
    fields = guesses(scans, texts)
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
    fields = tuple(field for field in fields if field.page <= pages)
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
    names: list[str] = []
    for field in fields:
        names.append(field_name(field.label, [*names, *RESERVED]))
        lines += ["", "[[fields]]", f"name = {quoted(names[-1])}", f"label = {quoted(field.label)}"]
        lines += [f"kind = {quoted(field.kind)}"] if field.kind != "text" else []
        lines += [f"page = {field.page}"] if field.page > 1 else []
        lines += [f"zone = {zone_text(field.zone)}"]
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


def _stands_in(text: Printed, field: Guess) -> bool:
    x, y = (text.zone[0] + text.zone[2]) / 2, (text.zone[1] + text.zone[3]) / 2
    left, top, right, bottom = field.zone
    inside = text.page == field.page and left <= x <= right and top <= y <= bottom
    return inside and letters(text.text) not in letters(field.label)
