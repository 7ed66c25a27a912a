from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.layouts import (
    Collection,
    Layout,
    find_collections,
    isic_id,
    read_ground_truth,
    read_records,
)
from melanoma_core.errors import DatasetError

GROUND_TRUTH_HEADER = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"


def write_table(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def read_only(folder: Path) -> pd.DataFrame:
    (collection,) = find_collections(folder)
    return read_records(collection)


def read_truth(table: Path) -> pd.DataFrame:
    return read_ground_truth(Collection(table.parent, Layout.GROUND_TRUTH, table))


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"Found no folder at .*nowhere\. Name the folder"):
        find_collections(tmp_path / "nowhere")


def test_an_empty_folder_is_answered_with_what_was_looked_for(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"holds no folders.*HAM10000_metadata\.csv"):
        find_collections(tmp_path)


def test_folders_that_are_named_like_no_diagnosis_are_no_layout(tmp_path: Path, draw):
    draw(tmp_path / "ants" / "1.jpg", 1)

    with pytest.raises(DatasetError, match=r'it holds "ants"'):
        find_collections(tmp_path)


def test_a_ground_truth_without_photographs_is_not_enough(tmp_path: Path):
    write_table(tmp_path / "labels" / "truth.csv", GROUND_TRUTH_HEADER)

    with pytest.raises(DatasetError, match="Found no layout that is known"):
        find_collections(tmp_path)


def test_class_folders_below_train_and_test_give_their_subset(tmp_path: Path, draw):
    draw(tmp_path / "Train" / "melanoma" / "ISIC_0000001.jpg", 1)
    draw(tmp_path / "TEST" / "Nevus" / "ISIC_0000002(1).JPG", 2)
    draw(tmp_path / "val" / "BCC" / "ISIC_0000003_crop.png", 3)

    records = read_only(tmp_path).set_index("image_id").sort_index()

    assert records.index.tolist() == ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    assert records["label"].tolist() == ["MEL", "NV", "BCC"]
    assert records["subset"].tolist() == ["train", "test", "validation"]


def test_class_folders_alone_give_no_subset_and_an_empty_one_no_row(tmp_path: Path, draw):
    draw(tmp_path / "seborrheic_keratosis" / "a.jpg", 1)
    (tmp_path / "melanoma").mkdir()

    records = read_only(tmp_path)

    assert records["label"].tolist() == ["BKL"]
    assert records["subset"].isna().all()


def test_train_with_nothing_but_empty_class_folders_gives_no_row(tmp_path: Path):
    (tmp_path / "Train" / "melanoma").mkdir(parents=True)

    assert read_only(tmp_path).empty


def test_a_class_folder_of_none_of_the_eight_diagnoses_has_no_label(tmp_path: Path, draw):
    draw(tmp_path / "melanoma" / "a.jpg", 1)
    draw(tmp_path / "größter Naevus – 黑色素瘤" / "b.jpg", 2)

    records = read_only(tmp_path)

    assert records["name"].tolist() == ["größter Naevus – 黑色素瘤", "melanoma"]
    assert records["label"].isna().tolist() == [True, False]


def test_namesakes_in_two_collections_are_two_photographs(tmp_path: Path, draw):
    draw(tmp_path / "vienna" / "melanoma" / "1.jpg", 1)
    draw(tmp_path / "sydney" / "melanoma" / "1.jpg", 2)

    sydney, vienna = map(read_records, find_collections(tmp_path))

    assert sydney["image_id"].tolist() == ["sydney/melanoma/1.jpg"]
    assert vienna["image_id"].tolist() == ["vienna/melanoma/1.jpg"]


def test_a_folder_whose_name_ends_like_an_image_is_no_photograph(tmp_path: Path, draw):
    draw(tmp_path / "nevus" / "a.jpg", 1)
    (tmp_path / "nevus" / "b.jpg").mkdir()

    assert [path.name for path in read_only(tmp_path)["path"]] == ["a.jpg"]


def test_ham10000_is_read_with_its_lesions_and_without_its_masks(tmp_path: Path, draw):
    table = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    table += "HAM_1,ISIC_0000001,mel,histo,80.0,male,scalp\n"
    table += "HAM_2,ISIC_0000002,akiec,histo,,unknown,unknown\n"
    write_table(tmp_path / "HAM10000_metadata.csv", table)
    draw(tmp_path / "part_1" / "ISIC_0000001.jpg", 1)
    draw(tmp_path / "part_2" / "ISIC_0000002.jpg", 2)
    draw(tmp_path / "masks" / "ISIC_0000001.png", 3)

    records = read_only(tmp_path)

    assert [path.parent.name for path in records["path"]] == ["part_1", "part_2"]
    assert records["label"].tolist() == ["MEL", None]  # akiec is AK or SCC
    assert records["lesion_id"].tolist() == ["HAM_1", "HAM_2"]
    assert records.loc[0, ["age", "sex", "site", "licence"]].tolist() == [
        80.0,
        "male",
        "scalp",
        "CC BY-NC 4.0",
    ]
    assert records.loc[1, ["age", "sex", "site"]].isna().all()


def test_ham10000_without_age_and_sex_columns_leaves_them_unknown(tmp_path: Path, draw):
    table = "lesion_id,image_id,dx\n7,0042,nv\n,0043,\n"
    write_table(tmp_path / "metadata.csv", table)
    draw(tmp_path / "0042.jpg", 1)
    draw(tmp_path / "0043.jpg", 2)

    records = read_only(tmp_path)

    assert records["image_id"].tolist() == ["0042", "0043"]  # names, not the numbers 42 and 43
    assert records.loc[0, "lesion_id"] == "7"
    assert records["label"].tolist() == ["NV", None]
    assert records[["age", "sex", "site"]].isna().all(axis=None)


def test_a_table_that_names_a_photograph_that_is_not_there_is_refused(tmp_path: Path, draw):
    write_table(tmp_path / "t.csv", "lesion_id,image_id,dx\nL1,A,nv\nL2,B,nv\nL3,C,nv\n")
    draw(tmp_path / "A.jpg", 1)

    with pytest.raises(DatasetError, match=r"no file for 2 of the 3 .* \(the first is B\)"):
        read_only(tmp_path)


def test_a_table_that_cannot_be_parsed_is_named(tmp_path: Path):
    write_table(tmp_path / "broken.csv", "lesion_id,image_id,dx\nL1,A,nv\nL2,B,nv,7,8\n")

    with pytest.raises(DatasetError, match=r"Cannot read the table .*broken\.csv"):
        read_only(tmp_path)


def test_isic_2017_is_melanoma_seborrheic_keratosis_or_else_nevus(tmp_path: Path, draw):
    table = "image_id,melanoma,seborrheic_keratosis\nISIC_0000001,1.0,0.0\n"
    table += "ISIC_0000002,0.0,1.0\nISIC_0000003,0.0,0.0\n"
    write_table(tmp_path / "ISIC-2017_Training_GroundTruth.csv", table)
    for number in (1, 2, 3):
        draw(tmp_path / f"ISIC_000000{number}.jpg", number)

    assert read_only(tmp_path)["label"].tolist() == ["MEL", "BKL", "NV"]


def test_tables_count_before_folders_and_ground_truth_comes_last(tmp_path: Path, draw):
    draw(tmp_path / "a folders" / "nevus" / "1.jpg", 1)
    write_table(tmp_path / "b 2017" / "t.csv", "image_id,melanoma,seborrheic_keratosis\n")
    write_table(tmp_path / "c ham" / "t.csv", "lesion_id,image_id,dx\n")
    write_table(tmp_path / "a truth" / "t.csv", GROUND_TRUTH_HEADER)

    layouts = [collection.layout for collection in find_collections(tmp_path)]

    assert layouts == ["ham10000", "isic-2017", "class-folders", "ground-truth"]


def test_ground_truth_joins_its_metadata_and_drops_downsampled_from_ids(tmp_path: Path):
    truth = write_table(
        tmp_path / "truth.csv",
        GROUND_TRUTH_HEADER
        + "ISIC_0000001_downsampled,1,0,0,0,0,0,0,0,0\nISIC_0000002,0,0,0,0,0,0,0,0,1\n",
    )
    write_table(
        tmp_path / "metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex\n"
        "ISIC_0000001_downsampled,55.0,head/neck,MSK4_0011169,female\n",
    )

    table = read_truth(truth)

    assert table.loc["ISIC_0000001"].tolist() == [
        "MEL",
        "MSK4_0011169",
        55.0,
        "female",
        "head/neck",
    ]
    assert table.loc["ISIC_0000002"].isna().all()


def test_a_ground_truth_without_metadata_knows_labels_alone(tmp_path: Path):
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + "A,0,1,0,0,0,0,0,0,0\n")

    table = read_truth(truth)

    assert table.loc["A", "label"] == "NV"
    assert table[["lesion_id", "age", "sex", "site"]].isna().all(axis=None)


@pytest.mark.parametrize("row", ["A,0,0,0,0,0,0,0,0,0", "A,1,1,0,0,0,0,0,0,0"])
def test_a_ground_truth_row_that_marks_not_exactly_one_class_is_refused(tmp_path: Path, row: str):
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + row + "\n")

    with pytest.raises(DatasetError, match=r"1 rows .* exactly one class \(the first is A\)"):
        read_truth(truth)


def test_two_ground_truth_rows_of_one_image_are_refused(tmp_path: Path):
    rows = "ISIC_0000001,1,0,0,0,0,0,0,0,0\nISIC_0000001_downsampled,0,1,0,0,0,0,0,0,0\n"
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + rows)

    with pytest.raises(DatasetError, match=r"more than one row .* ISIC_0000001\)"):
        read_truth(truth)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ISIC_0025509(1).jpg", "ISIC_0025509"),
        ("ISIC_0000002_downsampled", "ISIC_0000002"),
        ("0025509.jpg", None),
        ("isic_0025509.jpg", None),
    ],
)
def test_the_isic_id_is_found_in_a_name(name: str, expected: str | None):
    assert isic_id(name) == expected


def test_the_real_collections_are_found_and_the_others_left(shared_data: Path):
    found = [(c.folder.name, c.layout.value) for c in find_collections(shared_data)]

    assert found == [
        ("ham10000", "ham10000"),
        ("isic2017", "isic-2017"),
        ("isic9", "class-folders"),
        ("isic2019_labels", "ground-truth"),
    ]


def test_the_real_ground_truth_knows_lesions_of_10684_images(shared_data: Path):
    *_, ground_truth = find_collections(shared_data)

    table = read_ground_truth(ground_truth)

    assert len(table) == 12199
    assert table["lesion_id"].notna().sum() == 10684
    assert table["label"].value_counts()["SCC"] == 197
