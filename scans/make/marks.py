"""Marks on paper: what raster and PDF printing both draw; all lengths in points (1/72 inch)."""

from __future__ import annotations

import math
from dataclasses import dataclass

Box = tuple[float, float, float, float]
Ink = tuple[int, int, int]
BLACK: Ink = (22, 22, 24)


@dataclass(frozen=True)
class Text:
    """A run of text whose baseline starts at x, y; lean is counter-clockwise degrees."""

    x: float
    y: float
    text: str
    face: str = "sans"
    size: float = 9.0
    ink: Ink = BLACK
    lean: float = 0.0
    weight: float = 0.0


@dataclass(frozen=True)
class Path:
    """A line through points, possibly closed and filled."""

    points: tuple[tuple[float, float], ...]
    width: float = 0.8
    ink: Ink = BLACK
    fill: Ink | None = None
    closed: bool = False


Mark = Text | Path


@dataclass(frozen=True)
class Line:
    """A piece of text as it is read, with the baseline start that gives its reading order."""

    x: float
    y: float
    text: str


def rule(x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> Path:
    """Return a straight printed line."""
    return Path(((x0, y0), (x1, y1)), width)


def frame(box: Box, width: float = 0.8, fill: Ink | None = None) -> Path:
    """Return a rectangle; a width of 0 leaves out the border."""
    x0, y0, x1, y1 = box
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return Path(corners, width, BLACK, fill, closed=True)


def ring(x: float, y: float, radius: float, width: float, ink: Ink = BLACK) -> Path:
    """Return a circle drawn as a polygon."""
    turns = [math.tau * step / 72 for step in range(72)]
    points = tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in turns)
    return Path(points, width, ink, closed=True)


def arched_text(x: float, y: float, radius: float, text: str, size: float, ink: Ink) -> list[Mark]:
    """Return letters standing around the upper arc of a circle."""
    step = size * 0.82 / radius
    first = -math.pi / 2 - step * (len(text) - 1) / 2
    marks: list[Mark] = []
    for position, letter in enumerate(text):
        angle = first + position * step
        lean = -math.degrees(angle + math.pi / 2)
        # The letter's middle, not its left edge, has to stand on the arc.
        left = 0.33 * size
        at_x = x + radius * math.cos(angle) - left * math.cos(math.radians(lean))
        at_y = y + radius * math.sin(angle) + left * math.sin(math.radians(lean))
        marks.append(Text(at_x, at_y, letter, "sans-bold", size, ink, lean))
    return marks


def seal(x: float, y: float, radius: float) -> list[Mark]:
    """Return the invented town's device: an alder over water within two rings."""
    inner = radius * 0.68
    marks: list[Mark] = [ring(x, y, radius, 1.2), ring(x, y, inner, 0.6)]
    marks += arched_text(x, y, radius * 0.75, "ALDER FALLS", radius * 0.25, BLACK)
    trunk = ((x, y + inner * 0.35), (x, y - inner * 0.75))
    marks.append(Path(trunk, radius * 0.06))
    for share in (0.15, 0.42, 0.66):
        top = y + inner * (0.3 - share * 1.45)
        half = inner * (0.55 - share * 0.5)
        crown = ((x - half, top + half * 0.7), (x, top - half * 0.35), (x + half, top + half * 0.7))
        marks.append(Path(crown, 0.4, BLACK, BLACK, closed=True))
    for row in (0.45, 0.62):
        half = inner * math.sqrt(1 - row * row) * 0.9
        xs = [x - half + 2 * half * step / 24 for step in range(25)]
        wave = tuple((px, y + inner * row + math.sin(px * 1.6) * 0.9) for px in xs)
        marks.append(Path(wave, 0.6))
    return marks


def reading_text(lines: list[Line]) -> str:
    """Join pieces of text in reading order: rows from the top, each from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda piece: piece.y):
        if rows and line.y - rows[-1][0].y <= 3.5:
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = (sorted(row, key=lambda piece: piece.x) for row in rows)
    return "\n".join(" ".join(piece.text for piece in row) for row in ordered)
