"""Add the photographs of a visit to a record; the visit too, if it is a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from melanoma_core.errors import RecordError
from melanoma_core.records.entities import Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.store import Record
from melanoma_core.records.writing import Change


@dataclass(frozen=True)
class NewPhotograph:
    """A file to be added.

    Attributes:
        data: Its content.
        fields: Fields of `Photograph` by name: what it shows, with what it was taken, its scale.
    """

    data: bytes
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewVisit:
    """A visit that photographs belong to.

    Attributes:
        patient_id: Id of the patient.
        on: Its day. A visit of the patient on this day is used, if there is one.
        reason: Why; not written where there is a visit already.
    """

    patient_id: str
    on: date
    reason: str = ""


def add_photographs(
    record: Record,
    change: Change,
    visit: NewVisit,
    lesion_id: str | None,
    photographs: Sequence[NewPhotograph],
) -> tuple[Entry[Photograph], ...]:
    """Add photographs, without their EXIF, to a visit.

    The files are kept first. Where the change is refused they are no part of the record.

    Args:
        record: The record.
        change: What is being written.
        visit: The visit.
        lesion_id: Id of the lesion; None for an overview of several.
        photographs: At least one.

    Raises:
        ImageError: A file is no photograph that can be read.
        RecordError: There is no file, or an entry holds what it may not.
        FolderError: A file cannot be kept, as on a full disk.
    """
    if not photographs:
        raise RecordError("No photograph is chosen. Choose at least one file.")
    kept = [record.images.put(each.data) for each in photographs]
    known = record.find(Visit, patient_id=visit.patient_id, on=visit.on)
    entry = (
        known[0]
        if known
        else change.add(Visit(patient_id=visit.patient_id, on=visit.on, reason=visit.reason))
    )
    return tuple(
        change.add(
            Photograph(
                patient_id=visit.patient_id,
                lesion_id=lesion_id,
                visit_id=entry.id,
                sha256=image.sha256,
                media_type=image.media_type,
                width=image.width,
                height=image.height,
                **each.fields,
            )
        )
        for each, image in zip(photographs, kept, strict=True)
    )
