"""What is improbable in an entry although it is possible: a person confirms it before it is kept.

Most of it is a decimal point or a digit in the wrong place. Where a limit is no published one, it
says so.
"""

from collections.abc import Callable, Iterator
from typing import Any

from melanoma_core.records.dates import write_day
from melanoma_core.records.entities import Patient, Photograph, Visit
from melanoma_core.records.loop import Decision, Histology, Recall, Specimen
from melanoma_core.records.surroundings import FieldError, Surroundings
from melanoma_core.records.vocabulary import ImageKind

THICKEST_MM = 20.0
"""Breslow thickness. T4, the thickest category of AJCC 8, begins at 4 mm (Gershenwald et al. 2017,
doi:10.3322/caac.21409); five times that is a limit of this software."""

MOST_MITOSES = 20.0
"""Per mm². The highest class among 13,296 patients begins at 20 (Thompson et al. 2011,
https://pubmed.ncbi.nlm.nih.gov/21519009/)."""

OLDEST_USUAL_AGE = 110
"""Years, from which people are listed one by one as supercentenarians (Maier et al. 2010,
Supercentenarians, doi:10.1007/978-3-642-11520-2)."""

DERMOSCOPIC_FIELD_MM = (5.0, 60.0)
"""What a dermoscopic photograph shows, across. Contact plates are 10 to 30 mm wide; twice that, and
half, are limits of this software."""

CLINICAL_FIELD_MM = (10.0, 2500.0)
"""What a clinical photograph shows, across: a lesion to a whole body; limits of this software."""

FIRST_YEAR = 1987
"""Year in which dermoscopy got its pattern analysis (Pehamberger et al. 1987,
doi:10.1016/S0190-9622(87)70239-4): a visit before it is improbable here."""

LONGEST_REPORT_DAYS = 90
"""Days from a specimen to its report; a limit of this software."""

LATEST_SPECIMEN_DAYS = 365
"""Days from a decision to its specimen; a limit of this software."""

LATEST_RECALL_DAYS = 5 * 366
"""Days from today to a recall; a limit of this software."""


def find_doubts(value: Any, around: Surroundings) -> tuple[FieldError, ...]:
    """Return what is improbable in an entry without errors, field by field.

    Args:
        value: The entry.
        around: What it is checked against.

    Example:
        >>> from datetime import date
        >>> around = Surroundings(today=date(2026, 3, 2))
        >>> find_doubts(Patient(pseudonym="7", birth_year=1960), around)
        ()
    """
    rule = _RULES.get(type(value))
    return tuple(rule(value, around)) if rule is not None else ()


def _doubt_patient(patient: Patient, around: Surroundings) -> Iterator[FieldError]:
    year = patient.birth_year
    if year is not None and around.today.year - year > OLDEST_USUAL_AGE:
        age = around.today.year - year
        yield FieldError("birth_year", f"Born in {year}, the patient would be {age} years old.")


def _doubt_visit(visit: Visit, _: Surroundings) -> Iterator[FieldError]:
    if visit.on.year < FIRST_YEAR:
        yield FieldError("on", f"{write_day(visit.on)} is before dermoscopy was used.")


def _doubt_photograph(photograph: Photograph, _: Surroundings) -> Iterator[FieldError]:
    scale = photograph.millimetres_per_pixel
    if scale is None:
        return
    field = scale * photograph.width
    is_dermoscopic = photograph.kind is ImageKind.DERMOSCOPIC
    low, high = DERMOSCOPIC_FIELD_MM if is_dermoscopic else CLINICAL_FIELD_MM
    if not low <= field <= high:
        yield FieldError(
            "millimetres_per_pixel",
            f"At this scale the photograph would show {field:,.3g} mm of skin across; usual are "
            f"{low:g} to {high:,g} mm.",
        )


def _doubt_decision(_: Decision, around: Surroundings) -> Iterator[FieldError]:
    if around.twin is not None:
        decided = around.twin.value.management
        yield FieldError("management", f"{around.twin.by} has decided already: {decided}.")


def _doubt_specimen(specimen: Specimen, around: Surroundings) -> Iterator[FieldError]:
    if around.twin is not None:
        number = around.twin.value.number
        yield FieldError(
            "number", f"{around.twin.by} has saved a specimen of this decision already: {number}."
        )
    if around.decided_at is None:
        return
    days = (specimen.taken_on - around.decided_at.on).days
    if days > LATEST_SPECIMEN_DAYS:
        yield FieldError("taken_on", f"The specimen was taken {days:,} days after its decision.")


def _doubt_histology(histology: Histology, around: Surroundings) -> Iterator[FieldError]:
    breslow, mitoses = histology.breslow_mm, histology.mitoses_per_mm2
    if breslow is not None and breslow > THICKEST_MM:
        yield FieldError(
            "breslow_mm",
            f"A Breslow thickness of {breslow:g} mm is improbable: T4 begins at 4 mm.",
        )
    if mitoses is not None and mitoses > MOST_MITOSES:
        yield FieldError(
            "mitoses_per_mm2",
            f"{mitoses:g} mitoses per mm² are improbable: the highest class begins at 20.",
        )
    days = (histology.reported_on - around.specimen.taken_on).days if around.specimen else 0
    if days > LONGEST_REPORT_DAYS:
        yield FieldError("reported_on", f"The report came {days:,} days after the specimen.")


def _doubt_recall(recall: Recall, around: Surroundings) -> Iterator[FieldError]:
    days = (recall.due_on - around.today).days
    if days > LATEST_RECALL_DAYS:
        yield FieldError("due_on", f"The recall is due in {days / 365.25:.0f} years.")


_RULES: dict[type, Callable[[Any, Surroundings], Iterator[FieldError]]] = {
    Patient: _doubt_patient,
    Visit: _doubt_visit,
    Photograph: _doubt_photograph,
    Decision: _doubt_decision,
    Specimen: _doubt_specimen,
    Histology: _doubt_histology,
    Recall: _doubt_recall,
}
