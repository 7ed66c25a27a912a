"""What a lesion waits for, and since when; which day it is does not matter here.

A list of tasks shows what is due on its day: `is_due` and `is_overdue`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from melanoma_core.records.aftercare import (
    ROUTINE_REFERRAL_DAYS,
    awaits_clear_margins,
    awaits_follow_up,
    date_decision,
    find_open_referral,
    needs_clear_margins,
)
from melanoma_core.records.case import LesionCase
from melanoma_core.records.current_visit import (
    awaits_first_read,
    find_current_visit,
    find_unread_photographs,
)
from melanoma_core.records.entities import Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.ground_truth import add_months
from melanoma_core.records.loop import (
    Acknowledgement,
    Decision,
    Histology,
    Information,
    Recall,
)
from melanoma_core.records.severity import Severity, rate_case, rate_histology
from melanoma_core.records.vocabulary import Management, RecallStatus, Task

HISTOLOGY_DAYS = 7
"""Days after which the histology of a specimen is due."""

OVERDUE_DAYS = 7
"""Days after it is due at which a task is overdue."""


@dataclass(frozen=True)
class DueTask:
    """One thing that a lesion waits for.

    Attributes:
        task: What.
        due_on: Day from which it is due.
        severity: A value of `Severity`; lists put the largest first, then the oldest `due_on`.
        shown_severity: The same where the doctor reads first: until the first read of the current
            visit, no AI reading counts in it.
        entry_id: Id of the visit, decision, specimen, histology or recall that waits.
        shown_task: What is shown where the doctor reads first, if that is another: what an AI
            reading alone has read is still to be read.
    """

    task: Task
    due_on: date
    severity: int
    shown_severity: int
    entry_id: str = ""
    shown_task: Task | None = None


@dataclass(frozen=True)
class _Rating:
    """How severe a lesion is, with its AI readings and as it is shown; see `DueTask`."""

    severity: Severity
    shown: Severity

    def make_task(self, task: Task, due_on: date, entry_id: str) -> DueTask:
        return DueTask(task, due_on, self.severity, self.shown, entry_id)


def is_due(due_on: date, on: date) -> bool:
    """Return whether a task is due on a day.

    >>> is_due(date(2026, 5, 8), date(2026, 5, 7)), is_due(date(2026, 5, 8), date(2026, 5, 8))
    (False, True)
    """
    return on >= due_on


def is_overdue(due_on: date, on: date) -> bool:
    """Return whether a task is overdue on a day: `OVERDUE_DAYS` after it was due.

    >>> [is_overdue(date(2026, 5, 8), date(2026, 5, day)) for day in (14, 15)]
    [False, True]
    """
    return on >= due_on + timedelta(days=OVERDUE_DAYS)


def find_tasks(case: LesionCase) -> tuple[DueTask, ...]:
    """Return what a lesion waits for, most severe first, then what is due first.

    A later visit with new photographs waits to be read again. Only the last decision counts, so
    that a decision to reassure ends the wait for a specimen. A report that was changed after it
    was acknowledged, or after the patient was informed, waits for both again.
    A malignant report then waits for clear margins and for follow-up, see `aftercare`.
    """
    rating = _rate(case)
    tasks = [
        *_find_reading(case, rating),
        *_find_missing_specimen(case, rating),
        *_find_referral(case, rating),
        *_find_histology(case, rating),
        *_find_recalls(case.recalls, rating),
    ]
    return tuple(sorted(tasks, key=lambda task: (-task.severity, task.due_on)))


def find_patient_tasks(recalls: Sequence[Entry[Recall]]) -> tuple[DueTask, ...]:
    """Return the tasks of a patient's whole skin: open recalls that name no lesion."""
    whole = [recall for recall in recalls if recall.value.lesion_id is None]
    return tuple(
        sorted(
            _find_recalls(whole, _Rating(Severity.ROUTINE, Severity.ROUTINE)),
            key=lambda task: task.due_on,
        )
    )


def make_recall(decision: Decision, visit: Visit) -> Recall | None:
    """Return the recall that a decision asks for; None if it sets no months.

    It is due on the same day of a later month, or on the last day of a month that is shorter.

    Args:
        decision: The decision.
        visit: The visit at which it was made; months count from its day.
    """
    months = decision.management.months
    if months is None:
        return None
    return Recall(
        patient_id=visit.patient_id,
        lesion_id=decision.lesion_id,
        due_on=add_months(visit.on, months),
        reason=str(decision.management),
    )


def find_answered_recalls(case: LesionCase) -> tuple[Entry[Recall], ...]:
    """Return the open recalls that a later visit has answered: the lesion was photographed.

    A recall is written in UTC and a visit has the clinic's day, so that a visit counts from the
    second day after it was written.
    """
    seen = {photograph.value.visit_id for photograph in case.photographs}
    days = [visit.value.on for visit in case.visits if visit.id in seen]
    return tuple(
        recall
        for recall in case.recalls
        if recall.value.status is RecallStatus.OPEN
        and any(day > recall.at.date() + timedelta(days=1) for day in days)
    )


def _rate(case: LesionCase) -> _Rating:
    shown = rate_case(case, without_ai=awaits_first_read(case))
    return _Rating(rate_case(case), shown)


def _find_reading(case: LesionCase, rating: _Rating) -> Iterator[DueTask]:
    """Yield what the current visit waits for: to be read, or to be decided."""
    visit = find_current_visit(case)
    if visit is None:
        return
    reads = [read for read in case.first_reads if read.value.visit_id == visit.id]
    readings = [reading for reading in case.ai_readings if reading.value.visit_id == visit.id]
    decisions = [decision for decision in case.decisions if decision.value.visit_id == visit.id]
    if find_unread_photographs(case, visit) or not (reads or readings or decisions):
        yield rating.make_task(Task.READ, visit.value.on, visit.id)
    elif not decisions or (readings and readings[-1].at > decisions[-1].at):
        shown = Task.READ if awaits_first_read(case) else None
        decide = rating.make_task(Task.DECIDE, visit.value.on, visit.id)
        yield replace(decide, shown_task=shown)


def _find_missing_specimen(case: LesionCase, rating: _Rating) -> Iterator[DueTask]:
    """Yield the last decision, if it removes tissue and there is no specimen of it.

    A re-excision is as severe as the report that asks for it.
    """
    if not case.decisions or not case.decisions[-1].value.management.removes_tissue:
        return
    decision = case.decisions[-1]
    decided_on = date_decision(case, decision)
    incomplete = _find_incomplete(case, decision)
    left = {report.specimen_id for report in incomplete}
    if not any(
        specimen.value.decision_id == decision.id
        or (specimen.value.decision_id is None and specimen.value.taken_on >= decided_on)
        for specimen in case.specimens
        if specimen.id not in left
    ):
        worst = max(map(rate_histology, incomplete), default=Severity.ROUTINE)
        own = _Rating(max(rating.severity, worst), max(rating.shown, worst))
        yield own.make_task(Task.TAKE_SPECIMEN, decided_on, decision.id)


def _find_incomplete(case: LesionCase, decision: Entry[Decision]) -> list[Histology]:
    """Return the reports, known before a decision, that ask for a re-excision."""
    specimens = {each.id: each.value for each in case.specimens}
    return [
        report.value
        for report in case.histologies
        if report.at < decision.at
        and needs_clear_margins(report.value, specimens.get(report.value.specimen_id))
    ]


def _find_referral(case: LesionCase, rating: _Rating) -> Iterator[DueTask]:
    """Yield the last decision, if it refers and was not answered."""
    decision = find_open_referral(case)
    if decision is None:
        return
    due_on = date_decision(case, decision)
    if decision.value.management is Management.REFER_URGENTLY:
        rating = _Rating(Severity.URGENT, Severity.URGENT)
    else:
        due_on += timedelta(days=ROUTINE_REFERRAL_DAYS)
    yield rating.make_task(Task.REFERRAL, due_on, decision.id)


def _find_histology(case: LesionCase, rating: _Rating) -> Iterator[DueTask]:
    """Yield each specimen without a report, and each report that waits for a person."""
    reported = {histology.value.specimen_id for histology in case.histologies}
    for specimen in case.specimens:
        if specimen.id not in reported:
            due_on = specimen.value.taken_on + timedelta(days=HISTOLOGY_DAYS)
            yield rating.make_task(Task.HISTOLOGY, due_on, specimen.id)
    for histology in case.histologies:
        severity = rate_histology(histology.value)
        own = _Rating(severity, severity)
        for task, due_on in _find_next_of_report(case, histology):
            yield own.make_task(task, due_on, histology.id)


def _find_next_of_report(
    case: LesionCase, histology: Entry[Histology]
) -> Iterator[tuple[Task, date]]:
    """Yield what a report waits for in its current version, each with the day it is due."""
    informed = [each.value for each in case.informations if _is_about(each, histology)]
    if not any(_is_about(each, histology) for each in case.acknowledgements):
        yield Task.ACKNOWLEDGE, histology.value.reported_on
    elif not informed:
        yield Task.INFORM, histology.value.reported_on
    else:
        if awaits_clear_margins(case, histology):
            yield Task.RE_EXCISE, informed[-1].on
        if awaits_follow_up(case, histology):
            yield Task.FOLLOW_UP, informed[-1].on


def _is_about(entry: Entry[Acknowledgement] | Entry[Information], report: Entry[Histology]) -> bool:
    """Return whether an entry is about a report in its current version."""
    return entry.value.histology_id == report.id and entry.at >= report.at


def _find_recalls(recalls: Sequence[Entry[Recall]], rating: _Rating) -> Iterator[DueTask]:
    """Yield the open ones."""
    for recall in recalls:
        if recall.value.status is RecallStatus.OPEN:
            yield rating.make_task(Task.RECALL, recall.value.due_on, recall.id)
