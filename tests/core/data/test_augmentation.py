import random
import threading
from dataclasses import fields, replace

import numpy as np
import pytest

from melanoma_core.data.augmentation import AUGMENTATION_LIMITS, Augmentation, augment_image
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
    limit = AUGMENTATION_LIMITS[name]
    with pytest.raises(RecipeError) as caught:
        only(**{name: value})
    assert str(caught.value) == f"Found {name}={value}. It must lie in [0, {limit}]."


def test_an_augmentation_with_every_operation_disabled_is_refused():
    with pytest.raises(RecipeError, match="Found every operation disabled"):
        Augmentation(**OFF)


@pytest.mark.parametrize("shape", [(64, 64), (75, 100), (200, 65)])
def test_no_operation_leaves_an_empty_corner(shape):
    bright = np.full((*shape, 3), 255, np.uint8)
    bright[:, : shape[1] // 2] = 245  # a uniform image would never change
    geometric = replace(ALL, contrast=0, brightness=0)
    for seed in range(20):
        changed = augment_image(bright, geometric, b"%d" % seed)
        assert changed.shape == bright.shape
        assert changed.min() > 235


@pytest.mark.parametrize("name", [*AUGMENTATION_LIMITS, "flip"])
def test_every_operation_alone_changes_the_image(name):
    augmentation = only(**{name: AUGMENTATION_LIMITS.get(name, True)})
    for seed in range(20):
        assert not np.array_equal(augment_image(NOISE, augmentation, b"%d" % seed), NOISE)


def test_flipping_gives_the_three_other_orientations_exactly():
    views = [NOISE[:, ::-1], NOISE[::-1], NOISE[::-1, ::-1]]
    found = [
        [np.array_equal(augment_image(NOISE, only(flip=True), b"%d" % seed), v) for v in views]
        for seed in range(60)
    ]
    assert [sum(row) for row in found] == [1] * 60
    assert all(sum(column) >= 10 for column in zip(*found, strict=True))


def test_an_image_that_no_operation_can_change_is_returned_unchanged():
    grey = np.full((64, 64, 3), 127, np.uint8)
    assert np.array_equal(augment_image(grey, only(flip=True), b"1"), grey)


def test_brightness_and_contrast_stay_within_their_limits():
    grey = np.full((64, 64, 3), 100, np.uint8)
    means = [augment_image(grey, only(brightness=0.3), b"%d" % s).mean() for s in range(100)]
    assert min(means) >= 70
    assert max(means) <= 130
    assert max(means) - min(means) > 50  # the range is used
    spread = [augment_image(NOISE, only(contrast=0.5), b"%d" % s).std() for s in range(100)]
    assert min(spread) < 0.6 * NOISE.std()
    assert min(spread) > 0.49 * NOISE.std()


def test_shear_covers_its_range_in_both_directions(monkeypatch):
    from Augmentor import Operations

    angles = set()

    def record(degrees):
        angles.add(degrees)
        return degrees * np.pi / 180

    monkeypatch.setattr(Operations.math, "radians", record)
    for seed in range(100):
        augment_image(NOISE, only(shear=3), b"%d" % seed)
    assert angles == {-3, -2, -1, 1, 2, 3}


def test_equal_seeds_give_equal_images_and_different_seeds_differ():
    first = augment_image(NOISE, ALL, b"1")
    assert not np.array_equal(first, augment_image(NOISE, ALL, b"2"))
    assert np.array_equal(first, augment_image(NOISE, ALL, b"1"))


def test_random_draws_are_isolated_from_the_rest_of_the_process():
    expected = [augment_image(NOISE, ALL, b"%d" % seed) for seed in range(15)]
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()
            augment_image(NOISE[:64, :64], ALL, b"other")

    other = threading.Thread(target=draw)
    other.start()
    try:
        found = [augment_image(NOISE, ALL, b"%d" % seed) for seed in range(15)]
    finally:
        stop.set()
        other.join()
    assert all(np.array_equal(one, two) for one, two in zip(expected, found, strict=True))
    state = random.getstate()
    augment_image(NOISE, ALL, b"1")
    assert random.getstate() == state
