from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import Action
from melanoma_core.data.dataset import COLUMNS, Dataset, hash_table, merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis


def make_records(*files: dict[str, object]) -> pd.DataFrame:
    """Return a file table as `load_records` does. By default, each file is another photograph."""
    default = dict.fromkeys(COLUMNS) | {"source": "s", "width": 9, "height": 9, "truth": None}
    rows = []
    for number, file in enumerate(files):
        own = {"path": Path(f"{number}.jpg"), "sha256": f"{number:064x}", "cluster": number}
        row = default | own | file
        rows.append(row | {"label": parse_diagnosis(str(row["name"]))})
    return pd.DataFrame(rows)


def list_changes(dataset: Dataset) -> list[list[object]]:
    """List path, action, label and reason of the files that are not kept with their own label."""
    changed = dataset.decisions[dataset.decisions["action"] != Action.KEEP]
    columns = ["path", "action", "label_used", "reason"]
    listed = changed[columns].astype(object)
    return listed.where(listed.notna(), None).values.tolist()


def test_without_readable_files_the_table_is_empty_and_the_decisions_say_why(tmp_path: Path):
    (tmp_path / "set" / "melanoma").mkdir(parents=True)
    (tmp_path / "set" / "melanoma" / "a.jpg").write_text("no image")

    dataset = merge_records(open_folder(tmp_path / "set", FactCache(tmp_path)).records)

    assert dataset.table.empty
    assert dataset.decisions["reason"].tolist() == ["the file cannot be read"]


def test_class_folders_become_a_table_sorted_by_id(tmp_path: Path, draw):
    draw(tmp_path / "data" / "set" / "nevus" / "b.jpg", 1)
    draw(tmp_path / "data" / "set" / "melanoma" / "a ü.jpg", 2, size=(200, 100))

    dataset = merge_records(open_folder(tmp_path / "data", FactCache(tmp_path)).records)

    assert tuple(dataset.table.columns) == COLUMNS
    assert dataset.table.index.tolist() == [0, 1]
    assert dataset.table["image_id"].tolist() == ["set/melanoma/a ü.jpg", "set/nevus/b.jpg"]
    assert dataset.table["label"].tolist() == ["MEL", "NV"]
    assert dataset.table["subset"].tolist() == ["unassigned", "unassigned"]
    assert dataset.table.loc[0, ["width", "height"]].tolist() == [200, 100]
    assert dataset.table[["lesion_id", "patient_id", "age", "sex", "licence"]].isna().all(axis=None)
    assert dataset.table["cluster"].nunique() == 2
    assert len(dataset.decisions) == 2
    assert list_changes(dataset) == []


def test_ground_truth_takes_precedence_over_a_folder_and_is_recorded():
    records = make_records({"image_id": "A", "name": "nevus", "truth": Diagnosis.AK})

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["AK"]
    decisions = dataset.decisions.astype(object)
    assert decisions.where(decisions.notna(), None).to_dict("records") == [
        {
            "path": "0.jpg",
            "image_id": "A",
            "source": "s",
            "action": "relabel",
            "label_found": "nevus",
            "label_used": "AK",
            "reason": "ISIC 2019 ground truth has another label",
            "copy_of": None,
            "confirmation": None,
        }
    ]


def test_ground_truth_resolves_akiec():
    records = make_records({"image_id": "A", "name": "akiec", "truth": Diagnosis.SCC})

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["SCC"]
    assert list_changes(dataset) == [
        ["0.jpg", "relabel", "SCC", "label from ISIC 2019 ground truth"]
    ]


def test_the_first_collection_takes_precedence():
    records = make_records(
        {"image_id": "A", "name": "mel", "source": "ham"},
        {"image_id": "A", "name": "nevus", "source": "folders"},
    )

    dataset = merge_records(records)

    assert dataset.table["label"].tolist() == ["MEL"]
    assert dataset.decisions["source"].tolist() == ["ham", "folders"]
    assert list_changes(dataset) == [
        ["1.jpg", "drop", "MEL", "another collection's table has another label"]
    ]
    assert dataset.decisions["copy_of"].dropna().to_dict() == {1: "0.jpg"}


def test_an_image_with_an_unresolved_contradiction_is_dropped():
    records = make_records(
        {"image_id": "A", "name": "melanoma"},
        {"image_id": "A", "name": "seborrheic keratosis"},
        {"image_id": "B", "name": "nevus"},
    )

    dataset = merge_records(records)

    assert dataset.table["image_id"].tolist() == ["B"]
    reason = "contradictory labels that no ground truth settles"
    assert list_changes(dataset) == [
        ["0.jpg", "drop", None, reason],
        ["1.jpg", "drop", None, reason],
    ]


def test_an_unknown_label_does_not_hide_a_known_one():
    records = make_records(
        {"image_id": "A", "name": "akiec"}, {"image_id": "A", "name": "melanoma"}
    )

    assert merge_records(records).table["label"].tolist() == ["MEL"]


def test_an_image_with_another_diagnosis_is_dropped_and_recorded():
    records = make_records({"image_id": "A", "name": "wart"}, {"image_id": "B", "name": "nevus"})

    dataset = merge_records(records)

    assert dataset.table["image_id"].tolist() == ["B"]
    assert list_changes(dataset) == [["0.jpg", "drop", None, "no label among the eight diagnoses"]]


def test_an_unreadable_copy_does_not_drop_the_readable_one():
    records = make_records(
        {"image_id": "A", "name": "nevus", "sha256": None, "path": Path("broken.jpg")},
        {"image_id": "A", "name": "nevus", "path": Path("whole.jpg")},
    )

    dataset = merge_records(records)

    assert dataset.table["path"].tolist() == ["whole.jpg"]
    assert list_changes(dataset) == [["broken.jpg", "drop", None, "the file cannot be read"]]


def test_an_image_in_train_and_in_test_is_a_test_image():
    records = make_records(
        {"image_id": "A", "name": "nevus", "subset": "train"},
        {"image_id": "A", "name": "nevus", "subset": "test"},
        {"image_id": "B", "name": "nevus", "subset": "train"},
    )

    assert merge_records(records).table["subset"].tolist() == ["test", "train"]


def test_the_first_file_is_used_and_others_fill_missing_values():
    records = make_records(
        {"image_id": "A", "name": "nevus", "path": Path("1.jpg"), "age": None, "sex": "male"},
        {"image_id": "A", "name": "nevus", "path": Path("2.jpg"), "age": 40.0, "sex": "female"},
    )

    (row,) = merge_records(records).table.to_dict("records")

    assert (row["path"], row["age"], row["sex"]) == ("1.jpg", 40.0, "male")


def test_the_hash_depends_on_content_and_not_on_order():
    table = pd.DataFrame(
        {"image_id": ["A", "B"], "sha256": ["0", "1"], "label": ["MEL", "NV"], "subset": "train"}
    )

    assert hash_table(table.iloc[::-1]) == hash_table(table)
    assert hash_table(table.assign(label="MEL")) != hash_table(table)
    assert hash_table(table.assign(subset="test")) != hash_table(table)
    assert hash_table(table.assign(path="elsewhere")) == hash_table(table)


def test_the_real_collections_merge_into_12427_images(real_dataset: Dataset):
    table = real_dataset.table

    assert len(table) == 12427
    assert table["image_id"].is_unique
    # Of the 30 images in full resolution, 24 are also in ISIC 2017, four in the nine-class set, and
    # two in no other collection. The largest file of each image is used.
    assert table["source"].value_counts().to_dict() == {
        "ham10000": 10013,
        "isic2017": 2125,
        "isic9": 259,
        "full_resolution": 30,
    }
    assert table["label"].value_counts().to_dict() == {
        "NV": 8192,
        "MEL": 1730,
        "BKL": 1395,
        "BCC": 514,
        "SCC": 202,
        "VASC": 142,
        "AK": 130,
        "DF": 122,
    }
    assert table["lesion_id"].notna().sum() == 10682


def test_five_real_photographs_with_two_ids_are_used_once(real_dataset: Dataset):
    images = set(real_dataset.table["image_id"])
    names = real_dataset.decisions.drop_duplicates("path").set_index("path")["image_id"]
    copies = real_dataset.decisions.dropna(subset=["copy_of"])
    kept = copies["copy_of"].map(names)
    renamed = copies[copies["image_id"] != kept]

    pairs = dict(zip(renamed["image_id"], kept[renamed.index], strict=True))

    assert pairs == {
        "ISIC_0029861": "ISIC_0024366",
        "ISIC_0029938": "ISIC_0024777",
        "ISIC_0012970": "ISIC_0012127",
        "ISIC_0000280": "ISIC_0000279",
        "ISIC_0000512": "ISIC_0000477",
    }
    assert set(pairs.values()) <= images
    assert not images & set(pairs)


def test_real_ground_truth_replaces_102_folder_labels_and_resolves_akiec(real_dataset: Dataset):
    decisions = real_dataset.decisions
    resolved = decisions[decisions["label_used"].notna()]
    resolved = resolved[resolved["reason"].str.contains("label", na=False)]

    counts = resolved.groupby(["source", "label_found", "label_used"]).size().to_dict()

    assert counts == {
        ("ham10000", "akiec", "AK"): 130,
        ("ham10000", "akiec", "SCC"): 197,
        ("isic9", "nevus", "AK"): 76,
        ("isic9", "seborrheic keratosis", "MEL"): 26,
    }


def test_56_real_images_with_contradictory_folders_are_dropped(real_dataset: Dataset):
    dropped = real_dataset.decisions[real_dataset.decisions["label_used"].isna()]

    assert dropped["image_id"].nunique() == 56
    assert not dropped["image_id"].isin(real_dataset.table["image_id"]).any()
    assert dropped.groupby("label_found").size().to_dict() == {
        "actinic keratosis": 2,
        "melanoma": 54,
        "nevus": 2,
        "seborrheic keratosis": 54,
    }
