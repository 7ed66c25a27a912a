"""Metrics where only the risk tier of some images is known."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from melanoma_core.evaluation.conformal import measure_sets
from melanoma_core.evaluation.flow import measure_flow
from melanoma_core.evaluation.metrics import compare, evaluate, evaluate_fully
from melanoma_core.evaluation.predictions import TIER_LABELS, LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds, DecisionRules
from melanoma_core.taxonomy import RiskTier

MALIGNANT, BENIGN = TIER_LABELS[RiskTier.MALIGNANT], TIER_LABELS[RiskTier.BENIGN]
PREMALIGNANT = TIER_LABELS[RiskTier.PREMALIGNANT]
RULES = DecisionRules(("MEL", "NV", "BCC"), 0, threshold=0.4, skin_cancer_threshold=0.5)
PROBABILITIES = np.array(
    [
        [0.7, 0.2, 0.1],  # MEL
        [0.1, 0.8, 0.1],  # NV
        [0.2, 0.3, 0.5],  # malignant
        [0.3, 0.6, 0.1],  # malignant
        [0.5, 0.4, 0.1],  # benign
        [0.1, 0.9, 0.0],  # benign
        [0.2, 0.5, 0.3],  # premalignant
    ]
)
LABELS = np.array([0, 1, MALIGNANT, MALIGNANT, BENIGN, BENIGN, PREMALIGNANT])
SEX = pd.DataFrame({"sex": ["male"] * 3 + ["female"] * 4})
MIXED = LabelledPredictions(PROBABILITIES, LABELS, np.arange(7), SEX)
TWO_CLASSES = MIXED.select(np.isin(LABELS, (MALIGNANT, BENIGN)))


def test_of_malignant_lesions_alone_it_is_not_known_whether_they_are_melanomas():
    assert MIXED.is_known("MEL").tolist() == [True, True, False, False, True, True, True]
    assert MIXED.is_known("NV").tolist() == [True, True, True, True, False, False, True]
    assert MIXED.is_known("AK").tolist() == [True] * 6 + [False]
    assert MIXED.is_skin_cancer(RULES).tolist() == [True, False, True, True, False, False, False]


def test_every_image_counts_for_skin_cancer_and_benign_ones_count_as_no_melanoma():
    figures = evaluate(MIXED, RULES)

    is_cancer = np.array([1, 0, 1, 1, 0, 0, 0])
    assert figures["skin_cancer_roc_auc"].value == pytest.approx(
        roc_auc_score(is_cancer, PROBABILITIES[:, 0] + PROBABILITIES[:, 2])
    )
    assert figures["skin_cancer_roc_auc"].total == 7
    counts = {
        name: (figures[name].count, figures[name].total)
        for name in (
            *("sensitivity", "specificity", "skin_cancer_sensitivity", "skin_cancer_specificity"),
            *("accuracy", "recall_MEL", "recall_NV", "recall_BCC"),
        )
    }
    assert counts == {
        "sensitivity": (1, 1),
        "specificity": (3, 4),  # the malignant ones are no part of it
        "skin_cancer_sensitivity": (2, 3),
        "skin_cancer_specificity": (2, 4),
        "accuracy": (2, 2),
        "recall_MEL": (1, 1),
        "recall_NV": (1, 1),
        "recall_BCC": (0, 0),
    }
    assert (figures["melanoma_roc_auc"].value, figures["melanoma_roc_auc"].total) == (1.0, 5)
    assert figures["balanced_accuracy"].total == 2


def test_the_metrics_of_diagnoses_are_those_without_the_tiers():
    diagnosed = evaluate_fully(MIXED.select(MIXED.is_diagnosed), RULES)
    both = evaluate_fully(MIXED, RULES)

    for name in ("accuracy", "balanced_accuracy", "recall_MEL", "recall_NV"):
        assert both.figures[name].value == diagnosed.figures[name].value
    assert both.confusion == diagnosed.confusion == ((1, 0, 0), (0, 1, 0), (0, 0, 0))
    assert (both.tiers, diagnosed.tiers) == (
        {"malignant": 2, "premalignant": 1, "benign": 2},
        {},
    )
    # Nevus against the rest: the malignant and the premalignant ones are certainly none.
    assert both.figures["roc_auc_NV"].total == 5
    assert both.figures["roc_auc_NV"].value == 1.0


def test_two_classes_answer_no_question_about_diagnoses_or_the_frequency_of_melanoma():
    evaluation = evaluate_fully(TWO_CLASSES, RULES)
    figures = evaluation.figures

    undefined = {name for name, figure in figures.items() if math.isnan(figure.value)}
    assert undefined == {
        *("accuracy", "balanced_accuracy", "melanoma_roc_auc", "sensitivity"),
        *("ppv", "npv", "alert_rate", "prevalence", "calibration_error", "brier_score"),
        *("lesion_melanoma_roc_auc", "lesion_sensitivity", "melanoma_average_precision"),
        "lesion_alerts_differ",
        *(
            f"{kind}_{name}"
            for kind in ("recall", "roc_auc", "average_precision")
            for name in RULES.class_names
        ),
        *(f"precision_{name}" for name in RULES.class_names),
    }
    assert (figures["specificity"].count, figures["specificity"].total) == (1, 2)
    assert figures["skin_cancer_roc_auc"].value == 0.75
    assert figures["skin_cancer_ppv"].value == 0.5
    assert figures["skin_cancer_prevalence"].value == 0.5
    assert evaluation.confusion == ((0, 0, 0),) * 3
    assert evaluation.calibration == ()
    assert evaluation.net_benefit.x == ()
    assert evaluation.roc["MEL"].x == ()
    assert evaluation.roc["skin_cancer"].x != ()


def test_melanomas_among_benign_lesions_answer_every_question_about_melanoma():
    benign = np.isin(LABELS, (0, BENIGN))
    figures = evaluate_fully(MIXED.select(benign), RULES).figures

    assert figures["melanoma_roc_auc"].value == 1.0
    assert (figures["ppv"].value, figures["prevalence"].value) == (0.5, pytest.approx(1 / 3))
    assert figures["calibration_error"].total == 3
    # One diagnosis alone has a recall, and no accuracy over diagnoses.
    assert figures["recall_MEL"].value == 1.0
    assert math.isnan(figures["accuracy"].value)
    assert math.isnan(figures["balanced_accuracy"].value)


def test_a_subgroup_counts_what_its_tiers_say():
    female, male = evaluate_fully(MIXED, RULES).slices

    counts = [
        (each.num_melanomas, each.num_others, each.num_skin_cancers) for each in (female, male)
    ]
    assert counts == [(0, 3, 1), (1, 1, 2)]
    assert (male.figures["accuracy"].total, female.figures["accuracy"].total) == (2, 0)
    assert female.figures["skin_cancer_roc_auc"].value == pytest.approx(1 / 3)


def test_the_alerts_by_confirmation_have_a_row_for_a_tier():
    attributes = pd.DataFrame({"confirmation": ["histopathology"] * 7})
    rows = evaluate_fully(replace(MIXED, attributes=attributes), RULES).confirmed

    by_name = {each.diagnosis: each for each in rows}
    assert list(by_name) == ["MEL", "NV", "malignant", "premalignant", "benign"]
    assert by_name["malignant"].melanoma_alert.total == 0
    assert by_name["malignant"].skin_cancer_alert.count == 1
    assert by_name["benign"].melanoma_alert.count == 1


def test_photographs_of_a_lesion_with_a_tier_are_combined():
    lesions = LabelledPredictions(PROBABILITIES, LABELS, np.array([0, 1, 2, 2, 3, 3, 4]))
    figures = evaluate_fully(lesions, RULES).figures

    assert figures["lesion_skin_cancer_sensitivity"].total == 2
    assert figures["lesion_specificity"].total == 3


def test_a_prediction_set_is_right_about_diagnoses_alone():
    bounds = dict.fromkeys(RULES.class_names, ConformalBound(0.2, 40))
    rules = replace(RULES, conformal=ConformalBounds(0.9, "validation", bounds))

    figures = measure_sets(resample_lesions(MIXED.lesion_ids), MIXED, rules)

    assert (figures["coverage"].count, figures["coverage"].total) == (2, 2)


def test_two_models_are_compared_on_what_is_known():
    differences = compare(MIXED, MIXED, RULES, RULES)

    assert differences["accuracy"].total == 2
    assert differences["melanoma_roc_auc"].total == 5
    assert differences["specificity"].total == 4
    assert differences["skin_cancer_sensitivity"].total == 3


def test_what_becomes_of_photographs_adds_up_with_those_that_may_be_melanomas():
    flow = measure_flow(MIXED, RULES, [None] * 6 + ["quality"])

    melanoma, cancer = flow.tables
    assert (melanoma.present.total, melanoma.absent.total, melanoma.unknown.total) == (1, 4, 2)
    assert (cancer.present.total, cancer.absent.total, cancer.unknown.total) == (3, 4, 0)


@pytest.mark.parametrize("label", [-4, 3])
def test_another_label_is_refused(label: int):
    with pytest.raises(ValueError, match="labels must be"):
        LabelledPredictions(PROBABILITIES[:1], np.array([label]), np.arange(1))
