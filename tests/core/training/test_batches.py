from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.training.batches import TrainingBatches, augment, image_weights
from melanoma_core.training.recipe import Recipe

STILL = Recipe(
    name="still",
    rotation=0,
    zoom=0,
    shift=0,
    brightness=0,
    contrast=0,
    colour=0,
    images_per_epoch=10,
    batch_size=4,
)
LIVELY = replace(Recipe(name="lively"), images_per_epoch=10, batch_size=4)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 1, 7, 7])


def make_batches(recipe: Recipe) -> TrainingBatches:
    return TrainingBatches(PIXELS, LABELS, 8, recipe)


def read_epoch(batches: TrainingBatches, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    batches.start_epoch(epoch)
    pixels, targets = zip(*(batches[index] for index in range(len(batches))), strict=True)
    return np.concatenate(pixels), np.concatenate(targets)


def test_the_last_batch_is_as_short_as_it_must_be():
    batches = make_batches(LIVELY)

    assert [len(batches[index][0]) for index in range(len(batches))] == [4, 4, 2]


def test_no_number_of_images_means_as_many_as_there_are():
    batches = make_batches(replace(LIVELY, images_per_epoch=0))

    assert len(batches) == 2
    assert len(read_epoch(batches, 0)[0]) == 6


def test_a_batch_depends_on_the_seed_the_epoch_and_its_position_alone():
    one, other = make_batches(LIVELY), make_batches(LIVELY)
    one.start_epoch(3)
    other.start_epoch(3)
    _ = one[0], one[2]  # what was read before does not matter

    np.testing.assert_array_equal(one[1][0], other[1][0])
    np.testing.assert_array_equal(one[1][1], other[1][1])


def test_a_run_that_starts_at_the_third_epoch_sees_what_the_whole_one_sees_there():
    whole, resumed = make_batches(LIVELY), make_batches(LIVELY)
    for epoch in (0, 1):
        read_epoch(whole, epoch)

    np.testing.assert_array_equal(read_epoch(whole, 2)[0], read_epoch(resumed, 2)[0])


@pytest.mark.parametrize("change", [{"seed": 2}, {"epoch": 1}])
def test_another_seed_or_epoch_gives_other_images(change: dict[str, int]):
    first, _ = read_epoch(make_batches(LIVELY), 0)
    recipe = replace(LIVELY, seed=change.get("seed", 1))
    other, _ = read_epoch(make_batches(recipe), change.get("epoch", 0))

    assert not np.array_equal(first, other)


def test_no_image_is_turned_by_the_chance_that_it_was_drawn_with():
    # NumPy takes [1, 5] and [1, 5, 0] for one seed: the streams must differ at their start.
    batches = make_batches(replace(LIVELY, images_per_epoch=4))
    batches.start_epoch(5)
    turned = augment(PIXELS[batches._order], LIVELY, np.random.default_rng([1, 5]))

    assert not np.array_equal(batches[0][0], turned)


def test_targets_are_the_labels_of_the_images_drawn():
    pixels, targets = read_epoch(make_batches(STILL), 0)

    for picture, target in zip(pixels, targets, strict=True):
        same = [
            np.array_equal(picture, original) or np.array_equal(picture, original[:, ::-1])
            for original in PIXELS
        ]
        assert target.tolist() == np.eye(8)[LABELS[same.index(True)]].tolist()


def test_without_balance_every_image_is_as_likely():
    np.testing.assert_allclose(image_weights(LABELS, 0.0), [1 / 6] * 6)


def test_with_full_balance_every_class_is_as_likely():
    weights = image_weights(LABELS, 1.0)

    np.testing.assert_allclose(weights, [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 6, 1 / 6])


def test_with_half_balance_a_class_of_four_times_the_images_is_drawn_twice_as_often():
    weights = image_weights(np.array([0, 1, 1, 1, 1]), 0.5)

    np.testing.assert_allclose(weights, [1 / 3] + [1 / 6] * 4)


def test_augmenting_nothing_gives_nothing():
    assert augment(PIXELS[:0], LIVELY, np.random.default_rng(0)).shape == (0, 32, 32, 3)


def test_without_any_limit_a_picture_is_itself_or_its_mirror_to_the_last_bit():
    augmented = augment(np.tile(PIXELS[:1], (64, 1, 1, 1)), STILL, np.random.default_rng(0))

    mirrored = [bool((picture == PIXELS[0][:, ::-1]).all()) for picture in augmented]
    itself = [bool((picture == PIXELS[0]).all()) for picture in augmented]
    assert sum(mirrored) + sum(itself) == 64
    assert 16 < sum(mirrored) < 48


def test_the_size_the_kind_and_the_range_stay():
    extreme = replace(LIVELY, brightness=0.9, contrast=0.9, colour=0.9, zoom=1, shift=0.5)

    augmented = augment(PIXELS, extreme, np.random.default_rng(0))

    assert augmented.shape == PIXELS.shape
    assert augmented.dtype == np.uint8


def test_a_flat_picture_stays_flat_and_gets_no_corner_when_it_is_turned():
    flat = np.full((8, 32, 32, 3), 100, dtype=np.uint8)
    moved = replace(STILL, rotation=180, zoom=0.25, shift=0.08)

    np.testing.assert_array_equal(augment(flat, moved, np.random.default_rng(0)), flat)


def test_moving_a_picture_darkens_it_by_no_more_than_rounding():
    smooth = np.full((64, 32, 32, 3), 100, dtype=np.uint8)
    smooth[:, ::2] = 101
    moved = replace(STILL, rotation=180)

    # Pillow cuts interpolated values down to whole ones: half a step of 255 on average.
    mean = augment(smooth, moved, np.random.default_rng(0)).mean()
    assert mean == pytest.approx(100.25, abs=0.3)


def test_brightness_moves_a_flat_picture_by_no_more_than_its_limit():
    flat = np.full((256, 8, 8, 3), 100, dtype=np.uint8)

    brightened = augment(flat, replace(STILL, brightness=0.1), np.random.default_rng(0))

    values = brightened[:, 0, 0, 0].astype(int)
    assert values.min() in range(74, 78)  # 100 - 25.5
    assert values.max() in range(123, 127)
    assert (np.ptp(brightened, axis=(1, 2, 3)) == 0).all()


def test_contrast_stretches_about_the_mean():
    halves = np.full((64, 8, 8, 3), 80, dtype=np.uint8)
    halves[:, :4] = 120

    stretched = augment(halves, replace(STILL, contrast=0.25), np.random.default_rng(0))

    np.testing.assert_allclose(stretched.mean(axis=(1, 2, 3)), 100, atol=0.5)
    differences = np.ptp(stretched, axis=(1, 2, 3)).astype(int)
    assert differences.min() in range(30, 33)  # 40 × 0.75
    assert differences.max() in range(48, 51)
