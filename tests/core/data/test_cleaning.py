from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaned_table import read_decisions, write_decisions
from melanoma_core.data.cleaning import (
    DECISION_COLUMNS,
    Action,
    apply_decisions,
    apply_manual_decisions,
    decide_files,
)
from melanoma_core.data.dataset import Dataset, merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

FOLDER = Path("/data")


def make_records(*rows: dict) -> pd.DataFrame:
    """Return a file table. By default, each row is a different readable nevus."""
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


def list_decisions(decisions: pd.DataFrame) -> list[tuple]:
    listed = decisions[["action", "label_used", "reason"]].astype(object)
    return list(listed.where(listed.notna(), None).itertuples(index=False, name=None))


COPY = {"sha256": "same", "pixel_sha256": "same", "cluster": 99}


def test_a_file_without_problems_is_kept_without_a_reason() -> None:
    assert list_decisions(decide_files(make_records({}))) == [("keep", "NV", None)]


def test_an_unreadable_file_is_dropped() -> None:
    records = make_records({"sha256": None, "pixel_sha256": None, "cluster": None})
    decisions = decide_files(records)
    assert list_decisions(decisions) == [("drop", None, "the file cannot be read")]
    assert apply_decisions(records, decisions).empty


def test_a_file_with_an_unknown_label_is_dropped() -> None:
    decisions = decide_files(make_records({"name": "wart"}))
    assert list_decisions(decisions) == [("drop", None, "no label among the eight diagnoses")]
    assert decisions["label_found"].tolist() == ["wart"]


def test_an_unknown_label_is_replaced_by_the_ground_truth() -> None:
    decisions = decide_files(make_records({"name": "akiec", "truth": "SCC"}))
    assert list_decisions(decisions) == [("relabel", "SCC", "label from ISIC 2019 ground truth")]


def test_one_file_of_each_photograph_is_kept() -> None:
    decisions = decide_files(make_records(COPY, COPY, {}))
    assert list_decisions(decisions) == [
        ("keep", "NV", None),
        ("drop", "NV", "copy of an image that is kept"),
        ("keep", "NV", None),
    ]
    assert decisions["copy_of"].tolist()[1] == "/data/0.jpg"


def test_near_copies_are_kept() -> None:
    decisions = decide_files(make_records({"cluster": 5}, {"cluster": 5}))
    assert decisions["action"].tolist() == ["keep", "keep"]


def test_copies_with_contradictory_labels_are_dropped() -> None:
    decisions = decide_files(make_records(COPY, COPY | {"name": "melanoma"}))
    assert (
        list_decisions(decisions)
        == [("drop", None, "contradictory labels that no ground truth settles")] * 2
    )


def test_near_copies_with_contradictory_labels_are_dropped() -> None:
    decisions = decide_files(make_records({"cluster": 5}, {"cluster": 5, "name": "melanoma"}, {}))
    assert list_decisions(decisions) == [
        ("drop", None, "contradictory labels that no ground truth settles"),
        ("drop", None, "contradictory labels that no ground truth settles"),
        ("keep", "NV", None),
    ]


def test_ground_truth_resolves_a_contradiction_of_near_copies() -> None:
    near = {"cluster": 5}
    decisions = decide_files(make_records(near, near | {"name": "melanoma", "truth": "MEL"}))
    assert list_decisions(decisions) == [
        ("relabel", "MEL", "ISIC 2019 ground truth has another label"),
        ("keep", "MEL", None),
    ]


def test_a_near_copy_gives_no_label_to_a_file_without_one() -> None:
    decisions = decide_files(make_records({"cluster": 5}, {"cluster": 5, "name": "wart"}))
    assert list_decisions(decisions) == [
        ("keep", "NV", None),
        ("drop", None, "no label among the eight diagnoses"),
    ]


def test_ground_truth_resolves_a_contradiction() -> None:
    truth = COPY | {"truth": "MEL"}
    decisions = decide_files(make_records(truth, truth | {"name": "melanoma"}))
    assert list_decisions(decisions) == [
        ("relabel", "MEL", "ISIC 2019 ground truth has another label"),
        ("drop", "MEL", "copy of an image that is kept"),
    ]


def test_two_ground_truths_of_one_photograph_do_not_resolve_it() -> None:
    decisions = decide_files(make_records(COPY | {"truth": "MEL"}, COPY | {"truth": "NV"}))
    assert decisions["action"].tolist() == ["drop", "drop"]


def test_the_first_collection_takes_precedence_over_a_later_one() -> None:
    rows = ({"image_id": "x", "source": "ham10000"}, {"image_id": "x", "name": "melanoma"})
    assert list_decisions(decide_files(make_records(*rows))) == [
        ("keep", "NV", None),
        ("drop", "NV", "another collection's table has another label"),
    ]


def test_of_two_copies_that_in_test_is_kept() -> None:
    records = make_records(COPY | {"subset": "train"}, COPY | {"subset": "test"})
    decisions = decide_files(records)
    assert list_decisions(decisions) == [
        ("drop", "NV", "copy of an image in Test"),
        ("keep", "NV", None),
    ]
    assert apply_decisions(records, decisions)["subset"].tolist() == ["test"]


@pytest.mark.parametrize("key", ["lesion_id", "patient_id", "cluster"])
def test_a_train_image_related_to_test_is_dropped(key: str) -> None:
    rows = ({"subset": "train", key: 7}, {"subset": "test", key: 7}, {"subset": "train"})
    assert list_decisions(decide_files(make_records(*rows))) == [
        ("drop", None, "its lesion, its patient or a near copy of it is in Test"),
        ("keep", "NV", None),
        ("keep", "NV", None),
    ]


def test_an_image_without_a_subset_in_another_collection_is_kept() -> None:
    rows = (
        {"image_id": "x", "source": "ham10000", "lesion_id": "L"},
        {"image_id": "x", "subset": "train"},
        {"image_id": "y", "subset": "test", "lesion_id": "L"},
    )
    assert decide_files(make_records(*rows))["action"].tolist() == ["keep", "drop", "keep"]


def test_a_dropped_test_image_does_not_drop_train_images() -> None:
    rows = (
        {"subset": "train", "lesion_id": "L"},
        {"subset": "test", "lesion_id": "L", "name": "wart"},
    )
    assert decide_files(make_records(*rows))["action"].tolist() == ["keep", "drop"]


def test_missing_values_come_from_copies() -> None:
    rows = (
        {"image_id": "x", "source": "ham10000", "age": 50},
        {"image_id": "x", "subset": "train", "age": 60, "lesion_id": "L"},
    )
    records = make_records(*rows)
    image = apply_decisions(records, decide_files(records)).iloc[0]
    assert (image["age"], image["lesion_id"], image["subset"]) == (50, "L", "train")
    assert image["path"] == "/data/0.jpg"


def test_an_image_without_a_subset_is_unassigned() -> None:
    records = make_records({})
    assert apply_decisions(records, decide_files(records))["subset"].tolist() == ["unassigned"]


def test_a_copy_that_looks_different_shares_its_cluster() -> None:
    rows = ({"image_id": "x"}, {"image_id": "x", "cluster": 5}, {"image_id": "y", "cluster": 5})
    records = make_records(*rows)
    assert apply_decisions(records, decide_files(records))["cluster"].nunique() == 1


def test_a_manual_decision_replaces_every_rule() -> None:
    records = make_records({}, {"name": "wart"}, COPY, COPY | {"name": "melanoma"})
    decisions = apply_manual_decisions(
        decide_files(records),
        {
            "/data/0.jpg": Action.DROP,
            "/data/1.jpg": Diagnosis.BKL,
            "/data/3.jpg": Action.KEEP,
        },
    )
    assert list_decisions(decisions) == [
        ("drop", None, "decided by hand"),
        ("relabel", "BKL", "decided by hand"),
        ("drop", None, "contradictory labels that no ground truth settles"),
        ("keep", "MEL", "decided by hand"),
    ]
    images = apply_decisions(records, decisions)
    assert images[["image_id", "label"]].to_numpy().tolist() == [["id1", "BKL"], ["id3", "MEL"]]


def test_a_manually_kept_file_replaces_the_other_of_its_image() -> None:
    records = make_records({"image_id": "x"}, {"image_id": "x"}, {"image_id": "x"})
    decisions = apply_manual_decisions(decide_files(records), {"/data/1.jpg": Action.KEEP})
    assert decisions["action"].tolist() == ["drop", "keep", "drop"]
    assert decisions["copy_of"].tolist() == ["/data/1.jpg", None, "/data/1.jpg"]
    assert apply_decisions(records, decisions)["path"].tolist() == ["/data/1.jpg"]


def test_two_files_of_one_image_cannot_both_be_kept_manually() -> None:
    decisions = decide_files(make_records({"image_id": "x"}, {"image_id": "x"}))
    with pytest.raises(DatasetError, match="two files of x to be kept manually"):
        apply_manual_decisions(decisions, {"/data/0.jpg": Action.KEEP, "/data/1.jpg": Action.KEEP})


def test_a_file_without_a_label_cannot_be_kept() -> None:
    decisions = decide_files(make_records({"name": "wart"}))
    with pytest.raises(DatasetError, match="Choose one of the eight diagnoses: MEL, NV"):
        apply_manual_decisions(decisions, {"/data/0.jpg": Action.KEEP})


def test_a_path_that_is_not_in_the_table_is_rejected() -> None:
    with pytest.raises(DatasetError, match=r"no file /data/9\.jpg in the cleaned table"):
        apply_manual_decisions(decide_files(make_records({})), {"/data/9.jpg": Action.DROP})


def test_a_cleaned_table_is_written_and_read(tmp_path: Path) -> None:
    names = ["NA/ß 病变.jpg", 'NA/two\nlines, "quoted".jpg', "NA/\udcff.jpg", " a .jpg"]
    rows = [
        {"path": FOLDER / name, **(COPY if number < 2 else {})} for number, name in enumerate(names)
    ]
    decisions = decide_files(make_records(*rows))
    write_decisions(decisions, FOLDER, tmp_path / "cleaned.csv")
    moved = read_decisions(tmp_path / "cleaned.csv", Path("/moved"))
    assert moved["path"].tolist() == [f"/moved/{name}" for name in names]
    assert moved["copy_of"].tolist()[1] == f"/moved/{names[0]}"
    assert list_decisions(moved) == list_decisions(decisions)
    back = read_decisions(tmp_path / "cleaned.csv", FOLDER)
    assert (
        list_decisions(apply_manual_decisions(back, {str(FOLDER / names[1]): Action.KEEP}))[1][0]
        == "keep"
    )


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(";", "cp1252"), (";", "utf-8-sig"), (",", "cp1252"), ("\t", "utf-16")],
)
def test_a_cleaned_table_that_excel_has_saved_is_read(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    decisions = decide_files(make_records({"path": FOLDER / "Läsion; rechts.jpg"}, {}))
    file = tmp_path / "cleaned.csv"
    write_decisions(decisions, FOLDER, file)
    table = pd.read_csv(file, dtype=object)
    table.to_csv(file, sep=separator, encoding=encoding, index=False, lineterminator="\r\n")

    back = read_decisions(file, FOLDER)

    assert back["path"].tolist() == decisions["path"].tolist()
    assert list_decisions(back) == list_decisions(decisions)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "action",
            "maybe",
            r"1 rows .* no valid action \(keep, drop, relabel, tier\) \(the first is row 2\)",
        ),
        ("label_used", "wart", "are used without a valid label"),
        ("label_used", None, "are used without a valid label"),
        ("path", "0.jpg", "have no path or repeat one"),
    ],
)
def test_an_invalid_cleaned_table_is_rejected(
    tmp_path: Path, column: str, value: str | None, message: str
) -> None:
    file = tmp_path / "cleaned.csv"
    write_decisions(decide_files(make_records({}, {})), FOLDER, file)
    table = pd.read_csv(file, dtype=object)
    table.loc[1, column] = value
    table.to_csv(file, index=False)
    with pytest.raises(DatasetError, match=message):
        read_decisions(file, FOLDER)


def test_a_cleaned_table_without_its_columns_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "cleaned.csv").write_text("path,label\na.jpg,MEL\n")
    with pytest.raises(DatasetError, match="no column image_id, source, action"):
        read_decisions(tmp_path / "cleaned.csv", FOLDER)


def test_a_missing_cleaned_table_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Cannot read the cleaned table"):
        read_decisions(tmp_path / "cleaned.csv", FOLDER)


def test_a_cleaned_table_of_another_folder_is_rejected() -> None:
    decisions = decide_files(make_records({}))
    with pytest.raises(DatasetError, match="1 of its files are not in the table"):
        apply_decisions(make_records({}, {}), decisions)
    with pytest.raises(DatasetError, match="1 files that the table uses are not in the folder"):
        apply_decisions(make_records({}), decide_files(make_records({}, {})))


def test_a_dataset_follows_its_cleaned_table(tmp_path: Path, draw) -> None:
    for seed, name in enumerate(("melanoma/a.png", "nevus/b.png", "nevus/c.png")):
        draw(tmp_path / "set" / name, seed)
    records = open_folder(tmp_path / "set", FactCache(tmp_path / "cache")).records
    before = merge_records(records)
    assert len(before.table) == 3
    decisions = apply_manual_decisions(
        before.decisions,
        {
            str(tmp_path / "set/nevus/b.png"): Action.DROP,
            str(tmp_path / "set/nevus/c.png"): Diagnosis.BKL,
        },
    )
    write_decisions(decisions, tmp_path / "set", tmp_path / "cleaned.csv")
    cleaned = read_decisions(tmp_path / "cleaned.csv", tmp_path / "set")
    assert merge_records(records, cleaned).table["label"].tolist() == ["MEL", "BKL"]
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["a.png", "b.png", "c.png"]


def test_the_real_collections_are_cleaned_by_their_ground_truth(real_dataset: Dataset) -> None:
    decisions = real_dataset.decisions
    assert tuple(decisions.columns) == DECISION_COLUMNS
    assert len(real_dataset.table) == 12_427
    # Five photographs have two ISIC ids each.
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
