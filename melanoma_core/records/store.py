"""The clinic's record: open it, write to it, ask it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Patient
from melanoma_core.records.entry import Entry, Value
from melanoma_core.records.images import ImageStore
from melanoma_core.records.ledger import LogEntry
from melanoma_core.records.verification import Verification
from melanoma_core.records.worklist import TaskPage, TaskQuery


@dataclass(frozen=True)
class Place:
    """Where a record is.

    Attributes:
        folder: Folder of the photographs, and of the SQLite database unless there is a `url`.
        url: Address of a PostgreSQL database, such as "postgresql://ada@server/clinic"; "" for
            SQLite in the folder.
    """

    folder: Path
    url: str = field(default="", repr=False)  # may hold a password


class Change:
    """What one person writes at once."""

    by: str
    at: datetime

    def add(self, value: Value) -> Entry[Value]:
        """Add an entry, and return its first version."""
        raise NotImplementedError

    def correct(self, entry: Entry[Value], value: Value) -> Entry[Value]:
        """Write a new version of an entry, and return it."""
        raise NotImplementedError

    def withdraw(self, entry: Entry[Value], reason: str) -> Entry[Value]:
        """Withdraw an entry that is an error, and return its last version."""
        raise NotImplementedError


class Record:
    """A record that is open. Threads and processes may use it at once."""

    place: Place
    is_read_only: bool
    images: ImageStore

    @classmethod
    def create(cls, place: Path | Place, by: str) -> "Record":
        """Create a record in a new or empty folder, and open it."""
        raise NotImplementedError

    @classmethod
    def open(cls, place: Path | Place) -> "Record":
        """Open a record."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections to the database."""

    @contextmanager
    def write(self, by: str) -> Generator[Change, None, None]:
        """Write in a `with` statement: all of it, or nothing if it raises.

        What `Change` returns is written when the statement ends. Then all of it is on the disk.

        Raises:
            EditConflict: Another person came first. Nothing was written.
        """
        raise NotImplementedError
        yield

    def get(self, kind: type[Value], entry_id: str) -> Entry[Value]:
        """Return the current version of an entry, withdrawn or not."""
        raise NotImplementedError

    def versions(self, kind: type[Value], entry_id: str) -> tuple[Entry[Value], ...]:
        """Return all versions of an entry, the first one first."""
        raise NotImplementedError

    def find(self, kind: type[Value], **where: object) -> tuple[Entry[Value], ...]:
        """Return the current entries with these values of fields, none withdrawn, in order of time."""
        raise NotImplementedError

    def find_patient(self, pseudonym: str) -> Entry[Patient] | None:
        """Return the patient with this pseudonym."""
        raise NotImplementedError

    def search_patients(self, text: str, limit: int = 20) -> tuple[Entry[Patient], ...]:
        """Return patients whose pseudonym holds a text, by pseudonym."""
        raise NotImplementedError

    def load_case(self, lesion_id: str) -> LesionCase:
        """Return everything of one lesion."""
        raise NotImplementedError

    def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return what is due, the most severe first, then the oldest."""
        raise NotImplementedError

    def log_seen(self, *, by: str, kind: type, entry_id: str) -> None:
        """Write into the audit log that a person has seen an entry."""

    def log_export(self, *, by: str, kind: type | None, entry_id: str, detail: str) -> None:
        """Write into the audit log that a person has taken data out of the record."""

    def list_log(
        self, *, entry_id: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[LogEntry, ...]:
        """Return entries of the audit log, the newest first."""
        raise NotImplementedError

    def verify(self, *, read_images: bool = True) -> Verification:
        """Check the audit log, the entries and the photographs."""
        raise NotImplementedError
