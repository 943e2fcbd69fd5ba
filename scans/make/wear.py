"""Wear of paper: each kind is a pure function of an RGB picture, a generator and the dpi."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .letters import reverse_of
from .raster import Picture, draw_page

Wear = Callable[[Picture, np.random.Generator, int], Picture]


def _multiplied(picture: Picture, share: np.ndarray) -> Picture:
    """Darken (or lighten) a picture by a share for each pixel or channel."""
    return np.clip(picture.astype(np.float32) * share, 0, 255).astype(np.uint8)


def _clouds(shape: tuple[int, ...], rng: np.random.Generator, coarse: int) -> np.ndarray:
    """Return smooth noise between about -1 and 1."""
    small = rng.normal(0, 1, (shape[0] // coarse + 2, shape[1] // coarse + 2)).astype(np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def aged(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Yellow the paper and mottle it."""
    tint = np.array([0.955, 0.925, 0.84], np.float32) + rng.uniform(-0.015, 0.02)
    clouds = 1 + 0.012 * _clouds(picture.shape, rng, dpi)
    return _multiplied(picture, clouds[:, :, None] * tint)


def buff(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Give the page the colour of buff card stock."""
    return _multiplied(picture, np.array([0.97, 0.93, 0.80], np.float32))


def speckle(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Sprinkle dark and light specks."""
    worn = picture.copy()
    rows, columns = worn.shape[:2]
    for _ in range(int(rng.integers(120, 380))):
        at = (int(rng.integers(columns)), int(rng.integers(rows)))
        shade = 255 if rng.random() < 0.25 else int(rng.integers(20, 120))
        radius = int(rng.choice([0, 0, 1, 1, 2])) * dpi // 200
        cv2.circle(worn, at, radius, (shade, shade, shade), -1)
    return worn


def punched(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Punch two holes along the left edge, through which the black lid is seen."""
    worn = picture.copy()
    rows = worn.shape[0]
    radius = round(0.14 * dpi)
    gap = min(1.4 * dpi, rows * 0.3)
    x = round(0.32 * dpi + rng.normal(0, 0.02) * dpi)
    for y in (rows / 2 - gap, rows / 2 + gap):
        cv2.circle(worn, (x, round(y)), radius + max(1, dpi // 100), (185, 185, 185), -1)
        cv2.circle(worn, (x, round(y)), radius, (24, 24, 24), -1)
    return worn


def folded(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Shade the page along folds in thirds, as of a letter from an envelope."""
    rows, columns = picture.shape[:2]
    share = np.ones((rows, columns), np.float32)
    across = np.arange(rows, dtype=np.float32)[:, None]
    slope = np.linspace(0, rng.normal(0, 0.04) * dpi, columns)[None, :]
    for third in (rows / 3, rows * 2 / 3):
        distance = (across - slope - third - rng.normal(0, 0.05) * dpi) / dpi
        share -= 0.24 * np.exp(-np.abs(distance) / 0.10) * (distance > 0)
        share -= 0.30 * np.exp(-((distance / 0.011) ** 2))
        share += 0.03 * np.exp(-np.abs(distance) / 0.15) * (distance < 0)
    return _multiplied(picture, share[:, :, None])


def bled_through(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Let the print of the reverse side shine through, mirrored and soft."""
    rows, columns = picture.shape[:2]
    reverse = draw_page(reverse_of("over").marks, 612, 792, dpi)
    reverse = cv2.resize(reverse, (columns, rows), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(reverse[:, ::-1], (0, 0), 0.011 * dpi)
    strength = rng.uniform(0.10, 0.16)
    return _multiplied(picture, 1 - strength * (255 - soft.astype(np.float32)) / 255)


def coffee(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Set a coffee cup on the page."""
    rows, columns = picture.shape[:2]
    radius = min(1.45 * dpi, rows * 0.3)
    x, y = columns * rng.uniform(0.3, 0.75), rows * rng.uniform(0.3, 0.75)
    down, right = np.ogrid[:rows, :columns]
    angle = np.arctan2(down - y, right - x)
    wobble = 1 + 0.012 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.008 * np.sin(7 * angle)
    distance = (np.hypot(down - y, right - x) / (radius * wobble) - 1) * radius / dpi
    wet = 0.55 + 0.45 * np.sin(angle + rng.uniform(0, 6))
    stain = 0.42 * wet * np.exp(-((distance / 0.035) ** 2))
    stain += 0.25 * wet * np.exp(-(((distance + 0.07) / 0.02) ** 2)) + 0.05 * (distance < 0)
    colour = np.array([0.45, 0.72, 1.0], np.float32)
    return _multiplied(picture, 1 - stain.astype(np.float32)[:, :, None] * colour)


def faded(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Fade the ink unevenly, as with an old ribbon or a weak copy."""
    strength = 0.62 + 0.10 * _clouds(picture.shape, rng, dpi // 2)
    ink = (255 - picture.astype(np.float32)) * np.clip(strength, 0.38, 0.9)[:, :, None]
    return (255 - ink).astype(np.uint8)


def streaked(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Draw the streaks that dust on the glass leaves along the feed direction."""
    share = np.ones((1, picture.shape[1], 1), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        x = int(rng.integers(picture.shape[1] - 3))
        share[:, x : x + max(1, dpi // 150)] = rng.uniform(0.55, 0.8)
    return _multiplied(picture, share)


def stapled(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Leave the shadow of a staple and its holes in the upper left corner."""
    worn = picture.copy()
    x, y = 0.35 * dpi, 0.3 * dpi
    end = (round(x + 0.34 * dpi), round(y - 0.2 * dpi))
    cv2.line(worn, (round(x), round(y)), end, (112, 112, 118), max(2, dpi // 70), cv2.LINE_AA)
    for hole in ((round(x), round(y)), end):
        cv2.circle(worn, hole, max(2, dpi // 80), (40, 40, 40), -1)
    return worn


def dog_eared(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Fold the upper right corner over, so that its grey back covers the print."""
    worn = picture.copy()
    columns = worn.shape[1]
    size = round(rng.uniform(0.35, 0.6) * dpi)
    corner = np.array([[columns - size, 0], [columns, 0], [columns, size]], np.int32)
    cv2.fillPoly(worn, [corner], (30, 30, 30))
    flap = np.array([[columns - size, 0], [columns, size], [columns - size, size]], np.int32)
    cv2.fillPoly(worn, [flap], (222, 219, 210))
    cv2.polylines(worn, [flap], True, (140, 138, 132), 2, cv2.LINE_AA)
    return worn


def fax(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Pass the page through a fax machine: ragged edges, lost rows, black specks."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, None, fx=1.0, fy=0.62, interpolation=cv2.INTER_AREA)
    rough = cv2.resize(small, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    rough = rough + rng.normal(0, 16, grey.shape)
    for row in rng.integers(0, grey.shape[0] - 2, 5):
        rough[row : row + 2] = np.roll(rough[row : row + 2], int(rng.integers(-9, 9)), axis=1)
    black = np.where(rough < 172, 0, 255).astype(np.uint8)
    return cv2.cvtColor(black, cv2.COLOR_GRAY2RGB)


def copied(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Photocopy the page: thick soft strokes, a dark edge, toner dust."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), dpi / 260).astype(np.float32)
    hard = np.clip((soft - 118) * 2.6 + 110, 0, 255)
    edge = np.linspace(0, 1, grey.shape[1], dtype=np.float32)[None, :]
    hard -= 120 * np.exp(-edge * 90)
    dust = np.asarray(rng.random(grey.shape) > 0.9998)
    hard = np.where(cv2.dilate(dust.astype(np.uint8), np.ones((2, 2))) > 0, 60, hard)
    return cv2.cvtColor(np.clip(hard, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


WEAR: dict[str, Wear] = {
    "aged": aged,
    "buff": buff,
    "speckle": speckle,
    "punch holes": punched,
    "fold": folded,
    "bleed-through": bled_through,
    "coffee": coffee,
    "faded": faded,
    "streaks": streaked,
    "staple": stapled,
    "dog-ear": dog_eared,
    "fax": fax,
    "photocopy": copied,
}
