"""How unlike the photographs of the train subset a photograph is.

The Mahalanobis distance of its features to the nearest diagnosis: Lee et al., "A simple unified
framework for detecting out-of-distribution samples and adversarial attacks" (2018,
arXiv:1807.03888). Who is far from all of them was not learned from, whatever the network says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import draw_lesions, measure_share

if TYPE_CHECKING:
    import pandas as pd

# Of real lesions that may be refused where the limit is chosen: a quarter of the 2% that a clinic
# bears, since a collection from elsewhere is refused up to ten times as often as one's own, and of
# that no more than 5% should be (`measure_left_out`; docs/network.md has the figures).
LARGEST_SHARE = 0.005
_NUM_RESAMPLES = 1000
_FEWEST = 50  # photographs that are left to fit and to choose on, where a collection is left out


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What the features of known photographs look like: a normal distribution per diagnosis.

    Attributes:
        means: float64 [C, D], the mean of each diagnosis that occurs.
        precision_root: float64 [D, D], the inverse of the Cholesky factor of the covariance that
            all of them share: multiplied with it, features are uncorrelated, of variance 1.
    """

    means: NDArray[np.float64]
    precision_root: NDArray[np.float64]

    def measure(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the Mahalanobis distance to the nearest mean.

        Args:
            features: float [N, D].

        Returns:
            float64 [N], at least 0, in standard deviations.
        """
        whitened = features.astype(np.float64) @ self.precision_root.T
        centres = self.means @ self.precision_root.T
        distances = [np.linalg.norm(whitened - centre, axis=1) for centre in centres]
        return np.asarray(np.min(distances, axis=0))


def fit_familiarity(
    features: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> Familiarity:
    """Fit the distributions to known photographs.

    The covariance is shrunk towards a multiple of the identity by as much as Ledoit and Wolf
    (2004, doi:10.1016/S0047-259X(03)00096-4) find best, so that it can be inverted however few
    the photographs are.

    Args:
        features: float [N, D].
        labels: int [N], the diagnosis of each.

    Raises:
        DatasetError: There are fewer than two photographs, or all of them are the same one.
        ValueError: The arrays do not fit together.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(f"features {features.shape} and labels {labels.shape} must be [N, D], [N]")
    if len(features) < 2:
        raise DatasetError(
            f"Found {len(features)} photographs to learn from what a lesion looks like. At least "
            "2 are needed. Add photographs to the train subset."
        )
    exact = features.astype(np.float64)
    classes, members = np.unique(labels, return_inverse=True)
    means = np.stack([exact[members == index].mean(axis=0) for index in range(len(classes))])
    covariance, _ = ledoit_wolf(exact - means[members], assume_centered=True)
    if not np.trace(covariance) > 0:
        # One photograph per diagnosis, or the same one over and over: nothing varies.
        raise DatasetError(
            f"Found {len(features)} photographs that do not differ within a diagnosis. What is "
            "usual cannot be told from them. Add photographs to the train subset."
        )
    root = np.linalg.cholesky(covariance)
    return Familiarity(means, np.linalg.inv(root))


def choose_limit(distances: NDArray[np.floating[Any]], largest_share: float) -> float:
    """Return the smallest limit that refuses at most a share of known photographs.

    Refused is what lies beyond the limit, so that the limit is the distance of one of them.

    Args:
        distances: float [N], of photographs that the distributions were not fitted to.
        largest_share: Of them that may be refused, in [0, 1).

    Raises:
        DatasetError: There is no photograph.
        ValueError: The share is out of its range.
    """
    if not 0 <= largest_share < 1:
        raise ValueError(f"largest_share is {largest_share}; it must be in [0, 1)")
    if not len(distances):
        raise DatasetError(
            "Found no photograph to choose the limit of novelty on. At least 1 is needed. Add "
            "photographs to the validation subset."
        )
    descending = np.sort(distances)[::-1]
    # Divided and compared, not multiplied and rounded down: 0.07 × 100 is 7.000000000000001.
    shares = np.arange(len(descending)) / len(descending)
    return float(descending[np.flatnonzero(shares <= largest_share)[-1]])


@dataclass(frozen=True, eq=False)
class Collections:
    """Where N photographs come from.

    Attributes:
        labels: int [N], the diagnosis.
        groups: int [N], equal for photographs that must stay together (`splitting.Split`).
        subsets: str [N], "train", "validation" or "test".
        sources: str [N], the collection.
    """

    labels: NDArray[np.integer[Any]]
    groups: NDArray[np.integer[Any]]
    subsets: NDArray[np.str_]
    sources: NDArray[np.str_]


def describe_collections(table: "pd.DataFrame") -> Collections:
    """Return what fitting and measuring need of a split's table (`Split.table`)."""
    return Collections(
        labels=np.unique(table["label"].astype(str), return_inverse=True)[1],
        groups=table["group"].to_numpy(),
        subsets=table["subset"].to_numpy().astype(str),
        sources=table["source"].to_numpy().astype(str),
    )


def measure_refused_share(refused: NDArray[np.bool_], groups: NDArray[np.integer[Any]]) -> Figure:
    """Return the share of N photographs that is refused, with its interval; N above 0.

    Args:
        refused: bool [N].
        groups: int [N], equal for photographs that resemble each other, as those of one lesion.
    """
    draws = draw_lesions(groups, _NUM_RESAMPLES, seed=0)
    return measure_share(draws, refused, np.ones(len(refused), dtype=bool))


def measure_refused(refused: NDArray[np.bool_], collections: Collections) -> dict[str, Figure]:
    """Measure the share that is refused of validation, of test, and of each collection in test.

    Args:
        refused: bool [N].
        collections: Of the same photographs.

    Returns:
        By "validation", "test" and "test/<collection>"; what holds no photograph is not there.
    """
    rows = {name: collections.subsets == name for name in ("validation", "test")}
    in_test = rows["test"]
    rows |= {
        f"test/{source}": in_test & (collections.sources == source)
        for source in np.unique(collections.sources[in_test]).tolist()
    }
    return {
        name: measure_refused_share(refused[members], collections.groups[members])
        for name, members in rows.items()
        if members.any()
    }


def measure_left_out(
    features: NDArray[np.floating[Any]],
    collections: Collections,
    largest_share: float,
    sources: Sequence[str] | None = None,
) -> dict[str, Figure]:
    """Measure what would be refused of each collection, had it never been seen.

    The collection is left out of the fit and of the choice of the limit, and so is all that
    shares a group with it; then all of it is measured.

    Args:
        features: float [N, D].
        collections: Of the same photographs.
        largest_share: As `choose_limit`.
        sources: The collections to leave out, one after another; by default each.

    Returns:
        By "<collection> left out". A collection without which there is nothing to fit or to
        choose on is not there.
    """
    measured = {}
    for source in sources or np.unique(collections.sources).tolist():
        own = collections.sources == source
        rest = ~np.isin(collections.groups, collections.groups[own])
        fitted = rest & (collections.subsets == "train")
        chosen_on = rest & (collections.subsets == "validation")
        if fitted.sum() < _FEWEST or chosen_on.sum() < _FEWEST:
            continue
        familiarity = fit_familiarity(features[fitted], collections.labels[fitted])
        limit = choose_limit(familiarity.measure(features[chosen_on]), largest_share)
        beyond = familiarity.measure(features[own]) > limit
        measured[f"{source} left out"] = measure_refused_share(beyond, collections.groups[own])
    return measured
