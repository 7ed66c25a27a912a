"""The audit log: who added, corrected, saw, exported or erased what.

Each entry holds the hash of the entry before. So none can be altered, removed or moved without all
that follow being written again. The newest number and hash are also kept in a file beside the
database, so that entries missing at the end are found.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from filelock import FileLock

from melanoma_core.errors import FolderError
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, from_jsonable, load_json
from melanoma_core.records.schema import LOG, dump_canonical

NO_HASH = "0" * 64
"""What stands for the hash before the first entry."""

_LOCK_SECONDS = 10.0
_IN_TURN = threading.Lock()


class Action(StrEnum):
    """What was done."""

    CREATED = "record created"
    ADDED = "added"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    SEEN = "seen"
    EXPORTED = "exported"
    ERASED = "erased"
    UPGRADED = "record upgraded"


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One entry of the audit log.

    Attributes:
        number: Its place in the log, from 1.
        at: When, in UTC.
        by: Who.
        action: What was done.
        kind: Kind of the entry that it was done to, such as "Patient"; "" if to none.
        entry_id: Id of that entry; "" if none.
        version: Version that was written; 0 if none was.
        content: Salted SHA-256 (hex) of what was written; "" if nothing was.
        detail: Further words, which name no patient.
        previous: Hash of the entry before; 64 zeros for the first.
        hash: SHA-256 (hex) of all the above except the number.
    """

    number: int = 0
    at: datetime
    by: str
    action: Action
    kind: str = ""
    entry_id: str = ""
    version: int = 0
    content: str = ""
    detail: str = ""
    previous: str = NO_HASH
    hash: str = ""


@dataclass(frozen=True)
class Head:
    """The end of the audit log.

    Attributes:
        record_id: Id of the record.
        number: Number of its last entry.
        hash: Hash of its last entry.
    """

    record_id: str
    number: int
    hash: str


def hash_entry(entry: dict[str, Any]) -> str:
    """Return the hash of an entry: that of all its fields but its number and its hash.

    The number is left out, since the chain gives the order: an entry that was moved is still whole,
    and is named as moved.
    """
    fields = {name: each for name, each in entry.items() if name not in {"number", "hash"}}
    return hashlib.sha256(dump_canonical(fields).encode()).hexdigest()


def append(connection: sa.Connection, entries: Sequence[LogEntry]) -> tuple[int, str]:
    """Add entries to the end of the log, within a transaction that writes.

    Args:
        connection: The transaction.
        entries: What was done, in order; their numbers and hashes are made here.

    Returns:
        Number of the first of them, and the hash of the last.
    """
    last, previous = read_end(connection)
    rows = []
    for number, entry in enumerate(entries, last + 1):
        row = vars(entry) | {
            "number": number,
            "action": str(entry.action),
            "previous": previous,
        }
        previous = row["hash"] = hash_entry(row)
        rows.append(row)
    connection.execute(sa.insert(LOG), rows)
    return last + 1, previous


def read_end(connection: sa.Connection) -> tuple[int, str]:
    """Return the number and the hash of the last entry; 0 and zeros if there is none."""
    last = connection.execute(
        sa.select(LOG.c.number, LOG.c.hash).order_by(LOG.c.number.desc()).limit(1)
    ).first()
    return (0, NO_HASH) if last is None else (last.number, last.hash)


def read_record_id(connection: sa.Connection) -> str:
    """Return the id of the record, which the first entry of its log names."""
    found = connection.execute(sa.select(LOG.c.entry_id).where(LOG.c.number == 1)).scalar()
    return str(found or "")


def to_log_entry(row: Any) -> LogEntry:
    """Return an entry of the log from its row."""
    fields = dict(row._mapping)
    return LogEntry(**(fields | {"action": Action(fields["action"])}))


def write_head(path: Path, head: Head) -> None:
    """Keep the end of the log beside the database, if it is newer than what is kept.

    The database is committed first. Where the file cannot be written, or the process is killed in
    between, the file is behind, which is no fault: the next change writes it again.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS)
    # Threads wait for each other without it: it is asked for again only 20 times a second.
    with _IN_TURN, suppress(FolderError, OSError), lock:  # Timeout of a lock is an OSError
        kept = read_head(path)
        if kept is None or kept.record_id != head.record_id or kept.number < head.number:
            content = dump_json(head).encode()
            write_file(path, lambda file: write_through(file, content), "")


def read_head(path: Path) -> Head | None:
    """Return what is kept of the end of the log; None if there is nothing that can be read."""
    try:
        return from_jsonable(Head, load_json(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_through(file: IO[bytes], content: bytes) -> None:
    """Write to a file, and wait until it is on the disk."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
