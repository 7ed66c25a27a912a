"""Paired figures of photographs before and after they were altered."""

import math

import numpy as np
import pytest

from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.robustness import Outcomes, compare_outcomes, measure_warnings
from melanoma_core.evaluation.rules import DecisionRules

RULES = DecisionRules(("MEL", "NV", "BCC"), 0, threshold=0.5, skin_cancer_threshold=0.6)
LABELS = np.array([0, 0, 1, 1, 1, 2])
LESIONS = np.array([1, 1, 2, 3, 4, 5])


def say(melanoma: list[float], carcinoma: list[float], refused: list[int]) -> Outcomes:
    probabilities = np.array([(m, 1 - m - c, c) for m, c in zip(melanoma, carcinoma, strict=True)])
    return Outcomes(
        LabelledPredictions(probabilities, LABELS, LESIONS), np.isin(np.arange(6), refused)
    )


BEFORE = say([0.9, 0.4, 0.1, 0.2, 0.6, 0.1], [0, 0, 0, 0, 0, 0.8], [])
AFTER = say([0.9, 0.7, 0.6, 0.2, 0.6, 0.1], [0, 0, 0, 0.5, 0, 0.2], [2, 3])


def test_photographs_that_were_not_altered_change_nothing():
    figures = compare_outcomes(BEFORE, BEFORE, RULES)

    for name in ("false_alerts", "sensitivity", "refused"):
        change = figures[f"{name}_change"]
        assert change.value == 0
        assert math.isnan(change.low)  # all resamples are equal
        assert figures[name] == figures[f"{name}_before"]
    assert figures["melanoma_probability_change"].value == 0


def test_without_melanomas_their_sensitivity_is_undefined():
    outcomes = Outcomes(BEFORE.predictions.select(LABELS == 1), np.zeros(3, bool))
    figures = compare_outcomes(outcomes, outcomes, RULES)

    assert math.isnan(figures["sensitivity"].value)
    assert math.isnan(figures["sensitivity_change"].value)
    assert figures["sensitivity"].total == 0


@pytest.mark.parametrize(
    ("name", "before", "after", "total", "num_lesions"),
    [
        ("false_alerts", 1, 2, 4, 4),
        ("sensitivity", 1, 2, 2, 1),
        ("skin_cancer_false_alerts", 1, 3, 3, 3),
        ("skin_cancer_sensitivity", 2, 2, 3, 2),
        ("refused", 0, 2, 6, 5),
    ],
)
def test_alerts_and_refusals_are_counted_before_and_after(
    name: str, before: int, after: int, total: int, num_lesions: int
):
    figures = compare_outcomes(BEFORE, AFTER, RULES)
    change = figures[f"{name}_change"]

    assert (figures[f"{name}_before"].count, figures[name].count) == (before, after)
    assert figures[name].total == change.total == total
    assert figures[name].num_lesions == change.num_lesions == num_lesions
    assert change.value == pytest.approx((after - before) / total)


def test_a_difference_is_paired():
    figures = compare_outcomes(BEFORE, AFTER, RULES)
    change, after = figures["refused_change"], figures["refused"]

    # Nothing was refused before, so the difference varies as the share does.
    assert (change.low, change.high) == pytest.approx((after.low, after.high))


def test_probabilities_change_by_their_mean_absolute_difference():
    figures = compare_outcomes(BEFORE, AFTER, RULES)

    assert figures["melanoma_probability_change"].value == pytest.approx(0.8 / 6)
    assert figures["skin_cancer_probability_change"].value == pytest.approx(
        (0.3 + 0.5 + 0.5 + 0.6) / 6
    )


def test_a_model_without_a_skin_cancer_alert_has_no_figures_of_it():
    figures = compare_outcomes(BEFORE, AFTER, DecisionRules(("MEL", "NV", "BCC"), 0, 0.5))

    assert not any("skin_cancer" in name for name in figures)


def test_warnings_are_shares_of_altered_and_of_unaltered_photographs():
    before, after = np.array([True, False, False, False]), np.array([True, True, True, False])
    figures = measure_warnings(before, after, np.arange(4))

    assert (figures["warned"].value, figures["warned_before"].value) == (0.75, 0.25)
    assert measure_warnings(before[:0], after[:0], np.arange(0)) == {}
