import numpy as np
import pytest
from PIL import Image

from melanoma_core.reading.explanation import (
    FLOOR,
    enlarge,
    has_clear_region,
    scale_evidence,
    shape_heatmaps,
)


def test_a_map_without_evidence_stays_dark():
    np.testing.assert_array_equal(scale_evidence(np.zeros((8, 6, 6), np.float32), 3.0), 0)


def test_evidence_against_a_class_is_none_for_it():
    evidence = scale_evidence(np.array([[-5.0, 0.0, 1.5]], dtype=np.float32), 3.0)

    np.testing.assert_array_equal(evidence, [[0, 0, 0.5]])


def test_evidence_beyond_the_scale_is_drawn_at_full_strength():
    evidence = scale_evidence(np.array([[3.0, 30.0]], dtype=np.float32), 3.0)

    np.testing.assert_array_equal(evidence, [[1, 1]])


def test_a_weak_constant_map_is_not_stretched():
    flat = np.full((1, 6, 6), 0.3, dtype=np.float32)

    heatmap = enlarge(scale_evidence(flat, 3.0), 100, 150)

    np.testing.assert_allclose(heatmap, 0.1, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (6, 6), (64, 77), (1537, 2048)])
def test_a_constant_map_stays_constant_and_within_its_range(value: float, size: tuple[int, int]):
    constant = np.full((2, 6, 6), value, dtype=np.float32)

    enlarged = enlarge(constant, *size)

    assert enlarged.shape == (2, *size)
    assert enlarged.dtype == np.float32
    np.testing.assert_array_equal(enlarged, np.float32(value))


def test_a_map_of_one_value_fills_the_photograph():
    np.testing.assert_array_equal(
        enlarge(np.full((1, 1, 1), 0.7, np.float32), 3, 5), np.float32(0.7)
    )


def test_a_map_at_its_own_size_stays_as_it_is():
    maps = np.random.default_rng(0).random((3, 6, 6), dtype=np.float32)

    np.testing.assert_array_equal(enlarge(maps, 6, 6), maps)


def test_two_values_become_four_as_by_hand():
    # The centres of the four are at -1/4, 1/4, 3/4 and 5/4 of the distance between the two.
    enlarged = enlarge(np.array([[[0.0, 1.0]]], dtype=np.float32), 1, 4)

    np.testing.assert_allclose(enlarged, [[[0, 0.25, 0.75, 1]]])


def test_rows_and_columns_are_not_swapped():
    maps = np.zeros((1, 2, 3), dtype=np.float32)
    maps[0, 1, 0] = 1  # at the bottom on the left

    enlarged = enlarge(maps, 20, 30)[0]

    assert np.unravel_index(enlarged.argmax(), enlarged.shape)[0] >= 10
    assert enlarged[19, 0] == 1
    assert enlarged[0].max() == 0
    assert enlarged[:, 29].max() == 0


@pytest.mark.parametrize("size", [(97, 200), (450, 600)])
def test_the_result_equals_pillows_bilinear_interpolation(size: tuple[int, int]):
    maps = np.random.default_rng(1).random((2, 6, 7), dtype=np.float32)

    enlarged = enlarge(maps, *size)

    for ours, original in zip(enlarged, maps, strict=True):
        expected = Image.fromarray(original).resize(size[::-1], Image.Resampling.BILINEAR)
        np.testing.assert_allclose(ours, np.asarray(expected), atol=1e-5)


def test_no_value_leaves_the_range_of_the_maps():
    maps = np.random.default_rng(2).random((8, 6, 6), dtype=np.float32)
    maps[maps > 0.5] = 1

    enlarged = enlarge(maps, 333, 777)

    assert enlarged.min() >= maps.min()
    assert enlarged.max() <= 1


def test_a_changed_result_does_not_change_the_next_one():
    maps = np.random.default_rng(3).random((1, 6, 6), dtype=np.float32)
    first = enlarge(maps, 50, 60)
    expected = first.copy()

    first[:] = -1

    np.testing.assert_array_equal(enlarge(maps, 50, 60), expected)


def test_a_shaped_map_keeps_the_strength_at_the_centre_of_each_cell():
    maps = np.random.default_rng(4).uniform(0.3, 0.9, (3, 6, 6)).astype(np.float32)

    shaped = shape_heatmaps(maps, 6 * 31, 6 * 31)

    np.testing.assert_allclose(shaped[:, 15::31, 15::31], maps, atol=1e-5)


def test_strengths_up_to_the_floor_are_not_shown_and_those_from_twice_the_floor_stay():
    maps = np.array([[[0.0, FLOOR, 1.5 * FLOOR, 2 * FLOOR, 1.0]]], np.float32)

    shaped = shape_heatmaps(maps, 1, 5)[0, 0]

    np.testing.assert_allclose(shaped, [0, 0, 0.075, 0.2, 1], atol=1e-6)


def test_a_shaped_map_has_no_edges_where_bilinear_interpolation_has_them():
    # The slope of a linear map jumps at each centre of a cell; that of a smooth one never does.
    maps = np.zeros((1, 6, 6), np.float32)
    maps[0, 2, 3] = 1

    def find_largest_bend(resize, side: int) -> float:
        return float(np.abs(np.diff(resize(maps, side, side)[0], 2, axis=1)).max())

    # With half the pixel, a kink bends half as much, and a smooth curve a quarter as much.
    assert find_largest_bend(enlarge, 2400) == pytest.approx(
        find_largest_bend(enlarge, 600) / 4, rel=0.01
    )
    assert find_largest_bend(shape_heatmaps, 2400) < find_largest_bend(shape_heatmaps, 600) / 10


def test_lines_of_equal_strength_meet_the_border_at_a_right_angle():
    maps = np.random.default_rng(5).random((1, 6, 6), dtype=np.float32)

    shaped = shape_heatmaps(maps, 600, 600)[0]

    across = np.abs(shaped[:, 0] - shaped[:, 1])
    assert across.max() < 1e-3


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (6, 6), (333, 777)])
def test_a_constant_map_stays_constant_when_it_is_shaped(value, size):
    shaped = shape_heatmaps(np.full((2, 6, 6), value, np.float32), *size)

    assert shaped.shape == (2, *size)
    assert shaped.dtype == np.float32
    np.testing.assert_allclose(shaped, value, atol=1e-5)


def test_no_shaped_strength_leaves_its_range():
    maps = (np.random.default_rng(2).random((8, 6, 6)) > 0.5).astype(np.float32)

    shaped = shape_heatmaps(maps, 333, 777)

    assert shaped.min() >= 0
    assert shaped.max() <= 1


@pytest.mark.parametrize(
    ("heatmap", "is_clear"),
    [
        (np.zeros((6, 6)), False),
        (np.full((6, 6), 0.9), False),  # everything is marked, so nothing is
        (0.2 * np.eye(6), False),  # below a quarter of full strength
        (0.6 * np.eye(6), True),
        (np.eye(6) + 0.45, True),  # a strong region on an even ground
        (np.eye(6) + 2, False),
    ],
)
def test_a_region_is_clear_if_it_is_strong_and_not_everywhere(heatmap, is_clear):
    strengths = np.clip(heatmap, 0, None).astype(np.float32)

    assert has_clear_region(strengths / max(1, strengths.max())) is is_clear
