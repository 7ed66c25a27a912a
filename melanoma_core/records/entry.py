"""One version of an entry of the record: what it says, who wrote it, and when."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
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


def make_id() -> str:
    """Return a new id: 32 hexadecimal digits, random."""
    return uuid.uuid4().hex


Value = TypeVar(
    "Value",
    Patient,
    Lesion,
    Visit,
    Photograph,
    Outline,
    FirstRead,
    AiReading,
    Decision,
    Specimen,
    Histology,
    Acknowledgement,
    Information,
    Recall,
)


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[Value]):
    """One version of an entry of the record.

    Attributes:
        id: The same in every version.
        version: 1, then one more for each correction.
        by: Who wrote this version.
        at: When it was written, in UTC.
        value: What it says.
        withdrawn: Why it was withdrawn as an error; "" if it stands.
    """

    id: str
    version: int
    by: str
    at: datetime
    value: Value
    withdrawn: str = ""
