import math

import numpy as np
import pandas as pd
import pytest

from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.slices import Slice, gather_attributes, measure_slices

RULES = DecisionRules(("MEL", "NV"), 0, threshold=0.6)


def measure(attributes: dict, lesion_ids: np.ndarray | None = None) -> dict[tuple, Slice]:
    """Measure images of which the second half are melanomas, with increasing probability."""
    table = pd.DataFrame(attributes)
    num = len(table)
    lesions = np.arange(num) if lesion_ids is None else lesion_ids
    probability = np.linspace(0, 1, num)
    probabilities = np.stack([probability, 1 - probability], axis=1)
    labels = np.where(np.arange(num) >= num // 2, 0, 1)
    predictions = LabelledPredictions(probabilities, labels, lesions, table)
    slices = measure_slices(resample_lesions(lesions, 100), predictions, RULES)
    return {(each.attribute, each.value): each for each in slices}


def test_ages_are_grouped_and_missing_ages_kept_apart():
    slices = measure({"age": [0, 29, 30, 44.5, 60, 74, 75, 90, np.nan, 45]})
    assert {value: each.num_images for (_, value), each in slices.items()} == {
        "under 30": 2,
        "30 to 44": 2,
        "45 to 59": 1,
        "60 to 74": 2,
        "75 and over": 2,
        "not recorded": 1,
    }


def test_an_attribute_without_values_has_no_slices():
    slices = measure({"sex": ["male", "female"] * 5, "site": [None] * 10, "weight": range(10)})
    assert set(slices) == {("sex", "female"), ("sex", "male")}


def test_a_slice_is_measured_as_if_it_were_alone():
    source = ["a"] * 30 + ["b"] * 50 + ["a"] * 20
    figures = measure({"source": source})[("source", "a")].figures
    probability = np.linspace(0, 1, 100)
    chosen = np.array(source) == "a"
    melanoma = chosen & (np.arange(100) >= 50)
    assert figures["sensitivity"].total == 20
    assert figures["sensitivity"].value == (probability[melanoma] >= 0.6).mean()
    assert figures["melanoma_roc_auc"].value == 1
    assert (figures["melanoma_roc_auc"].total, figures["melanoma_roc_auc"].num_lesions) == (50, 50)


def test_a_slice_without_melanoma_has_undefined_metrics_and_a_warning():
    young = measure({"sex": ["female"] * 5 + ["male"] * 5})[("sex", "female")]
    assert math.isnan(young.figures["sensitivity"].value)
    assert math.isnan(young.figures["melanoma_roc_auc"].value)
    assert young.warning == "Too few lesions: 0 melanomas and 5 other lesions"


@pytest.mark.parametrize(
    ("melanomas", "others", "warning"),
    [
        (30, 30, ""),
        (1, 400, ": 1 melanoma"),
        (29, 400, ": 29 melanomas"),
        (400, 3, ": 3 other lesions"),
    ],
)
def test_fewer_than_thirty_lesions_of_a_kind_are_too_few(melanomas: int, others: int, warning: str):
    num = melanomas + others
    labels = np.where(np.arange(num) < melanomas, 0, 1)
    attributes = pd.DataFrame({"sex": ["male"] * num})
    predictions = LabelledPredictions(np.full((num, 2), 0.5), labels, np.arange(num), attributes)
    (only,) = measure_slices(resample_lesions(np.arange(num), 10), predictions, RULES)
    assert warning in only.warning
    assert bool(warning) == bool(only.warning)


def test_a_slice_counts_lesions_not_images():
    slices = measure({"sex": ["male"] * 200}, np.repeat(np.arange(20), 10))
    assert slices[("sex", "male")].num_melanomas == 10


def test_slices_by_confirmation_and_skin_tone_are_in_the_order_of_certainty_and_of_tone():
    table = pd.DataFrame(
        {
            "confirmation": ["follow-up", "histopathology", None, "confocal"],
            "fitzpatrick": ["IV", None, None, "II"],
            "ita": [60.0, 60.0, np.nan, np.nan],
        }
    )
    slices = measure_slices(
        resample_lesions(np.arange(4), 10),
        LabelledPredictions(
            np.full((4, 2), 0.5), np.array([0, 1, 0, 1]), np.arange(4), gather_attributes(table)
        ),
        RULES,
    )
    assert [(each.attribute, each.value) for each in slices] == [
        ("confirmation", "histopathology"),
        ("confirmation", "follow-up"),
        ("confirmation", "confocal"),
        ("confirmation", "not recorded"),
        ("skin_tone", "Fitzpatrick II"),
        ("skin_tone", "Fitzpatrick IV"),
        ("skin_tone", "very light (estimate)"),
        ("skin_tone", "not recorded"),
    ]


def test_a_slice_has_the_metrics_of_skin_cancer_and_says_where_its_lesions_are_too_few():
    labels = np.repeat([0, 1, 2], [40, 60, 20])
    probabilities = np.eye(3)[labels] * 0.7 + 0.1
    rules = DecisionRules(("MEL", "NV", "BCC"), 0, threshold=0.5, skin_cancer_threshold=0.5)
    (only,) = measure_slices(
        resample_lesions(np.arange(120), 10),
        LabelledPredictions(
            probabilities, labels, np.arange(120), pd.DataFrame({"sex": ["male"] * 120})
        ),
        rules,
    )
    assert (only.num_melanomas, only.num_others, only.num_skin_cancers) == (40, 80, 60)
    assert only.figures["skin_cancer_roc_auc"].value == 1
    assert only.figures["skin_cancer_sensitivity"].total == 60
    assert only.figures["skin_cancer_specificity"].total == 60
    assert only.warning == ""
