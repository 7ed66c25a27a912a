"""Drafts beside the record: kept as they were typed, for twelve hours, for one browser alone."""

from datetime import date
from pathlib import Path

import pytest

from melanoma_core.records.draft_files import (
    SavedDraft,
    read_drafts,
    remove_draft,
    remove_drafts_about,
    write_draft,
)
from melanoma_core.records.entities import Patient
from melanoma_core.records.patient_erasing import erase_patient
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import BodyView, Change, Management, MapPoint, Opinion

KEY = "k" * 43
DRAFT = SavedDraft(
    "lesion-1-first read",
    {
        "opinion": Opinion.NV,
        "melanoma_probability": 0.01,
        "management": Management.MONITOR_3,
        "on": date(2026, 3, 2),
        "map_point": MapPoint(BodyView.BACK, 0.25, 0.5),
        "changes": [Change.SIZE, Change.COLOUR],
        "reason": "=HYPERLINK(1) <b>é\u202e",
        "ulcerated": None,
        "abcd_used": True,
    },
    "Decision",
    "1" * 32,
    2,
)


def test_without_any_there_are_none(tmp_path: Path):
    assert list(read_drafts(tmp_path / "drafts", KEY)) == []
    remove_draft(tmp_path / "drafts", KEY, "form")
    remove_drafts_about(tmp_path / "drafts", {"a"})


def test_a_draft_is_read_as_it_was_typed_by_the_same_browser_alone(tmp_path: Path):
    write_draft(tmp_path, KEY, DRAFT)
    (found,) = read_drafts(tmp_path, KEY)
    assert found == DRAFT
    assert {type(value) for value in found.fields.values()} == {
        type(value) for value in DRAFT.fields.values()
    }
    assert list(read_drafts(tmp_path, "j" * 43)) == []
    assert KEY not in "".join(map(str, tmp_path.rglob("*")))
    assert oct(next(tmp_path.iterdir()).stat().st_mode)[-3:] == "700"


def test_the_last_version_of_a_draft_counts_and_one_that_was_saved_is_gone(tmp_path: Path):
    write_draft(tmp_path, KEY, DRAFT)
    write_draft(tmp_path, KEY, SavedDraft(DRAFT.form, {"reason": "later"}))
    write_draft(tmp_path, KEY, SavedDraft("patient-new", {"pseudonym": "7"}))
    assert {each.form for each in read_drafts(tmp_path, KEY)} == {DRAFT.form, "patient-new"}
    remove_draft(tmp_path, KEY, DRAFT.form)
    assert [each.fields for each in read_drafts(tmp_path, KEY)] == [{"pseudonym": "7"}]


def test_a_draft_is_gone_after_twelve_hours(tmp_path: Path):
    write_draft(tmp_path, KEY, DRAFT)
    (file,) = tmp_path.rglob("*.json")
    written = file.stat().st_mtime
    assert list(read_drafts(tmp_path, KEY, written + 12 * 3600 - 1)) == [DRAFT]
    assert list(read_drafts(tmp_path, KEY, written + 12 * 3600 + 1)) == []
    assert not file.exists()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"form": "a"}', b"\xff", b'{"fields": {"a": 1}}']
)
def test_a_damaged_file_is_no_draft(tmp_path: Path, content: bytes):
    write_draft(tmp_path, KEY, DRAFT)
    next(tmp_path.rglob("*.json")).write_bytes(content)
    assert list(read_drafts(tmp_path, KEY)) == []


def test_a_folder_that_cannot_be_made_keeps_nothing_and_says_nothing(tmp_path: Path):
    (tmp_path / "drafts").write_text("a file")
    write_draft(tmp_path / "drafts", KEY, DRAFT)
    assert list(read_drafts(tmp_path / "drafts", KEY)) == []


def test_erasing_a_patient_erases_what_was_typed_of_the_patient(record: Record):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="Ä 7"))
        change.add(Patient(pseudonym="8"))
    folder = record.place.drafts_folder
    write_draft(folder, KEY, SavedDraft(f"patient-{patient.id}", {"birth_year": "1960"}))
    write_draft(folder, "j" * 43, SavedDraft("patient-new", {"pseudonym": "Ä 7"}))
    write_draft(folder, KEY, SavedDraft("patient-new", {"pseudonym": "9"}))

    erase_patient(record, patient.id, "dr.a")

    assert [each.fields for each in read_drafts(folder, KEY)] == [{"pseudonym": "9"}]
    assert list(read_drafts(folder, "j" * 43)) == []
