"""The scanner: lays a worn page on the glass, leaning and turned, and reads it in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .raster import Picture

LID = {"black": (18, 18, 20), "white": (250, 250, 249), "crop": (250, 250, 249)}


@dataclass(frozen=True)
class Scan:
    """A scanned page as stored, with the places of the paper's corners in pixels."""

    picture: Picture
    corners: tuple[tuple[float, float], ...]


def lay_on_glass(
    picture: Picture, skew: float, turn: int, lid: str, dpi: int, rng: np.random.Generator
) -> Scan:
    """Lean a page by skew degrees, then turn it by turn degrees, both counter-clockwise.

    A lid of "crop" keeps the size of the paper and loses its corners; the others show the lid
    around the whole page.
    """
    rows, columns = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), skew, 1.0)
    wide, high = columns, rows
    if lid != "crop":
        cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
        margin = (0.22 if lid == "black" else 0.05) * dpi
        wide = int(columns * cos + rows * sin + 2 * margin)
        high = int(rows * cos + columns * sin + 2 * margin)
        offset = rng.uniform(-0.6, 0.6, 2) * margin
        matrix[:, 2] += ((wide - columns) / 2 + offset[0], (high - rows) / 2 + offset[1])
    laid = cv2.warpAffine(
        picture, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderValue=LID[lid]
    )
    outline = np.array([[0, 0, 1], [columns, 0, 1], [columns, rows, 1], [0, rows, 1]], float)
    corners = outline @ matrix.T
    for _ in range(turn // 90):
        laid = np.ascontiguousarray(np.rot90(laid))
        # A quarter turn counter-clockwise takes (x, y) to (y, width - x).
        corners = np.stack([corners[:, 1], wide - corners[:, 0]], axis=1)
        wide, high = high, wide
    found = tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)
    return Scan(laid, found)


def grainy(picture: Picture, rng: np.random.Generator, strength: float) -> Picture:
    """Add the slight blur and grain of the sensor."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.6)
    rows, columns = soft.shape[:2]
    grain = rng.normal(0, strength, (rows, columns, 1))
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def bilevel(picture: Picture, threshold: int) -> Picture:
    """Reduce a picture to black (0) and white (255) in one channel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.where(grey < threshold, 0, 255).astype(np.uint8)
