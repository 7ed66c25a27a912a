"""What a lesion waits for, and since when; which day it is does not matter here.

Today's list shows what is due on the day on which it is read: `is_due` and `is_overdue`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Decision, Recall
from melanoma_core.records.vocabulary import Task

HISTOLOGY_DAYS = 7
"""Days after which the histology of a specimen is due."""

OVERDUE_DAYS = 7
"""Days after it is due at which a task is overdue."""


class Severity(IntEnum):
    """How severe what is known of a lesion is; larger is more severe."""

    ROUTINE = 0
    WATCHED = 1
    SKIN_CANCER = 2
    MELANOMA = 3
    URGENT = 4


@dataclass(frozen=True)
class DueTask:
    """One thing that a lesion waits for.

    Attributes:
        task: What.
        due_on: Day from which it is due.
        severity: A value of `Severity`; lists put the largest first, then the oldest `due_on`.
        entry_id: Id of the visit, decision, specimen, histology or recall that waits.
    """

    task: Task
    due_on: date
    severity: int
    entry_id: str = ""


def is_due(due_on: date, on: date) -> bool:
    """Return whether a task is due on a day.

    >>> is_due(date(2026, 5, 8), date(2026, 5, 7)), is_due(date(2026, 5, 8), date(2026, 5, 8))
    (False, True)
    """
    return on >= due_on


def is_overdue(due_on: date, on: date) -> bool:
    """Return whether a task is overdue on a day: `OVERDUE_DAYS` after it was due.

    >>> is_overdue(date(2026, 5, 8), date(2026, 5, 14)), is_overdue(date(2026, 5, 8), date(2026, 5, 15))
    (False, True)
    """
    return on >= due_on + timedelta(days=OVERDUE_DAYS)


def find_tasks(case: LesionCase) -> tuple[DueTask, ...]:
    """Return what a lesion waits for, most severe first."""
    raise NotImplementedError


def find_patient_tasks(recalls: Sequence[Entry[Recall]]) -> tuple[DueTask, ...]:
    """Return the tasks of a patient's whole skin: open recalls that name no lesion."""
    raise NotImplementedError


def make_recall(decision: Decision, visit: Visit) -> Recall | None:
    """Return the recall that a decision asks for; None if it sets no months."""
    raise NotImplementedError


def find_answered_recalls(case: LesionCase) -> tuple[Entry[Recall], ...]:
    """Return the open recalls since whose writing the lesion was photographed at a later visit."""
    raise NotImplementedError
