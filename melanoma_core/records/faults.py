"""What a check of a record finds wrong."""

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
