from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from melanoma_core.records.checked import find_surroundings
from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Value, make_id
from melanoma_core.records.errors import UnknownEntryError
from melanoma_core.records.loop import Decision, Histology, Information, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.validation import InvalidEntryError, check
from melanoma_core.records.vocabulary import Channel, Management
from tests.core.records.made_cases import NEVUS, make_reading

TODAY = date(2026, 6, 1)


def check_entry(record: Record, value: Value, today: date, entry_id: str = "") -> Value:
    return check(value, find_surroundings(record, value, today, entry_id))


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def test_a_patient_is_checked_against_nothing_but_the_day(record: Record):
    patient = check_entry(record, Patient(pseudonym=" 1 ", birth_year=1960), TODAY)
    assert patient.pseudonym == "1"
    with pytest.raises(InvalidEntryError, match="birth_year"):
        check_entry(record, replace(patient, birth_year=2027), TODAY)


def test_an_entry_of_an_unknown_patient_is_refused(record: Record):
    with pytest.raises(UnknownEntryError):
        check_entry(record, Lesion(patient_id=make_id(), label="1"), TODAY)


def test_an_entry_is_checked_against_those_that_it_names(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="1", birth_year=1960))
        lesion = change.add(Lesion(patient_id=patient.id, label="1", noticed="2026"))
        visit = change.add(Visit(patient_id=patient.id, on=date(2026, 5, 1)))
        reading = make_reading(visit.id, "f", melanoma=0.9)
        reading = change.add(replace(reading, lesion_id=lesion.id, photographs=()))
        specimen = change.add(
            Specimen(
                lesion_id=lesion.id,
                number="S",
                taken_on=date(2026, 5, 2),
                method=Management.EXCISION,
            )
        )
        report = Histology(
            lesion_id=lesion.id,
            specimen_id=specimen.id,
            reported_on=date(2026, 5, 9),
            diagnosis=NEVUS,
        )
        histology = change.add(report)
    decision = Decision(
        lesion_id=lesion.id,
        visit_id=visit.id,
        management=Management.REASSURE,
        ai_reading_id=reading.id,
    )
    around = find_surroundings(record, decision, TODAY)
    assert (around.patient, around.lesion) == (patient.value, lesion.value)
    assert (around.visit, around.ai_reading) == (visit.value, reading.value)
    information = Information(
        lesion_id=lesion.id,
        histology_id=histology.id,
        on=date(2026, 5, 8),
        channel=Channel.PHONE,
    )
    for value, name in (
        (decision, "reason"),
        (replace(report, reported_on=date(2026, 5, 1)), "reported_on"),
        (replace(specimen.value, taken_on=date(2025, 12, 31)), "taken_on"),
        (information, "on"),
        (Visit(patient_id=patient.id, on=date(1959, 1, 1)), "on"),
        (Lesion(patient_id=patient.id, label="1"), "label"),
    ):
        with pytest.raises(InvalidEntryError) as raised:
            check_entry(record, value, TODAY)
        assert [error.field for error in raised.value.errors] == [name]


def test_a_lesion_that_is_corrected_keeps_its_name(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="1"))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
    corrected = replace(lesion.value, note="new")
    assert check_entry(record, corrected, TODAY, lesion.id) == corrected


def test_a_specimen_is_checked_against_the_visit_of_its_decision(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="1"))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
        visit = change.add(Visit(patient_id=patient.id, on=date(2026, 5, 2)))
        decision = change.add(
            Decision(lesion_id=lesion.id, visit_id=visit.id, management=Management.EXCISION)
        )
    specimen = Specimen(
        lesion_id=lesion.id,
        number="S",
        taken_on=date(2026, 5, 2),
        method=Management.EXCISION,
        decision_id=decision.id,
    )
    assert check_entry(record, specimen, TODAY) == specimen
    with pytest.raises(InvalidEntryError, match="before the visit of its decision, 2 May 2026"):
        check_entry(record, replace(specimen, taken_on=date(2026, 5, 1)), TODAY)
