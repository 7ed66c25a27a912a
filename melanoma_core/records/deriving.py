"""Derive from the entries of a record what its lesions wait for: the rows that Today lists.

They are written in the transaction that writes the entries (`tasks.find_tasks` says which). Nothing
is lost with them: `rebuild` makes them again, and `check_tasks` compares them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.loading import load_cases, read_entries, select_current, select_where
from melanoma_core.records.loop import Recall
from melanoma_core.records.schema import TASK
from melanoma_core.records.tasks import DueTask, find_patient_tasks, find_tasks

_AT_ONCE = 500  # lesions whose cases are in memory
_FIELDS = tuple(
    column.name for column in TASK.columns if column.name != "id"
)  # the id says nothing

Row = dict[str, Any]


def refresh_lesions(connection: sa.Connection, lesion_ids: Collection[str]) -> None:
    """Derive the tasks of lesions again."""
    _refresh(connection, _LESIONS, lesion_ids)


def refresh_patients(connection: sa.Connection, patient_ids: Collection[str]) -> None:
    """Derive the tasks of the whole skin of patients again."""
    _refresh(connection, _SKIN, patient_ids)


def rebuild(connection: sa.Connection) -> int:
    """Derive all tasks again, and return how many there are."""
    connection.execute(sa.delete(TASK))
    refresh_lesions(connection, _list_ids(connection, Lesion))
    refresh_patients(connection, _list_ids(connection, Patient))
    return _count(connection)


def check_tasks(connection: sa.Connection) -> Iterator[Fault]:
    """Yield a fault if the kept tasks are not those that follow from the entries.

    The entries must be whole.
    """
    compared, others = 0, set[str]()
    for part in _PARTS:
        for ids in _split(_list_ids(connection, part.kind)):
            num_kept, different = _compare(connection, part, ids)
            compared += num_kept
            others |= different
    unknown = _count(connection) - compared  # of what is not in the record
    if others or unknown:
        named = f", such as {min(others)}" if others else ""
        yield Fault(
            FaultKind.ALTERED,
            "the list of what waits",
            "What waits does not follow from the entries for "
            f"{len(others) + unknown:,} lesions or patients{named}: it was altered, or written by "
            "other rules. No entry is lost. Run `melanoma records rebuild` to derive it again.",
        )


def fold_searched(*texts: str) -> str:
    """Return texts as they are searched: joined, in no case."""
    return "\n".join(texts).casefold()


def _compare(
    connection: sa.Connection, part: "_Part", ids: tuple[str, ...]
) -> tuple[int, set[str]]:
    """Return how many tasks are kept of lesions or patients, and which of these have others."""
    query = sa.select(*TASK.c[_FIELDS]).where(*part.are_of(ids))
    kept = Counter(map(tuple, connection.execute(query)))
    rows = part.derive(connection, ids)
    derived = Counter(tuple(row[name] for name in _FIELDS) for row in rows)
    different = [*(kept - derived), *(derived - kept)]
    owner = _FIELDS.index(part.owner)
    return kept.total(), {str(row[owner]) for row in different}


def _derive_of_lesions(connection: sa.Connection, lesion_ids: Collection[str]) -> list[Row]:
    cases = load_cases(connection, tuple(lesion_ids))
    return [row for case in cases for row in _make_rows_of_lesion(case)]


def _derive_of_skin(connection: sa.Connection, patient_ids: Collection[str]) -> list[Row]:
    where: dict[str, object] = {"patient_id": patient_ids, "lesion_id": None}
    recalls = read_entries(connection, Recall, select_where(Recall, where))
    if not recalls:
        return []
    patients = read_entries(connection, Patient, select_where(Patient, {"id": patient_ids}))
    return [row for patient in patients for row in _make_rows_of_skin(patient, recalls)]


def _are_of_lesions(lesion_ids: Collection[str]) -> list[sa.ColumnElement[bool]]:
    return [TASK.c.lesion_id.in_(lesion_ids)]


def _are_of_skin(patient_ids: Collection[str]) -> list[sa.ColumnElement[bool]]:
    return [TASK.c.patient_id.in_(patient_ids), TASK.c.lesion_id.is_(None)]


@dataclass(frozen=True)
class _Part:
    """Tasks of lesions, or of the whole skin of patients."""

    kind: type
    owner: str
    derive: Callable[[sa.Connection, Collection[str]], list[Row]]
    are_of: Callable[[Collection[str]], list[sa.ColumnElement[bool]]]


_LESIONS = _Part(Lesion, "lesion_id", _derive_of_lesions, _are_of_lesions)
_SKIN = _Part(Patient, "patient_id", _derive_of_skin, _are_of_skin)
_PARTS = (_LESIONS, _SKIN)


def _refresh(connection: sa.Connection, part: _Part, ids: Collection[str]) -> None:
    for some in _split(ids):
        rows = part.derive(connection, some)
        connection.execute(sa.delete(TASK).where(*part.are_of(some)))
        if rows:
            connection.execute(sa.insert(TASK), rows)


def _count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(TASK)).scalar_one()


def _split(ids: Collection[str]) -> Iterator[tuple[str, ...]]:
    remaining = iter(ids)
    while some := tuple(islice(remaining, _AT_ONCE)):
        yield some


def _list_ids(connection: sa.Connection, kind: type) -> list[str]:
    query = select_current(kind)
    return list(connection.execute(query.with_only_columns(query.selected_columns.id)).scalars())


def _make_rows_of_lesion(case: LesionCase) -> Iterator[Row]:
    for task in find_tasks(case):
        lesion = case.lesion.value
        yield _make_row(case.patient, task) | {
            "lesion_id": case.lesion.id,
            "label": lesion.label,
            "site": lesion.site,
            "searched": fold_searched(case.patient.value.pseudonym, lesion.label, lesion.site),
        }


def _make_rows_of_skin(
    patient: Entry[Patient], recalls: Collection[Entry[Recall]]
) -> Iterator[Row]:
    own = [recall for recall in recalls if recall.value.patient_id == patient.id]
    for task in find_patient_tasks(own):
        yield _make_row(patient, task)


def _make_row(patient: Entry[Patient], task: DueTask) -> Row:
    return {
        "patient_id": patient.id,
        "lesion_id": None,
        "entry_id": task.entry_id,
        "task": str(task.task),
        "rank": -int(task.severity),
        "shown_rank": -int(task.shown_severity),
        "shown_task": str(task.shown_task or task.task),
        "due_on": task.due_on,
        "pseudonym": patient.value.pseudonym,
        "label": "",
        "site": "",
        "searched": fold_searched(patient.value.pseudonym),
    }
