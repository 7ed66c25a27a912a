import math

import pandas as pd
import pytest

from melanoma_core.data.overview import (
    count_classes,
    count_tiers,
    effective_num_classes,
    imbalance_ratio,
)
from melanoma_core.taxonomy import Diagnosis, RiskTier

MEL, NV, BCC, AK, DF = Diagnosis.MEL, Diagnosis.NV, Diagnosis.BCC, Diagnosis.AK, Diagnosis.DF


def make_table(*rows: tuple[str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["label", "subset"], dtype=object)


def test_no_image_has_no_imbalance_and_no_number_of_classes():
    assert math.isnan(imbalance_ratio({}))
    assert math.isnan(effective_num_classes({MEL: 0}))
    assert count_classes(make_table()).empty
    assert count_tiers(make_table()).empty


def test_one_class_is_one_class_and_has_nothing_to_be_compared_with():
    assert math.isnan(imbalance_ratio({MEL: 7, NV: 0}))
    assert effective_num_classes({MEL: 7, NV: 0}) == pytest.approx(1.0)


def test_the_ratio_is_the_largest_class_by_the_smallest():
    assert imbalance_ratio({MEL: 376, NV: 94, DF: 188}) == 4.0


def test_equal_classes_count_whole_and_a_rare_one_hardly():
    assert effective_num_classes({MEL: 5, NV: 5, DF: 5}) == pytest.approx(3.0)
    # 0.9 and 0.1: the entropy is 0.325083, its exponential 1.384145.
    assert effective_num_classes({MEL: 90, NV: 10}) == pytest.approx(1.384145, abs=1e-6)


def test_classes_are_counted_by_subset_the_largest_first():
    counts = count_classes(
        make_table((MEL, "train"), (NV, "train"), (NV, "test"), (NV, None), (None, "train"))
    )
    assert list(counts.index) == [NV, MEL]
    assert list(counts.columns) == ["train", "test", "unassigned", "total"]
    assert counts.to_numpy().tolist() == [[1, 1, 1, 3], [1, 0, 0, 1]]


def test_tiers_are_counted_in_the_order_of_concern():
    counts = count_tiers(
        make_table((NV, "train"), (NV, "train"), (AK, "train"), (MEL, "test"), (BCC, "train"))
    )
    assert list(counts.index) == [RiskTier.MALIGNANT, RiskTier.PREMALIGNANT, RiskTier.BENIGN]
    assert counts["total"].tolist() == [2, 1, 2]
    assert counts["test"].tolist() == [1, 0, 0]
