import numpy as np
import pytest

from melanoma_core.reading.overlay import blend, colour_scale, draw_levels

SKIN = (200, 150, 130)
WEAKEST = (68, 1, 84)
STRONGEST = (253, 231, 37)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def heatmap():
    return np.random.default_rng(1).random((40, 60), dtype=np.float32)


def test_a_map_of_zeros_does_not_change_the_photograph(pixels):
    np.testing.assert_array_equal(blend(pixels, np.zeros((40, 60), np.float32), 1.0), pixels)


def test_opacity_zero_does_not_change_the_photograph(pixels, heatmap):
    np.testing.assert_array_equal(blend(pixels, heatmap, 0.0), pixels)


def test_an_undefined_map_is_drawn_as_no_evidence(pixels):
    undefined = np.full((40, 60), np.nan, np.float32)
    np.testing.assert_array_equal(blend(pixels, undefined, 1.0), pixels)


def test_only_undefined_pixels_are_left_out(pixels, heatmap):
    holed = heatmap.copy()
    holed[:, :30] = np.nan
    blended = blend(pixels, holed, 0.7)
    np.testing.assert_array_equal(blended[:, :30], pixels[:, :30])
    np.testing.assert_array_equal(blended[:, 30:], blend(pixels, heatmap, 0.7)[:, 30:])


def test_full_strength_at_full_opacity_shows_the_maps_last_colour(pixels):
    blended = blend(pixels, np.ones((40, 60), np.float32), 1.0)
    assert np.unique(blended.reshape(-1, 3), axis=0).tolist() == [list(STRONGEST)]


def test_full_strength_at_half_opacity_is_half_skin_and_half_colour():
    skin = np.full((1, 1, 3), SKIN, np.uint8)
    blended = blend(skin, np.ones((1, 1), np.float32), 0.5)
    assert np.abs(blended[0, 0].astype(int) - [226, 190, 83]).max() <= 1


def test_a_weak_constant_map_is_not_stretched():
    skin = np.full((20, 20, 3), SKIN, np.uint8)
    blended = blend(skin, np.full((20, 20), 0.05, np.float32), 0.6)
    # A twentieth of full strength: less than a seventh of its colour, and no yellow.
    assert 0 < np.abs(blended.astype(int) - SKIN).max() <= 25
    assert blended[0, 0].argmax() == np.argmax(SKIN)


def test_the_inputs_are_not_changed(pixels, heatmap):
    before = pixels.copy(), heatmap.copy()
    blended = blend(pixels, heatmap, 0.6)
    np.testing.assert_array_equal(pixels, before[0])
    np.testing.assert_array_equal(heatmap, before[1])
    assert blended.shape == pixels.shape
    assert blended.dtype == np.uint8


def test_a_map_of_another_size_is_an_error(pixels):
    with pytest.raises(ValueError, match=r"\(60, 40\) does not fit"):
        blend(pixels, np.zeros((60, 40), np.float32), 0.5)


@pytest.mark.parametrize("opacity", [-0.01, 1.01, float("nan")])
def test_an_opacity_out_of_its_range_is_an_error(pixels, heatmap, opacity):
    with pytest.raises(ValueError, match="The opacity is"):
        blend(pixels, heatmap, opacity)


@pytest.mark.parametrize("value", [-0.5, 1.5, float("inf")])
def test_a_strength_out_of_its_range_is_an_error(pixels, heatmap, value):
    heatmap[3, 4] = value
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        blend(pixels, heatmap, 0.5)


def test_the_scale_runs_from_weakest_to_strongest_and_is_the_same_in_every_row():
    scale = colour_scale(256, 12)
    assert scale.shape == (12, 256, 3)
    assert scale.dtype == np.uint8
    assert tuple(scale[0, 0]) == WEAKEST
    assert tuple(scale[0, 128]) == (33, 145, 140)
    assert tuple(scale[0, -1]) == STRONGEST
    assert (scale == scale[0]).all()


def test_a_scale_narrower_than_the_map_keeps_both_ends():
    scale = colour_scale(2, 1)
    assert [tuple(colour) for colour in scale[0]] == [WEAKEST, STRONGEST]


def test_the_colours_only_get_lighter():
    luminance = colour_scale(256, 1)[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance[::3]) > 0).all()  # single steps are rounded to whole numbers


def test_contour_lines_lie_at_their_level_and_leave_the_colours_between_them():
    skin = np.full((200, 200, 3), SKIN, np.uint8)
    ramp = np.tile(np.linspace(0, 1, 200, dtype=np.float32), (200, 1))
    drawn = draw_levels(skin, ramp, (0.5,))
    assert (drawn == drawn[:1]).all()
    changed = np.flatnonzero((drawn[0] != SKIN).any(axis=1))
    assert changed.min() >= 95
    assert changed.max() <= 104
    assert (drawn[0].sum(axis=1) > 700).any()  # the light line
    assert (drawn[0].sum(axis=1) < 150).any()  # its dark border


def test_a_map_without_evidence_has_no_contour_lines(pixels):
    np.testing.assert_array_equal(draw_levels(pixels, np.zeros((40, 60), np.float32)), pixels)


def test_a_map_of_a_single_row_has_contour_lines(pixels):
    row = np.linspace(0, 1, 60, dtype=np.float32)[None]
    assert draw_levels(pixels[:1], row).shape == (1, 60, 3)
