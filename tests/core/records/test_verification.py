import dataclasses
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from melanoma_core.errors import RecordError
from melanoma_core.records import ledger
from melanoma_core.records.entities import Patient
from melanoma_core.records.faults import FaultKind
from melanoma_core.records.ledger import Action, Head, LogEntry
from melanoma_core.records.store import Record
from melanoma_core.records.verification import Known, parse_known
from tests.core.records.conftest import Tamper
from tests.core.records.made_entries import Filled, fill

LAST = 14  # entry of the audit log after `fill`


@pytest.fixture
def filled(record: Record) -> Filled:
    return fill(record)


def find_faults(record: Record, **options: object) -> list[tuple[FaultKind, str]]:
    result = record.verify(**options)
    assert all(fault.text.endswith(".") for fault in result.faults)
    return [(fault.kind, fault.subject) for fault in result.faults]


def entry(number: int) -> str:
    return f"entry {number} of the audit log"


def test_an_untouched_record_has_no_fault(record: Record, filled: Filled):
    result = record.verify()

    assert result.faults == ()
    assert (result.num_log_entries, result.num_versions, result.num_images) == (LAST, 13, 2)
    assert result.head == record.list_log(limit=1)[0].hash
    assert len(filled.entries) == 13


def test_the_hash_of_an_entry_is_that_of_its_canonical_json(record: Record):
    first = record.list_log()[0]

    fields = dataclasses.asdict(first)
    text = json.dumps(
        {
            "action": "record created",
            "at": fields["at"].isoformat(timespec="microseconds"),
            "by": "dr.a",
            "content": "",
            "detail": "",
            "entry_id": record.record_id,
            "kind": "",
            "previous": "0" * 64,
            "version": 0,
        },
        separators=(",", ":"),
    )
    assert first.hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("by", "dr.z"),
        ("action", "seen"),
        ("at", "2020-01-01 00:00:00.000000"),
        ("detail", "x"),
        ("content", "0" * 64),
        ("kind", "Visit"),
        ("entry_id", "0" * 32),
        ("version", "7"),
        ("previous", "0" * 64),
    ],
)
def test_an_altered_entry_of_the_log_is_named(
    record: Record, filled: Filled, tamper: Tamper, column: str, value: str
):
    tamper(f"UPDATE log SET \"{column}\" = '{value}' WHERE number = 3")

    assert (FaultKind.ALTERED, entry(3)) in find_faults(record)
    assert filled


def test_an_entry_that_was_altered_with_its_hash_is_named_by_the_one_after(
    record: Record, filled: Filled, tamper: Tamper
):
    altered = dataclasses.replace(record.list_log(limit=1, offset=LAST - 3)[0], by="dr.z")
    assert altered.number == 3
    new_hash = ledger.hash_entry(dataclasses.asdict(altered))
    tamper(f"UPDATE log SET by = 'dr.z', hash = '{new_hash}' WHERE number = 3")

    assert find_faults(record) == [(FaultKind.MISSING, entry(4))]
    assert filled


def test_a_missing_entry_of_the_log_is_named(record: Record, filled: Filled, tamper: Tamper):
    tamper("DELETE FROM log WHERE number = 5")

    assert find_faults(record) == [
        (FaultKind.MISSING, entry(5)),
        (FaultKind.UNLOGGED, f"version 1 of Photograph {filled.photograph.id}"),
    ]


def test_several_missing_entries_are_named(record: Record, tamper: Tamper):
    fill(record)
    tamper("DELETE FROM log WHERE number IN (1, 2, 3)")

    faults = find_faults(record)

    assert faults[0] == (FaultKind.MISSING, "entry 1 to 3 of the audit log")
    assert (FaultKind.ALTERED, "head.json") in faults


def test_a_missing_entry_is_found_although_the_others_were_numbered_again(
    record: Record, filled: Filled, tamper: Tamper
):
    renumber = [f"UPDATE log SET number = {n - 1} WHERE number = {n}" for n in range(6, LAST + 1)]
    tamper("DELETE FROM log WHERE number = 5", *renumber)

    faults = find_faults(record)

    assert (FaultKind.MISSING, entry(5)) in faults
    assert (FaultKind.TRUNCATED, "the audit log") in faults
    assert filled


def test_entries_that_changed_places_are_named(record: Record, filled: Filled, tamper: Tamper):
    tamper(
        "UPDATE log SET number = 99 WHERE number = 6",
        "UPDATE log SET number = 6 WHERE number = 7",
        "UPDATE log SET number = 7 WHERE number = 99",
    )

    assert find_faults(record) == [
        (FaultKind.MISPLACED, entry(6)),
        (FaultKind.MISPLACED, entry(7)),
        (FaultKind.MISPLACED, entry(8)),
    ]
    assert filled


def test_an_entry_moved_to_the_end_is_named(record: Record, filled: Filled, tamper: Tamper):
    tamper(f"UPDATE log SET number = {LAST + 1} WHERE number = 1")

    assert (FaultKind.MISSING, entry(1)) in find_faults(record)
    assert (FaultKind.MISPLACED, entry(LAST + 1)) in find_faults(record)
    assert filled


def test_entries_removed_at_the_end_are_found_by_the_file_beside(
    record: Record, filled: Filled, tamper: Tamper
):
    tamper(
        f"DELETE FROM log WHERE number > {LAST - 2}",
        "DELETE FROM recall",
        "DELETE FROM information",
        "DELETE FROM entity WHERE kind IN ('Recall', 'Information')",
    )
    record.rebuild()

    result = record.verify()

    assert [(fault.kind, fault.text) for fault in result.faults] == [
        (
            FaultKind.TRUNCATED,
            "The audit log ends with entry 12, but head.json knows entry 14. Removed at its end: "
            "2.",
        )
    ]
    assert filled


def test_a_log_written_again_is_found_by_the_hash_that_was_kept(
    record: Record, filled: Filled, tamper: Tamper
):
    kept = record.verify()
    record.place.head_file.unlink()
    last = record.list_log(limit=1)[0]
    new_hash = ledger.hash_entry(dataclasses.asdict(last) | {"by": "dr.z"})
    tamper(f"UPDATE log SET by = 'dr.z', hash = '{new_hash}' WHERE number = {LAST}")

    assert find_faults(record) == [(FaultKind.MISSING, "head.json")]
    known = Known(kept.num_log_entries, kept.head)
    assert (FaultKind.ALTERED, entry(LAST)) in find_faults(record, known=known)
    assert filled


def test_a_file_beside_that_is_behind_is_no_fault(record: Record):
    behind = record.place.head_file.read_bytes()
    fill(record)
    record.place.head_file.write_bytes(behind)

    assert record.verify().faults == ()


def test_a_creation_that_was_killed_before_the_file_beside_is_no_fault(record: Record):
    record.place.head_file.unlink()
    assert record.verify().faults == ()

    fill(record)
    assert record.place.head_file.is_file()
    record.place.head_file.unlink()
    assert find_faults(record) == [(FaultKind.MISSING, "head.json")]


def test_the_file_beside_never_goes_back(record: Record):
    fill(record)
    before = ledger.read_head(record.place.head_file)
    ledger.write_head(record.place.head_file, Head(record.record_id, 1, "0" * 64))

    assert ledger.read_head(record.place.head_file) == before


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"record_id": 1}'])
def test_a_damaged_file_beside_is_named_and_written_again(record: Record, content: bytes):
    record.place.head_file.write_bytes(content)
    assert find_faults(record) == [(FaultKind.MISSING, "head.json")]

    fill(record)
    assert record.verify().faults == ()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("patient", "birth_year = 1900"),
        ("patient", "withdrawn = 'x'"),
        ("lesion", "by = 'dr.z'"),
        ("visit", "\"on\" = '2020-01-01'"),
        ("photograph", "device = 'other'"),
        ("histology", "breslow_mm = 0.9"),
        ("histology", "ulcerated = NULL"),
        ("ai_reading", "probabilities = '[0.1, 0.9]'"),
        ("decision", "management = 'reassure'"),
        ("decision", "management = 'nothing that exists'"),
        ("recall", "salt = 'x'"),
    ],
)
def test_an_altered_version_of_an_entry_is_named(
    record: Record, filled: Filled, tamper: Tamper, table: str, change: str
):
    tamper(f"UPDATE {table} SET {change}")

    kind = "".join(word.title() for word in table.split("_"))
    (changed,) = (each for each in filled.entries if type(each.value).__name__ == kind)
    assert find_faults(record) == [(FaultKind.ALTERED, f"version 1 of {kind} {changed.id}")]


def test_a_removed_version_is_named(record: Record, filled: Filled, tamper: Tamper):
    with record.write(by="dr.b") as change:
        change.correct(filled.patient, filled.patient.value)
    tamper("DELETE FROM patient WHERE version = 1", "DELETE FROM decision")

    decision = next(e for e in filled.entries if type(e.value).__name__ == "Decision")
    assert find_faults(record) == [
        (FaultKind.MISSING, f"version 1 of Patient {filled.patient.id}"),
        (FaultKind.MISSING, f"version 1 of Decision {decision.id}"),
    ]


def test_a_version_written_past_the_log_is_named(record: Record, filled: Filled, tamper: Tamper):
    names = "birth_year, pseudonym, salt, at, by, withdrawn"
    tamper(f"INSERT INTO patient (id, version, {names}) SELECT id, 2, {names} FROM patient")

    assert find_faults(record) == [
        (FaultKind.UNLOGGED, f"version 2 of Patient {filled.patient.id}")
    ]


def test_missing_and_altered_photographs_are_named(record: Record, filled: Filled):
    sha256 = filled.photograph.value.sha256
    path = record.images.find(sha256)
    assert path is not None
    content = path.read_bytes()

    path.write_bytes(content[:-1])
    assert find_faults(record) == [(FaultKind.ALTERED, f"photograph {sha256}")]
    assert find_faults(record, read_images=False) == []

    path.unlink()
    assert find_faults(record) == [(FaultKind.MISSING, f"photograph {sha256}")]
    assert find_faults(record, read_images=False) == [(FaultKind.MISSING, f"photograph {sha256}")]


def test_a_trigger_that_was_taken_away_is_named(record: Record):
    with record._database.write() as connection:
        on = " ON decision" if record.place.url else ""
        connection.exec_driver_sql(f"DROP TRIGGER decision_no_delete{on}")

    assert find_faults(record) == [(FaultKind.UNPROTECTED, "the table decision")]


def test_a_damaged_page_of_sqlite_is_named(tmp_path: Path):
    record = Record.create(tmp_path / "record", by="dr.a")
    for number in range(40):
        with record.write(by="dr.a") as change:
            change.add(Patient(pseudonym=f"P-{number}" * 100))
    record.close()
    content = bytearray(record.place.database_file.read_bytes())
    content[-4096 * 6 : -4096 * 2] = bytes(4096 * 4)
    record.place.database_file.write_bytes(content)

    again = Record.open(record.place)
    assert FaultKind.DAMAGED in {fault.kind for fault in again.verify().faults}


def test_numbers_and_hashes_are_made_while_appending(record: Record):
    now = record.list_log()[0].at
    with record._database.write() as connection:
        first, last_hash = ledger.append(
            connection, [LogEntry(at=now, by="x", action=Action.SEEN)] * 3
        )

    entries = record.list_log()[::-1]
    assert (first, last_hash) == (2, entries[-1].hash)
    assert [e.previous for e in entries] == [ledger.NO_HASH, *(e.hash for e in entries[:-1])]
    assert len({e.hash for e in entries}) == 4


@pytest.mark.parametrize("kind", ["Patient", "Lesion", "Histology"])
def test_an_entry_that_no_list_shows_is_named(
    record: Record, filled: Filled, tamper: Tamper, kind: str
):
    (hidden,) = [each for each in filled.entries if type(each.value).__name__ == kind]
    tamper(f"DELETE FROM entity WHERE id = '{hidden.id}'")

    assert find_faults(record) == [(FaultKind.MISSING, f"{kind} {hidden.id}")]
    assert record.find(type(hidden.value)) == ()


def test_an_entry_that_its_register_knows_as_of_another_kind_is_named(
    record: Record, filled: Filled, tamper: Tamper
):
    tamper(f"UPDATE entity SET kind = 'Visit' WHERE id = '{filled.lesion.id}'")

    assert find_faults(record) == [(FaultKind.ALTERED, f"Lesion {filled.lesion.id}")]


def test_a_photograph_that_its_register_has_lost_is_named(
    record: Record, filled: Filled, tamper: Tamper
):
    sha256 = filled.photograph.value.sha256
    tamper(f"DELETE FROM image_use WHERE entity_id = '{filled.photograph.id}'")

    assert find_faults(record) == [(FaultKind.MISSING, f"photograph {sha256}")]


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("log SET at = 'x' WHERE number = 3", "the audit log"),
        ("patient SET at = 'x'", "the table patient"),
        ('visit SET "on" = 7', "the table visit"),
        ("outline SET points = '['", "the table outline"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_fault_and_not_an_end(
    tmp_path: Path, change: str, subject: str
):
    """SQLite keeps any value in any column."""
    record = Record.create(tmp_path / "record", by="dr.a")
    fill(record)
    with sqlite3.connect(tmp_path / "record" / "record.sqlite") as connection:
        name = change.split(maxsplit=1)[0]
        connection.execute(f"DROP TRIGGER {name}_no_update")
        connection.execute(f"UPDATE {change}")
    connection.close()

    assert (FaultKind.DAMAGED, subject) in find_faults(record)
    record.close()


@pytest.mark.parametrize("text", ["12", "12:", "12:5f3c", f"x:{'0' * 64}", f"12:{'z' * 64}"])
def test_a_mistyped_end_of_the_log_is_refused_and_not_taken_for_a_forgery(text: str):
    with pytest.raises(RecordError, match="Copy them from there"):
        parse_known(text)
