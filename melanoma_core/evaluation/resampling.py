"""Intervals that know that photographs of one lesion resemble each other.

Ten photographs of one lesion are not ten pieces of evidence. The intervals therefore come from
resampling lesions with all their images: the cluster bootstrap, Field and Welsh, "Bootstrapping
clustered data" (2007).

A figure and its resamples are one computation: every sum over images is taken once per row of
`Draws.weights`, the first of which counts each image once. All figures share the same resamples,
so that their differences are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from melanoma_core.evaluation.figure import Figure

TAIL = 0.025  # each side of a 95% interval


@dataclass(frozen=True, eq=False)
class Draws:
    """The images as they are and as each resample weighs them.

    Attributes:
        lesion: int [N], index in [0, K) of each image's lesion.
        weights: float64 [1 + num_resamples, K], how often each lesion was drawn. Row 0 is all
            ones, so that a figure and its resamples are one computation.
    """

    lesion: NDArray[np.intp]
    weights: NDArray[np.float64]

    @property
    def num_lesions(self) -> int:
        """K, the number of lesions."""
        return int(self.weights.shape[1])

    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return weighted sums over images.

        Args:
            values: [N], or [M, N] for M sums at once, which is faster than one after another.

        Returns:
            float64 [1 + num_resamples], or [M, 1 + num_resamples].
        """
        rows = np.atleast_2d(values)
        by_lesion = np.stack(
            [np.bincount(self.lesion, row, minlength=self.num_lesions) for row in rows]
        )
        sums = by_lesion @ self.weights.T
        return np.asarray(sums[0] if values.ndim == 1 else sums)

    def take(self, among: NDArray[np.bool_]) -> "Draws":
        """Return the same resamples of the images of a mask [N] alone."""
        lesions, lesion = np.unique(self.lesion[among], return_inverse=True)
        return Draws(lesion, self.weights[:, lesions])

    def count_lesions(self, among: NDArray[np.bool_]) -> int:
        """Return the number of lesions that the images of a mask [N] show."""
        return len(np.unique(self.lesion[among]))


def draw_lesions(lesion_ids: NDArray[Any], num_resamples: int, seed: int) -> Draws:
    """Draw the lesions with replacement, as many as there are, `num_resamples` times.

    Args:
        lesion_ids: str or int [N], which images show the same lesion.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.
    """
    lesions, lesion = np.unique(lesion_ids, return_inverse=True)
    num_lesions = len(lesions)
    chances = np.full(num_lesions, 1 / num_lesions)
    weights = np.ones((1 + num_resamples, num_lesions))
    weights[1:] = np.random.default_rng(seed).multinomial(num_lesions, chances, size=num_resamples)
    return Draws(lesion, weights)


def measure_share(draws: Draws, event: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
    """Measure the share of images in which something happened.

    Args:
        draws: The resamples.
        event: bool [N], whether it happened.
        among: bool [N], the images that are asked; none makes the share undefined.
    """
    return measure_shares(draws, {"": (event, among)})[""]


def measure_shares(
    draws: Draws, shares: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]
) -> dict[str, Figure]:
    """Measure many shares at once, which is much faster; each is (event, among), by its name."""
    if not shares:
        return {}
    hits = np.array([event & among for event, among in shares.values()])
    asked = np.array([among for _, among in shares.values()])
    values = divide(draws.sum(hits), draws.sum(asked))
    lesions = [draws.count_lesions(among) for among in asked]
    return {
        name: to_figure(value, num_lesions, int(hit.sum()), int(among.sum()), num_lesions)
        for name, value, num_lesions, hit, among in zip(
            shares, values, lesions, hits, asked, strict=True
        )
    }


def divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """Divide element by element; NaN where the denominator is 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator > 0))


def to_figure(
    values: NDArray[np.float64], num_cases: int, count: int | None, total: int, num_lesions: int
) -> Figure:
    """Summarise a figure in [0, 1] and its resamples.

    The interval is the percentile interval over those resamples in which the figure is defined.
    Where no resample differs from another (no melanoma missed, say), that interval has no width
    however few the cases, and the one of `exact_interval` stands instead.

    Args:
        values: float64 [1 + num_resamples], the figure itself first; NaN where undefined.
        num_cases: Lesions that the figure hangs on: those of its smallest group.
        count: As in `Figure`, and so are the others.
        total: Likewise.
        num_lesions: Likewise.
    """
    low, high = _interval(values, num_cases)
    return Figure(float(values[0]), low, high, count, total, num_lesions)


def to_difference(values: NDArray[np.float64], total: int, num_lesions: int) -> Figure:
    """Summarise a difference in [-1, 1] and its resamples.

    Where no resample differs from another, there is no interval: it would have no width, however
    few the images.

    Args:
        values: float64 [1 + num_resamples], the difference itself first; NaN where undefined.
        total: As in `Figure`, and so is the other.
        num_lesions: Likewise.
    """
    low, high = quantiles(values)
    if low == high:
        low = high = np.nan
    return Figure(float(values[0]), low, high, None, total, num_lesions)


def quantiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the middle 95% of the resamples, values[1:]; NaN where none is defined."""
    resampled = values[1:][~np.isnan(values[1:])]
    if not len(resampled):
        return np.nan, np.nan
    low, high = np.quantile(resampled, [TAIL, 1 - TAIL])
    return float(low), float(high)


def draw_band(
    values: NDArray[np.float64], num_cases: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the interval of every point of a curve in [0, 1], as `to_figure` makes one.

    Args:
        values: float64 [1 + num_resamples, G], the curve itself first; a resample in which it is
            undefined is NaN.
        num_cases: float [G], above 0: lesions that each point hangs on.
    """
    intervals = [
        _interval(column, cases) for column, cases in zip(values.T, num_cases, strict=True)
    ]
    return tuple(low for low, _ in intervals), tuple(high for _, high in intervals)


def exact_interval(value: float, num_cases: float) -> tuple[float, float]:
    """Return the Clopper–Pearson interval of a share of `num_cases` lesions.

    Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data" (1998): the exact interval on the number of
    independent cases, whole or not. Here one lesion is one case, however many its images.

    It is conservative for the other figures too. An AUC of 1 ranks every pair of a melanoma and
    another lesion rightly, and as many pairs as the smaller group has lesions are independent.
    A balanced accuracy is at least the recall of its worst class, which has at least the
    lesions of the smallest class.
    """
    hits = value * num_cases
    misses = num_cases - hits
    low = float(betaincinv(hits, misses + 1, TAIL)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - TAIL)) if misses > 0 else 1.0
    return low, high


def _interval(values: NDArray[np.float64], num_cases: float) -> tuple[float, float]:
    value = float(values[0])
    low, high = quantiles(values)
    if np.isnan(value) or np.isnan(low):
        return np.nan, np.nan
    # A group of one lesion cannot vary either: it is drawn or the figure is undefined.
    if low == high or num_cases == 1:
        return exact_interval(value, num_cases)
    # Resampling adds noise, which only adds to a calibration error: its value may lie below.
    return min(low, value), max(high, value)
