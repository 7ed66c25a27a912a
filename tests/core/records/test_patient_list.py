"""The list of patients: found by pseudonym, each with what waits."""

from datetime import date, timedelta

import pytest

from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.patient_list import PatientQuery
from melanoma_core.records.place import Place
from melanoma_core.records.severity import Severity
from melanoma_core.records.store import Record
from tests.core.records.made_entries import read_drawn

DAY = date(2026, 5, 4)


@pytest.fixture
def record(place: Place):
    record = Record.create(place, by="dr.a")
    yield record
    record.close()


def add_patients(record: Record, *pseudonyms: str) -> list:
    with record.write(by="dr.a") as change:
        return [change.add(Patient(pseudonym=each)) for each in pseudonyms]


def list_names(record: Record, **asked) -> list[str]:
    rows = record.list_patients(PatientQuery(on=DAY, **asked))
    return [row.patient.value.pseudonym for row in rows]


def test_an_empty_record_has_no_patients(record):
    assert list_names(record) == []
    assert record.count_patients("") == 0


def test_patients_come_by_pseudonym_in_any_case_page_by_page(record):
    add_patients(record, "b-2", "A-1", "a-3", "c")

    assert list_names(record) == ["A-1", "a-3", "b-2", "c"]
    assert list_names(record, limit=2, offset=1) == ["a-3", "b-2"]
    assert list_names(record, text="A-") == ["A-1", "a-3"]
    assert list_names(record, text="%") == []  # no pattern
    assert (record.count_patients("a-"), record.count_patients("_")) == (2, 0)


def test_a_withdrawn_patient_leaves_the_list(record):
    first, _ = add_patients(record, "a", "b")
    with record.write(by="dr.a") as change:
        change.withdraw(first, "typed twice")

    assert list_names(record) == ["b"]
    assert record.count_patients("") == 1


def test_a_row_counts_lesions_that_stand_and_tasks_that_are_due(record):
    patient, _ = add_patients(record, "a", "b")
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        lesion, wrong = (
            change.add(Lesion(patient_id=patient.id, label=label)) for label in ("1", "2")
        )
        visit = change.add(Visit(patient_id=patient.id, on=DAY))
        change.add(
            Photograph(
                patient_id=patient.id,
                lesion_id=lesion.id,
                visit_id=visit.id,
                sha256=image.sha256,
                media_type=image.media_type,
                width=image.width,
                height=image.height,
            )
        )
        change.withdraw(wrong, "no lesion")

    row, other = record.list_patients(PatientQuery(on=DAY))
    assert (row.num_lesions, row.num_due, row.severity) == (1, 1, Severity.ROUTINE)
    assert (other.num_lesions, other.num_due, other.severity) == (0, 0, None)
    before = record.list_patients(PatientQuery(on=DAY - timedelta(days=1)))[0]
    assert (before.num_lesions, before.num_due, before.severity) == (1, 0, None)
