"""Batches that a network is trained on."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.training.augmentation import augment_outlined
from melanoma_core.training.batches import (
    Batch,
    TrainingBatches,
    apply_mixup,
    disable_augmentation,
    prefetch,
)
from melanoma_core.training.draw import compute_loss_shares
from melanoma_core.training.recipe import Rebalancing, Recipe

PLAIN = Recipe(
    name="plain",
    rotation=0,
    zoom=0,
    shift=0,
    brightness=0,
    contrast=0,
    colour=0,
    images_per_epoch=10,
    batch_size=4,
)
AUGMENTED = replace(Recipe(name="augmented"), images_per_epoch=10, batch_size=4)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 1, 7, 7])


def augment(images: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    return augment_outlined(images, None, recipe, rng)[0]


def make_batches(recipe: Recipe) -> TrainingBatches:
    return TrainingBatches(PIXELS, LABELS, 8, recipe)


def read_epoch(batches: TrainingBatches, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    batches.start_epoch(epoch)
    pixels, targets, *_ = zip(*(batches[index] for index in range(len(batches))), strict=True)
    return np.concatenate(pixels), np.concatenate(targets)


def test_the_last_batch_is_shorter():
    batches = make_batches(AUGMENTED)

    assert [len(batches[index][0]) for index in range(len(batches))] == [4, 4, 2]


def test_without_a_number_an_epoch_has_as_many_images_as_the_subset():
    batches = make_batches(replace(AUGMENTED, images_per_epoch=0))

    assert len(batches) == 2
    assert len(read_epoch(batches, 0)[0]) == 6


def test_without_balance_an_epoch_has_each_image_once_in_another_order():
    recipe = replace(disable_augmentation(PLAIN), images_per_epoch=0, class_balance=0)
    batches = make_batches(recipe)
    first, second = (read_epoch(batches, epoch)[0] for epoch in (0, 1))

    assert sorted(image.tobytes() for image in first) == sorted(image.tobytes() for image in PIXELS)
    assert sorted(image.tobytes() for image in second) == sorted(
        image.tobytes() for image in PIXELS
    )
    assert not np.array_equal(first, second)


def test_prefetched_batches_come_in_order():
    batches = make_batches(AUGMENTED)

    ahead = list(prefetch(batches))

    assert len(ahead) == 3
    for index, batch in enumerate(ahead):
        np.testing.assert_array_equal(batch.inputs, batches[index].inputs)


def test_features_are_unchanged_without_augmentation():
    features = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    recipe = disable_augmentation(
        replace(AUGMENTED, images_per_epoch=0, class_balance=0, mixup=0.4)
    )

    found, _ = read_epoch(TrainingBatches(features, LABELS, 8, recipe), 0)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(features, axis=0))


def test_images_have_no_weights_without_class_weights():
    assert make_batches(AUGMENTED)[0].weights is None


def test_class_weights_give_each_class_the_same_total_weight():
    recipe = replace(
        AUGMENTED,
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


def test_the_share_in_the_loss_is_the_draw_times_the_class_weight():
    weighed = replace(AUGMENTED, rebalancing=Rebalancing.CLASS_WEIGHTS, class_balance=0.0)

    np.testing.assert_allclose(
        compute_loss_shares(LABELS, replace(weighed, rebalancing=Rebalancing.NONE)), 1 / 6
    )
    np.testing.assert_allclose(
        np.bincount(LABELS, compute_loss_shares(LABELS, weighed))[[0, 1, 7]], 1 / 3
    )


def test_mixup_blends_images_targets_and_weights_by_the_same_share():
    # One colour per image, so that the share follows from the blend.
    pixels = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    pixels[1] = 200
    batch = Batch(pixels, np.eye(2, dtype=np.float32), np.array([1.0, 3.0], dtype=np.float32))

    mixed = [apply_mixup(batch, 0.5, np.random.default_rng(seed)) for seed in range(20)]

    shares = np.concatenate([m.targets[:, 1] for m in mixed])
    values = np.concatenate([m.inputs[:, 0, 0, 0] for m in mixed]).astype(float)
    np.testing.assert_allclose(values, 200 * shares, atol=0.51)  # rounded to whole ones
    np.testing.assert_allclose(
        np.concatenate([m.weights for m in mixed]), 1 + 2 * shares, rtol=1e-5
    )
    np.testing.assert_allclose(np.concatenate([m.targets.sum(axis=1) for m in mixed]), 1, rtol=1e-6)
    assert mixed[0].inputs.dtype == np.uint8
    assert np.ptp(shares) > 0.5


def test_mixup_depends_only_on_the_seed_the_epoch_and_the_position():
    recipe = replace(AUGMENTED, mixup=0.3)
    one, other = make_batches(recipe), make_batches(recipe)
    _ = one[0], one[2]

    np.testing.assert_array_equal(one[1].inputs, other[1].inputs)
    np.testing.assert_array_equal(one[1].targets, other[1].targets)
    assert ((one[1].targets > 0) & (one[1].targets < 1)).any()


def test_a_batch_depends_only_on_the_seed_the_epoch_and_its_position():
    one, other = make_batches(AUGMENTED), make_batches(AUGMENTED)
    one.start_epoch(3)
    other.start_epoch(3)
    _ = one[0], one[2]  # the batches read before do not matter

    np.testing.assert_array_equal(one[1][0], other[1][0])
    np.testing.assert_array_equal(one[1][1], other[1][1])


def test_a_run_resumed_at_the_third_epoch_gets_the_same_images():
    whole, resumed = make_batches(AUGMENTED), make_batches(AUGMENTED)
    for epoch in (0, 1):
        read_epoch(whole, epoch)

    np.testing.assert_array_equal(read_epoch(whole, 2)[0], read_epoch(resumed, 2)[0])


@pytest.mark.parametrize("change", [{"seed": 2}, {"epoch": 1}])
def test_another_seed_or_epoch_gives_other_images(change: dict[str, int]):
    first, _ = read_epoch(make_batches(AUGMENTED), 0)
    recipe = replace(AUGMENTED, seed=change.get("seed", 1))
    other, _ = read_epoch(make_batches(recipe), change.get("epoch", 0))

    assert not np.array_equal(first, other)


def test_draw_and_augmentation_have_separate_random_streams():
    # NumPy treats [1, 5] and [1, 5, 0] as the same seed, so the streams must differ before.
    batches = make_batches(replace(AUGMENTED, images_per_epoch=4))
    batches.start_epoch(5)
    turned = augment(PIXELS[batches._order], AUGMENTED, np.random.default_rng([1, 5]))

    assert not np.array_equal(batches[0][0], turned)


def test_targets_are_the_labels_of_the_images_drawn():
    pixels, targets = read_epoch(make_batches(PLAIN), 0)

    for image, target in zip(pixels, targets, strict=True):
        same = [
            np.array_equal(image, original) or np.array_equal(image, original[:, ::-1])
            for original in PIXELS
        ]
        assert target.tolist() == np.eye(8)[LABELS[same.index(True)]].tolist()


def test_augmenting_no_image_returns_no_image():
    assert augment(PIXELS[:0], AUGMENTED, np.random.default_rng(0)).shape == (0, 32, 32, 3)


def test_without_other_changes_an_image_is_unchanged_or_mirrored_exactly():
    augmented = augment(np.tile(PIXELS[:1], (64, 1, 1, 1)), PLAIN, np.random.default_rng(0))

    mirrored = [bool((image == PIXELS[0][:, ::-1]).all()) for image in augmented]
    itself = [bool((image == PIXELS[0]).all()) for image in augmented]
    assert sum(mirrored) + sum(itself) == 64
    assert 16 < sum(mirrored) < 48


def test_without_mirroring_an_image_is_unchanged():
    augmented = augment(PIXELS, replace(PLAIN, mirror=False), np.random.default_rng(0))

    np.testing.assert_array_equal(augmented, PIXELS)


def test_a_rotation_without_mirroring_keeps_left_and_right():
    image = np.zeros((64, 32, 32, 3), dtype=np.uint8)
    image[:, :, :8] = 200  # bright on the left
    nearly = replace(PLAIN, mirror=False, rotation=5)

    moved = augment(image, nearly, np.random.default_rng(0)).astype(int)

    assert (moved[:, 12:20, :4].mean(axis=(1, 2, 3)) > 150).all()
    assert (moved[:, 12:20, -4:].mean(axis=(1, 2, 3)) < 10).all()


def test_shape_and_dtype_do_not_change():
    extreme = replace(AUGMENTED, brightness=0.9, contrast=0.9, colour=0.9, zoom=1, shift=0.5)

    augmented = augment(PIXELS, extreme, np.random.default_rng(0))

    assert augmented.shape == PIXELS.shape
    assert augmented.dtype == np.uint8


def test_a_rotated_uniform_image_has_no_dark_corners():
    flat = np.full((8, 32, 32, 3), 100, dtype=np.uint8)
    moved = replace(PLAIN, rotation=180, zoom=0.25, shift=0.08)

    np.testing.assert_array_equal(augment(flat, moved, np.random.default_rng(0)), flat)


def test_a_rotation_darkens_an_image_only_by_rounding():
    smooth = np.full((64, 32, 32, 3), 100, dtype=np.uint8)
    smooth[:, ::2] = 101
    moved = replace(PLAIN, rotation=180)

    # Pillow truncates interpolated values: half a grey level on average.
    mean = augment(smooth, moved, np.random.default_rng(0)).mean()
    assert mean == pytest.approx(100.25, abs=0.3)


def test_brightness_changes_a_uniform_image_up_to_its_limit():
    flat = np.full((256, 8, 8, 3), 100, dtype=np.uint8)

    brightened = augment(flat, replace(PLAIN, brightness=0.1), np.random.default_rng(0))

    values = brightened[:, 0, 0, 0].astype(int)
    assert values.min() in range(74, 78)  # 100 - 25.5
    assert values.max() in range(123, 127)
    assert (np.ptp(brightened, axis=(1, 2, 3)) == 0).all()


def test_contrast_is_scaled_about_the_mean():
    halves = np.full((64, 8, 8, 3), 80, dtype=np.uint8)
    halves[:, :4] = 120

    stretched = augment(halves, replace(PLAIN, contrast=0.25), np.random.default_rng(0))

    np.testing.assert_allclose(stretched.mean(axis=(1, 2, 3)), 100, atol=0.5)
    differences = np.ptp(stretched, axis=(1, 2, 3)).astype(int)
    assert differences.min() in range(30, 33)  # 40 × 0.75
    assert differences.max() in range(48, 51)


def make_coloured(**changes: object) -> np.ndarray:
    pixels = np.tile(np.array([150, 100, 80], dtype=np.uint8), (40, 16, 16, 1))
    return augment(pixels, replace(PLAIN, mirror=False, **changes), np.random.default_rng(1))


def test_saturation_moves_colours_towards_or_away_from_their_grey():
    changed = make_coloured(saturation=0.5)[:, 0, 0].astype(float)

    spread = changed.max(axis=1) - changed.min(axis=1)
    assert spread.min() < 45
    assert spread.max() > 95
    grey = changed @ [0.299, 0.587, 0.114]
    assert np.abs(grey - 112.67).max() < 1.5


def test_gamma_changes_midtones_but_not_black_and_white():
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, None, :, None], (40, 2, 1, 3))

    changed = augment(ramp, replace(PLAIN, mirror=False, gamma=0.5), np.random.default_rng(1))

    assert (changed[:, :, 0] == 0).all()
    assert (changed[:, :, 255] == 255).all()
    middle = changed[:, 0, 128, 0]
    # 255 × (128/255)^1.5 and ^(1/1.5).
    assert 90 <= middle.min() < 100
    assert 155 < middle.max() <= 161


def test_lower_resolution_removes_fine_detail_and_keeps_the_mean():
    checks = np.tile((np.indices((32, 32)).sum(axis=0) % 2 * 200)[..., None], 3).astype(np.uint8)
    pixels = np.tile(checks, (40, 1, 1, 1))

    changed = augment(
        pixels, replace(PLAIN, mirror=False, resolution=0.5), np.random.default_rng(1)
    )

    contrast = changed.std(axis=(1, 2, 3))
    assert contrast.min() < 20
    assert contrast.max() <= 100
    assert np.abs(changed.mean(axis=(1, 2, 3)) - 100).max() < 2


def change(pixels: np.ndarray, **changes: object) -> np.ndarray:
    return augment(pixels, replace(PLAIN, mirror=False, **changes), np.random.default_rng(3))


FLAT = np.full((60, 48, 48, 3), 180, dtype=np.uint8)


@pytest.mark.parametrize("name", ["vignette", "artefacts", "jpeg"])
def test_a_share_of_the_images_is_changed(name: str):
    noise = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)

    changed = change(noise, **{name: 0.25})

    is_changed = (changed != noise).any(axis=(1, 2, 3))
    assert 35 <= is_changed.sum() <= 65
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(change(noise, **{name: 0.25}), changed)


def test_a_vignette_darkens_the_corners_and_not_the_centre():
    changed = change(FLAT, vignette=1.0)

    assert (changed[:, 24, 24] == 180).all()
    assert (changed[:, 0, 0] < 180).all()
    assert changed[:, 0, 0].mean() < 60
    assert (changed <= 180).all()


def test_jpeg_loses_what_its_quality_says():
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 48, 3), dtype=np.uint8)

    lost = np.abs(change(noise, jpeg=1.0).astype(int) - noise).mean(axis=(1, 2, 3))

    # Colours are stored at half the resolution, so noise loses much at every quality.
    assert 20 < lost.min() < lost.max() < 60
    assert np.abs(change(FLAT, jpeg=1.0).astype(int) - 180).max() <= 2


def test_artefacts_cover_a_small_part_of_an_image():
    changed = change(FLAT, artefacts=1.0)

    covered = (changed != FLAT).any(axis=3).mean(axis=(1, 2))
    assert (covered > 0).all()
    assert covered.mean() < 0.4
    assert len({image.tobytes() for image in changed}) == 60


def test_blur_removes_contrast_and_keeps_the_mean():
    halves = np.zeros((40, 64, 64, 3), dtype=np.uint8)
    halves[:, :, 32:] = 200

    changed = change(halves, blur=0.05).astype(int)

    # The step from one column to the next is steepest without blur.
    steps = np.diff(changed[:, 32, :, 0], axis=1).max(axis=1)
    assert 20 < steps.min() < 60
    assert steps.max() > 150
    assert np.abs(changed.mean(axis=(1, 2, 3)) - 100).max() < 1
