import math

import numpy as np
import pytest

from melanoma_core.errors import DatasetError
from melanoma_core.lookalikes.measurement import measure_neighbourhood
from tests.core.lookalikes.conftest import turn


def test_without_other_lesions_nothing_is_measured():
    with pytest.raises(DatasetError, match="Found fewer than 5 lesions of other patients"):
        measure_neighbourhood(
            turn(0, 1).astype(np.float32), np.array(["MEL", "NV"]), np.arange(2), np.arange(2)
        )


def test_the_nearest_lesions_of_other_groups_are_counted_each_once():
    # Three photographs of one melanoma, another of the same patient, one melanoma, four nevi.
    vectors = turn(0, 1, 2, 3, 4, 50, 51, 52, 53).astype(np.float32)
    labels = np.array(["MEL"] * 5 + ["NV"] * 4)
    lesions = np.array([0, 0, 0, 1, 2, 3, 4, 5, 6])
    groups = np.array([0, 0, 0, 0, 1, 2, 3, 4, 5])

    measured = measure_neighbourhood(vectors, labels, lesions, groups, number=2)

    # Near each photograph of the first two lesions: lesion 2 and a nevus. Near lesion 2: both.
    assert measured.melanoma.value == pytest.approx((4 * 0.5 + 1) / 5)
    assert (measured.melanoma.total, measured.melanoma.num_lesions) == (5, 3)
    assert measured.other.value == 0
    assert measured.melanoma_by_chance == pytest.approx(3 / 7)
    assert measured.same["NV"].value == 1
    assert measured.same_overall.total == 9
    assert measured.same_by_chance == pytest.approx({"MEL": 3 / 7, "NV": 4 / 7})
    assert measured.melanoma.low <= measured.melanoma.value <= measured.melanoma.high


def test_without_a_melanoma_its_share_is_undefined():
    measured = measure_neighbourhood(
        turn(*range(6)).astype(np.float32), np.array(["NV"] * 6), np.arange(6), np.arange(6)
    )

    assert math.isnan(measured.melanoma.value)
    assert measured.other.value == 0
