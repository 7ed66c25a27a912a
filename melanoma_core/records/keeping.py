"""Keep in a record what was read outside of it: photographs, with their AI reading as it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.card import ModelCard
from melanoma_core.reading.reading import Reading
from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs
from melanoma_core.records.ai_readings import ReadingRequest, keep_readings
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import ForeignDrawingError
from melanoma_core.records.outlines import trace_reading
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import OutlineSource
from melanoma_core.records.writing import Change


@dataclass(frozen=True, kw_only=True)
class ReadLesion:
    """A lesion that was read, with what was read.

    Attributes:
        card: Of the model that read all its photographs.
        photographs: Each file as it is to be kept, and what it shows.
        readings: The reading of each.
        app_version: Version of this software, `melanoma_core.__version__`.
        prevalence: Prevalence in force; None if none is set.
    """

    card: ModelCard
    photographs: Sequence[NewPhotograph]
    readings: Sequence[Reading]
    app_version: str
    prevalence: Prevalence | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether a program has drawn any of it."""
        return any(reading.is_drawn for reading in self.readings)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a lesion is kept.

    Attributes:
        patient: The patient, or a new one.
        lesion: The patient's lesion, or a new one, which gets the patient's id.
        on: Day of the visit. A visit of the patient on this day is used, if there is one.
        reason: Of a new visit.
    """

    patient: Entry[Patient] | Patient
    lesion: Entry[Lesion] | Lesion
    on: date
    reason: str = field(default="")


def keep_lesion(
    record: Record, change: Change, read: ReadLesion, destination: Destination
) -> Entry[Lesion]:
    """Keep photographs, AI reading and the network's outlines of a lesion; return the lesion.

    Args:
        record: The record.
        change: What is being written.
        read: The lesion.
        destination: Where it is kept.

    Raises:
        ForeignDrawingError: A drawn lesion is no patient's, and an invented patient has no other.
        ImageError: A file is no photograph that can be read.
        RecordError: An entry holds what it may not.
        FolderError: A file cannot be kept, as on a full disk.
    """
    patient = _find(change, destination.patient)
    check_drawn(is_invented=is_drawn(patient.value), is_drawn=read.is_drawn)
    lesion = destination.lesion
    if isinstance(lesion, Lesion):
        lesion = change.add(replace(lesion, patient_id=patient.id))
    visit = NewVisit(patient.id, destination.on, destination.reason)
    photographs = add_photographs(record, change, visit, lesion.id, read.photographs)
    named = dict(zip((each.id for each in photographs), read.readings, strict=True))
    request = ReadingRequest(
        lesion_id=lesion.id,
        visit_id=photographs[0].value.visit_id,
        photographs={each.id: record.images.read(each.value.sha256) for each in photographs},
        app_version=read.app_version,
        prevalence=read.prevalence,
        is_drawn=read.is_drawn,
    )
    change.add(keep_readings(read.card, request, named, lambda png: record.images.put(png).sha256))
    for photograph in photographs:
        _keep_outline(change, photograph, named[photograph.id])
    return lesion


def _find(change: Change, patient: Entry[Patient] | Patient) -> Entry[Patient]:
    return change.add(patient) if isinstance(patient, Patient) else patient


def check_drawn(*, is_invented: bool, is_drawn: bool) -> None:
    """Check that drawn lesions are those of invented patients, and no others are.

    Args:
        is_invented: Whether the patient, or every patient of the record, is invented.
        is_drawn: Whether a program has drawn the lesion.

    Raises:
        ForeignDrawingError: It is otherwise.
    """
    if is_drawn and not is_invented:
        raise ForeignDrawingError(
            "A program has drawn this lesion, so that it is no patient's. It can be kept in the "
            "demonstration record, for an invented patient."
        )
    if is_invented and not is_drawn:
        raise ForeignDrawingError(
            "The demonstration record holds invented patients with drawn lesions alone. Close it, "
            "and open a record of your own to keep photographs."
        )


def _keep_outline(change: Change, photograph: Entry[Photograph], reading: Reading) -> None:
    """Keep the outline that the network has drawn, if it is plausible."""
    points = trace_reading(reading)
    if points:
        change.add(
            Outline(
                photograph_id=photograph.id,
                lesion_id=photograph.value.lesion_id or "",
                points=points,
                source=OutlineSource.NETWORK,
                model_id=reading.model_id,
            )
        )
