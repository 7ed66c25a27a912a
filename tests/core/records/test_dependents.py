"""A correction that what stands on the entry would not fit is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.loop import Decision, Histology, Information, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.validation import InvalidEntryError
from melanoma_core.records.vocabulary import Channel, Management
from tests.core.records.made_cases import NEVUS

TODAY = date(2026, 6, 1)
DAY = date(2026, 3, 2)

Kept = dict[type, Any]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


@pytest.fixture
def kept(record: Record) -> Kept:
    """A visit with a decision, its specimen, the report and the information, a week apart each."""
    with record.write(by="dr.a", today=TODAY) as change:
        patient = change.add(Patient(pseudonym="1", birth_year=1960))
        lesion = change.add(Lesion(patient_id=patient.id, label="1", noticed="2020"))
        visit = change.add(Visit(patient_id=patient.id, on=DAY))
        where = {"lesion_id": lesion.id}
        decision = change.add(Decision(**where, visit_id=visit.id, management=Management.EXCISION))
        specimen = change.add(
            Specimen(
                **where,
                number="S-1",
                taken_on=DAY + timedelta(days=7),
                method=Management.EXCISION,
                decision_id=decision.id,
            )
        )
        reported_on = DAY + timedelta(days=14)
        histology = change.add(
            Histology(**where, specimen_id=specimen.id, reported_on=reported_on, diagnosis=NEVUS)
        )
        on = DAY + timedelta(days=21)
        information = change.add(
            Information(**where, histology_id=histology.id, on=on, channel=Channel.PHONE)
        )
    entries = (patient, lesion, visit, decision, specimen, histology, information)
    return {type(entry.value): entry for entry in entries}


def correct(record: Record, entry: Any, **fields: object) -> None:
    with record.write(by="dr.a", today=TODAY) as change:
        change.correct(entry, replace(entry.value, **fields))


@pytest.mark.parametrize(
    ("kind", "field", "refused", "kept_as"),
    [
        (Visit, "on", DAY + timedelta(days=8), DAY + timedelta(days=7)),
        (Specimen, "taken_on", DAY + timedelta(days=15), DAY + timedelta(days=14)),
        (Histology, "reported_on", DAY + timedelta(days=22), DAY + timedelta(days=21)),
        (Lesion, "noticed", "2026-05", "2026-03"),
        (Patient, "birth_year", 2021, 2020),
    ],
)
def test_an_entry_cannot_pass_what_stands_on_it(
    record: Record, kept: Kept, kind: type, field: str, refused: object, kept_as: object
):
    with pytest.raises(InvalidEntryError) as found:
        correct(record, kept[kind], **{field: refused})
    assert {error.field for error in found.value.errors} == {field}
    assert record.get(kind, kept[kind].id).version == 1
    correct(record, kept[kind], **{field: kept_as})


def test_what_did_not_fit_before_is_no_reason_against_a_correction(record: Record, kept: Kept):
    early = replace(kept[Specimen].value, taken_on=DAY - timedelta(days=7))
    with record.write(by="a program") as change:  # whose entries are not checked
        change.correct(kept[Specimen], early)
    correct(record, kept[Visit], reason="the date of the specimen is wrong")
    assert record.get(Visit, kept[Visit].id).version == 2


def test_both_can_be_corrected_at_once(record: Record, kept: Kept):
    later = DAY + timedelta(days=8)
    with record.write(by="dr.a", today=TODAY) as change:
        change.correct(kept[Specimen], replace(kept[Specimen].value, taken_on=later))
        change.correct(kept[Visit], replace(kept[Visit].value, on=later))
    assert record.get(Visit, kept[Visit].id).value.on == later
