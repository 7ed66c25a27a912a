from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from melanoma_core.records.entities import Lesion
from melanoma_core.records.loop import Decision, Recall, Specimen
from melanoma_core.records.steps import AtVisit, Step, find_at_visit, find_done, find_open_steps
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management, ReadOrder
from tests.core.records.made_cases import make_read, make_reading
from tests.drawn_record import DrawnLesion, add_drawn_lesion


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record.create(tmp_path / "record", by="dr.a")


@pytest.fixture
def lesion(record: Record) -> DrawnLesion:
    return add_drawn_lesion(record)


def add(record: Record, lesion: DrawnLesion, value: Any) -> Any:
    with record.write(by="dr.a") as change:
        return change.add(replace(value, lesion_id=lesion.lesion_id))


def find(record: Record, lesion: DrawnLesion, order: ReadOrder) -> tuple[AtVisit, list[Step]]:
    case = record.load_case(lesion.lesion_id)
    at_visit = find_at_visit(case, order)
    assert at_visit is not None
    return at_visit, [each.step for each in find_open_steps(case, at_visit)]


def decide(lesion: DrawnLesion, management: Management) -> Decision:
    return Decision(lesion_id="", visit_id=lesion.visit_id, management=management)


def test_a_lesion_without_a_visit_waits_for_photographs(record: Record, lesion: DrawnLesion):
    with record.write(by="dr.a") as change:
        other = change.add(Lesion(patient_id=lesion.patient_id, label="2"))
    case = record.load_case(other.id)
    assert find_at_visit(case, ReadOrder.DOCTOR_FIRST) is None
    assert [each.step for each in find_open_steps(case, None)] == [Step.PHOTOGRAPHS]
    assert not any(find_done(case, None).values())


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ReadOrder.DOCTOR_FIRST, [Step.FIRST_READ, Step.AI_READING, Step.DECISION]),
        (ReadOrder.TOGETHER, [Step.AI_READING, Step.FIRST_READ, Step.DECISION]),
        (ReadOrder.OFF, [Step.AI_READING, Step.DECISION]),
    ],
)
def test_the_setting_orders_the_reads(
    record: Record, lesion: DrawnLesion, order: ReadOrder, expected: list[Step]
):
    at_visit, steps = find(record, lesion, order)
    assert steps == expected
    assert at_visit.hides_ai is (order is ReadOrder.DOCTOR_FIRST)


def test_the_ai_reading_is_hidden_until_the_first_read_is_kept(record: Record, lesion: DrawnLesion):
    (photograph,) = lesion.photograph_ids
    add(record, lesion, make_reading(lesion.visit_id, photograph))
    at_visit, _ = find(record, lesion, ReadOrder.DOCTOR_FIRST)
    assert at_visit.hides_ai
    assert at_visit.actual_order is ReadOrder.DOCTOR_FIRST

    add(record, lesion, make_read(lesion.visit_id))
    at_visit, steps = find(record, lesion, ReadOrder.DOCTOR_FIRST)
    assert not at_visit.hides_ai
    assert at_visit.actual_order is ReadOrder.TOGETHER  # a second one knows the AI reading
    assert steps == [Step.DECISION]


def test_a_decision_without_a_first_read_hides_nothing(record: Record, lesion: DrawnLesion):
    add(record, lesion, decide(lesion, Management.REASSURE))
    at_visit, steps = find(record, lesion, ReadOrder.DOCTOR_FIRST)
    assert not at_visit.hides_ai
    assert steps == []


def test_a_decision_to_monitor_waits_for_its_recall(record: Record, lesion: DrawnLesion):
    add(record, lesion, decide(lesion, Management.MONITOR_3))
    _, steps = find(record, lesion, ReadOrder.OFF)
    assert steps == [Step.RECALL]

    recall = Recall(patient_id=lesion.patient_id, lesion_id="", due_on=date.today())
    add(record, lesion, recall)
    case = record.load_case(lesion.lesion_id)
    at_visit = find_at_visit(case, ReadOrder.OFF)
    (step,) = find_open_steps(case, at_visit)
    assert (step.step, step.due_on) == (Step.RECALL, date.today())  # now due, not missing


def test_a_removed_lesion_waits_for_specimen_then_for_histology(
    record: Record, lesion: DrawnLesion
):
    decision = add(record, lesion, decide(lesion, Management.PUNCH))
    assert find(record, lesion, ReadOrder.OFF)[1] == [Step.SPECIMEN]
    taken_on = date.today() - timedelta(days=1)
    specimen = Specimen(
        lesion_id="",
        number="H-1",
        taken_on=taken_on,
        method=Management.PUNCH,
        decision_id=decision.id,
    )
    kept = add(record, lesion, specimen)
    assert find(record, lesion, ReadOrder.OFF)[1] == [Step.HISTOLOGY]
    case = record.load_case(lesion.lesion_id)
    done = find_done(case, find_at_visit(case, ReadOrder.OFF))
    assert [each.id for each in done[Step.SPECIMEN]] == [kept.id]
