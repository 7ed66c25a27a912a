from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.layouts import (
    Collection,
    Layout,
    find_collections,
    find_label_tables,
)
from melanoma_core.data.records import read_collection, read_ground_truth, read_records
from melanoma_core.data.tables import extract_isic_id
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
    tables = tuple(find_label_tables([table]))
    return read_ground_truth(Collection(table.parent, Layout.GROUND_TRUTH, tables))


def test_the_error_for_a_missing_folder_names_it(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"Found no folder at .*nowhere\. Choose the folder"):
        find_collections(tmp_path / "nowhere")


def test_the_error_for_an_empty_folder_lists_the_known_layouts(tmp_path: Path):
    with pytest.raises(
        DatasetError, match=r"contains no folders.*HAM10000 \(dx, image_id, lesion_id\)"
    ):
        find_collections(tmp_path)


def test_folders_that_are_not_named_like_a_diagnosis_are_not_a_layout(tmp_path: Path, draw):
    draw(tmp_path / "ants" / "1.jpg", 1)

    with pytest.raises(DatasetError, match=r'it contains "ants"'):
        find_collections(tmp_path)


def test_a_ground_truth_without_images_is_rejected(tmp_path: Path):
    write_table(tmp_path / "labels" / "truth.csv", GROUND_TRUTH_HEADER)

    with pytest.raises(DatasetError, match="Found no known dataset layout"):
        find_collections(tmp_path)


def test_class_folders_below_train_and_test_have_a_subset(tmp_path: Path, draw):
    draw(tmp_path / "Train" / "melanoma" / "ISIC_0000001.jpg", 1)
    draw(tmp_path / "TEST" / "Nevus" / "ISIC_0000002(1).JPG", 2)
    draw(tmp_path / "val" / "BCC" / "ISIC_0000003_crop.png", 3)

    records = read_only(tmp_path).set_index("image_id").sort_index()

    assert records.index.tolist() == ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    assert records["label"].tolist() == ["MEL", "NV", "BCC"]
    assert records["subset"].tolist() == ["train", "test", "validation"]


def test_class_folders_alone_have_no_subset_and_an_empty_one_has_no_row(tmp_path: Path, draw):
    draw(tmp_path / "seborrheic_keratosis" / "a.jpg", 1)
    (tmp_path / "melanoma").mkdir()

    records = read_only(tmp_path)

    assert records["label"].tolist() == ["BKL"]
    assert records["subset"].isna().all()


def test_train_with_empty_class_folders_only_has_no_row(tmp_path: Path):
    (tmp_path / "Train" / "melanoma").mkdir(parents=True)

    assert read_only(tmp_path).empty


def test_a_class_folder_with_another_name_has_no_label(tmp_path: Path, draw):
    draw(tmp_path / "melanoma" / "a.jpg", 1)
    draw(tmp_path / "größter Naevus – 黑色素瘤" / "b.jpg", 2)

    records = read_only(tmp_path)

    assert records["name"].tolist() == ["größter Naevus – 黑色素瘤", "melanoma"]
    assert records["label"].isna().tolist() == [True, False]


def test_files_with_one_name_in_two_collections_are_two_images(tmp_path: Path, draw):
    draw(tmp_path / "vienna" / "melanoma" / "1.jpg", 1)
    draw(tmp_path / "sydney" / "melanoma" / "1.jpg", 2)

    sydney, vienna = map(read_records, find_collections(tmp_path))

    assert sydney["image_id"].tolist() == ["sydney/melanoma/1.jpg"]
    assert vienna["image_id"].tolist() == ["vienna/melanoma/1.jpg"]


def test_a_folder_with_an_image_suffix_is_not_an_image(tmp_path: Path, draw):
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

    assert records["image_id"].tolist() == ["0042", "0043"]  # text, not the numbers 42 and 43
    assert records.loc[0, "lesion_id"] == "7"
    assert records["label"].tolist() == ["NV", None]
    # The table is of the form of HAM10000, the images are not of HAM10000: no licence is claimed.
    assert records[["age", "sex", "site", "licence"]].isna().all(axis=None)


def test_images_without_a_file_are_listed_and_the_others_are_read(tmp_path: Path, draw):
    table = write_table(tmp_path / "t.csv", "lesion_id,image_id,dx\nL1,A,nv\nL2,B,nv\nL3,C,nv\n")
    draw(tmp_path / "A.jpg", 1)
    (collection,) = find_collections(tmp_path)

    content = read_collection(collection)

    assert content.records["label"].tolist() == ["NV"]
    assert content.missing == {table: ("B", "C")}


def test_a_table_without_any_of_the_files_is_rejected(tmp_path: Path, draw):
    write_table(tmp_path / "t.csv", "lesion_id,image_id,dx\nL1,A,nv\nL2,B,nv\n")
    draw(tmp_path / "C.jpg", 1)

    with pytest.raises(DatasetError, match=r"none of the 2 images .* is A, .* file is .*C\.jpg"):
        read_only(tmp_path)


def test_the_error_for_an_unreadable_table_names_it(tmp_path: Path):
    write_table(tmp_path / "broken.csv", "lesion_id,image_id,dx\nL1,A,nv\nL2,B,nv,7,8\n")

    with pytest.raises(DatasetError, match=r"Cannot read the table .*broken\.csv"):
        read_only(tmp_path)


def test_isic_2017_labels_are_melanoma_seborrheic_keratosis_or_nevus(tmp_path: Path, draw):
    table = "image_id,melanoma,seborrheic_keratosis\nISIC_0000001,1.0,0.0\n"
    table += "ISIC_0000002,0.0,1.0\nISIC_0000003,0.0,0.0\n"
    write_table(tmp_path / "ISIC-2017_Training_GroundTruth.csv", table)
    for number in (1, 2, 3):
        draw(tmp_path / f"ISIC_000000{number}.jpg", number)

    assert read_only(tmp_path)["label"].tolist() == ["MEL", "BKL", "NV"]


def test_tables_take_precedence_over_folders_and_ground_truth_is_last(tmp_path: Path, draw):
    draw(tmp_path / "a folders" / "nevus" / "1.jpg", 1)
    write_table(tmp_path / "b 2017" / "t.csv", "image_id,melanoma,seborrheic_keratosis\n")
    draw(tmp_path / "b 2017" / "2.jpg", 2)
    write_table(tmp_path / "c ham" / "t.csv", "lesion_id,image_id,dx\n")
    write_table(tmp_path / "a truth" / "truth.csv", GROUND_TRUTH_HEADER)

    layouts = [collection.layout for collection in find_collections(tmp_path)]

    assert layouts == ["ham10000", "isic-2017", "class-folders", "ground-truth"]


def test_a_ground_truth_has_its_metadata_and_ids_without_downsampled(tmp_path: Path):
    truth = write_table(
        tmp_path / "truth.csv",
        GROUND_TRUTH_HEADER
        + "ISIC_0000001_downsampled,1,0,0,0,0,0,0,0,0\nISIC_0000002,0,0,0,0,0,0,0,0,1\n",
    )
    write_table(
        tmp_path / "metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex,diagnosis_confirm_type\n"
        "ISIC_0000001_downsampled,55.0,head/neck,MSK4_0011169,female,histopathology\n",
    )

    table = read_truth(truth)

    assert table.loc["ISIC_0000001"].fillna("").tolist() == [
        "MEL",
        str(truth),
        "MSK4_0011169",
        55.0,
        "female",
        "head/neck",
        "histopathology",
        "",
    ]
    assert table.drop(columns="table").loc["ISIC_0000002"].isna().all()


def test_a_ground_truth_without_metadata_has_labels_only(tmp_path: Path):
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + "A,0,1,0,0,0,0,0,0,0\n")

    table = read_truth(truth)

    assert table.loc["A", "label"] == "NV"
    assert table[["lesion_id", "age", "sex", "site"]].isna().all(axis=None)


@pytest.mark.parametrize("row", ["A,0,0,0,0,0,0,0,0,0", "A,1,1,0,0,0,0,0,0,0"])
def test_a_ground_truth_row_without_exactly_one_class_is_rejected(tmp_path: Path, row: str):
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + row + "\n")

    with pytest.raises(DatasetError, match=r"1 rows .* exactly one class \(the first is A\)"):
        read_truth(truth)


def test_contradicting_ground_truth_rows_are_rejected(tmp_path: Path):
    rows = "ISIC_0000001,1,0,0,0,0,0,0,0,0\nISIC_0000001_downsampled,0,1,0,0,0,0,0,0,0\n"
    truth = write_table(tmp_path / "t.csv", GROUND_TRUTH_HEADER + rows)

    with pytest.raises(DatasetError, match=r"contradicting rows .* ISIC_0000001\)"):
        read_truth(truth)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ISIC_0025509(1).jpg", "ISIC_0025509"),
        ("ISIC_0000002_downsampled", "ISIC_0000002"),
        ("0025509.jpg", None),
        ("isic_0025509.jpg", "ISIC_0025509"),
        ("ISIC_00255091.jpg", None),
    ],
)
def test_the_isic_id_is_found_in_a_name(name: str, expected: str | None):
    assert extract_isic_id(name) == expected


def test_the_real_collections_are_found_and_other_folders_ignored(shared_data: Path):
    found = [(c.folder.name, c.layout.value) for c in find_collections(shared_data)]

    assert found == [
        ("ham10000", "ham10000"),
        ("isic2017", "isic-2017"),
        ("full_resolution", "table"),
        ("isic9", "class-folders"),
        ("isic2019_labels", "ground-truth"),
    ]


def test_the_real_ground_truth_has_lesions_of_10684_images(shared_data: Path):
    *_, ground_truth = find_collections(shared_data)

    table = read_ground_truth(ground_truth)

    assert len(table) == 12199
    assert table["lesion_id"].notna().sum() == 10684
    assert table["label"].value_counts()["SCC"] == 197


def write_images(folder: Path, draw, *names: str) -> None:
    for seed, name in enumerate(names):
        draw(folder / name, seed)


def test_isic_2018_is_read_with_akiec_as_written_and_lesions(tmp_path: Path, draw):
    write_table(
        tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv",
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
        "ISIC_0000001,0.0,0.0,0.0,1.0,0.0,0.0,0.0\nISIC_0000002,0.0,0.0,0.0,0.0,0.0,0.0,1.0\n",
    )
    write_table(
        tmp_path / "ISIC2018_Task3_Training_LesionGroupings.csv",
        "image,lesion_id,diagnosis_confirm_type\n"
        "ISIC_0000001,HAM_1,histo\nISIC_0000002,HAM_2,histo\n",
    )
    write_images(tmp_path / "input", draw, "ISIC_0000001.jpg", "ISIC_0000002.JPG")

    records = read_only(tmp_path)

    assert records["name"].tolist() == ["AKIEC", "VASC"]
    assert records["label"].tolist() == [None, "VASC"]
    assert records["lesion_id"].tolist() == ["HAM_1", "HAM_2"]


def test_isic_2019_with_its_photographs_is_a_collection_and_a_ground_truth(tmp_path: Path, draw):
    rows = "ISIC_0000001_downsampled,1,0,0,0,0,0,0,0,0\nISIC_0000002,0,0,0,0,0,0,0,0,1\n"
    write_table(tmp_path / "truth.csv", GROUND_TRUTH_HEADER + rows)
    write_images(tmp_path, draw, "ISIC_0000001_downsampled.jpg", "ISIC_0000002.jpg")

    collection, truth = find_collections(tmp_path)
    records = read_records(collection)

    assert (collection.layout, truth.layout) == ("isic-2019", "ground-truth")
    assert records["image_id"].tolist() == ["ISIC_0000001", "ISIC_0000002"]
    assert records["name"].tolist() == ["MEL", "UNK"]
    assert records["label"].tolist() == ["MEL", None]
    assert read_ground_truth(truth)["label"].isna().tolist() == [False, True]


def test_isic_2020_is_read_with_patients_and_unknown_values_missing(tmp_path: Path, draw):
    write_table(
        tmp_path / "ISIC_2020_Training_GroundTruth_v2.csv",
        "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
        "benign_malignant,target\n"
        "ISIC_0000001,IP_1,IL_1,male,45.0,head/neck,unknown,benign,0\n"
        "ISIC_0000002,IP_1,IL_2,Female,,,lentigo NOS,benign,0\n"
        "ISIC_0000003,IP_2,,,,torso,melanoma,malignant,1\n",
    )
    write_images(tmp_path / "train", draw, *(f"ISIC_000000{n}.jpg" for n in (1, 2, 3)))

    records = read_only(tmp_path)

    assert records["patient_id"].tolist() == ["IP_1", "IP_1", "IP_2"]
    assert records["name"].tolist() == ["benign", "lentigo NOS", "melanoma"]
    assert records["label"].tolist() == [None, None, "MEL"]
    assert records["subset"].tolist() == ["train"] * 3
    assert records["sex"].dropna().tolist() == ["male", "female"]
    assert records["site"].dropna().tolist() == ["head/neck", "torso"]
    assert records["lesion_id"].isna().tolist() == [False, False, True]


def test_an_archive_download_has_the_finest_of_the_eight_diagnoses(tmp_path: Path, draw):
    header = "isic_id,attribution,copyright_license,age_approx,anatom_site_general,diagnosis_1,"
    header += "diagnosis_2,diagnosis_3,diagnosis_4,diagnosis_5,image_type,lesion_id,patient_id,sex"
    melanocytic, vascular = "Benign melanocytic", "Benign soft tissue proliferations - Vascular"
    rows = [
        f"Benign,{melanocytic},Nevus,,",
        f"Benign,{melanocytic},Nevus,Nevus NOS Compound,",
        'Malignant,Malignant melanocytic,"Melanoma, NOS",,',
        f"Benign,{vascular},Hemangioma,,",
        "Indeterminate,,,,",
        ",,,,",
    ]
    table = "\n".join(
        f"ISIC_000000{n},Hospital,CC-0,40,,{row},dermoscopic,IL_{n},IP_1,male"
        for n, row in enumerate(rows)
    )
    write_table(tmp_path / "metadata.csv", f"{header}\n{table}\n")
    write_images(tmp_path, draw, *(f"ISIC_000000{n}.jpg" for n in range(6)))

    records = read_only(tmp_path)

    assert records["label"].tolist() == ["NV", "NV", "MEL", "VASC", None, None]
    assert records["name"].tolist()[2:5] == ["Melanoma, NOS", "Hemangioma", "Indeterminate"]
    assert records["name"].isna().tolist() == [False] * 5 + [True]
    assert set(records["licence"]) == {"CC-0"}
    assert set(records["attribution"]) == {"Hospital"}
    assert set(records["patient_id"]) == {"IP_1"}


def test_an_older_archive_download_has_one_column_of_diagnoses(tmp_path: Path, draw):
    write_table(tmp_path / "metadata.csv", "isic_id,diagnosis\nISIC_0000001,seborrheic keratosis\n")
    write_images(tmp_path, draw, "ISIC_0000001.jpg")

    assert read_only(tmp_path)["label"].tolist() == ["BKL"]


def test_a_plain_table_can_name_images_with_or_without_suffix_in_any_script(tmp_path: Path, draw):
    decomposed = "u\u0308"  # ü as macOS writes it
    write_table(
        tmp_path / "labels.csv",
        "image_id,diagnosis,age\n"
        "ü 1,melanoma,85+\nimages/黑.JPG,nevus,40\nISIC_0000001.jpg,wart,\n",
    )
    write_images(tmp_path / "set", draw, f"{decomposed} 1.jpg", "黑.jpg", "ISIC_0000001_x.png")

    records = read_only(tmp_path).set_index("name")

    assert records.loc["melanoma", "image_id"] == f"{tmp_path.name}/set/{decomposed} 1.jpg"
    assert records.loc["wart", "image_id"] == "ISIC_0000001"
    assert records["label"].to_dict() == {"melanoma": "MEL", "nevus": "NV", "wart": None}
    assert records["age"].dropna().to_dict() == {"melanoma": 85.0, "nevus": 40.0}


def test_an_image_that_is_not_in_the_table_has_no_label(tmp_path: Path, draw):
    write_table(tmp_path / "labels.csv", "image_id,diagnosis\nA,nevus\n")
    write_images(tmp_path, draw, "A.jpg", "B.jpg")

    assert read_only(tmp_path)["name"].isna().tolist() == [False, True]


def test_two_files_that_match_one_row_are_rejected(tmp_path: Path, draw):
    write_table(tmp_path / "labels.csv", "image_id,diagnosis\n1,nevus\n")
    write_images(tmp_path, draw, "left/1.jpg", "right/1.jpg")

    with pytest.raises(DatasetError, match=r"2 files with the same name.*left/1\.jpg"):
        read_only(tmp_path)


def test_contradicting_rows_are_rejected_and_repeated_ones_are_not(tmp_path: Path, draw):
    table = "image_id,diagnosis\nA,nevus\nA,nevus\n"
    write_table(tmp_path / "labels.csv", table)
    write_images(tmp_path, draw, "A.jpg")
    assert len(read_only(tmp_path)) == 1

    write_table(tmp_path / "labels.csv", table + "A,melanoma\n")
    with pytest.raises(DatasetError, match=r"1 images with contradicting rows.* is A\)"):
        read_only(tmp_path)


def test_a_row_without_an_image_id_is_rejected(tmp_path: Path):
    write_table(tmp_path / "labels.csv", "image_id,diagnosis\nA,nevus\n,nevus\n")

    with pytest.raises(DatasetError, match=r"1 rows without an image id .*first is row 2\)"):
        read_only(tmp_path)


def test_the_error_for_a_table_without_labels_lists_its_columns(tmp_path: Path, draw):
    write_table(tmp_path / "labels.csv", "image_id,class\nA,nevus\n")
    write_images(tmp_path, draw, "A.jpg")

    with pytest.raises(
        DatasetError, match=r"1 images; labels\.csv \(image_id, class\).*\(diagnosis, image_id\)"
    ):
        find_collections(tmp_path)


def test_a_table_from_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path: Path, draw):
    (tmp_path / "LABELS.CSV").write_text("image_id,diagnosis\nA,nevus\n", "utf-8-sig")
    write_images(tmp_path, draw, "A.jpg")

    assert read_only(tmp_path)["label"].tolist() == ["NV"]


def test_a_table_of_lesions_adds_metadata_to_class_folders(tmp_path: Path, draw):
    write_images(tmp_path / "Train" / "nevus", draw, "a.jpg", "b.jpg", "same.jpg")
    write_images(tmp_path / "Test" / "melanoma", draw, "same.jpg")
    write_table(
        tmp_path / "lesions.csv",
        "image,lesion_id,patient_id,age_approx\na,L1,P1,50\nb.jpg,L1,P1,\nsame,L2,,\n",
    )

    records = read_only(tmp_path)

    names = [path.name for path in records["path"]]
    assert sorted(names) == ["a.jpg", "b.jpg", "same.jpg", "same.jpg"]
    known = records.assign(file=names).set_index("file")
    assert known.loc[["a.jpg", "b.jpg"], "lesion_id"].tolist() == ["L1", "L1"]
    assert known.loc[["a.jpg", "b.jpg"], "patient_id"].tolist() == ["P1", "P1"]
    assert known.loc["a.jpg", "age"] == 50.0
    # It is ambiguous which of the two files is in the table, so neither has a lesion.
    assert known.loc["same.jpg", "lesion_id"].isna().tolist() == [True, True]


def test_hidden_files_and_system_files_are_not_images(tmp_path: Path, draw):
    draw(tmp_path / "nevus" / "a.jpg", 1)
    for name in (".DS_Store", "Thumbs.db", "._a.jpg", ".hidden.jpg", "a_segmentation.png"):
        (tmp_path / "nevus" / name).write_text("system file")
    draw(tmp_path / "__MACOSX" / "b.jpg", 2)
    draw(tmp_path / ".cache" / "c.jpg", 3)

    assert [path.name for path in read_only(tmp_path)["path"]] == ["a.jpg"]


@pytest.mark.parametrize("name", ["two\nlines.jpg", "with space .JPEG", "меланома.jpg", "😀.webp"])
def test_a_file_name_in_any_script_is_read(tmp_path: Path, draw, name: str):
    draw(tmp_path / "set" / "nevus" / name, 1)

    records = read_only(tmp_path / "set")

    assert records["image_id"].tolist() == [f"set/nevus/{name}"]
    assert records["path"][0].is_file()


def test_cyclic_links_are_followed_once(tmp_path: Path, draw):
    write_table(tmp_path / "labels.csv", "image_id,diagnosis\nA,nevus\n")
    draw(tmp_path / "images" / "A.jpg", 1)
    (tmp_path / "images" / "up").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "again").symlink_to(tmp_path / "images")

    assert len(read_only(tmp_path)) == 1


def test_images_behind_a_link_are_found(tmp_path: Path, draw):
    draw(tmp_path / "disk" / "A.jpg", 1)
    write_table(tmp_path / "set" / "labels.csv", "image_id,diagnosis\nA,nevus\n")
    (tmp_path / "set" / "images").symlink_to(tmp_path / "disk")

    assert [path.name for path in read_only(tmp_path / "set")["path"]] == ["A.jpg"]


def test_two_links_to_one_collection_give_one_collection(tmp_path: Path, draw):
    draw(tmp_path / "set" / "nevus" / "a.jpg", 1)
    (tmp_path / "same").symlink_to(tmp_path / "set")

    assert len(find_collections(tmp_path)) == 1


def test_a_broken_link_is_listed_so_that_it_is_reported(tmp_path: Path, draw):
    draw(tmp_path / "nevus" / "a.jpg", 1)
    (tmp_path / "nevus" / "b.jpg").symlink_to(tmp_path / "gone.jpg")

    assert [path.name for path in read_only(tmp_path)["path"]] == ["a.jpg", "b.jpg"]


def test_the_error_for_a_folder_deleted_before_reading_names_it(tmp_path: Path, draw):
    photograph = draw(tmp_path / "set" / "nevus" / "a.jpg", 1)
    (collection,) = find_collections(tmp_path / "set")
    photograph.unlink()
    photograph.parent.rmdir()
    photograph.parent.parent.rmdir()

    with pytest.raises(DatasetError, match=r"Cannot list the folder .*set \(No such file"):
        read_records(collection)


def test_reading_does_not_change_the_data(tmp_path: Path, draw):
    write_table(tmp_path / "labels.csv", "image_id,diagnosis\nA,nevus\n")
    write_images(tmp_path, draw, "A.jpg")
    paths = [tmp_path, *sorted(tmp_path.rglob("*"))]
    before = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]

    read_only(tmp_path)

    paths = [tmp_path, *sorted(tmp_path.rglob("*"))]
    assert [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths] == before


def test_every_layout_has_a_unique_title():
    assert len({layout.title for layout in Layout}) == len(Layout) == 17


def test_the_real_full_size_photographs_are_read_with_their_table(shared_data: Path):
    records = read_only(shared_data / "full_resolution")

    assert len(records) == 30
    assert records["label"].notna().all()


def test_collections_one_level_too_deep_are_named_and_never_joined(tmp_path: Path, draw):
    for clinic in ("north", "south"):
        folder = tmp_path / clinic / "photographs"
        for number in range(3):
            draw(folder / "images" / f"{number}.jpg", number)
        rows = [f"{number},{'melanoma' if clinic == 'north' else 'nevus'}" for number in range(3)]
        (folder / "labels.csv").write_text("\n".join(["image_id,diagnosis", *rows]))

    assert len(find_collections(tmp_path / "north")) == 1
    with pytest.raises(DatasetError, match="Found collections below north, south in"):
        find_collections(tmp_path)
