"""The patients of a record as a list: found by pseudonym, with what waits for each.

One page of the list takes three queries, however many rows and lesions there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.loading import read_entries, select_current
from melanoma_core.records.schema import TABLES, TASK
from melanoma_core.records.vocabulary import ReadOrder
from melanoma_core.records.worklist import select_rank


@dataclass(frozen=True, kw_only=True)
class PatientQuery:
    """Which patients are asked for.

    Attributes:
        on: The day of the question, on which tasks are due or not.
        text: Part of the pseudonym, in any case; "" for all.
        limit: Maximum number of rows.
        offset: Number of rows to leave out first.
        read_order: As in `worklist.TaskQuery`.
    """

    on: date
    text: str = ""
    limit: int = 50
    offset: int = 0
    read_order: ReadOrder = ReadOrder.DOCTOR_FIRST


@dataclass(frozen=True, kw_only=True)
class PatientRow:
    """One patient of the list.

    Attributes:
        patient: The patient.
        num_lesions: Number of lesions.
        num_due: Number of tasks that are due.
        severity: Of the most severe of them, a value of `Severity` as it may be shown; None if
            nothing is due.
    """

    patient: Entry[Patient]
    num_lesions: int
    num_due: int
    severity: int | None


def count_patients(connection: sa.Connection, text: str) -> int:
    """Return how many patients there are whose pseudonym holds a text."""
    query = select_current(Patient).where(_holds(text)).order_by(None)
    count = sa.select(sa.func.count()).select_from(query.subquery())
    return int(connection.execute(count).scalar_one())


def list_patients(connection: sa.Connection, query: PatientQuery) -> tuple[PatientRow, ...]:
    """Return patients in the order of their pseudonyms."""
    table = TABLES[Patient]
    order = sa.func.lower(table.c.pseudonym), table.c.pseudonym
    found = select_current(Patient).where(_holds(query.text)).order_by(None).order_by(*order)
    rows = read_entries(connection, Patient, found.limit(query.limit).offset(query.offset))
    ids = [row.id for row in rows]
    lesions = _count_lesions(connection, ids)
    waiting = _find_waiting(connection, ids, query)
    return tuple(
        PatientRow(
            patient=row,
            num_lesions=lesions.get(row.id, 0),
            num_due=waiting.get(row.id, (0, None))[0],
            severity=waiting.get(row.id, (0, None))[1],
        )
        for row in rows
    )


def _holds(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a pseudonym holds a text."""
    pseudonym = TABLES[Patient].c.pseudonym
    if not text:
        return sa.true()
    return sa.func.lower(pseudonym).contains(text.lower(), autoescape=True)


def _count_lesions(connection: sa.Connection, ids: Sequence[str]) -> dict[str, int]:
    patient_id = TABLES[Lesion].c.patient_id
    query = (
        select_current(Lesion)
        .where(patient_id.in_(ids))
        .order_by(None)
        .with_only_columns(patient_id, sa.func.count())
        .group_by(patient_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _find_waiting(
    connection: sa.Connection, ids: Sequence[str], asked: PatientQuery
) -> dict[str, tuple[int, int | None]]:
    """Return the number of tasks that are due, and the worst severity, by patient."""
    query: sa.Select[Any] = (
        sa.select(TASK.c.patient_id, sa.func.count(), sa.func.min(select_rank(asked.read_order)))
        .where(TASK.c.patient_id.in_(ids), TASK.c.due_on <= asked.on)
        .group_by(TASK.c.patient_id)
    )
    return {row[0]: (int(row[1]), -int(row[2])) for row in connection.execute(query)}
