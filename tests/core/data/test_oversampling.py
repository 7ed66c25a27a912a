import hashlib
import os
import re
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.augmentation import Augmentation
from melanoma_core.data.balancing import check_parents, plan_oversampling
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import COLUMNS, load_records, merge_records
from melanoma_core.data.images import encode_jpeg, read_image
from melanoma_core.data.oversampling import Oversampling, oversample, preview_oversampling
from melanoma_core.errors import DatasetError, FolderError
from melanoma_core.spreadsheets import restore_table
from melanoma_core.taxonomy import Diagnosis

MEL, NV, DF = Diagnosis.MEL, Diagnosis.NV, Diagnosis.DF
MIXED = {NV: 4, MEL: 2, DF: 1}
AUGMENTATION = Augmentation(contrast=0.2)


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "balanced"


def write_images(data: Path, counts: dict[Diagnosis, int], name: str = "photo {}") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for label, count in counts.items():
        for _ in range(count):
            image_id = name.format(len(rows))
            path = data / f"{image_id}.jpg"
            path.write_bytes(encode_jpeg(rng.integers(0, 256, (66, 80, 3), dtype=np.uint8)))
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            rows.append({"image_id": image_id, "path": path, "label": label, "sha256": sha256})
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).assign(subset="train")


def run(table, data, folder, *, target=None, seed=1, augmentation=AUGMENTATION, progress=None):
    plan = plan_oversampling(table, target)
    oversampling = Oversampling(table, plan, augmentation, seed)
    return oversample(oversampling, folder, data_folder=data, progress=progress)


def read_manifest(folder: Path) -> pd.DataFrame:
    """Read the file as a user of the folder would, with paths completed."""
    manifest = restore_table(
        pd.read_csv(
            folder / "manifest.csv",
            dtype=object,  # pandas strings cannot hold file names that are not valid UTF-8
            keep_default_na=False,
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
    )
    paths = pd.Series([str(folder / path) for path in manifest["path"]], dtype=object)
    return manifest.assign(path=paths).astype({"seed": int, "number": int}).astype(object)


def snapshot(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Cancelled(Exception):  # noqa: N818  # not an error
    pass


def cancel_after(count: int):
    def progress(done: int, _total: int) -> None:
        if done >= count:
            raise Cancelled

    return progress


def test_balanced_classes_get_an_empty_manifest_and_no_image(data, folder):
    manifest = run(write_images(data, {NV: 2, MEL: 2}), data, folder)
    assert list(manifest.columns) == [
        "path",
        "label",
        "parent_image_id",
        "parent_path",
        "parent_sha256",
        "seed",
        "number",
    ]
    assert manifest.empty
    assert list(folder.rglob("*.jpg")) == []
    assert read_manifest(folder).empty


def test_a_class_with_one_image_is_filled_from_it(data, folder):
    table = write_images(data, {NV: 5, DF: 1})
    manifest = run(table, data, folder)
    assert manifest["parent_image_id"].tolist() == ["photo 5"] * 4
    assert manifest["number"].tolist() == [1, 2, 3, 4]
    assert len(set(snapshot(folder / "DF").values())) == 4


def test_every_synthetic_image_names_its_parent(data, folder):
    table = write_images(data, MIXED)
    manifest = run(table, data, folder)
    assert manifest["label"].tolist() == ["MEL"] * 2 + ["DF"] * 3
    parents = table.set_index("image_id").loc[manifest["parent_image_id"]]
    assert parents["label"].tolist() == manifest["label"].tolist()
    assert parents["sha256"].tolist() == manifest["parent_sha256"].tolist()
    assert [str(path) for path in parents["path"]] == manifest["parent_path"].tolist()
    for path, label in zip(manifest["path"], manifest["label"], strict=True):
        assert Path(path).parent == folder / label
        assert read_image(Path(path)).pixels.shape == (66, 80, 3)
    written = {str(path) for path in folder.rglob("*.jpg")}
    assert written == set(manifest["path"])
    check_parents(manifest, table)


def test_any_label_gets_a_portable_folder_of_its_own(data, folder):
    labels = ["nevus", "Nevus", "a/b", "a b", "../up", "con", "", "皮"]
    table = write_images(data, dict.fromkeys(labels, 1))
    manifest = run(table, data, folder, target=2)
    assert manifest["label"].tolist() == sorted(labels)
    places = {Path(path).parent for path in manifest["path"]}
    assert len({place.name.casefold() for place in places}) == 8
    assert {place.parent for place in places} == {folder}
    assert all(re.fullmatch(r"[\w.-]+", place.name, re.ASCII) for place in places)
    again = run(table, data, folder, target=2)
    assert again.equals(manifest)
    assert read_manifest(folder).equals(manifest.astype(object))


def test_the_data_folder_is_optional(data, folder):
    table = write_images(data, MIXED)
    oversampling = Oversampling(table, plan_oversampling(table), AUGMENTATION, seed=1)
    assert len(oversample(oversampling, folder)) == 5
    with pytest.raises(DatasetError, match="overlaps the folder of the original images"):
        oversample(oversampling, data / "new")


def test_the_manifest_is_read_as_it_was_written(data, folder):
    manifest = run(write_images(data, MIXED), data, folder)
    assert read_manifest(folder).equals(manifest.astype(object))


@pytest.mark.parametrize(
    "name", ['a,"b"\n c{}', "a\rb{}", "NA", "ünïcödé 皮 {}", os.fsdecode(b"\xff{}")]
)
def test_names_in_any_script_survive_in_files_and_manifest(data, folder, name):
    table = write_images(data, {NV: 1}, name)
    manifest = run(table, data, folder, target=3)
    assert read_manifest(folder)["parent_image_id"].tolist() == [name.format(0)] * 2
    assert read_manifest(folder)["parent_path"].tolist() == manifest["parent_path"].tolist()


def test_the_original_files_are_not_changed(data, folder):
    table = write_images(data, MIXED)
    before = snapshot(data)
    run(table, data, folder)
    assert snapshot(data) == before


def test_the_same_seed_writes_the_same_bytes_in_any_order_of_rows(data, tmp_path):
    table = write_images(data, MIXED)
    run(table, data, tmp_path / "one")
    run(table[::-1], data, tmp_path / "two")
    run(table, data, tmp_path / "three", seed=2)
    one, two, three = (
        {path for path in snapshot(tmp_path / name).items() if path[0].endswith(".jpg")}
        for name in ("one", "two", "three")
    )
    assert one == two
    assert {sha256 for _, sha256 in one}.isdisjoint(sha256 for _, sha256 in three)


def test_a_cancelled_call_leaves_no_manifest_and_the_next_one_continues(data, folder):
    table = write_images(data, {NV: 40, MEL: 2})
    with pytest.raises(Cancelled):
        run(table, data, folder, progress=cancel_after(3))
    left = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")}
    assert 3 <= len(left) < 38
    assert not (folder / "manifest.csv").exists()
    manifest = run(table, data, folder)
    assert len(manifest) == 38
    assert {path: path.stat().st_mtime_ns for path in left} == left
    assert list(folder.rglob("*.part")) == []


def test_other_settings_replace_the_files_as_if_the_folder_were_empty(data, folder, tmp_path):
    table = write_images(data, MIXED)
    run(table, data, folder, target=6)
    left_by_a_killed_process = folder / "MEL" / ".photo_4-1-0123456789abcdef.jpg.part"
    left_by_a_killed_process.write_bytes(b"half")
    for seed, target, augmentation in ((2, 6, AUGMENTATION), (2, 5, Augmentation(shear=5))):
        fresh = tmp_path / f"fresh {target}"
        for place in (folder, fresh):
            run(table, data, place, target=target, seed=seed, augmentation=augmentation)
        assert snapshot(folder) == snapshot(fresh)


def test_progress_reaches_the_total(data, folder):
    seen = []
    run(write_images(data, MIXED), data, folder, progress=lambda *done: seen.append(done))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_rows_of_another_subset_are_refused(data, folder):
    table = write_images(data, MIXED)
    table.loc[6, "subset"] = "validation"
    with pytest.raises(DatasetError, match=r"Found 1 images outside the train subset .*photo 6"):
        run(table, data, folder)
    assert not folder.exists()


def test_an_image_with_two_rows_is_refused(data, folder):
    table = write_images(data, MIXED)
    with pytest.raises(DatasetError, match="Found 7 images with more than one row"):
        run(pd.concat([table, table]), data, folder)


@pytest.mark.parametrize("place", [".", "new", "deep/er", ".."])
def test_a_folder_inside_the_data_is_refused(data, place):
    table = write_images(data, MIXED)
    before = snapshot(data)
    with pytest.raises(DatasetError, match="overlaps the folder of the original images"):
        run(table, data, data / place)
    assert snapshot(data) == before


def test_a_link_to_the_data_is_refused(data, folder):
    table = write_images(data, MIXED)
    folder.symlink_to(data)
    with pytest.raises(DatasetError, match="overlaps the folder of the original images"):
        run(table, data, folder)


def test_the_folders_of_the_original_images_are_protected_too(data, tmp_path):
    table = write_images(data, MIXED)
    with pytest.raises(DatasetError, match="overlaps the folder of the original images"):
        run(table, tmp_path / "elsewhere", data / "new")


@pytest.mark.parametrize("name", ["notes.txt", "MEL/mine.jpg", "MEL", "manifest.csv"])
def test_a_folder_with_other_files_is_refused_and_left_unchanged(data, folder, name):
    table = write_images(data, MIXED)
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(b"mine")
    with pytest.raises(DatasetError, match="that oversampling did not write"):
        run(table, data, folder)
    assert list(snapshot(folder)) == [name]


def test_a_file_added_to_the_folder_by_hand_is_kept(data, folder):
    table = write_images(data, MIXED)
    run(table, data, folder)
    (folder / "MEL" / "mine.jpg").write_bytes(b"mine")
    before = snapshot(folder)
    with pytest.raises(DatasetError, match=r"Found 1 files .*the first is mine\.jpg"):
        run(table, data, folder, seed=2)
    assert snapshot(folder) == before


def test_a_link_in_the_folder_is_not_followed(data, folder):
    table = write_images(data, MIXED)
    run(table, data, folder)
    (folder / "AK").symlink_to(data)
    with pytest.raises(DatasetError, match=r"Found 1 files .*the first is AK"):
        run(table, data, folder, seed=2)
    assert len(snapshot(data)) == 7


def test_a_missing_original_is_named(data, folder):
    table = write_images(data, MIXED)
    table["path"].iloc[6].unlink()
    with pytest.raises(DatasetError, match=r"photo 6\.jpg can no longer be read"):
        run(table, data, folder)
    assert list(folder.rglob("*.part")) == []


def test_a_changed_original_is_named(data, folder):
    table = write_images(data, MIXED)
    table["path"].iloc[6].write_bytes(table["path"].iloc[0].read_bytes())
    with pytest.raises(DatasetError, match=r"photo 6\.jpg has changed since it was scanned"):
        run(table, data, folder)


def test_a_folder_that_cannot_be_created_is_named(data, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderError, match=r"Cannot write .*file"):
            run(write_images(data, MIXED), data, folder)


@pytest.mark.skipif(os.name != "posix", reason="file size limits need POSIX")
def test_a_full_disk_raises_a_clear_error_and_leaves_no_partial_file(data, folder):
    table = write_images(data, MIXED)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # bytes; a synthetic image is larger
    try:
        with pytest.raises(FolderError, match="Free some space on its disk"):
            run(table, data, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["oversampling.json"]
    assert len(run(table, data, folder)) == 5


def test_a_preview_shows_what_will_be_written_class_by_class(data, folder):
    table = write_images(data, MIXED)
    plan = plan_oversampling(table)
    previews = preview_oversampling(Oversampling(table, plan, AUGMENTATION, seed=1), count=3)
    assert [preview.label for preview in previews] == [MEL, DF, MEL]
    manifest = run(table, data, folder).set_index("parent_image_id")
    for preview in previews:
        path = table.set_index("image_id").loc[preview.image_id, "path"]
        assert np.array_equal(preview.parent, read_image(path).pixels)
        first = manifest.loc[[preview.image_id]].query("number == 1")["path"].item()
        assert Path(first).read_bytes() == encode_jpeg(preview.child)


def test_a_preview_is_no_longer_than_the_plan(data):
    table = write_images(data, {NV: 3, MEL: 2})
    for target, num_previews in ((1, 0), (None, 1)):
        plan = plan_oversampling(table, target)
        oversampling = Oversampling(table, plan, AUGMENTATION, seed=1)
        assert len(preview_oversampling(oversampling, count=4)) == num_previews


def test_real_images_are_balanced_without_leakage(shared_data, folder):
    records = load_records(shared_data / "isic9" / "Test")
    dataset = merge_records(records.assign(cluster=find_clusters(records)))
    table = dataset.table.assign(subset="train")
    counts = table["label"].value_counts()
    manifest = run(table, shared_data, folder)
    assert len(manifest) == 8 * counts.max() - len(table)
    assert pd.concat([table["label"], manifest["label"]]).value_counts().nunique() == 1
    check_parents(manifest, table)
