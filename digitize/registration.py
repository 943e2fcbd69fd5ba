"""Where a template lies on a page: pure functions on pairs of points.

The points are the ends of printed lines, found by what they say. That holds on worn paper where
corners and rules do not, at any scale, and costs nothing more: the words have been read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitize.forms import Zone
from records.geometry import Box

Points = NDArray[np.float64]

# A point that the fitted mapping misses by more than this share of the page's width is an outlier.
_OUTLIER = 0.015
_SAMPLES = 80
# A mapping is trusted that so great a share of the lines agree with.
_MOST_AGREE = 0.4
# A page that is squeezed more, to its paper's shape, is none: a fax halves the lines of a page.
_LEAST_STRETCH = 0.4
# So many points, spread over so much of the page, and the mapping may lean and shear a little.
_MANY, _SPREAD = 10, 0.3
# What the paper does locally is taken from points around: how far (share of the page), and how many
# points at the place itself must agree before half of what they say is believed.
_NEAR, _DOUBT = 0.12, 1.0


@dataclass(frozen=True, slots=True)
class Registration:
    """Maps page fractions of a template to pixels of the cleaned page.

    ``matrix`` is ``(2, 3) float64``: pixels = matrix @ (x, y, 1). ``places`` (fractions) are the
    points that it was fitted to and ``missed`` by how many pixels it misses each, both ``(n, 2)``.
    ``trusted`` is False when too few were found, and the page's edges were taken instead.
    """

    matrix: Points
    trusted: bool
    places: Points
    missed: Points

    def box(self, zone: Zone) -> Box:
        """Return the pixels of a zone."""
        corners = np.array([[x, y, 1.0] for x in zone[::2] for y in zone[1::2]])
        points = corners @ self.matrix.T + self._shift(zone)
        low, high = points.min(axis=0), points.max(axis=0)
        return Box(round(low[0]), round(low[1]), round(high[0]), round(high[1]))

    def _shift(self, zone: Zone) -> Points:
        """Return what the points around a zone say that the paper is off there, in pixels."""
        if len(self.places) < _MANY:
            return np.zeros(2)
        middle = np.array([(zone[0] + zone[2]) / 2, (zone[1] + zone[3]) / 2])
        away = ((self.places - middle) ** 2).sum(axis=1)
        weights = np.exp(-away / (2 * _NEAR**2))
        shift = (weights[:, None] * self.missed).sum(axis=0) / (weights.sum() + _DOUBT)
        return np.asarray(shift, dtype=np.float64)


def register(
    places: Points, pixels: Points, size: tuple[int, int], paper: tuple[float, float] | None
) -> Registration:
    """Fit a template to a page of ``size`` (w, h) by pairs of points, two to a printed line.

    ``places`` are fractions of the template's page, ``pixels`` where they are, both ``(2 n, 2)``.
    With the paper's size (inches) known the fit to few points is one scale and a shift, since the
    page has been straightened; without, a scale and a shift for each axis; with many, affine. By
    least squares on the largest set of lines that agree (Fischler and Bolles, 1981: RANSAC). With
    fewer than two lines it is the page's edges, and not trusted.
    """
    agree = _agreeing(places, pixels, size) if len(places) >= 4 else None
    # Of another printing of the form the same lines are found, but most lie elsewhere.
    if agree is None or agree.sum() < 4 or agree.mean() < _MOST_AGREE:
        return _edges(size)
    places, pixels = places[agree], pixels[agree]
    spread = places.max(axis=0) - places.min(axis=0)
    if len(places) >= _MANY and spread.min() >= _SPREAD:
        ones = np.column_stack((places, np.ones(len(places))))
        matrix = np.asarray(np.linalg.lstsq(ones, pixels, rcond=None)[0].T, dtype=np.float64)
    else:
        matrix = _scaled(places, pixels, size, paper)
    missed = pixels - np.column_stack((places, np.ones(len(places)))) @ matrix.T
    if not _is_likely(matrix, missed, size, paper):
        return _edges(size)
    return Registration(matrix, True, places, missed)


def _edges(size: tuple[int, int]) -> Registration:
    edges = np.array([[size[0], 0.0, 0.0], [0.0, size[1], 0.0]])
    return Registration(edges, False, np.zeros((0, 2)), np.zeros((0, 2)))


def _is_likely(
    matrix: Points, missed: Points, size: tuple[int, int], paper: tuple[float, float] | None
) -> bool:
    """Say whether paper can lie so: upright, not too large or small, and hit by its lines."""
    across, down = matrix[0, 0], matrix[1, 1]
    if min(across, down) <= 0 or np.linalg.norm(missed, axis=1).max() > 2 * _OUTLIER * size[0]:
        return False
    shape = paper[1] / paper[0] if paper else size[1] / size[0]
    stretched = down / across / shape
    return bool(_LEAST_STRETCH <= stretched <= 1 / _LEAST_STRETCH)


def _agreeing(
    places: Points, pixels: Points, size: tuple[int, int]
) -> NDArray[np.bool_] | None:  # fmt: skip
    """Return which lines agree with the scales and shifts that most of them agree with.

    A line is two points that come together; both must agree.
    """
    count, most = len(places) // 2, _OUTLIER * size[0]
    random = np.random.default_rng(0)
    best: NDArray[np.bool_] | None = None
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    if len(pairs) > _SAMPLES:
        pairs = [pairs[i] for i in random.choice(len(pairs), _SAMPLES, replace=False)]
    for pair in pairs:
        chosen = [2 * i + end for i in pair for end in (0, 1)]
        matrix = _scaled(places[chosen], pixels[chosen], size, None)
        mapped = places * matrix[:, :2].diagonal() + matrix[:, 2]
        off = np.linalg.norm(mapped - pixels, axis=1).reshape(-1, 2).max(axis=1)
        near = off <= most
        if best is None or near.sum() > best.sum():
            best = near
    return None if best is None else np.repeat(best, 2)


def _scaled(
    places: Points, pixels: Points, size: tuple[int, int], paper: tuple[float, float] | None
) -> Points:
    """Return the ``(2, 3)`` matrix of scales and shifts that maps page fractions to pixels."""
    middle, centre = places.mean(axis=0), pixels.mean(axis=0)
    away, off = places - middle, pixels - centre
    if paper is None:
        spread = (away**2).sum(axis=0)
        scales = (away * off).sum(axis=0) / np.maximum(spread, 1e-9)
        for axis in (0, 1):
            if spread[axis] < 0.01:  # all on one line: take the other axis' scale
                scales[axis] = scales[1 - axis] * size[axis] / size[1 - axis]
    else:
        inches = away * np.array(paper)
        scale = (inches * off).sum() / max(float((inches**2).sum()), 1e-9)
        scales = scale * np.array(paper)
    shift = centre - scales * middle
    return np.array([[scales[0], 0.0, shift[0]], [0.0, scales[1], shift[1]]])
