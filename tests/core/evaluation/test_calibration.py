import numpy as np
import pytest
from scipy.special import softmax

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.calibration import choose_threshold, fit_temperature


def draw_labels(logits: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw labels from the softmax of the logits, so that these are calibrated."""
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    return (np.random.default_rng(seed).random((len(logits), 1)) > cumulative).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_distorted_the_logits_is_recovered(temperature: float):
    logits = np.random.default_rng(1).normal(scale=2, size=(5_000, 8))
    labels = draw_labels(logits)

    found = fit_temperature((logits * temperature).astype(np.float32), labels)

    assert found == pytest.approx(temperature, rel=0.04)


def test_the_temperature_of_two_logits_is_that_of_the_observed_odds():
    # Always 4 for class 0, right in 3 of 4: odds 3 = exp(4 / T), so T = 4 / ln 3.
    found = fit_temperature(np.tile([4.0, 0.0], (4, 1)), np.array([0, 0, 0, 1]))

    assert found == pytest.approx(4 / np.log(3), rel=1e-4)


def test_a_network_that_is_always_right_gets_the_lowest_temperature_allowed():
    found = fit_temperature(np.eye(3), np.arange(3))

    assert 0.05 <= found < 0.1


def test_a_network_that_is_always_wrong_gets_the_highest_temperature_allowed():
    found = fit_temperature(np.eye(2), np.array([1, 0]))

    assert 19.9 < found <= 20


def test_huge_logits_do_not_overflow():
    found = fit_temperature(np.tile([1e4, 0.0], (4, 1)), np.array([0, 0, 0, 1]))

    assert 19.9 < found <= 20


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (np.empty((0, 8)), np.empty(0, dtype=int)),
        (np.zeros(8), np.array([0])),
        (np.zeros((2, 8)), np.array([0])),
        (np.zeros((1, 8)), np.array([8])),
        (np.zeros((1, 8)), np.array([-1])),
        (np.full((1, 8), np.nan), np.array([0])),
    ],
    ids=["no-image", "one-axis", "lengths", "label-above", "label-below", "nan"],
)
def test_logits_and_labels_that_do_not_fit_are_refused(logits: np.ndarray, labels: np.ndarray):
    with pytest.raises(ValueError, match="must be"):
        fit_temperature(logits, labels)


def test_without_melanoma_the_error_says_what_to_do():
    with pytest.raises(DatasetError, match=r"no melanoma among 2 validation images.*Add melanomas"):
        choose_threshold(np.array([0.1, 0.2]), np.array([False, False]), 0.95)


# Melanomas at 0.9, 0.8, 0.6, 0.3; others above, between and below them.
PROBABILITIES = np.array([0.9, 0.8, 0.6, 0.3, 0.95, 0.7, 0.1])
IS_MELANOMA = np.array([True, True, True, True, False, False, False])


@pytest.mark.parametrize(
    ("sensitivity", "threshold"),
    [(0.01, 0.9), (0.25, 0.9), (0.26, 0.8), (0.5, 0.8), (0.75, 0.6), (0.76, 0.3), (1.0, 0.3)],
)
def test_the_threshold_is_the_largest_that_reaches_the_sensitivity(
    sensitivity: float, threshold: float
):
    assert choose_threshold(PROBABILITIES, IS_MELANOMA, sensitivity) == threshold


def test_a_threshold_one_step_higher_misses_the_sensitivity():
    generator = np.random.default_rng(0)
    is_melanoma = generator.random(500) < 0.2
    probabilities = generator.beta(np.where(is_melanoma, 4, 1), 3)

    threshold = choose_threshold(probabilities, is_melanoma, 0.95)

    assert 0 < threshold < 1
    assert (probabilities[is_melanoma] >= threshold).mean() >= 0.95
    assert (probabilities[is_melanoma] >= np.nextafter(threshold, 1)).mean() < 0.95


def test_melanomas_with_the_same_probability_share_their_alert():
    probabilities = np.array([0.9, 0.4, 0.4, 0.4, 0.4])

    assert choose_threshold(probabilities, np.full(5, True), 0.5) == 0.4


def test_rounding_never_requires_one_melanoma_too_many():
    probabilities = np.linspace(1, 0.01, 100)

    thresholds = [
        choose_threshold(probabilities, np.full(100, True), needed / 100)
        for needed in range(1, 101)
    ]

    np.testing.assert_array_equal(thresholds, probabilities)


def test_a_threshold_from_float32_still_raises_the_alert_of_its_melanoma():
    probabilities = np.array([0.1, 0.7], dtype=np.float32)

    threshold = choose_threshold(probabilities, np.array([True, True]), 1.0)

    assert (probabilities.astype(np.float64) >= threshold).all()


@pytest.mark.parametrize("sensitivity", [0.0, 1.01, np.nan])
def test_an_impossible_sensitivity_is_refused(sensitivity: float):
    with pytest.raises(ValueError, match="sensitivity is"):
        choose_threshold(PROBABILITIES, IS_MELANOMA, sensitivity)


@pytest.mark.parametrize("probabilities", [[0.5], [[0.5, 0.5]], [0.5, np.nan], [0.5, 1.1]])
def test_probabilities_that_do_not_fit_are_refused(probabilities: list[float]):
    with pytest.raises(ValueError, match="must"):
        choose_threshold(np.array(probabilities), np.array([True, False]), 0.95)
