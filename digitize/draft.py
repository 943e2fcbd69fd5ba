"""A first draft of a form's template from scans of it, for a person to edit: what is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digitize.forms import Anchor, Zone
from digitize.identify import find_text, letters, spell
from records.geometry import Box, union
from records.model import Line, Word

# A gap of so many letter heights parts two texts on one line.
_GAP = 1.5
# A text that is read so surely is fit to know a form by.
_SURE = 0.8
# How like a text must read on another scan, and how near to its place (share of the page) lie.
_LIKE, _NEAR = 85, 0.06
_LEAST_LETTERS = 6
_ANCHORS = 6
_TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a scan of the form: its words, and its (width, height) in pixels."""

    lines: tuple[Line, ...]
    size: tuple[int, int]


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
        for words in _parted(line.words):
            box = union([w.box for w in words])
            text = " ".join(w.text for w in words)
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
    return json.dumps(text, ensure_ascii=False)


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
