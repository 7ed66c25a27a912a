"""Check that a record is what was written: its audit log, its entries, its photographs."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    MISSING = "missing"
    MISPLACED = "not in its place"
    TRUNCATED = "missing at the end"
    UNLOGGED = "not in the audit log"
    UNPROTECTED = "not protected from changes"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: What is wrong.
        subject: What it is about, such as "entry 12 of the audit log".
        text: A sentence.
    """

    kind: FaultKind
    subject: str
    text: str


@dataclass(frozen=True)
class Verification:
    """The result of a check.

    Attributes:
        faults: What is wrong; empty if nothing is.
        num_log_entries: Entries of the audit log.
        num_versions: Versions of entries.
        num_images: Photographs.
        head: Hash of the last entry of the audit log, to be kept elsewhere.
    """

    faults: tuple[Fault, ...]
    num_log_entries: int
    num_versions: int
    num_images: int
    head: str
