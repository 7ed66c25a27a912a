"""Patients, their lesions and visits, and the photographs with their outlines.

Ids are `entry.make_id()`. Dates are calendar days of the clinic. Who wrote an entry, and when, is
not a field here: `entry.Entry` carries both for each version.
"""

from dataclasses import dataclass
from datetime import date

from melanoma_core.records.vocabulary import (
    Change,
    DermoscopicType,
    ImageKind,
    Laterality,
    MapPoint,
    NevusCount,
    OutlineSource,
    Sex,
    SkinType,
)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient, by the clinic's pseudonym.

    Attributes:
        pseudonym: The clinic's own number or code; one patient each.
        birth_year: Year of birth.
        sex: Sex.
        skin_type: Fitzpatrick skin type.
        melanoma_before: Whether the patient had a melanoma before.
        melanoma_in_family: Whether a first-degree relative had one.
        immunosuppressed: Whether the immune system is suppressed.
        num_nevi: Number of nevi of the whole body.
    """

    pseudonym: str
    birth_year: int | None = None
    sex: Sex | None = None
    skin_type: SkinType | None = None
    melanoma_before: bool | None = None
    melanoma_in_family: bool | None = None
    immunosuppressed: bool | None = None
    num_nevi: NevusCount | None = None


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """A lesion of a patient.

    Attributes:
        patient_id: Id of the patient.
        label: The clinic's short name for it, such as "1"; unique within the patient.
        site: Anatomic site, a value of isic-metadata's `AnatomSiteEnum`, such as "Trunk:Posterior
            trunk:Upper back"; "" if not stated.
        laterality: Side of the body.
        map_point: Place on the body map.
        noticed: When it was first noticed, as a year, a month or a day: "2024", "2024-05",
            "2024-05-31"; "" if not stated.
        changes: Changes that were noticed.
        note: A free text.
    """

    patient_id: str
    label: str
    site: str = ""
    laterality: Laterality | None = None
    map_point: MapPoint | None = None
    noticed: str = ""
    changes: tuple[Change, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visit of a patient: on which day, and why."""

    patient_id: str
    on: date
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """A photograph of a lesion, of the body, or of the site of a specimen.

    Attributes:
        patient_id: Id of the patient.
        lesion_id: Id of the lesion; None for an overview of several.
        visit_id: Id of the visit.
        sha256: SHA-256 (hex) of the kept file, which holds no EXIF.
        media_type: "image/jpeg" or "image/png".
        width: Width in pixels.
        height: Height in pixels.
        kind: What it shows.
        dermoscopic_type: Light and contact of the dermoscope; None for other kinds, or if not
            stated.
        device: Camera or dermoscope; "" if not stated.
        taken_on: Day on which it was taken; None if not stated.
        millimetres_per_pixel: Scale, > 0; None if unknown.
        shows_specimen_site: Whether it was taken to mark the place of a biopsy or an excision.
    """

    patient_id: str
    lesion_id: str | None
    visit_id: str
    sha256: str
    media_type: str
    width: int
    height: int
    kind: ImageKind = ImageKind.DERMOSCOPIC
    dermoscopic_type: DermoscopicType | None = None
    device: str = ""
    taken_on: date | None = None
    millimetres_per_pixel: float | None = None
    shows_specimen_site: bool = False


@dataclass(frozen=True, kw_only=True)
class Outline:
    """The outline of the lesion in a photograph.

    Attributes:
        photograph_id: Id of the photograph.
        lesion_id: Id of the lesion.
        points: Corners of one polygon, as shares of the photograph's width and height, in [0, 1].
        source: Who drew it.
        model_id: Id of the model, if the network drew it; "" otherwise.
    """

    photograph_id: str
    lesion_id: str
    points: tuple[tuple[float, float], ...]
    source: OutlineSource
    model_id: str = ""
