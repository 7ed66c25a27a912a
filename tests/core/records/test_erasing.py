from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from melanoma_core.errors import RecordError
from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.errors import UnknownEntryError
from melanoma_core.records.faults import FaultKind
from melanoma_core.records.ledger import Action
from melanoma_core.records.schema import METADATA
from melanoma_core.records.store import Record
from tests.core.records.conftest import Tamper
from tests.core.records.made_entries import Filled, fill, read_drawn


@pytest.fixture
def filled(record: Record) -> Filled:
    return fill(record, "Pseudonym-of-Anna")


def erase(record: Record, filled: Filled, by: str = "dr.b") -> None:
    with record.erasing(filled.patient.id, by=by) as erasure:
        for entry in filled.entries:
            erasure.remove(type(entry.value), entry.id)


def test_everything_of_a_patient_goes_and_the_log_says_that_it_went(record: Record, filled: Filled):
    erase(record, filled)

    assert set(record.count().values()) == {0}
    assert list(record.images.list_files()) == []
    erased = [entry for entry in record.list_log() if entry.action is Action.ERASED]
    assert {entry.entry_id for entry in erased} == {entry.id for entry in filled.entries}
    assert {(entry.by, entry.version, entry.content, entry.detail) for entry in erased} == {
        ("dr.b", 0, "", "")
    }
    assert record.verify().faults == ()


def test_nothing_of_an_erased_patient_is_left_in_any_file_or_table(record: Record, filled: Filled):
    erase(record, filled)

    if record.place.url:
        with psycopg.connect(record.place.url) as connection:
            for table in METADATA.tables:
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # type: ignore[arg-type]
                assert "Pseudonym-of-Anna" not in str(rows)
        return
    for path in record.place.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Pseudonym-of-Anna" not in content
            assert b"Ein Melanom" not in content


def test_old_versions_go_too(record: Record, filled: Filled):
    with record.write(by="dr.a") as change:
        change.correct(filled.patient, replace(filled.patient.value, birth_year=1999))
    erase(record, filled)

    with pytest.raises(UnknownEntryError):
        record.versions(Patient, filled.patient.id)
    assert record.verify().faults == ()


def test_a_photograph_that_another_patient_has_too_stays(record: Record, filled: Filled):
    other = fill(record, "P-2")
    erase(record, filled)

    assert record.images.read(other.photograph.value.sha256)
    assert record.load_case(other.lesion.id).patient == other.patient
    assert record.verify().faults == ()


def test_nothing_is_erased_while_what_stays_names_it(record: Record, filled: Filled):
    with (
        pytest.raises(UnknownEntryError, match="stays names one"),
        record.erasing(filled.patient.id, by="dr.b") as erasure,
    ):
        erasure.remove(Patient, filled.patient.id)

    assert record.find(Patient) == (filled.patient,)
    assert record.verify().faults == ()


def test_what_is_not_there_cannot_be_erased(record: Record):
    with (
        pytest.raises(UnknownEntryError, match="not in the record"),
        record.erasing("0" * 32, by="dr.b") as erasure,
    ):
        erasure.remove(Patient, "0" * 32)


def test_an_erasure_that_raises_erases_nothing(record: Record, filled: Filled):
    with suppress(ZeroDivisionError), record.erasing(filled.patient.id, by="dr.b") as erasure:
        erasure.remove(Patient, filled.patient.id)
        raise ZeroDivisionError

    assert record.find(Patient) == (filled.patient,)


def test_who_erases_is_named(record: Record):
    with pytest.raises(RecordError, match="Give a name"), record.erasing("0" * 32, by=""):
        pass


def test_a_file_that_a_killed_process_has_left_is_removed_at_the_next_start(
    record: Record, filled: Filled, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Record, "finish_removals", lambda _: None)
    erase(record, filled)
    assert {fault.kind for fault in record.verify().faults} == {FaultKind.DAMAGED}
    monkeypatch.undo()

    again = Record.open(record.place)
    assert list(again.images.list_files()) == []
    assert again.verify().faults == ()
    again.close()


def test_a_photograph_that_was_added_again_before_its_removal_stays(
    record: Record, filled: Filled, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Record, "finish_removals", lambda _: None)
    erase(record, filled)
    monkeypatch.undo()
    other = fill(record, "P-2")

    record.finish_removals()
    assert record.images.read(other.photograph.value.sha256)
    assert record.verify().faults == ()


def test_rows_that_were_removed_without_an_erasure_are_still_found(
    record: Record, filled: Filled, tamper: Tamper
):
    tamper("DELETE FROM recall")

    assert [fault.kind for fault in record.verify().faults] == [FaultKind.MISSING]
    assert filled


def test_a_visit_may_be_erased_alone(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="P-1"))
        visit = change.add(Visit(patient_id=patient.id, on=fill(record, "P-2").visit.value.on))
        change.add(Lesion(patient_id=patient.id, label="1"))
    with record.erasing(patient.id, by="dr.a") as erasure:
        erasure.remove(Visit, visit.id)

    assert record.find(Visit, patient_id=patient.id) == ()
    assert record.verify().faults == ()
    assert read_drawn()
