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
    describe_caution,
    describe_frequencies,
    describe_leakage,
    describe_model,
    describe_probability,
    describe_sensitivity,
    describe_set,
    describe_specificity,
    name_figure,
    name_subset,
)

SENSITIVITY = Figure(248 / 261, 0.921, 0.973, 248, 261, 189)
SPECIFICITY = Figure(1096 / 1660, 0.63, 0.692, 1096, 1660, 1311)
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
def test_a_probability_beside_its_threshold_has_the_digits_that_tell_them_apart(
    probability, threshold, texts
):
    assert format_beside_threshold(probability, threshold) == texts


def test_an_interval_is_in_percent_or_undefined():
    assert format_interval(SENSITIVITY) == "95% interval 92.1–97.3%"
    assert format_interval(UNDEFINED) == "95% interval undefined"


def test_sensitivity_is_told_with_count_and_interval(card):
    assert describe_sensitivity(card) == (
        "Of 261 photographs of melanomas that it had never seen, it alerted on 248: sensitivity "
        "95.0% (95% interval 92.1–97.3%; 189 lesions)."
    )


def test_specificity_is_told_with_count_and_interval(card):
    assert describe_specificity(card) == (
        "Of 1,660 photographs of other lesions, it gave no alert on 1,096: specificity 66.0% "
        "(95% interval 63.0–69.2%; 1,311 lesions)."
    )


def test_what_was_not_measured_is_said_to_be_undefined_and_has_no_number(card):
    unmeasured = replace(card, metrics={"test": {"sensitivity": UNDEFINED}})
    assert describe_sensitivity(unmeasured) == (
        "Its sensitivity is undefined: it was measured on no held-out melanoma."
    )
    assert describe_specificity(replace(card, metrics={})) == (
        "Its specificity is undefined: it was measured on no other held-out lesion."
    )
    assert describe_frequencies(unmeasured) == ""
    assert describe_caution(unmeasured, alert=False) == "No alert does not rule out melanoma."
    assert describe_model(unmeasured) == "It was not measured on held-out lesions."


def test_the_threshold_is_told_in_lesions_out_of_a_hundred(card):
    assert describe_frequencies(card) == (
        "Of 100 melanomas, this threshold alerts on about 95; of 100 other lesions, on about 34."
    )


def test_no_alert_says_how_many_melanomas_get_none(card):
    assert describe_caution(card, alert=False) == (
        "No alert does not rule out melanoma: of 100 melanomas, about 5 get none; of 100 other "
        "lesions, about 66 get none."
    )


def test_an_alert_says_how_many_other_lesions_get_one(card):
    assert describe_caution(card, alert=True) == (
        "An alert is not a diagnosis: of 100 melanomas, about 95 get one; of 100 other lesions, "
        "about 34 get one."
    )


def test_a_rare_miss_is_fewer_than_one_in_a_hundred_and_not_none(card):
    nearly_all = replace(SENSITIVITY, value=0.998)
    figures = card.metrics["test"] | {"sensitivity": nearly_all}
    caution = describe_caution(replace(card, metrics={"test": figures}), alert=False)
    assert "of 100 melanomas, fewer than 1 get none" in caution


@pytest.mark.parametrize(
    ("probability", "words"), [(0.0, "about 0"), (0.38, "about 38"), (0.999, "more than 99")]
)
def test_a_probability_is_told_in_lesions_out_of_a_hundred(probability, words):
    assert describe_probability(probability).startswith(
        f"Of 100 lesions that read like this one, {words} are melanomas"
    )


def test_a_model_is_told_in_one_line(card):
    assert describe_model(card) == (
        "Melanoma ROC AUC 0.913 (95% interval 0.895–0.930), balanced accuracy 71.2% (95% "
        "interval 68.4–74.1%), on 1,921 held-out photographs of 1,500 lesions."
    )


def test_figures_and_subsets_have_names_for_people():
    assert name_figure("recall_MEL") == "Recall of melanoma"
    assert name_figure("melanoma_roc_auc") == "Melanoma ROC AUC"
    assert name_figure("a_figure_of_later") == "a_figure_of_later"
    assert name_subset("test") == "test"
    assert name_subset("test/ham10000") == "test, ham10000 alone"


LEAKS = Leakage(("lesion",), 1921, 9000, 3, ("a in test and b in train: the same lesion",))


def test_what_leaks_is_withheld_in_every_sentence(card):
    leaking = replace(card, metrics={}, leakage=LEAKS)
    assert describe_model(leaking) == (
        "Its figures are withheld: 3 of its 1,921 test photographs have a relative among those "
        "that it was fitted on (a in test and b in train: the same lesion)."
    )
    assert describe_sensitivity(leaking) == "Its sensitivity is withheld."
    assert describe_specificity(leaking) == "Its specificity is withheld."
    assert write_figures(leaking) == describe_model(leaking)


def test_a_clean_model_says_what_was_compared_and_an_older_one_that_nobody_looked(card):
    clean = replace(card, leakage=replace(LEAKS, found=0, examples=()))
    assert describe_leakage(clean) == (
        "None of its 1,921 test photographs has a relative among the 9,000 that it was fitted on. "
        "Compared by lesion."
    )
    older = replace(card, leakage=None)
    assert describe_leakage(older) == "Nobody looked for leaks between training and test."


def may_be(members: tuple[str, ...], unknown: tuple[str, ...] = ()) -> PredictionSet:
    ruled_out = tuple(name for name in ("MEL", "NV", "BCC", "DF") if name not in members + unknown)
    return PredictionSet(members, unknown, ruled_out, "MEL", 0.9)


@pytest.mark.parametrize(
    ("found", "alert", "said"),
    [
        (
            may_be(("MEL", "NV")),
            True,
            "It may be melanoma or nevus: the list is made to hold the diagnosis of about 90 of "
            "100 lesions of each kind.",
        ),
        (
            may_be(("NV",), ("DF",)),
            True,
            "It may be nevus: the list is made to hold the diagnosis of about 90 of 100 lesions of "
            "each kind. Melanoma is not on it, and the alert stands: it is set to miss fewer "
            "melanomas. Not enough cases to name or rule out: dermatofibroma.",
        ),
        (
            may_be(()),
            False,
            "Which diagnosis it may be is left open: it reads like none of those that the network "
            "knows.",
        ),
        (
            may_be(("NV", "BCC", "MEL")),
            True,
            "Which diagnosis it may be is left open: too many cannot be ruled out (nevus, basal "
            "cell carcinoma or melanoma).",
        ),
        (
            may_be(("NV",), ("MEL",)),
            False,
            "Which diagnoses it may be is left open: the network had not enough melanomas to name "
            "melanoma or rule it out.",
        ),
    ],
)
def test_a_set_is_told_in_words_or_says_why_it_tells_nothing(
    found: PredictionSet, alert: bool, said: str
):
    assert describe_set(found, alert) == said
