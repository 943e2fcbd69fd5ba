"""Where a template lies on a page: on copies that are shifted, scaled, squeezed, cut and worn."""

from __future__ import annotations

import numpy as np
import pytest

from digitize.registration import Registration, register

PLACES = np.array(
    [
        (x, y)
        for row in range(12)
        for y in [0.05 + 0.08 * row]
        for x in (0.08, 0.35 + 0.04 * (row % 5))
    ]
)
ZONE = (0.4, 0.5, 0.8, 0.53)
SIZE = (1700, 2200)
PAPER = (8.5, 11.0)


def mapped(matrix: np.ndarray, places: np.ndarray = PLACES) -> np.ndarray:
    """Return where places of the template lie on a page."""
    return np.column_stack((places, np.ones(len(places)))) @ matrix.T


def off(found: Registration, matrix: np.ndarray) -> float:
    """Return by how much the corners of the zone are missed, in widths of the page."""
    corners = np.array([ZONE[:2], ZONE[2:]])
    box = found.box(ZONE)
    told = np.array([(box.left, box.top), (box.right, box.bottom)])
    return float(np.abs(told - mapped(matrix, corners)).max()) / SIZE[0]


def copy(scale: float = 1.0, squeeze: float = 1.0, lean: float = 0.0) -> np.ndarray:
    """Return how a copy lies: scaled, its height squeezed, leaning by so many degrees, shifted."""
    turn = np.deg2rad(lean)
    across, down = SIZE[0] * scale, SIZE[1] * scale * squeeze
    return np.array(
        [
            [across * np.cos(turn), down * np.sin(turn), 31.0],
            [-across * np.sin(turn), down * np.cos(turn), -54.0],
        ]
    )


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 1.5])
@pytest.mark.parametrize("squeeze", [0.5, 0.94, 1.0])
@pytest.mark.parametrize("lean", [-0.4, 0.0, 0.4])
def test_a_zone_lands_on_any_copy(scale: float, squeeze: float, lean: float) -> None:
    """A zone is within 1 % of the page's width: reduced, enlarged, faxed, not quite straight."""
    matrix = copy(scale, squeeze, lean)
    noise = np.random.default_rng(3).normal(0, 1.5, PLACES.shape)
    found = register(PLACES, mapped(matrix) + noise, SIZE, None)
    assert found.trusted
    assert off(found, matrix) < 0.01


@pytest.mark.parametrize("wrong", [2, 4, 6])
def test_lines_that_were_found_elsewhere_do_no_harm(wrong: int) -> None:
    """Up to half of the lines may be taken for others of the same words."""
    matrix = copy()
    pixels = mapped(matrix)
    pixels[: 2 * wrong] += np.random.default_rng(5).uniform(150, 600, (2 * wrong, 2))
    found = register(PLACES, pixels, SIZE, None)
    assert found.trusted
    assert off(found, matrix) < 0.01


def test_half_a_page_is_enough() -> None:
    """Of a form that was cut through, the half that is there places it."""
    matrix = copy(1.1)
    found = register(PLACES[12:], mapped(matrix)[12:], SIZE, None)
    assert off(found, matrix) < 0.01


def test_another_printing_is_not_trusted() -> None:
    """Where the lines lie to each other as on no copy of the form, nothing is placed by them."""
    pixels = mapped(copy()) + np.random.default_rng(8).uniform(-400, 400, PLACES.shape)
    found = register(PLACES, pixels, SIZE, None)
    assert not found.trusted
    assert found.box((0.0, 0.0, 1.0, 1.0)) == (0, 0, *SIZE)


@pytest.mark.parametrize("lines", [0, 1])
def test_fewer_than_two_lines_place_nothing(lines: int) -> None:
    """One line says neither scale nor what is an outlier: the page's edges serve."""
    found = register(PLACES[: 2 * lines], mapped(copy())[: 2 * lines], SIZE, PAPER)
    assert not found.trusted


def test_two_lines_on_one_height_take_the_papers_shape() -> None:
    """What lies on one line says nothing of heights; the page's shape is taken."""
    places = np.array([(0.1, 0.3), (0.3, 0.3), (0.6, 0.3), (0.9, 0.3)])
    matrix = copy(0.8)
    found = register(places, mapped(matrix, places), (1360, 1760), None)
    box = found.box(ZONE)
    assert box.height == pytest.approx(0.03 * 1760, abs=3)


def test_paper_that_is_stretched_in_one_corner_is_followed() -> None:
    """A zone is moved by what the lines around it miss, and one far away is not."""
    matrix = copy()
    pixels = mapped(matrix)
    stretched = (PLACES[:, 0] > 0.3) & (PLACES[:, 1] > 0.7)
    pixels[stretched] += (12.0, 8.0)
    found = register(PLACES, pixels, SIZE, None)
    near, far = (0.4, 0.8, 0.5, 0.82), (0.05, 0.05, 0.1, 0.07)
    plain = Registration(found.matrix, True, np.zeros((0, 2)), np.zeros((0, 2)))
    true = mapped(matrix, np.array([near[:2]]))[0] + (12.0, 8.0)
    missed, missed_before = (abs(r.box(near).left - true[0]) for r in (found, plain))
    assert missed < missed_before
    assert abs(found.box(far).left - plain.box(far).left) <= 2


def test_two_lines_that_no_paper_holds_so_are_not_trusted() -> None:
    """A line that was found far from its place, or on its head, places nothing."""
    places = np.array([(0.1, 0.1), (0.4, 0.1), (0.1, 0.9), (0.4, 0.9)])
    for heights in ((220.0, 600.0), (1980.0, 220.0)):
        pixels = np.array([(170.0, y) for y in heights for _ in (0, 1)])
        pixels[1::2, 0] = 680.0
        assert not register(places, pixels, SIZE, PAPER).trusted
