"""Outlines: polygons and masks, to and fro."""

import math

import numpy as np
import pytest

from melanoma_core.records.outlines import fill_polygon, measure_polygon, trace_outline

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def draw_disc(side: int, radius: float) -> np.ndarray:
    rows, columns = np.indices((side, side)) + 0.5 - side / 2
    return np.hypot(rows, columns) <= radius


@pytest.mark.parametrize("points", [(), ((0.5, 0.5),), ((0.1, 0.1), (0.9, 0.9))])
def test_fewer_than_three_corners_enclose_nothing(points):
    assert not fill_polygon(points, 8, 8).any()
    assert measure_polygon(points, 8, 8) == 0


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (0, 0)])
def test_an_empty_mask_has_no_outline(shape):
    assert trace_outline(np.zeros(shape, bool)) == ()


def test_a_single_pixel_has_an_outline_at_every_tolerance():
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    for tolerance in (0, 0.5, 10):
        points = trace_outline(mask, tolerance)
        assert np.array_equal(fill_polygon(points, 5, 5), mask)


def test_a_full_mask_is_outlined_at_the_edges_of_the_photograph():
    points = np.array(trace_outline(np.ones((20, 30), bool)))
    assert points.min() == 0
    assert points.max() == 1
    assert fill_polygon(tuple(map(tuple, points)), 20, 30).mean() == 1


def test_a_square_of_half_the_sides_covers_exactly_a_quarter():
    mask = fill_polygon(SQUARE, 100, 200)
    assert mask.sum() == 50 * 100
    assert measure_polygon(SQUARE, 100, 200) == 5000
    assert mask[25:75, 50:150].all()


def test_a_disc_has_the_area_of_a_disc():
    turns = 2 * np.pi * np.arange(360) / 360
    points = tuple(zip(0.5 + 0.25 * np.cos(turns), 0.5 + 0.25 * np.sin(turns), strict=True))
    assert measure_polygon(points, 400, 400) == pytest.approx(math.pi * 100**2, rel=1e-4)
    assert fill_polygon(points, 400, 400).sum() == pytest.approx(math.pi * 100**2, rel=1e-3)


def test_the_traced_polygon_encloses_half_a_pixel_less_than_the_pixels():
    disc = draw_disc(200, 80)
    points = trace_outline(disc, 0)
    assert measure_polygon(points, 200, 200) == pytest.approx(disc.sum() - 0.5)
    assert np.array_equal(fill_polygon(points, 200, 200), disc)


def test_simplifying_leaves_few_corners_and_nearly_the_same_area():
    disc = draw_disc(200, 80)
    points = trace_outline(disc)
    again = fill_polygon(points, 200, 200)
    assert len(points) < 100
    assert len(trace_outline(disc, 0)) > 600
    assert (again & disc).sum() / (again | disc).sum() > 0.99


def test_holes_and_smaller_parts_are_left_out():
    mask = np.zeros((40, 40), bool)
    mask[5:25, 5:25] = True
    mask[10:12, 10:12] = False
    mask[30:33, 30:33] = True
    again = fill_polygon(trace_outline(mask, 0), 40, 40)
    assert again[5:25, 5:25].all()
    assert again.sum() == 400


def test_a_region_that_touches_itself_at_a_corner_is_kept_whole():
    mask = np.ones((6, 6), bool)
    mask[2, 2] = mask[3, 3] = False  # two holes that touch at a corner
    mask[0] = mask[:, 0] = False
    assert fill_polygon(trace_outline(mask, 0), 6, 6).sum() == 25


def test_corners_outside_of_the_photograph_are_cut_at_its_edge():
    points = ((-0.5, -0.5), (0.5, -0.5), (0.5, 1.5), (-0.5, 1.5))
    assert fill_polygon(points, 10, 10).sum() == 50
