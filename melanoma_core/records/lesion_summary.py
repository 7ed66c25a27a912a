"""What a list of a patient's lesions says of each: what it waits for, its worst AI reading."""

import re
from dataclasses import dataclass

from melanoma_core.reading.statement import Level
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.kept_readings import find_level
from melanoma_core.records.loop import Histology
from melanoma_core.records.steps import OpenStep, find_at_visit, find_open_steps
from melanoma_core.records.vocabulary import ImageKind, ReadOrder

_DIGITS = re.compile(r"(\d+)")
_LEVELS = (Level.MELANOMA, Level.SKIN_CANCER, Level.NONE)  # most severe first


@dataclass(frozen=True, kw_only=True)
class LesionSummary:
    """A lesion in a list.

    Attributes:
        lesion: The lesion.
        next_step: What it waits for next; None if for nothing.
        level: The most severe of its AI readings, whenever they were read; None if there is none,
            or none is shown.
        hides_ai: Whether nothing of an AI reading is shown, because the doctor reads first.
        photograph: The newest photograph: a dermoscopic one if there is any; None without one.
        histology: The last report; None if there is none.
    """

    lesion: Entry[Lesion]
    next_step: OpenStep | None
    level: Level | None
    hides_ai: bool
    photograph: Entry[Photograph] | None
    histology: Entry[Histology] | None


def summarise_case(case: LesionCase, order: ReadOrder) -> LesionSummary:
    """Return what a list says of a lesion.

    Args:
        case: The lesion.
        order: Whether the doctor reads first, as the setting says.
    """
    at_visit = find_at_visit(case, order)
    hides_ai = at_visit is not None and at_visit.hides_ai
    levels = {find_level(entry.value) for entry in case.ai_readings} if not hides_ai else set()
    steps = find_open_steps(case, at_visit)
    return LesionSummary(
        lesion=case.lesion,
        next_step=steps[0] if steps else None,
        level=next((level for level in _LEVELS if level in levels), None),
        hides_ai=hides_ai,
        photograph=find_newest_photograph(case),
        histology=case.histologies[-1] if case.histologies else None,
    )


def order_labels(label: str) -> tuple[str | int, ...]:
    """Return what puts labels into the order in which people count.

    >>> sorted(["10", "2", "b", "a3"], key=order_labels)
    ['2', '10', 'a3', 'b']
    """
    parts = _DIGITS.split(label.casefold())  # texts and digits by turns
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts))


def find_newest_photograph(case: LesionCase) -> Entry[Photograph] | None:
    """Return the newest photograph of the lesion itself: a dermoscopic one if there is any."""
    own = [each for each in case.photographs if not each.value.shows_specimen_site]
    dermoscopic = [each for each in own if each.value.kind is ImageKind.DERMOSCOPIC]
    shown = dermoscopic or own
    return shown[-1] if shown else None
