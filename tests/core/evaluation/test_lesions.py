import math

import numpy as np
import pytest

from melanoma_core.evaluation.lesions import combine_photographs, measure_lesions
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import DecisionRules

# Melanoma "a" in two photographs that disagree, nevus "b" in two that agree, BCC "c" in one.
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7]]
)
LABELS = np.array([0, 0, 1, 1, 2])
LESIONS = np.array(["a", "a", "b", "b", "c"])
RULES = DecisionRules(("MEL", "NV", "BCC"), 0, threshold=0.4, skin_cancer_threshold=0.5)


def measure(rules: DecisionRules = RULES, **fields):
    predictions = LabelledPredictions(PROBABILITIES, LABELS, LESIONS, **fields)
    return measure_lesions(resample_lesions(LESIONS, 100), predictions, rules)


def test_a_lesion_without_a_second_photograph_cannot_disagree():
    predictions = LabelledPredictions(PROBABILITIES, LABELS, np.arange(5))
    figure = measure_lesions(resample_lesions(np.arange(5), 10), predictions, RULES)[
        "lesion_alerts_differ"
    ]
    assert math.isnan(figure.value)
    assert figure.total == 0


def test_alerts_differ_in_one_of_two_lesions_with_several_photographs():
    figure = measure()["lesion_alerts_differ"]
    assert (figure.value, figure.count, figure.total) == (0.5, 1, 2)


def test_a_lesion_counts_once_with_the_mean_of_its_logits():
    figures = measure()

    # Melanoma "a": the roots of 0.16, 0.07 and 0.01.
    roots = np.sqrt([0.16, 0.07, 0.01])
    predictions = LabelledPredictions(PROBABILITIES, LABELS, LESIONS)
    combined = combine_photographs(predictions, 1.0).predictions
    np.testing.assert_allclose(combined.probabilities[0], roots / roots.sum())
    assert combined.labels.tolist() == [0, 1, 2]
    assert (figures["lesion_sensitivity"].count, figures["lesion_sensitivity"].total) == (1, 1)
    assert (figures["lesion_specificity"].count, figures["lesion_specificity"].total) == (2, 2)
    assert figures["lesion_melanoma_roc_auc"].value == 1
    assert figures["lesion_melanoma_roc_auc"].total == 3
    assert figures["lesion_skin_cancer_roc_auc"].value == 1
    assert figures["lesion_skin_cancer_sensitivity"].value == 1
    assert figures["lesion_skin_cancer_specificity"].value == 1


def test_the_temperature_of_lesions_is_applied():
    # Almost even, so that no probability reaches 0.4.
    figures = measure(DecisionRules(RULES.class_names, 0, threshold=0.4, lesion_temperature=50.0))
    assert figures["lesion_sensitivity"].value == 0
    assert "lesion_skin_cancer_sensitivity" not in figures


def test_the_lesion_of_a_single_photograph_keeps_its_probabilities_to_the_last_bit():
    predictions = LabelledPredictions(PROBABILITIES, LABELS, LESIONS)
    combined = combine_photographs(predictions, 2.0).predictions
    assert combined.probabilities[2].tolist() == PROBABILITIES[4].tolist()


def test_lesions_of_one_group_are_combined_apart():
    # One patient, so that all are resampled together, with a name for each lesion.
    predictions = LabelledPredictions(PROBABILITIES, LABELS, np.zeros(5, int), lesions=LESIONS)
    combined = combine_photographs(predictions, 1.0)
    assert combined.predictions.lesion_ids.tolist() == [0, 0, 0]
    assert combined.lesion.tolist() == [0, 0, 1, 1, 2]
    assert predictions.select(LABELS == 1).lesions.tolist() == ["b", "b"]


def test_photographs_of_a_lesion_under_two_labels_are_two_lesions():
    labels = np.array([0, 1, 1, 1, 2])
    combined = combine_photographs(LabelledPredictions(PROBABILITIES, labels, LESIONS), 1.0)
    assert combined.predictions.labels.tolist() == [0, 1, 1, 2]


def test_the_interval_resamples_the_lesions_of_the_photographs():
    generator = np.random.default_rng(0)
    lesions = np.repeat(np.arange(100), 2)
    labels = np.repeat(generator.integers(0, 2, 100), 2)
    raised = generator.uniform(size=200)
    predictions = LabelledPredictions(np.stack([raised, 1 - raised], 1), labels, lesions)
    rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
    figure = measure_lesions(resample_lesions(lesions), predictions, rules)["lesion_alerts_differ"]
    # The normal interval of half of 100 lesions is 0.1 on either side.
    assert figure.total == 100
    assert figure.high - figure.low == pytest.approx(0.2, abs=0.02)
