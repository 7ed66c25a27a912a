"""A lesion's photographs as rows of metadata for the ISIC Archive.

The rows hold no date and no name: days count from the patient's first visit, and the ids are those
of the record.
"""

from typing import Any

from isic_metadata.metadata import MetadataBatch

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.isic_fields import (
    describe_histology,
    describe_lesion,
    describe_patient,
    describe_photograph,
    may_be_melanoma,
)
from melanoma_core.records.loop import Histology

OLDEST_AGE = 85
"""The age as which the Archive writes all older ones."""


def list_isic_rows(case: LesionCase) -> tuple[dict[str, str], ...]:
    """Return a row of ISIC metadata for each photograph of a lesion, without what names a person.

    Photographs of the site of a specimen are left out: they show a mark or a scar. The diagnosis is
    that of the last histology report; without one there is none. A photograph that was taken after
    the first specimen has no diagnosis either.

    Args:
        case: The lesion.

    Returns:
        Columns of the Archive with their values; what is not known is left out. `filename` is the
        SHA-256 of the photograph with its ending.

    Raises:
        pydantic.ValidationError: isic-metadata refuses the rows.
    """
    photographs = [each for each in case.photographs if not each.value.shows_specimen_site]
    rows = [_make_row(case, photograph) for photograph in photographs]
    fields = [_drop_unknown(row) for row in rows]
    MetadataBatch.model_validate({"items": [dict(row) for row in fields]})
    return tuple(
        {"filename": _name_file(photograph.value)}
        | {name: _write(each) for name, each in row.items()}
        for photograph, row in zip(photographs, fields, strict=True)
    )


def _make_row(case: LesionCase, photograph: Entry[Photograph]) -> dict[str, Any]:
    """Return the fields of one photograph, those that are not known as None."""
    days = {visit.id: visit.value.on for visit in case.visits}
    taken_on = photograph.value.taken_on or days.get(photograph.value.visit_id)
    row = {
        "patient_id": case.patient.id,
        "lesion_id": case.lesion.id,
        **describe_patient(case.patient.value),
        **describe_lesion(case.lesion.value),
        **describe_photograph(photograph.value),
    }
    if taken_on is not None:
        born = case.patient.value.birth_year
        row["age"] = None if born is None else min(max(taken_on.year - born, 0), OLDEST_AGE)
        row["acquisition_day"] = (taken_on - min([taken_on, *days.values()])).days
    histology = _find_histology(case)
    removed_on = min((each.value.taken_on for each in case.specimens), default=None)
    is_before = taken_on is None or removed_on is None or taken_on <= removed_on
    return row | (_describe_result(histology) if histology and is_before else {})


def _find_histology(case: LesionCase) -> Histology | None:
    """Return the report that came last; None if there is none."""
    reports = sorted(case.histologies, key=lambda each: (each.value.reported_on, each.at))
    return reports[-1].value if reports else None


def _describe_result(histology: Histology) -> dict[str, Any]:
    """Return the diagnosis; the facts of a melanoma only beside one."""
    row = describe_histology(histology)
    if not may_be_melanoma(histology.diagnosis):
        row = {"diagnosis": row["diagnosis"]}
    return row | {"diagnosis_confirm_type": "histopathology"}


def _drop_unknown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in row.items() if each not in (None, "")}


def _name_file(photograph: Photograph) -> str:
    ending = {"image/jpeg": "jpg", "image/png": "png"}[photograph.media_type]
    return f"{photograph.sha256}.{ending}"


def _write(value: Any) -> str:
    """Return a value as the Archive writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
