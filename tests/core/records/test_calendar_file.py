from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar

from melanoma_core.records.calendar_file import write_recall
from melanoma_core.records.entities import Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Recall
from melanoma_core.records.vocabulary import RecallStatus

PATIENT = Patient(pseudonym="P-1", birth_year=1960)
RECALL = Recall(
    patient_id="p", lesion_id="l", due_on=date(2026, 11, 4), reason="melanoma in situ, control"
)
ENTRY = Entry(
    id="a" * 32, version=1, by="dr.a", at=datetime(2026, 5, 4, 9, tzinfo=UTC), value=RECALL
)


def read_event(content: bytes):
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return event


def test_a_recall_is_an_event_of_a_whole_day():
    event = read_event(write_recall(ENTRY, PATIENT, "1"))
    assert event.decoded("dtstart") == date(2026, 11, 4)
    assert event.decoded("dtend") == date(2026, 11, 5)
    assert event["summary"] == "Recall of patient P-1: lesion 1"
    assert event["status"] == "CONFIRMED"


def test_neither_reason_nor_reader_is_in_the_file():
    content = write_recall(ENTRY, PATIENT, "")
    assert b"melanoma in situ" not in content
    assert b"dr.a" not in content
    assert read_event(content)["summary"] == "Recall of patient P-1: whole skin"


def test_a_later_version_replaces_the_event_in_the_calendar():
    later = replace(ENTRY, version=2, value=replace(RECALL, due_on=date(2026, 12, 1)))
    first, second = (read_event(write_recall(each, PATIENT, "1")) for each in (ENTRY, later))
    assert first["uid"] == second["uid"]
    assert (first["sequence"], second["sequence"]) == (0, 1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RecallStatus.OPEN, "CONFIRMED"),
        (RecallStatus.DONE, "CONFIRMED"),
        (RecallStatus.CANCELLED, "CANCELLED"),
    ],
)
def test_a_cancelled_recall_cancels_the_event(status: RecallStatus, expected: str):
    entry = replace(ENTRY, value=replace(RECALL, status=status))
    assert read_event(write_recall(entry, PATIENT, "1"))["status"] == expected


def test_no_line_of_a_pseudonym_becomes_a_line_of_the_file():
    hostile = "P\r\nATTACH:file:///etc/passwd\x00\u202e"
    content = write_recall(ENTRY, replace(PATIENT, pseudonym=hostile), "1\nX:y")
    lines = content.replace(b"\r\n ", b"").split(b"\r\n")
    assert not any(line.startswith((b"ATTACH", b"X:")) for line in lines)
    assert not any(each in content.decode() for each in "\x00\u202e")
