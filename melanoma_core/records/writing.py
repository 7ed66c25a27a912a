"""What one person writes into a record at once, and how it is written.

Nothing is overwritten. A correction is a row with the next version, and the primary key decides who
came second. Rows, audit log and derived tasks are one transaction.
"""

import dataclasses
import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from melanoma_core.access.subject import check_signature
from melanoma_core.errors import RecordError
from melanoma_core.records import ledger
from melanoma_core.records.checked import Holder, find_surroundings
from melanoma_core.records.dependents import find_broken
from melanoma_core.records.deriving import refresh_lesions, refresh_patients
from melanoma_core.records.doubts import find_doubts
from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Entry, Value, make_id
from melanoma_core.records.errors import (
    EditConflict,
    PseudonymError,
    RecordDamagedError,
    UnknownEntryError,
)
from melanoma_core.records.images import ImageStore
from melanoma_core.records.ledger import Action, LogEntry
from melanoma_core.records.loading import build_entry, select_current
from melanoma_core.records.loop import Recall
from melanoma_core.records.schema import ENTITY, IMAGE_USE, REFERENCES, TABLES, hash_row, to_row
from melanoma_core.records.surroundings import FieldError
from melanoma_core.records.validation import InvalidEntryError, check

_LARGEST = 2**31 - 1  # whole number in a column
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")  # a zero byte, and half of a character


@dataclasses.dataclass(frozen=True)
class _Step:
    action: Action
    entry: Entry[Any]
    before: Entry[Any] | None = None


class _Surrounding:
    """A record with what is about to be written into it."""

    def __init__(self, record: Holder, pending: Sequence[Entry[Any]]) -> None:
        self._record, self._pending = record, pending

    def get(self, kind: type[Value], entry_id: str) -> Entry[Value]:
        for entry in reversed(self._pending):
            if entry.id == entry_id and isinstance(entry.value, kind):
                pending: Entry[Value] = entry
                return pending
        return self._record.get(kind, entry_id)

    def find(self, kind: type[Value], **where: object) -> tuple[Entry[Value], ...]:
        pending = {entry.id: entry for entry in self._pending if isinstance(entry.value, kind)}
        kept = {entry.id: entry for entry in self._record.find(kind, **where)}
        return tuple(
            entry
            for entry in (kept | pending).values()
            if not entry.withdrawn
            and all(getattr(entry.value, name) == wanted for name, wanted in where.items())
        )


class Change:
    """What one person writes at once. It is written when the `with` statement of `write` ends.

    Args:
        by: Who writes.
        record: What a person's entries are checked against; None for those of a program.
        today: The day of the clinic.

    Attributes:
        by: Who writes.
        at: When, in UTC.
        doubts: What is improbable in the entries of a person, and new; see `doubts`.
    """

    def __init__(self, by: str, record: Holder | None = None, today: date | None = None) -> None:
        if not by.strip():
            raise RecordError("The record keeps who wrote what. Give a name.")
        _check_texts(by, "the name")
        check_signature(by)
        self.by = by
        self.at = datetime.now(UTC)
        self._steps: list[_Step] = []
        self.doubts: list[FieldError] = []
        self._record, self._today = record, today or self.at.date()

    def add(self, value: Value) -> Entry[Value]:
        """Add an entry, and return its first version.

        Raises:
            RecordError: A text or a number is one that no database can hold.
            InvalidEntryError: A person's entry holds what it may not.
        """
        value = self._check(value)
        entry = Entry(id=make_id(), version=1, by=self.by, at=self.at, value=value)
        return self._take(Action.ADDED, entry)

    def correct(self, entry: Entry[Value], value: Value) -> Entry[Value]:
        """Write a new version of an entry, and return it.

        Args:
            entry: The version that the person saw.
            value: What it should say. A withdrawn entry then stands again.

        Raises:
            RecordError: A text or a number is one that no database can hold.
            InvalidEntryError: A person's entry holds what it may not.
        """
        value = self._check(value, entry)
        after = Entry(id=entry.id, version=entry.version + 1, by=self.by, at=self.at, value=value)
        self._check_dependents(entry, after)
        return self._take(Action.CORRECTED, after, entry)

    def withdraw(self, entry: Entry[Value], reason: str) -> Entry[Value]:
        """Withdraw an entry that is an error, and return its last version.

        Args:
            entry: The version that the person saw.
            reason: Why it is an error.

        Raises:
            RecordError: There is no reason.
        """
        if not reason.strip():
            raise RecordError("An entry is withdrawn with a reason. Say what was wrong with it.")
        _check_texts(reason, "the reason")
        after = dataclasses.replace(
            entry, version=entry.version + 1, by=self.by, at=self.at, withdrawn=reason
        )
        return self._take(Action.WITHDRAWN, after, entry)

    @property
    def steps(self) -> Sequence[_Step]:
        """What is to be written, in order."""
        return self._steps

    def _check(self, value: Value, before: Entry[Value] | None = None) -> Value:
        """Return an entry, cleaned and checked if a person writes it; note what is improbable."""
        if self._record is None:
            return value
        pending = _Surrounding(self._record, self._list_pending())
        around = find_surroundings(pending, value, self._today, before.id if before else "")
        cleaned = check(value, around)
        self.doubts += [
            doubt
            for doubt in find_doubts(cleaned, around)
            if before is None or getattr(before.value, doubt.field) != getattr(cleaned, doubt.field)
        ]
        return cleaned

    def _check_dependents(self, before: Entry[Value], after: Entry[Value]) -> None:
        """Refuse a person's correction that entries standing on it would not fit."""
        if self._record is None:
            return
        pending: list[Entry[Any]] = self._list_pending()
        without = _Surrounding(self._record, pending)
        with_it = _Surrounding(self._record, [*pending, after])
        errors = tuple(find_broken(without, with_it, before, self._today))
        if errors:
            raise InvalidEntryError(errors)

    def _list_pending(self) -> list[Entry[Any]]:
        return [step.entry for step in self._steps]

    def _take(
        self, action: Action, entry: Entry[Value], before: Entry[Value] | None = None
    ) -> Entry[Value]:
        _check_texts(entry.value, type(entry.value).__name__)
        self._steps.append(_Step(action, entry, before))
        return entry


def write_change(connection: sa.Connection, change: Change, images: ImageStore) -> tuple[int, str]:
    """Write a change within a transaction that writes.

    Args:
        connection: The transaction.
        change: What is written, at least one step.
        images: The photographs, of which those must be there that are named.

    Returns:
        Number and hash of the last entry of the audit log.

    Raises:
        EditConflict: Another person came first.
        UnknownEntryError: An entry names one that is not in the record.
        PseudonymError: Another patient has the pseudonym.
        RecordDamagedError: A photograph that an entry names is not there.
    """
    _check_images(change.steps, images)
    rows = [to_row(step.entry) for step in change.steps]
    first, last_hash = ledger.append(
        connection,
        [_describe(step, row) for step, row in zip(change.steps, rows, strict=True)],
    )
    _write_entities(connection, change.steps, first)
    _write_rows(connection, change.steps, rows)
    _check_pseudonyms(connection, change.steps)
    lesions, patients = _find_touched(connection, change.steps)
    refresh_lesions(connection, lesions)
    refresh_patients(connection, patients)
    return first + len(rows) - 1, last_hash


def _describe(step: _Step, row: dict[str, Any]) -> LogEntry:
    entry = step.entry
    return LogEntry(
        at=entry.at,
        by=entry.by,
        action=step.action,
        kind=type(entry.value).__name__,
        entry_id=entry.id,
        version=entry.version,
        content=hash_row(row),
    )


def _write_entities(connection: sa.Connection, steps: Sequence[_Step], first: int) -> None:
    added = [
        {"id": step.entry.id, "kind": type(step.entry.value).__name__, "number": number}
        for number, step in enumerate(steps, first)
        if step.action is Action.ADDED
    ]
    if added:
        connection.execute(sa.insert(ENTITY), added)


def _write_rows(
    connection: sa.Connection, steps: Sequence[_Step], rows: Sequence[dict[str, Any]]
) -> None:
    added: dict[type, list[dict[str, Any]]] = {}
    for step, row in zip(steps, rows, strict=True):
        if step.action is Action.ADDED:
            added.setdefault(type(step.entry.value), []).append(row)
    try:
        for kind, several in added.items():
            connection.execute(sa.insert(TABLES[kind]), several)
        for step, row in zip(steps, rows, strict=True):
            if step.before is not None:
                _check_follows(connection, step)
                connection.execute(sa.insert(TABLES[type(step.entry.value)]), row)
        _write_image_uses(connection, steps)
    except sa.exc.IntegrityError as error:
        raise UnknownEntryError(
            "An entry names a patient, a lesion or another entry that is not in the record: it was "
            "erased, or never written. Nothing of this change was kept. Load the page again."
        ) from error


def _check_follows(connection: sa.Connection, step: _Step) -> None:
    """Check that a version follows on the last one. The primary key would refuse it too.

    Raises:
        EditConflict: Another one came first.
        UnknownEntryError: There is none that it could follow.
    """
    assert step.before is not None
    kind = type(step.entry.value)
    table = TABLES[kind]
    query = sa.select(table).where(table.c.id == step.entry.id)
    row = connection.execute(query.order_by(table.c.version.desc()).limit(1)).mappings().first()
    if row is None or row["version"] < step.before.version:
        raise UnknownEntryError(
            f"This version of the {kind.__name__.lower()} is not in the record: it was erased, or "
            "its change was not kept. Nothing was written. Load the page again."
        )
    if row["version"] > step.before.version:
        raise EditConflict(build_entry(kind, row), step.entry.value)


def _write_image_uses(connection: sa.Connection, steps: Sequence[_Step]) -> None:
    """Note which entries name which images, each once whatever its versions."""
    uses = {(sha256, step.entry.id) for step in steps for sha256 in list_images(step.entry.value)}
    corrected = {step.entry.id for step in steps if step.before is not None}
    query = sa.select(IMAGE_USE.c.sha256, IMAGE_USE.c.entity_id)
    for entry_id in corrected:
        known = connection.execute(query.where(IMAGE_USE.c.entity_id == entry_id))
        uses -= {(row.sha256, row.entity_id) for row in known}
    if uses:
        rows = [{"sha256": sha256, "entity_id": entry_id} for sha256, entry_id in sorted(uses)]
        connection.execute(sa.insert(IMAGE_USE), rows)


def list_images(value: Any) -> tuple[str, ...]:
    """Return the hashes of the images that an entry names: a photograph, or heatmaps."""
    if hasattr(value, "sha256"):
        return (value.sha256,)
    readings = getattr(value, "photographs", ())
    return tuple({each.heatmap_sha256: None for each in readings if each.heatmap_sha256})


def _check_images(steps: Sequence[_Step], images: ImageStore) -> None:
    for sha256 in {each for step in steps for each in list_images(step.entry.value)}:
        if images.find(sha256) is None:
            raise RecordDamagedError(
                f"The photograph {sha256} is not in {images.folder}, so that no entry may name it. "
                "Add the photograph again."
            )


def _check_pseudonyms(connection: sa.Connection, steps: Sequence[_Step]) -> None:
    """Refuse a second patient of a pseudonym; writers wait for each other, so this stays true."""
    pseudonyms = {
        step.entry.value.pseudonym
        for step in steps
        if isinstance(step.entry.value, Patient) and not step.entry.withdrawn
    }
    table = TABLES[Patient]
    for pseudonym in pseudonyms:
        found = connection.execute(select_current(Patient).where(table.c.pseudonym == pseudonym))
        if len(found.all()) > 1:
            raise PseudonymError(
                f'There is a patient "{pseudonym}" already. Open that one, or give another '
                "pseudonym. Nothing was written."
            )


def _find_touched(
    connection: sa.Connection, steps: Sequence[_Step]
) -> tuple[dict[str, None], dict[str, None]]:
    """Return the lesions and the patients whose tasks may be others now, in order."""
    lesions: dict[str, None] = {}
    patients: dict[str, None] = {}
    whole: dict[str, None] = {}  # patients all of whose lesions may have other tasks
    for step in steps:
        for value in [entry.value for entry in (step.before, step.entry) if entry is not None]:
            if isinstance(value, Lesion):
                lesions[step.entry.id] = None
            elif isinstance(value, Patient) and step.before is not None:
                whole[step.entry.id] = None
            elif isinstance(value, Visit) and step.before is not None:
                whole[value.patient_id] = None
            elif isinstance(value, Recall) and value.lesion_id is None:
                whole[value.patient_id] = None  # lesions wait for it where a follow-up is missing
            elif getattr(value, "lesion_id", None) is not None:
                lesions[value.lesion_id] = None
            elif "lesion_id" in REFERENCES.get(type(value), ()):
                patients[value.patient_id] = None
    table = TABLES[Lesion]
    if whole:
        query = sa.select(table.c.id).where(table.c.patient_id.in_(whole)).distinct()
        lesions |= dict.fromkeys(connection.execute(query).scalars())
    return lesions, patients | whole


def _check_texts(value: object, name: str) -> None:
    """Refuse what no database, page or file can hold.

    Raises:
        RecordError: A text has a zero byte or half a character, or a number is not finite or too
            large.
    """
    if isinstance(value, str):
        if _IMPOSSIBLE.search(value):
            raise RecordError(
                f'The field "{name}" holds a character that no text can have. Type it again.'
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise RecordError(f'The field "{name}" holds no number. Leave it empty, or give one.')
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise RecordError(f'The field "{name}" holds {value}, which is too large. Correct it.')
    elif isinstance(value, tuple):
        for each in value:
            _check_texts(each, name)
    elif dataclasses.is_dataclass(value):
        for part, each in vars(value).items():
            _check_texts(each, part)
