"""What is improbable is asked about, and only where it is new."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from melanoma_core.records.doubts import find_doubts
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.loop import Decision, Recall, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.surroundings import Surroundings
from melanoma_core.records.vocabulary import ImageKind, Management
from tests.core.records.made_cases import INVASIVE, make_histology, make_photograph
from tests.core.records.made_entries import fill

TODAY = date(2026, 6, 1)
VISIT = Visit(patient_id="p", on=TODAY)
SPECIMEN = Specimen(lesion_id="l", number="1", taken_on=TODAY, method=Management.EXCISION)


def make_scaled(scale: float | None, kind: ImageKind = ImageKind.DERMOSCOPIC) -> Photograph:
    return make_photograph("v", millimetres_per_pixel=scale, kind=kind)  # 600 pixels wide


@pytest.mark.parametrize(
    ("usual", "improbable", "field"),
    [
        (Patient(pseudonym="1"), Patient(pseudonym="1", birth_year=1915), "birth_year"),
        (
            Patient(pseudonym="1", birth_year=1916),
            Patient(pseudonym="1", birth_year=1904),
            "birth_year",
        ),
        (VISIT, replace(VISIT, on=date(1986, 12, 31)), "on"),
        (make_scaled(None), make_scaled(0.2), "millimetres_per_pixel"),
        (make_scaled(0.1), make_scaled(0.008), "millimetres_per_pixel"),
        (
            make_scaled(2.0, ImageKind.OVERVIEW),
            make_scaled(5.0, ImageKind.OVERVIEW),
            "millimetres_per_pixel",
        ),
        (SPECIMEN, replace(SPECIMEN, taken_on=TODAY + timedelta(days=366)), "taken_on"),
        (
            make_histology(INVASIVE, on=TODAY, breslow_mm=20.0),
            make_histology(INVASIVE, on=TODAY, breslow_mm=99.0),
            "breslow_mm",
        ),
        (
            make_histology(INVASIVE, on=TODAY, mitoses_per_mm2=20.0),
            make_histology(INVASIVE, on=TODAY, mitoses_per_mm2=21.0),
            "mitoses_per_mm2",
        ),
        (
            make_histology(on=TODAY + timedelta(days=90)),
            make_histology(on=TODAY + timedelta(days=91)),
            "reported_on",
        ),
        (
            Recall(patient_id="p", lesion_id="l", due_on=date(2031, 6, 1)),
            Recall(patient_id="p", lesion_id="l", due_on=date(2032, 6, 1)),
            "due_on",
        ),
    ],
)
def test_a_value_beyond_its_limit_is_asked_about(usual: Any, improbable: Any, field: str):
    around = Surroundings(today=TODAY, specimen=SPECIMEN, decided_at=VISIT)
    assert find_doubts(usual, around) == ()
    (doubt,) = find_doubts(improbable, around)
    assert doubt.field == field
    assert doubt.text.endswith(".")


def test_a_correction_asks_about_what_it_changes_alone(record: Record):
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym="1", birth_year=1910))
        assert [doubt.field for doubt in change.doubts] == ["birth_year"]
    with record.write(by="dr.a", today=TODAY) as change:
        change.correct(patient, replace(patient.value, pseudonym="2"))
        assert change.doubts == []


def test_a_program_is_asked_nothing(record: Record):
    with record.write(by="import") as change:
        change.add(Patient(pseudonym="1", birth_year=1910))
        assert change.doubts == []


def test_a_second_decision_and_a_second_specimen_of_the_same_thing_are_asked_about(record: Record):
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym="1"))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
        visit = change.add(replace(VISIT, patient_id=patient.id))
        chosen = Decision(lesion_id=lesion.id, visit_id=visit.id, management=Management.EXCISION)
        decision = change.add(chosen)
        taken = replace(SPECIMEN, lesion_id=lesion.id, decision_id=decision.id)
        change.add(taken)
        assert change.doubts == []
    with record.write(by="dr.b", today=TODAY) as change:
        change.add(replace(chosen, management=Management.REASSURE, reason="harmless"))
        change.add(replace(taken, number="2"))
        assert [doubt.text for doubt in change.doubts] == [
            "dr.a has decided already: excision.",
            "dr.a has saved a specimen of this decision already: 1.",
        ]


def test_what_is_decided_on_a_report_is_not_asked_about(record: Record):
    filled = fill(record)
    (decision,) = record.find(Decision, lesion_id=filled.lesion.id)
    with record.write(by="dr.b", today=date.today()) as change:
        change.add(replace(decision.value, reason="re-excision"))
        assert change.doubts == []
