from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from melanoma_core.networks.network import make_loss, make_optimizer
from melanoma_core.training.recipe import Loss, Recipe

LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]], dtype=np.float32)
TARGETS = np.eye(3, dtype=np.float32)[[0, 2]]
PLAIN = Recipe(name="x", label_smoothing=0.0)


def measure(recipe: Recipe, weights: np.ndarray | None = None) -> float:
    loss = make_loss(recipe)(TARGETS, LOGITS, sample_weight=weights)
    return float(keras.ops.convert_to_numpy(loss))


def test_cross_entropy_is_the_mean_negative_log_probability():
    expected = -(log_softmax(LOGITS, axis=1) * TARGETS).sum(axis=1).mean()

    assert measure(PLAIN) == pytest.approx(expected, rel=1e-5)


def test_smoothing_spreads_its_share_over_all_classes():
    smoothed = TARGETS * 0.9 + 0.1 / 3
    expected = -(log_softmax(LOGITS, axis=1) * smoothed).sum(axis=1).mean()

    assert measure(replace(PLAIN, label_smoothing=0.1)) == pytest.approx(expected, rel=1e-5)


def test_the_focal_loss_counts_an_image_less_the_surer_it_is():
    log_probability = (log_softmax(LOGITS, axis=1) * TARGETS).sum(axis=1)
    expected = -((1 - np.exp(log_probability)) ** 2 * log_probability).mean()

    assert measure(replace(PLAIN, loss=Loss.FOCAL)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_focal_loss_of_gamma_zero_is_the_cross_entropy(smoothing: float):
    recipe = replace(PLAIN, label_smoothing=smoothing)
    focal = replace(recipe, loss=Loss.FOCAL, focal_gamma=0.0)

    assert measure(focal) == pytest.approx(measure(recipe), rel=1e-5)


@pytest.mark.parametrize("loss", Loss)
def test_an_image_of_weight_two_counts_as_two(loss: Loss):
    recipe = replace(PLAIN, loss=loss)
    first, second = (measure(recipe, weights) for weights in np.eye(2, dtype=np.float32))

    weighed = measure(recipe, np.array([2, 1], dtype=np.float32))

    assert weighed == pytest.approx(2 * first + second, rel=1e-5)


def test_no_weight_decay_makes_it_adam():
    assert type(make_optimizer(replace(PLAIN, weight_decay=0.0))) is keras.optimizers.Adam
    optimizer = make_optimizer(replace(PLAIN, weight_decay=0.02))
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert optimizer.weight_decay == 0.02
