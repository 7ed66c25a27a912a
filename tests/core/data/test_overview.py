import math

import pandas as pd
import pytest

from melanoma_core.data.overview import (
    count_ages,
    count_groups,
    count_sizes,
    count_values,
    describe_imbalance,
    describe_labels,
    list_values,
    measure_spread,
    select_files,
    total_counts,
)
from melanoma_core.taxonomy import Diagnosis


@pytest.fixture
def records() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": ["a", "b", "c", "d"],
            "label": ["MEL", "NV", "NV", None],
            "sha256": ["1", "2", "3", None],
            "age": [9.0, 10.0, 19.0, None],
            "sex": ["male", "female", "male", None],
            "width": [600, 600, 400, None],
            "height": [450, 450, 400, None],
            "brightness": [0.25, 0.5, 0.75, None],
        }
    )


def test_no_class_and_one_class_have_no_balance_to_tell():
    assert describe_imbalance({}).startswith("Found 0 of the eight diagnoses.")
    assert describe_imbalance({Diagnosis.NV: 7, Diagnosis.MEL: 0}).startswith("Found 1 of the")


def test_imbalance_is_told_between_the_largest_and_the_smallest_class():
    told = describe_imbalance({Diagnosis.NV: 75, Diagnosis.MEL: 25})

    assert "For each photograph of melanoma there are 3.0 of nevus (imbalance ratio)." in told
    assert f"as diverse as {4 / 3**0.75:.1f} classes of equal size" in told
    assert "right on 75.0% and has learnt nothing" in told


def test_unreadable_and_unknown_files_are_counted(records):
    assert describe_labels(records).startswith(
        "4 files, of which 1 cannot be read and 1 have a label that is none"
    )


def test_what_is_unknown_is_shown_last_and_never_dropped(records):
    assert count_values(records, "sex").to_numpy().tolist() == [
        ["male", 2],
        ["female", 1],
        ["unknown", 1],
    ]
    assert count_ages(records).to_numpy().tolist() == [["0–9", 1], ["10–19", 2], ["unknown", 1]]
    assert count_sizes(records).to_numpy().tolist() == [
        ["600 × 450", 2],
        ["400 × 400", 1],
        ["unknown", 1],
    ]
    assert list_values(records, "sex") == ["female", "male", "unknown"]


def test_nothing_measured_has_no_spread():
    empty = pd.DataFrame({"label": ["MEL"], "brightness": [None]})

    assert measure_spread(empty, "brightness").empty


def test_spread_is_told_by_class_in_the_order_of_the_diagnoses(records):
    spread = measure_spread(records, "brightness")

    assert spread.index.tolist() == ["MEL", "NV"]
    assert spread["files"].tolist() == [1, 2]
    assert spread.loc["NV", 0.5] == pytest.approx(0.625)


def test_a_choice_of_the_unknown_finds_what_is_missing(records):
    assert select_files(records, {"sex": ["unknown"]})["path"].tolist() == ["d"]
    assert select_files(records, {"sex": ["male"], "label": []})["path"].tolist() == ["a", "c"]
    assert select_files(records, {}, paths={"b"})["path"].tolist() == ["b"]


def test_a_group_in_two_subsets_is_counted_as_parted():
    split = pd.DataFrame(
        {
            "subset": ["train", "test", "test"],
            "lesion_id": ["L1", "L1", "L2"],
            "patient_id": None,
            "sha256": ["1", "2", "3"],
            "cluster": [1, 2, 2],
            "group": [1, 1, 2],
        }
    )

    proof = count_groups(split).set_index("group")

    assert proof["shared"].to_dict() == {
        "lesions": 1,
        "patients": 0,
        "byte-identical files": 0,
        "copies and near copies": 0,
        "all of them, carried over": 1,
    }
    assert proof.loc["lesions", ["known", "images"]].tolist() == [2, 3]


def test_totals_are_by_diagnosis():
    counts = pd.DataFrame({"train": [2, 1], "total": [3, 1]}, index=["NV", "MEL"])

    totals = total_counts(counts)

    assert totals == {Diagnosis.NV: 3, Diagnosis.MEL: 1}
    assert not any(math.isnan(total) for total in totals.values())
