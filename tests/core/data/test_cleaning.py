from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.cleaning import (
    DECISION_COLUMNS,
    Action,
    apply_decisions,
    decide_files,
    apply_manual_decisions,
    read_decisions,
    write_decisions,
)
from melanoma_core.data.dataset import Dataset, load_dataset
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

FOLDER = Path("/data")


def make_records(*rows: dict) -> pd.DataFrame:
    """A file table: every file is a readable nevus of its own until a row says otherwise."""
    table = [
        {
            "image_id": f"id{number}",
            "path": FOLDER / f"{number}.jpg",
            "name": "nevus",
            "subset": None,
            "lesion_id": None,
            "patient_id": None,
            "source": "isic9",
            "sha256": f"bytes{number}",
            "pixel_sha256": f"pixels{number}",
            "cluster": number,
            "age": None,
            "truth": None,
        }
        | row
        for number, row in enumerate(rows)
    ]
    records = pd.DataFrame(table).astype(object)
    labels = [parse_diagnosis(name) if name else None for name in records["name"]]
    return records.assign(label=pd.Series(labels, dtype=object))


def tell(decisions: pd.DataFrame) -> list[tuple]:
    told = decisions[["action", "label_used", "reason"]].astype(object)
    return list(told.where(told.notna(), None).itertuples(index=False, name=None))


COPY = {"sha256": "same", "pixel_sha256": "same", "cluster": 99}


def test_a_file_that_nothing_is_wrong_with_is_kept_without_a_reason() -> None:
    assert tell(decide_files(make_records({}))) == [("keep", "NV", None)]


def test_a_file_that_cannot_be_read_is_dropped() -> None:
    records = make_records({"sha256": None, "pixel_sha256": None, "cluster": None})
    decisions = decide_files(records)
    assert tell(decisions) == [("drop", None, "the file cannot be read")]
    assert apply_decisions(records, decisions).empty


def test_a_label_that_is_no_diagnosis_is_dropped() -> None:
    decisions = decide_files(make_records({"name": "wart"}))
    assert tell(decisions) == [("drop", None, "no label among the eight diagnoses")]
    assert decisions["label_found"].tolist() == ["wart"]


def test_a_label_that_is_no_diagnosis_is_taken_from_the_ground_truth() -> None:
    decisions = decide_files(make_records({"name": "akiec", "truth": "SCC"}))
    assert tell(decisions) == [("relabel", "SCC", "label from ISIC 2019 ground truth")]


def test_one_file_of_each_picture_is_kept() -> None:
    decisions = decide_files(make_records(COPY, COPY, {}))
    assert tell(decisions) == [
        ("keep", "NV", None),
        ("drop", "NV", "copy of an image that is kept"),
        ("keep", "NV", None),
    ]
    assert decisions["copy_of"].tolist()[1] == "/data/0.jpg"


def test_a_near_copy_is_kept_beside_its_like() -> None:
    decisions = decide_files(make_records({"cluster": 5}, {"cluster": 5}))
    assert decisions["action"].tolist() == ["keep", "keep"]


def test_copies_that_contradict_each_other_are_all_dropped() -> None:
    decisions = decide_files(make_records(COPY, COPY | {"name": "melanoma"}))
    assert (
        tell(decisions) == [("drop", None, "contradictory labels that no ground truth settles")] * 2
    )


def test_ground_truth_settles_a_contradiction() -> None:
    truth = COPY | {"truth": "MEL"}
    decisions = decide_files(make_records(truth, truth | {"name": "melanoma"}))
    assert tell(decisions) == [
        ("relabel", "MEL", "ISIC 2019 ground truth has another label"),
        ("drop", "MEL", "copy of an image that is kept"),
    ]


def test_two_ground_truths_on_one_picture_settle_nothing() -> None:
    decisions = decide_files(make_records(COPY | {"truth": "MEL"}, COPY | {"truth": "NV"}))
    assert decisions["action"].tolist() == ["drop", "drop"]


def test_the_first_collection_settles_a_contradiction_with_a_later_one() -> None:
    rows = ({"image_id": "x", "source": "ham10000"}, {"image_id": "x", "name": "melanoma"})
    assert tell(decide_files(make_records(*rows))) == [
        ("keep", "NV", None),
        ("drop", "NV", "another collection's table has another label"),
    ]


def test_test_wins_a_copy_over_train() -> None:
    records = make_records(COPY | {"subset": "train"}, COPY | {"subset": "test"})
    decisions = decide_files(records)
    assert tell(decisions) == [
        ("drop", "NV", "copy of an image in Test"),
        ("keep", "NV", None),
    ]
    assert apply_decisions(records, decisions)["subset"].tolist() == ["test"]


@pytest.mark.parametrize("tie", ["lesion_id", "patient_id", "cluster"])
def test_a_train_image_that_is_tied_to_test_is_dropped(tie: str) -> None:
    rows = ({"subset": "train", tie: 7}, {"subset": "test", tie: 7}, {"subset": "train"})
    assert tell(decide_files(make_records(*rows))) == [
        ("drop", None, "its lesion, its patient or a near copy of it is in Test"),
        ("keep", "NV", None),
        ("keep", "NV", None),
    ]


def test_an_image_that_another_collection_leaves_unassigned_stays_for_the_split() -> None:
    rows = (
        {"image_id": "x", "source": "ham10000", "lesion_id": "L"},
        {"image_id": "x", "subset": "train"},
        {"image_id": "y", "subset": "test", "lesion_id": "L"},
    )
    assert decide_files(make_records(*rows))["action"].tolist() == ["keep", "drop", "keep"]


def test_a_test_image_that_is_dropped_takes_nothing_from_train() -> None:
    rows = (
        {"subset": "train", "lesion_id": "L"},
        {"subset": "test", "lesion_id": "L", "name": "wart"},
    )
    assert decide_files(make_records(*rows))["action"].tolist() == ["keep", "drop"]


def test_what_a_copy_knows_fills_what_the_kept_file_does_not() -> None:
    rows = (
        {"image_id": "x", "source": "ham10000", "age": 50},
        {"image_id": "x", "subset": "train", "age": 60, "lesion_id": "L"},
    )
    records = make_records(*rows)
    image = apply_decisions(records, decide_files(records)).iloc[0]
    assert (image["age"], image["lesion_id"], image["subset"]) == (50, "L", "train")
    assert image["path"] == "/data/0.jpg"


def test_an_image_that_no_folder_assigns_is_unassigned() -> None:
    records = make_records({})
    assert apply_decisions(records, decide_files(records))["subset"].tolist() == ["unassigned"]


def test_a_copy_that_looks_different_brings_its_cluster_along() -> None:
    rows = ({"image_id": "x"}, {"image_id": "x", "cluster": 5}, {"image_id": "y", "cluster": 5})
    records = make_records(*rows)
    assert apply_decisions(records, decide_files(records))["cluster"].nunique() == 1


def test_a_person_overrules_every_rule() -> None:
    records = make_records({}, {"name": "wart"}, COPY, COPY | {"name": "melanoma"})
    decisions = apply_manual_decisions(
        decide_files(records),
        {
            "/data/0.jpg": Action.DROP,
            "/data/1.jpg": Diagnosis.BKL,
            "/data/3.jpg": Action.KEEP,
        },
    )
    assert tell(decisions) == [
        ("drop", None, "decided by hand"),
        ("relabel", "BKL", "decided by hand"),
        ("drop", None, "contradictory labels that no ground truth settles"),
        ("keep", "MEL", "decided by hand"),
    ]
    images = apply_decisions(records, decisions)
    assert images[["image_id", "label"]].to_numpy().tolist() == [["id1", "BKL"], ["id3", "MEL"]]


def test_a_file_that_a_person_keeps_takes_the_place_of_the_other_of_its_image() -> None:
    records = make_records({"image_id": "x"}, {"image_id": "x"}, {"image_id": "x"})
    decisions = apply_manual_decisions(decide_files(records), {"/data/1.jpg": Action.KEEP})
    assert decisions["action"].tolist() == ["drop", "keep", "drop"]
    assert decisions["copy_of"].tolist() == ["/data/1.jpg", None, "/data/1.jpg"]
    assert apply_decisions(records, decisions)["path"].tolist() == ["/data/1.jpg"]


def test_two_files_of_one_image_cannot_both_be_kept_by_hand() -> None:
    decisions = decide_files(make_records({"image_id": "x"}, {"image_id": "x"}))
    with pytest.raises(DatasetError, match="two files of x to be kept by hand"):
        apply_manual_decisions(decisions, {"/data/0.jpg": Action.KEEP, "/data/1.jpg": Action.KEEP})


def test_a_file_without_a_label_cannot_be_kept_without_one() -> None:
    decisions = decide_files(make_records({"name": "wart"}))
    with pytest.raises(DatasetError, match="Name one of the eight diagnoses: MEL, NV"):
        apply_manual_decisions(decisions, {"/data/0.jpg": Action.KEEP})


def test_a_path_that_the_table_does_not_have_cannot_be_decided_on() -> None:
    with pytest.raises(DatasetError, match=r"no file /data/9\.jpg in the cleaned table"):
        apply_manual_decisions(decide_files(make_records({})), {"/data/9.jpg": Action.DROP})


def test_the_cleaned_table_comes_back_from_csv_as_it_was(tmp_path: Path) -> None:
    names = ["NA/ß 病变.jpg", 'NA/two\nlines, "quoted".jpg', "NA/\udcff.jpg", " a .jpg"]
    rows = [
        {"path": FOLDER / name, **(COPY if number < 2 else {})} for number, name in enumerate(names)
    ]
    decisions = decide_files(make_records(*rows))
    write_decisions(decisions, FOLDER, tmp_path / "cleaned.csv")
    moved = read_decisions(tmp_path / "cleaned.csv", Path("/moved"))
    assert moved["path"].tolist() == [f"/moved/{name}" for name in names]
    assert moved["copy_of"].tolist()[1] == f"/moved/{names[0]}"
    assert tell(moved) == tell(decisions)
    back = read_decisions(tmp_path / "cleaned.csv", FOLDER)
    assert tell(apply_manual_decisions(back, {str(FOLDER / names[1]): Action.KEEP}))[1][0] == "keep"


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        (
            "action",
            "maybe",
            r"1 rows in .* have no action \(keep, drop, relabel\); the first is row 2",
        ),
        ("label_used", "wart", "are used without a label"),
        ("label_used", None, "are used without a label"),
        ("path", "0.jpg", "name no file, or one named before"),
    ],
)
def test_a_broken_cleaned_table_is_refused(
    tmp_path: Path, column: str, value: str | None, sentence: str
) -> None:
    file = tmp_path / "cleaned.csv"
    write_decisions(decide_files(make_records({}, {})), FOLDER, file)
    table = pd.read_csv(file, dtype=object)
    table.loc[1, column] = value
    table.to_csv(file, index=False)
    with pytest.raises(DatasetError, match=sentence):
        read_decisions(file, FOLDER)


def test_a_cleaned_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cleaned.csv").write_text("path,label\na.jpg,MEL\n")
    with pytest.raises(DatasetError, match="no column image_id, source, action"):
        read_decisions(tmp_path / "cleaned.csv", FOLDER)


def test_a_cleaned_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Cannot read the cleaned table"):
        read_decisions(tmp_path / "cleaned.csv", FOLDER)


def test_a_cleaned_table_of_another_folder_is_refused() -> None:
    decisions = decide_files(make_records({}))
    with pytest.raises(DatasetError, match="1 of its files are not in the table"):
        apply_decisions(make_records({}, {}), decisions)
    with pytest.raises(DatasetError, match="1 that the table uses are not in the folder"):
        apply_decisions(make_records({}), decide_files(make_records({}, {})))


def test_a_dataset_is_loaded_as_a_cleaned_table_says(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("melanoma/a.png", "nevus/b.png", "nevus/c.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(256, size=(80, 80, 3), dtype=np.uint8)).save(path)
    assert len(load_dataset(tmp_path / "set").table) == 3
    decisions = apply_manual_decisions(
        load_dataset(tmp_path / "set").decisions,
        {
            str(tmp_path / "set/nevus/b.png"): Action.DROP,
            str(tmp_path / "set/nevus/c.png"): Diagnosis.BKL,
        },
    )
    write_decisions(decisions, tmp_path / "set", tmp_path / "cleaned.csv")
    table = load_dataset(tmp_path / "set", table=tmp_path / "cleaned.csv").table
    assert table["label"].tolist() == ["MEL", "BKL"]
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["a.png", "b.png", "c.png"]


def test_the_real_collections_are_cleaned_as_their_ground_truth_says(real_dataset: Dataset) -> None:
    decisions = real_dataset.decisions
    assert tuple(decisions.columns) == DECISION_COLUMNS
    assert len(real_dataset.table) == 12_427
    # Five pictures lie there under two ISIC ids each.
    assert decisions.loc[decisions["action"] != "drop", "image_id"].nunique() == 12_427
    changed = decisions[decisions["reason"].str.contains("ground truth", na=False)]
    counts = changed.groupby(["label_found", "label_used"]).size()
    assert counts.to_dict() == {
        ("akiec", "AK"): 130,
        ("akiec", "SCC"): 197,
        ("nevus", "AK"): 76,
        ("seborrheic keratosis", "MEL"): 26,
    }
    assert (decisions["reason"] == "contradictory labels that no ground truth settles").sum() == 112
