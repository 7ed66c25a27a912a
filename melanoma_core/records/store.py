"""The clinic's record: open it, write to it, ask it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.errors import FolderError
from melanoma_core.progress import Progress
from melanoma_core.records import deriving, ledger, patient_list, worklist
from melanoma_core.records.case import LesionCase
from melanoma_core.records.database import Database
from melanoma_core.records.entities import Patient
from melanoma_core.records.entry import Entry, Value, make_id
from melanoma_core.records.erasing import Erasure, finish_removals, write_erasure
from melanoma_core.records.errors import (
    NoRecordError,
    RecordDamagedError,
    RecordReadOnlyError,
    UnknownEntryError,
)
from melanoma_core.records.history import Event, load_history, load_patient_history
from melanoma_core.records.images import ImageStore
from melanoma_core.records.ledger import Action, Head, LogEntry
from melanoma_core.records.loading import load_cases, read_entries, select_current, select_where
from melanoma_core.records.log_reader import LogReader
from melanoma_core.records.opening import (
    check_version,
    create_database,
    make_place,
    open_database,
    upgrade_database,
)
from melanoma_core.records.patient_list import PatientQuery, PatientRow
from melanoma_core.records.place import Place, find_place
from melanoma_core.records.schema import KINDS, REMOVAL, TABLES
from melanoma_core.records.verification import (
    ImageCheck,
    Known,
    Verification,
    report_damage,
    verify,
)
from melanoma_core.records.vocabulary import Task
from melanoma_core.records.worklist import TaskCount, TaskPage, TaskQuery
from melanoma_core.records.writing import Change, write_change

__all__ = ["Change", "Place", "Record", "find_place"]


class Record(LogReader):
    """A record that is open. Threads and processes may use it at once.

    Args:
        database: Its database.

    Attributes:
        place: Where it is.
        record_id: Its id.
        is_read_only: Whether it cannot be written here.
        images: Its photographs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self.is_read_only = database.is_read_only
        self.images = ImageStore(self.place.images_folder, is_read_only=self.is_read_only)
        check_version(database)
        with database.read() as connection:
            self.record_id = ledger.read_record_id(connection)
        head = ledger.read_head(self.place.head_file)
        if head is not None and head.record_id != self.record_id:
            raise NoRecordError(
                f"The folder {self.place.folder} belongs to another record than its database. "
                "Check MELANOMA_RECORD and MELANOMA_RECORD_URL."
            )

    @classmethod
    def create(cls, place: Path | Place, by: str) -> "Record":
        """Create a record in a new or empty folder, and open it.

        Args:
            place: The folder, or the folder and the address of an empty PostgreSQL database.
            by: Who creates it.

        Raises:
            FolderError: The folder cannot be made, or has other files in it.
            RecordError: There is a record already, or its database cannot be made.
        """
        require(Right.MANAGE_RECORD)
        entry = _begin(by, Action.CREATED, entry_id=make_id())
        database = create_database(make_place(place), entry)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    @classmethod
    def open(cls, place: Path | Place) -> "Record":
        """Open a record.

        Raises:
            NoRecordError: There is none.
            RecordVersionError: It was written by another version of this software.
            RecordError: It cannot be read.
        """
        database = open_database(make_place(place))
        try:
            record = cls(database)
            with suppress(FolderError):  # `verify` names what could not be removed
                record.finish_removals()
        except BaseException:
            database.close()
            raise
        return record

    @classmethod
    def upgrade(cls, place: Path | Place, by: str) -> tuple[str, ...]:
        """Bring a record's tables to this version of the software; all of it, or nothing.

        Returns:
            The versions of the tables that were gone through; empty if they were the newest.

        Raises:
            RecordError: There is no record, it is of a newer version, or it cannot be written.
        """
        require(Right.MANAGE_RECORD)
        return upgrade_database(make_place(place), _begin(by, Action.UPGRADED))

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    @contextmanager
    def write(self, by: str, today: date | None = None) -> Generator[Change, None, None]:
        """Write in a `with` statement: all of it, or nothing if it raises.

        What `Change` returns is written when the statement ends. Then all of it is on the disk.

        Args:
            by: Who writes.
            today: The day of the clinic, on which a person has typed the entries: each is then
                cleaned and checked (`validation.check`). None for the entries of a program.

        Raises:
            EditConflict: Another person came first. Nothing was written.
            RecordError: It cannot be written. Nothing was written.
        """
        require(Right.WRITE_RECORD)
        change = Change(by, self if today is not None else None, today)
        yield change
        if change.steps:
            with self._database.write() as connection:
                number, last_hash = write_change(connection, change, self.images)
            self._keep_head(number, last_hash)

    @contextmanager
    def erasing(self, patient_id: str, by: str) -> Generator[Erasure, None, None]:
        """Erase in a `with` statement: all of it, or nothing if it raises; see `erasing`.

        Args:
            patient_id: Id of the patient.
            by: Who erases.

        Raises:
            UnknownEntryError: An entry is not there, or one that stays names it.
            FolderError: All is erased but the file of a photograph, which the next start removes.
        """
        require(Right.ERASE)
        erasure = Erasure(patient_id, by)
        yield erasure
        if not erasure.entries:
            return
        try:
            with self._database.write() as connection:
                number, last_hash = write_erasure(connection, erasure)
        except sa.exc.IntegrityError as error:
            raise UnknownEntryError(
                "An entry that stays names one that was to be erased. Nothing was erased. Erase "
                "both."
            ) from error
        self._keep_head(number, last_hash)
        self.finish_removals()
        self._database.shrink()

    def finish_removals(self) -> None:
        """Remove the files of erased photographs that a killed process has left.

        Raises:
            FolderError: A file cannot be removed.
        """
        if self.is_read_only:
            return
        with self._database.read() as connection:
            is_open = connection.execute(sa.select(REMOVAL)).first() is not None
        if is_open:
            with self._database.write() as connection:
                finish_removals(connection, self.images)

    def get(self, kind: type[Value], entry_id: str) -> Entry[Value]:
        """Return the current version of an entry, withdrawn or not.

        Raises:
            UnknownEntryError: There is no such entry.
        """
        return self.versions(kind, entry_id)[-1]

    def versions(self, kind: type[Value], entry_id: str) -> tuple[Entry[Value], ...]:
        """Return all versions of an entry, the first one first.

        Raises:
            UnknownEntryError: There is no such entry.
        """
        table = TABLES[kind]
        query = sa.select(table).where(table.c.id == entry_id).order_by(table.c.version)
        found = self._read(kind, query)
        if not found:
            raise _make_unknown(kind)
        return found

    def find(self, kind: type[Value], **where: object) -> tuple[Entry[Value], ...]:
        """Return current entries, none withdrawn, in the order in which they were added.

        Args:
            kind: Kind of the entries.
            where: Values of fields, by name; of several in a tuple or set, any. Also `id`.
        """
        return self._read(kind, select_where(kind, where))

    def find_patient(self, pseudonym: str) -> Entry[Patient] | None:
        """Return the patient with this pseudonym."""
        found = self.find(Patient, pseudonym=pseudonym)
        return found[0] if found else None

    def search_patients(self, text: str, limit: int = 20) -> tuple[Entry[Patient], ...]:
        """Return patients whose pseudonym holds a text, in any case, by pseudonym."""
        pseudonym = TABLES[Patient].c.pseudonym
        is_found = sa.func.lower(pseudonym).contains(text.lower(), autoescape=True)
        query = select_current(Patient).where(is_found)
        return self._read(Patient, query.order_by(None).order_by(pseudonym).limit(limit))

    def list_patients(self, query: PatientQuery) -> tuple[PatientRow, ...]:
        """Return patients by pseudonym, each with what waits."""
        with self._database.read() as connection:
            return patient_list.list_patients(connection, query)

    def count_patients(self, text: str) -> int:
        """Return how many patients have a pseudonym that holds a text."""
        with self._database.read() as connection:
            return patient_list.count_patients(connection, text)

    def load_case(self, lesion_id: str) -> LesionCase:
        """Return everything of one lesion.

        Raises:
            UnknownEntryError: There is no such lesion, or it was withdrawn.
        """
        cases = self.load_cases([lesion_id])
        if not cases:
            raise UnknownEntryError(
                "The lesion is not in the record: it was withdrawn or erased, or the address is "
                "wrong. Choose it from the list of its patient."
            )
        return cases[0]

    def load_cases(self, lesion_ids: Sequence[str]) -> list[LesionCase]:
        """Return everything of several lesions, at most some thousand at once."""
        with self._database.read() as connection:
            return load_cases(connection, lesion_ids)

    def load_history(self, lesion_id: str) -> tuple[Event, ...]:
        """Return all entries of a lesion with all versions, also those withdrawn, newest first."""
        with self._database.read() as connection:
            return load_history(connection, lesion_id)

    def load_patient_history(self, patient_id: str) -> tuple[Event, ...]:
        """Return a patient and all that belongs to the patient with all versions, newest first."""
        with self._database.read() as connection:
            return load_patient_history(connection, patient_id)

    def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return what is due, the most severe first, then what has been due longest."""
        with self._database.read() as connection:
            return worklist.list_tasks(connection, query)

    def count_tasks(self, query: TaskQuery) -> dict[Task, TaskCount]:
        """Return how many tasks of each kind are due and overdue; see `worklist.count_tasks`."""
        with self._database.read() as connection:
            return worklist.count_tasks(connection, query)

    def rebuild(self) -> int:
        """Derive the tasks of all lesions again, and return how many there are."""
        require(Right.MANAGE_RECORD)
        with self._database.write() as connection:
            return deriving.rebuild(connection)

    def log_seen(self, *, by: str, kind: type | None, entry_id: str = "", detail: str = "") -> None:
        """Write into the audit log that a person has seen an entry; not where it is read-only.

        Args:
            by: Who.
            kind: Kind of the entry; None for what is made of many, such as the audit.
            entry_id: Id of that entry.
            detail: What it was, without a name of a patient.
        """
        with suppress(RecordReadOnlyError):
            self._log(Action.SEEN, by, _name(kind), entry_id, detail)

    def log_export(self, *, by: str, kind: type | None, entry_id: str = "", detail: str) -> None:
        """Write into the audit log that a person has taken data out of the record.

        Args:
            by: Who.
            kind: Kind of the entry that was taken out with all of its own; None for the whole.
            entry_id: Id of that entry.
            detail: What it was, without a name of a patient.

        Raises:
            RecordReadOnlyError: It cannot be written, so that nothing may be taken out.
        """
        require(Right.EXPORT)
        self._log(Action.EXPORTED, by, _name(kind), entry_id, detail)

    def count(self) -> dict[str, int]:
        """Return the number of current entries of each kind, without those withdrawn."""
        with self._database.read() as connection:
            return {
                name: connection.execute(
                    sa.select(sa.func.count()).select_from(select_current(kind).subquery())
                ).scalar_one()
                for name, kind in KINDS.items()
            }

    def verify(
        self,
        known: Known | None = None,
        *,
        read_images: bool = True,
        progress: Progress | None = None,
    ) -> Verification:
        """Check the audit log, the entries and the photographs; see `verification`.

        Args:
            known: The end of the log at an earlier check; None if none was kept.
            read_images: Whether to read each photograph, or only to look whether it is there.
            progress: Progress callback, in photographs. An exception that it raises stops the work.
        """
        images = ImageCheck(images=self.images, read=read_images, progress=progress)
        try:
            with self._database.read() as connection:
                return verify(connection, self.place, images, known)
        except RecordDamagedError as error:
            return report_damage(error)

    def _read(self, kind: type[Value], query: sa.Select[Any]) -> tuple[Entry[Value], ...]:
        with self._database.read() as connection:
            return read_entries(connection, kind, query)

    def _log(self, action: Action, by: str, kind: str, entry_id: str, detail: str = "") -> None:
        entry = _begin(by, action, kind=kind, entry_id=entry_id, detail=detail)
        with self._database.write() as connection:
            number, last_hash = ledger.append(connection, [entry])
        self._keep_head(number, last_hash)

    def _keep_head(self, number: int, last_hash: str) -> None:
        ledger.write_head(self.place.head_file, Head(self.record_id, number, last_hash))


def _begin(by: str, action: Action, **fields: str) -> LogEntry:
    change = Change(by)  # which refuses to be without a name
    return LogEntry(at=change.at, by=change.by, action=action, **fields)  # type: ignore[arg-type]


def _name(kind: type | None) -> str:
    return kind.__name__ if kind is not None else ""


def _make_unknown(kind: type) -> UnknownEntryError:
    return UnknownEntryError(
        f"The {kind.__name__.lower()} is not in the record: it was erased, or the address is "
        "wrong. Choose it from its list."
    )
