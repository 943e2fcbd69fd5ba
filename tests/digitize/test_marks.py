"""Tick boxes and bubbles: drawn here, marked in the ways people mark, then scanned badly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from digitize.marks import Mark, MarkState, read_marks
from records.geometry import Box

Grey = np.ndarray
SIDE = 34
SURE = 0.75
MARKED_WAYS = ("cross", "tick", "long tick", "typed", "typed low", "filled", "dot", "pencil")
SCANS = ("clean", "blurred", "fax", "specks", "turned", "dark")
SHAPES = ("square", "circle", "lettered", "brackets")


@dataclass(frozen=True)
class Drawn:
    """A page of boxes and where they are printed."""

    page: Grey
    boxes: tuple[Box, ...]


def drawn(
    ways: Sequence[str], shape: str = "square", columns: int = 2, pitch: tuple[int, int] = (260, 90)
) -> Drawn:
    """Print a box for each way of marking it, some words beside each, and mark them."""
    rows = -(-len(ways) // columns)
    size = (columns * pitch[0] + 160, rows * pitch[1] + 160)
    page = Image.new("L", size, 255)
    over = Image.new("L", size, 255)
    pen, pencil = ImageDraw.Draw(page), ImageDraw.Draw(over)
    boxes = []
    for i, way in enumerate(ways):
        x, y = 120 + i % columns * pitch[0], 80 + i // columns * pitch[1]
        boxes.append(Box(x, y, x + SIDE, y + SIDE))
        _print(pen, shape, x, y, "ABCDE"[i % columns])
        if pitch[0] >= 200:
            pen.text((x + SIDE + 16, y + 2), "Employee", 0, font=ImageFont.load_default(26))
        _mark(pencil, way, x, y)
    return Drawn(np.asarray(ImageChops.darker(page, over)).copy(), tuple(boxes))


def _print(pen: ImageDraw.ImageDraw, shape: str, x: int, y: int, letter: str) -> None:
    far = SIDE - 1
    if shape == "square":
        pen.rectangle((x, y, x + far, y + far), outline=0, width=3)
    elif shape == "brackets":
        pen.line([(x + 7, y), (x, y), (x, y + far), (x + 7, y + far)], 0, 3)
        pen.line([(x + far - 7, y), (x + far, y), (x + far, y + far), (x + far - 7, y + far)], 0, 3)
    elif shape != "none":
        pen.ellipse((x, y, x + far, y + far), outline=0, width=3)
    if shape == "lettered":
        pen.text((x + SIDE / 2, y + SIDE / 2), letter, 0, ImageFont.load_default(19), anchor="mm")


def _mark(pen: ImageDraw.ImageDraw, way: str, x: int, y: int) -> None:
    def line(points: Sequence[tuple[float, float]], ink: int = 20, width: int = 4) -> None:
        pen.line([(x + px * SIDE, y + py * SIDE) for px, py in points], ink, width)

    match way:
        case "cross":
            line([(0.15, 0.2), (0.85, 0.8)])
            line([(0.8, 0.15), (0.2, 0.85)])
        case "tick":
            line([(0.2, 0.5), (0.45, 0.8), (0.85, 0.2)])
        case "long tick":
            line([(0.2, 0.4), (0.45, 0.85), (1.7, -0.9)])
        case "typed":
            pen.text((x + 8, y - 2), "X", 0, ImageFont.load_default(32))
        case "typed low":
            pen.text((x - 9, y + 9), "X", 0, ImageFont.load_default(32))
        case "filled":
            pen.rectangle((x + 1, y + 1, x + SIDE - 2, y + SIDE - 2), 30)
        case "bubble":
            pen.ellipse((x + 2, y + 2, x + SIDE - 3, y + SIDE - 3), 90)
        case "dot":
            pen.ellipse((x + 12, y + 12, x + 23, y + 23), 20)
        case "pencil":
            line([(0.2, 0.5), (0.45, 0.8), (0.85, 0.2)], 130, 3)
        case "faint":
            line([(0.3, 0.5), (0.5, 0.7), (0.7, 0.4)], 190, 2)
        case "scribbled":
            zigzag = [(-0.35 + 0.1 * i, (-0.35, 1.35)[i % 2]) for i in range(18)]
            line(zigzag, 20, 5)
            line([(b, a) for a, b in zigzag], 20, 5)


def scanned(page: Grey, how: str, seed: int = 1) -> Grey:
    """Scan a page: in grey and out of focus, as a fax, dusty, crooked or too dark."""
    chance = np.random.default_rng(seed)
    if how == "blurred":
        soft = cv2.GaussianBlur(page, (0, 0), 1.2).astype(float)
        return np.clip(soft * 0.85 + 25 + chance.normal(0, 7, page.shape), 0, 255).astype(np.uint8)
    if how == "fax":
        small = cv2.resize(page, None, fx=0.68, fy=0.68, interpolation=cv2.INTER_AREA)
        ragged = small + chance.normal(0, 45, small.shape)
        pure = np.where(ragged < 130, 0, 255).astype(np.uint8)
        return cv2.resize(pure, page.shape[::-1], interpolation=cv2.INTER_NEAREST)
    if how == "specks":
        specks = chance.random(page.shape) < 0.006
        return np.where(cv2.dilate(specks.astype(np.uint8), np.ones((2, 2))) > 0, 0, page).astype(
            np.uint8
        )
    if how == "turned":
        height, width = page.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.2, 1.0)
        return cv2.warpAffine(page, matrix, (width, height), borderValue=255)
    if how == "dark":
        thick = cv2.erode(page, np.ones((3, 3)))
        return np.clip(thick * 0.75 + chance.normal(0, 5, page.shape), 0, 255).astype(np.uint8)
    return page


def displaced(boxes: Sequence[Box], share: float, seed: int) -> list[Box]:
    """Expect each box elsewhere: by its own offset of up to a share of its side."""
    chance = np.random.default_rng(seed)
    moved = []
    for box in boxes:
        dx, dy = chance.uniform(-share * SIDE, share * SIDE, 2).round().astype(int).tolist()
        moved.append(Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy))
    return moved
