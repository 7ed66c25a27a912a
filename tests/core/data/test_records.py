from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import load_records
from melanoma_core.errors import DatasetError


def test_the_error_for_no_images_names_the_layout(tmp_path: Path):
    (tmp_path / "Train" / "melanoma").mkdir(parents=True)

    with pytest.raises(DatasetError, match=r"no image files in .* \(layout: class folders\)"):
        load_records(tmp_path)


def test_one_class_with_one_image_is_read(tmp_path: Path, draw):
    path = draw(tmp_path / "set" / "nevus" / "a.jpg", 1)

    (row,) = load_records(tmp_path / "set").to_dict("records")

    assert row["path"] == path
    assert (row["label"], row["width"], row["height"], row["error"]) == ("NV", 120, 90, None)


def test_an_unreadable_file_keeps_its_row(tmp_path: Path, draw):
    draw(tmp_path / "nevus" / "a.jpg", 1)
    (tmp_path / "nevus" / "b.jpg").write_text("no image")

    records = load_records(tmp_path)

    assert records["error"].isna().tolist() == [True, False]
    assert records[["sha256", "dhash", "width", "sharpness"]].isna().sum(axis=1).tolist() == [0, 4]


def test_a_file_that_is_deleted_during_the_scan_is_reported(tmp_path: Path, draw):
    first, second = (draw(tmp_path / "nevus" / f"{name}.jpg", 1) for name in "ab")

    def delete(done: int, _total: int) -> None:
        if done == 1:
            second.unlink()

    records = load_records(tmp_path, progress=delete)

    assert records["path"].tolist() == [first, second]
    assert records["error"][1] == f"There is no file {second}. Check its name and folder."


def test_a_link_to_a_dataset_opens_the_dataset(tmp_path: Path, draw):
    path = draw(tmp_path / "set" / "nevus" / "a.jpg", 1)
    (tmp_path / "link").symlink_to(tmp_path / "set")
    cache = FactCache(tmp_path / "cache")
    load_records(tmp_path / "link", cache)
    seen: list[tuple[int, int]] = []

    records = load_records(tmp_path / "set", cache, lambda *counts: seen.append(counts))

    assert records["path"].tolist() == [path]
    assert seen == [(1, 1)]


def test_a_cyclic_link_is_not_a_folder(tmp_path: Path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(DatasetError, match="Found no folder at"):
        load_records(tmp_path / "loop")


def test_metadata_of_one_collection_fill_those_of_the_others(tmp_path: Path, draw):
    draw(tmp_path / "folders" / "melanoma" / "ISIC_0000001(1).jpg", 1)
    draw(tmp_path / "folders" / "melanoma" / "b.jpg", 2)
    draw(tmp_path / "ham" / "ISIC_0000001.jpg", 1)
    table = "lesion_id,image_id,dx,age\nHAM_1,ISIC_0000001,nv,40\n"
    (tmp_path / "ham" / "t.csv").write_text(table)

    records = load_records(tmp_path).set_index("source")

    assert records.loc["folders", "lesion_id"].dropna().tolist() == ["HAM_1"]
    assert records.loc["folders", "age"].dropna().tolist() == [40.0]
    assert sorted(records["name"]) == ["melanoma", "melanoma", "nv"]  # labels are not merged


def test_all_14554_files_of_the_real_collections_are_readable(real_records: pd.DataFrame):
    assert real_records["source"].value_counts().to_dict() == {
        "ham10000": 10015,
        "isic9": 2359,
        "isic2017": 2150,
        "full_resolution": 30,
    }
    assert real_records["error"].isna().all()
    sizes = real_records.groupby("source")[["width", "height"]]
    assert sizes.max().loc["ham10000"].tolist() == sizes.min().loc["ham10000"].tolist()
    assert sizes.max().loc["ham10000"].tolist() == [200, 150]
    assert sizes.max().loc["full_resolution", "width"] == 3072


def test_the_real_isic9_has_159_byte_identical_groups_and_155_with_two_labels(
    real_records: pd.DataFrame,
):
    isic9 = real_records[real_records["source"] == "isic9"]
    groups = isic9[isic9["sha256"].duplicated(keep=False)].groupby("sha256")

    assert (len(groups), groups["path"].size().sum()) == (159, 318)
    assert (groups["name"].nunique() == 2).sum() == 155


def test_44_real_test_images_share_a_copy_or_a_lesion_with_train(real_records: pd.DataFrame):
    isic9 = real_records[real_records["source"] == "isic9"]
    test, train = (isic9[isic9["subset"] == name] for name in ("test", "train"))

    copied = test["sha256"].isin(train["sha256"])
    same = copied | test["lesion_id"].isin(train["lesion_id"].dropna())

    assert (len(test), copied.sum(), same.sum()) == (118, 18, 44)
