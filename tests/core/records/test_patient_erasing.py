from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.errors import RecordError
from melanoma_core.lookalikes.embeddings import SUFFIX, Embedded, EmbeddingStore
from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.errors import UnknownEntryError
from melanoma_core.records.ledger import Action
from melanoma_core.records.patient_erasing import erase_patient, find_exports
from melanoma_core.records.store import Record
from tests.core.records.made_entries import Filled, fill

PSEUDONYM = "Pseudonym-of-Anna"


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record, None, None]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


@pytest.fixture
def filled(record: Record) -> Filled:
    return fill(record, PSEUDONYM)


def test_a_patient_who_is_not_there_cannot_be_erased(record: Record):
    with pytest.raises(UnknownEntryError, match="Choose it from the list"):
        erase_patient(record, "0" * 32, "dr.b")


def test_everything_goes_with_all_versions_and_also_what_was_withdrawn(
    record: Record, filled: Filled
):
    with record.write(by="dr.a") as change:
        change.correct(filled.patient, replace(filled.patient.value, birth_year=1961))
        lesion = change.add(Lesion(patient_id=filled.patient.id, label="2"))
        change.add(Visit(patient_id=filled.patient.id, on=filled.visit.value.on))
    with record.write(by="dr.a") as change:
        change.withdraw(lesion, "entered for the wrong patient")
    erased = erase_patient(record, filled.patient.id, "dr.b")

    assert erased.num_entries == len(filled.entries) + 2
    assert (erased.num_photographs, erased.num_shared, erased.exports) == (2, 0, ())
    assert set(record.count().values()) == {0}
    assert record.load_patient_history(filled.patient.id) == ()
    assert list(record.images.list_files()) == []
    assert record.verify().faults == ()
    for path in record.place.folder.rglob("*"):
        assert not path.is_file() or PSEUDONYM.encode() not in path.read_bytes()


def test_the_log_keeps_only_that_they_went(record: Record, filled: Filled):
    erase_patient(record, filled.patient.id, "dr.b")

    entries = [each for each in record.list_log() if each.action is Action.ERASED]
    assert {each.entry_id for each in entries} == {each.id for each in filled.entries}
    assert {(each.by, each.detail, each.content) for each in entries} == {("dr.b", "", "")}


def test_another_patient_and_an_identical_file_of_theirs_stay(record: Record, filled: Filled):
    other = fill(record, "P-2")
    erased = erase_patient(record, filled.patient.id, "dr.b")

    assert erased.num_shared == 2
    assert "2 of their files stay" in erased.describe()
    assert record.images.read(other.photograph.value.sha256)
    assert record.find(Patient) == (other.patient,)
    assert record.verify().faults == ()


def test_indexes_and_embeddings_go_even_if_another_patient_has_the_same_file(
    record: Record, filled: Filled
):
    fill(record, "P-2")
    folder = record.place.lookalikes_folder
    store = EmbeddingStore(folder, "model")
    sha256 = filled.photograph.value.sha256
    store.add({sha256: Embedded(np.zeros(4, np.float32), "0" * 64, "0" * 64)})
    (folder / f"model{SUFFIX}").write_bytes(b"index with the patient's id")
    erase_patient(record, filled.patient.id, "dr.b")

    assert not list(folder.glob(f"*{SUFFIX}"))
    assert store.find_all() == set()


def test_what_left_the_record_before_is_named(record: Record, filled: Filled):
    other = fill(record, "P-2")
    record.log_export(by="dr.a", kind=Patient, entry_id=filled.patient.id, detail="of one patient")
    record.log_export(by="dr.a", kind=Patient, entry_id=other.patient.id, detail="of another")
    record.log_export(by="dr.a", kind=None, detail="dataset")

    assert [each.detail for each in find_exports(record, filled.patient.id)] == [
        "dataset",
        "of one patient",
    ]
    erased = erase_patient(record, filled.patient.id, "dr.b")
    assert "Data had left the record 2 times before" in erased.describe()


def test_an_entry_that_another_person_adds_meanwhile_goes_too(
    record: Record, filled: Filled, monkeypatch: pytest.MonkeyPatch
):
    load, calls = Record.load_patient_history, []

    def load_and_add(self: Record, patient_id: str):
        history = load(self, patient_id)
        calls.append(patient_id)
        if len(calls) == 2:  # the first one looks for exports
            with self.write(by="dr.c") as change:
                change.add(Lesion(patient_id=patient_id, label="new"))
        return history

    monkeypatch.setattr(Record, "load_patient_history", load_and_add)
    erase_patient(record, filled.patient.id, "dr.b")
    monkeypatch.undo()

    assert set(record.count().values()) == {0}
    assert record.verify().faults == ()


def test_who_erases_is_named(record: Record, filled: Filled):
    with pytest.raises(RecordError, match="Give a name"):
        erase_patient(record, filled.patient.id, " ")
    assert record.find(Patient)
