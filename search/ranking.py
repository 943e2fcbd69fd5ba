"""How well pages fit the words asked for: BM25 over the areas of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SATURATION = 1.2  # k1: how fast further sightings of a word stop counting
LENGTH_BIAS = 0.75  # b: how much a long page is held back
VARIANT_WEIGHT = 0.7  # a sighting of another spelling, against one of the word as typed


@dataclass(frozen=True, slots=True)
class AreaLengths:
    """The number of words of each page in one area, by page number in the index."""

    words: Sequence[int]
    mean: float
    pages: int


def bm25(counts: Mapping[int, float], area: AreaLengths, boost: float) -> dict[int, float]:
    """Return a score for each page from how often it has the word (Robertson & Zaragoza 2009)."""
    if not counts:
        return {}
    rarity = math.log(1 + max(0.0, area.pages - len(counts) + 0.5) / (len(counts) + 0.5))
    top = rarity * boost * (SATURATION + 1)
    base = SATURATION * (1 - LENGTH_BIAS)
    slope = SATURATION * LENGTH_BIAS / (area.mean or 1.0)
    words = area.words
    return {
        page: top * count / (count + base + slope * words[page]) for page, count in counts.items()
    }


def merged(exact: str, sightings: Mapping[str, Mapping[int, float]]) -> Mapping[int, float]:
    """Count a word's spellings on each page as one word, those not as typed for less."""
    if len(sightings) == 1 and exact in sightings:
        return sightings[exact]
    counts: dict[int, float] = {}
    for spelling, pages in sightings.items():
        weight = 1.0 if spelling == exact else VARIANT_WEIGHT
        for page, count in pages.items():
            counts[page] = counts.get(page, 0.0) + weight * count
    return counts
