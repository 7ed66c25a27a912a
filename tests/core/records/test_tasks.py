from datetime import UTC, date, datetime, timedelta

import pytest

from melanoma_core.records.entities import Lesion, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Decision, Recall
from melanoma_core.records.tasks import (
    find_answered_recalls,
    find_patient_tasks,
    find_tasks,
    is_due,
    is_overdue,
    make_recall,
)
from melanoma_core.records.vocabulary import Change, ImageKind, Management, RecallStatus, Task
from tests.core.records.made_cases import DAY, INVASIVE, CaseMaker, make_histology, make_photograph


def list_tasks(maker: CaseMaker) -> list[Task]:
    return [task.task for task in find_tasks(maker.make())]


def test_a_lesion_without_a_visit_waits_for_nothing():
    assert find_tasks(CaseMaker().make()) == ()


def test_a_visit_for_another_lesion_waits_for_nothing():
    assert list_tasks(CaseMaker().add("visits", "v", Visit(patient_id="p", on=DAY))) == []


def test_new_photographs_wait_to_be_read_since_their_visit():
    (task,) = find_tasks(CaseMaker().visit("v").make())
    assert (task.task, task.due_on, task.severity, task.entry_id) == (Task.READ, DAY, 0, "v")


def test_a_photograph_of_the_site_of_a_specimen_does_not_wait_to_be_read():
    maker = CaseMaker().add("visits", "v", Visit(patient_id="p", on=DAY))
    assert list_tasks(maker.photograph("s", "v", shows_specimen_site=True)) == []


@pytest.mark.parametrize("read", ["read", "read_by_ai"])
def test_what_was_read_waits_to_be_decided(read: str):
    maker = CaseMaker().visit("v")
    getattr(maker, read)("v")
    assert list_tasks(maker) == [Task.DECIDE]


def test_a_decision_to_reassure_ends_the_wait():
    maker = CaseMaker().visit("v").read("v").decide("v", Management.REASSURE)
    assert list_tasks(maker) == []


def test_a_decision_without_a_reading_ends_the_wait_too():
    assert list_tasks(CaseMaker().visit("v").decide("v", Management.REASSURE)) == []


def test_a_later_visit_with_photographs_waits_to_be_read_again():
    maker = CaseMaker().visit("v").read("v").decide("v", Management.MONITOR_3)
    maker.visit("w", DAY + timedelta(days=90))
    (task,) = find_tasks(maker.make())
    assert (task.task, task.due_on, task.entry_id) == (Task.READ, DAY + timedelta(days=90), "w")


def test_an_earlier_visit_that_was_never_read_no_longer_waits():
    maker = CaseMaker().visit("v").visit("w", DAY + timedelta(days=90))
    maker.read("w").decide("w", Management.REASSURE)
    assert list_tasks(maker) == []


def test_a_dermoscopic_photograph_that_the_ai_did_not_see_waits_to_be_read():
    maker = CaseMaker().visit("v").read_by_ai("v").decide("v", Management.REASSURE)
    assert list_tasks(maker.photograph("close", "v", kind=ImageKind.CLOSE_UP)) == []
    assert list_tasks(maker.photograph("more", "v")) == [Task.READ]


def test_an_ai_reading_after_the_decision_waits_to_be_decided_again():
    maker = CaseMaker().visit("v").read("v").decide("v", Management.REASSURE).read_by_ai("v")
    assert list_tasks(maker) == [Task.DECIDE]


def test_a_decision_that_removes_tissue_waits_for_its_specimen():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH)
    assert list_tasks(maker) == [Task.TAKE_SPECIMEN]
    assert list_tasks(maker.take(decision_id="decision of v")) == [Task.HISTOLOGY]


def test_a_specimen_of_an_earlier_decision_does_not_count():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take(decision_id="decision of v")
    maker.visit("w", DAY + timedelta(days=30)).decide("w", Management.EXCISION)
    assert list_tasks(maker) == [Task.HISTOLOGY, Task.TAKE_SPECIMEN]


def test_a_specimen_taken_elsewhere_counts_from_the_day_of_the_decision():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION)
    assert Task.TAKE_SPECIMEN in list_tasks(maker.take(DAY - timedelta(days=1)))
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION)
    assert Task.TAKE_SPECIMEN not in list_tasks(maker.take(DAY))


def test_a_later_decision_to_reassure_ends_the_wait_for_a_specimen():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION)
    maker.visit("w", DAY + timedelta(days=1)).decide("w", Management.REASSURE)
    assert list_tasks(maker) == []


def test_histology_is_due_seven_days_after_the_specimen_and_overdue_seven_days_later():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take(date(2026, 3, 2))
    (task,) = find_tasks(maker.make())
    assert (task.task, task.due_on, task.entry_id) == (
        Task.HISTOLOGY,
        date(2026, 3, 9),
        "specimen",
    )
    assert [is_due(task.due_on, date(2026, 3, day)) for day in (8, 9)] == [False, True]
    assert [is_overdue(task.due_on, date(2026, 3, day)) for day in (15, 16)] == [False, True]


def test_a_report_waits_for_a_reader_and_then_for_the_patient():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take()
    maker.report(on=DAY + timedelta(days=6))
    (task,) = find_tasks(maker.make())
    assert (task.task, task.due_on) == (Task.ACKNOWLEDGE, DAY + timedelta(days=6))
    (task,) = find_tasks(maker.acknowledge().make())
    assert (task.task, task.entry_id) == (Task.INFORM, "histology")
    assert find_tasks(maker.inform().make()) == ()


def test_a_report_that_was_corrected_is_acknowledged_and_given_again():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take().report()
    maker.acknowledge().inform()
    maker.correct("histologies", "histology", make_histology(INVASIVE))
    (task,) = find_tasks(maker.make())
    assert (task.task, task.severity) == (Task.ACKNOWLEDGE, 4)
    assert list_tasks(maker.acknowledge()) == [Task.INFORM]


def test_an_open_recall_is_due_on_its_day_and_a_closed_one_never():
    maker = CaseMaker().recall(date(2026, 9, 1))
    (task,) = find_tasks(maker.make())
    assert (task.task, task.due_on) == (Task.RECALL, date(2026, 9, 1))
    for status in (RecallStatus.DONE, RecallStatus.CANCELLED):
        assert find_tasks(CaseMaker().recall(date(2026, 9, 1), status=status).make()) == ()


def test_a_recall_of_the_whole_skin_is_a_task_of_the_patient():
    recalls = [
        Entry(
            id=str(lesion_id),
            version=1,
            by="dr.a",
            at=datetime(2026, 3, 2, tzinfo=UTC),
            value=Recall(patient_id="p", lesion_id=lesion_id, due_on=date(2027, 3, 2)),
        )
        for lesion_id in (None, "l")
    ]
    assert [task.entry_id for task in find_patient_tasks(recalls)] == ["None"]


@pytest.mark.parametrize(
    ("day", "management", "due_on"),
    [
        (date(2026, 1, 31), Management.MONITOR_3, date(2026, 4, 30)),
        (date(2023, 8, 31), Management.MONITOR_6, date(2024, 2, 29)),
        (date(2024, 2, 29), Management.MONITOR_12, date(2025, 2, 28)),
        (date(2026, 10, 15), Management.MONITOR_3, date(2027, 1, 15)),
        (date(2026, 12, 1), Management.MONITOR_12, date(2027, 12, 1)),
    ],
)
def test_a_decision_to_monitor_makes_a_recall_in_so_many_months(
    day: date, management: Management, due_on: date
):
    decision = Decision(lesion_id="l", visit_id="v", management=management)
    recall = make_recall(decision, Visit(patient_id="p", on=day))
    assert recall == Recall(patient_id="p", lesion_id="l", due_on=due_on, reason=str(management))


@pytest.mark.parametrize("management", [each for each in Management if each.months is None])
def test_no_other_decision_makes_a_recall(management: Management):
    decision = Decision(lesion_id="l", visit_id="v", management=management)
    assert make_recall(decision, Visit(patient_id="p", on=DAY)) is None


def test_a_recall_is_answered_by_a_later_visit_with_photographs_and_not_by_its_own():
    maker = CaseMaker().visit("v").recall(DAY + timedelta(days=90))
    assert find_answered_recalls(maker.make()) == ()
    assert find_answered_recalls(maker.visit("w", DAY + timedelta(days=1)).make()) == ()
    answered = find_answered_recalls(maker.visit("x", DAY + timedelta(days=80)).make())
    assert [recall.id for recall in answered] == ["recall"]


def test_the_most_severe_task_comes_first_then_what_is_due_first():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take().report(INVASIVE)
    maker.recall(DAY - timedelta(days=500))
    maker.visit("w", DAY + timedelta(days=30))
    found = [(task.task, task.severity) for task in find_tasks(maker.make())]
    assert found == [(Task.ACKNOWLEDGE, 4), (Task.RECALL, 3), (Task.READ, 3)]


def test_a_lesion_that_changed_is_read_before_one_that_did_not():
    lesion = Lesion(patient_id="p", label="1", changes=(Change.BLEEDING,))
    (task,) = find_tasks(CaseMaker(lesion).visit("v").make())
    assert task.severity == 1


def test_a_photograph_taken_for_no_visit_of_the_patient_is_not_waited_for():
    maker = CaseMaker().add("photographs", "f", make_photograph("unknown visit"))
    assert list_tasks(maker) == []


def test_an_ai_reading_is_not_shown_in_the_severity_before_the_first_read():
    maker = CaseMaker().visit("v").photograph("d", "v").read_by_ai("v", melanoma=0.9)
    maker.photograph("d2", "v")
    (task,) = find_tasks(maker.make())
    assert (task.task, task.severity, task.shown_severity) == (Task.READ, 3, 0)

    (task,) = find_tasks(maker.read("v").make())
    assert (task.severity, task.shown_severity) == (3, 3)


def test_a_decision_without_a_first_read_shows_the_ai_reading_too():
    maker = CaseMaker().visit("v").photograph("d", "v").decide("v", Management.MONITOR_3)
    maker.read_by_ai("v", melanoma=0.9)
    assert {task.shown_severity for task in find_tasks(maker.make())} == {3}


def test_what_is_known_without_the_network_is_shown_before_the_first_read():
    later = DAY + timedelta(days=100)
    maker = CaseMaker().visit("v").photograph("d", "v").read("v")
    maker.decide("v", Management.REFER_URGENTLY)
    maker.visit("w", later).photograph("e", "w").read_by_ai("w", melanoma=0.9)
    assert {task.shown_severity for task in find_tasks(maker.make())} == {4}
