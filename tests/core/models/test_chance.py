"""Where a model is no better than chance."""

import math

import pytest

from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.chance import describe_chance
from melanoma_core.models.registry import BUNDLED


def make(value: float, low: float, high: float) -> Figure:
    return Figure(value, low, high, None, 100, 90)


def test_without_metrics_nothing_is_said():
    assert describe_chance({}) == []
    assert describe_chance({"melanoma_roc_auc": UNDEFINED, "sensitivity": UNDEFINED}) == []


@pytest.mark.parametrize("name", ["test", "test:histopathology"])
def test_the_bundled_model_is_better_than_chance(name):
    assert describe_chance(load_card(BUNDLED).metrics[name]) == []


def test_an_area_below_a_half_with_its_interval_is_worse_than_chance():
    assert describe_chance({"skin_cancer_roc_auc": make(0.41, 0.35, 0.47)}) == [
        "Worse than chance: skin cancers are ranked below other lesions (ROC AUC 0.410 "
        "(0.350–0.470); chance is 0.5)."
    ]


@pytest.mark.parametrize("value", [0.45, 0.6])
def test_an_interval_that_holds_a_half_shows_nothing_either_way(value):
    (sentence,) = describe_chance({"melanoma_roc_auc": make(value, 0.4, 0.7)})
    assert sentence.startswith("Not shown to be better than chance at ranking melanomas")


def test_an_area_without_an_interval_is_not_shown_to_be_better():
    (sentence,) = describe_chance({"melanoma_roc_auc": make(1.0, math.nan, math.nan)})
    assert sentence.startswith("Not shown to be better than chance")


def test_an_alert_as_frequent_in_other_lesions_is_no_better_than_chance():
    figures = {"sensitivity": make(0.3, 0.2, 0.4), "specificity": make(0.6, 0.5, 0.7)}
    assert describe_chance(figures) == [
        "The melanoma alert is no better than chance: 30.0% of melanomas get one, and 40.0% of "
        "other lesions."
    ]
    assert describe_chance(figures | {"specificity": make(0.71, 0.6, 0.8)}) == []
