import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from melanoma_core.evaluation.reliability import measure_brier_score, measure_calibration
from melanoma_core.evaluation.resampling import resample_lesions


def test_the_brier_score_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    probability = generator.random(300)
    is_event = generator.random(300) < probability
    figure = measure_brier_score(
        resample_lesions(np.arange(300), 200, seed=0), probability, is_event
    )
    assert figure.value == pytest.approx(brier_score_loss(is_event, probability))
    assert figure.low < figure.value < figure.high


def test_a_constant_probability_of_one_half_scores_a_quarter():
    resamples = resample_lesions(np.arange(4), 50, seed=0)
    is_event = np.array([True, False, True, False])
    assert measure_brier_score(resamples, np.full(4, 0.5), is_event).value == 0.25


def test_the_calibration_curve_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    probability = generator.beta(1, 4, size=1000)
    is_event = generator.random(1000) < probability**1.5
    bins = measure_calibration(
        resample_lesions(np.arange(1000), 100, seed=0), probability, is_event
    )
    observed, predicted = calibration_curve(is_event, probability, n_bins=10, strategy="quantile")
    assert [each.observed.value for each in bins] == pytest.approx(observed)
    assert [each.predicted for each in bins] == pytest.approx(predicted)
    assert {each.observed.total for each in bins} == {100}


def test_equal_probabilities_share_a_bin():
    resamples = resample_lesions(np.arange(10), 50, seed=0)
    (only,) = measure_calibration(resamples, np.full(10, 0.3), np.arange(10) < 3)
    assert only.predicted == pytest.approx(0.3)
    assert (only.observed.count, only.observed.total) == (3, 10)
