"""Connected regions and their holes, against SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from melanoma_core.data.regions import fill_holes, find_regions


def test_an_empty_mask_has_no_region_and_no_hole():
    empty = np.zeros((4, 5), bool)
    assert find_regions(empty) == []
    assert not fill_holes(empty).any()


def test_a_full_mask_is_one_region():
    (region,) = find_regions(np.ones((4, 5), bool))
    assert region.all()


def test_pixels_that_touch_at_a_corner_alone_are_two_regions():
    assert len(find_regions(np.eye(2, dtype=bool))) == 2


def test_a_region_does_not_go_on_at_the_other_edge():
    mask = np.array([[False, True], [True, False], [False, True]])
    assert len(find_regions(mask)) == 3


def test_a_spiral_is_one_region_and_encloses_nothing():
    spiral = np.ones((9, 9), bool)
    spiral[1, 0:8] = spiral[1:8, 7] = spiral[7, 1:8] = spiral[3:8, 1] = spiral[3, 1:6] = False
    assert len(find_regions(spiral)) == 1
    assert (fill_holes(spiral) == spiral).all()


@pytest.mark.parametrize("density", [0.3, 0.6, 0.9])
def test_regions_and_holes_of_noise_are_those_of_scipy(density: float):
    mask = np.random.default_rng(7).random((61, 83)) < density
    labels, count = ndimage.label(mask)
    regions = find_regions(mask)
    sizes = [int(region.sum()) for region in regions]
    assert len(regions) == count
    assert sizes == sorted(np.bincount(labels[mask])[1:].tolist(), reverse=True)
    assert all(len(np.unique(labels[region])) == 1 for region in regions)
    np.testing.assert_array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))
