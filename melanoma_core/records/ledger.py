"""The audit log: who added, corrected, saw, exported or erased what, each entry hashed with the last."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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

    number: int
    at: datetime
    by: str
    action: Action
    kind: str = ""
    entry_id: str = ""
    version: int = 0
    content: str = ""
    detail: str = ""
    previous: str = "0" * 64
    hash: str = ""
