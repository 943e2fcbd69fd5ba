"""How well pages fit the words asked for: BM25 over the areas of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search.arrays import Floats, Ints

SATURATION = 1.2  # k1: how fast further sightings of a word stop counting
LENGTH_BIAS = 0.75  # b: how much a long page is held back
VARIANT_WEIGHT = 0.7  # a sighting of another spelling, against one of the word as typed


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The pages that have a word, ascending, and how often each has it."""

    pages: Ints
    counts: Floats


NOWHERE = Counted(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class AreaLengths:
    """The number of words of each page in one area, and of the pages that have any on average."""

    words: Ints
    mean: float


def bm25(counted: Counted, area: AreaLengths, boost: float) -> Floats:
    """Return the score of each page from how often it has the word (Robertson & Zaragoza 2009)."""
    pages, counts = counted.pages, counted.counts
    without = max(0, len(area.words) - len(pages))
    rarity = math.log(1 + (without + 0.5) / (len(pages) + 0.5))
    top = rarity * boost * (SATURATION + 1)
    base = SATURATION * (1 - LENGTH_BIAS)
    slope = SATURATION * LENGTH_BIAS / (area.mean or 1.0)
    scores: Floats = top * counts / (counts + (base + slope * area.words[pages]))
    return scores


def merged(exact: str, sightings: Mapping[str, Counted], pages: int) -> Counted:
    """Count a word's spellings on each page as one word, those not as typed for less.

    ``pages`` is the number of pages of the index.
    """
    if len(sightings) == 1 and exact in sightings:
        return sightings[exact]
    if not sightings:
        return NOWHERE
    counts = np.zeros(pages)
    for spelling, counted in sightings.items():
        weight = 1.0 if spelling == exact else VARIANT_WEIGHT
        counts[counted.pages] += weight * counted.counts
    met = np.flatnonzero(counts)
    return Counted(met, counts[met])
