"""The index of a record is made by a process of its own."""

import time
from pathlib import Path

import pytest

from melanoma_core.models.card import load_card
from melanoma_core.models.registry import find_model
from melanoma_core.processes import JobState
from melanoma_core.records.own_index import is_current, open_own_index
from melanoma_core.records.own_index_job import find_job, start
from melanoma_core.records.store import Record
from melanoma_core.settings import load_settings
from tests.core.records.test_own_index import MELANOMA, add_histology, add_lesion, add_patient

PATIENCE_SECONDS = 120


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path / "record"))
    for name in ("MELANOMA_MODEL", "MELANOMA_RECORD_URL"):
        monkeypatch.delenv(name, raising=False)
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    find_job(record).cancel()
    record.close()


def wait(record: Record) -> JobState:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while find_job(record).is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    return find_job(record).read_status().state


@pytest.mark.slow
def test_the_index_is_made_in_the_background_and_again_after_a_new_report(record: Record):
    model_id = load_card(find_model(load_settings())).model_id
    patient = add_patient(record, "drawn-1")  # drawings are indexed in a record of drawings alone
    first = add_lesion(record, patient, "melanoma")
    add_histology(record, first, MELANOMA)
    assert not is_current(record, model_id)

    start(load_settings(), record)
    assert wait(record) is JobState.DONE
    assert is_current(record, model_id)
    index = open_own_index(record, model_id)
    assert index is not None
    assert index.facts.num_lesions == 1

    add_histology(record, add_lesion(record, patient, "other"), MELANOMA)
    assert not is_current(record, model_id)
    start(load_settings(), record)
    assert wait(record) is JobState.DONE
    again = open_own_index(record, model_id)
    assert again is not None
    assert again.facts.num_lesions == 2


@pytest.mark.slow
def test_a_record_that_was_closed_meanwhile_is_said(record: Record, monkeypatch):
    monkeypatch.delenv("MELANOMA_RECORD")
    start(load_settings(), record)

    assert wait(record) is JobState.FAILED
    assert "The record was closed." in find_job(record).read_status().message
