"""The fields of a record that the ISIC Archive knows, under the Archive's names.

isic-metadata validates them, here and in what a record exports.
"""

from typing import Any

from isic_metadata.diagnosis_hierarchical import DiagnosisEnum
from isic_metadata.metadata import MetadataRow, convert_errors
from pydantic import ValidationError

from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.loop import Histology
from melanoma_core.records.surroundings import FieldError

# Our name for each field of the Archive.
_NAMES = {
    "fitzpatrick_skin_type": "skin_type",
    "personal_hx_mm": "melanoma_before",
    "family_hx_mm": "melanoma_in_family",
    "anatom_site": "site",
    "image_type": "kind",
    "mel_thick_mm": "breslow_mm",
    "mel_ulcer": "ulcerated",
    "mel_mitotic_index": "mitoses_per_mm2",
}

_TITLES = {
    "mel_thick_mm": "A Breslow thickness",
    "mel_ulcer": "Ulceration",
    "mel_mitotic_index": "A number of mitoses",
    "dermoscopic_type": "Light and contact of the dermoscope",
}


def describe_patient(patient: Patient) -> dict[str, Any]:
    """Return what the Archive keeps of a patient, but the age, which depends on the photograph."""
    return {
        "sex": patient.sex,
        "fitzpatrick_skin_type": patient.skin_type,
        "personal_hx_mm": patient.melanoma_before,
        "family_hx_mm": patient.melanoma_in_family,
    }


def describe_lesion(lesion: Lesion) -> dict[str, Any]:
    """Return what the Archive keeps of a lesion."""
    return {"anatom_site": lesion.site}


def describe_photograph(photograph: Photograph) -> dict[str, Any]:
    """Return what the Archive keeps of how a photograph was taken."""
    return {
        "image_type": photograph.kind.value,
        "dermoscopic_type": photograph.dermoscopic_type,
    }


def describe_histology(histology: Histology) -> dict[str, Any]:
    """Return what the Archive keeps of a histology report."""
    return {
        "diagnosis": histology.diagnosis,
        "mel_thick_mm": histology.breslow_mm,
        "mel_ulcer": histology.ulcerated,
        "mel_mitotic_index": name_mitoses(histology.mitoses_per_mm2),
    }


def name_mitoses(per_mm2: float | None) -> str | None:
    """Return the Archive's range of a number of mitoses, by whole numbers below it.

    >>> [name_mitoses(each) for each in (None, 0, 0.5, 1, 3.5, 4, 4.5, 12)]
    [None, '0/mm^2', '<1/mm^2', '1/mm^2', '3/mm^2', '4/mm^2', '>4/mm^2', '>4/mm^2']
    """
    if per_mm2 is None:
        return None
    if per_mm2 == 0:
        return "0/mm^2"
    if per_mm2 < 1:
        return "<1/mm^2"
    return ">4/mm^2" if per_mm2 > 4 else f"{int(per_mm2)}/mm^2"


def may_be_melanoma(diagnosis: str) -> bool:
    """Return whether the Archive keeps facts of a melanoma beside a diagnosis.

    It does for every melanoma, and for a collision with a malignant tumour.
    """
    return bool(DiagnosisEnum.is_melanoma(diagnosis))


def find_isic_errors(row: dict[str, Any]) -> tuple[FieldError, ...]:
    """Return what isic-metadata refuses, under the names of our fields.

    Args:
        row: Fields under the Archive's names; None and "" are not there.
    """
    try:
        MetadataRow(**{name: each for name, each in row.items() if each not in (None, "")})
    except ValidationError as error:
        return tuple(_name_error(dict(each)) for each in convert_errors(error))
    return ()


def _name_error(error: dict[str, Any]) -> FieldError:
    """Return an error of isic-metadata under the name of our field."""
    context = error.get("ctx") or {}
    name = str(error["loc"][0]) if error["loc"] else str(context.get("field1", ""))
    other = str(context.get("field2", ""))
    text = str(error["msg"])
    if error["type"] in {"incompatible_fields", "missing_field"}:
        does_not_fit = {
            "diagnosis": "is kept of a melanoma alone; the diagnosis is another",
            "image_type": "is kept of a dermoscopic photograph alone",
        }
        title = _TITLES.get(name, name)
        text = f"{title} {does_not_fit.get(other, f'does not fit {other}')}."
    return FieldError(_NAMES.get(name, name), text)
