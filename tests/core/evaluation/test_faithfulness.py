"""Faithfulness tests of heatmaps, on images small enough to count by hand."""

import math

import numpy as np
import pytest

from melanoma_core.evaluation.faithfulness import (
    average,
    average_difference,
    draw_random_map,
    make_centred_map,
    measure_energy_inside,
    measure_lesion_share,
    play_pointing_game,
    trace_photograph,
)

# The lesion takes 4 of 16 places.
OUTLINE = np.zeros((1, 4, 4), dtype=bool)
OUTLINE[0, 1:3, 1:3] = True


def test_a_map_that_is_the_outline_scores_1():
    assert measure_energy_inside(OUTLINE.astype(np.float32), OUTLINE) == 1
    assert play_pointing_game(OUTLINE.astype(np.float32), OUTLINE) == 1


def test_a_uniform_map_scores_the_lesions_share():
    uniform = np.full((1, 4, 4), 0.3)
    assert measure_lesion_share(OUTLINE) == 0.25
    assert measure_energy_inside(uniform, OUTLINE) == pytest.approx(0.25)
    assert play_pointing_game(uniform, OUTLINE) == 0.25


def test_strength_counts_rather_than_area():
    heatmap = np.zeros((1, 4, 4))
    heatmap[0, 1, 1], heatmap[0, 0, 0], heatmap[0, 3, 3] = 3, 1, 4
    assert measure_energy_inside(heatmap, OUTLINE) == 3 / 8
    assert play_pointing_game(heatmap, OUTLINE) == 0


def test_an_empty_map_or_outline_is_undefined():
    heatmaps = np.array([np.zeros((4, 4)), np.ones((4, 4))])
    outlines = np.array([OUTLINE[0], np.zeros((4, 4), dtype=bool)])
    assert np.isnan(measure_energy_inside(heatmaps, outlines)).all()
    assert np.isnan(play_pointing_game(heatmaps, outlines)).all()
    assert np.isnan(measure_lesion_share(outlines)).tolist() == [False, True]


def test_the_centred_control_is_the_same_on_every_side_and_has_two_thirds_in_the_middle():
    control = make_centred_map(201)
    assert control[100, 100] == 1
    np.testing.assert_allclose(control, control.T)
    np.testing.assert_allclose(control, control[::-1])
    rows, columns = np.indices(control.shape) - 100
    middle = rows**2 + columns**2 < (0.3 * 201) ** 2  # a disc of 28% of the picture
    assert middle.mean() == pytest.approx(0.283, abs=0.002)
    # All of it but what lies beyond the picture: 1 - exp(-1.5²/2), of 0.9876².
    assert control[middle].sum() / control.sum() == pytest.approx(0.675 / 0.9876**2, abs=0.002)


def bright_corner(photographs: np.ndarray) -> np.ndarray:
    """Return the brightness of the upper left quarter, in [0, 1]: a network with a known reason."""
    side = photographs.shape[1] // 2
    return photographs[:, :side, :side].astype(np.float64).mean(axis=(1, 2, 3)) / 255


PHOTOGRAPH = np.zeros((20, 20, 3), dtype=np.uint8)
PHOTOGRAPH[:10, :10] = 255
RIGHT = (PHOTOGRAPH[..., 0] / 255).astype(np.float32)


def test_deletion_and_insertion_of_the_right_map_are_those_counted_by_hand():
    control = draw_random_map((4, 4), 20, np.random.default_rng(0))
    areas = trace_photograph(bright_corner, PHOTOGRAPH, RIGHT, control)
    # The mean colour is 64 of 255. The quarter is gone after 10%, 20% and half of the third tenth.
    gray = 64 / 255
    curve = [1, 1 - 0.4 * (1 - gray), 1 - 0.8 * (1 - gray), *[gray] * 8]
    assert len(curve) == 11
    assert areas.deletion == pytest.approx(np.trapezoid(curve, dx=0.1))
    assert areas.deletion < areas.deletion_random
    assert areas.insertion > areas.insertion_random


def test_the_deletion_of_a_random_map_is_that_of_the_control():
    rng = np.random.default_rng(1)
    random_map = draw_random_map((4, 4), 20, rng)
    areas = trace_photograph(bright_corner, PHOTOGRAPH, random_map, random_map)
    assert areas.deletion == areas.deletion_random
    assert areas.insertion == areas.insertion_random

    gains = []
    for _ in range(60):
        maps = draw_random_map((4, 4), 20, rng), draw_random_map((4, 4), 20, rng)
        areas = trace_photograph(bright_corner, PHOTOGRAPH, *maps)
        gains.append(areas.deletion_random - areas.deletion)
    figure = average_difference(np.array(gains), np.arange(60))
    assert figure.low < 0 < figure.high


def test_the_wrong_map_is_worse_than_chance():
    control = draw_random_map((4, 4), 20, np.random.default_rng(0))
    areas = trace_photograph(bright_corner, PHOTOGRAPH, RIGHT[::-1, ::-1], control)
    assert areas.deletion > areas.deletion_random
    assert areas.insertion < areas.insertion_random


def test_curves_of_an_empty_map_are_undefined_and_need_no_prediction():
    def refuse(photographs: np.ndarray) -> np.ndarray:
        raise AssertionError(photographs.shape)

    areas = trace_photograph(refuse, PHOTOGRAPH, np.zeros((20, 20)), RIGHT)
    assert all(math.isnan(area) for area in vars(areas).values())


def test_a_random_map_is_as_coarse_as_required():
    smooth = draw_random_map((2, 2), 64, np.random.default_rng(0))
    assert smooth.shape == (64, 64)
    assert np.abs(np.diff(smooth, axis=0)).max() < 1.5 / 32  # from one place to the next


def test_undefined_values_are_left_out_of_average_and_counts():
    values = np.array([0.2, 0.4, np.nan, 0.9])
    figure = average(values, np.array(["a", "a", "b", "c"]))
    assert figure.value == 0.5
    assert (figure.total, figure.num_lesions, figure.count) == (3, 2, None)
    assert 0 <= figure.low <= 0.5 <= figure.high <= 1


def test_the_average_of_undefined_values_is_undefined():
    figure = average(np.array([np.nan]), np.array(["a"]))
    assert math.isnan(figure.value)
    assert math.isnan(figure.low)
    assert (figure.total, figure.num_lesions) == (0, 0)
    assert math.isnan(average_difference(np.array([]), np.array([])).value)


def test_images_of_one_lesion_widen_the_interval():
    values = np.random.default_rng(0).random(40)
    apart = average(values, np.arange(40))
    together = average(np.repeat(values, 4), np.repeat(np.arange(40), 4))
    naive = average(np.repeat(values, 4), np.arange(160))
    assert together.high - together.low == pytest.approx(apart.high - apart.low, rel=0.05)
    assert naive.high - naive.low < 0.6 * (together.high - together.low)
