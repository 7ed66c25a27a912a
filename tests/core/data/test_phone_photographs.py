"""A collection of HEIC and AVIF files is read from opening to training, as one of JPEG files is."""

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from melanoma_core.data.audit import audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.decoding import decode_table
from melanoma_core.data.images import read_image
from melanoma_core.data.opening import OpenedFolder, open_folder


def save_heic(source: Path, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as image:
        pillow_heif.from_pillow(image).save(path, **({"quality": 85} | options))
    return path


@pytest.fixture
def opened(tmp_path: Path, draw) -> OpenedFolder:
    """Six drawn photographs in two classes, in HEIC, AVIF and JPEG, one of them in all three."""
    folder = tmp_path / "data" / "phone"
    for number in range(6):
        source = draw(tmp_path / "sources" / f"{number}.png", number)
        place = folder / ("nevus" if number % 2 else "melanoma")
        save_heic(source, place / f"IMG_{number}.HEIC")
    with Image.open(tmp_path / "sources" / "0.png") as image:
        image.convert("RGB").save(folder / "melanoma" / "copy.avif", quality=85)
        image.convert("RGB").save(folder / "melanoma" / "copy.jpg", quality=85)
    return open_folder(tmp_path / "data", FactCache(tmp_path / "cache"))


def test_all_files_are_measured(opened: OpenedFolder):
    records = opened.records
    assert len(records) == 8
    assert records["error"].isna().all()
    assert records["dhash"].str.len().eq(64).all()
    (size,) = set(zip(records["width"], records["height"], strict=True))
    assert min(size) >= 64
    findings = {each.kind for each in audit_records(records, census=opened.census).findings}
    assert not findings & {"unreadable", "not-looked-at"}


def test_copies_in_different_formats_are_found_and_one_of_them_is_used(opened: OpenedFolder):
    records = opened.records
    clusters = find_clusters(records)
    names = records["path"].map(lambda path: Path(path).name)
    same = set(names[clusters == clusters[names == "copy.jpg"].iloc[0]])
    assert same == {"IMG_0.HEIC", "copy.avif", "copy.jpg"}
    assert clusters.nunique() == 6
    assert (decide_files(records)["action"] != "drop").sum() >= 6


def test_training_gets_the_pixels_of_a_reading(opened: OpenedFolder):
    table = opened.records[["path"]]
    pixels = np.concatenate([batch for _, batch in decode_table(table, 32)])
    for path, square in zip(table["path"], pixels, strict=True):
        whole = Image.fromarray(read_image(Path(path)).pixels)
        expected = np.asarray(whole.resize((32, 32), Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(square, expected)


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path, draw):
    folder = tmp_path / "data" / "phone"
    good = save_heic(draw(tmp_path / "a.png", 1), folder / "nevus" / "good.heic")
    (folder / "nevus" / "bad.heic").write_bytes(good.read_bytes()[:-200])
    records = open_folder(tmp_path / "data", FactCache(tmp_path / "cache")).records
    errors = {Path(path).name: error for path, error in zip(
        records["path"], records["error"], strict=True
    )}  # fmt: skip
    assert errors["good.heic"] is None or errors["good.heic"] != errors["good.heic"]
    assert "incomplete or damaged" in errors["bad.heic"]
