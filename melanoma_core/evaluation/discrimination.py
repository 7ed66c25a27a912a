"""How well a score tells one kind of image from the rest, whatever the threshold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import Draws, divide, to_figure

_BLOCK = 1_000_000  # weights at once; all of them would fill the memory


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
