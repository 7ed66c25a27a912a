import math
import subprocess
import sys

import numpy as np
import pytest

from melanoma_core.errors import SettingsError
from melanoma_core.evaluation.prevalence import (
    Prevalence,
    adapt_probabilities,
    measure_prevalence,
    parse_percentages,
)

NAMES = ("MEL", "NV", "BCC", "SCC")
FREQUENCIES = (0.2, 0.5, 0.2, 0.1)
CLINIC = Prevalence(melanoma=0.02, skin_cancer=0.08)


@pytest.mark.parametrize(
    ("melanoma", "skin_cancer", "message"),
    [
        (-0.01, 0.1, "melanoma is -0.01"),
        (math.nan, 0.1, "melanoma is nan"),
        (0.1, 1.01, "skin_cancer is 1.01"),
        (0.1, math.nan, "skin_cancer is nan"),
        (0.08, 0.02, "skin_cancer is 0.02 and melanoma is 0.08; every melanoma is a skin cancer"),
    ],
)
def test_a_prevalence_that_no_clinic_can_have_is_refused_by_name(melanoma, skin_cancer, message):
    with pytest.raises(ValueError, match=message):
        Prevalence(melanoma, skin_cancer)


def test_without_frequencies_nothing_is_adapted():
    assert adapt_probabilities((0.5, 0.5), ("MEL", "NV"), None, CLINIC) is None
    assert measure_prevalence(("MEL", "NV"), None) is None


def test_a_kind_of_lesion_that_was_never_seen_cannot_be_adapted_to():
    # The network has learned no skin cancer besides melanoma, so it knows none of the clinic's.
    assert adapt_probabilities((0.5, 0.5), ("MEL", "NV"), (0.2, 0.8), CLINIC) is None
    assert adapt_probabilities((0.5, 0.3, 0.2), NAMES[:3], (0.2, 0.8, 0.0), CLINIC) is None
    # A clinic without them can use it.
    adapted = adapt_probabilities((0.5, 0.5), ("MEL", "NV"), (0.2, 0.8), Prevalence(0.02, 0.02))
    assert adapted == pytest.approx((0.05 / (0.05 + 0.6125), 0.6125 / (0.05 + 0.6125)))


def test_a_class_that_was_never_seen_is_adapted_with_its_kind():
    adapted = adapt_probabilities((0.5, 0.3, 0.1, 0.1), NAMES, (0.2, 0.5, 0.3, 0.0), CLINIC)
    # Ratios 0.02 / 0.2, 0.92 / 0.5 and 0.06 / 0.3: products 0.05, 0.552, 0.02, 0.02.
    assert adapted == pytest.approx((0.05 / 0.642, 0.552 / 0.642, 0.02 / 0.642, 0.02 / 0.642))


def test_a_clinic_without_melanoma_has_none_and_a_clinic_of_melanomas_has_nothing_else():
    probabilities = (0.5, 0.3, 0.1, 0.1)
    without = adapt_probabilities(probabilities, NAMES, FREQUENCIES, Prevalence(0, 0))
    assert without == (0, 1, 0, 0)
    only = adapt_probabilities(probabilities, NAMES, FREQUENCIES, Prevalence(1, 1))
    assert only == (1, 0, 0, 0)


def test_a_certain_answer_that_is_impossible_in_the_clinic_is_undefined():
    adapted = adapt_probabilities((1.0, 0.0, 0.0, 0.0), NAMES, FREQUENCIES, Prevalence(0, 0.1))
    assert adapted is not None
    assert all(math.isnan(each) for each in adapted)
    rows = adapt_probabilities(np.eye(4), NAMES, FREQUENCIES, Prevalence(0, 0.1))
    assert rows is not None
    assert np.isnan(rows[0]).all()
    assert (rows[1:] == np.eye(4)[1:]).all()


@pytest.mark.parametrize("frequencies", [(0.5, 0.5), (0.5, 0.5, -0.1, 0.1), (math.nan, 1, 0, 0)])
def test_frequencies_that_are_not_one_share_for_each_class_are_refused(frequencies):
    with pytest.raises(ValueError, match="frequencies"):
        adapt_probabilities((0.25, 0.25, 0.25, 0.25), NAMES, frequencies, CLINIC)


def test_probabilities_are_adapted_by_the_rule_of_bayes():
    # By hand. Ratios: melanoma 0.02 / 0.2 = 0.1, other skin cancer 0.06 / 0.3 = 0.2, the rest
    # 0.92 / 0.5 = 1.84. Products: 0.04, 0.736, 0.02, 0.02; their sum is 0.816.
    adapted = adapt_probabilities((0.4, 0.4, 0.1, 0.1), NAMES, FREQUENCIES, CLINIC)
    assert adapted == pytest.approx((0.049020, 0.901961, 0.024510, 0.024510), abs=1e-6)


def test_the_odds_of_melanoma_change_by_the_ratio_of_the_prior_odds():
    # Of two classes: prior odds from 1 / 4 to 1 / 49, so posterior odds from 1 to 4 / 49.
    adapted = adapt_probabilities((0.5, 0.5), ("MEL", "NV"), (0.2, 0.8), Prevalence(0.02, 0.02))
    assert adapted is not None
    assert adapted[0] / adapted[1] == pytest.approx(4 / 49)


def test_at_the_prevalence_of_the_training_data_nothing_changes():
    trained = measure_prevalence(NAMES, FREQUENCIES)
    assert trained is not None
    assert (trained.melanoma, trained.skin_cancer) == pytest.approx((0.2, 0.5))
    adapted = adapt_probabilities((0.4, 0.3, 0.2, 0.1), NAMES, FREQUENCIES, trained)
    assert adapted == pytest.approx((0.4, 0.3, 0.2, 0.1))


def test_classes_keep_their_proportions_within_a_kind():
    adapted = adapt_probabilities((0.4, 0.3, 0.2, 0.1), NAMES, FREQUENCIES, CLINIC)
    assert adapted is not None
    assert adapted[2] / adapted[3] == pytest.approx(2)


def test_rows_are_adapted_as_tuples_are():
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=5)
    adapted = adapt_probabilities(rows, NAMES, FREQUENCIES, CLINIC)
    assert adapted is not None
    assert adapted.sum(axis=1) == pytest.approx(np.ones(5))
    for row, each in zip(rows, adapted, strict=True):
        assert adapt_probabilities(tuple(row), NAMES, FREQUENCIES, CLINIC) == pytest.approx(each)


def test_a_population_is_reweighted_to_the_clinic():
    # Calibrated probabilities of a population whose mean is its class frequencies stay calibrated:
    # weighted to the clinic, the mean adapted probability is the clinic's share.
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(200_000, 1))
    scores = np.hstack([0.8 * signal - 1, np.zeros_like(signal)])
    rows = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    frequencies = rows.mean(axis=0)
    weights = rows @ (np.array([0.02, 0.98]) / frequencies)
    adapted = adapt_probabilities(
        rows, ("MEL", "NV"), tuple(frequencies.tolist()), Prevalence(0.02, 0.02)
    )
    assert adapted is not None
    assert np.average(adapted[:, 0], weights=weights) == pytest.approx(0.02)


def test_a_page_can_offer_the_prevalence_before_numpy_is_imported():
    code = "import sys, melanoma_core.evaluation.prevalence; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("melanoma", "skin_cancer", "expected"),
    [
        ("", " ", None),
        ("0", "0", Prevalence(0.0, 0.0)),
        ("2,5", "8", Prevalence(0.025, 0.08)),
        (",5 %", " 2.5", Prevalence(0.005, 0.025)),
        ("0.7", "100%", Prevalence(0.007, 1.0)),
    ],
)
def test_percentages_are_read_with_a_point_or_a_comma(melanoma, skin_cancer, expected):
    assert parse_percentages(melanoma, skin_cancer) == expected


@pytest.mark.parametrize("text", ["101", "2;5", "1.234,5", "-1", "1e1", "nan", "two", "٣", "1 2"])
def test_a_text_that_is_no_percentage_is_refused_by_its_own_words(text):
    with pytest.raises(SettingsError, match="as the share of melanomas"):
        parse_percentages(text, "8")


@pytest.mark.parametrize(
    ("melanoma", "skin_cancer", "message"),
    [
        ("2", "", "Found no share of skin cancers."),
        ("", "8", "Found no share of melanomas."),
        ("8", "2", "Found 8% melanomas and 2% skin cancers."),
    ],
)
def test_shares_that_no_clinic_has_are_refused(melanoma, skin_cancer, message):
    with pytest.raises(SettingsError, match=message):
        parse_percentages(melanoma, skin_cancer)
