"""Ids of lesions and patients: placeholders are missing, and clinics that count alike differ."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.identities import clean_ids, find_repeated_ids, scope_ids
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import find_groups

Draw = Callable[[Path, int], None]


def write_clinic(folder: Path, draw: Draw, column: str, ids: list[str]) -> None:
    """Write a photograph per id, with a table; the drawings of two folders differ."""
    name = folder.name
    lines = [f"{name}{row},nevus,{each}" for row, each in enumerate(ids)]
    for row in range(len(ids)):
        draw(folder / f"{name}{row}.jpg", 100 * len(name) + row)
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_text("\n".join([f"image_id,diagnosis,{column}", *lines]) + "\n")


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "--", "?", "0", "000", "0.0", "-1", "n/a", "unknown", "UNK", "None", "Missing"],
)
def test_a_placeholder_is_no_id(text: str):
    assert clean_ids([text, None, float("nan")]) == [None] * 3


@pytest.mark.parametrize("text", ["1", "P0", "10", "IP_0000000", "A-1", "unknown-7"])
def test_other_text_is_an_id(text: str):
    assert clean_ids([f" {text} "]) == [text]


@pytest.mark.parametrize("name", ["train", "Test", "ISIC-2017_Training_Data", "val_set"])
def test_the_subsets_of_one_folder_share_their_ids(name: str):
    table = pd.DataFrame({"patient_id": ["3"]})

    assert scope_ids(table, Path("hospital", name))["patient_id"].tolist() == ["hospital/3"]
    assert scope_ids(table, Path("hospital", "valencia"))["patient_id"].tolist() == ["valencia/3"]


@pytest.mark.parametrize("each", ["HAM_0000118", "IL_0000001", "IP_0000001", "MSK4_0010819"])
def test_an_id_of_the_isic_archive_means_the_same_everywhere(each: str):
    assert scope_ids(pd.DataFrame({"lesion_id": [each]}), Path("a"))["lesion_id"].tolist() == [each]


@pytest.mark.parametrize("column", ["patient_id", "lesion_id"])
def test_two_clinics_that_count_from_1_have_different_people(
    tmp_path: Path, draw: Draw, column: str
):
    for clinic, subset in (("aa", "train"), ("bbb", "test")):
        folder = tmp_path / "both" / clinic
        write_clinic(folder / subset, draw, column, ["1", "2", "3"])
        (folder / subset / "labels.csv").rename(folder / "labels.csv")

    records = open_folder(tmp_path / "both", FactCache(tmp_path / "cache")).records

    assert sorted(records[column]) == ["aa/1", "aa/2", "aa/3", "bbb/1", "bbb/2", "bbb/3"]
    assert len(set(find_groups(records))) == 6
    assert (decide_files(records)["action"] == "keep").all()
    assert find_repeated_ids(records[column]) == {each: ["aa", "bbb"] for each in "123"}


def test_images_without_a_patient_are_not_of_one_patient(tmp_path: Path, draw: Draw):
    write_clinic(tmp_path / "a", draw, "patient_id", ["unknown", "-", "P1", "?", "0", "P1", "?"])

    records = open_folder(tmp_path / "a", FactCache(tmp_path / "cache")).records

    assert records["patient_id"].notna().sum() == 2
    assert len(set(find_groups(records))) == 6
