from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import ModelCard, OperatingPoint, load_card
from melanoma_core.models.card_text.alerts import (
    describe_alerts,
    describe_all_lesions,
    describe_lesions,
)

ALL = {
    "sensitivity": Figure(242 / 261, 0.892, 0.961, 242, 261, 187),
    "specificity": Figure(1024 / 1657, 0.591, 0.645, 1024, 1657, 1317),
    "melanoma_roc_auc": Figure(0.899, 0.876, 0.921, None, 1918, 1504),
}
CONFIRMED = {
    "sensitivity": Figure(154 / 166, 0.879, 0.97, 154, 166, 92),
    "specificity": Figure(277 / 678, 0.363, 0.453, 277, 678, 394),
    "melanoma_roc_auc": Figure(0.848, 0.802, 0.892, None, 844, 486),
    "skin_cancer_sensitivity": Figure(294 / 313, 0.907, 0.967, 294, 313, 182),
    "skin_cancer_specificity": Figure(159 / 531, 0.25, 0.35, 159, 531, 304),
    "lesion_melanoma_roc_auc": Figure(0.844, 0.797, 0.89, None, 486, 486),
    "lesion_alerts_differ": Figure(53 / 271, 0.149, 0.241, 53, 271, 271),
}


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    return replace(
        load_card(bundled),
        operating_point=OperatingPoint(0.0436, 0.95, "validation"),
        skin_cancer_operating_point=OperatingPoint(0.0496, 0.95, "validation"),
        lesion_temperature=1.105,
        metrics={"test:histopathology": CONFIRMED, "test": ALL},
    )


def test_an_older_card_has_one_alert_and_says_so(card: ModelCard):
    older = replace(card, skin_cancer_operating_point=None, metrics={"test": ALL})

    paragraphs = describe_alerts(older)

    assert paragraphs[-1] == "This model has no alert for other skin cancers than melanoma."
    assert describe_all_lesions(older) == ""
    assert describe_lesions(older) == ""


def test_both_thresholds_are_stated_with_their_targets_and_results(card: ModelCard):
    paragraphs = describe_alerts(card)

    assert paragraphs[0] == (
        "Melanoma alert: a calibrated probability of melanoma of 4.4% or more raises it. The "
        "threshold was chosen on the validation subset for a sensitivity of 95.0%."
    )
    assert paragraphs[4] == (
        "Skin cancer alert: a calibrated probability of melanoma, basal cell carcinoma or squamous "
        "cell carcinoma together of 5.0% or more raises it. The threshold was chosen on the "
        "validation subset for a sensitivity of 95.0%. A melanoma alert is always a skin cancer "
        "alert, too."
    )
    lowered = describe_alerts(replace(card, skin_cancer_operating_point=card.operating_point))
    assert "It was lowered to that of the melanoma alert. A melanoma" in lowered[4]
    assert paragraphs[5] == (
        "Of photographs confirmed by histopathology in the held-out test set, it alerts on 294 of "
        "313 (93.9%, 95% CI 90.7–96.7%) of skin cancers (sensitivity), and gives no alert on 159 "
        "of 531 (29.9%, 95% CI 25.0–35.0%) of other lesions (specificity)."
    )


def test_the_metrics_on_all_lesions_stand_beside_those_on_confirmed_ones(card: ModelCard):
    assert describe_all_lesions(card) == (
        "On all 1,918 test photographs of 1,504 lesions, however confirmed: melanoma ROC AUC 0.899 "
        "(95% CI 0.876–0.921); the melanoma alert is raised for 242 of 261 (92.7%, 95% CI "
        "89.2–96.1%) of melanomas and not raised for 1,024 of 1,657 (61.8%, 95% CI 59.1–64.5%) of "
        "other lesions."
    )


def test_the_disagreement_of_photographs_is_reported_with_the_area_by_lesion(card: ModelCard):
    assert describe_lesions(card) == (
        "A lesion with several photographs is read from all of them: the mean of their logits, "
        "with the temperature 1.105. In 53 of 271 (19.6%, 95% CI 14.9–24.1%) of such lesions, one "
        "photograph raises the melanoma alert and another does not. Melanoma ROC AUC by lesion "
        "0.844 (95% CI 0.797–0.890), by photograph 0.848 (95% CI 0.802–0.892)."
    )
