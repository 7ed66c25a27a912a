import threading
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from melanoma_core.errors import FolderError, RecordError, SettingsError
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import (
    EditConflict,
    NoRecordError,
    PseudonymError,
    RecordDamagedError,
    UnknownEntryError,
)
from melanoma_core.records.ledger import Action
from melanoma_core.records.loop import Decision, Recall
from melanoma_core.records.place import Place
from melanoma_core.records.schema import KINDS
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_entries import DAY, Filled, add_seen, fill, read_drawn

PATIENT = Patient(pseudonym="P-1", birth_year=1960)


def add(record: Record, value: object, by: str = "dr.a") -> Entry:
    with record.write(by=by) as change:
        return change.add(value)


def correct(record: Record, entry: Entry, value: object, by: str = "dr.a") -> Entry:
    with record.write(by=by) as change:
        return change.correct(entry, value)


@pytest.fixture
def filled(record: Record) -> Filled:
    return fill(record)


def test_an_empty_record_has_nothing_but_its_own_beginning(record: Record):
    assert set(record.count().values()) == {0}
    assert [entry.action for entry in record.list_log()] == [Action.CREATED]
    assert record.find_patient("P-1") is None
    assert record.search_patients("") == ()


def test_every_kind_of_entry_is_read_as_it_was_written(record: Record, filled: Filled):
    assert {type(entry.value).__name__ for entry in filled.entries} == set(KINDS)
    for entry in filled.entries:
        assert record.get(type(entry.value), entry.id) == entry
        assert (entry.version, entry.by, entry.withdrawn) == (1, "dr.a", "")
        assert datetime.now(UTC) - entry.at < timedelta(minutes=1)


def test_a_record_that_is_opened_again_says_the_same(record: Record, filled: Filled):
    again = Record.open(record.place)

    assert again.record_id == record.record_id
    assert again.load_case(filled.lesion.id) == record.load_case(filled.lesion.id)
    again.close()


def test_a_correction_is_a_new_version_and_the_old_one_stays(record: Record):
    first = add(record, PATIENT)
    second = correct(record, first, replace(PATIENT, birth_year=1961), by="dr.b")

    assert (second.id, second.version, second.by) == (first.id, 2, "dr.b")
    assert record.get(Patient, first.id) == second
    assert record.versions(Patient, first.id) == (first, second)
    assert record.find(Patient) == (second,)
    assert record.find(Patient, birth_year=1960) == ()


def test_the_second_of_two_who_correct_one_version_hears_of_the_first_and_loses_nothing(
    record: Record,
):
    first = add(record, PATIENT)
    theirs = correct(record, first, replace(PATIENT, birth_year=1961), by="dr.b")

    typed = replace(PATIENT, birth_year=1962)
    with pytest.raises(EditConflict, match=r"^dr\.b changed this patient on ") as caught:
        correct(record, first, typed, by="dr.c")

    assert caught.value.current == theirs
    assert caught.value.refused == typed
    assert record.versions(Patient, first.id) == (first, theirs)


def test_a_conflict_keeps_nothing_else_of_the_same_change(record: Record):
    first = add(record, PATIENT)
    correct(record, first, replace(PATIENT, birth_year=1961))

    def write_two() -> None:
        with record.write(by="dr.c") as change:
            change.add(Patient(pseudonym="P-2"))
            change.correct(first, PATIENT)

    with pytest.raises(EditConflict):
        write_two()

    assert record.find_patient("P-2") is None
    assert [entry.action for entry in record.list_log()][:2] == [Action.CORRECTED, Action.ADDED]


def test_a_withdrawn_entry_is_no_longer_found_but_can_be_read(record: Record):
    first = add(record, PATIENT)
    with record.write(by="dr.b") as change:
        last = change.withdraw(first, "wrong person")

    assert record.find(Patient) == ()
    assert record.find_patient("P-1") is None
    assert record.get(Patient, first.id) == last
    assert (last.withdrawn, last.value) == ("wrong person", PATIENT)


def test_who_corrects_what_another_has_withdrawn_hears_of_it(record: Record):
    first = add(record, PATIENT)
    with record.write(by="dr.b") as change:
        change.withdraw(first, "wrong person")

    with pytest.raises(EditConflict, match=r"^dr\.b withdrew this patient"):
        correct(record, first, PATIENT)


def test_a_withdrawn_entry_stands_again_once_it_is_corrected(record: Record):
    first = add(record, PATIENT)
    with record.write(by="dr.b") as change:
        last = change.withdraw(first, "wrong person")
    correct(record, last, PATIENT)

    assert record.find_patient("P-1") is not None


def test_an_entry_is_not_withdrawn_without_a_reason(record: Record):
    first = add(record, PATIENT)

    with pytest.raises(RecordError, match="Say what was wrong"), record.write(by="a") as change:
        change.withdraw(first, " ")


def test_nothing_is_written_without_a_name(record: Record):
    with pytest.raises(RecordError, match="Give a name"), record.write(by=" "):
        pass


def test_one_change_may_add_an_entry_and_correct_it(record: Record):
    with record.write(by="dr.a") as change:
        first = change.add(PATIENT)
        change.correct(first, replace(PATIENT, birth_year=1970))

    assert record.get(Patient, first.id).value.birth_year == 1970


def test_a_change_that_raises_leaves_nothing(record: Record):
    def write() -> None:
        with record.write(by="dr.a") as change:
            change.add(PATIENT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert record.find(Patient) == ()
    assert len(record.list_log()) == 1


def test_a_version_whose_change_was_not_kept_cannot_be_corrected(record: Record):
    first = add(record, PATIENT)
    with suppress(ZeroDivisionError), record.write(by="dr.a") as change:
        lost = change.correct(first, PATIENT)
        raise ZeroDivisionError

    with pytest.raises(UnknownEntryError, match="its change was not kept"):
        correct(record, lost, PATIENT)


def test_a_change_without_a_step_writes_no_log(record: Record):
    with record.write(by="dr.a"):
        pass

    assert len(record.list_log()) == 1


def test_a_pseudonym_belongs_to_one_patient(record: Record):
    first = add(record, PATIENT)
    other = add(record, Patient(pseudonym="P-2"))

    for write in (
        lambda: add(record, Patient(pseudonym="P-1")),
        lambda: correct(record, other, Patient(pseudonym="P-1")),
    ):
        with pytest.raises(PseudonymError, match='There is a patient "P-1" already'):
            write()
    assert [entry.id for entry in record.find(Patient)] == [first.id, other.id]


def test_the_pseudonym_of_a_withdrawn_patient_can_be_given_again(record: Record):
    first = add(record, PATIENT)
    with record.write(by="dr.a") as change:
        change.withdraw(first, "wrong person")

    second = add(record, PATIENT)
    assert record.find_patient("P-1") == second


def test_an_entry_of_an_unknown_patient_is_refused(record: Record):
    with pytest.raises(UnknownEntryError, match="not in the record"):
        add(record, Lesion(patient_id="0" * 32, label="1"))

    assert len(record.list_log()) == 1


def test_a_photograph_whose_file_is_not_there_is_refused(record: Record, filled: Filled):
    with pytest.raises(RecordDamagedError, match="Add the photograph again"):
        add(record, replace(filled.photograph.value, sha256="0" * 64))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Patient(pseudonym="a\0b"), '"pseudonym" holds a character'),
        (Patient(pseudonym="\ud800"), '"pseudonym" holds a character'),
        (Patient(pseudonym="a", birth_year=2**40), "too large"),
        (Recall(patient_id="a", lesion_id=None, due_on=DAY, reason="\0"), '"reason"'),
    ],
)
def test_what_no_database_can_hold_is_refused(record: Record, value: object, words: str):
    with pytest.raises(RecordError, match=words):
        add(record, value)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_is_refused(record: Record, filled: Filled, number: float):
    with pytest.raises(RecordError, match='"millimetres_per_pixel" holds no number'):
        add(record, replace(filled.photograph.value, millimetres_per_pixel=number))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=HYPERLINK(1)",
        "<script>alert(1)</script>",
        "a\r\n\tb\x01\x7f",
        "'; DROP TABLE log; --",
        "%_/\\",
        "Ä\u202egpj",
        "🩺" * 500,
    ],
)
def test_any_other_text_is_read_as_it_was_written(record: Record, text: str):
    entry = add(record, Patient(pseudonym=text))

    assert record.get(Patient, entry.id).value.pseudonym == text
    assert record.find_patient(text) == entry
    assert entry in record.search_patients(text)
    assert record.verify().faults == ()


def test_patients_are_searched_by_a_part_of_their_pseudonym(record: Record):
    for pseudonym in ("B-12", "a-12", "C-3", "50%"):
        add(record, Patient(pseudonym=pseudonym))

    def search(text: str, limit: int = 20) -> list[str]:
        return [each.value.pseudonym for each in record.search_patients(text, limit)]

    assert search("12") in (["B-12", "a-12"], ["a-12", "B-12"])  # a server may sort by its language
    assert search("A-") == ["a-12"]
    assert search("%") == ["50%"]
    assert len(search("", limit=3)) == 3


def test_entries_are_found_by_their_fields_in_the_order_of_adding(record: Record, filled: Filled):
    other = fill(record, "P-2")
    later = add(record, Lesion(patient_id=filled.patient.id, label="2"))
    correct(record, filled.lesion, replace(filled.lesion.value, note="changed"))

    of_first = record.find(Lesion, patient_id=filled.patient.id)
    assert [entry.id for entry in of_first] == [filled.lesion.id, later.id]
    of_both = record.find(Lesion, patient_id=(filled.patient.id, other.patient.id))
    assert [entry.id for entry in of_both] == [filled.lesion.id, other.lesion.id, later.id]
    assert record.find(Lesion, laterality=None) == (later,)
    assert record.find(Lesion, id=later.id, label="1") == ()


def test_what_is_not_there_is_said_to_be_missing(record: Record):
    with pytest.raises(UnknownEntryError, match="The patient is not in the record"):
        record.get(Patient, "0" * 32)
    with pytest.raises(UnknownEntryError, match="The lesion is not in the record"):
        record.load_case("0" * 32)


def test_a_case_holds_everything_of_its_lesion_and_nothing_else(record: Record, filled: Filled):
    fill(record, "P-2")

    case = record.load_case(filled.lesion.id)

    found = [getattr(case, field.name) for field in fields(case)]
    entries = [each for part in found for each in (part if isinstance(part, tuple) else (part,))]
    assert sorted(entry.id for entry in entries) == sorted(entry.id for entry in filled.entries)


def test_a_case_is_in_the_order_of_its_days_and_then_of_writing(record: Record, filled: Filled):
    lesion_id = filled.lesion.id
    earlier = add(record, Visit(patient_id=filled.patient.id, on=date(2025, 1, 1)))
    old = add(record, replace(filled.photograph.value, visit_id=earlier.id))
    decided = record.load_case(lesion_id).decisions[0]
    next_one = add(record, replace(decided.value, management=Management.REASSURE))
    again = correct(record, decided, replace(decided.value, reason="corrected later"))

    case = record.load_case(lesion_id)

    assert [visit.id for visit in case.visits] == [earlier.id, filled.visit.id]
    assert [each.id for each in case.photographs] == [old.id, filled.photograph.id]
    # A correction keeps its place: the last decision is the one that was added last.
    assert case.decisions == (again, next_one)


def test_a_withdrawn_lesion_has_no_case(record: Record, filled: Filled):
    with record.write(by="dr.a") as change:
        change.withdraw(filled.lesion, "drawn twice")

    with pytest.raises(UnknownEntryError, match="withdrawn"):
        record.load_case(filled.lesion.id)


def test_the_log_says_who_did_what_the_newest_first(record: Record):
    patient = add(record, PATIENT)
    correct(record, patient, replace(PATIENT, birth_year=1), by="dr.b")
    record.log_seen(by="dr.c", kind=Patient, entry_id=patient.id)
    record.log_export(by="dr.d", kind=None, detail="all lesions, de-identified")

    entries = record.list_log()

    assert [(e.number, e.by, e.action, e.kind, e.version) for e in entries] == [
        (5, "dr.d", Action.EXPORTED, "", 0),
        (4, "dr.c", Action.SEEN, "Patient", 0),
        (3, "dr.b", Action.CORRECTED, "Patient", 2),
        (2, "dr.a", Action.ADDED, "Patient", 1),
        (1, "dr.a", Action.CREATED, "", 0),
    ]
    assert entries[0].detail == "all lesions, de-identified"
    assert [e.number for e in record.list_log(entry_id=patient.id, limit=2, offset=1)] == [3, 2]


def test_the_database_itself_refuses_to_change_or_to_remove_what_was_written(
    record: Record,
):
    fill(record)
    for statement in (
        "UPDATE patient SET birth_year = 1900",
        "DELETE FROM decision",
        "UPDATE log SET by = 'x'",
        "DELETE FROM log",
        "DELETE FROM entity",
        "DELETE FROM image_use",
    ):
        with (
            pytest.raises(sa.exc.DBAPIError, match="never changed"),
            record._database.write() as connection,
        ):
            connection.exec_driver_sql(statement)
    assert record.verify().faults == ()


def test_threads_that_write_at_once_wait_for_each_other(record: Record):
    first = add(record, PATIENT)
    outcomes: list[str] = []

    def work(number: int) -> None:
        for turn in range(5):
            add(record, Patient(pseudonym=f"{number}-{turn}"), by=f"dr.{number}")
        try:
            correct(record, first, replace(PATIENT, birth_year=number), by=f"dr.{number}")
            outcomes.append("written")
        except EditConflict as conflict:
            outcomes.append(conflict.current.by)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winner = record.get(Patient, first.id)
    assert sorted(outcomes) == sorted(["written"] + [winner.by] * 5)
    assert winner.version == 2
    assert record.count()["Patient"] == 31
    assert record.verify().faults == ()


def test_a_reader_sees_one_moment_while_another_writes(record: Record):
    with record._database.read() as connection:
        query = sa.text("SELECT count(*) FROM patient")
        before = connection.execute(query).scalar_one()
        add(record, PATIENT)

        assert connection.execute(query).scalar_one() == before == 0
    assert record.count()["Patient"] == 1


def test_a_record_is_made_for_its_owner_alone(record: Record):
    assert record.place.folder.stat().st_mode & 0o777 == 0o700


def test_a_record_is_not_created_over_another(record: Record):
    with pytest.raises(FolderError, match="There is a record in"):
        Record.create(record.place, by="dr.b")


def test_a_folder_with_other_files_gets_no_record(tmp_path: Path):
    (tmp_path / "thesis.docx").touch()

    with pytest.raises(FolderError, match=r"has files in it, such as thesis\.docx"):
        Record.create(tmp_path, by="dr.a")


def test_where_no_record_is_none_is_opened(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NoRecordError, match="There is no record in"):
            Record.open(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_record_than_its_database_is_refused(record: Record, tmp_path: Path):
    other = Record.create(tmp_path / "other", by="dr.a")
    other.close()
    record.close()
    shared = record.place
    shared.head_file.write_bytes(other.place.head_file.read_bytes())

    with pytest.raises(NoRecordError, match="belongs to another record"):
        Record.open(shared)


def test_only_postgresql_has_an_address(tmp_path: Path):
    with pytest.raises(SettingsError, match="must begin with postgresql://"):
        Place(tmp_path, "mysql://ada:secret@server/clinic")
    assert "secret" not in repr(Place(tmp_path, "postgresql://ada:secret@server/clinic"))


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path):
    place = Place(tmp_path / "record", "postgresql://ada:secret@127.0.0.1:1/clinic")

    with pytest.raises(RecordError, match="server of the record cannot be used") as caught:
        Record.create(place, by="dr.a")
    assert "secret" not in str(caught.value)


def test_adding_a_patient_with_a_photograph_waits_for_a_task(record: Record):
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        _, lesion, *_ = add_seen(change, "P-1", image)

    assert record.load_case(lesion.id).photographs[0].value.sha256 == image.sha256
    assert record.find(Photograph, lesion_id=lesion.id)
    assert record.find(Decision) == ()
