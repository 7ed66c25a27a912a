import math

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from melanoma_core.data.balancing import (
    ClassPlan,
    check_parents,
    choose_parents,
    class_weights,
    effective_number_weights,
    plan_oversampling,
    simulate_leakage,
    tabulate_plan,
    tabulate_weights,
)
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis

MEL, NV, DF = Diagnosis.MEL, Diagnosis.NV, Diagnosis.DF


def make_table(counts: dict[Diagnosis, int], subset: str = "train") -> pd.DataFrame:
    labels = [label for label, count in counts.items() for _ in range(count)]
    ids = [f"{subset}-{index}" for index in range(len(labels))]
    return pd.DataFrame(
        {
            "image_id": ids,
            "label": pd.Series(labels, dtype=object),
            "subset": subset,
            "sha256": [f"sha-{image_id}" for image_id in ids],
        }
    )


def make_manifest(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"parent_image_id": table["image_id"], "parent_sha256": table["sha256"]}
    ).reset_index(drop=True)


def test_without_labels_there_are_no_weights():
    assert class_weights([]) == {}
    assert effective_number_weights([]) == {}


def test_a_single_class_has_weight_one():
    assert class_weights([MEL, MEL]) == {MEL: 1.0}
    assert effective_number_weights([MEL, MEL]) == {MEL: 1.0}


def test_class_weights_match_scikit_learn_and_average_one_over_the_images():
    labels = [MEL] * 2 + [NV] * 6 + [DF]
    weights = class_weights([*labels, None])
    assert weights == {MEL: 1.5, NV: 0.5, DF: 3.0}
    expected = compute_class_weight("balanced", classes=np.array([MEL, NV, DF]), y=labels)
    assert list(weights.values()) == pytest.approx(expected)
    assert sum(weights[label] for label in labels) / len(labels) == pytest.approx(1)


def test_effective_number_weights_lie_between_equal_and_inverse_frequency_weights():
    labels = [NV] * 30 + [MEL] * 10
    assert effective_number_weights(labels, beta=0) == {MEL: 1.0, NV: 1.0}
    inverse = effective_number_weights(labels, beta=1 - 1e-9)
    assert inverse[MEL] == pytest.approx(1.5, abs=1e-6)
    # Effective numbers (1 - 0.9^n) / 0.1: 6.513216 and 9.576088.
    weights = effective_number_weights(labels, beta=0.9)
    assert weights[MEL] / weights[NV] == pytest.approx(9.576088 / 6.513216, abs=1e-6)
    assert sum(weights.values()) == pytest.approx(2)


def test_weights_are_tabulated_largest_class_first():
    table = tabulate_weights([MEL] * 2 + [NV] * 6 + [DF] + [None])
    assert table.index.tolist() == [NV, MEL, DF]
    assert table["before"].tolist() == [6, 2, 1]
    assert table["after"].tolist() == [3, 3, 3]
    assert table["balanced"].tolist() == [0.5, 1.5, 3.0]
    weights = effective_number_weights([MEL] * 2 + [NV] * 6 + [DF])
    assert table["effective_number"].to_dict() == weights
    assert tabulate_weights([]).empty


@pytest.mark.parametrize("beta", [-0.1, 1, math.nan])
def test_a_beta_out_of_range_is_refused(beta):
    with pytest.raises(DatasetError, match=r"must lie in \[0, 1\)"):
        effective_number_weights([MEL], beta)


def test_a_table_without_labels_cannot_be_oversampled():
    with pytest.raises(DatasetError, match="Found 0 training images, none with a label"):
        plan_oversampling(make_table({}))
    with pytest.raises(DatasetError, match="Found 2 training images, none with a label"):
        plan_oversampling(make_table({MEL: 2}).assign(label=None))


@pytest.mark.parametrize("target", [0, -5])
def test_a_target_below_one_is_refused(target):
    with pytest.raises(DatasetError, match=f"Found a target of {target} images per class"):
        plan_oversampling(make_table({MEL: 2}), target)


def test_a_single_class_needs_no_synthetic_image():
    plan = plan_oversampling(make_table({MEL: 3}))
    assert plan.classes == (ClassPlan(MEL, 3, 0),)
    assert choose_parents(make_table({MEL: 3}), plan, seed=1) == []


def test_a_plan_fills_up_to_the_largest_class_or_to_a_target_and_removes_nothing():
    table = make_table({NV: 10, MEL: 4, DF: 1})
    plan = plan_oversampling(table)
    assert plan.classes == (ClassPlan(MEL, 4, 6), ClassPlan(NV, 10, 0), ClassPlan(DF, 1, 9))
    assert (plan.num_originals, plan.num_synthetic) == (15, 15)
    assert [c.num_after for c in plan.classes] == [10, 10, 10]
    assert [c.num_after for c in plan_oversampling(table, 5).classes] == [5, 10, 5]
    tabulated = tabulate_plan(plan_oversampling(table, 5))
    assert tabulated.index.tolist() == [NV, MEL, DF]
    assert tabulated.to_numpy().tolist() == [[10, 10], [4, 5], [1, 5]]


def test_other_labels_follow_the_diagnoses_in_alphabetical_order():
    labels = ["wart", "mole", "mole", NV, MEL, None]
    assert list(class_weights(labels)) == [MEL, NV, "mole", "wart"]
    assert class_weights(labels)["mole"] == 5 / (4 * 2)
    plan = plan_oversampling(make_table({"wart": 1, "mole": 3}))
    assert plan.classes == (ClassPlan("mole", 3, 0), ClassPlan("wart", 1, 2))


def test_the_originals_of_a_class_are_used_equally_often():
    table = make_table({NV: 12, MEL: 5})
    children = choose_parents(table, plan_oversampling(table), seed=1)
    used = pd.Series([child.parent for child in children]).value_counts()
    assert sorted(used) == [1, 1, 1, 2, 2]
    assert set(used.index) == {12, 13, 14, 15, 16}
    assert len(set(children)) == 7


def test_parents_depend_on_the_seed_and_not_on_the_order_of_rows():
    table = make_table({NV: 30, MEL: 20})
    plan = plan_oversampling(table)

    def parents(rows: pd.DataFrame, seed: int) -> set[str]:
        return {rows["image_id"].iloc[c.parent] for c in choose_parents(rows, plan, seed)}

    assert parents(table, 1) == parents(table[::-1], 1)
    assert parents(table, 1) != parents(table, 2)


def test_a_larger_target_keeps_the_children_of_a_smaller_one():
    table = make_table({NV: 30, MEL: 7})
    small = choose_parents(table, plan_oversampling(table, 20), seed=3)
    large = choose_parents(table, plan_oversampling(table, 30), seed=3)
    assert large[: len(small)] == small


def test_a_plan_made_for_another_table_is_refused():
    plan = plan_oversampling(make_table({NV: 3, MEL: 2}))
    with pytest.raises(DatasetError, match="Found a plan made for another table"):
        choose_parents(make_table({NV: 3, MEL: 1}), plan, seed=1)


@pytest.mark.parametrize("share", [0, 1, -0.2, math.nan])
def test_a_validation_share_out_of_range_is_refused(share):
    table = make_table({MEL: 2})
    with pytest.raises(DatasetError, match=r"must lie in \(0, 1\)"):
        simulate_leakage(table, plan_oversampling(table), share, seed=1)


def test_without_synthetic_images_no_parent_leaks():
    table = make_table({MEL: 50})
    leakage = simulate_leakage(table, plan_oversampling(table), 0.2, seed=1)
    assert leakage.num_validation == 10
    assert leakage.num_synthetic == 0
    assert leakage.num_relative_in_train == 0


def test_oversampling_before_the_split_leaks_as_often_as_chance_predicts():
    # A synthetic image's parent is in train 4 times out of 5.
    table = make_table({NV: 10_000, MEL: 5_000})
    leakage = simulate_leakage(table, plan_oversampling(table), 0.2, seed=1)
    assert leakage.num_validation == 4_000
    assert leakage.num_synthetic / 4_000 == pytest.approx(0.25, abs=0.02)
    assert leakage.num_parent_in_train / leakage.num_synthetic == pytest.approx(0.8, abs=0.03)
    # Half of the images have a relative, which is in train 4 times out of 5.
    assert leakage.num_relative_in_train / 4_000 == pytest.approx(0.4, abs=0.02)


def test_siblings_leak_even_where_the_parent_does_not():
    # One original and 99 children: every draw puts relatives on both sides.
    table = make_table({MEL: 1})
    leakage = simulate_leakage(table, plan_oversampling(table, 100), 0.2, seed=1)
    assert leakage.num_relative_in_train == leakage.num_validation == 20
    assert leakage.num_parent_in_train in {0, leakage.num_synthetic}


def test_children_of_the_train_subset_pass_the_check():
    train, validation = make_table({MEL: 3}), make_table({MEL: 2}, "validation")
    check_parents(make_manifest(train), pd.concat([train, validation]))
    check_parents(make_manifest(train[:0]), validation)


def test_a_parent_in_another_subset_is_found():
    train, validation = make_table({MEL: 3}), make_table({MEL: 2}, "validation")
    with pytest.raises(DatasetError) as caught:
        check_parents(make_manifest(validation), pd.concat([train, validation]))
    assert str(caught.value) == (
        "Found that 2 of 2 synthetic images have a parent that is not in the train subset (the "
        "first is validation-0). Metrics would be too optimistic. Oversample the train subset "
        "again."
    )


def test_a_copy_of_a_parent_in_another_subset_is_found():
    train, test = make_table({MEL: 3}), make_table({MEL: 2}, "test")
    test.loc[1, "sha256"] = "sha-train-2"
    with pytest.raises(DatasetError, match=r"1 of 3 .* copy in another subset .*train-2"):
        check_parents(make_manifest(train), pd.concat([train, test]))


def test_a_parent_whose_file_has_changed_is_found():
    train = make_table({MEL: 3})
    with pytest.raises(DatasetError, match=r"3 of 3 .* have a parent that has changed"):
        check_parents(make_manifest(train), train.assign(sha256="other"))
