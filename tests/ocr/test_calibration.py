"""The tables that turn a reader's scores into probabilities."""

from __future__ import annotations

import itertools

import pytest

from ocr.calibration import Kind, Tables, shipped


@pytest.fixture
def tables() -> Tables:
    return Tables({Kind.ALONE: ((0.2, 0.1), (0.6, 0.3), (0.8, 0.9)), Kind.PARTED: ((0.5, 0.7),)})


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_table_that_never_falls(kind: Kind) -> None:
    """A surer reader never makes a word less likely, and nothing is certain or impossible."""
    points = shipped().points[kind]
    assert 1 <= len(points) <= 12
    for (score, low), (higher, high) in itertools.pairwise(points):
        assert score < higher
        assert low <= high
    for score, probability in points:
        assert 0 <= score <= 1
        assert 0.01 <= probability <= 0.999


@pytest.mark.parametrize(
    ("score", "probability"),
    [(0.0, 0.1), (0.2, 0.1), (0.3, 0.15), (0.6, 0.3), (0.7, 0.6), (0.8, 0.9), (1.0, 0.9)],
)
def test_between_points_it_is_interpolated_and_beyond_them_it_stays(
    tables: Tables, score: float, probability: float
) -> None:
    assert tables.probability(Kind.ALONE, score) == pytest.approx(probability)


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_table_of_one_point_says_the_same_of_every_score(tables: Tables, score: float) -> None:
    assert tables.probability(Kind.PARTED, score) == 0.7


def test_two_readers_that_agree_are_believed_more_than_two_that_differ() -> None:
    """The order of the kinds is what joining stands on."""
    probability = shipped().probability
    assert probability(Kind.AGREED, 0.98) > 0.99
    assert probability(Kind.AGREED, 0.9) > probability(Kind.SECOND_OF_TWO, 0.9)
    assert probability(Kind.SECOND_OF_TWO, 0.9) > probability(Kind.FIRST_OF_TWO, 0.9)
