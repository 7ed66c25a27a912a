import random
import threading
from dataclasses import fields, replace

import numpy as np
import pytest

from melanoma_core.data.augmentation import AUGMENTATION_LIMITS, Augmentation, change_picture
from melanoma_core.errors import RecipeError

OFF = {field.name: 0 for field in fields(Augmentation)}
ALL = Augmentation(
    rotation=180, zoom=1.0, shear=25, skew=0.5, distortion=0.4, contrast=0.9, brightness=0.9
)
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (70, 90, 3), dtype=np.uint8)


def only(**limits: float) -> Augmentation:
    return Augmentation(**{**OFF, **limits})


@pytest.mark.parametrize("name", AUGMENTATION_LIMITS)
@pytest.mark.parametrize("value", [-1, 1000, float("nan")])
def test_a_limit_out_of_range_is_refused_with_its_range(name, value):
    most = AUGMENTATION_LIMITS[name]
    with pytest.raises(RecipeError) as caught:
        only(**{name: value})
    assert str(caught.value) == f"Found {name}={value}. It must lie in [0, {most}]."


def test_an_augmentation_without_any_operation_is_refused():
    with pytest.raises(RecipeError, match="Found no operation"):
        Augmentation(**OFF)


@pytest.mark.parametrize("shape", [(64, 64), (75, 100), (200, 65)])
def test_no_operation_leaves_an_empty_corner(shape):
    bright = np.full((*shape, 3), 255, np.uint8)
    bright[:, : shape[1] // 2] = 245  # or it would never be another picture
    geometric = replace(ALL, contrast=0, brightness=0)
    for seed in range(40):
        changed = change_picture(bright, geometric, b"%d" % seed)
        assert changed.shape == bright.shape
        assert changed.min() > 235


@pytest.mark.parametrize("name", [*AUGMENTATION_LIMITS, "flip"])
def test_every_operation_by_itself_changes_the_picture(name):
    augmentation = only(**{name: AUGMENTATION_LIMITS.get(name, True)})
    for seed in range(20):
        assert not np.array_equal(change_picture(NOISE, augmentation, b"%d" % seed), NOISE)


def test_mirroring_gives_the_three_other_views_and_no_pixel_of_another_value():
    views = [NOISE[:, ::-1], NOISE[::-1], NOISE[::-1, ::-1]]
    found = [
        [np.array_equal(change_picture(NOISE, only(flip=True), b"%d" % seed), v) for v in views]
        for seed in range(60)
    ]
    assert [sum(row) for row in found] == [1] * 60
    assert all(sum(column) >= 10 for column in zip(*found, strict=True))


def test_a_picture_that_no_operation_can_change_is_returned_as_it_is():
    grey = np.full((64, 64, 3), 127, np.uint8)
    assert np.array_equal(change_picture(grey, only(flip=True), b"1"), grey)


def test_brightness_and_contrast_stay_within_their_limits():
    grey = np.full((64, 64, 3), 100, np.uint8)
    means = [change_picture(grey, only(brightness=0.3), b"%d" % s).mean() for s in range(100)]
    assert min(means) >= 70
    assert max(means) <= 130
    assert max(means) - min(means) > 50  # and are used
    spread = [change_picture(NOISE, only(contrast=0.5), b"%d" % s).std() for s in range(100)]
    assert min(spread) < 0.6 * NOISE.std()
    assert min(spread) > 0.49 * NOISE.std()


def test_the_shear_goes_as_far_as_its_limit_both_ways_and_no_further(monkeypatch):
    from Augmentor import Operations

    angles = set()

    def record(degrees):
        angles.add(degrees)
        return degrees * np.pi / 180

    monkeypatch.setattr(Operations.math, "radians", record)
    for seed in range(200):
        change_picture(NOISE, only(shear=3), b"%d" % seed)
    assert angles == {-3, -2, -1, 1, 2, 3}


def test_the_same_seed_gives_the_same_picture_and_another_seed_another():
    first = change_picture(NOISE, ALL, b"1")
    assert not np.array_equal(first, change_picture(NOISE, ALL, b"2"))
    assert np.array_equal(first, change_picture(NOISE, ALL, b"1"))


def test_chance_is_neither_taken_from_nor_given_to_the_rest_of_the_process():
    expected = [change_picture(NOISE, ALL, b"%d" % seed) for seed in range(30)]
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()
            change_picture(NOISE[:64, :64], ALL, b"other")

    other = threading.Thread(target=draw)
    other.start()
    try:
        found = [change_picture(NOISE, ALL, b"%d" % seed) for seed in range(30)]
    finally:
        stop.set()
        other.join()
    assert all(np.array_equal(one, two) for one, two in zip(expected, found, strict=True))
    state = random.getstate()
    change_picture(NOISE, ALL, b"1")
    assert random.getstate() == state
