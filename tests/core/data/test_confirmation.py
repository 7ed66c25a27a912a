"""How the ground truth is known, and skin types, as published tables write them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.audit import audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaned_table import read_decisions, write_decisions
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.layouts import find_collections
from melanoma_core.data.opening import open_folder
from melanoma_core.data.records import read_records
from melanoma_core.data.tables import parse_skin_type
from melanoma_core.taxonomy import Confirmation, parse_confirmation

Draw = Callable[..., Path]


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), "utf-8")


def read(folder: Path, draw: Draw, table: str, *names: str) -> pd.DataFrame:
    """Read a collection of drawn files with a table, by the names of the files."""
    write(folder / "metadata.csv", *table.split("\n"))
    for number, name in enumerate(names):
        draw(folder / name, number)
    (collection,) = find_collections(folder)
    records = read_records(collection)
    return records.set_index(records["path"].map(lambda path: path.stem)).loc[
        [name.partition(".")[0] for name in names]
    ]


@pytest.mark.parametrize(
    ("text", "confirmation"),
    [
        ("", None),
        ("maybe", None),
        ("single contributor clinical assessment", None),
        ("no histopathology", None),
        ("histo", Confirmation.HISTOPATHOLOGY),
        ("Histopathology", Confirmation.HISTOPATHOLOGY),
        ("follow_up", Confirmation.FOLLOW_UP),
        ("follow-up", Confirmation.FOLLOW_UP),
        ("serial imaging showing no change", Confirmation.FOLLOW_UP),
        ("single image expert consensus", Confirmation.CONSENSUS),
        ("clinical consensus", Confirmation.CONSENSUS),
        ("confocal microscopy with consensus dermoscopy", Confirmation.CONFOCAL),
    ],
)
def test_a_confirmation_is_one_of_four_ways_or_not_understood(
    text: str, confirmation: Confirmation | None
):
    assert parse_confirmation(text) == confirmation


@pytest.mark.parametrize(
    ("text", "skin_type"),
    [
        ("", None),
        ("0", None),
        ("7", None),
        ("2.5", None),
        ("I-II", None),
        ("12", None),
        ("1", "I"),
        ("6.0", "VI"),
        ("iv", "IV"),
        ("Fitzpatrick type III", "III"),
    ],
)
def test_a_skin_type_is_a_number_from_one_to_six(text: str, skin_type: str | None):
    assert parse_skin_type(text) == skin_type


def test_ham10000_says_in_dx_type_how_a_diagnosis_is_known(tmp_path: Path, draw: Draw):
    rows = ["mel,histo", "nv,follow_up", "nv,consensus", "bkl,confocal", "nv,"]
    table = ["lesion_id,image_id,dx,dx_type"]
    table += [f"HAM_{number},ISIC_000000{number},{row}" for number, row in enumerate(rows)]

    files = (f"ISIC_000000{n}.jpg" for n in range(5))
    records = read(tmp_path / "ham", draw, "\n".join(table), *files)

    ways = ["histopathology", "follow-up", "consensus", "confocal", None]
    assert records["confirmation"].tolist() == ways
    assert records["not_understood"].isna().all()


def test_the_isic_archive_says_it_in_words_or_by_a_biopsy(tmp_path: Path, draw: Draw):
    table = """isic_id,diagnosis_3,diagnosis_confirm_type,concomitant_biopsy,fitzpatrick_skin_type
ISIC_0000001,Nevus,serial imaging showing no change,False,II
ISIC_0000002,Nevus,,True,
ISIC_0000003,Nevus,,False,IV
ISIC_0000004,Nevus,single contributor clinical assessment,False,"""

    files = (f"ISIC_000000{n}.jpg" for n in range(1, 5))
    records = read(tmp_path / "archive", draw, table, *files)

    assert records["confirmation"].tolist() == ["follow-up", "histopathology", None, None]
    assert records["fitzpatrick"].tolist() == ["II", None, "IV", None]
    assert records["not_understood"].tolist() == [
        *(None, None, None),
        'confirmation "single contributor clinical assessment"',
    ]


def test_pad_ufes_20_says_whether_there_was_a_biopsy(tmp_path: Path, draw: Draw):
    table = """img_id,diagnostic,biopsed,fitspatrick
PAT_1.png,MEL,True,3.0
PAT_2.png,NEV,False,"""

    records = read(tmp_path / "pad", draw, table, "PAT_1.png", "PAT_2.png")

    assert records["confirmation"].tolist() == ["histopathology", "consensus"]
    assert records["fitzpatrick"].tolist() == ["III", None]


def test_every_diagnosis_of_ddi_is_known_by_histopathology(tmp_path: Path, draw: Draw):
    records = read(tmp_path / "ddi", draw, "ddi_file,disease\n000001.png,melanoma", "000001.png")

    assert records["confirmation"].tolist() == ["histopathology"]


def test_what_is_not_understood_is_reported_and_not_guessed(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    table = """image_id,diagnosis,confirmation,fitzpatrick
a,nevus,dermoscopy,7
b,nevus,unknown,I-II
c,melanoma,histopathology,unknown"""
    read(folder, draw, table, "a.jpg", "b.jpg", "c.jpg")

    opened = open_folder(folder, FactCache(tmp_path / "cache"))

    assert opened.records["confirmation"].fillna("").tolist() == ["", "", "histopathology"]
    assert opened.records["fitzpatrick"].isna().all()
    audit = audit_records(opened.records)
    (finding,) = (each for each in audit.findings if each.kind == "unknown-facts")
    assert (finding.severity, finding.num_images) == ("low", 2)
    assert 'confirmation "dermoscopy"; skin type "7" (1)' in finding.sentence
    assert 'skin type "I-II" (1)' in finding.sentence


def test_a_cleaned_table_says_it_too_and_older_ones_are_read(tmp_path: Path, draw: Draw):
    folder = tmp_path / "data"
    ham = "lesion_id,image_id,dx,dx_type\nHAM_1,ISIC_0000001,nv,follow_up"
    read(folder, draw, ham, "ISIC_0000001.jpg")
    opened = open_folder(folder, FactCache(tmp_path / "cache"))
    write_decisions(decide_files(opened.records), folder, tmp_path / "new.csv")
    older = pd.read_csv(tmp_path / "new.csv").drop(columns="confirmation")
    older.to_csv(tmp_path / "older.csv", index=False)

    new = read_decisions(tmp_path / "new.csv", folder)
    older = read_decisions(tmp_path / "older.csv", folder)

    assert new["confirmation"].tolist() == ["follow-up"]
    assert older["confirmation"].tolist() == [None]
    for decisions in (new, older):
        assert merge_records(opened.records, decisions).table["confirmation"].tolist() == [
            "follow-up"
        ]


def test_facts_of_an_image_reach_its_copies_in_other_collections(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data" / "sorted" / "nevus" / "ISIC_0000001.jpg", 1)
    ham = "lesion_id,image_id,dx,dx_type\nHAM_1,ISIC_0000001,nv,follow_up"
    read(tmp_path / "data" / "ham", draw, ham, "ISIC_0000001.jpg")

    together = open_folder(tmp_path / "data", FactCache(tmp_path / "cache"))
    beside = open_folder(tmp_path / "data" / "sorted", FactCache(tmp_path / "cache"))

    assert together.records["confirmation"].tolist() == ["follow-up", "follow-up"]
    assert beside.records["confirmation"].tolist() == ["follow-up"]
    (image,) = merge_records(together.records).table.itertuples()
    assert (image.confirmation, image.label) == ("follow-up", "NV")


def test_the_real_tables_say_it_for_every_photograph(shared_data: Path):
    (ham,) = find_collections(shared_data / "ham10000")

    counts = read_records(ham)["confirmation"].value_counts()

    assert counts.to_dict() == {
        "histopathology": 5340,
        "follow-up": 3704,
        "consensus": 902,
        "confocal": 69,
    }
