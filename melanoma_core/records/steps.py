"""The steps of the closed loop: which of them a lesion waits for, and which is the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from melanoma_core.records.case import LesionCase
from melanoma_core.records.current_visit import find_current_visit, find_unread_photographs
from melanoma_core.records.entities import Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading, Decision, FirstRead
from melanoma_core.records.tasks import find_tasks
from melanoma_core.records.vocabulary import ImageKind, ReadOrder, RecallStatus, Task

_AtVisit = TypeVar("_AtVisit", FirstRead, AiReading, Decision)


class Step(StrEnum):
    """A step of the loop, in the order in which a doctor first takes them."""

    PHOTOGRAPHS = "photographs"
    FIRST_READ = "first read"
    AI_READING = "AI reading"
    DECISION = "decision"
    SPECIMEN = "specimen"
    HISTOLOGY = "histology"
    ACKNOWLEDGE = "acknowledge"
    INFORM = "inform the patient"
    RE_EXCISION = "re-excision"
    FOLLOW_UP = "follow-up"
    REFERRAL = "answer of the referral"
    RECALL = "recall"

    @property
    def is_occasional(self) -> bool:
        """Whether it is a step only of what waits for it: a decision or a recall takes it."""
        return self in {Step.RE_EXCISION, Step.FOLLOW_UP, Step.REFERRAL}


_STEPS_OF_TASKS = {
    Task.TAKE_SPECIMEN: Step.SPECIMEN,
    Task.HISTOLOGY: Step.HISTOLOGY,
    Task.ACKNOWLEDGE: Step.ACKNOWLEDGE,
    Task.INFORM: Step.INFORM,
    Task.RE_EXCISE: Step.RE_EXCISION,
    Task.FOLLOW_UP: Step.FOLLOW_UP,
    Task.REFERRAL: Step.REFERRAL,
    Task.RECALL: Step.RECALL,
}


@dataclass(frozen=True)
class OpenStep:
    """A step that a lesion waits for.

    Attributes:
        step: The step.
        due_on: Day from which it is due.
        entry_id: Id of the visit, decision, specimen, histology or recall that waits; "" if there
            is none yet.
    """

    step: Step
    due_on: date | None = None
    entry_id: str = ""


@dataclass(frozen=True, kw_only=True)
class AtVisit:
    """What a record holds of a lesion at its current visit.

    Attributes:
        visit: The visit.
        photographs: Those of the lesion itself, not of the site of a specimen.
        first_read: The last first read; None if there is none.
        ai_reading: The last AI reading.
        decision: The last decision.
        unread: Dermoscopic photographs that no AI reading of the visit has seen.
        order: Whether the first read comes before the AI reading, as the setting says.
    """

    visit: Entry[Visit]
    photographs: tuple[Entry[Photograph], ...]
    first_read: Entry[FirstRead] | None
    ai_reading: Entry[AiReading] | None
    decision: Entry[Decision] | None
    unread: tuple[Entry[Photograph], ...]
    order: ReadOrder

    @property
    def hides_ai(self) -> bool:
        """Whether no AI reading is shown yet, so that it does not sway the first read."""
        waits = self.first_read is None and self.decision is None
        return self.order is ReadOrder.DOCTOR_FIRST and waits and bool(self.photographs)

    @property
    def actual_order(self) -> ReadOrder:
        """What a first read that is kept now says: whether an AI reading was shown before it."""
        was_shown = self.ai_reading is not None and not self.hides_ai
        return ReadOrder.TOGETHER if was_shown else ReadOrder.DOCTOR_FIRST

    @property
    def dermoscopic(self) -> tuple[Entry[Photograph], ...]:
        """The photographs that the network reads."""
        return tuple(each for each in self.photographs if each.value.kind is ImageKind.DERMOSCOPIC)


def find_at_visit(case: LesionCase, order: ReadOrder) -> AtVisit | None:
    """Return what a record holds of a lesion at its current visit; None without a visit.

    Args:
        case: The lesion.
        order: Whether the doctor reads first, as the setting says.
    """
    visit = find_current_visit(case)
    if visit is None:
        return None

    photographs = tuple(
        each
        for each in case.photographs
        if each.value.visit_id == visit.id and not each.value.shows_specimen_site
    )
    ai_reading = _find_last(case.ai_readings, visit)
    dermoscopic = [each for each in photographs if each.value.kind is ImageKind.DERMOSCOPIC]
    return AtVisit(
        visit=visit,
        photographs=photographs,
        first_read=_find_last(case.first_reads, visit),
        ai_reading=ai_reading,
        decision=_find_last(case.decisions, visit),
        unread=find_unread_photographs(case, visit) if ai_reading else tuple(dermoscopic),
        order=order,
    )


def find_done(case: LesionCase, at_visit: AtVisit | None) -> dict[Step, tuple[Entry[Any], ...]]:
    """Return what a record holds of each step: reads and decisions of the current visit alone.

    Those that are only taken at times have nothing of their own.

    Args:
        case: The lesion.
        at_visit: What `find_at_visit` returns of it.
    """
    visit_id = at_visit.visit.id if at_visit else ""

    def list_own(entries: Sequence[Entry[_AtVisit]]) -> tuple[Entry[_AtVisit], ...]:
        return tuple(each for each in entries if each.value.visit_id == visit_id)

    occasional: dict[Step, tuple[Entry[Any], ...]] = {
        step: () for step in Step if step.is_occasional
    }
    return occasional | {
        Step.PHOTOGRAPHS: at_visit.photographs if at_visit else (),
        Step.FIRST_READ: list_own(case.first_reads),
        Step.AI_READING: list_own(case.ai_readings),
        Step.DECISION: list_own(case.decisions),
        Step.SPECIMEN: case.specimens,
        Step.HISTOLOGY: case.histologies,
        Step.ACKNOWLEDGE: case.acknowledgements,
        Step.INFORM: case.informations,
        Step.RECALL: case.recalls,
    }


def _find_last(entries: tuple[Entry[_AtVisit], ...], visit: Entry[Visit]) -> Entry[_AtVisit] | None:
    """Return the last entry of a visit."""
    return next((each for each in reversed(entries) if each.value.visit_id == visit.id), None)


def find_open_steps(case: LesionCase, at_visit: AtVisit | None) -> tuple[OpenStep, ...]:
    """Return the steps that a lesion waits for, the next one first.

    What is most severe comes first, as in the list of tasks. At a visit, the reads come before the
    decision, in the order of the setting. A lesion that was never photographed waits for that.

    Args:
        case: The lesion.
        at_visit: What `find_at_visit` returns of it.
    """
    if at_visit is None:
        return (OpenStep(Step.PHOTOGRAPHS),)
    steps: list[OpenStep] = []
    tasks = find_tasks(case)
    if at_visit.hides_ai:
        tasks = tuple(sorted(tasks, key=lambda task: (-task.shown_severity, task.due_on)))
    for task in tasks:
        if task.task in _STEPS_OF_TASKS:
            steps.append(OpenStep(_STEPS_OF_TASKS[task.task], task.due_on, task.entry_id))
        else:
            steps += _list_at_visit(at_visit)
    return (*steps, *_find_missing_recall(case))


def _list_at_visit(at_visit: AtVisit) -> list[OpenStep]:
    """Return the reads that are missing at a visit, then the decision."""
    missing = {
        Step.FIRST_READ: at_visit.first_read is None and at_visit.order is not ReadOrder.OFF,
        Step.AI_READING: bool(at_visit.unread),
        Step.DECISION: True,
    }
    in_order = [Step.FIRST_READ, Step.AI_READING]
    if at_visit.order is ReadOrder.TOGETHER:
        in_order.reverse()
    return [
        OpenStep(step, at_visit.visit.value.on, at_visit.visit.id)
        for step in (*in_order, Step.DECISION)
        if missing[step]
    ]


def _find_missing_recall(case: LesionCase) -> list[OpenStep]:
    """Return the recall that the last decision asks for, if there is none since."""
    last = case.decisions[-1] if case.decisions else None
    if last is None or last.value.management.months is None:
        return []
    since = [each for each in case.recalls if each.at >= last.at]
    is_there = since or any(each.value.status is RecallStatus.OPEN for each in case.recalls)
    return [] if is_there else [OpenStep(Step.RECALL, None, last.id)]
