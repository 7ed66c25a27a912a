"""Out-of-distribution (OOD) check: how unlike the training photographs a photograph is.

The score is the Mahalanobis distance of a photograph's features to the nearest diagnosis: Lee et
al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks"
(2018, arXiv:1807.03888). For a photograph that is far from all diagnoses the network's probability
has no meaning. Model cards and code call the score `novelty`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import measure_share, resample_lesions
from melanoma_core.evaluation.subsets import TEST, make_key

if TYPE_CHECKING:
    import pandas as pd

# Largest share of real lesions refused on validation: a quarter of the 2% that a clinic accepts. A
# collection that was not used in training is refused up to ten times as often, and no more than 5%
# of it should be (`measure_left_out`; docs/network.md has the numbers).
LARGEST_SHARE = 0.005
_FEWEST = 50  # images needed to fit and to choose the limit when a collection is left out


@dataclass(frozen=True, eq=False)
class FeatureDistribution:
    """Distribution of the features of training images: one normal distribution per diagnosis.

    Attributes:
        means: float64 [C, D], the mean of each diagnosis that occurs.
        precision_root: float64 [D, D], the inverse of the Cholesky factor of the covariance that
            all diagnoses share. Features multiplied by it are uncorrelated and have variance 1.
    """

    means: NDArray[np.float64]
    precision_root: NDArray[np.float64]

    def measure(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Compute the Mahalanobis distance to the nearest mean.

        Args:
            features: float [N, D].

        Returns:
            float64 [N], at least 0, in standard deviations.

        Example:
            >>> distribution = FeatureDistribution(np.array([[0.0, 0.0]]), np.eye(2))
            >>> distribution.measure(np.array([[3.0, 4.0]]))
            array([5.])
        """
        whitened = features.astype(np.float64) @ self.precision_root.T
        centres = self.means @ self.precision_root.T
        distances = [np.linalg.norm(whitened - centre, axis=1) for centre in centres]
        return np.asarray(np.min(distances, axis=0))


def fit_feature_distribution(
    features: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> FeatureDistribution:
    """Fit the distribution to training images.

    The covariance is shrunk towards a multiple of the identity by the amount of Ledoit and Wolf
    (2004, doi:10.1016/S0047-259X(03)00096-4), so that it can be inverted however few the images.

    Args:
        features: float [N, D].
        labels: int [N], the diagnosis of each image.

    Raises:
        DatasetError: There are fewer than two images, or the images of each diagnosis are equal.
        ValueError: The arrays do not fit together.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(f"features {features.shape} and labels {labels.shape} must be [N, D], [N]")
    if len(features) < 2:
        raise DatasetError(
            f"Found {len(features)} photographs in the train subset. The out-of-distribution check "
            "needs at least 2. Add photographs to the train subset."
        )
    exact = features.astype(np.float64)
    classes, members = np.unique(labels, return_inverse=True)
    means = np.stack([exact[members == index].mean(axis=0) for index in range(len(classes))])
    covariance, _ = ledoit_wolf(exact - means[members], assume_centered=True)
    if not np.trace(covariance) > 0:
        # Each diagnosis has one image, or copies of one image.
        raise DatasetError(
            f"Found {len(features)} photographs that do not differ within a diagnosis. The "
            "out-of-distribution check needs photographs that differ. Add photographs to the "
            "train subset."
        )
    root = np.linalg.cholesky(covariance)
    return FeatureDistribution(means, np.linalg.inv(root))


def choose_limit(distances: NDArray[np.floating[Any]], largest_share: float) -> float:
    """Return the smallest limit that refuses at most a given share of images.

    An image is refused if its distance exceeds the limit. The limit equals one of the distances.

    Args:
        distances: float [N], of images that the distribution was not fitted to.
        largest_share: Largest share of them that may be refused, in [0, 1).

    Raises:
        DatasetError: There is no image.
        ValueError: The share is out of range.

    Example:
        >>> choose_limit(np.array([1.0, 4.0, 2.0, 3.0]), largest_share=0.25)
        3.0
    """
    if not 0 <= largest_share < 1:
        raise ValueError(f"largest_share is {largest_share}; it must be in [0, 1)")
    if not len(distances):
        raise DatasetError(
            "Found no photograph in the validation subset. The out-of-distribution limit needs at "
            "least 1. Add photographs to the validation subset."
        )
    descending = np.sort(distances)[::-1]
    # Divide and compare rather than multiply and round down: 0.07 × 100 is 7.000000000000001.
    shares = np.arange(len(descending)) / len(descending)
    return float(descending[np.flatnonzero(shares <= largest_share)[-1]])


@dataclass(frozen=True, eq=False)
class ImageOrigins:
    """Label, group, subset and source of N images.

    Attributes:
        labels: int [N], the diagnosis.
        groups: int [N], equal for images that share a lesion, a patient or a copy.
        subsets: str [N], "train", "validation" or "test".
        sources: str [N], the collection.
    """

    labels: NDArray[np.integer[Any]]
    groups: NDArray[np.integer[Any]]
    subsets: NDArray[np.str_]
    sources: NDArray[np.str_]


def get_origins(table: "pd.DataFrame") -> ImageOrigins:
    """Return the origins of the images in a split's table (`Split.table`)."""
    return ImageOrigins(
        labels=np.unique(table["label"].astype(str), return_inverse=True)[1],
        groups=table["group"].to_numpy(),
        subsets=table["subset"].to_numpy().astype(str),
        sources=table["source"].to_numpy().astype(str),
    )


def measure_refused_share(refused: NDArray[np.bool_], groups: NDArray[np.integer[Any]]) -> Figure:
    """Compute the share of N images that is refused, with its confidence interval; N above 0.

    Args:
        refused: bool [N].
        groups: int [N], equal for images that are not independent, as those of one lesion.

    Example:
        >>> measure_refused_share(np.array([True, False, False, False]), np.arange(4)).value
        0.25
    """
    return measure_share(resample_lesions(groups), refused, np.ones(len(refused), dtype=bool))


def measure_refused(refused: NDArray[np.bool_], origins: ImageOrigins) -> dict[str, Figure]:
    """Compute the refused share of validation, of test, and of each collection in test.

    Args:
        refused: bool [N].
        origins: Of the same images.

    Returns:
        Shares by "validation", "test" and "test/<collection>", without those that have no image.
    """
    rows = {name: origins.subsets == name for name in ("validation", TEST)}
    in_test = rows[TEST]
    rows |= {
        make_key(source): in_test & (origins.sources == source)
        for source in np.unique(origins.sources[in_test]).tolist()
    }
    return {
        name: measure_refused_share(refused[members], origins.groups[members])
        for name, members in rows.items()
        if members.any()
    }


def measure_left_out(
    features: NDArray[np.floating[Any]],
    origins: ImageOrigins,
    largest_share: float,
    sources: Sequence[str] | None = None,
) -> dict[str, Figure]:
    """Compute the refused share of each collection if it had not been used in training.

    The collection and all images that share a group with it are left out of the fit and of the
    choice of the limit; the share is then computed on the whole collection.

    Args:
        features: float [N, D].
        origins: Of the same images.
        largest_share: As in `choose_limit`.
        sources: The collections to leave out, one at a time; all of them by default.

    Returns:
        Shares by "<collection> left out", without collections that leave too few images to fit
        the distribution or to choose the limit.
    """
    measured = {}
    for source in sources or np.unique(origins.sources).tolist():
        own = origins.sources == source
        rest = ~np.isin(origins.groups, origins.groups[own])
        fitted = rest & (origins.subsets == "train")
        chosen_on = rest & (origins.subsets == "validation")
        if fitted.sum() < _FEWEST or chosen_on.sum() < _FEWEST:
            continue
        distribution = fit_feature_distribution(features[fitted], origins.labels[fitted])
        limit = choose_limit(distribution.measure(features[chosen_on]), largest_share)
        beyond = distribution.measure(features[own]) > limit
        measured[f"{source} left out"] = measure_refused_share(beyond, origins.groups[own])
    return measured
