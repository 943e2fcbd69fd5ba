"""A first draft of a form's template from scans of it, written for a person to edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digitize.copies import ScannedPage, form_pages
from digitize.form_file import RESERVED
from digitize.forms import Anchor, Zone
from digitize.guesses import (
    Guess,
    Printed,
    Ticks,
    guesses,
    in_any,
    printed_texts,
    signatures,
    tick_boxes,
)
from digitize.identify import letters
from records.errors import InputError

# A text that is read so surely is fit to know a form by.
_SURE = 0.8
_ANCHORS = 6
_TITLE_LENGTH = 60
# A text with so many figures on the only scan of a form may be somebody's answer.
_FIGURES = 4


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


def draft_form(name: str, scans: Sequence[Sequence[ScannedPage]]) -> str:
    """Write a template's first draft as TOML: how to know the form, its fields, its print.

    What is not on all scans is left out, and what answers a label: nothing else tells print from
    what somebody has written, so an answer that all copies share, or nearly, or one of a single
    copy, may be taken for print. Raises InputError when the scans have no print in common.
    """
    pages_held = form_pages(scans)
    texts = printed_texts(pages_held)
    ticks = tick_boxes(pages_held)
    signed = signatures(pages_held, texts, ticks)
    fields = tuple(g for g in guesses(pages_held, texts) if not _is_taken(g, ticks, signed))
    printed = [t for t in texts if not any(_stands_in(t, field) for field in (*fields, *signed))]
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


def _block(label: str, kind: str, page: int, top: float, lines: Sequence[str]) -> _Block:
    kinds = [f"kind = {quoted(kind)}"] if kind != "text" else []
    pages = [f"page = {page}"] if page > 1 else []
    return _Block(label, page, top, (*kinds, *pages, *lines))


def _zone_block(field: Guess, kind: str) -> _Block:
    place = f"zone = {zone_text(field.zone)}"
    return _block(field.label, kind, field.page, field.zone[1], [place])


def _tick_block(tick: Ticks) -> _Block:
    if len(tick.options) == 1:
        place = f"zone = {zone_text(tick.options[0][1])}"
        return _block(tick.label, "tick", tick.page, tick.top, [place])
    options = [f"  {{ value = {quoted(t)}, zone = {zone_text(z)} }}," for t, z in tick.options]
    return _block(tick.label, "choice", tick.page, tick.top, ["options = [", *options, "]"])


def _is_taken(guess: Guess, ticks: Sequence[Ticks], signed: Sequence[Guess]) -> bool:
    """Say whether a field's label is the text of a tick box, or asks for a signature."""
    places = [zone for tick in ticks if tick.page == guess.page for zone in tick.texts]
    places += [sign.label_zone for sign in signed if sign.page == guess.page]
    return in_any(guess.label_zone, places)


def _stands_in(text: Printed, field: Guess) -> bool:
    inside = text.page == field.page and in_any(text.zone, [field.zone])
    return inside and letters(text.text) not in letters(field.label)
