"""Rubber stamps and the line which a fax machine prints at the top of a page."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from .marks import Ink, Line, Mark, Path, Text, ring
from .people import MONTHS

RED: Ink = (176, 40, 44)
VIOLET: Ink = (92, 60, 140)


def _turned(x: float, y: float, lean: float, right: float, down: float) -> tuple[float, float]:
    """Return the point that lies right and down of x, y on something leaning by degrees."""
    angle = math.radians(lean)
    cos, sin = math.cos(angle), math.sin(angle)
    return (x + right * cos + down * sin, y - right * sin + down * cos)


def received_box(x: float, y: float, day: date, lean: float) -> tuple[list[Mark], list[Line]]:
    """Return a boxed RECEIVED stamp with its centre at x, y."""
    stamped = f"{MONTHS[day.month - 1][:3].upper()} {day.day:02d} {day.year}"
    half_w, half_h = 62.0, 28.0
    marks: list[Mark] = []
    for inset in (0.0, 3.0):
        w, h = half_w - inset, half_h - inset
        corners = [(-w, -h), (w, -h), (w, h), (-w, h)]
        points = tuple(_turned(x, y, lean, *corner) for corner in corners)
        marks.append(Path(points, 1.3 if inset == 0 else 0.6, RED, closed=True))
    rows = (
        ("RECEIVED", -38.0, -9.0, 14.0),
        (stamped, -40.0, 6.0, 13.0),
        ("TOWN CLERK, ALDER FALLS", -54.0, 19.0, 8.0),
    )
    lines = []
    for text, right, down, size in rows:
        at_x, at_y = _turned(x, y, lean, right, down)
        marks.append(Text(at_x, at_y, text, "sans-bold", size, RED, lean))
        lines.append(Line(at_x, at_y, text))
    return marks, lines


def received_ring(x: float, y: float, day: date, lean: float) -> tuple[list[Mark], list[Line]]:
    """Return a round date stamp with its centre at x, y."""
    stamped = f"{MONTHS[day.month - 1][:3].upper()} {day.day} {day.year}"
    marks: list[Mark] = [ring(x, y, 38, 1.5, VIOLET), ring(x, y, 34.5, 0.6, VIOLET)]
    rows = (
        ("RECEIVED", -23.5, -12.0, 9.5),
        (stamped, -28.0, 4.0, 10.5),
        ("LICENSING", -22.0, 18.0, 8.5),
    )
    lines = []
    for text, right, down, size in rows:
        at_x, at_y = _turned(x, y, lean, right, down)
        marks.append(Text(at_x, at_y, text, "sans-bold", size, VIOLET, lean))
        lines.append(Line(at_x, at_y, text))
    return marks, lines


def fax_header(day: date, rng: np.random.Generator, page: int) -> tuple[list[Mark], list[Line]]:
    """Return the sender's line which a fax machine prints above the page."""
    clock = f"{rng.integers(8, 17):02d}:{rng.integers(0, 60):02d}"
    text = (
        f"{MONTHS[day.month - 1][:3].upper()}-{day.day:02d}-{day.year} {clock}   "
        f"FROM: ALDER FALLS PUBLIC WORKS   555-0147   P.{page:02d}"
    )
    return [Text(60, 18, text, "mono", 8.5)], [Line(60, 18, text)]


def press(picture: np.ndarray, stamp: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Press a stamp (RGB, white where there is no ink) unevenly onto a picture."""
    rows, columns = picture.shape[:2]
    coarse = rng.uniform(0.45, 1.0, (rows // 40 + 2, columns // 40 + 2))
    cover = np.kron(coarse, np.ones((40, 40)))[:rows, :columns, None]
    cover = cover * (rng.random((rows, columns, 1)) > 0.08)
    ink = 255 - (255 - stamp.astype(np.float32)) * cover
    return (picture.astype(np.float32) * ink / 255).astype(np.uint8)
