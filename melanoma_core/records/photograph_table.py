"""The photographs of a record as columns: what drift is measured on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.quality import Quality, judge_quality
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Photograph
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.patient_resampling import number_patients
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis


class Measure(StrEnum):
    """What of a photograph is watched."""

    MELANOMA = "probability of melanoma"
    SKIN_CANCER = "probability of any skin cancer"
    NOVELTY = "distance to the training photographs"
    SHARPNESS = "sharpness"
    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    LONGER_SIDE = "longer side in pixels"
    SHORTER_SIDE = "shorter side in pixels"

    @property
    def needs_model(self) -> bool:
        """Whether it has a meaning for one model alone."""
        return self in {Measure.MELANOMA, Measure.SKIN_CANCER, Measure.NOVELTY}


@dataclass(frozen=True, kw_only=True)
class PhotographFacts:
    """What is watched of a photograph that the network was given.

    Attributes:
        patient_id: Id of the patient.
        on: Day on which it was taken, else day of the visit.
        model_id: Id of the model that it was given to.
        device: Camera or dermoscope; "" if not stated.
        values: By measure, as far as it is known.
        has_quality_warning: Whether its quality is beyond a limit of `data.quality`; None if it was
            not measured.
        was_trained_on: Whether the model was trained on the patient; None if it is not known.
    """

    patient_id: str
    on: date
    model_id: str
    device: str
    values: dict[Measure, float]
    has_quality_warning: bool | None = None
    was_trained_on: bool | None = None


@dataclass(frozen=True, eq=False)
class PhotographTable:
    """N photographs.

    Attributes:
        patient: int [N], the same for photographs of one patient.
        month: str [N], such as "2026-11".
        model_id: str [N].
        device: str [N].
        values: By measure, float64 [N]; NaN where it is not known.
        has_quality_warning: int8 [N]: 1 if it has, 0 if not, -1 if it was not measured.
        was_trained_on: int8 [N]: 1 if the model was trained on the patient, 0 if not, -1 if it is
            not known.
    """

    patient: NDArray[np.intp]
    month: NDArray[np.str_]
    model_id: NDArray[np.str_]
    device: NDArray[np.str_]
    values: dict[Measure, NDArray[np.float64]]
    has_quality_warning: NDArray[np.int8]
    was_trained_on: NDArray[np.int8]

    def select(self, rows: NDArray[np.bool_]) -> "PhotographTable":
        """Return the photographs of a mask, bool [N]."""
        return PhotographTable(
            self.patient[rows],
            self.month[rows],
            self.model_id[rows],
            self.device[rows],
            {measure: column[rows] for measure, column in self.values.items()},
            self.has_quality_warning[rows],
            self.was_trained_on[rows],
        )

    def list_months(self) -> list[str]:
        """Return the months that occur, the first one first."""
        return [str(month) for month in np.unique(self.month)]


def list_photographs(cases: Iterable[LesionCase]) -> Iterator[PhotographFacts]:
    """Yield what is watched of each photograph that the network was given, refused ones included.

    A photograph that several AI readings hold counts once for each model, as it was read last.
    """
    for case in cases:
        photographs = {entry.id: entry.value for entry in case.photographs}
        days = {entry.id: entry.value.on for entry in case.visits}
        last = {
            (each.photograph_id, entry.value.model_id): (entry.value, each)
            for entry in case.ai_readings
            for each in entry.value.photographs
            if each.photograph_id in photographs
        }
        for (photograph_id, model_id), (reading, read) in last.items():
            photograph = photographs[photograph_id]
            on = photograph.taken_on or days.get(photograph.visit_id)
            if on is not None:
                yield PhotographFacts(
                    patient_id=case.patient.id,
                    on=on,
                    model_id=model_id,
                    device=photograph.device,
                    values=_measure(photograph, reading, read),
                    has_quality_warning=_warn(photograph, read),
                )


def make_photograph_table(photographs: Iterable[PhotographFacts]) -> PhotographTable:
    """Return photographs as columns.

    Example:
        >>> make_photograph_table([]).list_months()
        []
    """
    facts = tuple(photographs)
    return PhotographTable(
        number_patients([each.patient_id for each in facts]),
        np.array([f"{each.on:%Y-%m}" for each in facts], dtype=np.str_),
        np.array([each.model_id for each in facts], dtype=np.str_),
        np.array([each.device for each in facts], dtype=np.str_),
        {
            measure: np.array([each.values.get(measure, np.nan) for each in facts], dtype=float)
            for measure in Measure
        },
        _encode([each.has_quality_warning for each in facts]),
        _encode([each.was_trained_on for each in facts]),
    )


def _encode(flags: Sequence[bool | None]) -> NDArray[np.int8]:
    return np.array([-1 if each is None else each for each in flags], dtype=np.int8)


def _measure(
    photograph: Photograph, reading: AiReading, read: PhotographReading
) -> dict[Measure, float]:
    probabilities = dict(zip(reading.class_names, read.probabilities, strict=False))
    cancers = [probabilities[name] for name in SKIN_CANCERS if name in probabilities]
    known = {
        Measure.MELANOMA: probabilities.get(Diagnosis.MEL),
        Measure.SKIN_CANCER: sum(cancers) if cancers else None,
        Measure.NOVELTY: read.novelty,
        Measure.SHARPNESS: read.sharpness,
        Measure.BRIGHTNESS: read.brightness,
        Measure.CONTRAST: read.contrast,
        Measure.LONGER_SIDE: float(max(photograph.width, photograph.height)),
        Measure.SHORTER_SIDE: float(min(photograph.width, photograph.height)),
    }
    return {measure: value for measure, value in known.items() if value is not None}


def _warn(photograph: Photograph, read: PhotographReading) -> bool | None:
    if read.sharpness is None or read.brightness is None or read.contrast is None:
        return None
    side = min(photograph.width, photograph.height)
    return bool(judge_quality(Quality(read.sharpness, read.brightness, read.contrast, side)))
