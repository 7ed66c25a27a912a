"""How well a score separates positives from negatives at any threshold: ROC and PR curves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import EMPTY_CURVE, UNDEFINED, Curve, Figure
from melanoma_core.evaluation.resampling import Resamples, compute_band, divide, to_figure

_BLOCK = 1_000_000  # weights in memory at once
_GRID = np.arange(101) / 100  # one point of a curve about every 4 pixels on a screen
_ROUNDING = 1e-9  # 0.29 × 100 is 28.999999999999996


@dataclass(frozen=True)
class Discrimination:
    """How well a score separates positives from negatives.

    Attributes:
        roc_auc: Area under the ROC curve: the share of positive-negative pairs in which the
            positive has the higher score.
        average_precision: Mean precision over the positives, from the highest score down: the
            area under the precision-recall curve, without interpolation between its points.
        roc: x: largest allowed false positive rate. y: highest sensitivity within it.
        precision_recall: x: lowest required recall. y: precision at it.
    """

    roc_auc: Figure
    average_precision: Figure
    roc: Curve
    precision_recall: Curve


def measure_discrimination(
    resamples: Resamples, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Discrimination:
    """Compute ROC and precision-recall curves and the areas under them.

    The band of a curve is pointwise: the vertical averaging of Fawcett, "An introduction to ROC
    analysis" (2006).

    Args:
        resamples: Of the N images.
        score: float64 [N].
        is_positive: bool [N].

    Returns:
        Areas and curves; NaN and empty if there are no positives or no negatives.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> score, is_positive = np.array([0.9, 0.8, 0.3]), np.array([True, False, True])
        >>> measured = measure_discrimination(resample_lesions(np.arange(3)), score, is_positive)
        >>> measured.roc_auc.value, round(measured.average_precision.value, 3)
        (0.5, 0.833)
        >>> measured.roc.x[-1], measured.roc.y[-1]
        (1.0, 1.0)
    """
    if not len(score):
        return Discrimination(UNDEFINED, UNDEFINED, EMPTY_CURVE, EMPTY_CURVE)
    counts = resamples.count_lesions(is_positive), resamples.count_lesions(~is_positive)
    parts = list(_measure_blocks(resamples, score, is_positive))
    areas, precisions, sensitivities, curve_precisions = (
        np.concatenate(each) for each in zip(*parts, strict=True)
    )
    total, num_lesions = len(score), resamples.num_lesions
    roc_auc = to_figure(areas, min(counts), None, total, num_lesions)
    average_precision = to_figure(precisions, counts[0], None, total, num_lesions)
    if not min(counts):
        return Discrimination(roc_auc, average_precision, EMPTY_CURVE, EMPTY_CURVE)
    unweighted = Resamples(resamples.lesion, resamples.weights[:1])
    counts_alone = next(_count_alerts(unweighted, score, is_positive))
    descending = np.sort(score[is_positive])[::-1]
    found, recalled = (positions[0] for positions in _find_positions(counts_alone))
    thresholds = np.append(np.nan, descending)[found], descending[recalled]
    return Discrimination(
        roc_auc,
        average_precision,
        _to_curve(_GRID, sensitivities, np.full(len(_GRID), counts[0]), thresholds[0]),
        # The alerts contain at least this many lesions of positives.
        _to_curve(_GRID[1:], curve_precisions, np.maximum(1, _GRID[1:] * counts[0]), thresholds[1]),
    )


def measure_roc_auc(
    resamples: Resamples, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Figure:
    """Compute the area under the ROC curve; NaN if there are no positives or no negatives.

    Args:
        resamples: Of the N images.
        score: float64 [N].
        is_positive: bool [N].

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> score, is_positive = np.array([0.9, 0.8, 0.3]), np.array([True, False, True])
        >>> measure_roc_auc(resample_lesions(np.arange(3)), score, is_positive).value
        0.5
    """
    if not len(score):
        return UNDEFINED
    values = rank_pairs(resamples, score, is_positive)
    fewest = min(resamples.count_lesions(is_positive), resamples.count_lesions(~is_positive))
    return to_figure(values, fewest, None, len(score), resamples.num_lesions)


def rank_pairs(
    resamples: Resamples, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Compute the area under the ROC curve of the images and of each resample.

    Args:
        resamples: Of the N images.
        score: float64 [N].
        is_positive: bool [N].

    Returns:
        float64 [1 + num_resamples]: the share of positive-negative pairs that the score ranks
        correctly; ties count half.
    """
    return np.concatenate([_rank(part) for part in _count_alerts(resamples, score, is_positive)])


@dataclass(frozen=True, eq=False)
class _Alerts:
    """Counts with the threshold at each positive's score, in R of the resamples.

    Attributes:
        weights: int [R, P], weights of the P positives, from the highest score down.
        hits: int [R, P], positives with that score or a higher one.
        false_alerts: int [R, P], negatives with that score or a higher one.
        higher: int [R, P], negatives with a higher score.
        num_positives: int [R, 1].
        num_negatives: int [R, 1].
    """

    weights: NDArray[np.int32]
    hits: NDArray[np.int32]
    false_alerts: NDArray[np.int32]
    higher: NDArray[np.int32]
    num_positives: NDArray[np.int32]
    num_negatives: NDArray[np.int32]


def _count_alerts(
    resamples: Resamples, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Iterator[_Alerts]:
    """Yield the counts for one block of resamples after another.

    The images are sorted once. A resample only changes their weights: its counts are cumulative
    sums in that order, taken before and after the ties of each positive.
    """
    order = np.argsort(-score, kind="stable")
    ascending, ranks = -score[order], np.flatnonzero(is_positive[order])
    reached = ascending[ranks]
    before, after = (np.searchsorted(ascending, reached, side) for side in ("left", "right"))
    hits_before, hits_after = (
        np.searchsorted(reached, reached, side) for side in ("left", "right")
    )
    lesion = resamples.lesion[order]
    step = max(1, _BLOCK // len(score))
    for first in range(0, len(resamples.weights), step):
        block = resamples.weights[first : first + step].astype(np.int32)
        # Row by row, which takes a quarter of the time of `block[:, lesion]`.
        weights = np.stack([row.take(lesion) for row in block])
        of_positives = weights[:, ranks]
        images, positives = _accumulate(weights), _accumulate(of_positives)
        yield _Alerts(
            weights=of_positives,
            hits=positives[:, hits_after],
            false_alerts=images[:, after] - positives[:, hits_after],
            higher=images[:, before] - positives[:, hits_before],
            num_positives=positives[:, -1:],
            num_negatives=images[:, -1:] - positives[:, -1:],
        )


def _measure_blocks(
    resamples: Resamples, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Yield areas [R], average precisions [R] and both curves [R, G], block by block."""
    for alerts in _count_alerts(resamples, score, is_positive):
        precision = divide(alerts.hits, alerts.hits + alerts.false_alerts)
        weighted = (alerts.weights * np.nan_to_num(precision)).sum(axis=1)
        found, recalled = _find_positions(alerts)
        hits = np.pad(alerts.hits, ((0, 0), (1, 0)))
        yield (
            _rank(alerts),
            divide(weighted, alerts.num_positives[:, 0]),
            divide(np.take_along_axis(hits, found, axis=1), alerts.num_positives),
            _take(precision, recalled, alerts.num_positives > 0),
        )


def _find_positions(alerts: _Alerts) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positives that determine the points of both curves, in each resample.

    Returns:
        int [R, G], how many positives raise an alert within the allowed false alerts; int
        [R, G - 1], the first positive at which the required recall is reached.
    """
    allowed = np.floor(_GRID * alerts.num_negatives + _ROUNDING).astype(np.int64)
    needed = np.ceil(_GRID[1:] * alerts.num_positives - _ROUNDING).astype(np.int64)
    return _search(alerts.false_alerts, allowed, "right"), _search(alerts.hits, needed, "left")


def _search(
    ascending: NDArray[np.int32], wanted: NDArray[np.int64], side: Literal["left", "right"]
) -> NDArray[np.intp]:
    """Run `np.searchsorted` on every row at once.

    Offsets that grow from row to row turn all rows into one ascending sequence.
    """
    num_rows, width = ascending.shape
    height = max(ascending.max(initial=0), wanted.max(initial=0)) + 1
    offsets = np.arange(num_rows)[:, None] * np.int64(height)
    positions = np.searchsorted((ascending + offsets).ravel(), (wanted + offsets).ravel(), side)
    return np.asarray(positions.reshape(wanted.shape) - np.arange(num_rows)[:, None] * width)


def _take(
    values: NDArray[np.float64], positions: NDArray[np.intp], is_defined: NDArray[np.bool_]
) -> NDArray[np.float64]:
    if not values.shape[1]:
        return np.full(positions.shape, np.nan)
    # A position beyond the end belongs to a resample without positives.
    taken = np.take_along_axis(values, np.minimum(positions, values.shape[1] - 1), axis=1)
    return np.where(is_defined, taken, np.nan)


def _to_curve(
    grid: NDArray[np.float64],
    values: NDArray[np.float64],
    num_cases: NDArray[np.float64],
    thresholds: NDArray[np.float64],
) -> Curve:
    low, high = compute_band(values, num_cases)
    return Curve(
        tuple(grid.tolist()), tuple(values[0].tolist()), low, high, tuple(thresholds.tolist())
    )


def _accumulate(weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the cumulative sums along each row, starting with 0."""
    sums = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int32)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _rank(alerts: _Alerts) -> NDArray[np.float64]:
    lost = (alerts.false_alerts + alerts.higher) / 2  # ties count half
    won = (alerts.weights * (alerts.num_negatives - lost)).sum(axis=1)
    pairs = alerts.num_positives[:, 0].astype(np.float64) * alerts.num_negatives[:, 0]
    return divide(won, pairs)
