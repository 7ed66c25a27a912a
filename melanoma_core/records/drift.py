"""Whether photographs and scores change: by month, against a reference.

The population stability index (PSI) compares the shares of 10 bins of equal mass of the reference:
the sum of (a - e) ln(a / e), 0 if nothing changed (Siddiqi, "Credit risk scorecards", 2006). Chance
alone makes it larger than 0, by 9 (1/n + 1/m) for n photographs and m of the reference (Yurdakul
and Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
Validation, 2020). What chance adds is estimated by resampling patients, and subtracted.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import quantiles
from melanoma_core.models.card import ModelCard
from melanoma_core.records.drift_reference import Reference, Shares, smooth
from melanoma_core.records.patient_resampling import (
    FEWEST_PATIENTS,
    Share,
    measure_shares_by_patient,
    sum_by_patient,
)
from melanoma_core.records.photograph_table import Measure, PhotographTable

# Of the PSI: below the first little has changed, from the second on much has (Siddiqi 2006).
LITTLE, LARGE = 0.1, 0.25
# Each of four limits of `data.quality` is exceeded by 1 of 400 training photographs.
USUAL_WARNINGS = 4 / 400
NUM_RESAMPLES = 500  # for each measure and month


class Verdict(StrEnum):
    """What a comparison shows. An alert asks a person to look; it does not say why."""

    TOO_FEW = "too few to say"
    LITTLE = "little change"
    SOME = "some change"
    ALERT = "large change"


@dataclass(frozen=True)
class Shift:
    """How far a measure of a month is from a reference.

    Attributes:
        measure: The measure.
        month: Such as "2026-11".
        reference: Name of the reference.
        psi: Population stability index without what chance adds, at least 0. `total` counts
            photographs, `num_lesions` the patients that the interval resamples.
        median: Median of the month.
        reference_median: Median of the reference.
        verdict: `ALERT` if the PSI is at least 0.25 and its interval is above 0.1; `TOO_FEW` with
            fewer than 30 patients, or if the interval holds both little and large change.
    """

    measure: Measure
    month: str
    reference: str
    psi: Figure
    median: float
    reference_median: float
    verdict: Verdict


class ShareKind(StrEnum):
    """What of the photographs of a month is counted."""

    OUT_OF_DISTRIBUTION = "out of distribution"
    QUALITY_WARNING = "quality warning"


@dataclass(frozen=True)
class ShareShift:
    """How many photographs of a month are unusual, beside what the model's own data has.

    Attributes:
        kind: What is counted.
        month: Such as "2026-11".
        share: Of the month's photographs; resampled by patient.
        usual: The largest share that is usual: the upper end of the interval on the card's test
            photographs; of quality warnings `USUAL_WARNINGS`.
        verdict: `ALERT` if the whole interval is above `usual`; `TOO_FEW` with fewer than 30
            patients.
    """

    kind: ShareKind
    month: str
    share: Figure
    usual: float
    verdict: Verdict


def measure_drift(
    table: PhotographTable,
    reference: Reference,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[Shift, ...]:
    """Compare every month with a reference, by measure and month.

    Args:
        table: Photographs.
        reference: What they are compared with. If it is of a model, only photographs that were
            given to this model are compared.
        num_resamples: Number of resamples of patients.
        seed: Makes the resamples repeatable.

    Returns:
        One shift for each measure that the reference has and each month that has it. The months
        that the reference is made of are left out.
    """
    if reference.model_id:
        table = table.select(table.model_id == reference.model_id)
    shares = {
        measure: reference.resample(measure, num_resamples, seed + 1)
        for measure in reference.values
    }
    shifts = [
        Shift(
            measure=measure,
            month=month,
            reference=reference.name,
            psi=psi,
            median=median,
            reference_median=shares[measure].median,
            verdict=judge_psi(psi),
        )
        for month in table.list_months()
        if month not in reference.months
        for measure, (psi, median) in _measure_month(
            table.select(table.month == month), shares, (num_resamples, seed)
        ).items()
    ]
    order = list(shares)
    return tuple(sorted(shifts, key=lambda shift: (order.index(shift.measure), shift.month)))


def judge_psi(psi: Figure) -> Verdict:
    """Return what a population stability index shows.

    >>> str(judge_psi(Figure(0.3, 0.15, 0.4, None, 200, 100)))
    'large change'
    >>> str(judge_psi(Figure(0.3, 0.05, 0.6, None, 200, 100)))
    'too few to say'
    """
    if psi.num_lesions < FEWEST_PATIENTS or np.isnan(psi.low):
        return Verdict.TOO_FEW
    if psi.low < LITTLE and psi.high >= LARGE:
        return Verdict.TOO_FEW
    if psi.value >= LARGE:
        return Verdict.ALERT
    return Verdict.SOME if psi.value >= LITTLE else Verdict.LITTLE


def measure_share_drift(
    table: PhotographTable,
    card: ModelCard,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[ShareShift, ...]:
    """Compare how many photographs of every month are unusual with what the card's data has.

    Args:
        table: Photographs; those that were given to another model are left out.
        card: Of the model.
        num_resamples: Number of resamples of patients.
        seed: Makes the resamples repeatable.
    """
    table = table.select(table.model_id == card.model_id)
    novelty = table.values[Measure.NOVELTY]
    kinds: dict[ShareKind, tuple[Share, float]] = {}
    if card.novelty is not None:
        refused = card.novelty.refused.get("test")
        usual = card.novelty.largest_share if refused is None else refused.high
        beyond = novelty > card.novelty.distance
        kinds[ShareKind.OUT_OF_DISTRIBUTION] = (beyond, ~np.isnan(novelty)), usual
    warned = table.has_quality_warning
    kinds[ShareKind.QUALITY_WARNING] = (warned == 1, warned >= 0), USUAL_WARNINGS
    found = []
    for month in table.list_months():
        rows = table.month == month
        shares = {kind: (event[rows], among[rows]) for kind, ((event, among), _) in kinds.items()}
        figures = measure_shares_by_patient(table.patient[rows], shares, {}, (num_resamples, seed))
        for kind, share in figures.items():
            if share.total:
                usual = kinds[kind][1]
                found.append(ShareShift(kind, month, share, usual, _judge_share(share, usual)))
    return tuple(found)


def _judge_share(share: Figure, usual: float) -> Verdict:
    if share.num_lesions < FEWEST_PATIENTS:
        return Verdict.TOO_FEW
    if share.low > usual:
        return Verdict.ALERT
    return Verdict.SOME if share.value > usual else Verdict.LITTLE


def _measure_month(
    table: PhotographTable, shares: dict[Measure, Shares], options: tuple[int, int]
) -> dict[Measure, tuple[Figure, float]]:
    """Return index and median of each measure that a month has."""
    found = {}
    for measure, expected in shares.items():
        known = ~np.isnan(table.values[measure])
        if known.any():
            values, patient = table.values[measure][known], table.patient[known]
            bins = np.searchsorted(expected.edges, values)
            rows = bins == np.arange(len(expected.shares))[:, None]
            indices = _compute_psi(sum_by_patient(patient, rows, *options).values, expected.shares)
            psi = _summarise(indices, len(values), len(np.unique(patient)))
            found[measure] = psi, float(np.median(values))
    return found


def _compute_psi(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the index, float64 [1 + num_resamples], of counts and expected shares [B, …]."""
    found = smooth(counts)
    return np.asarray(((found - expected) * np.log(found / expected)).sum(axis=0))


def _summarise(indices: NDArray[np.float64], total: int, num_patients: int) -> Figure:
    """Return the index and its interval, both without what chance adds.

    Resampling adds to the index what chance has added already. So the mean of the resamples lies
    as far above the index as this lies above the true one, and their range twice as far. Fewer
    than 30 patients do not show how much patients vary: their interval is NaN.
    """
    chance = float(indices[1:].mean() - indices[0])
    low, high = (max(0.0, each - 2 * chance) for each in quantiles(indices))
    value = min(max(float(indices[0]) - chance, low), high)
    if num_patients < FEWEST_PATIENTS:
        low = high = np.nan
    return Figure(value, low, high, None, total, num_patients)
