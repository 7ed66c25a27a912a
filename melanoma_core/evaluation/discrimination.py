"""How well a score tells one kind of image from the rest, whatever the threshold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.resampling import Draws, divide, draw_band, to_figure

_BLOCK = 1_000_000  # weights at once; all of them would fill the memory
_NUM_POINTS = 100  # of a curve, beside its first: a point every 4 pixels or so
_ROUNDING = 1e-9  # 0.29 × 100 is 28.999999999999996


@dataclass(frozen=True)
class Discrimination:
    """How well a score tells one kind of image from the rest.

    Attributes:
        roc_auc: Area under the ROC curve: how often a positive scores above a negative.
        average_precision: Mean precision over the positives, from the highest score down: the
            area under the precision–recall curve, without interpolation between its points.
        roc: x: at most this share of the negatives alerted on. y: largest share of the positives
            that is then alerted on.
        precision_recall: x: at least this share of the positives alerted on. y: share of positives
            among these alerts.
    """

    roc_auc: Figure
    average_precision: Figure
    roc: Curve
    precision_recall: Curve


NO_CURVE = Curve((), (), (), (), ())


def measure_discrimination(
    draws: Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Discrimination:
    """Measure areas and curves; undefined where one of the two kinds is missing.

    The intervals are those of `resampling`. That of a curve holds at each point alone; Fawcett,
    "An introduction to ROC analysis" (2006), calls it vertical averaging.

    Args:
        draws: The resamples.
        score: float64 [N].
        is_positive: bool [N].
    """
    counts = draws.count_lesions(is_positive), draws.count_lesions(~is_positive)
    parts = list(_measure_blocks(draws, score, is_positive))
    areas, precisions, sensitivities, curve_precisions = (
        np.concatenate(each) for each in zip(*parts, strict=True)
    )
    total, num_lesions = len(score), draws.num_lesions
    roc_auc = to_figure(areas, min(counts), None, total, num_lesions)
    average_precision = to_figure(precisions, counts[0], None, total, num_lesions)
    if not min(counts):
        return Discrimination(roc_auc, average_precision, NO_CURVE, NO_CURVE)
    alone = next(_count_alerts(Draws(draws.lesion, draws.weights[:1]), score, is_positive))
    falling = np.sort(score[is_positive])[::-1]
    found, recalled = (places[0] for places in _find_places(alone))
    thresholds = np.append(np.nan, falling)[found], falling[recalled]
    return Discrimination(
        roc_auc,
        average_precision,
        _to_curve(_GRID, sensitivities, np.full(len(_GRID), counts[0]), thresholds[0]),
        # As many lesions as the alerts hold at least, where all of these are of positives.
        _to_curve(_GRID[1:], curve_precisions, np.maximum(1, _GRID[1:] * counts[0]), thresholds[1]),
    )


def measure_roc_auc(
    draws: Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Figure:
    """Measure the area under the ROC curve; NaN where one of the two kinds is missing.

    Args:
        draws: The resamples.
        score: float64 [N].
        is_positive: bool [N].
    """
    values = rank_pairs(draws, score, is_positive)
    fewest = min(draws.count_lesions(is_positive), draws.count_lesions(~is_positive))
    return to_figure(values, fewest, None, len(score), draws.num_lesions)


def rank_pairs(
    draws: Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the share of pairs, one of each kind, that the score ranks rightly; ties half.

    Returns:
        float64 [1 + num_resamples], the area under the ROC curve: itself, and in each resample.
    """
    return np.concatenate([_rank(part) for part in _count_alerts(draws, score, is_positive)])


@dataclass(frozen=True, eq=False)
class _Alerts:
    """What alerts from each positive's score up would find, in some of the resamples.

    Attributes:
        weights: int [R, P], of each positive, from the highest score down.
        hits: int [R, P], positives with that score or a higher one.
        false_alerts: int [R, P], negatives likewise.
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
    draws: Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Iterator[_Alerts]:
    """Yield the counts for block after block of resamples.

    The images are put in order once. A resample only weighs them, so that its counts are running
    sums in that order, read where a positive stands before and after its ties.
    """
    order = np.argsort(-score, kind="stable")
    falling, ranks = -score[order], np.flatnonzero(is_positive[order])
    reached = falling[ranks]
    before, after = (np.searchsorted(falling, reached, side) for side in ("left", "right"))
    hits_before, hits_after = (
        np.searchsorted(reached, reached, side) for side in ("left", "right")
    )
    lesion = draws.lesion[order]
    step = max(1, _BLOCK // len(score))
    for first in range(0, len(draws.weights), step):
        weights = draws.weights[first : first + step].astype(np.int32)[:, lesion]
        everyone, positives = _run(weights), _run(weights[:, ranks])
        yield _Alerts(
            weights=weights[:, ranks],
            hits=positives[:, hits_after],
            false_alerts=everyone[:, after] - positives[:, hits_after],
            higher=everyone[:, before] - positives[:, hits_before],
            num_positives=positives[:, -1:],
            num_negatives=everyone[:, -1:] - positives[:, -1:],
        )


_GRID = np.arange(_NUM_POINTS + 1) / _NUM_POINTS


def _measure_blocks(
    draws: Draws, score: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Yield areas [R], average precisions [R] and both curves [R, G] of block after block."""
    for alerts in _count_alerts(draws, score, is_positive):
        precision = divide(alerts.hits, alerts.hits + alerts.false_alerts)
        weighed = (alerts.weights * np.nan_to_num(precision)).sum(axis=1)
        found, recalled = _find_places(alerts)
        hits = np.pad(alerts.hits, ((0, 0), (1, 0)))
        yield (
            _rank(alerts),
            divide(weighed, alerts.num_positives[:, 0]),
            divide(np.take_along_axis(hits, found, axis=1), alerts.num_positives),
            _take(precision, recalled, alerts.num_positives > 0),
        )


def _find_places(alerts: _Alerts) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which positives the points of both curves stand at, in each resample.

    Returns:
        int [R, G], how many positives may be alerted on without more false alerts than allowed;
        int [R, G - 1], the first positive from which enough are alerted on.
    """
    allowed = np.floor(_GRID * alerts.num_negatives + _ROUNDING).astype(np.int64)
    needed = np.ceil(_GRID[1:] * alerts.num_positives - _ROUNDING).astype(np.int64)
    return _search(alerts.false_alerts, allowed, "right"), _search(alerts.hits, needed, "left")


def _search(
    rising: NDArray[np.int32], wanted: NDArray[np.int64], side: Literal["left", "right"]
) -> NDArray[np.intp]:
    """Search every row at once: lifted above one another, the rows are one that rises."""
    num_rows, width = rising.shape
    height = max(rising.max(initial=0), wanted.max(initial=0)) + 1
    lift = np.arange(num_rows)[:, None] * np.int64(height)
    places = np.searchsorted((rising + lift).ravel(), (wanted + lift).ravel(), side)
    return np.asarray(places.reshape(wanted.shape) - np.arange(num_rows)[:, None] * width)


def _take(
    values: NDArray[np.float64], places: NDArray[np.intp], is_defined: NDArray[np.bool_]
) -> NDArray[np.float64]:
    if not values.shape[1]:
        return np.full(places.shape, np.nan)
    # A place beyond the end is that of a resample that holds no positive.
    taken = np.take_along_axis(values, np.minimum(places, values.shape[1] - 1), axis=1)
    return np.where(is_defined, taken, np.nan)


def _to_curve(
    grid: NDArray[np.float64],
    values: NDArray[np.float64],
    num_cases: NDArray[np.float64],
    thresholds: NDArray[np.float64],
) -> Curve:
    low, high = draw_band(values, num_cases)
    return Curve(
        tuple(grid.tolist()), tuple(values[0].tolist()), low, high, tuple(thresholds.tolist())
    )


def _run(weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the running sums along each row, which begin with 0."""
    sums = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int32)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _rank(alerts: _Alerts) -> NDArray[np.float64]:
    lost = (alerts.false_alerts + alerts.higher) / 2  # ties count half
    won = (alerts.weights * (alerts.num_negatives - lost)).sum(axis=1)
    pairs = alerts.num_positives[:, 0].astype(np.float64) * alerts.num_negatives[:, 0]
    return divide(won, pairs)
