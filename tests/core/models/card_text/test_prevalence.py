from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.evaluation.subsets import CONFIRMED, TEST
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.prevalence import (
    MELANOMA,
    SKIN_CANCER,
    describe_alert,
    describe_assumption,
    describe_caution,
    describe_effects,
    describe_likelihood,
    explain_unadapted,
    find_alert_figures,
    format_prevalence,
    measure_share,
    predict_alert,
)

CLINIC = Prevalence(melanoma=0.02, skin_cancer=0.08)
COUNTS = {"MEL": 140, "NV": 806, "BCC": 40, "SCC": 14}
FIGURES = {
    "sensitivity": Figure(242 / 261, 0.892, 0.961, 242, 261, 189),
    "specificity": Figure(1024 / 1657, 0.591, 0.645, 1024, 1657, 1311),
    "skin_cancer_sensitivity": Figure(0.9, 0.85, 0.94, 374, 413, 300),
    "skin_cancer_specificity": Figure(0.7, 0.67, 0.73, 1054, 1505, 1200),
}
UNDEFINED = Figure(nan, nan, nan, 0, 0, 0)


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    card = load_card(bundled)
    data = card.data | {"images_by_label": {"train": COUNTS}}
    return replace(card, data=data, metrics={TEST: FIGURES})


def test_a_card_without_metrics_says_nothing_of_its_alerts(card: ModelCard):
    bare = replace(card, metrics={})
    assert describe_effects(bare, CLINIC) == []
    assert describe_caution(bare, (False, None), CLINIC) == "No alert does not rule out melanoma."
    assert describe_caution(bare, (True, None), CLINIC) == "An alert is not a diagnosis."


def test_a_card_without_frequencies_says_that_the_prevalence_is_unknown(card: ModelCard):
    unknown = replace(card, data={})
    assert "does not state how frequent melanoma was" in describe_assumption(unknown, None)
    assert "does not state how frequent each diagnosis was" in explain_unadapted(unknown)
    assert describe_effects(unknown, None) == []
    assert describe_caution(unknown, (True, None)) == "An alert is not a diagnosis."
    # A clinic's prevalence still says what an alert means.
    assert "PPV 4.7%" in describe_caution(unknown, (True, None), CLINIC)


def test_an_alert_without_melanomas_or_without_others_means_nothing():
    text = "What a melanoma alert means is undefined"
    assert describe_alert(FIGURES | {"sensitivity": UNDEFINED}, MELANOMA, 0.02).startswith(text)
    for share in (0, 1, nan):
        assert describe_alert(FIGURES, MELANOMA, share).startswith(text)
        assert predict_alert(FIGURES, MELANOMA, share) is None
    assert describe_alert({}, MELANOMA, 0.02) == ""


@pytest.mark.parametrize(
    ("melanoma", "skin_cancer", "words"),
    [
        (0.0, 0.0, "Of 100 lesions like this one, none are melanomas and none are skin cancers"),
        (1e-6, 0.002, "Of 10,000 lesions like this one, fewer than 1 is a melanoma and about 20"),
        (0.0003, 0.001, "Of 10,000 lesions like this one, about 3 are melanomas and about 10"),
        (0.0049, 0.05, "Of 1,000 lesions like this one, about 5 are melanomas and about 50"),
        (0.0096, 0.0096, "Of 1,000 lesions like this one, about 10 are melanomas"),
        (0.01, 0.5, "Of 100 lesions like this one, about 1 is a melanoma and about 50"),
        (0.38, 0.384, "Of 100 lesions like this one, about 38 are melanomas and about 38"),
        (0.996, 0.999, "Of 100 lesions like this one, more than 99 are melanomas and more than"),
        (1.0, 1.0, "Of 100 lesions like this one, all are melanomas and all are skin cancers"),
    ],
)
def test_a_probability_is_a_count_of_at_least_one_lesion(melanoma, skin_cancer, words):
    assert describe_likelihood(melanoma, skin_cancer).startswith(words)


def test_the_assumed_prevalence_is_a_number(card: ModelCard):
    assert describe_assumption(card, None) == (
        "These numbers assume that 14.0% of lesions are melanomas and 19.4% are skin cancers, as "
        "in the model's training data."
    )
    assert describe_assumption(card, Prevalence(0.0025, 0.0125)) == (
        "These numbers assume that 0.25% of lesions are melanomas and 1.25% are skin cancers, as "
        "in your clinic."
    )


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0.0%"), (2.5e-5, "0.0025%"), (0.0213, "2.13%"), (0.1398, "14.0%")]
)
def test_a_prevalence_keeps_the_digits_that_a_clinic_gives(share, text):
    assert format_prevalence(share) == text


def test_at_two_percent_an_alert_has_a_ppv_of_4_7_percent(card: ModelCard):
    # By hand: 0.02 x 242 / 261 = 0.018544; 0.98 x 633 / 1657 = 0.374375; 0.018544 / 0.392919.
    assert describe_caution(card, (True, None), CLINIC) == (
        "An alert is not a diagnosis. Of 100 melanoma alerts, about 5 are melanomas (PPV 4.7%, 95% "
        "CI 4.4–5.1%)."
    )


def test_no_alert_comes_with_the_melanomas_among_lesions_without_one(card: ModelCard):
    # By hand: missed 0.02 x 19 / 261 = 0.001456 of 0.001456 + 0.98 x 1024 / 1657 = 0.607081.
    assert describe_caution(card, (False, None), CLINIC) == (
        "No alert does not rule out melanoma. Of 1,000 lesions without a melanoma alert, about 2 "
        "are melanomas (NPV 99.76%, 95% CI 99.64–99.87%)."
    )


def test_a_skin_cancer_alert_has_its_own_predictive_value(card: ModelCard):
    caution = describe_caution(card, (False, True), CLINIC)
    assert caution.startswith("An alert is not a diagnosis. Of 1,000 lesions without a melanoma")
    # By hand: 0.08 x 0.9 = 0.072 of 0.072 + 0.92 x 0.3 = 0.348.
    assert "Of 100 skin cancer alerts, about 21 are skin cancers (PPV 20.7%" in caution
    nothing = describe_caution(card, (False, False), CLINIC)
    assert nothing.startswith("No alert does not rule out skin cancer. Of 1,000 lesions")
    # By hand: 0.08 x 0.1 = 0.008 of 0.008 + 0.92 x 0.7 = 0.652.
    assert "Of 100 lesions without a skin cancer alert, about 1 is a skin cancer" in nothing


def test_without_a_clinic_the_prevalence_of_the_training_data_holds(card: ModelCard):
    # By hand: 0.14 x 242 / 261 = 0.129808 of 0.129808 + 0.86 x 633 / 1657 = 0.458342.
    assert "about 28 are melanomas (PPV 28.3%" in describe_caution(card, (True, None))


def test_both_alerts_are_described_at_the_clinic(card: ModelCard):
    melanoma, skin_cancer = describe_effects(card, CLINIC)
    assert melanoma.startswith(
        "At a prevalence of 2.0%, 20 of 1,000 lesions are melanomas. The model raises 393 melanoma "
        "alerts, finds 19 melanomas and misses 1: PPV 4.7%"
    )
    assert skin_cancer.startswith(
        "At a prevalence of 8.0%, 80 of 1,000 lesions are skin cancers. The model raises 348 skin "
        "cancer alerts, finds 72 skin cancers and misses 8: PPV 20.7%"
    )


def test_a_rare_disease_is_counted_in_more_lesions():
    text = describe_alert(FIGURES, MELANOMA, 0.0005)
    assert text.startswith("At a prevalence of 0.05%, 5 of 10,000 lesions are melanomas.")


def test_the_headline_is_of_confirmed_lesions_where_the_card_has_them(card: ModelCard):
    confirmed = FIGURES | {"specificity": Figure(0.4, 0.3, 0.5, 40, 100, 90)}
    assert find_alert_figures(card) == FIGURES
    both = replace(card, metrics={TEST: FIGURES, CONFIRMED: confirmed})
    assert find_alert_figures(both) == confirmed


def test_the_prevalence_among_images_is_counted():
    assert measure_share(FIGURES, MELANOMA) == pytest.approx(261 / 1918)
    assert measure_share(FIGURES, SKIN_CANCER) == pytest.approx(413 / 1918)
    undefined = measure_share({"sensitivity": UNDEFINED, "specificity": UNDEFINED}, MELANOMA)
    assert str(undefined) == "nan"


LESION_FIGURES = {
    "lesion_sensitivity": Figure(0.95, 0.9, 0.98, 180, 189, 189),
    "lesion_specificity": Figure(0.5, 0.47, 0.53, 655, 1311, 1311),
}


def test_a_lesion_of_several_photographs_has_the_figures_by_lesion(card: ModelCard):
    both = replace(card, metrics={TEST: FIGURES | LESION_FIGURES})
    found = find_alert_figures(both, by_lesion=True)
    assert found["sensitivity"] == LESION_FIGURES["lesion_sensitivity"]
    # Without metrics by lesion for this alert, those by photograph hold.
    assert found["skin_cancer_sensitivity"] == FIGURES["skin_cancer_sensitivity"]
    # By hand: 0.02 x 0.95 = 0.019 of 0.019 + 0.98 x 0.5 = 0.509.
    assert "PPV 3.7%" in describe_caution(both, (True, None), CLINIC, by_lesion=True)
    assert "PPV 3.7%" in describe_effects(both, CLINIC, by_lesion=True)[0]
    assert "PPV 4.7%" in describe_caution(both, (True, None), CLINIC)
    assert describe_effects(card, CLINIC, by_lesion=True) == describe_effects(card, CLINIC)
