from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.training.batches import (
    Batch,
    TrainingBatches,
    augment,
    count_in_loss,
    hold_still,
    compute_draw_probabilities,
    mix,
    read_ahead,
)
from melanoma_core.training.recipe import Rebalancing, Recipe

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
    pixels, targets, _ = zip(*(batches[index] for index in range(len(batches))), strict=True)
    return np.concatenate(pixels), np.concatenate(targets)


def test_the_last_batch_is_as_short_as_it_must_be():
    batches = make_batches(LIVELY)

    assert [len(batches[index][0]) for index in range(len(batches))] == [4, 4, 2]


def test_no_number_of_images_means_as_many_as_there_are():
    batches = make_batches(replace(LIVELY, images_per_epoch=0))

    assert len(batches) == 2
    assert len(read_epoch(batches, 0)[0]) == 6


def test_without_balance_an_epoch_is_every_image_once_in_another_order():
    recipe = replace(hold_still(STILL), images_per_epoch=0, class_balance=0)
    batches = make_batches(recipe)
    first, second = (read_epoch(batches, epoch)[0] for epoch in (0, 1))

    assert sorted(picture.tobytes() for picture in first) == sorted(
        picture.tobytes() for picture in PIXELS
    )
    assert sorted(picture.tobytes() for picture in second) == sorted(
        picture.tobytes() for picture in PIXELS
    )
    assert not np.array_equal(first, second)


def test_batches_that_are_made_ahead_come_in_order():
    batches = make_batches(LIVELY)

    ahead = list(read_ahead(batches))

    assert len(ahead) == 3
    for index, batch in enumerate(ahead):
        np.testing.assert_array_equal(batch.inputs, batches[index].inputs)


def test_features_pass_as_they_are_where_nothing_is_changed():
    features = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    recipe = hold_still(replace(LIVELY, images_per_epoch=0, class_balance=0, mixup=0.4))

    found, _ = read_epoch(TrainingBatches(features, LABELS, 8, recipe), 0)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(features, axis=0))


def test_images_count_alike_unless_classes_are_weighed():
    assert make_batches(LIVELY)[0].weights is None


def test_with_class_weights_every_class_counts_alike():
    recipe = replace(
        LIVELY,
        rebalancing=Rebalancing.CLASS_WEIGHTS,
        images_per_epoch=0,
        class_balance=0,
        batch_size=6,
    )

    batch = make_batches(recipe)[0]

    # 6 images in 3 classes: 6 / (3 × 1), 6 / (3 × 3), 6 / (3 × 2).
    expected = {0: 2.0, 1: 2 / 3, 7: 1.0}
    labels = batch.targets.argmax(axis=1)
    np.testing.assert_allclose(batch.weights, [expected[label] for label in labels], rtol=1e-6)
    assert batch.weights.dtype == np.float32


def test_what_counts_in_the_loss_is_the_draw_times_the_weight():
    weighed = replace(LIVELY, rebalancing=Rebalancing.CLASS_WEIGHTS, class_balance=0.0)

    np.testing.assert_allclose(
        count_in_loss(LABELS, replace(weighed, rebalancing=Rebalancing.NONE)), 1 / 6
    )
    np.testing.assert_allclose(
        np.bincount(LABELS, count_in_loss(LABELS, weighed))[[0, 1, 7]], 1 / 3
    )


def test_mixed_images_targets_and_weights_are_blended_by_the_same_share():
    # One colour per image, so that a blend tells its share.
    pixels = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    pixels[1] = 200
    batch = Batch(pixels, np.eye(2, dtype=np.float32), np.array([1.0, 3.0], dtype=np.float32))

    mixed = [mix(batch, 0.5, np.random.default_rng(seed)) for seed in range(20)]

    shares = np.concatenate([m.targets[:, 1] for m in mixed])
    values = np.concatenate([m.inputs[:, 0, 0, 0] for m in mixed]).astype(float)
    np.testing.assert_allclose(values, 200 * shares, atol=0.51)  # rounded to whole ones
    np.testing.assert_allclose(
        np.concatenate([m.weights for m in mixed]), 1 + 2 * shares, rtol=1e-5
    )
    np.testing.assert_allclose(np.concatenate([m.targets.sum(axis=1) for m in mixed]), 1, rtol=1e-6)
    assert mixed[0].inputs.dtype == np.uint8
    assert np.ptp(shares) > 0.5


def test_mixing_depends_on_the_seed_the_epoch_and_the_position_alone():
    recipe = replace(LIVELY, mixup=0.3)
    one, other = make_batches(recipe), make_batches(recipe)
    _ = one[0], one[2]

    np.testing.assert_array_equal(one[1].inputs, other[1].inputs)
    np.testing.assert_array_equal(one[1].targets, other[1].targets)
    assert ((one[1].targets > 0) & (one[1].targets < 1)).any()


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
    np.testing.assert_allclose(compute_draw_probabilities(LABELS, 0.0), [1 / 6] * 6)


def test_with_full_balance_every_class_is_as_likely():
    weights = compute_draw_probabilities(LABELS, 1.0)

    np.testing.assert_allclose(weights, [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 6, 1 / 6])


def test_with_half_balance_a_class_of_four_times_the_images_is_drawn_twice_as_often():
    weights = compute_draw_probabilities(np.array([0, 1, 1, 1, 1]), 0.5)

    np.testing.assert_allclose(weights, [1 / 3] + [1 / 6] * 4)


def test_augmenting_nothing_gives_nothing():
    assert augment(PIXELS[:0], LIVELY, np.random.default_rng(0)).shape == (0, 32, 32, 3)


def test_without_any_limit_a_picture_is_itself_or_its_mirror_to_the_last_bit():
    augmented = augment(np.tile(PIXELS[:1], (64, 1, 1, 1)), STILL, np.random.default_rng(0))

    mirrored = [bool((picture == PIXELS[0][:, ::-1]).all()) for picture in augmented]
    itself = [bool((picture == PIXELS[0]).all()) for picture in augmented]
    assert sum(mirrored) + sum(itself) == 64
    assert 16 < sum(mirrored) < 48


def test_a_picture_that_may_not_be_mirrored_is_itself():
    augmented = augment(PIXELS, replace(STILL, mirror=False), np.random.default_rng(0))

    np.testing.assert_array_equal(augmented, PIXELS)


def test_a_turn_without_mirroring_keeps_left_and_right():
    picture = np.zeros((64, 32, 32, 3), dtype=np.uint8)
    picture[:, :, :8] = 200  # bright on the left
    nearly = replace(STILL, mirror=False, rotation=5)

    moved = augment(picture, nearly, np.random.default_rng(0)).astype(int)

    assert (moved[:, 12:20, :4].mean(axis=(1, 2, 3)) > 150).all()
    assert (moved[:, 12:20, -4:].mean(axis=(1, 2, 3)) < 10).all()


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


def make_coloured(**changes: object) -> np.ndarray:
    pixels = np.tile(np.array([150, 100, 80], dtype=np.uint8), (40, 16, 16, 1))
    return augment(pixels, replace(STILL, mirror=False, **changes), np.random.default_rng(1))


def test_saturation_moves_colours_towards_grey_or_away_and_keeps_their_grey():
    changed = make_coloured(saturation=0.5)[:, 0, 0].astype(float)

    spread = changed.max(axis=1) - changed.min(axis=1)
    assert spread.min() < 45
    assert spread.max() > 95
    grey = changed @ [0.299, 0.587, 0.114]
    assert np.abs(grey - 112.67).max() < 1.5


def test_gamma_bends_the_tones_between_black_and_white_and_leaves_both():
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, None, :, None], (40, 2, 1, 3))

    changed = augment(ramp, replace(STILL, mirror=False, gamma=0.5), np.random.default_rng(1))

    assert (changed[:, :, 0] == 0).all()
    assert (changed[:, :, 255] == 255).all()
    middle = changed[:, 0, 128, 0]
    # 255 × (128/255)^1.5 and ^(1/1.5).
    assert 90 <= middle.min() < 100
    assert 155 < middle.max() <= 161


def test_a_loss_of_resolution_takes_the_finest_structure_and_keeps_the_mean():
    checks = np.tile((np.indices((32, 32)).sum(axis=0) % 2 * 200)[..., None], 3).astype(np.uint8)
    pixels = np.tile(checks, (40, 1, 1, 1))

    changed = augment(
        pixels, replace(STILL, mirror=False, resolution=0.5), np.random.default_rng(1)
    )

    contrast = changed.std(axis=(1, 2, 3))
    assert contrast.min() < 20
    assert contrast.max() <= 100
    assert np.abs(changed.mean(axis=(1, 2, 3)) - 100).max() < 2
