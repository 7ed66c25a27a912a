from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import load_records
from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.taxonomy import Diagnosis


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demonstration_dataset(tmp_path_factory.mktemp("demonstration") / "set")


@pytest.fixture(scope="module")
def records(folder: Path) -> pd.DataFrame:
    return load_records(folder)


def read_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*.*")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


@pytest.mark.slow
def test_it_is_reproducible_and_leaves_no_temporary_files(folder: Path, tmp_path: Path):
    again = write_demonstration_dataset(tmp_path / "again")

    assert list(read_files(again)) == list(read_files(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_an_existing_folder_is_left_unchanged(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")

    assert write_demonstration_dataset(tmp_path) == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_it_has_all_eight_diagnoses_with_class_imbalance(records: pd.DataFrame):
    counts = records["label"].value_counts()

    assert counts.to_dict() == {
        "NV": 27, "MEL": 9, "BKL": 8, "BCC": 5, "AK": 4, "SCC": 4, "VASC": 4, "DF": 3
    }  # fmt: skip
    assert set(counts.index) == set(Diagnosis)
    assert records["subset"].value_counts().to_dict() == {"train": 53, "test": 11}


def test_two_exact_copies_have_conflicting_labels(records: pd.DataFrame):
    copies = records[records["sha256"].duplicated(keep=False) & records["sha256"].notna()]

    labels = [sorted(files["label"]) for _, files in copies.groupby("sha256")]
    assert sorted(labels) == [["AK", "NV"], ["BKL", "MEL"]]


def test_one_near_copy_differs_in_a_few_bits_of_its_hash_and_is_found(records: pd.DataFrame):
    named = records.assign(cluster=find_clusters(records))
    named = named.set_index(named["path"].map(lambda path: path.name))
    original, smaller = named.loc["drawn-001.jpg"], named.loc["drawn-903.jpg"]
    distance = (int(original["dhash"], 16) ^ int(smaller["dhash"], 16)).bit_count()

    assert distance <= 4  # of 256
    assert original["cluster"] == smaller["cluster"]
    assert original["pixel_sha256"] != smaller["pixel_sha256"]
    assert records["pixel_sha256"].nunique() == 61  # of 64: two copies, one unreadable


def test_one_lesion_is_in_train_and_in_test(records: pd.DataFrame):
    num_subsets = records.groupby("lesion_id")["subset"].nunique()

    assert num_subsets.index[num_subsets > 1].tolist() == ["set/DRAWN_MEL_00"]


def test_one_file_cannot_be_read(records: pd.DataFrame):
    broken = records[records["error"].notna()]

    assert [path.name for path in broken["path"]] == ["drawn-904.jpg"]
    assert "damaged, incomplete" in broken["error"].iloc[0]


def test_age_sex_and_site_are_known_for_most_lesions(records: pd.DataFrame):
    known = records[records["lesion_id"].notna()]

    assert len(known) == 60
    assert known["age"].between(20, 80).sum() == known["sex"].notna().sum()
    assert 0 < known["age"].isna().sum() < 20


def test_every_file_states_that_it_is_drawn(folder: Path):
    for path in folder.rglob("drawn-0*.jpg"):
        with Image.open(path) as image:
            assert image.size == (180, 135)
            assert (
                image.info["comment"].decode() == "Drawn by a program, not a photograph of anyone."
            )
