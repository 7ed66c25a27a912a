from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.records.loop import Decision
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.records.wording import Difference, find_differences
from tests.drawn_record import DrawnLesion, add_drawn_lesion


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record.create(tmp_path / "record", by="dr.a")


@pytest.fixture
def lesion(record: Record) -> DrawnLesion:
    return add_drawn_lesion(record)


def test_an_unknown_lesion_has_no_history(record: Record):
    assert record.load_history("0" * 32) == ()


def test_a_history_holds_every_version_and_what_was_withdrawn(record: Record, lesion: DrawnLesion):
    decision = Decision(
        lesion_id=lesion.lesion_id, visit_id=lesion.visit_id, management=Management.REASSURE
    )
    with record.write(by="dr.a") as change:
        first = change.add(decision)
    with record.write(by="dr.b") as change:
        second = change.correct(first, replace(decision, management=Management.EXCISION))
    with record.write(by="dr.b") as change:
        change.withdraw(second, "of another lesion")

    history = record.load_history(lesion.lesion_id)

    assert [event.kind.__name__ for event in history].count("Decision") == 1
    (event,) = (each for each in history if each.kind is Decision)
    assert [(each.version, each.by) for each in event.versions] == [
        (1, "dr.a"),
        (2, "dr.b"),
        (3, "dr.b"),
    ]
    assert event.current.withdrawn == "of another lesion"
    assert find_differences(event.versions[0].value, event.versions[1].value) == (
        Difference("Management", "reassure", "excision"),
    )


def test_an_event_has_the_day_of_its_visit(record: Record, lesion: DrawnLesion):
    history = record.load_history(lesion.lesion_id)
    days = {event.kind.__name__: event.day for event in history}
    assert days["Photograph"] == days["Visit"]
    assert [event.day for event in history] == sorted(days.values(), reverse=True)


def test_the_history_of_another_lesion_stays_out(record: Record, lesion: DrawnLesion):
    other = add_drawn_lesion(record, pseudonym="drawn-2")
    ids = {event.current.id for event in record.load_history(lesion.lesion_id)}
    assert not ids & {other.lesion_id, other.visit_id, *other.photograph_ids}
