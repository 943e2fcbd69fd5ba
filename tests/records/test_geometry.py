"""Boxes, and the way back from a cleaned page to the scan that it came from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize import image
from records.geometry import Box, PageGeometry, union, untouched

NOTHING_ELSE = image.Cleaning(True, True, False, False, False)
TURNS = (0, 90, 180, 270)
sides = st.integers(1, 5000)
boxes = st.tuples(sides, sides, sides, sides).map(
    lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_a_cut_lies_in_both_boxes(one: Box, whole: Box) -> None:
    """What is cut has the area that both share, and its edges are edges of the whole or within."""
    cut = one.cut(whole)
    assert cut.width * cut.height == one.overlap(whole)
    assert cut.cut(whole) == cut
    assert whole.left <= cut.left <= cut.right <= whole.right
    assert whole.top <= cut.top <= cut.bottom <= whole.bottom


@st.composite
def geometries(draw: st.DrawFn) -> PageGeometry:
    """Draw a geometry as ``digitize.image.clean`` makes them."""
    width, height = draw(sides), draw(sides)
    turn = draw(st.sampled_from(TURNS))
    skew = draw(st.floats(-15, 15))
    upright = (width, height) if turn in (0, 180) else (height, width)
    canvas = image.rotated_canvas(*upright, skew)
    crop = Box(draw(st.integers(0, 100)), draw(st.integers(0, 100)), *canvas)
    return PageGeometry(
        (width, height), turn, skew, canvas, crop, draw(st.sampled_from([0.5, 1.0, 2.0]))
    )


def forward(geometry: PageGeometry, x: float, y: float) -> tuple[float, float]:
    """Map a point of the original to the cleaned page, step by step as the type describes."""
    width, height = geometry.original
    match geometry.turn:
        case 90:
            x, y = height - y, x
        case 180:
            x, y = width - x, height - y
        case 270:
            x, y = y, width - x
    upright = (width, height) if geometry.turn in (0, 180) else (height, width)
    angle = np.deg2rad(geometry.skew_degrees)
    dx, dy = x - upright[0] / 2, y - upright[1] / 2
    x = np.cos(angle) * dx - np.sin(angle) * dy + geometry.canvas[0] / 2
    y = np.sin(angle) * dx + np.cos(angle) * dy + geometry.canvas[1] / 2
    return (x - geometry.crop.left) * geometry.scale, (y - geometry.crop.top) * geometry.scale


@given(geometries(), st.floats(-100, 5100), st.floats(-100, 5100))
def test_there_and_back(geometry: PageGeometry, x: float, y: float) -> None:
    """Whatever was done to a page, each of its points leads back to the one it came from."""
    there = forward(geometry, x, y)
    assert geometry.to_original(*there) == pytest.approx((x, y), abs=1e-6)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("skew", [0.0, 0.4, 3.3, 11.5, -0.7, -5.0, -12.0])
@pytest.mark.parametrize("place", [(120, 90), (455, 260)])
def test_a_dot_is_found_again(turn: int, skew: float, place: tuple[int, int]) -> None:
    """A dot on the scan, cleaned for real, is mapped from the clean page back onto itself."""
    scan = np.full((400, 600), 255, np.uint8)
    cv2.circle(scan, place, 5, 0, -1)
    lies = image.Orientation(turn, skew, 1.0)
    page = image.clean(scan, lies, False, NOTHING_ELSE)
    ys, xs = np.nonzero(page.image < 128)
    found = page.geometry.to_original(xs.mean() + 0.5, ys.mean() + 0.5)
    assert found == pytest.approx((place[0] + 0.5, place[1] + 0.5), abs=0.6)


def test_a_dot_inside_a_scanners_frame_is_found_again() -> None:
    """Cropping and enlarging are part of the way back."""
    scan = np.zeros((900, 1300), np.uint8)
    scan[80:820, 110:1220] = 255
    cv2.circle(scan, (600, 300), 8, 0, -1)
    everything = image.Cleaning(True, True, True, True, True)
    lies = image.Orientation(180, 2.0, 1.0)
    page = image.clean(scan, lies, False, everything, image.border_mask(scan))
    assert "crop" in page.steps
    height, width = page.image.shape
    inner = page.image[60 : height - 60, 60 : width - 60]
    ys, xs = np.nonzero(inner < 128)
    found = page.geometry.to_original(xs.mean() + 60.5, ys.mean() + 60.5)
    assert found == pytest.approx((600.5, 300.5), abs=1.0)


@given(geometries(), boxes)
def test_a_box_stays_on_the_scan(geometry: PageGeometry, box: Box) -> None:
    """A box on the original never reaches beyond the original's edges."""
    found = geometry.box_on_original(box)
    assert found.left >= 0
    assert found.top >= 0
    assert found.right <= geometry.original[0]
    assert found.bottom <= geometry.original[1]


def test_a_box_of_an_untouched_page_is_itself() -> None:
    """Where nothing was done, nothing moves."""
    assert untouched(800, 600).box_on_original(Box(10, 20, 30, 40)) == Box(10, 20, 30, 40)


@given(st.lists(boxes, min_size=1, max_size=6))
def test_a_union_holds_every_box(some: list[Box]) -> None:
    """The union of boxes covers the whole area of each."""
    whole = union(some)
    assert whole is not None
    for box in some:
        assert whole.overlap(box) == box.width * box.height


def test_a_union_of_nothing_is_none() -> None:
    """No boxes have no union, rather than an empty one at the corner."""
    assert union([]) is None


@given(boxes, boxes)
def test_overlap_is_mutual(one: Box, other: Box) -> None:
    """Two boxes cover the same area of each other, and never less than none."""
    assert one.overlap(other) == other.overlap(one) >= 0


@given(geometries(), boxes)
def test_a_box_is_found_again_from_the_original(geometry: PageGeometry, box: Box) -> None:
    """A box of the cleaned page, kept by its corners in the original, is the same box again."""
    assert geometry.box_of_corners(geometry.corners_on_original(box)) == box


@given(geometries(), sides, sides)
def test_both_ways_are_one(geometry: PageGeometry, x: int, y: int) -> None:
    """A point that is mapped to the original and back is the same point."""
    there = geometry.to_original(x, y)
    assert geometry.from_original(*there) == pytest.approx((x, y), abs=1e-6)
    assert geometry.from_original(*there) == pytest.approx(forward(geometry, *there), abs=1e-6)


def test_another_resolution_keeps_the_place() -> None:
    """The same paper drawn twice as finely has the box at the same part of it."""
    corners = untouched(800, 1000).corners_on_original(Box(10, 20, 30, 40))
    assert untouched(1600, 2000).box_of_corners(corners) == Box(20, 40, 60, 80)
