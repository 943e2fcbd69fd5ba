"""Fills a form in with a typewriter, a printer or a pen, and writes down what was written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .faces import text_width, wrap
from .layout import Field, Option, Sheet
from .marks import Ink, Line, Mark, Path, Text, reading_text
from .people import NO_ANSWER, Answer, Answers


@dataclass(frozen=True)
class Pen:
    """What answers are written with; size in points, weight is added stroke in points."""

    kind: str
    face: str
    size: float
    ink: Ink
    capitals: bool = False
    weight: float = 0.0


BLUE: Ink = (38, 52, 128)
PENS: dict[str, tuple[Pen, ...]] = {
    "typed": (
        Pen("typed", "typewriter", 11.0, (40, 40, 46)),
        Pen("typed", "typewriter", 10.5, (30, 30, 34), weight=0.12),
    ),
    "old-typed": (Pen("typed", "old-typewriter", 10.0, (44, 42, 46)),),
    "faint": (Pen("typed", "typewriter", 11.0, (134, 132, 136)),),
    "printed": (
        Pen("printed", "sans", 10.0, (16, 16, 16)),
        Pen("printed", "mono", 9.5, (16, 16, 16)),
    ),
    "hand": (
        Pen("hand", "hand-round", 14.5, BLUE),
        Pen("hand", "hand-round", 13.5, (30, 30, 36)),
        Pen("hand", "hand-thin", 15.0, BLUE, weight=0.2),
    ),
    "capitals": (
        Pen("hand", "capitals-wide", 14.0, (28, 28, 40), True),
        Pen("hand", "capitals-round", 14.0, BLUE, True),
        Pen("hand", "capitals-small", 16.0, (30, 34, 60), True),
    ),
}


@dataclass(frozen=True)
class FilledPage:
    """A clean page with everything on it and the truth about its answers."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    text: str
    fields: dict[str, str]
    values: dict[str, str]


def fill_sheet(sheet: Sheet, answers: Answers, pen: Pen, rng: np.random.Generator) -> FilledPage:
    """Write the answers onto a page and return the page with its truth."""
    marks = list(sheet.marks)
    lines = list(sheet.lines)
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for asked in sheet.fields:
        answer = answers.get(asked.name, NO_ANSWER)
        if pen.capitals and asked.kind not in ("choice", "tick", "signature"):
            answer = _in_capitals(answer, asked.kind)
        drawn, written = _write_field(asked, answer, pen, rng)
        marks += drawn
        lines += written
        fields[asked.name] = answer.written
        values[asked.name] = answer.value
    return FilledPage(sheet.width, sheet.height, tuple(marks), reading_text(lines), fields, values)


def _in_capitals(answer: Answer, kind: str) -> Answer:
    """Return an answer as a hand that knows capitals only writes it."""
    value = answer.value.upper() if kind == "text" else answer.value
    return Answer(answer.written.upper(), value)


def _write_field(
    asked: Field, answer: Answer, pen: Pen, rng: np.random.Generator
) -> tuple[list[Mark], list[Line]]:
    """Return the marks of one answer and the lines of text it consists of."""
    if asked.kind == "choice":
        chosen = [option for option in asked.options if option.value == answer.written]
        return [mark for option in chosen for mark in _tick_mark(option, pen, rng)], []
    if asked.kind == "tick":
        box = Option("yes", asked.zone)
        return (_tick_mark(box, pen, rng) if answer.written == "yes" else []), []
    if asked.kind == "signature":
        return (_signature(asked, rng) if answer.written else []), []
    if not answer.written:
        return [], []
    place = asked.writing
    # Handwriting spreads its words; leave room for that at the right.
    width = place.width * (0.87 if pen.kind == "hand" else 1.0)
    rows = [answer.written]
    if place.lines > 1:
        pen = replace(pen, size=min(pen.size, place.leading * 0.95))
        rows = wrap(answer.written, pen.face, pen.size, width)
    widest = max(text_width(row, pen.face, pen.size) for row in rows)
    fitting = replace(pen, size=pen.size * min(1.0, width / widest))
    marks: list[Mark] = []
    lines = []
    for number, row in enumerate(rows):
        start = place.x + (rng.uniform(0, 6) if widest < width - 8 else 0)
        y = place.y + number * place.leading
        marks += write_row(start, y, row, fitting, rng)
        lines.append(Line(start, y, row))
    return marks, lines


def write_row(x: float, y: float, text: str, pen: Pen, rng: np.random.Generator) -> list[Mark]:
    """Return the marks of one line of writing whose baseline starts at x, y."""
    if pen.kind == "printed":
        return [Text(x, y, text, pen.face, pen.size, pen.ink)]
    if pen.kind == "typed":
        return _typed_row(x, y, text, pen, rng)
    marks: list[Mark] = []
    slope = rng.normal(0, 0.35)
    gap = text_width(" ", pen.face, pen.size) + 0.12 * pen.size
    start = x
    for word in text.split(" "):
        at_y = y - (x - start) * math.tan(math.radians(slope)) + rng.normal(0, 0.35)
        lean = slope + rng.normal(0, 0.7)
        size = pen.size * rng.uniform(0.96, 1.03)
        marks.append(Text(x, at_y, word, pen.face, size, pen.ink, lean, pen.weight))
        x += text_width(word, pen.face, size) + gap * rng.uniform(0.8, 1.1)
    return marks


def _typed_row(x: float, y: float, text: str, pen: Pen, rng: np.random.Generator) -> list[Mark]:
    """Return single letters with the uneven height and ink of a typewriter."""
    marks: list[Mark] = []
    step = text_width("n", pen.face, pen.size)
    for letter in text:
        if letter != " ":
            shade = int(rng.integers(-14, 34))
            red, green, blue = (int(np.clip(part + shade, 0, 215)) for part in pen.ink)
            at_y = y + rng.normal(0, 0.22)
            weight = pen.weight + (0.10 if rng.random() < 0.10 else 0.0)
            marks.append(Text(x, at_y, letter, pen.face, pen.size, (red, green, blue), 0.0, weight))
        x += step
    return marks


def _tick_mark(option: Option, pen: Pen, rng: np.random.Generator) -> list[Mark]:
    """Return a typed X or a drawn cross or check in a tick box."""
    x0, y0, x1, y1 = option.zone
    if pen.kind != "hand":
        size = 10.0
        left = (x0 + x1 - text_width("X", pen.face, size)) / 2 + rng.normal(0, 0.4)
        return [Text(left, y1 - 1.2 + rng.normal(0, 0.3), "X", pen.face, size, pen.ink)]

    def near(x: float, y: float) -> tuple[float, float]:
        return (x + rng.normal(0, 0.8), y + rng.normal(0, 0.8))

    if rng.random() < 0.5:
        strokes = [(near(x0, y0), near(x1, y1)), (near(x1, y0), near(x0, y1))]
        return [Path(stroke, 1.1, pen.ink) for stroke in strokes]
    check = (near(x0 + 1, y0 + 4), near(x0 + 3.5, y1 - 1), near(x1 + 4, y0 - 3))
    return [Path(check, 1.2, pen.ink)]


def _signature(asked: Field, rng: np.random.Generator) -> list[Mark]:
    """Return a scribbled signature standing on its line."""
    place = asked.writing
    return scribble(place.x, place.y, place.width, rng)


def scribble(x: float, y: float, widest: float, rng: np.random.Generator) -> list[Mark]:
    """Return a signature that starts at x, y and is no wider than widest points."""
    count = 240
    share = np.linspace(0, 1, count)
    length = min(widest, rng.uniform(90, 165))
    strokes = int(rng.integers(7, 14))
    speed = np.interp(share, np.linspace(0, 1, strokes), rng.uniform(0.4, 1.7, strokes))
    turn = np.cumsum(speed) / speed.sum() * strokes * math.tau + rng.uniform(0, math.tau)
    heights = rng.uniform(0.9, 3.4, strokes * 2)
    tall = rng.choice(strokes * 2, 3, replace=False)
    heights[tall] = rng.uniform(6, 9, 3)
    heights[0] = rng.uniform(9, 13)
    heights[-3:] = (1.2, 0.6, 0.3)
    height = np.interp(share, np.linspace(0, 1, strokes * 2), heights)
    rise = height * (np.cos(turn) + 0.8) + 1.5 * np.sin(turn * 0.31) + rng.uniform(-1, 3) * share
    width = np.cumsum(rng.uniform(0.5, 1.5, count)) / count * length
    loops = rng.uniform(1.0, 3.6) * np.sin(turn + rng.uniform(0, 2))
    xs = x + width + loops + rng.uniform(0.1, 0.7) * rise
    ys = y - rise
    ink = BLUE if rng.random() < 0.6 else (28, 28, 34)
    points = tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True))
    marks: list[Mark] = [Path(points, float(rng.uniform(0.7, 1.1)), ink)]
    if rng.random() < 0.5:
        end = points[-1]
        flourish = (end, (end[0] - 14, end[1] + 5), (x + length * 0.3, y + 2.5))
        marks.append(Path(flourish, 0.7, ink))
    return marks
