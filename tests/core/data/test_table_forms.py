"""Published forms of tables and layouts, as their owners write them, each on a few drawn files."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.layouts import find_collections
from melanoma_core.data.records import read_records
from melanoma_core.data.table_files import open_table
from melanoma_core.errors import DatasetError

Draw = Callable[..., Path]


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def read_only(folder: Path) -> pd.DataFrame:
    (collection,) = find_collections(folder)
    return read_records(collection)


def read_labels(folder: Path) -> dict[str, object]:
    records = read_only(folder)
    return dict(zip((path.stem for path in records["path"]), records["label"], strict=True))


def test_isic_2016_has_no_header_and_tiers_instead_of_diagnoses(tmp_path: Path, draw: Draw):
    table = "ISBI2016_ISIC_Part3_Training_GroundTruth.csv"
    write(tmp_path / table, "ISIC_0000000,benign", "ISIC_0000001,malignant")
    for number in (0, 1):
        draw(tmp_path / "ISBI2016_ISIC_Part3_Training_Data" / f"ISIC_000000{number}.jpg", number)

    records = read_only(tmp_path)

    assert records["name"].tolist() == ["benign", "malignant"]
    assert records["label"].tolist() == [None, None]
    assert records["subset"].tolist() == ["train", "train"]


def test_isic_2017_joins_its_three_tables(tmp_path: Path, draw: Draw):
    for number, part in enumerate(("Training", "Validation", "Test_v2")):
        name = f"ISIC_000000{number}"
        draw(tmp_path / f"ISIC-2017_{part}_Data" / f"{name}.jpg", number)
        write(
            tmp_path / f"ISIC-2017_{part}_Part3_GroundTruth.csv",
            "image_id,melanoma,seborrheic_keratosis",
            f"{name},{int(number == 0)}.0,{int(number == 1)}.0",
        )
        write(
            tmp_path / f"ISIC-2017_{part}_Data" / f"ISIC-2017_{part}_Data_metadata.csv",
            "image_id,age_approximate,sex",
            f"{name},{50 + number},female",
        )
        (tmp_path / f"ISIC-2017_{part}_Data" / f"{name}_superpixels.png").write_bytes(b"")

    records = read_only(tmp_path).set_index("image_id").sort_index()

    assert records["label"].tolist() == ["MEL", "BKL", "NV"]
    assert records["subset"].tolist() == ["train", "validation", "test"]
    assert records["age"].tolist() == [50, 51, 52]


def test_isic_2017_with_another_class_is_read_by_its_marks(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "t.csv",
        "image_id,melanoma,nevus,seborrheic_keratosis,basal_cell_carcinoma",
        *("a,1,0,0,0", "b,0,1,0,0", "c,0,0,1,0", "d,0,0,0,1"),
    )
    for number, name in enumerate("abcd"):
        draw(tmp_path / f"{name}.jpg", number)

    assert read_labels(tmp_path) == {"a": "MEL", "b": "NV", "c": "BKL", "d": "BCC"}


@pytest.mark.parametrize("marks", [",", "1,1", "x,0", "1,"])
def test_isic_2017_refuses_rows_that_do_not_mark_one_class(tmp_path: Path, draw: Draw, marks: str):
    write(tmp_path / "t.csv", "image_id,melanoma,seborrheic_keratosis", "a,1,0", f"b,{marks}")
    draw(tmp_path / "a.jpg", 1)

    with pytest.raises(DatasetError, match=r"1 rows .* exactly one class \(the first is b\)"):
        read_only(tmp_path)


def test_isic_2018_is_read_where_archives_were_unzipped_side_by_side(tmp_path: Path, draw: Draw):
    draw(tmp_path / "ISIC2018_Task3_Training_Input" / "ISIC_0000001.jpg", 1)
    attributes = tmp_path / "ISIC2018_Task2_Training_GroundTruth_v3"
    attributes.mkdir()
    (attributes / "ISIC_0000001_attribute_globules.png").write_bytes(b"")
    write(
        tmp_path / "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC",
        "ISIC_0000001,1.0,0.0,0.0,0.0,0.0,0.0,0.0",
    )

    records = read_only(tmp_path)

    assert records["label"].tolist() == ["MEL"]
    assert [path.name for path in records["path"]] == ["ISIC_0000001.jpg"]


def test_isic_2019_joins_training_and_test_with_their_weights(tmp_path: Path, draw: Draw):
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    write(tmp_path / "ISIC_2019_Training_GroundTruth.csv", header, "ISIC_0000001,1,0,0,0,0,0,0,0,0")
    write(
        tmp_path / "ISIC_2019_Test_GroundTruth.csv",
        header + ",score_weight,validation_weight",
        "ISIC_0000002,0,0,0,0,0,0,0,1,0,0.5,1.0",
    )
    draw(tmp_path / "ISIC_2019_Training_Input" / "ISIC_0000001.jpg", 1)
    draw(tmp_path / "ISIC_2019_Test_Input" / "ISIC_0000002.jpg", 2)

    collection, truth = find_collections(tmp_path)
    records = read_records(collection).set_index("image_id")

    assert records["label"].to_dict() == {"ISIC_0000001": "MEL", "ISIC_0000002": "SCC"}
    assert records["subset"].to_dict() == {"ISIC_0000001": "train", "ISIC_0000002": "test"}
    assert truth.layout == "ground-truth"
    assert len(truth.tables) == 2


def test_isic_2024_names_its_levels_otherwise_than_the_archive(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "train-metadata.csv",
        "isic_id,target,patient_id,age_approx,sex,anatom_site_general,image_type,copyright_license,"
        "iddx_full,iddx_1,iddx_2,iddx_3,iddx_4,iddx_5,mel_thick_mm",
        "ISIC_0000001,0,IP_1,60.0,male,head/neck,TBP tile: close-up,CC-BY,Benign,Benign,,,,,",
        "ISIC_0000002,1,IP_1,60.0,male,head/neck,TBP tile: close-up,CC-BY,Malignant::…,Malignant,"
        "Malignant melanocytic proliferations (Melanoma),Melanoma in situ,,,",
    )
    for number in (1, 2):
        draw(tmp_path / "train-image" / f"ISIC_000000{number}.jpg", number)

    records = read_only(tmp_path)

    assert records["label"].tolist() == [None, "MEL"]
    assert records["name"].tolist() == ["Benign", "Melanoma in situ"]
    assert set(records["image_type"]) == {"TBP tile: close-up"}
    assert set(records["patient_id"]) == {"IP_1"}


def test_milk10k_labels_lesions_with_two_images_each(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "MILK10k_Training_GroundTruth.csv",
        "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC",
        "IL_0000001,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0",
        "IL_0000002,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0",
    )
    write(
        tmp_path / "MILK10k_Training_Metadata.csv",
        "lesion_id,image_type,isic_id,copyright_license,age_approx,sex",
        *(
            f"IL_000000{lesion},{kind},ISIC_00000{lesion}{digit},CC-BY-NC,50,male"
            for lesion in (1, 2)
            for digit, kind in enumerate(("clinical: close-up", "dermoscopic"))
        ),
    )
    for lesion, digit in ((1, 0), (1, 1), (2, 0), (2, 1)):
        folder = tmp_path / "MILK10k_Training_Input" / f"IL_000000{lesion}"
        draw(folder / f"ISIC_00000{lesion}{digit}.jpg", lesion)

    records = read_only(tmp_path)

    assert records["name"].tolist() == ["MEL", "MEL", "INF", "INF"]
    assert records["label"].tolist() == ["MEL", "MEL", None, None]
    assert records["lesion_id"].nunique() == 2
    assert records["image_type"].tolist() == ["clinical: close-up", "dermoscopic"] * 2


def test_pad_ufes_20_is_read_with_its_own_names(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "metadata.csv",
        "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diagnostic,img_id,biopsed",
        "PAT_46,881,False,55,FEMALE,3.0,NECK,BCC,PAT_46_881_14.png,True",
        "PAT_47,882,False,60,MALE,2.0,ARM,NEV,PAT_47_882_1.png,False",
    )
    draw(tmp_path / "imgs_part_1" / "PAT_46_881_14.png", 1)
    draw(tmp_path / "imgs_part_2" / "PAT_47_882_1.png", 2)

    records = read_only(tmp_path)

    assert records["label"].tolist() == ["BCC", "NV"]
    assert records["sex"].tolist() == ["female", "male"]
    assert records["site"].tolist() == ["neck", "arm"]
    assert set(records["image_type"]) == {"clinical: close-up"}


def test_derm7pt_has_two_photographs_of_each_lesion(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "meta" / "meta.csv",
        "case_num,diagnosis,seven_point_score,location,sex,clinic,derm,case_id",
        "1,blue nevus,2,back,female,NEL/NEL025.JPG,NEL/Nel026.jpg,",
        "2,melanoma (in situ),5,acral,male,FAL/FAL025.jpg,FAL/Fal026.jpg,",
    )
    for seed, name in enumerate(
        ("NEL/NEL025.JPG", "NEL/Nel026.jpg", "FAL/FAL025.jpg", "FAL/Fal026.jpg")
    ):
        draw(tmp_path / "images" / name, seed)

    records = read_only(tmp_path)

    known = records.set_index(records["path"].map(lambda path: path.name))
    assert known["label"].to_dict() == {
        "NEL025.JPG": "NV",
        "Nel026.jpg": "NV",
        "FAL025.jpg": "MEL",
        "Fal026.jpg": "MEL",
    }
    assert known.loc["NEL025.JPG", "image_type"] == "clinical: close-up"
    assert known.loc["Nel026.jpg", "image_type"] == "dermoscopic"
    assert known.loc["NEL025.JPG", "lesion_id"] == known.loc["Nel026.jpg", "lesion_id"] == "1"


def test_ddi_fitzpatrick17k_and_bcn20000_are_read(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "ddi" / "ddi_metadata.csv",
        ",DDI_ID,DDI_file,skin_tone,malignant,disease",
        "0,1,000001.png,56,True,melanoma-in-situ",
        "1,2,000002.png,12,False,verruca-vulgaris",
    )
    write(
        tmp_path / "fitzpatrick17k" / "fitzpatrick17k.csv",
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,"
        "three_partition_label,qc,url,url_alphanum",
        "5e82a45bc5d78bd24ae9202d194423f8,3,3,malignant melanoma,malignant melanoma,malignant,,,",
    )
    write(
        tmp_path / "bcn" / "bcn_20k_train.csv",
        "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split",
        "BCN_0000000001.jpg,55.0,anterior torso,MEL,BCN_0003884,2012-05-16,male,train",
    )
    draw(tmp_path / "ddi" / "images" / "000001.png", 1)
    draw(tmp_path / "ddi" / "images" / "000002.png", 2)
    draw(tmp_path / "fitzpatrick17k" / "5e82a45bc5d78bd24ae9202d194423f8.jpg", 3)
    draw(tmp_path / "bcn" / "BCN_20k_train" / "BCN_0000000001.jpg", 4)

    found = {each.layout.value: read_records(each) for each in find_collections(tmp_path)}

    assert found["ddi"]["label"].tolist() == ["MEL", None]
    assert found["fitzpatrick17k"]["label"].tolist() == ["MEL"]
    assert found["bcn20000"]["label"].tolist() == ["MEL"]
    assert found["bcn20000"]["subset"].tolist() == ["train"]


def test_ph2_has_double_bars_codes_and_a_legend(tmp_path: Path, draw: Draw):
    row = "|| {} ||                        ||                  {} ||  0 |  T | A ||  4 ||"
    write(
        tmp_path / "PH2_dataset.txt",
        "||    Name    ||     Histological Diagnosis    ||   Clinical Diagnosis   ||    Asymmetry "
        "|   Pigment Network   |   Dots/Globules   ||  Colors    ||",
        *(row.format(f"IMD00{code + 2}", code) for code in range(3)),
        "",
        "Clinical Diagnosis:",
        "0 - Common Nevus; 1 - Atypical Nevus; 2 - Melanoma.",
    )
    for number in range(2, 5):
        name = f"IMD00{number}"
        folder = tmp_path / "PH2 Dataset images" / name / f"{name}_Dermoscopic_Image"
        draw(folder / f"{name}.bmp", number)

    assert read_labels(tmp_path) == {"IMD002": "NV", "IMD003": "NV", "IMD004": "MEL"}


def test_med_node_is_a_folder_of_classes(tmp_path: Path, draw: Draw):
    draw(tmp_path / "complete_mednode_dataset" / "melanoma" / "200.jpg", 1)
    draw(tmp_path / "complete_mednode_dataset" / "naevus" / "300.jpg", 2)

    assert read_labels(tmp_path) == {"200": "MEL", "300": "NV"}


@pytest.mark.parametrize("name", ["HAM10000_metadata", "HAM10000_metadata.tab", "labels.csv"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_ham10000_is_read_under_each_name_with_each_separator(
    tmp_path: Path, draw: Draw, name: str, separator: str
):
    lines = ("lesion_id,image_id,dx,dx_type,age", "HAM_1,ISIC_0000001,mel,histo,54", ",,,,", "")
    write(tmp_path / name, *(line.replace(",", separator) for line in lines))
    draw(tmp_path / "images" / "ISIC_0000001.jpg", 1)

    (row,) = read_only(tmp_path).to_dict("records")

    assert (row["label"], row["lesion_id"], row["age"]) == ("MEL", "HAM_1", 54)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig", "utf-8"])
def test_a_table_is_read_in_each_encoding(tmp_path: Path, draw: Draw, encoding: str):
    lines = ["Image ID;Diagnosis;Age Approx\r", "Läsion 1;Melanoma;54,5\r"]
    write(tmp_path / "labels.csv", *lines, encoding=encoding)
    draw(tmp_path / "Läsion 1.jpg", 1)

    (row,) = read_only(tmp_path).to_dict("records")

    assert (row["label"], row["age"]) == ("MEL", 54.5)


def test_facts_are_read_as_people_write_them(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "labels.csv",
        "image_id,diagnosis,age,age_approx,Sex",
        *("a,nevus,,40,M", "b,nevus,85+,,f", "c,nevus,40-50,,?", "d,nevus,61 years,,Female"),
    )
    for seed, name in enumerate("abcd"):
        draw(tmp_path / f"{name}.jpg", seed)

    records = read_only(tmp_path)

    assert records["age"].tolist()[:2] == [40, 85]
    assert records["age"].isna().tolist() == [False, False, True, False]
    assert records["sex"].fillna("unknown").tolist() == ["male", "female", "unknown", "female"]


def test_ids_are_matched_with_folders_suffixes_and_case(tmp_path: Path, draw: Draw):
    write(
        tmp_path / "labels.csv",
        "image_id,diagnosis",
        *(r"melanoma\0.jpg,melanoma", "nevus/0.jpg,nevus", "isic_0000001,melanoma", "mole 1,nevus"),
    )
    for seed, name in enumerate(
        ("melanoma/0.jpg", "nevus/0.jpg", "more/ISIC_0000001.jpg", "more/Mole 1.JPG")
    ):
        draw(tmp_path / "images" / name, seed)

    records = read_only(tmp_path)

    names = records["path"].map(lambda path: f"{path.parent.name}/{path.stem}")
    assert dict(zip(names, records["label"], strict=True)) == {
        "melanoma/0": "MEL",
        "nevus/0": "NV",
        "more/ISIC_0000001": "MEL",
        "more/Mole 1": "NV",
    }


def test_a_row_with_too_many_cells_is_refused(tmp_path: Path, draw: Draw):
    write(tmp_path / "t.csv", "image_id,site,diagnosis", "a,back, left,melanoma")
    draw(tmp_path / "a.jpg", 1)

    with pytest.raises(DatasetError, match="found 4 cells in row 1, and 3 columns"):
        read_only(tmp_path)


@pytest.mark.parametrize(
    "columns", ["image_id,class", "img,target", "image_id,diagnosis,probability", "pixel0,label"]
)
def test_a_table_without_labels_is_refused_by_naming_its_columns(
    tmp_path: Path, draw: Draw, columns: str
):
    write(tmp_path / "t.csv", columns)
    draw(tmp_path / "a.jpg", 1)

    with pytest.raises(DatasetError, match=rf"t\.csv \({columns.replace(',', ', ')}\)"):
        find_collections(tmp_path)


def test_a_text_is_no_table(tmp_path: Path):
    assert open_table(write(tmp_path / "LICENSE", "Copyright")) is None
    assert open_table(tmp_path / "nothing.csv") is None
    assert open_table(write(tmp_path / "empty.csv")) is None
