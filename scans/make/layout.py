"""Lays out a form on a clean page and records where labels and answers stand, in points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .faces import text_width, wrap
from .marks import BLACK, Box, Line, Mark, Text, frame, rule, seal

LABEL_SIZE = 7.6
TICK = 8.5


@dataclass(frozen=True)
class Option:
    """One of the tick boxes of a choice."""

    value: str
    zone: Box


@dataclass(frozen=True)
class Writing:
    """Where an answer is written: start of the first baseline, width and lines, in points."""

    x: float
    y: float
    width: float
    lines: int = 1
    leading: float = 0.0


@dataclass(frozen=True)
class Field:
    """A question on a form, how its answer is found and where it is written."""

    name: str
    label: str
    kind: str
    zone: Box
    writing: Writing
    required: bool = False
    options: tuple[Option, ...] = ()
    locate: str = "zone"
    rules: tuple[tuple[str, Any], ...] = ()
    printed: str = ""


def plain_label(printed: str) -> str:
    """Return a printed label without its number, and without the capitals of the print."""
    bare = re.sub(r"^\d+\. ", "", printed)
    return bare.capitalize() if bare.isupper() else bare


@dataclass(frozen=True)
class Anchor:
    """A printed text by which a form is told apart."""

    text: str
    box: Box


@dataclass
class Sheet:
    """One page under construction; sizes in points, measured from the upper left corner."""

    width: float = 612.0
    height: float = 792.0
    marks: list[Mark] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)

    def print_text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = LABEL_SIZE,
        face: str = "sans",
        align: str = "left",
        anchor: bool = False,
    ) -> float:
        """Print a line and return the x at which it ends."""
        width = text_width(text, face, size)
        left = x - {"left": 0.0, "centre": width / 2, "right": width}[align]
        self.marks.append(Text(left, y, text, face, size))
        self.lines.append(Line(left, y, text))
        if anchor:
            box = (left, y - size * 0.72, left + width, y)
            self.anchors.append(Anchor(text, box))
        return left + width

    def print_block(
        self, x: float, y: float, width: float, text: str, size: float, face: str = "sans"
    ) -> float:
        """Print a wrapped paragraph and return the baseline that follows it."""
        for row in wrap(text, face, size, width):
            self.print_text(x, y, row, size, face)
            y += size * 1.32
        return y

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> None:
        """Print a straight line."""
        self.marks.append(rule(x0, y0, x1, y1, width))

    def box(self, box: Box, width: float = 0.8, grey: int | None = None) -> None:
        """Print a rectangle, with a tone of grey (0 to 255) inside if wanted."""
        self.marks.append(frame(box, width, None if grey is None else (grey, grey, grey)))

    def seal(self, x: float, y: float, radius: float) -> None:
        """Print the town seal."""
        self.marks += seal(x, y, radius)

    def section(self, box: Box, title: str, anchor: bool = False) -> None:
        """Print a black bar with a white title, as at the top of a boxed section."""
        self.marks.append(frame(box, 0.4, BLACK))
        size = (box[3] - box[1]) * 0.68
        x, y = box[0] + 5, box[3] - (box[3] - box[1]) * 0.27
        self.marks.append(Text(x, y, title, "sans-bold", size, (255, 255, 255)))
        self.lines.append(Line(x, y, title))
        if anchor:
            width = text_width(title, "sans-bold", size)
            self.anchors.append(Anchor(title, (x, y - size * 0.72, x + width, y)))

    def cell(
        self,
        box: Box,
        label: str,
        name: str,
        kind: str = "text",
        required: bool = False,
        locate: str = "zone",
        lines: int = 1,
        **rules: Any,
    ) -> None:
        """Print a box with a small label in its upper left corner and its answer below."""
        x0, y0, x1, y1 = box
        self.box(box)
        self.print_text(x0 + 4, y0 + 9, label)
        zone = (x0 + 1.5, y0 + 11, x1 - 1.5, y1 - 1)
        leading = (y1 - y0 - 12) / lines
        writing = Writing(x0 + 7, y0 + 11 + leading * 0.74, x1 - x0 - 14, lines, leading)
        asked = Field(
            name,
            plain_label(label),
            kind,
            zone,
            writing,
            required,
            (),
            locate,
            tuple(sorted(rules.items())),
            label,
        )
        self.fields.append(asked)

    def ruled(
        self,
        x0: float,
        y: float,
        x1: float,
        label: str,
        name: str,
        kind: str = "text",
        required: bool = False,
        locate: str = "zone",
        face: str = "sans",
        size: float = LABEL_SIZE,
        **rules: Any,
    ) -> None:
        """Print a label and after it a ruled line for the answer, both on the baseline y."""
        end = self.print_text(x0, y, label, size, face)
        self.line(end + 3, y + 2, x1, y + 2, 0.6)
        zone = (end + 2, y - 16, x1, y + 6)
        writing = Writing(end + 8, y - 0.5, x1 - end - 12)
        asked = Field(
            name,
            plain_label(label),
            kind,
            zone,
            writing,
            required,
            (),
            locate,
            tuple(sorted(rules.items())),
            label,
        )
        self.fields.append(asked)

    def choice(
        self,
        name: str,
        label: str,
        places: Sequence[tuple[float, float, str]],
        required: bool = False,
        size: float = 8.2,
        face: str = "sans",
    ) -> None:
        """Print tick boxes, each followed by its value, at the given x and baseline."""
        options = []
        for x, y, value in places:
            zone = (x, y - TICK + 1, x + TICK, y + 1)
            self.box(zone, 0.8)
            self.print_text(x + TICK + 4, y, value, size, face)
            options.append(Option(value, zone))
        boxes = [option.zone for option in options]
        zone = (
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        )
        writing = Writing(zone[0], zone[3], 0)
        self.fields.append(Field(name, label, "choice", zone, writing, required, tuple(options)))

    def tick(
        self, x: float, y: float, name: str, label: str, size: float = 8.2, face: str = "sans"
    ) -> None:
        """Print a single tick box with its label to the right."""
        zone = (x, y - TICK + 1, x + TICK, y + 1)
        self.box(zone, 0.8)
        self.print_text(x + TICK + 4, y, label, size, face)
        self.fields.append(Field(name, label, "tick", zone, Writing(x, y, TICK)))

    def signature(
        self,
        x0: float,
        y: float,
        x1: float,
        label: str,
        name: str,
        required: bool = False,
        face: str = "sans",
    ) -> None:
        """Print a signature line with its label below."""
        self.line(x0, y, x1, y, 0.8)
        self.print_text(x0, y + 9, label, LABEL_SIZE, face)
        zone = (x0, y - 24, x1, y - 1.5)
        writing = Writing(x0 + 10, y - 4, x1 - x0 - 20)
        self.fields.append(Field(name, plain_label(label), "signature", zone, writing, required))


@dataclass(frozen=True)
class Form:
    """A form as its template describes it: its pages and what is needed to file it."""

    name: str
    title: str
    department: str
    pages: tuple[Sheet, ...]
    date: str = ""
    record_title: str = ""
    role: str = ""
