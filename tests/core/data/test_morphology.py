"""Openings and closings along lines."""

import math

import numpy as np

from melanoma_core.data.morphology import Mask, find_narrow, find_pixels


def draw_line(length: int, width: int = 1) -> np.ndarray:
    pixels = np.zeros((40, 60), dtype=bool)
    pixels[10 : 10 + width, 5 : 5 + length] = True
    return pixels


def test_an_empty_image_stays_empty():
    empty = Mask.from_array(np.zeros((5, 7), dtype=bool))

    assert len(empty) == 0
    assert [len(each) for each in empty.open_along(0.3, (1, 5))] == [0, 0]
    assert len(empty.drop_broad(3)) == 0


def test_a_mask_survives_the_way_to_bits_and_back():
    pixels = np.random.default_rng(0).random((17, 23)) < 0.5
    mask = Mask.from_array(pixels)

    np.testing.assert_array_equal(mask.to_array(), pixels)
    assert len(mask) == pixels.sum()


def test_the_pixels_of_several_masks_are_found_one_mask_after_another():
    drawn = np.random.default_rng(0).random((3, 17, 45)) < 0.1
    drawn[1] = False
    rows, columns, counts = find_pixels([Mask.from_array(each) for each in drawn])
    number, expected_rows, expected_columns = np.nonzero(drawn)

    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(columns, expected_columns)
    np.testing.assert_array_equal(counts, np.bincount(number, minlength=3))
    assert [len(each) for each in find_pixels([Mask.from_array(drawn[1])])] == [0, 0, 1]


def test_what_two_masks_share_is_in_both():
    one, other = Mask.from_array(draw_line(20)), Mask.from_array(draw_line(12, width=3))

    assert len(one & other) == 12


def test_an_opening_keeps_lines_of_its_length_and_direction():
    line = draw_line(20)
    along, longer = Mask.from_array(line).open_along(0.0, (4, 5))  # 16 and 32 pixels
    (across,) = Mask.from_array(line).open_along(math.pi / 2, (3,))

    np.testing.assert_array_equal(along.to_array(), line)
    assert (len(longer), len(across)) == (0, 0)


def test_a_line_that_leaves_the_image_does_not_enter_it_on_the_other_side():
    pixels = np.zeros((40, 60), dtype=bool)
    pixels[10, 50:] = pixels[11, :10] = True  # 20 pixels in a row of memory, without the gap

    assert len(Mask.from_array(pixels).open_along(0.0, (4,))[0]) == 0


def test_broad_parts_are_dropped_with_their_surroundings():
    pixels = draw_line(50) | draw_line(6, width=6)
    kept = Mask.from_array(pixels).drop_broad(5).to_array()

    assert not kept[:, :16].any()
    np.testing.assert_array_equal(kept[10, 16:55], True)


def test_an_opening_with_a_square_keeps_what_it_fits_into():
    mask = Mask.from_array(draw_line(20) | draw_line(4, width=4))

    assert len(mask.open_square(4)) == 16
    assert len(mask.open_square(5)) == 0


def test_what_is_narrow_is_found_by_how_dark_it_is():
    plane = np.full((40, 60), 200, np.uint8)
    plane[:, 20:24] = 150  # a hair
    plane[:, 40:] = 50  # a dark half
    depth = find_narrow(plane, 3)

    np.testing.assert_array_equal(depth[:, 20:24], 50)
    assert depth.sum() == 40 * 4 * 50
