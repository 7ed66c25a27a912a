"""What an entry is checked against, and what is found wrong with it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from melanoma_core.records.dates import write_day
from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading, Histology, Specimen

FIRST_YEAR = 1900
"""Year before which no day of a record lies."""


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
        decided_at: The visit of the decision that a specimen names.
        labels: Names of the patient's other lesions, if it is a lesion.
        twin: The entry that says the same of the same thing, if it is a decision or a specimen:
            perhaps another person's, who was faster.
    """

    today: date = field(default_factory=date.today)
    patient: Patient | None = None
    lesion: Lesion | None = None
    visit: Visit | None = None
    specimen: Specimen | None = None
    histology: Histology | None = None
    ai_reading: AiReading | None = None
    decided_at: Visit | None = None
    labels: frozenset[str] = frozenset()
    twin: Entry[Any] | None = None

    def check_past(self, name: str, day: date | None) -> FieldError | None:
        """Return what is wrong with a day that has passed; None if nothing is."""
        if day is None:
            return None
        if day.year < FIRST_YEAR:
            return FieldError(
                name, f"Found {write_day(day)}; needed is a day from {FIRST_YEAR} on."
            )
        if day > self.today:
            return FieldError(
                name, f"{write_day(day)} lies in the future: today is {write_day(self.today)}."
            )
        if self.patient and self.patient.birth_year and day.year < self.patient.birth_year:
            born = self.patient.birth_year
            return FieldError(
                name, f"{write_day(day)} is before the patient's year of birth, {born}."
            )
        return None
