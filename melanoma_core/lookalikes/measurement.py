"""Measure how often the nearest lesions have the same diagnosis.

Measured with the bundled model at 5 neighbours, its own test subset of HAM10000 and ISIC 2017, and
BCN20000 at 84×84 pixels, which it has never seen; without what is out of distribution:

* Test subset, 1,849 photographs of 1,439 lesions: 0.459 (95% CI 0.399-0.519) of the lesions near a
  melanoma are melanomas, 0.076 (0.068-0.085) of those near another lesion, 0.105 by chance.
  0.748 (0.730-0.765) have the same diagnosis, 0.493 by chance.
* BCN20000, 9,179 photographs of 3,146 lesions: 0.389 (0.361-0.416), 0.128 (0.121-0.135), 0.145 by
  chance; same diagnosis 0.507 (0.495-0.519), 0.248 by chance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import Resamples, divide, resample_lesions, to_figure
from melanoma_core.taxonomy import Diagnosis

NUM_NEIGHBOURS = 5
_ROWS_PER_BLOCK = 512  # their products with 100,000 photographs take 200 MB


@dataclass(frozen=True)
class Neighbourhood:
    """What the nearest lesions are, among lesions of other patients.

    Attributes:
        number: How many of the nearest lesions were counted.
        melanoma: Mean share of melanomas near a melanoma; NaN without melanomas.
        other: Mean share of melanomas near another lesion.
        melanoma_by_chance: Share of melanomas among all lesions.
        same: Mean share of lesions with the same diagnosis, by diagnosis.
        same_by_chance: Share of each diagnosis among all lesions.
        same_overall: Mean share of lesions with the same diagnosis.
    """

    number: int
    melanoma: Figure
    other: Figure
    melanoma_by_chance: float
    same: dict[str, Figure]
    same_by_chance: dict[str, float]
    same_overall: Figure


def measure_neighbourhood(
    vectors: NDArray[np.float32],
    labels: NDArray[Any],
    lesions: NDArray[Any],
    groups: NDArray[Any],
    number: int = NUM_NEIGHBOURS,
) -> Neighbourhood:
    """Measure what the nearest lesions of each photograph are.

    Each photograph is searched among all others, as in `index.find_lookalikes`: each lesion counts
    once, and lesions of its own group (its lesion, its patient, its copies) are left out.

    Args:
        vectors: float32 [N, d], of length 1 (`projection.project`).
        labels: str [N], diagnoses or risk tiers.
        lesions: [N], equal for photographs of one lesion.
        groups: [N], equal for photographs of one lesion or patient, and for copies.
        number: How many of the nearest lesions to count.

    Raises:
        DatasetError: There are fewer lesions of other groups than are to be counted.
    """
    _, first, lesion = np.unique(lesions, return_index=True, return_inverse=True)
    label_of_lesion = labels[first]
    nearest = _find_nearest(vectors, lesion, np.unique(groups, return_inverse=True)[1], number)
    found = label_of_lesion[nearest]
    resamples = resample_lesions(lesion)
    is_melanoma = labels == Diagnosis.MEL
    share = (found == Diagnosis.MEL).mean(axis=1)
    same = (found == labels[:, None]).mean(axis=1)
    names = [str(name) for name in np.unique(labels)]
    return Neighbourhood(
        number=number,
        melanoma=_measure_mean(resamples, share, is_melanoma),
        other=_measure_mean(resamples, share, ~is_melanoma),
        melanoma_by_chance=float((label_of_lesion == Diagnosis.MEL).mean()),
        same={name: _measure_mean(resamples, same, labels == name) for name in names},
        same_by_chance={name: float((label_of_lesion == name).mean()) for name in names},
        same_overall=_measure_mean(resamples, same, np.ones(len(labels), dtype=bool)),
    )


def _find_nearest(
    vectors: NDArray[np.float32], lesion: NDArray[np.intp], group: NDArray[np.intp], number: int
) -> NDArray[np.intp]:
    """Return the nearest lesions of other groups for each photograph, int [N, number]."""
    order = np.argsort(lesion, kind="stable")
    starts = np.flatnonzero(np.diff(lesion[order], prepend=-1))
    by_lesion, group_of_lesion = vectors[order], group[order][starts]
    nearest = []
    for start in range(0, len(vectors), _ROWS_PER_BLOCK):
        rows = slice(start, start + _ROWS_PER_BLOCK)
        products = np.maximum.reduceat(vectors[rows] @ by_lesion.T, starts, axis=1)
        products[group[rows, None] == group_of_lesion] = -np.inf
        if ((products > -np.inf).sum(axis=1) < number).any():
            raise DatasetError(
                f"Found fewer than {number} lesions of other patients beside a lesion. At least "
                f"{number} are needed. Name a folder with more lesions."
            )
        nearest.append(np.argsort(-products, axis=1, kind="stable")[:, :number])
    return np.concatenate(nearest)


def _measure_mean(
    resamples: Resamples, values: NDArray[np.float64], among: NDArray[np.bool_]
) -> Figure:
    means = divide(
        resamples.sum(np.where(among, values, 0.0)), resamples.sum(among.astype(np.float64))
    )
    num_lesions = resamples.count_lesions(among)
    means = means.round(12)  # equal resamples are then equal, whatever the order of their sums
    return to_figure(means, num_lesions, None, int(among.sum()), num_lesions)
