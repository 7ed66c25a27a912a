import math

import numpy as np
import pytest

from melanoma_core.evaluation.discrimination import measure_discrimination
from melanoma_core.evaluation.reliability import (
    measure_brier_score,
    measure_calibration,
    measure_calibration_error,
    measure_reliability,
)
from melanoma_core.evaluation.resampling import Resamples, resample_lesions
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_scores import (
    Score,
    ScoreQuality,
    compare_areas,
    measure_scores,
)
from melanoma_core.records.audit_table import Condition, make_table
from melanoma_core.records.patient_resampling import resample_patients
from tests.drawn_audit import draw_cases, make_case


def measure(cases: list[AuditCase]) -> dict[Score, ScoreQuality]:
    found = measure_scores(make_table(cases), num_resamples=100)
    return {each.score: each for each in found}


def test_no_case_has_no_score() -> None:
    assert measure([]) == {}
    assert math.isnan(compare_areas(make_table([])).value)


def test_a_probability_that_no_lesion_has_is_left_out() -> None:
    assert list(measure([make_case("MEL", 0, doctor_probability=None)])) == [
        Score.NETWORK,
        Score.NETWORK_SKIN_CANCER,
    ]


def test_without_a_melanoma_the_roc_curve_is_undefined_and_calibration_is_not() -> None:
    quality = measure([make_case("NV", n) for n in range(40)])[Score.DOCTOR]
    assert math.isnan(quality.roc_auc.value)
    assert quality.roc.x == ()
    assert quality.calibration_error.value == pytest.approx(0.1)
    assert quality.brier_score.value == pytest.approx(0.01)
    assert quality.too_few == "Too few to say: 0 patients with a melanoma; 30 are needed"


def test_values_by_hand() -> None:
    cases = [
        make_case("MEL", 0, doctor_probability=0.9),
        make_case("MEL", 1, doctor_probability=0.5),
        make_case("NV", 2, doctor_probability=0.5),
        make_case("NV", 3, doctor_probability=0.1),
    ]
    quality = measure(cases)[Score.DOCTOR]
    assert quality.roc_auc.value == 7 / 8  # of four pairs, one is a tie
    assert quality.brier_score.value == pytest.approx((0.01 + 0.25 + 0.25 + 0.01) / 4)
    assert (quality.num_lesions, quality.num_positives) == (4, 2)


def test_a_probability_given_after_seeing_the_network_does_not_count() -> None:
    cases = [make_case("MEL", n, is_blind=False) for n in range(3)]
    assert Score.DOCTOR not in measure(cases)


def test_the_skin_cancer_score_is_judged_by_skin_cancers() -> None:
    cases = [make_case("BCC", 0), make_case("NV", 1)]
    quality = measure(cases)[Score.NETWORK_SKIN_CANCER]
    assert (quality.condition, quality.roc_auc.value) == (Condition.SKIN_CANCER, 1.0)


def test_the_statistics_are_those_of_evaluation() -> None:
    table = make_table(draw_cases(200))
    network = {each.score: each for each in measure_scores(table)}[Score.NETWORK]
    score = np.array([case.melanoma_probability for case in table.cases])
    is_melanoma = table.find_positives(Condition.MELANOMA)
    resamples = resample_lesions(table.patient)
    expected = measure_discrimination(resamples, score, is_melanoma)
    assert network.roc_auc.value == expected.roc_auc.value
    assert network.roc.y == expected.roc.y
    assert (network.roc_auc.low, network.roc_auc.high) == pytest.approx(
        (expected.roc_auc.low, expected.roc_auc.high), abs=0.01
    )
    error = measure_calibration_error(resamples, score, is_melanoma)
    assert network.calibration_error.value == pytest.approx(error.value)
    assert sum(each.observed.total for each in network.calibration) == len(table.cases)


def test_areas_are_compared_on_lesions_with_both_probabilities() -> None:
    cases = [
        make_case("MEL", 0, doctor_probability=0.1, melanoma_probability=0.9),
        make_case("NV", 1, doctor_probability=0.5, melanoma_probability=0.2),
        make_case("NV", 2, doctor_probability=None),
    ]
    difference = compare_areas(make_table(cases), num_resamples=50)
    assert (difference.value, difference.total) == (1.0, 2)


@pytest.mark.parametrize("bins", [1, 2, 1000])
def test_one_pass_equals_the_three_functions_of_evaluation(bins: int) -> None:
    table = make_table(draw_cases(60))
    drawn = np.array([case.melanoma_probability for case in table.cases])
    probability = np.round(drawn * bins) / bins  # many equal ones leave bins empty
    is_melanoma = table.find_positives(Condition.MELANOMA)
    resamples = resample_patients(table.patient, 200)
    found = measure_reliability(resamples, probability, is_melanoma)
    one_by_one = (resamples, probability, is_melanoma)
    assert found.calibration == measure_calibration(*one_by_one)
    for figure, expected in (
        (found.calibration_error, measure_calibration_error(*one_by_one)),
        (found.brier_score, measure_brier_score(*one_by_one)),
    ):
        bounds = figure.value, figure.low, figure.high
        assert bounds == pytest.approx((expected.value, expected.low, expected.high), 1e-12)
        assert (figure.total, figure.num_lesions) == (expected.total, expected.num_lesions)


def test_resamples_in_little_memory_sum_as_those_of_evaluation() -> None:
    table = make_table(draw_cases(60))
    resamples = resample_patients(table.patient, 200)
    plain = Resamples(resamples.lesion, resamples.weights.astype(np.float64))
    rows = np.stack([table.find_positives(each) for each in Condition])
    assert (resamples.sum(rows) == plain.sum(rows)).all()
    assert (resamples.sum(rows[0]) == plain.sum(rows[0])).all()
