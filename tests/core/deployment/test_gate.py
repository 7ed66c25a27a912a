from dataclasses import replace
from math import nan

import numpy as np
import pytest

from melanoma_core.deployment.comparison import Comparison, compare_models, load_compared_model
from melanoma_core.deployment.gate import Margins, Verdict, format_difference, judge
from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.identifiers import IdKey
from tests.drawn_models import CLEAN, LEAKING, write_model


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A candidate with the same predictions as the deployed model."""
    folder, key = tmp_path_factory.mktemp("models"), IdKey()
    sides = [
        load_compared_model(write_model(folder, name, can_read=False), key)
        for name in ("new", "old")
    ]
    comparison = compare_models(*sides)
    assert isinstance(comparison, Comparison)
    return comparison


def differ(comparison: Comparison, name: str, value: float, low: float, high: float) -> Comparison:
    difference = Figure(value, low, high, None, 200, 200)
    return replace(comparison, differences=comparison.differences | {name: difference})


def test_an_equal_candidate_passes_and_the_verdict_has_its_reasons(equal: Comparison):
    verdict = judge("new", "old", CLEAN, equal)

    assert verdict.is_allowed
    assert verdict.reasons[0].startswith("Compared on 600 photographs of 600 lesions")
    assert "A loss of more than 5 percentage points is excluded" in verdict.reasons[1]


@pytest.mark.parametrize(("low", "is_allowed"), [(-0.049, True), (-0.051, False)])
def test_the_confidence_interval_of_the_sensitivity_decides(
    equal: Comparison, low: float, is_allowed: bool
):
    verdict = judge("new", "old", CLEAN, differ(equal, "sensitivity", -0.02, low, 0.01))

    assert verdict.is_allowed is is_allowed
    assert is_allowed or "may be lower than that of the deployed model" in verdict.reasons[0]
    assert is_allowed or "-2.0 percentage points (95% CI -5.1 to +1.0)" in verdict.reasons[0]


def test_a_wider_margin_lets_more_pass(equal: Comparison):
    worse = differ(equal, "sensitivity", -0.05, -0.08, -0.02)

    assert not judge("new", "old", CLEAN, worse).is_allowed
    assert judge("new", "old", CLEAN, worse, Margins(sensitivity=0.1)).is_allowed


def test_two_models_that_never_differ_on_few_melanomas_are_not_proven_equal(equal: Comparison):
    few = Figure(0.0, nan, nan, None, 20, 20)
    many = Figure(0.0, nan, nan, None, 200, 200)

    def judge_with(sensitivity: Figure, margin: float = 0.05) -> Verdict:
        found = replace(equal, differences=equal.differences | {"sensitivity": sensitivity})
        return judge("new", "old", CLEAN, found, Margins(margin))

    largest_loss = 1 - 0.025 ** (1 / 20)  # Clopper and Pearson
    assert 0.16 < largest_loss < 0.17
    assert judge_with(few, largest_loss + 1e-9).is_allowed
    assert not judge_with(few, largest_loss - 1e-9).is_allowed
    assert judge_with(many, 0.02).is_allowed
    verdict = judge_with(few)
    assert not verdict.is_allowed
    assert verdict.reasons[0].endswith("of 20 melanomas, too few to exclude a larger loss.")


def test_a_large_loss_of_specificity_is_refused(equal: Comparison):
    verdict = judge("new", "old", CLEAN, differ(equal, "specificity", -0.15, -0.2, -0.1))

    assert not verdict.is_allowed
    assert verdict.reasons == (
        "Its specificity is lower by more than the margin of 10 percentage points: the difference "
        "is -15.0 percentage points (95% CI -20.0 to -10.0).",
    )


def with_skin_cancer(
    comparison: Comparison, sensitivity: Figure, specificity: Figure
) -> Comparison:
    more = {"skin_cancer_sensitivity": sensitivity, "skin_cancer_specificity": specificity}
    return replace(comparison, differences=comparison.differences | more)


SAME = Figure(0.0, -0.01, 0.01, None, 400, 400)


def test_a_loss_of_skin_cancer_sensitivity_is_refused_too(equal: Comparison):
    loss = Figure(-0.04, -0.07, -0.01, None, 413, 282)

    verdict = judge("new", "old", CLEAN, with_skin_cancer(equal, loss, SAME))

    assert verdict.reasons == (
        "Its skin cancer sensitivity may be lower than that of the deployed model by more than the "
        "margin of 5 percentage points: the difference is -4.0 percentage points (95% CI -7.0 to "
        "-1.0) on 413 photographs of 282 skin cancers, too few to exclude a larger loss.",
    )


def test_a_collapse_of_the_specificity_of_the_skin_cancer_alert_is_refused(equal: Comparison):
    collapse = Figure(-0.2, -0.22, -0.18, None, 1505, 1222)

    verdict = judge("new", "old", CLEAN, with_skin_cancer(equal, SAME, collapse))

    assert not verdict.is_allowed
    assert verdict.reasons[0].startswith("Its specificity of the skin cancer alert is lower")


def test_a_card_without_a_skin_cancer_alert_is_compared_on_melanoma_alone(equal: Comparison):
    verdict = judge("new", "old", CLEAN, equal)
    assert verdict.is_allowed
    assert "skin_cancer_sensitivity" not in equal.differences
    assert "The skin cancer alert was not compared: not both models have one." in verdict.reasons

    both = judge("new", "old", CLEAN, with_skin_cancer(equal, SAME, SAME))
    assert both.is_allowed
    assert both.reasons[3].startswith("Skin cancer alert: sensitivity +0.0 percentage points")


def test_leakage_or_no_leakage_check_is_refused(equal: Comparison):
    leaking, unchecked = (judge("new", "old", each, equal) for each in (LEAKING, None))

    assert not leaking.is_allowed
    assert leaking.reasons[0].startswith("Leakage: 7 of 600 test photographs")
    assert not unchecked.is_allowed
    assert unchecked.reasons[0].startswith("Leakage between training and test was not checked")


def test_a_comparison_on_other_images_is_refused(equal: Comparison):
    verdict = judge("new", "old", CLEAN, replace(equal, images_sha256="other", num_unread=3))

    assert not verdict.is_allowed
    assert (
        "The comparison is incomplete: it covers 600 of 600 test photographs." in verdict.reasons[0]
    )


def test_a_comparison_with_another_model_is_refused(equal: Comparison):
    verdict = judge("new", "older", CLEAN, equal)

    assert not verdict.is_allowed
    assert (
        "The comparison is between new and old, not with the deployed model older."
        in verdict.reasons[0]
    )


def test_the_verdict_has_every_reason_not_just_the_first():
    verdict = judge("new", "old", None, "There are no readings.")

    assert not verdict.is_allowed
    assert len(verdict.reasons) == 2


def test_the_deployed_model_is_not_a_candidate(equal: Comparison):
    assert judge("old", "old", CLEAN, equal).reasons == ("old is already deployed.",)


def test_an_undefined_difference_is_refused(equal: Comparison):
    undefined = differ(equal, "sensitivity", nan, nan, nan)

    assert not judge("new", "old", CLEAN, undefined).is_allowed
    assert format_difference(undefined.differences["sensitivity"]) == "undefined"


@pytest.mark.parametrize(
    ("loss", "differing", "least", "most"),
    [(0.0, 0.04, 0.85, 1.0), (0.0, 0.06, 0.7, 0.9), (0.05, 0.07, 0.0, 0.1), (0.08, 0.1, 0.0, 0.02)],
)
def test_the_margin_lets_equal_candidates_pass_and_worse_ones_seldom(
    loss: float, differing: float, least: float, most: float
):
    # 190 melanoma lesions, as in the project's test subset. On each, exactly one of the two models
    # alerts with the probabilities of gain and loss. Resamples are multinomial draws of these.
    rng = np.random.default_rng(0)
    chances = [(differing - loss) / 2, (differing + loss) / 2, 1 - differing]
    counts = rng.multinomial(190, chances, size=600)
    resampled = rng.multinomial(190, counts[:, None] / 190, size=(600, 400))
    lows = np.quantile((resampled[..., 0] - resampled[..., 1]) / 190, 0.025, axis=1)

    passed = np.mean([low >= -Margins().sensitivity for low in lows])

    assert least <= passed <= most
