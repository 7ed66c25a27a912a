"""What the photographs of a month are compared with: a model's test photographs, or the first ones.

A model's folder holds what it said of its test photographs, and not their brightness or sharpness.
So only scores can be compared with the card's. Every measure can be compared with the first months
of the record itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.predictions import get_probabilities, list_classes
from melanoma_core.records.patient_resampling import (
    FEWEST_PATIENTS,
    number_patients,
    sum_by_patient,
)
from melanoma_core.records.photograph_table import Measure, PhotographTable
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis, RiskTier

if TYPE_CHECKING:
    import pandas as pd

_NUM_BINS = 10
_PRIOR = 0.5  # photographs added to each bin, so that an empty one has no share of 0
FEWEST_OF_REFERENCE = 100  # patients of the first months, as few as show a PSI of 0.25


@dataclass(frozen=True, eq=False)
class Shares:
    """How a measure is distributed in a reference.

    Attributes:
        edges: float64 [B - 1], upper ends of all bins but the last.
        shares: float64 [B, 1 + num_resamples], share of each bin, and in each resample.
        median: Median of the reference.
    """

    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    median: float


@dataclass(frozen=True, eq=False)
class Reference:
    """M photographs that others are compared with.

    Attributes:
        name: What it is, in words.
        model_id: The model that its scores are of; "" if it has no scores.
        values: By measure, float64 [M]; NaN where it is not known.
        patient: int [M], the same for photographs that are not independent.
        stratum: int [M], the part that each belongs to; -1 for none.
        weights: Share of each part. Within a part photographs count equally.
        months: Months that it is made of, if it is of the record itself.
    """

    name: str
    model_id: str
    values: dict[Measure, NDArray[np.float64]]
    patient: NDArray[np.integer[Any]]
    stratum: NDArray[np.integer[Any]]
    weights: tuple[float, ...] = (1.0,)
    months: frozenset[str] = field(default_factory=frozenset)

    def resample(self, measure: Measure, num_resamples: int, seed: int) -> Shares:
        """Return how a measure is distributed, with its resamples.

        The bins have equal mass. A value that several of them would share has its own.
        """
        known = ~np.isnan(self.values[measure]) & (self.stratum >= 0)
        values, stratum = self.values[measure][known], self.stratum[known]
        counts = np.bincount(stratum, minlength=len(self.weights))
        weights = (np.array(self.weights) / np.maximum(counts, 1))[stratum]
        edges, median = _find_edges(values, weights)
        bins = np.searchsorted(edges, values)
        strata = range(len(self.weights))
        rows = np.array(
            [
                (bins == place) & (stratum == part)
                for part in strata
                for place in range(len(edges) + 1)
            ]
        )
        sums = sum_by_patient(self.patient[known], rows, num_resamples, seed).values
        parts = sums.reshape(len(strata), len(edges) + 1, -1)
        shares = np.einsum("p,pbr->br", np.array(self.weights), smooth(parts))
        return Shares(edges, shares, median)


def smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shares of bins, none of them 0.

    Args:
        counts: float64 [..., B, R], number of photographs in each bin.

    >>> smooth(np.array([[4.0], [0.0]])).ravel().tolist()
    [0.9, 0.1]
    """
    raised = counts + _PRIOR
    return np.asarray(raised / raised.sum(axis=-2, keepdims=True))


def make_card_reference(
    model_id: str, predictions: "pd.DataFrame", prevalence: Prevalence | None = None
) -> Reference | None:
    """Return a model's test photographs as the reference of its scores.

    Args:
        model_id: Id of the model.
        predictions: Of `models.lineage.read_predictions`.
        prevalence: Of the clinic: melanomas, other skin cancers and other lesions then count as
            often as there. None to take them as they are; a clinic with fewer melanomas then
            differs, whatever its photographs.

    Returns:
        None if the test photographs lack a kind of lesion that the clinic has.
    """
    probabilities = get_probabilities(predictions)
    names = list_classes(predictions)
    columns = {name: probabilities[:, place] for place, name in enumerate(names)}
    cancers = [columns[name] for name in SKIN_CANCERS if name in columns]
    stratum = np.zeros(len(predictions), dtype=np.intp)
    weights: tuple[float, ...] = (1.0,)
    name = "test photographs of the model"
    if prevalence is not None:
        stratum, weights = _stratify(predictions["label"].astype(str)), prevalence.shares
        name = f"{name}, at the prevalence of the clinic"
        found = np.bincount(stratum[stratum >= 0], minlength=len(weights))
        if any(weight and not count for weight, count in zip(weights, found, strict=True)):
            return None
    return Reference(
        name=name,
        model_id=model_id,
        values={
            Measure.MELANOMA: columns[Diagnosis.MEL],
            Measure.SKIN_CANCER: np.sum(cancers, axis=0),
        },
        patient=number_patients(_find_groups(predictions)),
        stratum=stratum,
        weights=weights,
    )


def make_own_reference(table: PhotographTable, model_id: str = "") -> Reference | None:
    """Return the first months of a record as the reference.

    Args:
        table: Photographs.
        model_id: Id of the model whose scores are compared; "" to compare the photographs alone.

    Returns:
        As many of the first months as have 100 patients together; None if all have fewer.
    """
    if model_id:
        table = table.select(table.model_id == model_id)
    months: list[str] = []
    for month in table.list_months():
        months.append(month)
        part = table.select(np.isin(table.month, months))
        if len(np.unique(part.patient)) >= FEWEST_OF_REFERENCE:
            break
    else:
        return None
    ends = dict.fromkeys((months[0], months[-1]))
    return Reference(
        name=f"the first photographs of this record ({' to '.join(ends)})",
        model_id=model_id,
        values={
            measure: values
            for measure, values in part.values.items()
            if (model_id or not measure.needs_model) and _is_enough(part.patient, values)
        },
        patient=part.patient,
        stratum=np.zeros(len(part.patient), dtype=np.intp),
        months=frozenset(months),
    )


def _is_enough(patient: NDArray[np.integer[Any]], values: NDArray[np.float64]) -> bool:
    return len(np.unique(patient[~np.isnan(values)])) >= FEWEST_PATIENTS


def _find_edges(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the edges of bins of equal mass, and the median."""
    order = np.argsort(values, kind="stable")
    ascending, mass = values[order], np.cumsum(weights[order])
    wanted = np.append(np.arange(1, _NUM_BINS) / _NUM_BINS, 0.5) * mass[-1]
    places = np.minimum(np.searchsorted(mass, wanted - 1e-12), len(values) - 1)
    *quantiles, median = ascending[places]
    edges, counts = np.unique(quantiles, return_counts=True)
    # A value of which there is more than one bin's mass starts its own bin.
    starts = np.nextafter(edges[counts > 1], -np.inf)
    return np.unique(np.concatenate([edges, starts])), float(median)


def _stratify(labels: "pd.Series[str]") -> NDArray[np.intp]:
    """Return 0 for melanoma, 1 for another skin cancer, 2 for the rest, -1 if it is not known."""
    kinds: Mapping[str, int] = {
        **dict.fromkeys((*map(str, Diagnosis), *map(str, RiskTier)), 2),
        **dict.fromkeys(map(str, SKIN_CANCERS), 1),
        str(RiskTier.MALIGNANT): -1,
        str(Diagnosis.MEL): 0,
    }
    return np.array([kinds.get(label, 2) for label in labels], dtype=np.intp)


def _find_groups(predictions: "pd.DataFrame") -> list[str]:
    """Return the group of each photograph; one of its own where the table has none."""
    if "group" not in predictions:
        return [str(row) for row in range(len(predictions))]
    groups = predictions["group"]
    return [
        f"row {row}" if missing else str(group)
        for row, (group, missing) in enumerate(zip(groups, groups.isna(), strict=True))
    ]
