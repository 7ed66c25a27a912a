"""Who acts, whether they may, and under which name they write."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from melanoma_core.access.rights import Right, Role
from melanoma_core.access.subject import (
    ANONYMOUS,
    LOCAL,
    NO_ONE,
    Subject,
    acting_as,
    check_signature,
    get_subject,
    identify_by,
    require,
)
from melanoma_core.errors import AccessError
from melanoma_core.records.entities import Patient
from melanoma_core.records.log_search import LogQuery
from melanoma_core.records.opened import Opened, remember_opened
from melanoma_core.records.patient_erasing import erase_patient
from melanoma_core.records.store import Record
from melanoma_core.runs.control import delete_run, resume_run, stop_run
from melanoma_core.settings import load_settings

ADA = Subject("auth0|5f", "Dr. Ada", frozenset({Role.READER}))
TRAINER = Subject("t", "Tom", frozenset({Role.TRAINER}))
STEWARD = Subject("s", "Sue", frozenset({Role.STEWARD}))
AUDITOR = Subject("a", "Al", frozenset({Role.AUDITOR}))


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def test_without_a_login_the_person_at_the_machine_may_do_everything():
    assert get_subject() is LOCAL
    for right in Right:
        require(right)
    check_signature("any name")


@pytest.mark.parametrize("subject", [NO_ONE, ANONYMOUS])
def test_without_a_role_nothing_is_changed(subject: Subject):
    allowed = [right for right in Right if subject.may(right)]

    assert allowed == ([Right.READ] if subject is ANONYMOUS else [])


def test_a_refusal_says_what_was_found_what_is_needed_and_whom_to_ask():
    with acting_as(ADA), pytest.raises(AccessError) as caught:
        require(Right.ERASE)

    assert str(caught.value) == (
        "Found reader for Dr. Ada <auth0|5f>. To erase a patient needs the role steward. Ask a "
        "steward for it."
    )


def test_who_acts_is_of_one_thread_alone_and_ends_with_the_statement():
    found = []
    with acting_as(ADA):
        thread = threading.Thread(target=lambda: found.append(get_subject()))
        thread.start()
        thread.join()
        assert get_subject() is ADA

    assert found == [LOCAL]
    assert get_subject() is LOCAL


def test_a_server_says_who_acts_where_nothing_else_does():
    try:
        identify_by(lambda: NO_ONE)
        assert get_subject() is NO_ONE
        with acting_as(ADA):
            assert get_subject() is ADA
    finally:
        identify_by(lambda: LOCAL)


def test_the_record_keeps_the_subject_of_the_token_and_no_other_name(record: Record):
    with acting_as(ADA):
        with record.write(by=ADA.signature) as change:
            change.add(Patient(pseudonym="P-1"))
        for by in ("dr.b", "Dr. Ada", "Dr. Ada <another>"):
            with pytest.raises(AccessError, match="write under your own login"):
                record.log_export(by=by, kind=None, detail="a letter")

    assert record.list_log()[0].by == "Dr. Ada <auth0|5f>"


@pytest.mark.parametrize("subject", [TRAINER, STEWARD, AUDITOR, ANONYMOUS, NO_ONE])
def test_only_a_reader_writes_into_the_record(record: Record, subject: Subject):
    needed = pytest.raises(AccessError, match="needs the role reader")
    with acting_as(subject), needed, record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="P-1"))

    assert record.find(Patient) == ()


@pytest.mark.parametrize("subject", [ADA, TRAINER, AUDITOR, ANONYMOUS, NO_ONE])
def test_only_a_steward_erases_and_manages_the_record(record: Record, subject: Subject):
    with acting_as(subject):
        needed = pytest.raises(AccessError, match="needs the role steward")
        with needed, record.erasing("id", by="dr.a"):
            pass
        for act in (
            lambda: Record.create(record.place.folder, by="dr.a"),
            lambda: Record.upgrade(record.place.folder, by="dr.a"),
            lambda: remember_opened(load_settings(), Opened.CLINIC),
            record.rebuild,
        ):
            with pytest.raises(AccessError, match="needs the role steward"):
                act()


@pytest.mark.parametrize("subject", [ADA, TRAINER, STEWARD, ANONYMOUS])
def test_only_an_auditor_reads_the_log(record: Record, subject: Subject):
    with acting_as(subject):
        for read in (record.list_log, lambda: record.search_log(LogQuery())):
            with pytest.raises(AccessError, match="needs the role auditor"):
                read()
        assert record.find_newest() == 1  # whether something has changed may be known
    with acting_as(AUDITOR):
        assert len(record.list_log()) == 1


@pytest.mark.parametrize("act", [stop_run, resume_run, delete_run])
def test_only_a_trainer_changes_runs(act):
    for subject in (ADA, STEWARD, AUDITOR, ANONYMOUS, NO_ONE):
        with acting_as(subject), pytest.raises(AccessError, match="needs the role trainer"):
            act(load_settings(), "a run")


def test_a_steward_erases_a_patient_and_hears_what_has_left_the_record(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="P-1"))
    record.log_export(by="dr.a", kind=Patient, entry_id=patient.id, detail="a letter")

    with acting_as(STEWARD):
        erased = erase_patient(record, patient.id, STEWARD.signature)

    assert [entry.detail for entry in erased.exports] == ["a letter"]
    assert record.list_log()[0].by == "Sue <s>"
