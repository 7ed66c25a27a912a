"""Datasets of DICOM files: rows, facts and frames, from the scan to the split."""

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import load_records, merge_records
from melanoma_core.data.decoding import decode_table
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import split_dataset
from tests.dicom_files import DERMOSCOPIC, JPEG, encode, make_photograph, wrap, write


def draw_pixels(seed: int):
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((10, 10, 1), np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as ISIC 2020 has it: JPEG in DICOM, patients in the tags, diagnoses in a table."""
    folder = tmp_path_factory.mktemp("challenge") / "train"
    folder.mkdir()
    lines = ["image_name,diagnosis"]
    for number in range(24):
        name = f"ISIC_{number:07d}"
        pixels = draw_pixels(number)
        dataset = make_photograph(
            pixels,
            PatientID=f"IP_{number // 2:07d}",
            PatientSex="MF"[number % 2],
            PatientAge=f"{40 + number:03d}Y",
            BodyPartExamined="TORSO",
        )
        data = wrap([encode(pixels, quality=95)], dataset, JPEG, "YBR_FULL_422")
        (folder / f"{name}.dcm").write_bytes(data)
        lines.append(f"{name},{'melanoma' if number % 3 == 0 else 'nevus'}")
    (folder / "train.csv").write_text("\n".join(lines))
    return folder


def test_tags_fill_what_the_table_does_not_say(folder, tmp_path):
    table = merge_records(open_folder(folder, FactCache(tmp_path)).records).table
    assert len(table) == 24
    assert table["patient_id"].nunique() == 12
    row = table.set_index("image_id").loc["ISIC_0000005"]
    assert (row["patient_id"], row["sex"], row["age"]) == ("IP_0000002", "female", 45.0)
    assert (row["site"], row["label"], row["width"], row["height"]) == ("torso", "NV", 120, 90)


def test_what_tags_say_is_remembered_with_the_measurements(folder, tmp_path):
    cache = FactCache(tmp_path)
    first = load_records(folder, cache)
    counted = []
    again = load_records(folder, cache, lambda done, total: counted.append((done, total)))
    assert counted == [(24, 24)]  # all from the cache
    pd.testing.assert_frame_equal(first, again)
    assert {"said", "folder", "num_photographs"}.isdisjoint(first.columns)


def test_patients_of_tags_are_not_divided_by_a_split(folder, tmp_path):
    dataset = merge_records(open_folder(folder, FactCache(tmp_path)).records)
    split = split_dataset(dataset.table, seed=1)
    assert split.table.groupby("patient_id")["subset"].nunique().tolist() == [1] * 12


def test_a_training_reads_the_pixels(folder, tmp_path):
    table = merge_records(open_folder(folder, FactCache(tmp_path)).records).table
    (_, batch), *_ = decode_table(table, 32)
    assert batch.shape == (24, 32, 32, 3)
    assert len(np.unique(batch.reshape(24, -1), axis=0)) == 24


@pytest.fixture
def frames(tmp_path):
    """One file of three frames, and one photograph, of a clinic without lesion ids."""
    folder = tmp_path / "clinic" / "melanoma"
    folder.mkdir(parents=True)
    pixels = np.stack([draw_pixels(number) for number in range(3)])
    several = make_photograph(pixels, DERMOSCOPIC, PatientID="17")
    (folder / "several.dcm").write_bytes(write(several))
    (folder / "one.dcm").write_bytes(write(make_photograph(draw_pixels(9), PatientID="18")))
    return tmp_path / "clinic"


def test_each_frame_is_an_image_of_the_same_lesion(frames, tmp_path):
    opened = open_folder(frames, FactCache(tmp_path))
    table = merge_records(opened.records).table.set_index("image_id")
    several = "clinic/melanoma/several.dcm"
    assert sorted(table.index) == [
        "clinic/melanoma/one.dcm",
        *(f"{several}#{n}" for n in (1, 2, 3)),
    ]
    of_frames = table.loc[[f"{several}#1", f"{several}#3"]]
    assert of_frames["lesion_id"].nunique() == 1
    assert of_frames["patient_id"].tolist() == ["clinic/17"] * 2
    assert of_frames["label"].tolist() == ["MEL", "MEL"]
    assert opened.census.counts == {"images": 2}  # files


def test_a_file_that_says_nothing_has_no_facts(frames, tmp_path):
    (frames / "melanoma" / "plain.dcm").write_bytes(write(make_photograph(draw_pixels(4))))
    table = merge_records(open_folder(frames, FactCache(tmp_path)).records).table
    row = table.set_index("image_id").loc["clinic/melanoma/plain.dcm"]
    assert row[["patient_id", "lesion_id", "age", "sex", "site"]].isna().all()
