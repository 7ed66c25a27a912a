"""How often each image is drawn, by class and source, and how the bias undoes it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from melanoma_core.training.draw import (
    compute_bias_correction,
    compute_draw_probabilities,
    compute_loss_shares,
)
from melanoma_core.training.recipe import Recipe

PLAIN = Recipe(name="plain", class_balance=0.0)
LABELS = np.array([0, 1, 1, 1, 7, 7])
# Two collections: "a" has 1 melanoma among 4 lesions, "b" has 12 among 16.
CLASSES = np.array([0] * 1 + [1] * 3 + [0] * 12 + [1] * 4)
SOURCES = np.array(["a"] * 4 + ["b"] * 16)


def draw_cells(recipe: Recipe, labels: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the share of the draw by source (rows) and class (columns)."""
    chances = compute_draw_probabilities(labels, recipe, sources)
    return np.array(
        [
            [chances[(sources == source) & (labels == label)].sum() for label in np.unique(labels)]
            for source in np.unique(sources)
        ]
    )


def measure_log_odds_ratio(cells: np.ndarray) -> float:
    return float(np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])))


def test_one_image_is_always_drawn():
    recipe = replace(PLAIN, class_balance=1.0, source_balance=1.0)

    assert compute_draw_probabilities(np.array([3]), recipe, np.array(["a"])).tolist() == [1.0]


def test_without_balance_all_images_are_equally_likely():
    np.testing.assert_allclose(compute_draw_probabilities(LABELS, PLAIN), [1 / 6] * 6)


def test_with_full_balance_all_classes_are_equally_likely():
    weights = compute_draw_probabilities(LABELS, replace(PLAIN, class_balance=1.0))

    np.testing.assert_allclose(weights, [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 6, 1 / 6])


def test_with_half_balance_a_class_of_four_times_the_images_is_drawn_twice_as_often():
    recipe = replace(PLAIN, class_balance=0.5)

    weights = compute_draw_probabilities(np.array([0, 1, 1, 1, 1]), recipe)

    np.testing.assert_allclose(weights, [1 / 3] + [1 / 6] * 4)


def test_one_source_is_drawn_as_without_sources():
    balanced = replace(PLAIN, class_balance=0.5, source_balance=1.0)

    np.testing.assert_allclose(
        compute_draw_probabilities(CLASSES, balanced, np.full(20, "a")),
        compute_draw_probabilities(CLASSES, replace(balanced, source_balance=0.0)),
    )


def test_without_source_balance_each_source_keeps_its_class_mix():
    cells = draw_cells(PLAIN, CLASSES, SOURCES)

    np.testing.assert_allclose(cells, [[1 / 20, 3 / 20], [12 / 20, 4 / 20]])


def test_full_source_balance_draws_source_and_class_independently():
    cells = draw_cells(replace(PLAIN, source_balance=1.0), CLASSES, SOURCES)

    # 13 of 20 are melanomas, and 4 of 20 are of source "a".
    np.testing.assert_allclose(cells, np.outer([0.2, 0.8], [0.65, 0.35]))


def test_source_balance_scales_the_log_odds_ratio_of_source_and_class():
    cells = draw_cells(replace(PLAIN, source_balance=0.75), CLASSES, SOURCES)

    assert measure_log_odds_ratio(cells) == pytest.approx(0.25 * np.log(1 * 4 / (3 * 12)))
    np.testing.assert_allclose(cells.sum(axis=0), [0.65, 0.35])


def test_source_balance_leaves_the_class_frequencies_to_class_balance():
    recipe = replace(PLAIN, class_balance=0.5, source_balance=1.0)

    of_class = draw_cells(recipe, CLASSES, SOURCES).sum(axis=0)

    np.testing.assert_allclose(of_class, np.sqrt([13, 7]) / np.sqrt([13, 7]).sum())


def test_a_class_that_a_source_lacks_comes_from_the_others():
    labels, sources = np.array([0, 0, 0, 1]), np.array(["a", "a", "b", "b"])

    cells = draw_cells(replace(PLAIN, source_balance=1.0), labels, sources)

    np.testing.assert_allclose(cells, [[0.375, 0.0], [0.375, 0.25]])


def test_no_image_is_drawn_more_than_five_times_as_often_as_its_class_on_average():
    # One melanoma in a collection of 1,000 nevi; 999 melanomas in a collection of their own.
    labels = np.array([0] + [1] * 1000 + [0] * 999)
    sources = np.array(["a"] * 1001 + ["b"] * 999)

    chances = compute_draw_probabilities(labels, replace(PLAIN, source_balance=1.0), sources)

    assert chances[0] == pytest.approx(5 / 2000)
    assert chances[labels == 0].sum() == pytest.approx(0.5)


def test_the_bias_correction_undoes_what_source_and_class_balance_changed():
    recipe = replace(PLAIN, class_balance=1.0, source_balance=1.0)
    names = ("MEL", "NV", "BCC")
    train = pd.DataFrame({"label": np.array(names)[CLASSES], "source": SOURCES})

    correction = compute_bias_correction(recipe, train, names)

    shares = compute_loss_shares(CLASSES, recipe, SOURCES)
    np.testing.assert_allclose(np.bincount(CLASSES, shares), [0.5, 0.5])
    np.testing.assert_allclose(correction, [np.log(0.65 / 0.5), np.log(0.35 / 0.5), 0], rtol=1e-6)


def test_an_image_of_a_tier_counts_for_the_diagnoses_of_the_tier():
    names = ("MEL", "NV", "DF")
    labels = ["MEL"] * 2 + ["NV"] * 3 + ["DF"] * 1 + ["benign"] * 4
    train = pd.DataFrame({"label": labels})

    correction = compute_bias_correction(PLAIN, train, names)

    # In the loss 2, 3 + 4 × 3/4 and 1 + 4 × 1/4 of 10; in the data 2, 3 and 1 of 6.
    expected = np.log(np.array([2, 3, 1]) / 6 / (np.array([2, 6, 2]) / 10))
    np.testing.assert_allclose(correction, expected, rtol=1e-6)
