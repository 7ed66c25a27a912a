"""What the lesions of a record wait for: the rows of the Today page."""

from dataclasses import dataclass
from datetime import date

from melanoma_core.records.vocabulary import Task


@dataclass(frozen=True, kw_only=True)
class TaskQuery:
    """Which tasks are asked for.

    Attributes:
        on: The day of the question; only what is due on it is listed.
        task: Only this task; None for all.
        text: Part of the pseudonym, of the lesion's label or of its site, in any case.
        overdue: Whether only those are asked for that are overdue.
        limit: Maximum number of rows.
        offset: Number of rows to leave out first.
    """

    on: date
    task: Task | None = None
    text: str = ""
    overdue: bool = False
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One task with its lesion.

    Attributes:
        patient_id: Id of the patient.
        pseudonym: The patient's pseudonym.
        lesion_id: Id of the lesion; None for the whole skin.
        label: The lesion's label; "" for the whole skin.
        site: The lesion's site.
        task: What it waits for.
        due_on: Day from which it is due.
        severity: A value of `tasks.Severity`.
        entry_id: Id of the entry that waits.
    """

    patient_id: str
    pseudonym: str
    lesion_id: str | None
    label: str
    site: str
    task: Task
    due_on: date
    severity: int
    entry_id: str


@dataclass(frozen=True)
class TaskPage:
    """Some of the tasks that were asked for.

    Attributes:
        rows: The most severe first, then the oldest.
        total: Number of all that were asked for.
    """

    rows: tuple[TaskRow, ...]
    total: int
