"""Curves, calibration errors, and which readings are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import calibration as bench
from benchmarks.truth import LabelledPage, TrueWord
from ocr.calibration import Kind
from ocr.joining import SecondLine
from ocr.reading import Character
from records.geometry import Box, untouched
from records.model import Line, Word


def answers(*runs: tuple[float, int, int]) -> list[tuple[float, bool]]:
    """Return, of runs of score, right and wrong, the single answers."""
    return [
        (score, right) for score, yes, no in runs for right in [True] * yes + [False] * no
    ]  # fmt: skip


def test_a_curve_follows_the_shares_of_right_answers() -> None:
    points = bench.isotonic(answers((0.2, 100, 300), (0.9, 399, 1)))
    assert [(p.score, p.count) for p in points] == [
        (pytest.approx(0.2), 400),
        (pytest.approx(0.9), 400),
    ]
    assert [p.probability for p in points] == [
        pytest.approx(100.5 / 401),
        pytest.approx(399.5 / 401),
    ]


def test_where_shares_fall_scores_are_pooled() -> None:
    points = bench.isotonic(answers((0.1, 0, 100), (0.4, 80, 20), (0.6, 60, 40), (0.9, 100, 0)))
    assert [p.count for p in points] == [100, 200, 100]
    assert points[1].score == pytest.approx(0.5)
    assert points[1].probability == pytest.approx(140.5 / 201)


def test_few_answers_make_no_point_of_their_own_and_no_certainty() -> None:
    """Five right answers at the top do not make a table say 'certain'."""
    points = bench.isotonic(answers((0.5, 50, 50), (0.99, 5, 0)))
    assert len(points) == 1
    assert points[0].probability < 0.6


def test_a_curve_of_many_steps_is_thinned() -> None:
    runs = [(i / 40, 60 + 2 * i, 120 - 2 * i) for i in range(40)]
    points = bench.isotonic(answers(*runs))
    assert len(points) <= 12
    assert sum(p.count for p in points) == 40 * 180


def test_nothing_makes_no_curve() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        bench.isotonic([])


def test_a_table_rises_and_stays_off_its_ends() -> None:
    made = [
        bench.Point(0.1, 0.0, 900), bench.Point(0.5, 0.7, 60), bench.Point(0.50001, 0.69, 60),
        bench.Point(0.9, 0.99999, 9000),
    ]  # fmt: skip
    assert bench.as_table(made) == [[0.1, 0.01], [0.5, 0.7], [0.9, 0.999]]


@pytest.mark.parametrize(
    ("given", "bins", "error"),
    [
        (answers((0.75, 75, 25)), 1, 0.0),
        (answers((0.9, 70, 30)), 1, 0.2),
        (answers((0.25, 0, 50), (0.75, 50, 0)), 2, 0.25),
        (answers((0.25, 0, 50), (0.75, 50, 0)), 1, 0.0),
        ([], 15, 0.0),
    ],
)
def test_the_calibration_error_is_the_mean_gap_between_said_and_true(
    given: list[tuple[float, bool]], bins: int, error: float
) -> None:
    """The gap is a bin's, so that too few bins hide it."""
    assert bench.calibration_error(given, bins) == pytest.approx(error)


def test_bins_hold_as_many_answers_each() -> None:
    bins = bench.reliability(answers((0.1, 5, 5), (0.6, 8, 2), (0.9, 10, 0)), bins=3)
    assert [count for _, _, count in bins] == [10, 10, 10]
    assert [right for _, right, _ in bins] == [0.5, 0.8, 1.0]
    assert [said for said, _, _ in bins] == [pytest.approx(s) for s in (0.1, 0.6, 0.9)]


def seen(first: str, second: str, true: str) -> bench.Seen:
    """Return a page of one word as two readers saw it."""
    box = Box(10, 10, 110, 30)
    page = LabelledPage(
        "office", "p", Path("p.png"), 1, (TrueWord(true, box),), None, False, (), False
    )
    letters = tuple(
        Character(c, 0.8, Box(10 + 10 * i, 10, 20 + 10 * i, 30)) for i, c in enumerate(second)
    )
    return bench.Seen(
        page, (Line((Word(first, box, 0.5),)),), (SecondLine(box, letters),),
        untouched(200, 100), b"", "",
    )  # fmt: skip


def test_of_two_readings_each_is_judged_as_if_taken() -> None:
    found = {
        (j.mode, j.kind): (j.score, j.right) for j in bench.by_kind(seen("He11o", "Hello", "Hello"))
    }
    assert found == {
        ("tesseract", Kind.ALONE): (0.5, False),
        ("both", Kind.FIRST_OF_TWO): (0.5, False),
        ("both", Kind.SECOND_OF_TWO): (0.8, True),
    }


def test_what_both_read_alike_is_judged_once() -> None:
    found = [(j.mode, j.kind, j.right) for j in bench.by_kind(seen("Hello", "Hello", "Hello"))]
    assert found == [("tesseract", Kind.ALONE, True), ("both", Kind.AGREED, True)]


def test_the_diagram_is_a_picture_of_the_bins() -> None:
    judged = [bench.Judged("office", "both", Kind.ALONE, s, r) for s, r in answers((0.55, 30, 20))]
    drawn = bench.diagram({"both": judged, "tesseract": []})
    assert "50 words: 0.550 said, 0.600 right" in drawn
    assert drawn.count("<circle") == 1
