"""Who saw and changed what: the audit log, filtered by person, patient, action and day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.ledger import Action
from melanoma_core.records.log_search import LogQuery, Subject
from melanoma_core.records.store import Record
from tests.core.records.made_cases import make_photograph
from tests.core.records.made_entries import read_drawn


def add_patient(record: Record, pseudonym: str, by: str) -> tuple[str, str]:
    with record.write(by=by) as change:
        patient = change.add(Patient(pseudonym=pseudonym))
        lesion = change.add(Lesion(patient_id=patient.id, label="L1"))
        change.add(Visit(patient_id=patient.id, on=datetime.now(UTC).date()))
    return patient.id, lesion.id


def test_a_new_record_has_one_entry_of_no_patient(record: Record) -> None:
    page = record.search_log(LogQuery())
    assert page.total == 1
    ((entry, subject),) = page.rows
    assert (entry.action, subject) == (Action.CREATED, Subject())
    assert record.count_changes(after=0) == {}


def test_entries_are_found_by_person_patient_and_action(record: Record) -> None:
    patient_id, lesion_id = add_patient(record, "p-1", "Dr. Meier")
    add_patient(record, "p-2", "Dr. Huber")
    record.log_seen(by="nurse", kind=Lesion, entry_id=lesion_id)
    record.log_seen(by="nurse", kind=None, detail="audit")

    assert record.search_log(LogQuery(by="meier")).total == 3
    assert record.search_log(LogQuery(by="%")).total == 0
    own = record.search_log(LogQuery(pseudonym="p-1"))
    assert own.total == 4
    seen, subject = own.rows[0]
    assert (seen.action, seen.by) == (Action.SEEN, "nurse")
    assert subject == Subject(patient_id, "p-1", lesion_id, "L1")
    assert record.search_log(LogQuery(pseudonym="p-3")).total == 0
    assert record.search_log(LogQuery(actions=(Action.SEEN,))).total == 2
    assert record.count_changes(after=1) == {Action.ADDED: 6}
    assert record.count_changes(after=7) == {}  # it was only seen since


def test_pages_and_days_divide_the_log(record: Record) -> None:
    add_patient(record, "p-1", "dr.b")
    everything = record.search_log(LogQuery(limit=10))
    assert [entry.number for entry, _ in everything.rows] == [4, 3, 2, 1]
    second = record.search_log(LogQuery(limit=2, offset=2))
    assert (second.total, [entry.number for entry, _ in second.rows]) == (4, [2, 1])
    now = datetime.now(UTC)
    assert record.search_log(LogQuery(since=now + timedelta(hours=1))).total == 0
    assert record.search_log(LogQuery(before=now - timedelta(hours=1))).total == 0
    assert record.search_log(LogQuery(since=now - timedelta(hours=1))).total == 4


def test_an_erased_patient_is_no_longer_named(record: Record) -> None:
    patient_id, lesion_id = add_patient(record, "p-1", "dr.b")
    visits = record.find(Visit, patient_id=patient_id)
    with record.erasing(patient_id, by="dr.b") as erasure:
        for kind, entry_id in ((Visit, visits[0].id), (Lesion, lesion_id), (Patient, patient_id)):
            erasure.remove(kind, entry_id)
    assert record.count_changes(after=4) == {Action.ERASED: 3}
    page = record.search_log(LogQuery(actions=(Action.ERASED,)))
    assert {subject.pseudonym for _, subject in page.rows} == {""}
    assert record.search_log(LogQuery(pseudonym="p-1")).total == 0


def test_a_check_says_how_far_it_is_and_can_be_cancelled(record: Record) -> None:
    seen: list[tuple[int, int]] = []
    assert record.verify(progress=lambda done, total: seen.append((done, total))).faults == ()
    assert seen == []  # there is no photograph
    image = record.images.put(read_drawn())
    patient_id, lesion_id = add_patient(record, "p-1", "dr.b")
    (visit,) = record.find(Visit, patient_id=patient_id)
    with record.write(by="dr.b") as change:
        shot = replace(make_photograph(visit.id), sha256=image.sha256)
        change.add(replace(shot, patient_id=patient_id, lesion_id=lesion_id))
    record.verify(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]

    def cancel(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record.verify(progress=cancel)
    assert record.verify().faults == ()
