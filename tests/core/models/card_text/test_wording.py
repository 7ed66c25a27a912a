from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.evaluation.prediction_set import PredictionSet
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.formats import (
    format_beside_threshold,
    format_interval,
    format_percent,
)
from melanoma_core.models.card_text.tables import write_figures
from melanoma_core.models.card_text.wording import (
    describe_coverage,
    describe_frequencies,
    describe_leakage,
    describe_model,
    describe_results,
    describe_sensitivity,
    describe_set,
    describe_specificity,
    name_figure,
    name_subset,
)

SENSITIVITY = Figure(248 / 261, 0.921, 0.973, 248, 261, 189)
SPECIFICITY = Figure(1096 / 1660, 0.63, 0.692, 1096, 1660, 1311)
COVERAGE = Figure(0.8, 0.6, 0.9, 8, 10, 10)
UNDEFINED = Figure(nan, nan, nan, 0, 0, 0)


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    figures = {
        "sensitivity": SENSITIVITY,
        "specificity": SPECIFICITY,
        "melanoma_roc_auc": Figure(0.9132, 0.8951, 0.9297, None, 1921, 1500),
        "balanced_accuracy": Figure(0.712, 0.684, 0.741, None, 1921, 1500),
    }
    return replace(load_card(bundled), metrics={"test": figures})


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (nan, "undefined"),
        (0.0, "0.0%"),
        (1e-9, "<0.1%"),
        (0.382, "38.2%"),
        (0.99951, ">99.9%"),
        (1.0, "100.0%"),
    ],
)
def test_a_percentage_has_one_digit_and_is_never_rounded_to_certainty(share, text):
    assert format_percent(share) == text


@pytest.mark.parametrize(
    ("probability", "threshold", "texts"),
    [
        (0.382, 0.073, ("38.2%", "7.3%")),
        (0.07296, 0.07304, ("7.296%", "7.304%")),
        (0.0001, 0.0004, ("0.01%", "0.04%")),
        (0.073, 0.073, ("7.30000%", "7.30000%")),
    ],
)
def test_a_probability_beside_its_threshold_has_enough_digits_to_show_which_is_larger(
    probability, threshold, texts
):
    assert format_beside_threshold(probability, threshold) == texts


def test_an_interval_is_in_percent_or_undefined():
    assert format_interval(SENSITIVITY) == "95% CI 92.1–97.3%"
    assert format_interval(UNDEFINED) == "95% CI undefined"


def test_sensitivity_has_its_count_and_interval(card):
    assert describe_sensitivity(card) == (
        "Sensitivity 95.0% (95% CI 92.1–97.3%): it alerts on 248 of 261 photographs of melanomas "
        "in the held-out test set (189 lesions)."
    )


def test_specificity_has_its_count_and_interval(card):
    assert describe_specificity(card) == (
        "Specificity 66.0% (95% CI 63.0–69.2%): it gives no alert on 1,096 of 1,660 photographs of "
        "other lesions in the held-out test set (1,311 lesions)."
    )


def test_a_metric_without_photographs_is_undefined_and_has_no_number(card):
    unmeasured = replace(card, metrics={"test": {"sensitivity": UNDEFINED}})
    assert describe_sensitivity(unmeasured) == (
        "Sensitivity is undefined: the model was tested on no melanoma."
    )
    assert describe_specificity(replace(card, metrics={})) == (
        "Specificity is undefined: the model was tested on no lesion other than melanoma."
    )
    assert describe_frequencies(unmeasured) == ""
    assert describe_results(unmeasured) == describe_model(unmeasured)
    assert describe_model(unmeasured) == "This model was not evaluated on a held-out test set."


def test_the_threshold_is_described_in_natural_frequencies(card):
    assert describe_frequencies(card) == (
        "Of 100 melanomas, about 95 get an alert. Of 100 other lesions, about 34 get one."
    )


def test_the_results_of_the_alert_are_one_line_with_counts_and_intervals(card):
    assert describe_results(card) == (
        "melanoma alert with a sensitivity of 95.0% (95% CI 92.1–97.3%, n = 261) and a specificity "
        "of 66.0% (95% CI 63.0–69.2%, n = 1,660) on held-out photographs."
    )
    confirmed = replace(card, metrics=card.metrics | {"test:histopathology": card.metrics["test"]})
    assert describe_results(confirmed).endswith(
        " photographs of lesions confirmed by histopathology."
    )


def test_a_lesion_of_several_photographs_has_the_results_by_lesion(card):
    by_photograph = card.metrics["test"]
    by_lesion = {
        "lesion_sensitivity": Figure(0.935, 0.88, 0.97, 86, 92, 92),
        "lesion_specificity": Figure(0.378, 0.33, 0.43, 149, 394, 394),
    }
    measured = replace(card, metrics={"test:histopathology": by_photograph | by_lesion})
    assert describe_results(measured, by_lesion=True) == (
        "melanoma alert with a sensitivity of 93.5% (95% CI 88.0–97.0%, n = 92) and a specificity "
        "of 37.8% (95% CI 33.0–43.0%, n = 394) on held-out lesions confirmed by histopathology, "
        "each read from all its photographs."
    )
    assert describe_results(card, by_lesion=True) == describe_results(card)


def test_a_model_is_described_in_one_line(card):
    assert describe_model(card) == (
        "Melanoma ROC AUC 0.913 (95% CI 0.895–0.930), balanced accuracy 71.2% (95% CI "
        "68.4–74.1%), on 1,921 held-out photographs of 1,500 lesions. These are all test lesions: "
        "how each diagnosis was confirmed is not recorded."
    )


CONFIRMED = {
    "sensitivity": Figure(154 / 166, 0.879, 0.97, 154, 166, 92),
    "specificity": Figure(277 / 678, 0.363, 0.453, 277, 678, 394),
    "melanoma_roc_auc": Figure(0.848, 0.802, 0.892, None, 844, 486),
    "skin_cancer_roc_auc": Figure(0.845, 0.804, 0.882, None, 844, 486),
    "balanced_accuracy": Figure(0.589, 0.499, 0.678, None, 844, 486),
}


def test_the_headline_is_on_lesions_confirmed_by_histopathology(card):
    card = replace(card, metrics={"test:histopathology": CONFIRMED} | card.metrics)

    assert describe_model(card) == (
        "Melanoma ROC AUC 0.848 (95% CI 0.802–0.892), skin cancer ROC AUC 0.845 (95% CI "
        "0.804–0.882), balanced accuracy 58.9% (95% CI 49.9–67.8%), on 844 held-out photographs of "
        "486 lesions confirmed by histopathology."
    )
    assert describe_specificity(card) == (
        "Specificity 40.9% (95% CI 36.3–45.3%): it gives no alert on 277 of 678 photographs of "
        "other lesions confirmed by histopathology in the held-out test set (394 lesions)."
    )
    assert describe_frequencies(card) == (
        "Of 100 melanomas, about 93 get an alert. Of 100 other lesions, about 59 get one."
    )


def test_confirmed_lesions_without_a_melanoma_are_no_headline(card):
    few = CONFIRMED | {"sensitivity": UNDEFINED}
    card = replace(card, metrics={"test:histopathology": few} | card.metrics)

    assert "on 1,921 held-out photographs" in describe_model(card)
    assert describe_model(card).endswith(
        "These are all test lesions, since those that are confirmed by histopathology lack "
        "melanomas or other lesions."
    )
    assert describe_sensitivity(card).startswith("Sensitivity 95.0%")


def test_a_collection_may_have_the_name_of_a_confirmation(card):
    same = {"test/histopathology": CONFIRMED, "test": card.metrics["test"]}
    assert describe_specificity(replace(card, metrics=same)).startswith("Specificity 66.0%")
    assert name_subset("test/histopathology") == "test, histopathology only"
    assert name_subset("test:histopathology") == "test, confirmed by histopathology"


def test_metrics_and_subsets_have_labels():
    assert name_figure("recall_MEL") == "Recall of melanoma"
    assert name_figure("melanoma_roc_auc") == "Melanoma ROC AUC"
    assert name_figure("a_later_metric") == "a_later_metric"
    assert name_subset("test") == "test"
    assert name_subset("test/ham10000") == "test, ham10000 only"


LEAKS = Leakage(("lesion",), 1921, 9000, 3, ("a in test and b in train: the same lesion",))


def test_metrics_are_withheld_in_every_sentence_after_leakage(card):
    leaking = replace(card, metrics={}, leakage=LEAKS)
    assert describe_model(leaking) == (
        "Metrics are withheld because of leakage: 3 of 1,921 test photographs are related to a "
        "photograph that the model was fitted on (a in test and b in train: the same lesion)."
    )
    assert describe_sensitivity(leaking) == (
        "Sensitivity is withheld, because there is leakage between training and test."
    )
    assert describe_specificity(leaking) == (
        "Specificity is withheld, because there is leakage between training and test."
    )
    assert write_figures(leaking) == describe_model(leaking)


def test_the_leakage_check_names_its_keys_and_an_older_card_has_none(card):
    clean = replace(card, leakage=replace(LEAKS, found=0, examples=()))
    assert describe_leakage(clean) == (
        "No leakage: none of the 1,921 test photographs is related to one of the 9,000 photographs "
        "that the model was fitted on. Compared by lesion."
    )
    older = replace(card, leakage=None)
    assert describe_leakage(older) == ("Leakage between training and test was not checked.")


def make_set(members: tuple[str, ...], unknown: tuple[str, ...] = ()) -> PredictionSet:
    ruled_out = tuple(name for name in ("MEL", "NV", "BCC", "DF") if name not in members + unknown)
    return PredictionSet(members, unknown, ruled_out, "MEL", 0.9)


@pytest.mark.parametrize(
    ("found", "kept", "said"),
    [
        (
            make_set(("MEL", "NV")),
            ("MEL",),
            "Possible diagnoses: melanoma or nevus. Such a set contained the true diagnosis in 8 "
            "of 10 photographs in the held-out test set (80.0%, 95% CI 60.0–90.0%). It was fitted "
            "to contain it in about 90 of 100 lesions of each diagnosis.",
        ),
        (
            make_set(("NV",), ("DF",)),
            ("MEL",),
            "Possible diagnoses: melanoma or nevus. The alert adds melanoma. The set without it "
            "contained the true diagnosis in 8 of 10 photographs in the held-out test set (80.0%, "
            "95% CI 60.0–90.0%). It was fitted to contain it in about 90 of 100 lesions of each "
            "diagnosis. Too few cases to include or rule out: dermatofibroma.",
        ),
        (
            make_set(("NV", "BCC", "MEL")),
            ("MEL",),
            "Possible diagnoses are left open: too many cannot be ruled out (nevus, basal cell "
            "carcinoma or melanoma).",
        ),
        (
            make_set(("NV",), ("MEL",)),
            (),
            "Possible diagnoses are left open: the model saw too few melanomas to include melanoma "
            "or to rule it out.",
        ),
    ],
)
def test_a_set_is_described_or_the_reason_why_it_is_left_open(
    card: ModelCard, found: PredictionSet, kept: tuple[str, ...], said: str
):
    measured = replace(card, metrics={"test": {"coverage": COVERAGE}})
    assert describe_set(found, measured, kept) == said


def test_the_coverage_is_that_of_the_headline_lesions(card: ModelCard):
    assert describe_coverage(replace(card, conformal=None)) == ""
    assert describe_coverage(card) == (
        "A set is fitted to contain the true diagnosis in about 90 of 100 lesions of each "
        "diagnosis. That was not measured."
    )
    alerts = {"sensitivity": SENSITIVITY, "specificity": SPECIFICITY}
    confirmed = CONFIRMED | {"coverage": replace(COVERAGE, value=0.847, count=715, total=844)}
    metrics = {"test:histopathology": confirmed, "test": alerts | {"coverage": COVERAGE}}
    assert describe_coverage(replace(card, metrics=metrics)).startswith(
        "A set contained the true diagnosis in 715 of 844 photographs confirmed by histopathology "
        "in the held-out test set (84.7%,"
    )
