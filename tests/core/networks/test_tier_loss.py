"""The loss of labels of a risk tier."""

import numpy as np
import pytest
from scipy.special import softmax

pytestmark = pytest.mark.tensorflow

from melanoma_core.training.recipe import Loss, Recipe  # noqa: E402

LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0]], dtype=np.float32)
PROBABILITIES = softmax(LOGITS, axis=1)
BENIGN = ((1, 2),)


def compute(recipe: Recipe, targets: list[list[float]]) -> float:
    from melanoma_core.networks.tier_loss import TierLoss

    return float(TierLoss(recipe, BENIGN)(np.array(targets, dtype=np.float32), LOGITS))


def test_a_tier_is_learned_by_the_sum_of_its_probabilities():
    recipe = Recipe(name="plain", label_smoothing=0.0)

    loss = compute(recipe, [[0, 0, 0, 1], [0, 0, 0, 1]])

    assert loss == pytest.approx(-np.log(PROBABILITIES[:, 1:].sum(axis=1)).mean(), rel=1e-5)


@pytest.mark.parametrize("loss", [Loss.CROSS_ENTROPY, Loss.FOCAL])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_a_tier_it_is_the_loss_of_keras(loss: Loss, smoothing: float):
    from melanoma_core.networks.network import make_loss

    recipe = Recipe(name="plain", loss=loss, label_smoothing=smoothing)
    targets = np.array([[1, 0, 0], [0.25, 0, 0.75]], dtype=np.float32)

    expected = float(make_loss(recipe)(targets, LOGITS))

    assert compute(recipe, [[1, 0, 0, 0], [0.25, 0, 0.75, 0]]) == pytest.approx(expected, rel=1e-4)


def test_a_blend_of_a_diagnosis_and_a_tier_costs_as_much_as_each_in_its_share():
    recipe = Recipe(name="plain", label_smoothing=0.0)
    own = compute(recipe, [[1, 0, 0, 0], [1, 0, 0, 0]])
    tier = compute(recipe, [[0, 0, 0, 1], [0, 0, 0, 1]])

    blend = compute(recipe, [[0.3, 0, 0, 0.7], [0.3, 0, 0, 0.7]])

    assert blend == pytest.approx(0.3 * own + 0.7 * tier, rel=1e-5)


def test_a_gradient_leaves_the_shares_within_the_tier_as_they_are():
    import tensorflow as tf

    from melanoma_core.networks.tier_loss import TierLoss

    logits = tf.Variable(LOGITS[:1])
    with tf.GradientTape() as tape:
        loss = TierLoss(Recipe(name="plain", label_smoothing=0.0), BENIGN)(
            np.array([[0, 0, 0, 1]], dtype=np.float32), logits
        )
    gradient = tape.gradient(loss, logits).numpy()[0]

    # The probabilities, less those given the tier.
    given = np.array([0, *PROBABILITIES[0, 1:]]) / PROBABILITIES[0, 1:].sum()
    np.testing.assert_allclose(gradient, PROBABILITIES[0] - given, rtol=1e-5)
