"""Everything that a record holds of one lesion."""

from dataclasses import dataclass
from typing import Any

from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
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


@dataclass(frozen=True, kw_only=True)
class LesionCase:
    """One lesion with all its entries: each in its current version, none that was withdrawn.

    Attributes:
        patient: The patient.
        lesion: The lesion.
        visits: All visits of the patient, by day and then by time of writing.
        photographs: Photographs of the lesion. These and all that follow are in order of time.
        outlines: Outlines of the lesion in its photographs.
        first_reads: First reads.
        ai_readings: AI readings.
        decisions: Decisions.
        specimens: Specimens.
        histologies: Histology reports.
        acknowledgements: That a reader has seen a report.
        informations: That the patient was informed of a result.
        recalls: Recalls of this lesion, whatever their status.
        skin_recalls: The same of the patient's whole skin, which name no lesion.
    """

    patient: Entry[Patient]
    lesion: Entry[Lesion]
    visits: tuple[Entry[Visit], ...] = ()
    photographs: tuple[Entry[Photograph], ...] = ()
    outlines: tuple[Entry[Outline], ...] = ()
    first_reads: tuple[Entry[FirstRead], ...] = ()
    ai_readings: tuple[Entry[AiReading], ...] = ()
    decisions: tuple[Entry[Decision], ...] = ()
    specimens: tuple[Entry[Specimen], ...] = ()
    histologies: tuple[Entry[Histology], ...] = ()
    acknowledgements: tuple[Entry[Acknowledgement], ...] = ()
    informations: tuple[Entry[Information], ...] = ()
    recalls: tuple[Entry[Recall], ...] = ()
    skin_recalls: tuple[Entry[Recall], ...] = ()

    def list_entries(self) -> tuple[Entry[Any], ...]:
        """Return all entries of the lesion and the visits of its patient, in no order of time."""
        return (
            *self.visits,
            *self.photographs,
            *self.outlines,
            *self.first_reads,
            *self.ai_readings,
            *self.decisions,
            *self.specimens,
            *self.histologies,
            *self.acknowledgements,
            *self.informations,
            *self.recalls,
        )
