from collections.abc import Generator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.assessment.selection import select_photographs
from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.data.splitting import check_split, split_dataset
from melanoma_core.errors import FolderError, RecordError
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import describe_split
from melanoma_core.records.entities import Patient
from melanoma_core.records.feedback import COLUMNS, DatasetRequest, write_dataset
from melanoma_core.records.ledger import Action
from melanoma_core.records.loop import Decision, Histology, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.trained_on import find_trained_patients
from melanoma_core.records.vocabulary import ImageKind, Management, Sex, SkinType
from tests.core.conftest import Draw
from tests.core.records.made_cases import NEVUS
from tests.core.records.made_entries import DAY, add_seen, fill

KEY = IdKey(bytes(32))
REQUEST = DatasetRequest(by="dr.a")
MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record, None, None]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def add_confirmed(record: Record, data: bytes, pseudonym: str, diagnosis: str = NEVUS) -> str:
    """Add a patient with a lesion that histology has confirmed, and return the lesion's id."""
    image = record.images.put(data)
    with record.write(by="dr.a") as change:
        _, lesion, visit, _ = add_seen(change, pseudonym, image)
        change.add(Decision(lesion_id=lesion.id, visit_id=visit.id, management=Management.EXCISION))
        specimen = change.add(
            Specimen(lesion_id=lesion.id, number="S", taken_on=DAY, method=Management.EXCISION)
        )
        change.add(
            Histology(
                lesion_id=lesion.id,
                specimen_id=specimen.id,
                reported_on=date(2026, 5, 11),
                diagnosis=diagnosis,
            )
        )
    return lesion.id


@pytest.fixture
def out(record: Record, tmp_path: Path, draw: Draw) -> Path:
    """The dataset of 20 patients with a lesion each; every fourth is a melanoma."""
    for number in range(20):
        data = draw(tmp_path / f"{number}.jpg", number).read_bytes()
        add_confirmed(record, data, f"Anna-{number}", MELANOMA if number % 4 == 0 else NEVUS)
    write_dataset(record, tmp_path / "out", REQUEST, KEY)
    return tmp_path / "out"


def open_dataset(out: Path) -> OpenedFolder:
    return open_folder(out, FactCache(out.parent / "cache"))


def read_table(out: Path) -> pd.DataFrame:
    (path,) = out.glob("*/metadata.csv")
    return pd.read_csv(path, dtype=str)


def test_a_record_without_histology_makes_no_dataset(record: Record, tmp_path: Path):
    with record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="P-1"))
    with pytest.raises(RecordError, match="No photograph in the record has a confirmed"):
        write_dataset(record, tmp_path / "out", REQUEST, KEY)

    assert not (tmp_path / "out").exists()
    assert not [each for each in record.list_log() if each.action is Action.EXPORTED]


def test_a_folder_with_files_is_left_as_it_is(record: Record, tmp_path: Path):
    fill(record)
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(FolderError, match="has files in it"):
        write_dataset(record, tmp_path, REQUEST, KEY)


def test_the_dataset_page_reads_each_fact_of_a_photograph(record: Record, tmp_path: Path):
    fill(record, "Anna")
    write_dataset(record, tmp_path / "out", REQUEST, KEY)

    (row,) = open_dataset(tmp_path / "out").records.to_dict("records")
    assert str(row["label"]) == "MEL"
    assert str(row["confirmation"]) == "histopathology"
    assert (row["age"], row["sex"], row["fitzpatrick"]) == (65.0, Sex.FEMALE, SkinType.II)
    assert (row["site"], row["image_type"]) == ("posterior torso", "dermoscopic")
    assert row["source"] == f"record-{record.record_id[:8]}"
    assert row["lesion_id"].startswith(f"record-{record.record_id[:8]}/hmac-sha256:")
    assert row["patient_id"].startswith(f"record-{record.record_id[:8]}/hmac-sha256:")


def test_nothing_that_names_a_person_or_a_day_leaves(record: Record, tmp_path: Path):
    filled = fill(record, "Pseudonym-of-Anna", by="Dr. Berta")
    write_dataset(record, tmp_path / "out", REQUEST, KEY)

    assert tuple(read_table(tmp_path / "out").columns) == COLUMNS
    content = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.[cm]*"))
    secrets = ("of-Anna", "Berta", "1960", "2026-05", "DermLite", "H-1", "Breslow")
    for secret in (*secrets, filled.patient.id, filled.lesion.id, filled.photograph.id):
        assert secret.encode() not in content


def test_the_photographs_are_the_kept_files_to_the_byte(record: Record, tmp_path: Path):
    filled = fill(record)
    write_dataset(record, tmp_path / "out", REQUEST, KEY)

    (path,) = (tmp_path / "out").glob("*/*.jpg")
    assert path.read_bytes() == record.images.read(filled.photograph.value.sha256)


def test_a_split_of_the_dataset_divides_no_patient(out: Path):
    dataset = merge_records(open_dataset(out).records)
    split = split_dataset(dataset.table, seed=1)

    check_split(split.table)
    assert split.table.groupby("patient_id")["subset"].nunique().max() == 1
    assert set(split.table["subset"]) == {"train", "validation", "test"}


def test_what_a_model_was_trained_on_is_left_out_of_its_evaluation_by_the_hash_of_the_file(
    out: Path,
):
    opened = open_dataset(out)
    trained = split_dataset(merge_records(opened.records).table, seed=1).table
    # Without ids, as under the key of another installation: the files alone show it.
    split = describe_split(trained.assign(lesion_id=None, patient_id=None))
    selection = select_photographs(opened, "all", split, key=KEY)

    fitted = set(trained["sha256"][trained["subset"] != "test"])
    seen = selection.table.set_index("sha256")["is_seen"]
    assert set(seen.index[seen]) == fitted
    assert 0 < len(fitted) < len(seen)


def test_other_photographs_of_the_same_patients_are_left_out_by_their_hashed_ids(
    record: Record, out: Path
):
    opened = open_dataset(out)
    trained = split_dataset(merge_records(opened.records).table, seed=1).table
    split = KEY.hash_ids(describe_split(trained)).assign(sha256="other")
    later = write_dataset(record, out.parent / "later", REQUEST, KEY)
    selection = select_photographs(open_dataset(later.folder), "all", split, key=KEY)

    assert selection.table["is_seen"].sum() == (trained["subset"] != "test").sum()


def test_the_patients_that_a_model_was_trained_on_are_found_by_their_files(
    record: Record, out: Path
):
    trained = split_dataset(merge_records(open_dataset(out).records).table, seed=1).table
    split = KEY.hash_ids(describe_split(trained))

    assert len(find_trained_patients(record, split)) == (trained["subset"] != "test").sum()
    assert find_trained_patients(record, None) == frozenset()
    assert find_trained_patients(record, split.assign(sha256="another")) == frozenset()


def test_follow_up_is_in_only_when_it_is_asked_for(record: Record, tmp_path: Path, draw: Draw):
    fill(record)
    with record.write(by="dr.a") as change:
        image = record.images.put(draw(tmp_path / "1.jpg", 1).read_bytes())
        _, lesion, visit, _ = add_seen(change, "P-2", image)
        later = change.add(replace(visit.value, on=date(2028, 1, 1)))
        for each in (visit, later):
            change.add(
                Decision(lesion_id=lesion.id, visit_id=each.id, management=Management.REASSURE)
            )
    without = write_dataset(record, tmp_path / "without", REQUEST, KEY)
    asked = replace(REQUEST, with_follow_up=True)
    with_it = write_dataset(record, tmp_path / "with", asked, KEY)

    assert without.by_confirmation == {"histopathology": 1}
    assert with_it.by_confirmation == {"histopathology": 1, "follow-up": 1}
    assert with_it.by_label == {"MEL": 1, "benign": 1}
    assert "follow-up" in (tmp_path / "with" / "README.md").read_text()


def test_overviews_and_sites_of_specimens_are_left_out_and_counted(record: Record, tmp_path: Path):
    filled = fill(record)
    value = filled.photograph.value
    with record.write(by="dr.a") as change:
        change.add(replace(value, kind=ImageKind.CLOSE_UP, dermoscopic_type=None))
        change.add(replace(value, shows_specimen_site=True))
    result = write_dataset(record, tmp_path / "out", REQUEST, KEY)

    assert result.num_photographs == 1
    assert sum(result.left_out.values()) == 2


def test_a_file_that_two_lesions_have_is_in_neither(record: Record, tmp_path: Path, draw: Draw):
    fill(record, "P-1")
    fill(record, "P-2")
    add_confirmed(record, draw(tmp_path / "1.jpg", 1).read_bytes(), "P-3")
    result = write_dataset(record, tmp_path / "out", REQUEST, KEY)

    assert result.num_photographs == 1
    assert result.left_out["the same file belongs to several lesions"] == 1


def test_the_audit_log_says_that_a_dataset_was_made_and_names_no_patient(out: Path, record: Record):
    (entry,) = [each for each in record.list_log() if each.action is Action.EXPORTED]
    assert entry.kind == entry.entry_id == ""
    assert entry.detail == f"dataset record-{record.record_id[:8]}, 20 photographs"
    assert record.verify().faults == ()
    assert out.is_dir()


def test_a_drawn_record_makes_a_dataset_that_says_so(record: Record, tmp_path: Path):
    fill(record, "drawn-1")
    result = write_dataset(record, tmp_path / "out", REQUEST, KEY)

    assert result.source.startswith("drawn-record-")
    assert "A program has drawn" in (tmp_path / "out" / "README.md").read_text()
