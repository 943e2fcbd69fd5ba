"""Makes the pages of one file: answers, ink, stamps, wear, scan, and the truth about each."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from .catalog import Entry, Look, Paper
from .filling import PENS, FilledPage, Pen, fill_sheet
from .forms_cards import burial_record, comment_card, dog_licence, library_card
from .forms_permits import building_permit, business_licence, service_request
from .layout import Form
from .letters import letter, minutes, separator
from .marks import Line, Mark
from .people import ANSWERS, Answer, Inventor
from .raster import Picture, draw_page
from .scanner import Scan, grainy, lay_on_glass
from .stamps import fax_header, press, received_box, received_ring
from .wear import WEAR

FORMS = {
    form.name: form
    for form in (
        building_permit(),
        business_licence(),
        dog_licence(),
        comment_card(),
        burial_record(),
        service_request(),
    )
}
LAYOUTS: dict[str, Form] = {**FORMS, "library-card": library_card(), "separator": separator()}
FILLED_BY = {
    "typed": "typed",
    "old-typed": "typed",
    "faint": "typed",
    "printed": "printed",
    "hand": "hand",
    "capitals": "hand",
    "none": "printed",
}


@dataclass(frozen=True)
class MadePage:
    """A page ready for a file: a scan or a born-digital page, with its truth."""

    look: Look
    filled: FilledPage
    scan: Scan | None
    truth: dict[str, Any]


@dataclass(frozen=True)
class MadeRecord:
    """The pages of one record within a file, numbered from 1."""

    form: str | None
    pages: tuple[int, ...]


def page_generator(seed: int, copy: int, file: str, part: int) -> np.random.Generator:
    """Return the generator of one part of one file, whatever else is made beside it."""
    return np.random.default_rng([seed, copy, zlib.crc32(file.encode()), part])


def make_pages(entry: Entry, seed: int, copy: int) -> tuple[list[MadePage], list[MadeRecord]]:
    """Make all the pages of a file and the list of its records."""
    pages: list[MadePage] = []
    records: list[MadeRecord] = []
    for part, paper in enumerate(entry.papers):
        rng = page_generator(seed, copy, entry.file, part)
        first = len(pages) + 1
        for form_page, filled in _write_paper(paper, entry.year, rng):
            look = paper.looks[min(len(pages) + 1 - first, len(paper.looks) - 1)]
            pages.append(_make_page(paper, filled, look, form_page, len(pages) + 1, rng, entry))
        if paper.kind not in ("separator", "blank"):
            form = paper.kind if paper.kind in FORMS else None
            records.append(MadeRecord(form, tuple(range(first, len(pages) + 1))))
    return pages, records


def _write_paper(paper: Paper, year: int, rng: np.random.Generator) -> list[tuple[int, FilledPage]]:
    """Return the clean filled pages of a paper with the numbers of the form's pages."""
    inventor = Inventor(rng, year, int(rng.integers(4)))
    if paper.kind == "blank":
        return [(1, FilledPage(576, 360, (), "", {}, {}))]
    pen = _choose_pen(paper.pen, rng)
    held = paper.given.get("date")
    day = date.fromisoformat(held) if held else inventor.day()
    if paper.kind in ("minutes", "letter") and paper.pen == "printed":
        pen = replace(pen, face="serif", size=12.0)
    if paper.kind == "minutes":
        return list(enumerate(minutes(len(paper.looks), inventor, pen, day), 1))
    if paper.kind == "letter":
        return list(enumerate(letter(paper.given["about"], inventor, pen, day), 1))
    form = LAYOUTS[paper.kind]
    answers = ANSWERS[paper.kind](inventor) if paper.kind in ANSWERS else {}
    answers.update({name: Answer(text, text) for name, text in paper.given.items()})
    answers.update({name: Answer("", "") for name in paper.empty})
    wanted = paper.form_pages or tuple(range(1, len(form.pages) + 1))
    return [(n, fill_sheet(form.pages[n - 1], answers, pen, rng)) for n in wanted]


def _choose_pen(name: str, rng: np.random.Generator) -> Pen:
    """Return one of the pens of a kind."""
    pens = PENS.get(name, PENS["printed"])
    return pens[int(rng.integers(len(pens)))]


def _make_page(
    paper: Paper,
    filled: FilledPage,
    look: Look,
    form_page: int,
    number: int,
    rng: np.random.Generator,
    entry: Entry,
) -> MadePage:
    """Scan one clean page, unless it is born digital, and write down its truth."""
    lean = 0.0
    scan = None
    if not paper.digital:
        least = 0.8 if look.lean > 5 else 0.4
        lean = round(float(rng.choice([-1, 1]) * rng.uniform(least, 1.0) * look.lean), 2)
        stamps, stamped = _stamps(look, filled, number, entry.year, rng)
        text = "\n".join([filled.text, *(line.text for line in stamped)]).strip()
        filled = replace(filled, text=text)
        worn = _worn_picture(filled, look, stamps, rng)
        scan = lay_on_glass(worn, lean, look.turn, look.lid, look.dpi, rng)
        if look.mode not in ("bilevel", "bilevel-png") and entry.container != "tiff-lzw":
            scan = replace(scan, picture=grainy(scan.picture, rng, 2.0))
    truth: dict[str, Any] = {
        "number": number,
        "form": paper.kind if paper.kind in FORMS else None,
        "form_page": form_page,
        "text": filled.text,
        "fields": filled.fields if paper.kind in FORMS else {},
        "values": filled.values if paper.kind in FORMS else {},
        "turn": 0 if paper.digital else look.turn,
        "skew_degrees": lean,
        "blank": paper.kind == "blank",
        "separator": paper.kind == "separator",
        "filled": FILLED_BY[paper.pen],
        "wear": [] if paper.digital else list(look.wear),
        "born_digital": paper.digital,
        "dpi": None if paper.digital else look.dpi,
        "paper_corners": [] if scan is None else [list(corner) for corner in scan.corners],
    }
    return MadePage(look, filled, scan, truth)


def _stamps(
    look: Look, filled: FilledPage, number: int, year: int, rng: np.random.Generator
) -> tuple[list[Mark], list[Line]]:
    """Return the stamps on a page and their text."""
    day = _stamp_day(filled, year, rng)
    marks: list[Mark] = []
    lines: list[Line] = []
    for name in look.wear:
        lean = float(rng.uniform(-14, 14))
        if name == "received box":
            more = received_box(filled.width - 120, filled.height - 80, day, lean)
        elif name == "received ring":
            more = received_ring(filled.width - 110, 90, day, lean)
        elif name == "stamp over text":
            more = received_box(filled.width * 0.56, filled.height * 0.33, day, lean)
        elif name == "fax header":
            more = fax_header(day, rng, number)
        else:
            continue
        marks += more[0]
        lines += more[1]
    return marks, lines


def _stamp_day(filled: FilledPage, year: int, rng: np.random.Generator) -> date:
    """Return a day on or soon after the first date written on the page."""
    dates = [text for text in filled.values.values() if text[4:5] == "-" and text[7:8] == "-"]
    if dates:
        return date.fromisoformat(min(dates)) + timedelta(days=int(rng.integers(0, 6)))
    return Inventor(rng, year, 0).day()


def _worn_picture(
    filled: FilledPage, look: Look, stamps: list[Mark], rng: np.random.Generator
) -> Picture:
    """Draw a page, press the stamps on it and wear it."""
    picture = draw_page(filled.marks, filled.width, filled.height, look.dpi)
    if stamps:
        stamp = draw_page(stamps, filled.width, filled.height, look.dpi)
        picture = press(picture, stamp, rng)
    for name in look.wear:
        if name in WEAR:
            picture = WEAR[name](picture, rng, look.dpi)
    return picture
