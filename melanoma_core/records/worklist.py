"""What the lesions of a record wait for: the rows of the Today page.

They are derived from the entries (`deriving`): a list of 100,000 lesions is a look at an index.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.deriving import fold_searched
from melanoma_core.records.schema import TASK
from melanoma_core.records.tasks import OVERDUE_DAYS
from melanoma_core.records.vocabulary import ReadOrder, Task


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
        read_order: Where the doctor reads first, neither the order of the rows nor their severity
            nor their task says anything of an AI reading before the first read.
    """

    on: date
    task: Task | None = None
    text: str = ""
    overdue: bool = False
    limit: int = 50
    offset: int = 0
    read_order: ReadOrder = ReadOrder.DOCTOR_FIRST


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
        severity: A value of `tasks.Severity`, as it may be shown.
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


@dataclass(frozen=True)
class TaskCount:
    """How many tasks of a kind are due, and how many of these are overdue."""

    due: int = 0
    overdue: int = 0


def count_tasks(connection: sa.Connection, query: TaskQuery) -> dict[Task, TaskCount]:
    """Return how many tasks of each kind are due; kinds without any are left out.

    Args:
        connection: To the database.
        query: Its text counts; its task, its limit and whether it asks for the overdue do not.
    """
    is_overdue = TASK.c.due_on <= query.on - timedelta(days=OVERDUE_DAYS)
    task = _select_task(query.read_order)
    rows = connection.execute(
        sa.select(task, sa.func.count(), sa.func.sum(sa.case((is_overdue, 1), else_=0)))
        .where(TASK.c.due_on <= query.on, *_match(query.text))
        .group_by(task)
    )
    return {Task(task): TaskCount(due, int(overdue)) for task, due, overdue in rows}


def list_tasks(connection: sa.Connection, query: TaskQuery) -> TaskPage:
    """Return what is due: the most severe first, then what has been due longest."""
    last = query.on - timedelta(days=OVERDUE_DAYS if query.overdue else 0)
    task = _select_task(query.read_order)
    conditions = [
        TASK.c.due_on <= last,
        *([task == str(query.task)] if query.task is not None else []),
        *_match(query.text),
    ]
    rank = select_rank(query.read_order)
    order = rank, *TASK.c["due_on", "pseudonym", "label", "id"]
    # With words, those that hold them are found in an index first, and then put in order. Without,
    # the index that has the order is read until the page is full.
    are_asked = (
        [TASK.c.id.in_(sa.select(TASK.c.id).where(*conditions))] if query.text else conditions
    )
    rows = connection.execute(
        sa.select(TASK, rank.label("asked_rank"), task.label("asked_task"))
        .where(*are_asked)
        .order_by(*order)
        .limit(query.limit)
        .offset(query.offset)
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(TASK).where(*conditions))
    return TaskPage(tuple(map(_to_task_row, rows)), total.scalar_one())


def select_rank(read_order: ReadOrder) -> "sa.Column[int]":
    """Return the column by which tasks are ordered: the negative severity as it may be shown."""
    return TASK.c.shown_rank if read_order is ReadOrder.DOCTOR_FIRST else TASK.c.rank


def _select_task(read_order: ReadOrder) -> "sa.Column[str]":
    """Return the column that says what a lesion waits for, as it may be shown."""
    return TASK.c.shown_task if read_order is ReadOrder.DOCTOR_FIRST else TASK.c.task


def _match(text: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a task holds each word of a text."""
    return [TASK.c.searched.contains(word, autoescape=True) for word in fold_searched(text).split()]


def _to_task_row(row: Any) -> TaskRow:
    return TaskRow(
        patient_id=row.patient_id,
        pseudonym=row.pseudonym,
        lesion_id=row.lesion_id,
        label=row.label,
        site=row.site,
        task=Task(row.asked_task),
        due_on=row.due_on,
        severity=-row.asked_rank,
        entry_id=row.entry_id,
    )
