"""95% confidence intervals that account for images of the same lesion.

Ten images of one lesion are not ten independent observations. The intervals therefore resample
lesions with all their images: the cluster bootstrap of Field and Welsh, "Bootstrapping clustered
data" (2007).

A metric and its resamples are one computation: every sum over images is taken once per row of
`Resamples.weights`, and the first row counts each image once. All metrics share the same
resamples, so that their differences are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from melanoma_core.evaluation.figure import Figure

NUM_RESAMPLES = 1000
_TAIL = 0.025  # on each side of a 95% confidence interval


@dataclass(frozen=True, eq=False)
class Resamples:
    """The images and their bootstrap resamples.

    Attributes:
        lesion: int [N], index in [0, K) of each image's lesion.
        weights: float64 [1 + num_resamples, K], how often each lesion was drawn. Row 0 is all
            ones, so that a metric and its resamples are one computation.
    """

    lesion: NDArray[np.intp]
    weights: NDArray[np.float64]

    @property
    def num_lesions(self) -> int:
        """K, the number of lesions."""
        return int(self.weights.shape[1])

    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Compute weighted sums over images.

        Args:
            values: [N], or [M, N] for M sums at once, which is faster than M calls.

        Returns:
            float64 [1 + num_resamples], or [M, 1 + num_resamples].
        """
        rows = np.atleast_2d(values)
        by_lesion = np.stack(
            [np.bincount(self.lesion, row, minlength=self.num_lesions) for row in rows]
        )
        sums = self._weigh(by_lesion)
        return np.asarray(sums[0] if values.ndim == 1 else sums)

    def _weigh(self, by_lesion: NDArray[Any]) -> NDArray[np.float64]:
        """Return weighted sums of what each lesion has, [M, K]: [M, 1 + num_resamples]."""
        return by_lesion @ self.weights.T

    def select(self, rows: NDArray[np.bool_]) -> "Resamples":
        """Return the same resamples restricted to the images of a mask, bool [N]."""
        lesions, lesion = np.unique(self.lesion[rows], return_inverse=True)
        return Resamples(lesion, self.weights[:, lesions])

    def take(self, positions: NDArray[np.intp]) -> "Resamples":
        """Return the same resamples with one image per lesion, at positions int [K] of images."""
        return Resamples(self.lesion[positions], self.weights)

    def count_lesions(self, rows: NDArray[np.bool_]) -> int:
        """Return the number of lesions that the images of a mask, bool [N], show."""
        return len(np.unique(self.lesion[rows]))


def resample_lesions(
    lesion_ids: NDArray[Any], num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Resamples:
    """Draw bootstrap resamples of lesions: with replacement, as many as there are.

    Args:
        lesion_ids: str or int [N], equal for images of the same lesion.
        num_resamples: Number of resamples.
        seed: Makes the resamples repeatable.

    Example:
        >>> resamples = resample_lesions(np.array(["a", "a", "b"]), num_resamples=100)
        >>> resamples.num_lesions, resamples.weights.shape
        (2, (101, 2))
    """
    lesions, lesion = np.unique(lesion_ids, return_inverse=True)
    num_lesions = len(lesions)
    chances = np.full(num_lesions, 1 / num_lesions)
    weights = np.ones((1 + num_resamples, num_lesions))
    weights[1:] = np.random.default_rng(seed).multinomial(num_lesions, chances, size=num_resamples)
    return Resamples(lesion, weights)


def measure_share(
    resamples: Resamples, event: NDArray[np.bool_], among: NDArray[np.bool_]
) -> Figure:
    """Compute the share of images for which an event is true.

    Args:
        resamples: Of the N images.
        event: bool [N].
        among: bool [N], the images in the denominator; if there are none, the share is NaN.

    Example:
        >>> resamples = resample_lesions(np.arange(4))
        >>> event = np.array([True, False, True, True])
        >>> share = measure_share(resamples, event, np.array([True, True, True, False]))
        >>> round(share.value, 3), share.count, share.total
        (0.667, 2, 3)
    """
    return measure_shares(resamples, {"": (event, among)})[""]


def measure_shares(
    resamples: Resamples, shares: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]
) -> dict[str, Figure]:
    """Compute many shares at once, which is much faster than one by one.

    Args:
        resamples: Of the N images.
        shares: By name, (event, among) as in `measure_share`.

    Returns:
        The shares by name.
    """
    if not shares:
        return {}
    hits = np.array([event & among for event, among in shares.values()])
    denominators = np.array([among for _, among in shares.values()])
    values = divide(resamples.sum(hits), resamples.sum(denominators))
    lesions = [resamples.count_lesions(among) for among in denominators]
    return {
        name: to_figure(value, num_lesions, int(hit.sum()), int(among.sum()), num_lesions)
        for name, value, num_lesions, hit, among in zip(
            shares, values, lesions, hits, denominators, strict=True
        )
    }


def divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """Divide element by element; NaN where the denominator is 0.

    Example:
        >>> divide(np.array([1, 1]), np.array([2, 0]))
        array([0.5, nan])
    """
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator > 0))


def to_figure(
    values: NDArray[np.float64], num_cases: int, count: int | None, total: int, num_lesions: int
) -> Figure:
    """Summarise a metric in [0, 1] and its resamples.

    The interval is the percentile interval over the resamples in which the metric is defined. If
    all resamples are equal (no melanoma was missed, for example), that interval has zero width
    however few the cases; `_exact_interval` replaces it.

    Args:
        values: float64 [1 + num_resamples], the metric itself first; NaN where undefined.
        num_cases: Number of lesions that limit the metric's precision: those of its smallest
            group.
        count: Numerator if the metric is a share of images, else None.
        total: Number of images that the metric was computed on.
        num_lesions: Number of lesions that these images show.
    """
    low, high = _interval(values, num_cases)
    return Figure(float(values[0]), low, high, count, total, num_lesions)


def to_difference(values: NDArray[np.float64], total: int, num_lesions: int) -> Figure:
    """Summarise a difference in [-1, 1] and its resamples.

    If all resamples are equal, the interval is NaN: it would have zero width however few the
    images.

    Args:
        values: float64 [1 + num_resamples], the difference itself first; NaN where undefined.
        total: Number of images that the difference was computed on.
        num_lesions: Number of lesions that these images show.
    """
    low, high = quantiles(values)
    if low == high:
        low = high = np.nan
    return Figure(float(values[0]), low, high, None, total, num_lesions)


def quantiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the central 95% range of the resamples `values[1:]`; NaN if all are undefined."""
    resampled = values[1:][~np.isnan(values[1:])]
    if not len(resampled):
        return np.nan, np.nan
    low, high = np.quantile(resampled, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def compute_band(
    values: NDArray[np.float64], num_cases: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the interval at every point of a curve in [0, 1], computed as by `to_figure`.

    Args:
        values: float64 [1 + num_resamples, G], the curve itself first; NaN where undefined.
        num_cases: float [G], above 0: number of lesions that limit the precision at each point.

    Returns:
        The lower and the upper ends, G each.
    """
    intervals = [
        _interval(column, cases) for column, cases in zip(values.T, num_cases, strict=True)
    ]
    return tuple(low for low, _ in intervals), tuple(high for _, high in intervals)


def _exact_interval(value: float, num_cases: float) -> tuple[float, float]:
    """Return the Clopper–Pearson interval of a share of `num_cases` lesions.

    Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data" (1998), apply the exact interval to the effective
    number of independent cases, which need not be an integer. Here one lesion is one case, however
    many images it has.

    The interval is conservative for the other metrics too. An AUC of 1 ranks every pair of a
    melanoma and another lesion correctly, and at least as many pairs as the smaller group has
    lesions are independent. A balanced accuracy is at least the recall of its worst class, which
    has at least as many lesions as the smallest class.
    """
    hits = value * num_cases
    misses = num_cases - hits
    low = float(betaincinv(hits, misses + 1, _TAIL)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - _TAIL)) if misses > 0 else 1.0
    return low, high


def _interval(values: NDArray[np.float64], num_cases: float) -> tuple[float, float]:
    value = float(values[0])
    low, high = quantiles(values)
    if np.isnan(value) or np.isnan(low):
        return np.nan, np.nan
    # A group of one lesion cannot vary either: a resample contains it or the metric is undefined.
    if low == high or num_cases == 1:
        return _exact_interval(value, num_cases)
    # Resampling adds noise, which only increases a calibration error: the value may lie below.
    return min(low, value), max(high, value)
