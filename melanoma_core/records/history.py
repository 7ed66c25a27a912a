"""The history of a lesion or a patient: every entry with all its versions, those withdrawn too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loading import read_entries
from melanoma_core.records.loop import (
    Histology,
    Information,
    Specimen,
)
from melanoma_core.records.schema import KINDS, TABLES

_OF_LESION, _OF_PATIENT = (
    tuple(kind for kind in KINDS.values() if name in kind.__dataclass_fields__)
    for name in ("lesion_id", "patient_id")
)
_OWN_DAYS = {Visit: "on", Specimen: "taken_on", Histology: "reported_on", Information: "on"}


@dataclass(frozen=True)
class Event:
    """An entry with all its versions.

    Attributes:
        day: The day that it is about: its own, that of its visit, or the day of writing.
        versions: At least one, the first one first.
    """

    day: date
    versions: tuple[Entry[Any], ...]

    @property
    def current(self) -> Entry[Any]:
        """The last version, withdrawn or not."""
        return self.versions[-1]

    @property
    def kind(self) -> type[Any]:
        """Kind of the entry."""
        return type(self.current.value)

    @property
    def written_at(self) -> datetime:
        """When the first version was written, in UTC."""
        return self.versions[0].at


def load_history(connection: sa.Connection, lesion_id: str) -> tuple[Event, ...]:
    """Return all entries of a lesion and the visits that they name, the newest first.

    Args:
        connection: A transaction.
        lesion_id: Id of the lesion.
    """
    own = [
        entry for kind in _OF_LESION for entry in _read(connection, kind, "lesion_id", [lesion_id])
    ]
    named = {getattr(entry.value, "visit_id", "") for entry in own} - {""}
    visits = _read(connection, Visit, "id", sorted(named))
    lesion = _read(connection, Lesion, "id", [lesion_id])
    return _order([*lesion, *visits, *own])


def load_patient_history(connection: sa.Connection, patient_id: str) -> tuple[Event, ...]:
    """Return the patient and all entries that belong to the patient, the newest first.

    Args:
        connection: A transaction.
        patient_id: Id of the patient.

    Returns:
        Nothing if there is no such patient.
    """
    patient = _read(connection, Patient, "id", [patient_id])
    own = [_read(connection, kind, "patient_id", [patient_id]) for kind in _OF_PATIENT]
    lesions = sorted({entry.id for entry in own[0]})
    of_lesions = [_read(connection, kind, "lesion_id", lesions) for kind in _OF_LESION]
    found = {(entry.id, entry.version): entry for some in (*own, *of_lesions) for entry in some}
    return _order([*patient, *(found[key] for key in sorted(found))])


def _read(
    connection: sa.Connection, kind: type[Any], field: str, ids: Sequence[str]
) -> tuple[Entry[Any], ...]:
    table = TABLES[kind]
    query = sa.select(table).where(table.c[field].in_(ids)).order_by(table.c.id, table.c.version)
    return read_entries(connection, kind, query)


def _order(entries: Iterable[Entry[Any]]) -> tuple[Event, ...]:
    histories = [tuple(versions) for _, versions in groupby(entries, attrgetter("id"))]
    visits = {
        versions[-1].id: versions[-1].value.on
        for versions in histories
        if isinstance(versions[-1].value, Visit)
    }
    events = [Event(_find_day(versions[-1], visits), versions) for versions in histories]
    return tuple(sorted(events, key=attrgetter("day", "written_at"), reverse=True))


def _find_day(entry: Entry[Any], visits: dict[str, date]) -> date:
    own = _OWN_DAYS.get(type(entry.value))
    if own is not None:
        day: date = getattr(entry.value, own)
        return day
    return visits.get(getattr(entry.value, "visit_id", ""), entry.at.date())
