import math

import numpy as np
import pytest
from scipy.special import expit, logit

from melanoma_core.evaluation.alerts import (
    benefit_of_all,
    measure_alerts,
    measure_net_benefit,
    predict_values,
)
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import measure_share, resample_lesions


def share(hits: int, total: int) -> Figure:
    resamples = resample_lesions(np.arange(total), 1000, seed=0)
    return measure_share(resamples, np.arange(total) < hits, np.ones(total, dtype=bool))


def certain(value: float) -> Figure:
    return Figure(value, value, value, None, 100, 100)


def test_the_predictive_value_is_that_of_eddys_mammography():
    # Eddy, "Probabilistic reasoning in clinical medicine" (1982): of women with a 1% risk, 79.2%
    # of cancers and 9.6% of others are found suspicious: a positive mammogram means 7.7%.
    values = predict_values(certain(0.792), certain(1 - 0.096), 0.01)
    assert values.ppv.value == pytest.approx(0.077, abs=5e-4)
    assert (values.ppv.low, values.ppv.high) == pytest.approx((values.ppv.value,) * 2)
    assert values.alert_rate.value == pytest.approx(0.01 * 0.792 + 0.99 * 0.096)
    assert values.npv.value == pytest.approx(0.99 * 0.904 / (0.99 * 0.904 + 0.01 * 0.208))


def test_at_the_measured_prevalence_the_predictive_values_are_the_counted_ones():
    alert, is_melanoma = np.arange(100) < 40, np.arange(100) % 5 == 0
    resamples = resample_lesions(np.arange(100), 1000, seed=0)
    counted = measure_alerts(resamples, alert, is_melanoma)
    values = predict_values(
        counted["sensitivity"], counted["specificity"], counted["prevalence"].value
    )
    assert values.ppv.value == pytest.approx(counted["ppv"].value)
    assert values.npv.value == pytest.approx(counted["npv"].value)
    assert values.alert_rate.value == pytest.approx(counted["alert_rate"].value)
    assert (counted["ppv"].count, counted["ppv"].total) == (8, 40)


def test_the_intervals_are_about_those_of_mercaldo():
    # Mercaldo, Lau and Zhou, "Confidence intervals for predictive values with an emphasis to
    # case-control studies" (2007): the logit interval, for shares of many.
    sensitivity, specificity = share(240, 300), share(400, 500)
    values = predict_values(sensitivity, specificity, 0.03)
    deviation = math.sqrt(0.2 / 0.8 / 300 + 0.8 / 0.2 / 500)
    middle = logit(values.ppv.value)
    assert values.ppv.low == pytest.approx(expit(middle - 1.96 * deviation), abs=0.004)
    assert values.ppv.high == pytest.approx(expit(middle + 1.96 * deviation), abs=0.004)


def test_the_intervals_contain_the_truth_in_19_of_20_samples():
    generator = np.random.default_rng(0)
    truth = predict_values(certain(0.9), certain(0.7), 0.05)
    contained = {"ppv": 0, "npv": 0, "alert_rate": 0}
    is_melanoma, resamples = np.arange(400) < 150, resample_lesions(np.arange(400), 200, seed=0)
    for _ in range(200):
        alert = generator.random(400) < np.where(is_melanoma, 0.9, 0.3)
        counted = measure_alerts(resamples, alert, is_melanoma)
        values = predict_values(counted["sensitivity"], counted["specificity"], 0.05)
        for name in contained:
            figure = getattr(values, name)
            contained[name] += figure.low <= getattr(truth, name).value <= figure.high
    for name, count in contained.items():
        assert 0.91 <= count / 200 <= 0.99, (name, contained)


def test_if_no_melanoma_was_missed_the_interval_still_shows_the_uncertainty():
    values = predict_values(share(20, 20), share(80, 100), 0.1)
    assert values.npv.value == 1
    assert 0.95 < values.npv.low < 0.99
    assert values.npv.high == 1


def test_without_an_alert_the_ppv_is_undefined():
    values = predict_values(share(0, 20), share(100, 100), 0.1)
    assert math.isnan(values.ppv.value)
    assert math.isnan(values.ppv.low)
    assert values.npv.value == pytest.approx(0.9)
    assert values.alert_rate.value == 0
    assert math.isnan(predict_values(certain(math.nan), certain(0.5), 0.1).ppv.value)


@pytest.mark.parametrize("prevalence", [0, 1, math.nan, -0.1])
def test_an_impossible_prevalence_is_refused(prevalence: float):
    with pytest.raises(ValueError, match="must be in"):
        predict_values(certain(0.9), certain(0.9), prevalence)


def test_the_net_benefit_is_that_of_vickers_and_elkin():
    # At 20% an unnecessary excision costs a quarter of the benefit of finding a melanoma.
    probability = np.array([0.9, 0.3, 0.2, 0.1, 0.25, 0.05, 0.0, 0.5, 0.1, 0.1])
    is_melanoma = np.array([True, True, False, True, False, False, False, False, False, False])
    resamples = resample_lesions(np.arange(10), 200, seed=0)
    curve = measure_net_benefit(resamples, probability, is_melanoma)
    assert len(curve.x) == 50
    assert curve.x[19] == 0.2
    assert curve.y[19] == pytest.approx(2 / 10 - 3 / 10 * 0.2 / 0.8)
    assert curve.low[19] < curve.y[19] < curve.high[19]


def test_excising_every_lesion_has_a_benefit_up_to_the_prevalence():
    probability, is_melanoma = np.ones(10), np.arange(10) < 3
    curve = measure_net_benefit(
        resample_lesions(np.arange(10), 50, seed=0), probability, is_melanoma
    )
    assert curve.y == pytest.approx([benefit_of_all(0.3, x) for x in curve.x])
    assert benefit_of_all(0.3, 0.3) == pytest.approx(0)
