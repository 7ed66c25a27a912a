"""What a DICOM file says of its photograph, as far as a record or a dataset may take it.

Only what is named here leaves a file. Names, dates of birth, addresses, device numbers and all else
are not read. Nothing of it is written anywhere before a person accepts it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from melanoma_core.data.formats.budget import BUDGET, Meter
from melanoma_core.data.formats.dicom import explain_broken, parse
from melanoma_core.data.formats.dicom_elements import read_content
from melanoma_core.data.formats.dicom_kinds import DERMOSCOPIC
from melanoma_core.data.formats.dicom_sites import find_body_part, find_site
from melanoma_core.data.formats.kinds import DICOM, recognise
from melanoma_core.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

FACT_KEYWORDS = (
    *("PatientID", "PatientSex", "PatientAge", "TrackingID", "BodyPartExamined"),
    *("AnatomicRegionSequence", "ImageLaterality", "FrameLaterality", "Laterality"),
    *("LightSourcePolarization", "ContactMethod", "AcquisitionDateTime", "AcquisitionDate"),
    *("BurnedInAnnotation", "RecognizableVisualFeatures"),
)
SAID = ("patient_id", "lesion_id", "age", "sex", "site_text", "image_type")
"""What a dataset takes of what a file says."""

_SIDES = {"L": "left", "R": "right"}
_SIDE_CODES = {("SCT", "7771000"): "left", ("SCT", "24028007"): "right"}
_SEXES = {"M": "male", "F": "female"}
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_YES_NO = {"YES": True, "NO": False}


@dataclass(frozen=True)
class DicomFacts:
    """What a DICOM file says of its photograph. None where it does not say it.

    Attributes:
        patient_id: Id of the patient in the system that wrote the file.
        lesion_id: Id by which the lesion is followed over time (Tracking ID).
        site: Site of the lesion in the vocabulary of the ISIC Archive.
        site_text: The site as the file words it.
        laterality: "left" or "right".
        is_dermoscopic: Whether it was taken with a dermoscope.
        is_polarised: Whether the light of the dermoscope was polarised.
        is_in_contact: Whether the dermoscope touched the skin.
        taken_on: Day of the acquisition.
        sex: "female" or "male".
        age: In years.
        has_burned_in: Whether text that may identify the patient is part of the pixels.
        shows_identity: Whether the patient can be recognised by what is seen.
    """

    patient_id: str | None = None
    lesion_id: str | None = None
    site: str | None = None
    site_text: str | None = None
    laterality: str | None = None
    is_dermoscopic: bool | None = None
    is_polarised: bool | None = None
    is_in_contact: bool | None = None
    taken_on: date | None = None
    sex: str | None = None
    age: float | None = None
    has_burned_in: bool | None = None
    shows_identity: bool | None = None


def read_facts(data: bytes) -> DicomFacts | None:
    """Return what a DICOM file says of its photograph.

    Args:
        data: Content of the file.

    Returns:
        The facts; None for a file of another kind, or one that is damaged.

    Example:
        >>> read_facts(b"GIF89a") is None
        True
    """
    if recognise(data) != DICOM:
        return None
    try:
        content = read_content(data, Meter(BUDGET))
        with explain_broken():
            return _collect(parse(content, FACT_KEYWORDS))
    except (ImageError, ValueError):
        return None


def write_said(facts: DicomFacts) -> str:
    """Return what a file says as a text for the cache: only what a dataset takes (`SAID`).

    Args:
        facts: What it says.

    Example:
        >>> write_said(DicomFacts(patient_id="P-1", is_dermoscopic=True))
        '{"patient_id": "P-1", "image_type": "dermoscopic"}'
    """
    known = asdict(facts) | {"image_type": "dermoscopic" if facts.is_dermoscopic else None}
    return json.dumps({name: known[name] for name in SAID if known[name] is not None})


def _collect(dataset: "Dataset") -> DicomFacts:
    region = _take_first(dataset, "AnatomicRegionSequence")
    part = _read(dataset, "BodyPartExamined")
    return DicomFacts(
        patient_id=_read(dataset, "PatientID"),
        lesion_id=_read(dataset, "TrackingID"),
        site=_find_site(region) or (find_body_part(part) if part else None),
        site_text=_read(region, "CodeMeaning") or part,
        laterality=_find_side(dataset, region),
        is_dermoscopic=_find_kind(dataset),
        is_polarised=_choose(dataset, "LightSourcePolarization", "POLARIZED", "NON_POLARIZED"),
        is_in_contact=_choose(dataset, "ContactMethod", "CONTACT", "NON_CONTACT"),
        taken_on=_read_day(dataset, ("AcquisitionDateTime", "AcquisitionDate")),
        sex=_SEXES.get(_read(dataset, "PatientSex") or ""),
        age=_read_age(_read(dataset, "PatientAge")),
        has_burned_in=_YES_NO.get(_read(dataset, "BurnedInAnnotation") or ""),
        shows_identity=_YES_NO.get(_read(dataset, "RecognizableVisualFeatures") or ""),
    )


def _read(dataset: "Dataset | None", keyword: str) -> str | None:
    """Return a value as text without spaces around it; None if there is none, or several."""
    if dataset is None:
        return None
    try:
        with explain_broken():
            value = dataset.get(keyword)
    except ValueError:
        return None
    if (
        value is None
        or isinstance(value, bytes)
        or (isinstance(value, Sequence) and not isinstance(value, str))
    ):
        return None
    return str(value).strip("\0 ") or None


def _take_first(dataset: "Dataset | None", keyword: str) -> "Dataset | None":
    try:
        with explain_broken():
            sequence = dataset.get(keyword) if dataset is not None else None
            return sequence[0] if sequence else None
    except ValueError:
        return None


def _read_code(item: "Dataset | None") -> tuple[str, str]:
    code = next(
        filter(
            None, (_read(item, each) for each in ("CodeValue", "LongCodeValue", "URNCodeValue"))
        ),
        "",
    )
    return _read(item, "CodingSchemeDesignator") or "", code


def _find_site(region: "Dataset | None") -> str | None:
    return find_site(*_read_code(region))


def _find_side(dataset: "Dataset", region: "Dataset | None") -> str | None:
    modifier = _take_first(region, "AnatomicRegionModifierSequence")
    coded = _SIDE_CODES.get(_read_code(modifier))
    said = (_read(dataset, each) for each in ("ImageLaterality", "FrameLaterality", "Laterality"))
    return coded or next((_SIDES[each] for each in said if each in _SIDES), None)


def _find_kind(dataset: "Dataset") -> bool | None:
    is_dermoscopic = (
        _read(dataset, "SOPClassUID") == DERMOSCOPIC or _read(dataset, "Modality") == "DMS"
    )
    return True if is_dermoscopic else None


def _choose(dataset: "Dataset", keyword: str, yes: str, no: str) -> bool | None:
    return {yes: True, no: False}.get(_read(dataset, keyword) or "")


def _read_day(dataset: "Dataset", keywords: Sequence[str]) -> date | None:
    for keyword in keywords:
        digits = (_read(dataset, keyword) or "")[:8]
        if len(digits) == 8 and digits.isdecimal():
            try:
                return datetime.strptime(digits, "%Y%m%d").date()
            except ValueError:  # no day of the calendar
                continue
    return None


def _read_age(text: str | None) -> float | None:
    """Return an age in years, of a text such as "045Y"."""
    if not text or not text[:-1].isdecimal() or text[-1] not in _YEARS:
        return None
    return round(int(text[:-1]) * _YEARS[text[-1]], 2)
