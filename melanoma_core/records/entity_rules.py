"""The rules of patients, lesions, visits, photographs and outlines."""

import re
from collections.abc import Iterator
from datetime import date

from isic_metadata.anatom_site_hierarchical import AnatomSiteEnum

from melanoma_core.records.body_map import is_on_body
from melanoma_core.records.dates import write_day
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.isic_fields import (
    describe_lesion,
    describe_patient,
    describe_photograph,
    find_isic_errors,
)
from melanoma_core.records.surroundings import FieldError, Surroundings
from melanoma_core.records.vocabulary import OutlineSource

OLDEST_AGE = 125
"""Years; the oldest person whose age is known reached 122."""

BESIDE = "The point lies beside the body: choose one on it, or take it off the map."
"""What is said of a point of the body map that no part of the body is near."""

MOST_CORNERS = 10_000
"""Most corners of an outline."""

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPES = ("image/jpeg", "image/png")


def find_first_day(noticed: str) -> date | None:
    """Return the first day of a year, a month or a day as texts; None for an empty text.

    Raises:
        ValueError: It is no such text, or no day of the calendar.

    >>> find_first_day("2024-05")
    datetime.date(2024, 5, 1)
    """
    if not noticed:
        return None
    found = _DAY.fullmatch(noticed)
    if found is None:
        message = "needed is a year, a month or a day, such as 2024, 2024-05 or 2024-05-31"
        raise ValueError(message)
    return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))


def check_patient(patient: Patient, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a patient."""
    year, now = patient.birth_year, around.today.year
    if year is not None and not now - OLDEST_AGE <= year <= now:
        yield FieldError(
            "birth_year", f"Found {year}; needed is a year from {now - OLDEST_AGE} to {now}."
        )
    yield from find_isic_errors(describe_patient(patient))


def check_lesion(lesion: Lesion, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a lesion."""
    if lesion.label in around.labels:
        yield FieldError("label", f"Another lesion of the patient is called {lesion.label}.")
    if lesion.site and lesion.site not in {each.value for each in AnatomSiteEnum}:
        yield FieldError("site", f"{lesion.site} is no anatomic site of the list: choose one.")
    else:
        yield from find_isic_errors(describe_lesion(lesion))
    point = lesion.map_point
    if point is not None and not (0 <= point.x <= 1 and 0 <= point.y <= 1):
        yield FieldError("map_point", "The point lies outside the body map.")
    elif point is not None and not is_on_body(point):
        yield FieldError("map_point", BESIDE)
    try:
        error = around.check_past("noticed", find_first_day(lesion.noticed))
    except ValueError as problem:
        error = FieldError("noticed", f"Found {lesion.noticed}: {problem}.")
    if error:
        yield error
    if len(set(lesion.changes)) < len(lesion.changes):
        yield FieldError("changes", "A change is listed twice.")


def check_visit(visit: Visit, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a visit."""
    error = around.check_past("on", visit.on)
    if error:
        yield error


def check_photograph(photograph: Photograph, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a photograph."""
    if not _SHA256.fullmatch(photograph.sha256):
        yield FieldError("sha256", "Needed are the 64 hexadecimal digits of a SHA-256.")
    if photograph.media_type not in _MEDIA_TYPES:
        yield FieldError("media_type", f"Needed is {' or '.join(_MEDIA_TYPES)}.")
    for name, pixels in (("width", photograph.width), ("height", photograph.height)):
        if pixels < 1:
            yield FieldError(name, f"Found {pixels} pixels; at least 1 is needed.")
    scale = photograph.millimetres_per_pixel
    if scale is not None and not 0 < scale <= 10:
        yield FieldError(
            "millimetres_per_pixel",
            f"Found {scale:g} mm per pixel; needed is more than 0 and at most 10.",
        )
    yield from find_isic_errors(describe_photograph(photograph))
    yield from _check_taken_on(photograph, around)


def _check_taken_on(photograph: Photograph, around: Surroundings) -> Iterator[FieldError]:
    taken_on, visit = photograph.taken_on, around.visit
    error = around.check_past("taken_on", taken_on)
    if error is None and taken_on and visit and taken_on > visit.on:
        error = FieldError(
            "taken_on", f"{write_day(taken_on)} is after its visit on {write_day(visit.on)}."
        )
    if error:
        yield error


def check_outline(outline: Outline, _: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with an outline."""
    num_corners = len(outline.points)
    if not 3 <= num_corners <= MOST_CORNERS:
        needed = f"needed are 3 to {MOST_CORNERS:,}"
        yield FieldError("points", f"Found {num_corners:,} corners; {needed}.")
    elif not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in outline.points):
        yield FieldError("points", "A corner lies outside the photograph.")
    elif len(set(outline.points)) < 3:
        yield FieldError("points", "The corners enclose no area.")
    if outline.source is OutlineSource.NETWORK and not outline.model_id:
        yield FieldError("model_id", "Needed is the model that drew the outline.")
