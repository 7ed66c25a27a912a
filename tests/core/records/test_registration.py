"""Registration finds known transforms, and refuses other lesions and degenerate photographs."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from melanoma_core.records.registration import (
    MIN_INLIERS,
    NotRegistered,
    Registration,
    describe_features,
    lay_photograph,
    lay_points,
    register_photographs,
)
from tests.core.records.drawn_skin import draw_skin, make_matrix, take_with

EARLIER = draw_skin(1)


@pytest.mark.parametrize(
    ("scale", "degrees", "shift"),
    [
        (1.0, 0.0, (0.0, 0.0)),
        (1.0, 0.0, (20.0, -15.0)),
        (1.0, 90.0, (262.0, -37.0)),
        (0.6, 20.0, (80.0, 20.0)),
        (1.5, -35.0, (-120.0, 60.0)),
        (1.0, 180.0, (299.0, 224.0)),
    ],
)
def test_a_known_transform_is_found_within_half_a_pixel(scale, degrees, shift):
    matrix = make_matrix(scale, degrees, shift)
    found = register_photographs(np.asarray(EARLIER), take_with(EARLIER, matrix, (300, 225)))
    assert isinstance(found, Registration)
    corners = np.array([[100, 70, 1], [200, 70, 1], [100, 150, 1], [200, 150, 1]])
    there = corners @ np.linalg.inv(matrix).T
    error = there @ np.array(found.matrix).T - corners[:, :2]
    assert np.hypot(*error.T).max() < 0.5
    assert found.scale == pytest.approx(scale, rel=0.01)
    turned = (found.rotation - degrees + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=0.5)


def test_identical_photographs_lie_on_each_other_exactly():
    pixels = np.asarray(EARLIER)
    found = register_photographs(pixels, pixels)
    assert isinstance(found, Registration)
    assert np.allclose(found.matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-6)
    assert (found.scale, found.overlap) == (pytest.approx(1), 1)
    assert found.residual == pytest.approx(0, abs=1e-6)
    laid, covered = lay_photograph(pixels, found)
    assert covered.all()
    assert np.abs(laid.astype(int) - pixels).max() <= 1


def test_a_photograph_four_times_as_large_is_laid_on_the_small_one():
    large = np.asarray(EARLIER.resize((1200, 900), Image.Resampling.BICUBIC))
    found = register_photographs(np.asarray(EARLIER), large)
    assert isinstance(found, Registration)
    assert found.scale == pytest.approx(0.25, rel=0.005)
    assert (found.earlier_size, found.later_size) == ((225, 300), (900, 1200))
    laid, covered = lay_photograph(large, found)
    assert laid.shape == (225, 300, 3)
    assert covered[2:-2, 2:-2].all()
    assert np.abs(laid[5:-5, 5:-5].astype(int) - np.asarray(EARLIER)[5:-5, 5:-5]).mean() < 3


def test_light_colour_crop_and_jpeg_do_not_hide_a_lesion(tmp_path):
    later = ImageEnhance.Brightness(EARLIER.crop((40, 30, 270, 200))).enhance(0.7)
    later = ImageEnhance.Color(later).enhance(1.6)
    later.save(tmp_path / "later.jpg", quality=60)
    found = register_photographs(
        np.asarray(EARLIER), np.asarray(Image.open(tmp_path / "later.jpg"))
    )
    assert isinstance(found, Registration)
    assert np.allclose(found.matrix, [[1, 0, 40], [0, 1, 30]], atol=0.6)
    assert found.overlap == pytest.approx(230 * 170 / (300 * 225), abs=0.03)


def test_the_same_photographs_give_the_same_transform_every_time():
    later = take_with(EARLIER, make_matrix(1.1, 12, (5, 5)), (300, 225))
    first = register_photographs(np.asarray(EARLIER), later)
    assert register_photographs(np.asarray(EARLIER), later) == first


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_lesion_is_refused(seed):
    found = register_photographs(np.asarray(EARLIER), np.asarray(draw_skin(seed)))
    assert isinstance(found, NotRegistered)
    assert found.num_inliers < MIN_INLIERS
    assert "may show different lesions" in found.reason


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_photograph_is_refused(value):
    blank = np.full((225, 300, 3), value, np.uint8)
    for pair in ((np.asarray(EARLIER), blank), (blank, np.asarray(EARLIER)), (blank, blank)):
        found = register_photographs(*pair)
        assert isinstance(found, NotRegistered)
        assert found.reason.startswith("Too few features agree: 0 of 0")


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (31, 300), (33, 6000)])
def test_a_photograph_of_few_pixels_is_refused_with_its_size(size):
    small = np.zeros((*size, 3), np.uint8)
    found = register_photographs(np.asarray(EARLIER), small)
    assert isinstance(found, NotRegistered)
    assert found.reason == (
        f"The later photograph is {size[1]} × {size[0]} pixels. At least 32 × 32 are needed, and "
        "the shorter side must be at least 0.125 of the longer one."
    )


def test_the_outline_of_the_later_photograph_is_laid_with_it():
    found = register_photographs(np.asarray(EARLIER), np.asarray(EARLIER.crop((30, 45, 180, 195))))
    assert isinstance(found, Registration)
    laid = np.array(lay_points(((0, 0), (1, 0), (1, 1), (0, 1)), found))
    expected = [(0.1, 0.2), (0.6, 0.2), (0.6, 195 / 225), (0.1, 195 / 225)]
    assert np.allclose(laid, expected, atol=0.005)
    assert lay_points((), found) == ()


def test_what_lies_beyond_the_later_photograph_is_not_covered():
    later = np.asarray(EARLIER.crop((60, 45, 240, 180)))
    found = register_photographs(np.asarray(EARLIER), later)
    assert isinstance(found, Registration)
    laid, covered = lay_photograph(later, found)
    assert covered.mean() == pytest.approx(180 * 135 / (300 * 225), abs=0.02)
    assert not laid[~covered].any()


def test_features_are_few_and_at_most_as_far_as_the_photograph():
    features = describe_features(np.asarray(EARLIER))
    assert len(features.positions) == len(features.descriptors) > 50
    assert features.positions.min() >= 0
    assert (features.positions <= (300, 225)).all()
