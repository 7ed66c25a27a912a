"""Photographs of which only the risk tier is known."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.audit import audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaned_table import read_decisions, write_decisions
from melanoma_core.data.cleaning import Action, apply_manual_decisions, decide_files
from melanoma_core.data.dataset import Dataset, merge_records
from melanoma_core.data.mean_images import compute_mean_images
from melanoma_core.data.opening import open_folder
from melanoma_core.data.overview import (
    count_classes,
    count_tiers,
    describe_imbalance,
    describe_labels,
    measure_spread,
    total_counts,
)
from melanoma_core.data.splitting import split_dataset
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import RiskTier, parse_tier

Draw = Callable[..., None]


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def open_data(folder: Path) -> pd.DataFrame:
    return open_folder(folder, FactCache(folder.parent / "cache")).records


def list_labels(table: pd.DataFrame) -> dict[str, str]:
    return {
        Path(path).name: str(label)
        for path, label in zip(table["path"], table["label"], strict=True)
    }


@pytest.fixture
def mixed(tmp_path: Path, draw: Draw) -> Dataset:
    """A collection with diagnoses, tiers, and a label that is neither."""
    rows = ["a,benign", "b,melanoma", "c,Malignant", "d,wart", "e,nevus"]
    write(tmp_path / "data" / "labels.csv", "image_id,diagnosis", *rows)
    for number, name in enumerate("abcde"):
        draw(tmp_path / "data" / f"{name}.jpg", number)
    return merge_records(open_data(tmp_path / "data"))


@pytest.mark.parametrize(
    "name", ["", "nan", "begnin", "benign keratosis", "not malignant", 1, None]
)
def test_what_names_no_tier_is_none(name: object):
    assert parse_tier(name) is None


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        (" benign ", RiskTier.BENIGN),
        ("MALIGNANT", RiskTier.MALIGNANT),
        ("benign_lesions", RiskTier.BENIGN),
        ("malignant tumour", RiskTier.MALIGNANT),
        ("pre-malignant", RiskTier.PREMALIGNANT),
    ],
)
def test_a_tier_is_read_in_the_spellings_of_datasets(name: str, tier: RiskTier):
    assert parse_tier(name) is tier


def test_a_tier_is_kept_apart_from_the_images_with_a_diagnosis(mixed: Dataset):
    assert list_labels(mixed.table) == {"b.jpg": "MEL", "e.jpg": "NV"}
    assert list_labels(mixed.tiers) == {"a.jpg": "benign", "c.jpg": "malignant"}
    assert list(mixed.tiers.columns) == list(mixed.table.columns)
    assert mixed.decisions["action"].tolist() == ["tier", "keep", "tier", "drop", "keep"]
    assert mixed.decisions["reason"].tolist()[0] == "only its risk tier is known"


def test_a_cleaned_table_keeps_its_tiers(mixed: Dataset, tmp_path: Path):
    write_decisions(mixed.decisions, tmp_path / "data", tmp_path / "cleaned.csv")
    again = read_decisions(tmp_path / "cleaned.csv", tmp_path / "data")

    assert list_labels(merge_records(open_data(tmp_path / "data"), again).tiers) == list_labels(
        mixed.tiers
    )


def test_a_cleaned_table_with_a_tier_that_is_none_is_refused(mixed: Dataset, tmp_path: Path):
    wrong = mixed.decisions.assign(label_used="MEL")
    write_decisions(wrong, tmp_path / "data", tmp_path / "cleaned.csv")

    with pytest.raises(DatasetError, match=r"2 rows .* are used without a risk tier"):
        read_decisions(tmp_path / "cleaned.csv", tmp_path / "data")


def test_a_manual_decision_can_drop_keep_or_name_the_diagnosis_of_a_tier(mixed: Dataset):
    path = mixed.decisions["path"][0]
    changed = {
        decision: apply_manual_decisions(mixed.decisions, {path: decision}).iloc[0]
        for decision in (Action.KEEP, Action.DROP)
    }

    assert changed[Action.KEEP][["action", "label_used"]].tolist() == ["tier", "benign"]
    assert changed[Action.DROP]["action"] == "drop"


def test_a_diagnosis_elsewhere_counts_more_than_a_tier(tmp_path: Path, draw: Draw):
    write(tmp_path / "data/one/labels.csv", "image_id,diagnosis", "ISIC_0000001,benign")
    write(tmp_path / "data/two/labels.csv", "image_id,diagnosis", "ISIC_0000001,nevus")
    draw(tmp_path / "data/one/ISIC_0000001.jpg", 1)
    draw(tmp_path / "data/two/ISIC_0000001.jpg", 1)

    dataset = merge_records(open_data(tmp_path / "data"))

    assert (dataset.table["label"].tolist(), len(dataset.tiers)) == (["NV"], 0)


def test_two_tiers_of_one_photograph_leave_it_out(tmp_path: Path, draw: Draw):
    write(tmp_path / "data/one/labels.csv", "image_id,diagnosis", "a,benign", "b,nevus")
    write(tmp_path / "data/two/labels.csv", "image_id,diagnosis", "c,malignant")
    for name, number in (("one/a", 1), ("two/c", 1), ("one/b", 2)):
        draw(tmp_path / f"data/{name}.jpg", number)

    dataset = merge_records(open_data(tmp_path / "data"))

    assert len(dataset.tiers) == 0
    assert dataset.decisions["action"].tolist() == ["drop", "keep", "drop"]


def test_folders_of_two_tiers_are_a_collection(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data/train/benign/a.jpg", 1)
    draw(tmp_path / "data/train/malignant/b.jpg", 2)
    draw(tmp_path / "data/test/benign/c.jpg", 3)

    records = open_data(tmp_path / "data")

    assert records["name"].tolist() == ["benign", "benign", "malignant"]
    assert list_labels(merge_records(records).tiers) == {
        "a.jpg": "benign",
        "b.jpg": "malignant",
        "c.jpg": "benign",
    }
    assert len(decide_files(records)) == 3


@pytest.fixture
def two_classes(tmp_path: Path, draw: Draw) -> Path:
    """A folder that knows tiers alone, as many two-class sets."""
    for number in range(24):
        name = "Malignant" if number % 3 == 0 else "benign"
        draw(tmp_path / "data" / name / f"{number:02}.jpg", number)
    return tmp_path / "data"


def test_a_folder_of_two_classes_is_counted(two_classes: Path):
    records = open_data(two_classes)

    assert count_classes(records)["total"].to_dict() == {"benign": 16, "malignant": 8}
    assert count_tiers(records)["total"].to_dict() == {"malignant": 8, "benign": 16}
    totals = total_counts(count_classes(records))
    assert describe_imbalance(totals).startswith(
        "There are 2.0 images of benign lesions for each image of malignant lesions"
    )
    assert describe_labels(records).endswith(
        "Without one of the eight diagnoses: 24, of which 24 name a risk tier."
    )
    assert list(measure_spread(records, "brightness")["files"]) == [8, 16]
    assert [str(label) for label in compute_mean_images(records)] == ["malignant", "benign"]


def test_tiers_are_counted_beside_diagnoses(mixed: Dataset, tmp_path: Path):
    records = open_data(tmp_path / "data")

    assert count_classes(records)["total"].to_dict() == {
        "MEL": 1,
        "NV": 1,
        "malignant": 1,
        "benign": 1,
    }
    assert count_tiers(records)["total"].to_dict() == {"malignant": 2, "benign": 2}
    assert list(total_counts(count_classes(records))) == ["MEL", "NV"]  # a tier is no class beside
    assert len(mixed.main) == 2


def test_a_folder_of_two_classes_is_audited_as_it_is(two_classes: Path):
    audit = audit_records(open_data(two_classes))

    assert [str(finding.kind) for finding in audit.findings] == ["tier-labels"]
    assert audit.findings[0].sentence == (
        "24 files with a risk tier as label, which is no diagnosis, are all that the folder has, "
        "so a network trained on it knows tiers alone: benign (16), malignant (8)."
    )
    assert audit.num_left_out == 0


def test_a_folder_of_two_classes_is_split_by_its_tiers(two_classes: Path):
    dataset = merge_records(open_data(two_classes))

    split = split_dataset(dataset.main, seed=0)

    counts = split.table.groupby("subset")["label"].value_counts().unstack(fill_value=0)
    assert counts.loc["test"].to_dict() == {"benign": 3, "malignant": 1}
    assert counts["benign"].sum() == 16
