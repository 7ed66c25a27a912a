"""Measures of outlines, on shapes whose values are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from melanoma_core.data.lab import to_lab
from melanoma_core.reading.outline_measures import (
    COLOURS,
    CUT,
    EMPTY,
    SEVERAL,
    OutlineMeasures,
    choose_size,
    measure_outline,
)

HEIGHT, WIDTH = 150, 200
SKIN = (219, 177, 156)  # L*a*b* (75, 12, 16)
PAINTS = {  # sRGB of the references
    "white": (198, 189, 219),
    "red": (120, 21, 18),
    "light brown": (207, 123, 72),
    "dark brown": (108, 63, 33),
    "blue-grey": (114, 108, 138),
    "black": (72, 39, 33),
}
BROWN = PAINTS["dark brown"]
DOWN, ACROSS = np.mgrid[:HEIGHT, :WIDTH] - np.array([75, 100])[:, None, None]
RADIUS = np.hypot(DOWN, ACROSS)
DISC = RADIUS <= 50
NONE = np.zeros_like(DISC)
L_SHAPE = ((ACROSS >= -50) & (ACROSS < -20) & (DOWN >= -45) & (DOWN < 45)) | (
    (ACROSS >= -50) & (ACROSS < 50) & (DOWN >= 15) & (DOWN < 45)
)


def paint(inside: NDArray[np.bool_], colour: tuple[int, int, int] = BROWN) -> NDArray[np.uint8]:
    photograph = np.full((*inside.shape, 3), SKIN, np.uint8)
    photograph[inside] = colour
    return photograph


def draw_ellipse(long: float, short: float, degrees: float) -> NDArray[np.bool_]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, beside = ACROSS * cos + DOWN * sin, DOWN * cos - ACROSS * sin
    return (along / long) ** 2 + (beside / short) ** 2 <= 1


def measure(inside: NDArray[np.bool_]) -> OutlineMeasures:
    return measure_outline(inside, paint(inside))


def test_an_empty_outline_has_no_measures():
    assert measure(NONE) == OutlineMeasures(missing=EMPTY)


def test_a_speck_is_no_lesion():
    speck = NONE.copy()
    speck[70:75, 70:75] = True  # 25 of 30,000 pixels
    assert measure(speck) == OutlineMeasures(missing=EMPTY)


def test_several_large_parts_are_no_lesion():
    two = (np.hypot(DOWN, ACROSS - 50) <= 30) | (np.hypot(DOWN, ACROSS + 50) <= 20)
    assert measure(two) == OutlineMeasures(missing=SEVERAL)


def test_a_lesion_that_reaches_the_edge_has_neither_shape_nor_diameter():
    cut = np.hypot(DOWN, ACROSS + 60) <= 50
    measures = measure(cut)
    assert measures.missing == CUT
    assert measures.area_share == pytest.approx(cut.mean())
    assert measures.colours == ("dark brown",)
    assert measures.asymmetry is None
    assert measures.border_irregularity is None
    assert measures.abrupt_segments is None
    assert measures.diameter is None


def test_an_outline_of_the_whole_photograph_reaches_the_edge():
    assert measure(~NONE).missing == CUT


def test_a_disc_is_symmetrical_and_has_a_regular_border():
    measures = measure(DISC)
    assert measures.missing == ""
    assert measures.asymmetry == 0
    assert measures.border_irregularity == pytest.approx(1, abs=0.01)
    assert measures.area_share == pytest.approx(math.pi * 50**2 / (HEIGHT * WIDTH), rel=0.01)
    assert measures.diameter == pytest.approx(101 / 250, rel=0.01)  # of the diagonal
    assert measures.abrupt_segments == 8
    assert measures.colours == ("dark brown",)


@pytest.mark.parametrize("degrees", [0, 10, 30, 45, 77, 90, 160])
def test_an_ellipse_in_any_direction_is_symmetrical(degrees: float):
    measures = measure(draw_ellipse(60, 30, degrees))
    assert measures.asymmetry == pytest.approx(0, abs=0.01)
    # Ramanujan's perimeter of 290.7 px: 290.7² / (4π · π · 60 · 30)
    assert measures.border_irregularity == pytest.approx(1.189, abs=0.015)
    assert measures.diameter == pytest.approx(120 / 250, abs=0.005)


def test_a_square_is_symmetrical_about_axes_that_are_not_unique():
    square = (np.abs(DOWN) < 40) & (np.abs(ACROSS) < 40)
    measures = measure(square)
    assert measures.asymmetry == pytest.approx(0, abs=0.01)
    assert measures.border_irregularity == pytest.approx(4 / math.pi, abs=0.05)


def test_an_l_is_asymmetrical_and_has_an_irregular_border():
    measures = measure(L_SHAPE)
    assert measures.asymmetry == pytest.approx(0.3889, abs=0.005)  # on 4 million points
    # 380² / (4π · 4,800) = 2.394; smoothing rounds its six corners
    assert measures.border_irregularity == pytest.approx(2.294, abs=0.005)


def test_half_of_a_disc_is_symmetrical_about_one_axis_alone():
    half = DISC & (ACROSS < 0)
    # 0 about its own axis; 0.1849 about the parallel to its chord, on 4 million points
    assert measure(half).asymmetry == pytest.approx(0.1849 / 2, abs=0.005)


def test_a_mirrored_or_turned_lesion_has_the_same_measures():
    expected = measure(L_SHAPE)
    for inside in (L_SHAPE[::-1], L_SHAPE[:, ::-1], L_SHAPE.T):
        measures = measure(inside)
        assert measures.asymmetry == pytest.approx(expected.asymmetry, abs=0.01)
        assert measures.border_irregularity == pytest.approx(expected.border_irregularity, abs=0.02)
        assert measures.diameter == pytest.approx(expected.diameter, abs=0.005)


def test_measures_do_not_depend_on_the_resolution():
    large = np.kron(DISC, np.ones((4, 4), bool))
    measures, small = measure(large), measure(DISC)
    assert measures.area_share == pytest.approx(small.area_share, rel=0.01)
    assert measures.border_irregularity == pytest.approx(small.border_irregularity, abs=0.01)
    assert measures.diameter == pytest.approx(small.diameter, rel=0.01)


def test_the_photograph_may_have_another_size():
    assert measure_outline(DISC, paint(DISC)[::2, ::2]).colours == ("dark brown",)


def test_holes_are_filled_and_small_parts_left_out():
    holed = DISC & (RADIUS > 10)
    holed[2:6, 2:6] = True
    assert measure_outline(holed, paint(DISC)) == measure(DISC)


def test_a_gradual_border_is_not_abrupt():
    share = np.clip((RADIUS - 20) / 60, 0, 1)[..., None]
    gradual = ((1 - share) * np.array(BROWN) + share * np.array(SKIN)).astype(np.uint8)
    assert measure_outline(DISC, gradual).abrupt_segments == 0


def test_each_eighth_of_the_border_is_counted_by_itself():
    share = np.clip((RADIUS - 20) / 60, 0, 1)[..., None]
    photograph = ((1 - share) * np.array(BROWN) + share * np.array(SKIN)).astype(np.uint8)
    lower = DOWN >= 0
    photograph[lower] = paint(DISC)[lower]
    assert measure_outline(DISC, photograph).abrupt_segments == 4


def test_an_invisible_border_is_not_abrupt():
    assert measure_outline(DISC, paint(NONE)).abrupt_segments == 0


def test_the_paints_of_these_tests_are_the_references():
    references = np.array(list(COLOURS.values()))
    painted = to_lab(np.array([PAINTS[name] for name in COLOURS], np.uint8))
    assert np.abs(painted - references).max() < 1


@pytest.mark.parametrize("name", COLOURS)
def test_each_colour_is_recognised(name: str):
    assert measure_outline(DISC, paint(DISC, PAINTS[name])).colours == (name,)


def test_colours_are_seen_in_relation_to_the_skin_whatever_the_white_balance():
    photograph = paint(DISC)
    photograph[DISC & (ACROSS < 0)] = PAINTS["black"]
    bluish = (photograph * np.array([0.9, 0.9, 1.15])).clip(0, 255).astype(np.uint8)
    assert measure_outline(DISC, bluish).colours == ("dark brown", "black")


def test_the_colours_of_a_disc_of_two_halves_are_both_counted():
    photograph = paint(DISC)
    photograph[DISC & (ACROSS < 0)] = PAINTS["black"]
    assert measure_outline(DISC, photograph).colours == ("dark brown", "black")


@pytest.mark.parametrize(("width", "expected"), [(1, ()), (6, ("black",))])
def test_a_colour_counts_from_a_twentieth_of_the_lesion(width: int, expected: tuple[str, ...]):
    photograph = paint(NONE)
    photograph[DISC & (np.abs(ACROSS) < width)] = PAINTS["black"]
    assert measure_outline(DISC, photograph).colours == expected


def test_skin_inside_of_the_outline_is_none_of_the_colours():
    assert measure_outline(DISC, paint(NONE)).colours == ()


def test_without_skin_around_it_a_lesion_has_its_nearest_colours():
    assert measure_outline(~NONE, paint(~NONE, (50, 30, 25))).colours == ("black",)


def test_outlines_are_measured_at_one_area_in_the_aspect_of_the_photograph():
    assert choose_size(450, 600) == (150, 200)
    assert choose_size(300, 300) == (173, 173)
    assert choose_size(1, 40_000) == (1, 34641)
