"""What a person types is checked and cleaned before it is written, whatever page it comes from."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.store import Record
from melanoma_core.records.validation import InvalidEntryError

TODAY = date(2026, 11, 27)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def test_what_is_typed_is_cleaned(record: Record):
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym=" 7\u202e\n"))

    assert patient.value.pseudonym == "7"
    assert record.get(Patient, patient.id) == patient


def write_patient(record: Record, patient: Patient, *more: Callable[[str], Lesion | Visit]) -> None:
    with record.write(by="dr.a", today=TODAY) as change:
        patient_id = change.add(patient).id
        for make in more:
            change.add(make(patient_id))


def list_wrong(record: Record, patient: Patient, *more: Callable[[str], Lesion | Visit]) -> str:
    with pytest.raises(InvalidEntryError) as found:
        write_patient(record, patient, *more)
    return " ".join(error.field for error in found.value.errors)


def test_an_entry_with_an_error_writes_nothing_of_its_change(record: Record):
    tomorrow = date(2026, 11, 28)

    assert list_wrong(record, Patient(pseudonym="7"), lambda p: Visit(patient_id=p, on=tomorrow))
    assert record.find(Patient) == ()


def test_entries_of_one_change_are_checked_against_each_other(record: Record):
    patient = Patient(pseudonym="7", birth_year=1980)
    early = list_wrong(record, patient, lambda p: Lesion(patient_id=p, label="1", noticed="1979"))

    assert early == "noticed"


def test_two_lesions_of_one_change_cannot_have_one_label(record: Record):
    twice = [lambda p: Lesion(patient_id=p, label="1")] * 2

    assert list_wrong(record, Patient(pseudonym="7"), *twice) == "label"


def test_a_correction_is_checked_and_may_keep_its_label(record: Record):
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym="7"))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
    with record.write(by="dr.a", today=TODAY) as change:
        change.correct(lesion, Lesion(patient_id=patient.id, label="1", noticed="2024"))

    def give_birth_year(year: int) -> None:
        with record.write(by="dr.a", today=TODAY) as change:
            change.correct(patient, Patient(pseudonym="7", birth_year=year))

    with pytest.raises(InvalidEntryError, match="birth_year"):
        give_birth_year(2027)
    assert record.get(Lesion, lesion.id).value.noticed == "2024"


def test_a_lesion_of_another_label_frees_it_within_a_change(record: Record):
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym="7"))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
    with record.write(by="dr.a", today=TODAY) as change:
        change.correct(lesion, Lesion(patient_id=patient.id, label="2"))
        change.add(Lesion(patient_id=patient.id, label="1"))

    labels = [entry.value.label for entry in record.find(Lesion, patient_id=patient.id)]
    assert sorted(labels) == ["1", "2"]


def test_what_a_program_writes_is_kept_as_it_is(record: Record):
    with record.write(by="import") as change:
        patient = change.add(Patient(pseudonym=" 7 "))

    assert patient.value.pseudonym == " 7 "
