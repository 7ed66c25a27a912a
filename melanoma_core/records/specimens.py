"""Add a specimen to a record, with the photograph of the site that it was taken from."""

from dataclasses import replace

from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs
from melanoma_core.records.entities import Lesion
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ImageKind
from melanoma_core.records.writing import Change


def add_specimen(
    record: Record, change: Change, specimen: Specimen, site: bytes | None = None
) -> Entry[Specimen]:
    """Add a specimen; the photograph of its site belongs to the visit of that day.

    Args:
        record: The record.
        change: What is being written.
        specimen: The specimen.
        site: Content of a photograph of the site; None without one.

    Raises:
        ImageError: The file is no photograph that can be read.
        RecordError: An entry holds what it may not.
    """
    if site is None:
        return change.add(specimen)
    lesion = record.get(Lesion, specimen.lesion_id)
    fields = {
        "kind": ImageKind.CLOSE_UP,
        "taken_on": specimen.taken_on,
        "shows_specimen_site": True,
    }
    visit = NewVisit(lesion.value.patient_id, specimen.taken_on)
    new = [NewPhotograph(site, fields)]
    (photograph,) = add_photographs(record, change, visit, lesion.id, new)
    return change.add(replace(specimen, photograph_id=photograph.id))
