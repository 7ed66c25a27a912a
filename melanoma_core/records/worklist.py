"""What the lesions of a record wait for: the rows of the Today page.

They are derived from the entries (`tasks.find_tasks`), in the transaction that writes those. So a
list of 100,000 lesions is one look at an index. Nothing is lost with them: `rebuild` makes them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.loading import load_cases, read_entries, select_current, select_where
from melanoma_core.records.loop import Recall
from melanoma_core.records.schema import TASK
from melanoma_core.records.tasks import OVERDUE_DAYS, DueTask, find_patient_tasks, find_tasks
from melanoma_core.records.vocabulary import ReadOrder, Task

_AT_ONCE = 500  # lesions whose cases are in memory


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
            says anything of an AI reading before the first read.
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
    rows = connection.execute(
        sa.select(TASK.c.task, sa.func.count(), sa.func.sum(sa.case((is_overdue, 1), else_=0)))
        .where(TASK.c.due_on <= query.on, *_match(query.text))
        .group_by(TASK.c.task)
    )
    return {Task(task): TaskCount(due, int(overdue)) for task, due, overdue in rows}


def list_tasks(connection: sa.Connection, query: TaskQuery) -> TaskPage:
    """Return what is due: the most severe first, then what has been due longest."""
    last = query.on - timedelta(days=OVERDUE_DAYS if query.overdue else 0)
    conditions = [
        TASK.c.due_on <= last,
        *([TASK.c.task == str(query.task)] if query.task is not None else []),
        *_match(query.text),
    ]
    rank = select_rank(query.read_order)
    order = rank, *TASK.c["due_on", "pseudonym", "label", "id"]
    rows = connection.execute(
        sa.select(TASK, rank.label("asked_rank"))
        .where(*conditions)
        .order_by(*order)
        .limit(query.limit)
        .offset(query.offset)
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(TASK).where(*conditions))
    return TaskPage(tuple(map(_to_task_row, rows)), total.scalar_one())


def select_rank(read_order: ReadOrder) -> "sa.Column[int]":
    """Return the column by which tasks are ordered: the negative severity as it may be shown."""
    return TASK.c.shown_rank if read_order is ReadOrder.DOCTOR_FIRST else TASK.c.rank


def refresh_lesions(connection: sa.Connection, lesion_ids: Collection[str]) -> None:
    """Derive the tasks of lesions again."""
    for ids in _split(lesion_ids):
        cases = load_cases(connection, ids)
        connection.execute(sa.delete(TASK).where(TASK.c.lesion_id.in_(ids)))
        rows = [row for case in cases for row in _make_rows_of_lesion(case)]
        if rows:
            connection.execute(sa.insert(TASK), rows)


def refresh_patients(connection: sa.Connection, patient_ids: Collection[str]) -> None:
    """Derive the tasks of the whole skin of patients again."""
    for ids in _split(patient_ids):
        is_of_skin = TASK.c.patient_id.in_(ids) & TASK.c.lesion_id.is_(None)
        connection.execute(sa.delete(TASK).where(is_of_skin))
        where: dict[str, object] = {"patient_id": ids, "lesion_id": None}
        recalls = read_entries(connection, Recall, select_where(Recall, where))
        if recalls:
            patients = read_entries(connection, Patient, select_where(Patient, {"id": ids}))
            rows = [row for patient in patients for row in _make_rows_of_skin(patient, recalls)]
            if rows:
                connection.execute(sa.insert(TASK), rows)


def rebuild(connection: sa.Connection) -> int:
    """Derive all tasks again, and return how many there are."""
    connection.execute(sa.delete(TASK))
    refresh_lesions(connection, _list_ids(connection, Lesion))
    refresh_patients(connection, _list_ids(connection, Patient))
    return connection.execute(sa.select(sa.func.count()).select_from(TASK)).scalar_one()


def _match(text: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a task holds each word of a text."""
    return [TASK.c.searched.contains(word, autoescape=True) for word in _fold(text).split()]


def _split(ids: Collection[str]) -> Iterator[tuple[str, ...]]:
    remaining = iter(ids)
    while some := tuple(islice(remaining, _AT_ONCE)):
        yield some


def _list_ids(connection: sa.Connection, kind: type) -> list[str]:
    query = select_current(kind)
    return list(connection.execute(query.with_only_columns(query.selected_columns.id)).scalars())


def _make_rows_of_lesion(case: LesionCase) -> Iterator[dict[str, Any]]:
    for task in find_tasks(case):
        lesion = case.lesion.value
        yield _make_row(case.patient, task) | {
            "lesion_id": case.lesion.id,
            "label": lesion.label,
            "site": lesion.site,
            "searched": _fold(case.patient.value.pseudonym, lesion.label, lesion.site),
        }


def _make_rows_of_skin(
    patient: Entry[Patient], recalls: Collection[Entry[Recall]]
) -> Iterator[dict[str, Any]]:
    own = [recall for recall in recalls if recall.value.patient_id == patient.id]
    for task in find_patient_tasks(own):
        yield _make_row(patient, task)


def _make_row(patient: Entry[Patient], task: DueTask) -> dict[str, Any]:
    return {
        "patient_id": patient.id,
        "lesion_id": None,
        "entry_id": task.entry_id,
        "task": str(task.task),
        "rank": -int(task.severity),
        "shown_rank": -int(task.shown_severity),
        "due_on": task.due_on,
        "pseudonym": patient.value.pseudonym,
        "label": "",
        "site": "",
        "searched": _fold(patient.value.pseudonym),
    }


def _fold(*texts: str) -> str:
    return "\n".join(texts).casefold()


def _to_task_row(row: Any) -> TaskRow:
    return TaskRow(
        patient_id=row.patient_id,
        pseudonym=row.pseudonym,
        lesion_id=row.lesion_id,
        label=row.label,
        site=row.site,
        task=Task(row.task),
        due_on=row.due_on,
        severity=-row.asked_rank,
        entry_id=row.entry_id,
    )
