from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.evaluation.prevalence import Prevalence, adapt_probabilities
from melanoma_core.models.adaptation import (
    adapt_reading,
    find_trained_prevalence,
    make_prevalence,
)
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.predictions import get_probabilities, index_labels
from melanoma_core.taxonomy import SKIN_CANCERS

CLINIC = Prevalence(melanoma=0.02, skin_cancer=0.08)
COUNTS = {"MEL": 200, "NV": 400, "BCC": 200, "AK": 0, "BKL": 100, "DF": 0, "VASC": 0, "SCC": 100}


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    card = load_card(bundled)
    return replace(card, data=card.data | {"images_by_label": {"train": COUNTS}})


def test_a_card_without_frequencies_is_not_adapted(card: ModelCard):
    unknown = replace(card, data={})
    assert find_trained_prevalence(unknown) is None
    assert adapt_reading(unknown, (0.3, 0.7, 0, 0, 0, 0, 0, 0), CLINIC) is None


def test_a_reading_that_is_impossible_in_the_clinic_is_not_adapted(card: ModelCard):
    assert adapt_reading(card, (1, 0, 0, 0, 0, 0, 0, 0), Prevalence(0, 0)) is None


def test_a_reading_is_adapted_to_the_clinic(card: ModelCard):
    # By hand, as in test_prevalence: 0.04, 0.736, 0.02 and 0.02 of 0.816.
    adapted = adapt_reading(card, (0.4, 0.4, 0.1, 0, 0, 0, 0, 0.1), CLINIC)
    assert adapted is not None
    assert adapted.prevalence is CLINIC
    assert adapted.melanoma_probability == pytest.approx(0.04 / 0.816)
    assert adapted.skin_cancer_probability == pytest.approx(0.08 / 0.816)
    assert sum(adapted.probabilities) == pytest.approx(1)


def test_the_prevalence_of_the_training_data_is_counted(card: ModelCard):
    assert find_trained_prevalence(card) == Prevalence(0.2, 0.5)


def test_on_the_test_photographs_the_adapted_probabilities_agree_with_the_clinic(bundled: Path):
    # Test photographs weighted to the clinic. Before, melanoma seems more than twice as frequent.
    card = load_card(bundled)
    split = pd.read_csv(bundled / "split.csv.gz", dtype=str)
    table = pd.read_csv(bundled / "predictions.csv.gz").merge(split, on="image_id")
    probabilities = get_probabilities(table, card.class_names)
    labels = np.array(card.class_names)[index_labels(table, card.class_names)]
    is_melanoma, is_cancer = labels == "MEL", np.isin(labels, SKIN_CANCERS)
    kinds = [is_melanoma, is_cancer & ~is_melanoma, ~is_cancer]
    weights = np.select(
        kinds, [share / kind.mean() for share, kind in zip(CLINIC.shares, kinds, strict=True)]
    )
    adapted = adapt_probabilities(probabilities, card.class_names, card.frequencies, CLINIC)
    assert adapted is not None
    before, after = (
        np.average(rows[:, card.melanoma_index], weights=weights)
        for rows in (probabilities, adapted)
    )
    assert before > 0.05
    assert after == pytest.approx(0.02, abs=0.005)
    cancers = adapted[:, list(card.rules.skin_cancer_indices)].sum(axis=1)
    assert np.average(cancers, weights=weights) == pytest.approx(0.08, abs=0.02)


def test_of_a_clinic_that_counts_only_melanomas_the_other_lesions_keep_their_proportions(
    card: ModelCard,
):
    trained = find_trained_prevalence(card)
    assert trained is not None
    prevalence = make_prevalence(card, 0.02)
    assert prevalence is not None
    _, others, rest = trained.shares
    assert prevalence.melanoma == 0.02
    assert prevalence.skin_cancer == pytest.approx(0.02 + 0.98 * others / (others + rest))
    same = make_prevalence(card, trained.melanoma)
    assert same is not None
    assert same.skin_cancer == pytest.approx(trained.skin_cancer)
    assert make_prevalence(card, 1.0) == Prevalence(1.0, 1.0)
    assert make_prevalence(replace(card, data={}), 0.02) is None
