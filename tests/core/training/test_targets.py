"""Labels of a risk tier among the targets of a training."""

import pandas as pd
import pytest

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.targets import find_members, list_targets, select_classes


def test_without_tiers_the_targets_are_the_classes():
    assert list_targets([], ("MEL", "NV")) == ("MEL", "NV")
    assert find_members(("MEL", "NV"), ("MEL", "NV")) == ()


def test_tiers_follow_the_classes_highest_risk_first():
    targets = list_targets(["benign", "NV", "malignant", "benign"], tuple(Diagnosis))

    assert targets == (*map(str, Diagnosis), "malignant", "benign")
    # MEL, BCC, SCC; NV, BKL, DF, VASC.
    assert find_members(targets, tuple(Diagnosis)) == ((0, 2, 7), (1, 4, 5, 6))


def test_a_class_that_is_called_like_a_tier_is_a_class():
    assert list_targets(["benign"], ("melanoma", "benign")) == ("melanoma", "benign")


def test_a_tier_without_a_class_is_refused():
    with pytest.raises(DatasetError, match='label "premalignant", and no premalignant diagnosis'):
        find_members(("MEL", "NV", "premalignant"), ("MEL", "NV"))


def test_rows_of_a_class_are_selected_and_a_tier_can_be_one():
    table = pd.DataFrame({"label": ["MEL", "benign", "nevus"]})

    assert select_classes(table, ("MEL", "nevus"))["label"].tolist() == ["MEL", "nevus"]
    assert select_classes(table, ("MEL", "benign"))["label"].tolist() == ["MEL", "benign"]
