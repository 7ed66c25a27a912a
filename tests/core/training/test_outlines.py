"""Outlines move with their photographs, and only they teach the outline head."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.errors import RecipeError
from melanoma_core.training.augmentation import augment_outlined
from melanoma_core.training.batches import ImageFacts, TrainingBatches, disable_augmentation
from melanoma_core.training.outlines import MISSING, Outlines, load_outlines
from melanoma_core.training.recipe import Architecture, Recipe, make_recipe

RECIPE = Recipe(
    name="moved",
    image_size=64,
    rotation=180,
    zoom=0.4,
    shift=0.1,
    brightness=0,
    contrast=0,
    colour=0,
    batch_size=4,
    class_balance=0,
    outline_weight=1.0,
)


def draw_discs(side: int, centres: np.ndarray, radius: float) -> np.ndarray:
    """Return discs of 255 on 0, uint8 [N, side, side]; all lengths are shares of the side."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    inside = [np.hypot(x - left, y - top) <= radius for left, top in centres]
    return np.where(inside, np.uint8(255), np.uint8(0))


def find_centres(weights: np.ndarray) -> np.ndarray:
    """Return the centres of gravity, float [N, 2], in cells."""
    y, x = np.mgrid[: weights.shape[1], : weights.shape[2]] + 0.5
    total = weights.sum(axis=(1, 2), dtype=float)
    return np.stack([(weights * axis).sum(axis=(1, 2)) / total for axis in (x, y)], axis=1)


CENTRES = np.array([(0.5, 0.5), (0.4, 0.6), (0.65, 0.35), (0.55, 0.4)] * 8)


@pytest.mark.parametrize(
    "recipe", [RECIPE, replace(RECIPE, rotation=0, zoom=0, shift=0, mirror=True)]
)
def test_a_drawn_disc_stays_on_its_disc(recipe: Recipe):
    photographs = np.repeat(draw_discs(64, CENTRES, 0.2)[..., None], 3, axis=3)
    masks = draw_discs(32, CENTRES, 0.2)

    moved, moved_masks = augment_outlined(photographs, masks, recipe, np.random.default_rng(3))

    assert moved_masks is not None
    assert moved_masks.shape == (32, 32, 32)
    seen = np.asarray(moved)[..., 0].reshape(32, 32, 2, 32, 2).mean(axis=(2, 4))
    common = np.minimum(seen, moved_masks).sum(axis=(1, 2))
    dice = 2 * common / (seen.sum(axis=(1, 2)) + moved_masks.sum(axis=(1, 2)))
    assert dice.min() > 0.95
    np.testing.assert_allclose(find_centres(seen), find_centres(moved_masks), atol=0.1)  # cells
    assert np.ptp(find_centres(seen) / 32 - CENTRES) > 0.1  # they did move


def test_a_photograph_is_augmented_alike_with_and_without_its_mask():
    photographs = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    masks = np.zeros((5, 32, 32), np.uint8)

    alone, _ = augment_outlined(photographs, None, RECIPE, np.random.default_rng(1))
    together, _ = augment_outlined(photographs, masks, RECIPE, np.random.default_rng(1))

    np.testing.assert_array_equal(alone, together)


def test_photographs_without_an_outline_have_no_target():
    outlines = Outlines(np.full((1, 4, 4), 255, np.uint8), np.array([-1, 0, -1]))
    rows = np.array([0, 1])

    targets = outlines.make_targets(rows, outlines.select(rows))

    np.testing.assert_array_equal(targets, [np.full((2, 2), MISSING), np.ones((2, 2))])
    assert outlines.is_known.tolist() == [False, True, False]


def test_a_target_is_the_covered_share_of_each_cell():
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[0, :2, 0], mask[0, 2:, 2:] = 255, 255
    outlines = Outlines(mask, np.array([0]))
    rows = np.array([0])

    (target,) = outlines.make_targets(rows, outlines.select(rows))

    np.testing.assert_allclose(target, [[0.5, 0.0], [0.0, 1.0]])


def test_without_any_outline_every_target_is_missing():
    outlines = Outlines(np.empty((0, 4, 4), np.uint8), np.full(3, -1))
    rows = np.arange(3)

    assert (outlines.make_targets(rows, outlines.select(rows)) == MISSING).all()
    assert np.isnan(outlines.compare(np.ones((3, 2, 2), bool)))


def test_drawn_outlines_are_compared_where_there_is_a_manually_drawn_one():
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[0, :2] = 255
    outlines = Outlines(mask, np.array([-1, 0]))
    drawn = np.array([[[False, False], [False, False]], [[True, True], [True, True]]])

    assert outlines.compare(drawn) == pytest.approx(2 * 2 / (4 + 2))


def test_outlines_of_a_table_are_read_as_coverage(tmp_path: Path):
    (tmp_path / "masks").mkdir()
    inside = np.zeros((96, 128), np.uint8)
    inside[:, :64] = 255
    Image.fromarray(inside).save(tmp_path / "masks" / "b_segmentation.png")
    paths = [str(tmp_path / "images" / f"{name}.jpg") for name in "ab"]

    outlines = load_outlines(pd.DataFrame({"path": paths}, [7, 8]), RECIPE)

    assert outlines.positions.tolist() == [-1, 0]
    assert outlines.masks.shape == (1, 32, 32)
    np.testing.assert_array_equal(outlines.masks[0, :, 15:17], [[255, 0]] * 32)


def test_batches_have_the_targets_of_their_images():
    images = np.zeros((4, 64, 64, 3), np.uint8)
    masks = np.stack([np.full((32, 32), value, np.uint8) for value in (51, 255)])
    facts = ImageFacts(outlines=Outlines(masks, np.array([0, -1, 1, -1])))
    recipe = disable_augmentation(RECIPE)
    batches = TrainingBatches(images, np.arange(4), 4, recipe, facts)

    batch = batches[0]

    assert batch.outlines is not None
    assert batch.outlines.shape == (4, 16, 16)
    by_label = dict(zip(batch.targets.argmax(axis=1), batch.outlines[:, 3, 3], strict=True))
    assert by_label == {0: pytest.approx(0.2), 1: MISSING, 2: 1.0, 3: MISSING}
    assert TrainingBatches(images, np.arange(4), 4, recipe)[0].outlines is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["outline_pooling=1"], "Found outline_pooling=1.0. It must be 0 without outline_weight."),
        (["outline_weight=1", "mixup=0.2"], "blended photographs have no outline"),
        (["outline_weight=1", "image_size=180"], "be a multiple of 32"),
        (["outline_weight=1", f"architecture={Architecture.SMALL_CNN}", "head_epochs=0"], "CNN"),
    ],
)
def test_recipes_whose_outline_cannot_be_learned_are_refused(changes: list[str], message: str):
    with pytest.raises(RecipeError, match=message):
        make_recipe("transfer", changes)
