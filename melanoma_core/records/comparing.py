"""Which two photographs of a lesion are compared, and what the record holds of each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.decoder import decode_within
from melanoma_core.errors import ModelError
from melanoma_core.models.registry import find_model
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Outline, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.outlines import Points
from melanoma_core.records.pictures import LARGE
from melanoma_core.records.repeatability import ModelLimits, read_limits
from melanoma_core.records.shots import Shot
from melanoma_core.records.vocabulary import OutlineSource
from melanoma_core.settings import Settings


@dataclass(frozen=True)
class Dated:
    """A photograph of the lesion, with the day on which it was taken.

    Attributes:
        entry: The photograph.
        on: The day; that of its visit if none is stated.
    """

    entry: Entry[Photograph]
    on: date


@dataclass(frozen=True)
class KnownOutline:
    """The outline of a photograph that is shown and measured.

    Attributes:
        points: Its corners, as shares of width and height.
        source: Who drew it.
        model_id: Id of the model, if the network drew it; "" otherwise.
        entry: As it is kept; None if only an AI reading holds it.
    """

    points: Points
    source: OutlineSource
    model_id: str = ""
    entry: Entry[Outline] | None = None


def list_dated(case: LesionCase) -> tuple[Dated, ...]:
    """Return the photographs that show the lesion itself, the oldest first."""
    days = {visit.id: visit.value.on for visit in case.visits}
    dated = [
        Dated(each, each.value.taken_on or days.get(each.value.visit_id, each.at.date()))
        for each in case.photographs
        if not each.value.shows_specimen_site
    ]
    return tuple(sorted(dated, key=lambda each: each.on))


def choose_pair(dated: tuple[Dated, ...]) -> tuple[Dated, Dated] | None:
    """Return the two photographs that are compared where a person has chosen none.

    They are the two most recent of one kind that were taken on two days; without such, the two
    most recent of one kind, and without those, the last two.

    Returns:
        The earlier and the later one; None of fewer than two photographs.
    """
    newest = dated[::-1]
    pairs = [(first, later) for i, later in enumerate(newest) for first in newest[i + 1 :]]
    alike = [each for each in pairs if each[0].entry.value.kind is each[1].entry.value.kind]
    apart = [each for each in alike if each[0].on != each[1].on]
    return next(iter([*apart, *alike, *pairs]), None)


def sort_pair(one: Dated, other: Dated) -> tuple[Dated, Dated]:
    """Return two photographs, the earlier one first; those of one day as they were kept."""
    first, second = sorted((one, other), key=lambda each: (each.on, each.entry.at))
    return first, second


def find_outline(
    case: LesionCase, photograph_id: str, *, hides_ai: bool = False
) -> KnownOutline | None:
    """Return the outline of a photograph: a person's first, then one that the network drew.

    Args:
        case: The lesion.
        photograph_id: Id of the photograph.
        hides_ai: Whether nothing that the network drew may be shown.
    """
    kept = [each for each in case.outlines if each.value.photograph_id == photograph_id]
    drawn = [each for each in kept if each.value.source is OutlineSource.PERSON]
    if not drawn and not hides_ai:
        drawn = kept
    if drawn:
        value = drawn[-1].value
        return KnownOutline(value.points, value.source, value.model_id, drawn[-1])
    found = None if hides_ai else find_photograph_reading(case, photograph_id)
    if found is None or not found[1].outline:
        return None
    return KnownOutline(found[1].outline, OutlineSource.NETWORK, found[0].value.model_id)


def find_photograph_reading(
    case: LesionCase, photograph_id: str
) -> tuple[Entry[AiReading], PhotographReading] | None:
    """Return the last AI reading in which a photograph was read, and what it says of it."""
    for entry in reversed(case.ai_readings):
        for each in entry.value.photographs:
            if each.photograph_id == photograph_id and each.probabilities:
                return entry, each
    return None


def decode_photograph(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a kept photograph at the size at which it is compared.

    Raises:
        ImageError: It cannot be decoded.
    """
    return decode_within(data, max_side=LARGE).pixels


def make_shot(
    case: LesionCase, dated: Dated, read: Callable[[str], bytes], *, hides_ai: bool = False
) -> Shot:
    """Return a photograph with what the record holds of it: outline, scale and kept reading.

    Args:
        case: The lesion.
        dated: The photograph.
        read: Returns the content of a kept file by its SHA-256 (hex).
        hides_ai: Whether nothing of an AI reading may be shown.

    Raises:
        ImageError: The photograph cannot be decoded.
        RecordError: Its file is missing or was altered.
    """
    photograph = dated.entry.value
    pixels = decode_photograph(read(photograph.sha256))
    scale = photograph.millimetres_per_pixel
    if scale is not None:
        scale *= photograph.width / pixels.shape[1]
    outline = find_outline(case, dated.entry.id, hides_ai=hides_ai)
    found = None if hides_ai else find_photograph_reading(case, dated.entry.id)
    probabilities: dict[str, float] = {}
    model_id = outline.model_id if outline else ""
    if found is not None and model_id in {"", found[0].value.model_id}:
        names, model_id = found[0].value.class_names, found[0].value.model_id
        probabilities = dict(zip(names, found[1].probabilities, strict=True))
    return Shot(
        pixels=pixels,
        points=outline.points if outline else (),
        source=outline.source if outline else OutlineSource.PERSON,
        millimetres_per_pixel=scale,
        probabilities=probabilities,
        model_id=model_id,
    )


def find_limits(settings: Settings, model_id: str) -> ModelLimits | None:
    """Return the limits of agreement of a model; None if it is gone or they were not measured."""
    try:
        return read_limits(find_model(settings, model_id)) if model_id else None
    except ModelError:
        return None
