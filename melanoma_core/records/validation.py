"""What may be kept in each field of a record. All rules are here."""

from dataclasses import dataclass, field
from datetime import date

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Value
from melanoma_core.records.loop import AiReading, Histology, Specimen


@dataclass(frozen=True)
class FieldError:
    """What is wrong with a field: its name, and a sentence that says what is needed."""

    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an entry is checked against; a rule whose other side is None is not applied.

    Attributes:
        today: The day of the clinic.
        patient: The patient whom it belongs to.
        lesion: The lesion that it belongs to.
        visit: The visit that it belongs to.
        specimen: The specimen that a histology reports on.
        histology: The histology that an information is about.
        ai_reading: The AI reading that a decision names.
    """

    today: date = field(default_factory=date.today)
    patient: Patient | None = None
    lesion: Lesion | None = None
    visit: Visit | None = None
    specimen: Specimen | None = None
    histology: Histology | None = None
    ai_reading: AiReading | None = None


def clean(value: Value) -> Value:
    """Return an entry with tidy texts: no control characters, no white space around."""
    raise NotImplementedError


def find_errors(value: Value, around: Surroundings) -> tuple[FieldError, ...]:
    """Return what is wrong with a clean entry, in the order of its fields; empty if nothing is."""
    raise NotImplementedError


def check(value: Value, around: Surroundings) -> Value:
    """Return an entry, cleaned.

    Raises:
        InvalidEntryError: A field holds what it may not; `errors` lists all of them.
    """
    raise NotImplementedError


def find_sites(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return the anatomic sites whose names hold all words of a text, the shortest first."""
    raise NotImplementedError
