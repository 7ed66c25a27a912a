"""Figures of a network on images that it was not trained on, each with its interval.

Photographs of one lesion resemble each other, so that ten of them are not ten pieces of
evidence. The intervals therefore come from resampling lesions with all their images: the
cluster bootstrap, Field and Welsh, "Bootstrapping clustered data" (2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from melanoma_core.evaluation.figure import Figure

_TAIL = 0.025  # each side of a 95% interval
_NUM_BINS = 10


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    class_names: Sequence[str],
    melanoma_index: int,
    threshold: float | None,
    *,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Measure a network, every figure with its 95% interval.

    The interval is the percentile interval of the cluster bootstrap, over those resamples in
    which the figure is defined; all figures share the same resamples. Where no resample
    differs from another (no melanoma missed, say), that interval has no width however few the
    cases, and the one of Korn and Graubard (1998) stands instead: see `_exact_interval`.

    The calibration error is that of the probability of melanoma: the expected calibration
    error of Naeini et al. (2015), in 10 bins of equal mass after Nixon et al. (2019). It is
    never negative, so that chance only adds to it: on few images a perfectly calibrated
    network scores above 0, and its interval lies above 0.

    Args:
        probabilities: float [N, C], calibrated, in [0, 1].
        labels: int [N], index of the true class, in [0, C).
        lesion_ids: str or int [N], which images show the same lesion; none missing.
        class_names: C diagnosis codes, in the order of the columns.
        melanoma_index: Position of melanoma in `class_names`.
        threshold: A probability of melanoma at or above it is an alert, in [0, 1]. None for
            networks that have none yet: an alert is then melanoma put first, that is, the class
            with the largest probability.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Returns:
        "accuracy", "balanced_accuracy" (mean recall of the classes that occur),
        "melanoma_roc_auc", "sensitivity" and "specificity" (of the alert),
        "calibration_error", and "recall_<CODE>" of each class. NaN where undefined.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    _check_images(probabilities, labels, lesion_ids, len(class_names))
    _check_alert(melanoma_index, len(class_names), threshold)
    draws = _draw_lesions(lesion_ids, num_resamples, seed)
    exact = probabilities.astype(np.float64)
    predicted = exact.argmax(axis=1)
    melanoma_probability = exact[:, melanoma_index]
    is_melanoma = labels == melanoma_index
    put_first = predicted == melanoma_index
    alert = put_first if threshold is None else melanoma_probability >= threshold
    everyone = np.ones(len(labels), dtype=bool)
    return {
        "accuracy": _measure_share(draws, predicted == labels, everyone),
        "balanced_accuracy": _measure_balanced_accuracy(draws, predicted, labels),
        "melanoma_roc_auc": _measure_roc_auc(draws, melanoma_probability, is_melanoma),
        "sensitivity": _measure_share(draws, alert, is_melanoma),
        "specificity": _measure_share(draws, ~alert, ~is_melanoma),
        "calibration_error": _measure_calibration_error(draws, melanoma_probability, is_melanoma),
    } | {
        f"recall_{name}": _measure_share(draws, predicted == index, labels == index)
        for index, name in enumerate(class_names)
    }


def compare(
    probabilities: NDArray[np.floating[Any]],
    others: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    melanoma_index: int,
    *,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Measure how far one network is ahead of another on the same images.

    Both are measured in each resample of lesions, so that what makes a resample easy or hard for
    both does not widen the interval of the difference. Where no resample differs from another,
    there is no interval: it would have no width, however few the images.

    Args:
        probabilities: float [N, C], of the one network.
        others: float [N, C], of the other.
        labels: int [N], index of the true class, in [0, C).
        lesion_ids: str or int [N], which images show the same lesion; none missing.
        melanoma_index: Position of melanoma.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Returns:
        "accuracy" and "melanoma_roc_auc" of the one less those of the other, in [-1, 1]. NaN
        where undefined.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    num_classes = probabilities.shape[-1]
    for each in (probabilities, others):
        _check_images(each, labels, lesion_ids, num_classes)
    _check_alert(melanoma_index, num_classes, None)
    draws = _draw_lesions(lesion_ids, num_resamples, seed)
    is_melanoma = labels == melanoma_index
    num_drawn = draws.sum(np.ones(len(labels)))
    shares, areas = [], []
    for each in (probabilities, others):
        exact = each.astype(np.float64)
        shares.append(draws.sum(exact.argmax(axis=1) == labels) / num_drawn)
        areas.append(_rank_pairs(draws, exact[:, melanoma_index], is_melanoma))
    return {
        "accuracy": _to_difference(draws, shares[0] - shares[1], len(labels)),
        "melanoma_roc_auc": _to_difference(draws, areas[0] - areas[1], len(labels)),
    }


@dataclass(frozen=True, eq=False)
class _Draws:
    """The images as they are and as each resample weighs them.

    Attributes:
        lesion: int [N], index in [0, K) of each image's lesion.
        weights: float64 [1 + num_resamples, K], how often each lesion was drawn. Row 0 is all
            ones, so that a figure and its resamples are one computation.
    """

    lesion: NDArray[np.intp]
    weights: NDArray[np.float64]

    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the weighted sum of `values` [N] in each row, float64 [1 + num_resamples]."""
        by_lesion = np.bincount(self.lesion, values, minlength=self.weights.shape[1])
        return np.asarray(self.weights @ by_lesion)

    def weigh(self, images: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the weights of some images, float64 [1 + num_resamples, len(images)]."""
        return np.asarray(self.weights[:, self.lesion[images]])

    def count_lesions(self, among: NDArray[np.bool_]) -> int:
        """Return the number of lesions that the images of a mask [N] show."""
        return len(np.unique(self.lesion[among]))


def _draw_lesions(lesion_ids: NDArray[Any], num_resamples: int, seed: int) -> _Draws:
    lesions, lesion = np.unique(lesion_ids, return_inverse=True)
    num_lesions = len(lesions)
    chances = np.full(num_lesions, 1 / num_lesions)
    drawn = np.random.default_rng(seed).multinomial(num_lesions, chances, size=num_resamples)
    return _Draws(lesion, np.vstack([np.ones(num_lesions), drawn]))


def _measure_share(draws: _Draws, event: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
    num_lesions = draws.count_lesions(among)
    values = _divide(draws.sum(event & among), draws.sum(among))
    count = int((event & among).sum())
    return _to_figure(values, num_lesions, count, int(among.sum()), num_lesions)


def _measure_balanced_accuracy(
    draws: _Draws, predicted: NDArray[np.intp], labels: NDArray[np.integer[Any]]
) -> Figure:
    classes = [labels == index for index in np.unique(labels)]
    recalls = [
        _divide(draws.sum((predicted == labels) & members), draws.sum(members))
        for members in classes
    ]
    # A class that a resample does not hold is NaN there: the mean is of those that occur.
    values = np.nanmean(recalls, axis=0)
    fewest = min(draws.count_lesions(members) for members in classes)
    return _to_figure(values, fewest, None, len(labels), draws.weights.shape[1])


def _measure_roc_auc(
    draws: _Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Figure:
    values = _rank_pairs(draws, score, is_positive)
    fewest = min(draws.count_lesions(is_positive), draws.count_lesions(~is_positive))
    return _to_figure(values, fewest, None, len(score), draws.weights.shape[1])


def _rank_pairs(
    draws: _Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the share of pairs, one of each kind, that the score ranks rightly; ties half."""
    positives, negatives = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    negatives = negatives[np.argsort(score[negatives])]
    # Weight of the negatives below each positive, in every row at once: a running sum over the
    # negatives in order, read where the positive would stand before and after its ties.
    positive_weights = draws.weigh(positives)
    running = np.pad(np.cumsum(draws.weigh(negatives), axis=1), ((0, 0), (1, 0)))
    below = running[:, np.searchsorted(score[negatives], score[positives], side="left")]
    up_to = running[:, np.searchsorted(score[negatives], score[positives], side="right")]
    won = (positive_weights * (below + up_to) / 2).sum(axis=1)
    return _divide(won, positive_weights.sum(axis=1) * running[:, -1])


def _measure_calibration_error(
    draws: _Draws, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Figure:
    """Measure how far probability and frequency lie apart, averaged over bins of images.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015); bins
    of equal mass after Nixon et al., "Measuring calibration in deep learning" (2019).
    """
    # Equal probabilities share a bin, so that the order of the images does not matter.
    edges = np.quantile(probability, np.arange(1, _NUM_BINS) / _NUM_BINS)
    image_bins = np.searchsorted(edges, probability)
    gaps = np.where(is_event, 1 - probability, -probability)
    errors = [np.abs(draws.sum(gaps * (image_bins == index))) for index in range(_NUM_BINS)]
    values = np.sum(errors, axis=0) / draws.sum(np.ones(len(gaps)))
    num_lesions = draws.weights.shape[1]
    return _to_figure(values, num_lesions, None, len(gaps), num_lesions)


def _divide(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64]
) -> NDArray[np.float64]:
    undefined = np.full_like(numerator, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def _to_figure(
    values: NDArray[np.float64], num_cases: int, count: int | None, total: int, num_lesions: int
) -> Figure:
    """Summarise a figure and its resamples.

    Args:
        values: float64 [1 + num_resamples], the figure itself first; NaN where undefined.
        num_cases: Lesions that the figure hangs on: those of its smallest group.
        count: As in `Figure`, and so are the others.
        total: Likewise.
        num_lesions: Likewise.
    """
    low, high = _interval(values, num_cases)
    return Figure(float(values[0]), low, high, count, total, num_lesions)


def _to_difference(draws: _Draws, values: NDArray[np.float64], total: int) -> Figure:
    resampled = values[1:][~np.isnan(values[1:])]
    low = high = np.nan
    if len(resampled):
        low, high = np.quantile(resampled, [_TAIL, 1 - _TAIL])
    if low == high:
        low = high = np.nan
    return Figure(float(values[0]), float(low), float(high), None, total, draws.weights.shape[1])


def _interval(values: NDArray[np.float64], num_cases: int) -> tuple[float, float]:
    value = float(values[0])
    resampled = values[1:][~np.isnan(values[1:])]
    if np.isnan(value) or not len(resampled):
        return np.nan, np.nan
    low, high = np.quantile(resampled, [_TAIL, 1 - _TAIL])
    # A group of one lesion cannot vary either: it is drawn or the figure is undefined.
    if low == high or num_cases == 1:
        return _exact_interval(value, num_cases)
    # Resampling adds noise, which only adds to a calibration error: its value may lie below.
    return min(float(low), value), max(float(high), value)


def _exact_interval(value: float, num_cases: int) -> tuple[float, float]:
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
    low = float(betaincinv(hits, misses + 1, _TAIL)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - _TAIL)) if misses > 0 else 1.0
    return low, high


def _check_images(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    num_classes: int,
) -> None:
    num_images = len(labels)
    shapes = (probabilities.shape, labels.shape, lesion_ids.shape)
    if not num_images or shapes != ((num_images, num_classes), (num_images,), (num_images,)):
        raise ValueError(
            f"probabilities, labels and lesion_ids are {shapes}; they must be [N, C], [N] and [N] "
            f"with N above 0 and C the {num_classes} classes"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be in [0, 1]")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(f"labels must be in [0, {num_classes})")
    if not all(isinstance(lesion, (str, int)) and lesion != "" for lesion in lesion_ids.tolist()):
        raise ValueError("lesion_ids must be strings or integers, none missing")


def _check_alert(melanoma_index: int, num_classes: int, threshold: float | None) -> None:
    if not 0 <= melanoma_index < num_classes:
        raise ValueError(f"melanoma_index is {melanoma_index} of {num_classes} classes")
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; it must be in [0, 1]")
