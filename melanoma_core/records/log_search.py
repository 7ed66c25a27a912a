"""Search the audit log: who saw, changed, exported or erased what, of which patient, and when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from melanoma_core.records import ledger
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.ledger import Action, LogEntry
from melanoma_core.records.schema import KINDS, LOG, TABLES

_CHANGES = tuple(map(str, (Action.ADDED, Action.CORRECTED, Action.WITHDRAWN, Action.ERASED)))


@dataclass(frozen=True, kw_only=True)
class LogQuery:
    """Which entries of the audit log are asked for.

    Attributes:
        by: Part of the person's name, in any case; "" for all.
        pseudonym: The patient's pseudonym; "" for all.
        actions: What was done; empty for everything.
        since: First moment, in UTC; None for the beginning.
        before: First moment that is left out, in UTC; None for the end.
        limit: Maximum number of entries.
        offset: Number of entries to leave out first.
    """

    by: str = ""
    pseudonym: str = ""
    actions: tuple[Action, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class Subject:
    """Whom an entry of the log is about, as far as it was not erased.

    Attributes:
        patient_id: Id of the patient; "" if none.
        pseudonym: The patient's pseudonym now; "" if none.
        lesion_id: Id of the lesion; "" for the whole skin, or if none.
        label: The lesion's label; "" if none.
    """

    patient_id: str = ""
    pseudonym: str = ""
    lesion_id: str = ""
    label: str = ""


@dataclass(frozen=True)
class LogPage:
    """Some of the entries that were asked for.

    Attributes:
        rows: Entries, the newest first, with whom each is about.
        total: Number of all that were asked for.
    """

    rows: tuple[tuple[LogEntry, Subject], ...]
    total: int


def search_log(connection: sa.Connection, query: LogQuery) -> LogPage:
    """Return entries of the audit log, the newest first, with whom each is about.

    Args:
        connection: A transaction that reads.
        query: Which entries.
    """
    conditions = list(_list_conditions(connection, query))
    total = connection.execute(
        sa.select(sa.func.count()).select_from(LOG).where(*conditions)
    ).scalar_one()
    newest = sa.select(LOG).where(*conditions).order_by(LOG.c.number.desc())
    rows = connection.execute(newest.limit(query.limit).offset(query.offset))
    entries = [ledger.to_log_entry(row) for row in rows]
    subjects = _find_subjects(connection, entries)
    return LogPage(
        tuple((entry, subjects.get(entry.entry_id, Subject())) for entry in entries), total
    )


def count_changes(connection: sa.Connection, after: int) -> dict[Action, int]:
    """Return how often the record was changed since an entry of the log, by what was done.

    Args:
        connection: A transaction that reads.
        after: Number of that entry.
    """
    query = (
        sa.select(LOG.c.action, sa.func.count())
        .where(LOG.c.number > after, LOG.c.action.in_(_CHANGES))
        .group_by(LOG.c.action)
    )
    return {Action(action): count for action, count in connection.execute(query)}


def _list_conditions(connection: sa.Connection, query: LogQuery) -> Iterator[Any]:
    if query.by:
        yield sa.func.lower(LOG.c.by).contains(query.by.lower(), autoescape=True)
    if query.actions:
        yield LOG.c.action.in_([str(each) for each in query.actions])
    if query.since is not None:
        yield LOG.c.at >= query.since
    if query.before is not None:
        yield LOG.c.at < query.before
    if query.pseudonym:
        patient = TABLES[Patient]
        is_meant = patient.c.pseudonym == query.pseudonym
        ids = connection.execute(sa.select(patient.c.id).where(is_meant)).scalars().all()
        yield LOG.c.entry_id.in_(_select_own(ids))


def _select_own(patient_ids: Sequence[str]) -> sa.CompoundSelect[Any]:
    """Return a query for the ids of patients and of all entries of theirs."""
    patient, lesion = TABLES[Patient], TABLES[Lesion]
    lesions = sa.select(lesion.c.id).where(lesion.c.patient_id.in_(patient_ids))
    parts = [sa.select(patient.c.id).where(patient.c.id.in_(patient_ids))]
    for table in TABLES.values():
        if "patient_id" in table.c:
            parts.append(sa.select(table.c.id).where(table.c.patient_id.in_(patient_ids)))
        if "lesion_id" in table.c:
            parts.append(sa.select(table.c.id).where(table.c.lesion_id.in_(lesions)))
    return sa.union(*parts)


def _find_subjects(connection: sa.Connection, entries: Iterable[LogEntry]) -> dict[str, Subject]:
    """Return whom entries are about, with a few queries for all of them."""
    by_kind: dict[str, set[str]] = {}
    for entry in entries:
        if entry.kind in KINDS:
            by_kind.setdefault(entry.kind, set()).add(entry.entry_id)
    owners: dict[str, tuple[str, str]] = {}  # patient and lesion
    for name, ids in by_kind.items():
        owners |= _find_owners(connection, name, ids)
    lesions = _read(connection, Lesion, {lesion for _, lesion in owners.values()})
    found = {
        entry_id: (patient or (lesions[lesion]["patient_id"] if lesion in lesions else ""), lesion)
        for entry_id, (patient, lesion) in owners.items()
    }
    patients = _read(connection, Patient, {patient for patient, _ in found.values()})
    return {
        entry_id: Subject(
            patient,
            patients[patient]["pseudonym"] if patient in patients else "",
            lesion,
            lesions[lesion]["label"] if lesion in lesions else "",
        )
        for entry_id, (patient, lesion) in found.items()
    }


def _find_owners(connection: sa.Connection, kind: str, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Return patient and lesion that entries of a kind name; "" where they name none."""
    if kind == Patient.__name__:
        return {each: (each, "") for each in ids}
    if kind == Lesion.__name__:
        return {each: ("", each) for each in ids}
    rows = _read(connection, KINDS[kind], ids)
    return {
        entry_id: (row.get("patient_id") or "", row.get("lesion_id") or "")
        for entry_id, row in rows.items()
    }


def _read(connection: sa.Connection, kind: type, ids: set[str]) -> dict[str, Any]:
    """Return the newest rows of entries by id."""
    table = TABLES[kind]
    query = sa.select(table).where(table.c.id.in_(ids - {""})).order_by(table.c.version)
    return {row["id"]: row for row in connection.execute(query).mappings()}
