"""Which form is a page, and where the template's places lie on it: pure functions on words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from digitize.forms import Anchor, FormTemplate, Zone
from records.geometry import Box, union
from records.model import Line, Word

# How like a printed text its reading must be (rapidfuzz ratio, 0 to 100).
_LIKE = 78
# A line whose best stretch is less like it than this does not hold it.
_WORTH_A_LOOK = 60
# A point that the fitted mapping misses by more than this share of the page's width is an outlier.
_OUTLIER = 0.015


@dataclass(frozen=True, slots=True)
class Found:
    """An anchor, the box in which it was read, and how ``like`` it reads (0 to 100)."""

    anchor: Anchor
    box: Box
    like: float


@dataclass(frozen=True, slots=True)
class Identified:
    """What a page is: ``form`` and its ``page``, how many of its anchors were ``found``."""

    form: FormTemplate
    page: int
    score: float
    found: tuple[Found, ...]

    @property
    def rank(self) -> tuple[float, int, float]:
        """What tells the better of two: the share of anchors, their number, how like they read."""
        return self.score, len(self.found), sum(f.like for f in self.found)


@dataclass(frozen=True, slots=True)
class Registration:
    """Maps page fractions of a template to pixels of the cleaned page.

    ``matrix`` is ``(2, 3) float64``: pixels = matrix @ (x, y, 1). ``trusted`` is False when too
    few anchors were found to place the template, and the page's edges were taken instead.
    """

    matrix: NDArray[np.float64]
    trusted: bool

    def box(self, zone: Zone) -> Box:
        """Return the pixels of a zone."""
        corners = np.array([[x, y, 1.0] for x in zone[::2] for y in zone[1::2]])
        points = corners @ self.matrix.T
        low, high = points.min(axis=0), points.max(axis=0)
        return Box(round(low[0]), round(low[1]), round(high[0]), round(high[1]))


def letters(text: str) -> str:
    """Return a text's letters and digits in lower case, for comparing readings."""
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Spelled:
    """A line's words with their bare ``letters``, and those of the whole line ``joined``."""

    words: tuple[Word, ...]
    letters: tuple[str, ...]
    joined: str


def spell(lines: Iterable[Line]) -> tuple[Spelled, ...]:
    """Prepare lines for finding printed texts in them."""
    spelled = []
    for line in lines:
        bare = tuple(letters(word.text) for word in line.words)
        spelled.append(Spelled(line.words, bare, "".join(bare)))
    return tuple(spelled)


def find_text(text: str, lines: Iterable[Spelled]) -> tuple[tuple[Word, ...], float] | None:
    """Find the words that read most like a printed text; returns them and how like (0 to 100)."""
    wanted, count = letters(text), len(text.split())
    spare = max(2, len(wanted) // 3)
    best: tuple[tuple[Word, ...], float] | None = None
    for line in lines:
        if len(line.joined) < len(wanted) - spare:
            continue
        if not fuzz.partial_ratio(wanted, line.joined, score_cutoff=_WORTH_A_LOOK):
            continue
        for size in range(max(1, count - 1), count + 2):
            for start in range(len(line.words) - size + 1):
                read = "".join(line.letters[start : start + size])
                if abs(len(read) - len(wanted)) > spare:
                    continue
                like = fuzz.ratio(wanted, read, score_cutoff=_LIKE)
                if like and (best is None or like > best[1]):
                    best = (line.words[start : start + size], like)
    return best


def identify(lines: tuple[Line, ...], forms: Mapping[str, FormTemplate]) -> Identified | None:
    """Return the form whose anchors a page carries, or None: unknown paper stays unknown.

    Of several, the one with the greatest share of its anchors wins, then the one with more, then
    the one whose anchors read more alike: forms of one office differ in a word or two.
    """
    spelled = spell(lines)
    best: Identified | None = None
    for form in forms.values():
        for page in range(1, form.pages + 1):
            candidate = _try(spelled, form, page)
            if candidate.score >= form.minimum and (best is None or candidate.rank > best.rank):
                best = candidate
    return best


def as_form(lines: tuple[Line, ...], form: FormTemplate, page: int) -> Identified:
    """Take a page as a form that a person has said it is."""
    return _try(spell(lines), form, page)


def _try(lines: tuple[Spelled, ...], form: FormTemplate, page: int) -> Identified:
    anchors = [a for a in form.anchors if a.page == page]
    found = []
    for anchor in anchors:
        hit = find_text(anchor.text, lines)
        box = union([w.box for w in hit[0]]) if hit else None
        if hit and box:
            found.append(Found(anchor, box, hit[1]))
    return Identified(form, page, len(found) / len(anchors) if anchors else 0.0, tuple(found))


def register(identified: Identified, size: tuple[int, int]) -> Registration:
    """Fit the template to a page of ``size`` (w, h) by the anchors that were found.

    With the paper's size known the fit is one scale and a shift, since the page has been
    straightened before; without, a scale and a shift for each axis. Least squares, outliers
    dropped; with fewer than two anchors it is the page's edges, and not trusted.
    """
    pairs = [(f.anchor.box, f.box) for f in identified.found if f.anchor.box is not None]
    places = np.array([[(z[0], (z[1] + z[3]) / 2), (z[2], (z[1] + z[3]) / 2)] for z, _ in pairs])
    pixels = np.array([[(b.left, b.centre[1]), (b.right, b.centre[1])] for _, b in pairs])
    places, pixels = places.reshape(-1, 2), pixels.reshape(-1, 2).astype(np.float64)
    while len(places) >= 4:
        matrix = _fit(places, pixels, identified.form.size)
        mapped = np.column_stack((places, np.ones(len(places)))) @ matrix.T
        off = np.linalg.norm(mapped - pixels, axis=1)
        worst = int(np.argmax(off))
        if off[worst] <= _OUTLIER * size[0]:
            return Registration(matrix, True)
        pair = worst // 2 * 2
        places, pixels = (np.delete(a, [pair, pair + 1], axis=0) for a in (places, pixels))
    edges = np.array([[size[0], 0.0, 0.0], [0.0, size[1], 0.0]])
    return Registration(edges, False)


def _fit(
    places: NDArray[np.float64], pixels: NDArray[np.float64], paper: tuple[float, float] | None
) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` matrix of scales and shifts that maps page fractions to pixels."""
    middle, centre = places.mean(axis=0), pixels.mean(axis=0)
    away, off = places - middle, pixels - centre
    if paper is None:
        spread = (away**2).sum(axis=0)
        scales = (away * off).sum(axis=0) / np.maximum(spread, 1e-9)
        for axis in (0, 1):
            if spread[axis] < 0.01:  # all on one line: take the other axis' scale
                scales[axis] = scales[1 - axis]
    else:
        inches = away * np.array(paper)
        scale = (inches * off).sum() / max(float((inches**2).sum()), 1e-9)
        scales = scale * np.array(paper)
    shift = centre - scales * middle
    return np.array([[scales[0], 0.0, shift[0]], [0.0, scales[1], shift[1]]])
