"""Whether photographs and scores change: by month, against a reference.

The population stability index (PSI) compares the shares of 10 bins of equal mass of the reference.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.card import ModelCard
from melanoma_core.records.case import LesionCase

if TYPE_CHECKING:
    import pandas as pd

LITTLE, LARGE = 0.1, 0.25  # limits of the PSI


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


class Verdict(StrEnum):
    """What a comparison with the reference shows."""

    TOO_FEW = "too few to say"
    LITTLE = "little change"
    SOME = "some change"
    ALERT = "large change"


@dataclass(frozen=True, kw_only=True)
class PhotographFacts:
    """What is watched of a photograph; None where it is not known."""

    patient_id: str
    on: date
    model_id: str
    device: str = ""
    refused: bool = False
    values: dict[Measure, float]


@dataclass(frozen=True, eq=False)
class Reference:
    """What photographs are compared with.

    Attributes:
        name: What it is, in words.
        values: By measure, float64 [N].
        weights: By measure, float64 [N], where the values do not count equally.
    """

    name: str
    values: dict[Measure, NDArray[np.float64]]
    weights: dict[Measure, NDArray[np.float64]]


@dataclass(frozen=True)
class Shift:
    """How far one measure of one month is from the reference.

    Attributes:
        measure: The measure.
        month: Such as "2026-11".
        reference: Name of the reference.
        psi: Population stability index, corrected for what chance adds; at least 0.
        median: Median of the month.
        reference_median: Median of the reference.
        verdict: What it shows.
    """

    measure: Measure
    month: str
    reference: str
    psi: Figure
    median: float
    reference_median: float
    verdict: Verdict


@dataclass(frozen=True)
class RefusedShare:
    """The share of a month's photographs that is out of distribution, beside that of the card.

    Attributes:
        month: Such as "2026-11".
        share: Of the month.
        reference: Of the card's test photographs; None if the card has none.
        verdict: `Verdict.ALERT` if the intervals do not overlap and the month's is higher.
    """

    month: str
    share: Figure
    reference: Figure | None
    verdict: Verdict


def list_photographs(cases: Iterable[LesionCase]) -> tuple[PhotographFacts, ...]:
    """Return what is watched of each photograph that the network was given."""
    raise NotImplementedError


def make_card_reference(
    predictions: "pd.DataFrame", prevalence: Prevalence | None = None
) -> Reference:
    """Return the test photographs of a model as the reference of its scores.

    Args:
        predictions: Of `models.lineage.read_predictions`.
        prevalence: Of the clinic; the test photographs are then weighted to it. None to take them
            as they are: a clinic with fewer melanomas then differs, whatever its photographs.
    """
    raise NotImplementedError


def make_own_reference(photographs: Sequence[PhotographFacts]) -> Reference | None:
    """Return the first months of a record as the reference; None if there are too few."""
    raise NotImplementedError


def measure_drift(
    photographs: Sequence[PhotographFacts], reference: Reference, **options: Any
) -> tuple[Shift, ...]:
    """Compare every month with a reference, by measure and month."""
    raise NotImplementedError


def measure_refused_shares(
    photographs: Sequence[PhotographFacts], card: ModelCard
) -> tuple[RefusedShare, ...]:
    """Compare the share of out-of-distribution photographs of every month with the card's."""
    raise NotImplementedError
