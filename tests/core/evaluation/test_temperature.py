import subprocess
import sys

import numpy as np
import pytest
from scipy.special import softmax

from melanoma_core.evaluation.temperature import apply_temperature, combine_logits


def test_a_probability_of_zero_stays_zero():
    cooled = apply_temperature(np.array([0.0, 0.2, 0.8], dtype=np.float32), 2.0)

    # Square roots of 0.2 and 0.8 are as 1 to 2.
    np.testing.assert_allclose(cooled, [0.0, 1 / 3, 2 / 3], rtol=1e-6)
    assert cooled.dtype == np.float64


def test_a_probability_of_one_stays_one_at_any_temperature():
    for temperature in (1e-3, 1.0, 1e3):
        np.testing.assert_array_equal(apply_temperature(np.eye(3), temperature), np.eye(3))


def test_an_extreme_temperature_neither_overflows_nor_divides_by_zero():
    probabilities = np.array([1e-30, 0.4, 0.6])

    np.testing.assert_allclose(apply_temperature(probabilities, 1e-6), [0, 0, 1])
    np.testing.assert_allclose(apply_temperature(probabilities, 1e6), [1 / 3] * 3, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_the_result_equals_the_softmax_of_the_divided_logits(temperature: float):
    logits = np.random.default_rng(0).normal(scale=5, size=(50, 8))

    np.testing.assert_allclose(
        apply_temperature(softmax(logits, axis=1), temperature),
        softmax(logits / temperature, axis=1),
        rtol=1e-10,
    )


def test_the_result_for_one_image_does_not_depend_on_the_others():
    probabilities = np.array([[0.1, 0.9], [0.5, 0.5]])

    np.testing.assert_array_equal(
        apply_temperature(probabilities[0], 1.5), apply_temperature(probabilities, 1.5)[0]
    )


def test_no_images_give_no_probabilities():
    assert apply_temperature(np.empty((0, 8)), 1.5).shape == (0, 8)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_an_impossible_temperature_is_refused(temperature: float):
    with pytest.raises(ValueError, match="finite and above 0"):
        apply_temperature(np.array([0.5, 0.5]), temperature)


@pytest.mark.parametrize("probabilities", [[np.nan, 1], [np.inf, 1], [-0.1, 1.1], [0, 0]])
def test_an_invalid_probability_is_refused_rather_than_read_as_no_alert(probabilities: list[float]):
    with pytest.raises(ValueError, match="probabilities must be"):
        apply_temperature(np.array(probabilities, dtype=float), 1.0)


def test_what_a_reading_imports_of_evaluation_imports_neither_scipy_nor_scikit_learn():
    code = (
        "import sys, melanoma_core.models.card, melanoma_core.evaluation.temperature;"
        "print(sorted({'scipy', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_mean_of_the_logits_of_each_lesion_is_calibrated_at_once():
    logits = np.random.default_rng(0).normal(scale=3, size=(5, 8))
    lesions = np.array([0, 1, 0, 2, 1])

    means = np.stack([logits[lesions == lesion].mean(axis=0) for lesion in range(3)])

    np.testing.assert_allclose(
        combine_logits(softmax(logits, axis=1), 1.7, lesions),
        softmax(means / 1.7, axis=1),
        rtol=1e-10,
    )


def test_a_lesion_of_one_photograph_has_the_probabilities_of_the_photograph():
    probabilities = np.array([[0.7, 0.2, 0.1]])

    np.testing.assert_allclose(
        combine_logits(probabilities, 1.0, np.array([0])), probabilities, rtol=1e-12
    )


def test_a_probability_of_zero_does_not_silence_the_other_photographs():
    combined = combine_logits(np.array([[0.0, 1.0], [0.9, 0.1]]), 1.0, np.array([0, 0]))

    # The square roots of 1e-12 * 0.9 and of 0.1.
    assert combined[0, 0] == pytest.approx(3e-6, rel=1e-5)
