"""What is not understood is named: files, tables, folders, and pictures that are no photographs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.audit import Audit, audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.census import Role
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.findings import Finding
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.errors import DatasetError

Draw = Callable[..., Path]


def open_data(tmp_path: Path) -> OpenedFolder:
    return open_folder(tmp_path / "data", FactCache(tmp_path / "cache"))


def audit(opened: OpenedFolder) -> Audit:
    return audit_records(opened.records, census=opened.census)


def find(opened: OpenedFolder, kind: str) -> Finding:
    (finding,) = [each for each in audit(opened).findings if each.kind == kind]
    return finding


def list_kept(opened: OpenedFolder) -> dict[str, str]:
    decisions = decide_files(opened.records)
    kept = decisions[decisions["action"] != "drop"]
    folder = opened.folder
    return {
        Path(path).relative_to(folder).as_posix(): label
        for path, label in zip(kept["path"], kept["label_used"], strict=True)
    }


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path


def write_mask(path: Path, is_blank: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros((90, 120), np.uint8)
    mask[20:60, 30:80] = 0 if is_blank else 255
    Image.fromarray(mask).save(path)


@pytest.mark.parametrize("is_blank", [False, True])
def test_outlines_of_the_same_ids_displace_no_photograph(
    tmp_path: Path, draw: Draw, is_blank: bool
):
    folder = tmp_path / "data"
    lines = [f"ISIC_000000{n},{'melanoma' if n < 2 else 'nevus'}" for n in range(4)]
    write(folder / "labels.csv", "image_id,diagnosis", *lines)
    for number in range(4):
        draw(folder / "images" / f"ISIC_000000{number}.jpg", number)
        write_mask(folder / "annotations" / f"ISIC_000000{number}.png", is_blank)

    opened = open_data(tmp_path)

    assert list_kept(opened) == {
        f"images/ISIC_000000{n}.jpg": "MEL" if n < 2 else "NV" for n in range(4)
    }
    finding = find(opened, "unreadable")
    assert finding.severity == "high"
    assert "The picture is black and white, like the outline of a lesion (4)" in finding.sentence


def test_a_thumbnail_displaces_no_photograph(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    write(folder / "labels.csv", "image_id,diagnosis", "ISIC_0000001,melanoma")
    draw(folder / "images" / "ISIC_0000001.jpg", 1, size=(300, 225))
    draw(folder / "a small" / "ISIC_0000001.jpg", 1, size=(120, 90))

    assert list_kept(open_data(tmp_path)) == {"images/ISIC_0000001.jpg": "MEL"}


def test_different_pictures_of_one_id_are_reported(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    write(folder / "labels.csv", "image_id,diagnosis", "ISIC_0000001,melanoma")
    draw(folder / "images" / "ISIC_0000001.jpg", 1, size=(300, 225))
    draw(folder / "heatmaps" / "ISIC_0000001.png", 2, size=(120, 90))

    opened = open_data(tmp_path)

    assert list_kept(opened) == {"images/ISIC_0000001.jpg": "MEL"}
    assert find(opened, "different-pictures").severity == "medium"
    reasons = decide_files(opened.records)["reason"].dropna().tolist()
    assert reasons == ["another picture of an image id that is kept"]


def test_an_id_of_eight_digits_is_not_an_isic_id(tmp_path: Path, draw: Draw):
    for number in range(3):
        draw(tmp_path / "data" / "melanoma" / f"ISIC_0000100{number}.jpg", number)

    assert len(list_kept(open_data(tmp_path))) == 3


def test_a_table_without_diagnoses_leaves_the_folders_their_labels(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    draw(folder / "melanoma" / "ISIC_0000001.jpg", 1)
    draw(folder / "nevus" / "ISIC_0000002.jpg", 2)
    write(
        folder / "metadata.csv",
        "isic_id,copyright_license,age_approx,sex",
        *("ISIC_0000001,CC-BY,50,male", "ISIC_0000002,CC-0,60,female"),
    )

    opened = open_data(tmp_path)

    assert sorted(list_kept(opened).values()) == ["MEL", "NV"]
    assert opened.records["age"].tolist() == [50, 60]
    assert opened.records["licence"].tolist() == ["CC-BY", "CC-0"]


def test_a_table_that_contradicts_folders_settles_nothing(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    for seed, name in enumerate(("melanoma/m1", "melanoma/m2", "nevus/n1")):
        draw(folder / "Train" / f"{name}.jpg", seed)
    write(folder / "stray.csv", "image_id,diagnosis", *("m1,nevus", "m2,wart", "n1,nv"))

    opened = open_data(tmp_path)

    assert list_kept(opened) == {"Train/melanoma/m2.jpg": "MEL", "Train/nevus/n1.jpg": "NV"}
    finding = find(opened, "contradicted-folders")
    assert (finding.severity, finding.num_images) == ("high", 1)
    assert '"nevus" in stray.csv / "melanoma" by the folder (1)' in finding.sentence
    reasons = decide_files(opened.records)["reason"].dropna().tolist()
    assert reasons == ["contradictory labels that no ground truth settles"]


def test_answers_of_a_model_are_no_labels(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    draw(folder / "melanoma" / "m.jpg", 1)
    draw(folder / "nevus" / "n.jpg", 2)
    write(folder / "predictions.csv", "image_id,diagnosis,probability", "m,nevus,0.9", "n,nevus,1")
    write(folder / "soft.csv", "image,MEL,NV", "m,0.1,0.9", "n,0.2,0.8")

    opened = open_data(tmp_path)

    assert sorted(list_kept(opened).values()) == ["MEL", "NV"]
    finding = find(opened, "not-looked-at")
    assert finding.num_images == 2
    assert "predictions.csv (image_id, diagnosis, probability)" in finding.sentence
    assert "soft.csv (image, MEL, NV)" in finding.sentence


def test_two_tables_that_contradict_each_other_are_both_named(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    draw(folder / "a.jpg", 1)
    write(folder / "one.csv", "image_id,diagnosis", "a,nevus")
    write(folder / "two.csv", "image_id,dx", "a,mel")

    with pytest.raises(
        DatasetError, match=r'in two\.csv than in one\.csv .* "mel" against "nevus"'
    ):
        open_data(tmp_path)


def test_one_table_per_class_is_joined(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    for number, name in enumerate(("melanoma", "nevus", "dermatofibroma")):
        draw(folder / "images" / f"ISIC_000000{number}.jpg", number)
        write(folder / f"{name}.csv", "isic_id,diagnosis_3", f"ISIC_000000{number},{name}")

    assert sorted(list_kept(open_data(tmp_path)).values()) == ["DF", "MEL", "NV"]


def write_answers(path: Path) -> None:
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    write(path, header, "ISIC_0000001,0,1,0,0,0,0,0,0,0")


@pytest.mark.parametrize("name", ["answers.csv", "ISIC_2019_GroundTruth_predicted.csv"])
def test_answers_in_a_neighbouring_folder_relabel_nothing(tmp_path: Path, draw: Draw, name: str):
    draw(tmp_path / "data" / "melanoma" / "ISIC_0000001.jpg", 1)
    write_answers(tmp_path / "results" / name)

    assert list(list_kept(open_data(tmp_path)).values()) == ["MEL"]


def test_a_relabelling_names_the_file_that_it_comes_from(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data" / "melanoma" / "ISIC_0000001.jpg", 1)
    truth = tmp_path / "truth" / "ISIC_2019_Training_GroundTruth.csv"
    write_answers(truth)

    opened = open_data(tmp_path)

    assert list(list_kept(opened).values()) == ["NV"]
    finding = find(opened, "relabelled")
    assert (finding.severity, finding.changes_labels) == ("medium", True)
    assert f"the ground truth {truth}, which counts: melanoma → NV (1)" in finding.sentence


@pytest.mark.parametrize(
    ("folder", "subset"),
    [
        ("Testing", "test"),
        ("train_sep", "train"),
        ("val_dir", "validation"),
        ("ISIC-2017_Test_v2_Data", "test"),
    ],
)
def test_folders_of_subsets_are_understood(tmp_path: Path, draw: Draw, folder: str, subset: str):
    draw(tmp_path / "data" / "Training" / "nevus" / "a.jpg", 1)
    draw(tmp_path / "data" / folder / "melanoma" / "b.jpg", 2)

    records = open_data(tmp_path).records.set_index("label")

    assert records["subset"].to_dict() == {"NV": "train", "MEL": subset}


def test_a_published_split_is_kept(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    rows = ("a,nevus,train", "b,nevus,val", "c,nevus,test", "d,nevus,fold 3")
    write(folder / "labels.csv", "image_id,diagnosis,split", *rows)
    for number, name in enumerate("abcd"):
        draw(folder / f"{name}.jpg", number)

    subsets = open_data(tmp_path).records["subset"]

    assert subsets.fillna("none").tolist() == ["train", "validation", "test", "none"]


def test_photographs_below_a_class_folder_are_of_the_class(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data" / "nevus" / "a.jpg", 1)
    draw(tmp_path / "data" / "melanoma" / "part1" / "deep" / "b.jpg", 2)
    draw(tmp_path / "data" / "nevus" / "melanoma" / "c.jpg", 3)

    opened = open_data(tmp_path)

    assert list_kept(opened) == {"nevus/a.jpg": "NV", "melanoma/part1/deep/b.jpg": "MEL"}
    assert '"nevus/melanoma" (1)' in find(opened, "unknown-labels").sentence


def test_every_file_is_counted(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data" / "set"
    write(folder / "labels.csv", "image_id,diagnosis", "p0,melanoma", "gone,melanoma")
    for number, suffix in enumerate((".jpg", ".jfif", ".jpe", ".JPG")):
        draw(folder / "images" / f"p{number}{suffix}", number)
    for name in ("IMG_1.HEIC", "IMG_2.avif", "scan.dcm"):
        (folder / "images" / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))
    write_mask(folder / "masks" / "p0.png", is_blank=False)
    write_mask(folder / "images" / "p1_segmentation.png", is_blank=False)
    write_mask(folder / "masks" / "other.png", is_blank=False)
    draw(tmp_path / "data" / "ants" / "1.jpg", 9)
    for name in ("README.md", "LICENSE", "pixels.npy", "scores.csv", ".DS_Store", "Thumbs.db"):
        write(folder / name, "id,score")

    opened = open_data(tmp_path)

    assert opened.census.counts == {
        Role.IMAGE: 7,
        Role.OUTLINE: 2,
        Role.TABLE: 1,
        Role.DOCUMENT: 2,
        Role.IGNORED: 4,
    }
    assert opened.census.ignored == {"set/masks": 1, "ants": 1, "set": 2}
    assert opened.census.missing == {"labels.csv": ("gone",)}
    assert opened.records["error"].notna().sum() == 3
    finding = find(opened, "not-looked-at")
    assert (finding.severity, finding.num_images) == ("high", 4)
    assert "scores.csv (id, score) is not read" in finding.sentence
    assert find(opened, "missing-files").severity == "medium"


def test_photographs_without_a_dermoscope_among_others_are_reported(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    write(
        folder / "metadata.csv",
        "isic_id,diagnosis_3,image_type",
        *("ISIC_0000001,Nevus,dermoscopic", "ISIC_0000002,Nevus,clinical: close-up"),
    )
    for number in (1, 2):
        draw(folder / f"ISIC_000000{number}.jpg", number)

    finding = find(open_data(tmp_path), "mixed-image-types")

    assert (finding.severity, finding.num_images) == ("medium", 1)
    assert finding.sentence.startswith(
        "1 file taken without a dermoscope (clinical: close-up (1)) are mixed with 1 dermoscopic"
    )


def test_tiers_instead_of_diagnoses_are_reported_and_refuse_nothing(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    write(folder / "labels.csv", "image_id,diagnosis", "a,benign", "b,melanoma")
    draw(folder / "a.jpg", 1)
    draw(folder / "b.jpg", 2)

    opened = open_data(tmp_path)

    assert list_kept(opened) == {"a.jpg": "benign", "b.jpg": "MEL"}
    assert "used in training alone: benign (1)." in find(opened, "tier-labels").sentence


def test_a_folder_without_faults_has_no_finding(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data" / "melanoma" / "a.jpg", 1)
    draw(tmp_path / "data" / "nevus" / "b.jpg", 2)
    write(tmp_path / "data" / "README.txt", "Two, of two kinds.")

    assert audit(open_data(tmp_path)).findings == ()


@pytest.mark.parametrize("kind", ["bcn20000", "ham10000", "isic2020", "msk", "pad_ufes_20"])
def test_the_real_collections_have_the_numbers_of_their_readme(shared_data: Path, kind: str):
    from melanoma_core.data.layouts import find_collections
    from melanoma_core.data.records import read_collection

    folder = shared_data.parent / "more" / kind
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    (collection,) = find_collections(folder)
    content = read_collection(collection)
    records = content.records

    assert not any(content.missing.values())
    num_images, num_melanomas, num_unknown = {
        "bcn20000": (12334, 2849, 0),
        "ham10000": (10015, 1113, 327),
        "isic2020": (1735, 535, 1200),
        "msk": (53, 31, 0),
        "pad_ufes_20": (745, 43, 0),
    }[kind]
    assert len(records) == num_images
    assert (records["label"] == "MEL").sum() == num_melanomas
    assert records["label"].isna().sum() == num_unknown
    assert isinstance(records, pd.DataFrame)
