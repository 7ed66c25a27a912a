"""Read entries from the database of a record."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.loop import (
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    Recall,
    Specimen,
)
from melanoma_core.records.schema import ENTITY, KINDS, TABLES, to_entry

# The fields of a case that hold entries of the lesion.
_OF_LESION: dict[str, type[Any]] = {
    "photographs": Photograph,
    "outlines": Outline,
    "first_reads": FirstRead,
    "ai_readings": AiReading,
    "decisions": Decision,
    "specimens": Specimen,
    "histologies": Histology,
    "acknowledgements": Acknowledgement,
    "informations": Information,
    "recalls": Recall,
}
_OWN_DAY: dict[type, str] = {
    Visit: "on",
    Specimen: "taken_on",
    Histology: "reported_on",
    Information: "on",
}


def select_current(kind: type) -> sa.Select[Any]:
    """Return a query for the current versions that were not withdrawn, in the order of adding."""
    return _select_current(kind.__name__)


@cache  # to make a query takes longer than to ask it
def _select_current(name: str) -> sa.Select[Any]:
    table = TABLES[KINDS[name]]
    later = table.alias("later")
    is_followed = sa.exists().where(
        later.c.id == table.c.id, later.c.version == table.c.version + 1
    )
    return (
        sa.select(table)
        .join(ENTITY, ENTITY.c.id == table.c.id)
        .where(~is_followed, table.c.withdrawn == "")
        .order_by(ENTITY.c.number)
    )


def select_where(kind: type, where: dict[str, object]) -> sa.Select[Any]:
    """Return a query as `select_current`, for entries with these values of fields.

    Args:
        kind: Kind of the entries.
        where: Values by name of the field; of several in a tuple, list or set, any.
    """
    table = TABLES[kind]
    query = select_current(kind)
    for name, value in where.items():
        column = table.c[name]
        if isinstance(value, tuple | list | set | frozenset):
            query = query.where(column.in_(value))
        else:
            query = query.where(column == value)
    return query


def read_entries(
    connection: sa.Connection, kind: type, query: sa.Select[Any]
) -> tuple[Entry[Any], ...]:
    """Return the entries that a query for rows of a kind finds.

    Raises:
        RecordDamagedError: A row holds what no entry of this kind can.
    """
    return tuple(build_entry(kind, row) for row in connection.execute(query).mappings())


def build_entry(kind: type, row: Any) -> Entry[Any]:
    """Return the entry that a row holds.

    Raises:
        RecordDamagedError: The row holds what no entry of this kind can.
    """
    try:
        return to_entry(kind, row)
    except (ValueError, TypeError) as error:
        raise RecordDamagedError(
            f"Version {row['version']} of {kind.__name__} {row['id']} was altered outside of this "
            f"software ({error}). Run `melanoma records verify` to find what else was, and restore "
            "the record from a backup."
        ) from error


def load_cases(connection: sa.Connection, lesion_ids: Sequence[str]) -> list[LesionCase]:
    """Return the cases of lesions, without those that were withdrawn, with one query per kind.

    Args:
        connection: A transaction.
        lesion_ids: Ids of at most some thousand lesions.
    """
    lesions = _find(connection, Lesion, "id", lesion_ids)
    patient_ids = {lesion.value.patient_id for lesion in lesions}
    patients = {each.id: each for each in _find(connection, Patient, "id", patient_ids)}
    visits = _group(_find(connection, Visit, "patient_id", patient_ids), "patient_id")
    of_skin = _group(_find_of_skin(connection, patient_ids), "patient_id")
    lists = {
        name: _group(_find(connection, kind, "lesion_id", lesion_ids), "lesion_id")
        for name, kind in _OF_LESION.items()
    }
    cases = []
    for lesion in lesions:
        patient = patients.get(lesion.value.patient_id)
        if patient is not None:
            own = visits[patient.id]
            get_day = _make_day({visit.id: visit.value.on for visit in own})
            ordered = {
                name: tuple(sorted(of_lesion[lesion.id], key=get_day))
                for name, of_lesion in lists.items()
            }
            cases.append(
                LesionCase(
                    patient=patient,
                    lesion=lesion,
                    visits=tuple(sorted(own, key=get_day)),
                    skin_recalls=tuple(of_skin[patient.id]),
                    **ordered,
                )
            )
    return cases


def _find_of_skin(
    connection: sa.Connection, patient_ids: Iterable[str]
) -> tuple[Entry[Recall], ...]:
    """Return the recalls of patients that name no lesion."""
    query = _select_by_id(Recall, "patient_id").where(TABLES[Recall].c.lesion_id.is_(None))
    rows = connection.execute(query, {"ids": list(patient_ids)})
    return tuple(build_entry(Recall, row) for row in rows.mappings())


def _find(
    connection: sa.Connection, kind: type, field: str, ids: Iterable[str]
) -> tuple[Entry[Any], ...]:
    rows = connection.execute(_select_by_id(kind, field), {"ids": list(ids)})
    return tuple(build_entry(kind, row) for row in rows.mappings())


@cache
def _select_by_id(kind: type, field: str) -> sa.Select[Any]:
    column = TABLES[kind].c[field]
    return select_current(kind).where(column.in_(sa.bindparam("ids", expanding=True)))


def _group(entries: Iterable[Entry[Any]], field: str) -> dict[str, list[Entry[Any]]]:
    groups: dict[str, list[Entry[Any]]] = defaultdict(list)
    for entry in entries:
        groups[getattr(entry.value, field)].append(entry)
    return groups


def _make_day(visits: dict[str, date]) -> Callable[[Entry[Any]], date]:
    """Return what gives the day of an entry: its own or that of its visit.

    Entries come in the order in which they were added, which sorting keeps within a day.
    """

    def get_day(entry: Entry[Any]) -> date:
        value = entry.value
        if type(value) in _OWN_DAY:
            day: date = getattr(value, _OWN_DAY[type(value)])
            return day
        if hasattr(value, "visit_id"):
            return visits.get(value.visit_id, entry.at.date())
        return date.min

    return get_day
