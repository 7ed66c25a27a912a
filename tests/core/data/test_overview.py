import math
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.dataset import add_truth
from melanoma_core.data.layouts import Layout, find_collections
from melanoma_core.data.overview import (
    count_ages,
    count_classes,
    count_groups,
    count_labels,
    count_sizes,
    count_skin_tones,
    count_tiers,
    count_values,
    cross_confirmations,
    describe_imbalance,
    describe_labelled,
    describe_labels,
    effective_num_classes,
    imbalance_ratio,
    list_values,
    measure_spread,
    select_files,
    total_counts,
)
from melanoma_core.data.records import read_ground_truth, read_records
from melanoma_core.taxonomy import Diagnosis, RiskTier

MEL, NV, BCC, AK, DF = Diagnosis.MEL, Diagnosis.NV, Diagnosis.BCC, Diagnosis.AK, Diagnosis.DF


def make_table(*rows: tuple[str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["label", "subset"], dtype=object)


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


def test_imbalance_is_undefined_for_fewer_than_two_classes():
    assert describe_imbalance({}).startswith("Found 0 of the eight diagnoses.")
    assert describe_imbalance({Diagnosis.NV: 7, Diagnosis.MEL: 0}).startswith("Found 1 of the")


def test_imbalance_compares_the_largest_and_the_smallest_class():
    text = describe_imbalance({Diagnosis.NV: 75, Diagnosis.MEL: 25})

    assert "There are 3.0 images of nevus for each image of melanoma (imbalance ratio)." in text
    assert f"as diverse as {4 / 3**0.75:.1f} classes of equal size" in text
    assert "always predicts the largest class has an accuracy of 75.0%." in text


def test_confirmations_are_counted_by_diagnosis_in_their_order():
    table = pd.DataFrame(
        {
            "label": ["MEL", "NV", "NV", "NV", None],
            "confirmation": ["histopathology", "consensus", "follow-up", None, "consensus"],
        }
    )

    assert cross_confirmations(table.assign(confirmation=None)).empty
    assert cross_confirmations(table.head(0)).empty
    counts = cross_confirmations(table)
    assert list(counts.columns) == [
        *("histopathology", "follow-up", "consensus", "not stated", "total"),
    ]
    assert counts.loc["NV"].tolist() == [0, 1, 1, 1, 3]
    assert counts.loc["MEL"].tolist() == [1, 0, 0, 0, 1]


def test_skin_tones_are_counted_from_types_to_estimates():
    table = pd.DataFrame(
        {"fitzpatrick": ["II", None, None, None, "II"], "ita": [1.0, 60.0, -50.0, None, None]}
    )

    assert count_skin_tones(table).to_numpy().tolist() == [
        ["Fitzpatrick II", 2],
        ["very light (estimate)", 1],
        ["dark (estimate)", 1],
        ["unknown", 1],
    ]


def test_unreadable_and_unknown_files_are_counted(records):
    assert describe_labels(records) == (
        "Files: 4, including copies. Unreadable: 1. Without one of the eight diagnoses: 1."
    )


def test_unknown_values_are_listed_last_and_never_dropped(records):
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


def test_without_measurements_there_are_no_quantiles():
    empty = pd.DataFrame({"label": ["MEL"], "brightness": [None]})

    assert measure_spread(empty, "brightness").empty


def test_quantiles_are_computed_by_class_in_taxonomy_order(records):
    spread = measure_spread(records, "brightness")

    assert spread.index.tolist() == ["MEL", "NV"]
    assert spread["files"].tolist() == [1, 2]
    assert spread.loc["NV", 0.5] == pytest.approx(0.625)


def test_a_diagnosis_that_only_the_ground_truth_knows_is_counted():
    files = pd.DataFrame(
        {
            "name": ["nv", "nv", "akiec", "akiec", "akiec", None],
            "label": ["NV", "NV", None, None, None, None],
            "truth": ["NV", None, "AK", "SCC", None, None],
            "subset": None,
            "sha256": "0",
            "confirmation": "consensus",
            "brightness": 0.5,
        }
    )

    assert count_classes(files)["total"].to_dict() == {"NV": 2, "AK": 1, "SCC": 1}
    assert count_tiers(files)["total"].to_dict() == {
        "malignant": 1,
        "premalignant": 1,
        "benign": 2,
    }
    assert measure_spread(files, "brightness")["files"].to_dict() == {"NV": 2, "AK": 1, "SCC": 1}
    assert cross_confirmations(files)["total"].to_dict() == {"NV": 2, "AK": 1, "SCC": 1}
    assert describe_labels(files).endswith(
        "Without one of the eight diagnoses: 2. Diagnoses from the ISIC 2019 ground truth: 2."
    )


def test_labels_that_nothing_explains_are_a_row_and_count_in_the_share_of_the_largest_class():
    files = pd.DataFrame(
        {"name": ["nv"] * 6 + ["mel"] * 2 + ["akiec"] * 2, "subset": ["train"] * 9 + ["test"]}
    ).assign(label=["NV"] * 6 + ["MEL"] * 2 + [None] * 2)

    counts = count_labels(files)

    assert counts["total"].to_dict() == {"NV": 6, "MEL": 2, "other": 2}
    assert counts.loc["other"].to_dict() == {"train": 1, "test": 1, "total": 2}
    assert describe_labelled(counts).endswith(
        "has an accuracy of 60.0%. 2 have another label, which is none of them."
    )
    assert list(count_labels(files.head(8)).index) == ["NV", "MEL"]


def test_filters_match_values_missing_values_and_paths(records):
    assert select_files(records, {"sex": ["unknown"]})["path"].tolist() == ["d"]
    assert select_files(records, {"sex": ["male"], "label": []})["path"].tolist() == ["a", "c"]
    assert select_files(records, {}, paths={"b"})["path"].tolist() == ["b"]


def test_a_group_in_two_subsets_is_counted_as_shared():
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

    groups = count_groups(split).set_index("group")

    assert groups["shared"].to_dict() == {
        "lesions": 1,
        "patients": 0,
        "exact copies": 0,
        "exact and near copies": 0,
        "groups (all of the above)": 1,
    }
    assert groups.loc["lesions", ["known", "images"]].tolist() == [2, 3]


def test_totals_are_keyed_by_diagnosis():
    counts = pd.DataFrame({"train": [2, 1], "total": [3, 1]}, index=["NV", "MEL"])

    totals = total_counts(counts)

    assert totals == {Diagnosis.NV: 3, Diagnosis.MEL: 1}
    assert not any(math.isnan(total) for total in totals.values())


def test_without_images_the_imbalance_is_undefined():
    assert math.isnan(imbalance_ratio({}))
    assert math.isnan(effective_num_classes({MEL: 0}))
    assert count_classes(make_table()).empty
    assert count_tiers(make_table()).empty


def test_the_imbalance_ratio_of_one_class_is_undefined():
    assert math.isnan(imbalance_ratio({MEL: 7, NV: 0}))
    assert effective_num_classes({MEL: 7, NV: 0}) == pytest.approx(1.0)


def test_the_imbalance_ratio_is_the_largest_class_over_the_smallest():
    assert imbalance_ratio({MEL: 376, NV: 94, DF: 188}) == 4.0


def test_equal_classes_count_fully_and_a_rare_class_hardly():
    assert effective_num_classes({MEL: 5, NV: 5, DF: 5}) == pytest.approx(3.0)
    # 0.9 and 0.1: the entropy is 0.325083, its exponential 1.384145.
    assert effective_num_classes({MEL: 90, NV: 10}) == pytest.approx(1.384145, abs=1e-6)


def test_classes_are_counted_by_subset_largest_first():
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


def test_the_ground_truth_knows_every_akiec_of_ham10000(shared_data: Path):
    (ham,) = find_collections(shared_data / "ham10000")
    neighbours = find_collections(shared_data)  # labels without images are none alone
    (isic,) = (each for each in neighbours if each.layout is Layout.GROUND_TRUTH)
    files = read_records(ham).assign(truth=None, truth_table=None)
    alone = count_labels(files)
    assert alone["total"].to_dict() == {
        **{"NV": 6705, "MEL": 1113, "BKL": 1099, "BCC": 514, "VASC": 142, "DF": 115},
        "other": 327,
    }
    assert "has an accuracy of 66.9%. 327 have another label" in describe_labelled(alone)

    counts = count_labels(add_truth(files, read_ground_truth(isic)))

    assert counts["total"].sum() == 10015
    assert counts.loc[["AK", "SCC"], "total"].tolist() == [130, 197]
    assert describe_labelled(counts).endswith("has an accuracy of 66.9%.")
