from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.dataset import COLUMNS, Dataset, hash_table, load_dataset, merge_records
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis


def make_records(*files: dict[str, object]) -> pd.DataFrame:
    """Records as `load_dataset` gives them to `merge_records`, filled in where a test says none."""
    usual = dict.fromkeys(COLUMNS) | {"source": "s", "sha256": "00", "dhash": "0" * 64}
    rows = []
    for file in files:
        row = usual | {"path": Path("a.jpg"), "width": 9, "height": 9, "truth": None} | file
        rows.append(row | {"label": parse_diagnosis(str(row["name"]))})
    return pd.DataFrame(rows)


def test_no_readable_file_leaves_nothing_and_says_so(tmp_path: Path):
    (tmp_path / "melanoma").mkdir()
    (tmp_path / "melanoma" / "a.jpg").write_text("no picture")

    with pytest.raises(DatasetError, match=r"1 × the file cannot be read\. Add photographs"):
        load_dataset(tmp_path)


def test_an_empty_train_folder_is_no_dataset(tmp_path: Path):
    (tmp_path / "Train" / "melanoma").mkdir(parents=True)

    with pytest.raises(DatasetError, match="no file at all"):
        load_dataset(tmp_path)


def test_class_folders_become_a_table_in_the_order_of_the_ids(tmp_path: Path, draw):
    draw(tmp_path / "set" / "nevus" / "b.jpg", 1)
    draw(tmp_path / "set" / "melanoma" / "a ü.jpg", 2, size=(200, 100))

    dataset = load_dataset(tmp_path)

    assert tuple(dataset.table.columns) == COLUMNS
    assert dataset.table.index.tolist() == [0, 1]
    assert dataset.table["image_id"].tolist() == ["set/melanoma/a ü.jpg", "set/nevus/b.jpg"]
    assert dataset.table["label"].tolist() == ["MEL", "NV"]
    assert dataset.table["subset"].tolist() == ["unassigned", "unassigned"]
    assert dataset.table.loc[0, ["width", "height"]].tolist() == [200, 100]
    assert dataset.table[["lesion_id", "patient_id", "age", "sex", "licence"]].isna().all(axis=None)
    assert dataset.decisions.empty


def test_ground_truth_overrules_a_folder_and_the_decision_is_told():
    records = make_records({"image_id": "A", "name": "nevus", "truth": Diagnosis.AK})

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["AK"]
    assert dataset.decisions.to_dict("records") == [
        {
            "image_id": "A",
            "source": "s",
            "found": "nevus",
            "used": "AK",
            "reason": "ISIC 2019 ground truth has another label",
        }
    ]


def test_ground_truth_settles_akiec():
    records = make_records({"image_id": "A", "name": "akiec", "truth": Diagnosis.SCC})

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["SCC"]
    assert dataset.decisions["reason"].tolist() == ["label from ISIC 2019 ground truth"]


def test_a_table_overrules_a_folder_since_it_comes_first():
    records = make_records(
        {"image_id": "A", "name": "mel", "source": "ham"},
        {"image_id": "A", "name": "nevus", "source": "folders"},
    )

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["MEL"]
    assert dataset.decisions[["source", "reason"]].values.tolist() == [
        ["folders", "another collection's table has another label"]
    ]


def test_a_contradiction_that_nothing_settles_leaves_the_image_out():
    records = make_records(
        {"image_id": "A", "name": "melanoma"},
        {"image_id": "A", "name": "seborrheic keratosis"},
        {"image_id": "B", "name": "nevus"},
    )

    dataset = merge_records(records)

    assert dataset.table["image_id"].tolist() == ["B"]
    assert dataset.decisions["used"].isna().tolist() == [True, True]
    assert set(dataset.decisions["reason"]) == {"contradictory labels that no ground truth settles"}


def test_an_unknown_label_does_not_silence_a_known_one():
    records = make_records(
        {"image_id": "A", "name": "akiec"}, {"image_id": "A", "name": "melanoma"}
    )

    assert merge_records(records).table["label"].tolist() == ["MEL"]


def test_an_image_without_any_of_the_eight_diagnoses_is_left_out_and_told():
    records = make_records({"image_id": "A", "name": "wart"}, {"image_id": "B", "name": "nevus"})

    dataset = merge_records(records)

    assert dataset.table["image_id"].tolist() == ["B"]
    assert dataset.decisions["reason"].tolist() == ["no label among the eight diagnoses"]


def test_an_unreadable_copy_does_not_take_the_readable_one_with_it():
    records = make_records(
        {"image_id": "A", "name": "nevus", "sha256": None, "path": Path("broken.jpg")},
        {"image_id": "A", "name": "nevus", "path": Path("whole.jpg")},
    )

    dataset = merge_records(records)

    assert dataset.table["path"].tolist() == [Path("whole.jpg")]
    assert dataset.decisions["reason"].tolist() == ["the file cannot be read"]


def test_an_image_in_train_and_in_test_is_a_test_image():
    records = make_records(
        {"image_id": "A", "name": "nevus", "subset": "train"},
        {"image_id": "A", "name": "nevus", "subset": "test"},
        {"image_id": "B", "name": "nevus", "subset": "train"},
    )

    assert merge_records(records).table["subset"].tolist() == ["test", "train"]


def test_the_first_file_gives_the_picture_and_the_others_what_it_does_not_know():
    records = make_records(
        {"image_id": "A", "name": "nevus", "path": Path("1.jpg"), "age": None, "sex": "male"},
        {"image_id": "A", "name": "nevus", "path": Path("2.jpg"), "age": 40.0, "sex": "female"},
    )

    (row,) = merge_records(records).table.to_dict("records")

    assert (row["path"], row["age"], row["sex"]) == (Path("1.jpg"), 40.0, "male")


def test_the_hash_is_of_what_the_table_says_and_not_of_its_order():
    table = pd.DataFrame(
        {"image_id": ["A", "B"], "sha256": ["0", "1"], "label": ["MEL", "NV"], "subset": "train"}
    )

    assert hash_table(table.iloc[::-1]) == hash_table(table)
    assert hash_table(table.assign(label="MEL")) != hash_table(table)
    assert hash_table(table.assign(subset="test")) != hash_table(table)
    assert hash_table(table.assign(path="elsewhere")) == hash_table(table)


def test_the_real_collections_merge_into_12430_images(real_dataset: Dataset):
    table = real_dataset.table

    assert len(table) == 12430
    assert table["image_id"].is_unique
    assert table["source"].value_counts().to_dict() == {
        "ham10000": 10015,
        "isic2017": 2150,
        "isic9": 265,
    }
    assert table["label"].value_counts().to_dict() == {
        "NV": 8195,
        "MEL": 1730,
        "BKL": 1395,
        "BCC": 514,
        "SCC": 202,
        "VASC": 142,
        "AK": 130,
        "DF": 122,
    }
    assert table["lesion_id"].notna().sum() == 10684


def test_real_ground_truth_wins_over_102_folder_labels_and_settles_akiec(real_dataset: Dataset):
    decisions = real_dataset.decisions
    settled = decisions.dropna(subset=["used"])

    counts = settled.groupby(["source", "found", "used"]).size().to_dict()

    assert counts == {
        ("ham10000", "akiec", "AK"): 130,
        ("ham10000", "akiec", "SCC"): 197,
        ("isic9", "nevus", "AK"): 76,
        ("isic9", "seborrheic keratosis", "MEL"): 26,
    }


def test_56_real_images_whose_folders_contradict_each_other_are_left_out(real_dataset: Dataset):
    left_out = real_dataset.decisions[real_dataset.decisions["used"].isna()]

    assert left_out["image_id"].nunique() == 56
    assert not left_out["image_id"].isin(real_dataset.table["image_id"]).any()
    assert left_out.groupby("found").size().to_dict() == {
        "actinic keratosis": 2,
        "melanoma": 54,
        "nevus": 2,
        "seborrheic keratosis": 54,
    }
