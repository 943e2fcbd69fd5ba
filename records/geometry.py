"""Boxes, and the way from a cleaned page back to the original scan: pure functions on numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


class Box(NamedTuple):
    """Integer pixels, top-left origin; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def letters(self, start: int, end: int, count: int) -> Box:
        """Return the part of a word's box for some of its ``count`` letters, all as wide."""
        letter = self.width / count
        left, right = self.left + round(start * letter), self.left + round(end * letter)
        return Box(left, self.top, max(right, left + 1), self.bottom)

    def holds(self, other: Box) -> bool:
        """Say whether the middle of another box lies in this one."""
        x, y = other.centre
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def moved(self, right: int, down: int) -> Box:
        """Return the box so many pixels further on."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def grown(self, across: int, down: int) -> Box:
        """Return the box with so many pixels more on the left and right, above and below."""
        return Box(self.left - across, self.top - down, self.right + across, self.bottom + down)

    def cut(self, whole: Box) -> Box:
        """Return the part that lies in another box; at its edge and empty where none does."""
        return Box(
            min(max(self.left, whole.left), whole.right),
            min(max(self.top, whole.top), whole.bottom),
            max(min(self.right, whole.right), whole.left),
            max(min(self.bottom, whole.bottom), whole.top),
        )

    def overlap(self, other: Box) -> int:
        """Return the area in square pixels that both boxes cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, width) * max(0, height)


def union(boxes: list[Box] | tuple[Box, ...]) -> Box | None:
    """Return the smallest box around all boxes, or None for no boxes."""
    if not boxes:
        return None
    return Box(
        min(b.left for b in boxes),
        min(b.top for b in boxes),
        max(b.right for b in boxes),
        max(b.bottom for b in boxes),
    )


# The four corners of a box that may lean, in fractions of the original's width and height, so that
# they survive another resolution.
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """How the cleaned page came from the original scan.

    ``turn`` says how far the content of the original was turned counter-clockwise (0, 90, 180,
    270), ``skew_degrees`` how far it leant counter-clockwise beyond that. The steps, in order:
    undo the turn; undo the skew about the centre onto a canvas of ``canvas`` (w, h) pixels;
    cut out ``crop`` (in canvas pixels); multiply by ``scale``.
    """

    original: tuple[int, int]
    turn: int
    skew_degrees: float
    canvas: tuple[int, int]
    crop: Box
    scale: float

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the cleaned page to the point of the original that it came from."""
        x, y = x / self.scale + self.crop.left, y / self.scale + self.crop.top
        upright = self.original if self.turn in (0, 180) else self.original[::-1]
        angle = math.radians(self.skew_degrees)
        dx, dy = x - self.canvas[0] / 2, y - self.canvas[1] / 2
        x = math.cos(angle) * dx + math.sin(angle) * dy + upright[0] / 2
        y = -math.sin(angle) * dx + math.cos(angle) * dy + upright[1] / 2
        width, height = self.original
        match self.turn:
            case 90:
                return y, height - x
            case 180:
                return width - x, height - y
            case 270:
                return width - y, x
        return x, y

    def from_original(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the original to the point of the cleaned page that it became."""
        width, height = self.original
        match self.turn:
            case 90:
                x, y = height - y, x
            case 180:
                x, y = width - x, height - y
            case 270:
                x, y = y, width - x
        upright = self.original if self.turn in (0, 180) else self.original[::-1]
        angle = math.radians(self.skew_degrees)
        dx, dy = x - upright[0] / 2, y - upright[1] / 2
        x = math.cos(angle) * dx - math.sin(angle) * dy + self.canvas[0] / 2
        y = math.sin(angle) * dx + math.cos(angle) * dy + self.canvas[1] / 2
        return (x - self.crop.left) * self.scale, (y - self.crop.top) * self.scale

    def corners_on_original(self, box: Box) -> Corners:
        """Return where a box of the cleaned page lies in the original, however that is drawn."""
        width, height = self.original
        corners = (self.to_original(x, y) for x in box[::2] for y in box[1::2])
        return tuple((round(x / width, 6), round(y / height, 6)) for x, y in corners)

    def box_of_corners(self, corners: Corners) -> Box:
        """Return the upright box of the cleaned page that holds a place of the original."""
        width, height = self.original
        found = [self.from_original(x * width, y * height) for x, y in corners]
        xs, ys = [round(x) for x, _ in found], [round(y) for _, y in found]
        return Box(min(xs), min(ys), max(xs), max(ys))

    def box_on_original(self, box: Box) -> Box:
        """Return the upright box of the original that holds a box of the cleaned page."""
        corners = [self.to_original(x, y) for x in box[::2] for y in box[1::2]]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return Box(
            max(0, math.floor(min(xs))),
            max(0, math.floor(min(ys))),
            min(self.original[0], math.ceil(max(xs))),
            min(self.original[1], math.ceil(max(ys))),
        )


def untouched(width: int, height: int) -> PageGeometry:
    """Return the geometry of a page that no step changed."""
    return PageGeometry((width, height), 0, 0.0, (width, height), Box(0, 0, width, height), 1.0)
