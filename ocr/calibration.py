"""How likely a word is right, by who read it and how sure they were; and an answer of words.

The tables lie in ``calibration.json``; ``python -m benchmarks.calibration --fit`` makes them from
labelled pages.
"""

from __future__ import annotations

import bisect
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_TABLES = Path(__file__).with_name("calibration.json")


class Kind(StrEnum):
    """How a word came about, or that it is an answer; each kind has a table of its own."""

    ALONE = "alone"  # read by the first reader, and nobody looked again
    AGREED = "agreed"  # read alike by both
    PARTED = "parted"  # the same letters, parted into words in two ways
    FIRST_OF_TWO = "first-of-two"  # the first reader's, where the second's differs
    SECOND_OF_TWO = "second-of-two"  # the second reader's, where the first's differs
    FIRST_ONLY = "first-only"  # the second looked and saw nothing
    SECOND_ONLY = "second-only"  # the first had read nothing there
    FIELD = "field"  # the words of an answer; its score is the product of their probabilities


@dataclass(frozen=True, slots=True)
class Tables:
    """For each kind, points of score (strictly rising) and probability, from 0 to 1 both."""

    points: Mapping[Kind, tuple[tuple[float, float], ...]]

    def probability(self, kind: Kind, score: float) -> float:
        """Return how likely something is right that scores so.

        Between the points of a table it is interpolated, beyond them it stays.
        """
        points = self.points[kind]
        place = bisect.bisect_left(points, (score,))
        if place == 0:
            return points[0][1]
        if place == len(points):
            return points[-1][1]
        (before, low), (after, high) = points[place - 1], points[place]
        return low + (high - low) * (score - before) / (after - before)


@functools.cache
def shipped() -> Tables:
    """Return the tables that come with digitize."""
    raw = json.loads(_TABLES.read_text(encoding="utf-8"))["tables"]
    return Tables({kind: tuple((p[0], p[1]) for p in raw[kind]) for kind in Kind})
