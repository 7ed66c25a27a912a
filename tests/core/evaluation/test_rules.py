"""What counts as skin cancer, and which thresholds are refused."""

import numpy as np
import pytest

from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis

EIGHT = tuple(str(each) for each in Diagnosis)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_outside_its_range_is_named(threshold: float):
    with pytest.raises(ValueError, match=r"^skin_cancer_threshold is .*must be in \[0, 1\]"):
        DecisionRules(EIGHT, 0, skin_cancer_threshold=threshold)


def test_skin_cancers_are_melanoma_and_both_carcinomas_but_not_actinic_keratosis():
    assert SKIN_CANCERS == ("MEL", "BCC", "SCC")
    assert DecisionRules(EIGHT, 0).skin_cancer_indices == (0, 2, 7)


def test_without_carcinomas_melanoma_is_the_only_skin_cancer_whatever_its_name():
    assert DecisionRules(("nevus", "melanoma"), 1).skin_cancer_indices == (1,)


def test_a_reading_and_an_evaluation_get_the_same_sum_to_the_last_bit():
    rules = DecisionRules(EIGHT, 0)
    probabilities = np.random.default_rng(3).dirichlet(np.full(8, 0.3), size=1000)

    together = rules.add_skin_cancers(probabilities.T)

    assert together.tolist() == [rules.add_skin_cancers(row.tolist()) for row in probabilities]
