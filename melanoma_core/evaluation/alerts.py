"""What the alerts at one threshold are worth, here and where melanoma is rarer or commoner."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.resampling import Draws, measure_shares, quantiles

# Beyond a probability of 50% no one doubts that a lesion is cut out.
_DECISION_THRESHOLDS = np.arange(1, 51) / 100


def measure_alerts(
    draws: Draws, alert: NDArray[np.bool_], is_melanoma: NDArray[np.bool_]
) -> dict[str, Figure]:
    """Measure the alerts on some images.

    Args:
        draws: The resamples.
        alert: bool [N].
        is_melanoma: bool [N].

    Returns:
        "sensitivity", "specificity", "ppv" (share of melanomas among the alerts), "npv" (share of
        others among what was not alerted on), "alert_rate" and "prevalence". NaN where undefined.
    """
    everyone = np.ones(len(alert), dtype=bool)
    return measure_shares(
        draws,
        {
            "sensitivity": (alert, is_melanoma),
            "specificity": (~alert, ~is_melanoma),
            "ppv": (is_melanoma, alert),
            "npv": (~is_melanoma, ~alert),
            "alert_rate": (alert, everyone),
            "prevalence": (is_melanoma, everyone),
        },
    )


@dataclass(frozen=True)
class PredictiveValues:
    """What an alert, and its absence, mean where melanoma is as frequent as somebody says.

    Attributes:
        prevalence: Share of melanomas among the lesions, in (0, 1).
        ppv: Share of melanomas among the alerts.
        npv: Share of others among what is not alerted on.
        alert_rate: Share of lesions that are alerted on.
    """

    prevalence: float
    ppv: Figure
    npv: Figure
    alert_rate: Figure


def predict_values(sensitivity: Figure, specificity: Figure, prevalence: float) -> PredictiveValues:
    """Carry measured alerts over to another prevalence, by Bayes' rule.

    It holds where melanomas, and other lesions, are alike there and where they were measured; only
    their mix may differ. Sensitivity and specificity rest on different lesions, so that their
    intervals are independent and are put together as Zou and Donner, "Construction of confidence
    limits about effect measures: a general approach" (2008): of the logarithm of the likelihood
    ratio for predictive values, as Mercaldo et al. (2007) do, and of the sum for the rate.

    Args:
        sensitivity: With its 95% interval.
        specificity: Likewise.
        prevalence: Share of melanomas, in (0, 1).

    Raises:
        ValueError: The prevalence is not in (0, 1).
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence is {prevalence}; it must be in (0, 1)")
    false_alerts, misses = _complement(specificity), _complement(sensitivity)
    total = sensitivity.total + specificity.total
    num_lesions = sensitivity.num_lesions + specificity.num_lesions

    def to_figure(value: float, low: float, high: float) -> Figure:
        return Figure(value, low, high, None, total, num_lesions)

    odds = prevalence / (1 - prevalence)
    ppv = [_share_of_odds(odds, ratio) for ratio in _divide(sensitivity, false_alerts)]
    npv = [_share_of_odds(1 / odds, ratio) for ratio in _divide(specificity, misses)]
    rate = _add(sensitivity, prevalence, false_alerts, 1 - prevalence)
    return PredictiveValues(prevalence, to_figure(*ppv), to_figure(*npv), to_figure(*rate))


def measure_net_benefit(
    draws: Draws, probability: NDArray[np.float64], is_melanoma: NDArray[np.bool_]
) -> Curve:
    """Measure what acting on the probability is worth: the decision curve.

    Vickers and Elkin, "Decision curve analysis" (2006): who cuts out a lesion from a probability p
    on thinks that one missed melanoma is as bad as (1 - p) / p benign lesions cut out. The net
    benefit counts both in that currency: melanomas found per lesion, less what the needless
    excisions are worth.

    Args:
        draws: The resamples.
        probability: float64 [N], of melanoma, calibrated.
        is_melanoma: bool [N].

    Returns:
        x and threshold: probability from which a lesion is cut out, 0.01 to 0.5. y: net benefit,
        below 0 where it does more harm than good.
    """
    thresholds = _DECISION_THRESHOLDS[:, None]
    worth = np.where(is_melanoma, 1.0, -thresholds / (1 - thresholds))
    values = draws.sum(worth * (probability >= thresholds)) / draws.sum(np.ones(len(probability)))
    intervals = [quantiles(row) for row in values]
    grid = tuple(_DECISION_THRESHOLDS.tolist())
    low, high = (tuple(ends) for ends in zip(*intervals, strict=True))
    return Curve(grid, tuple(values[:, 0].tolist()), low, high, grid)


def benefit_of_all(prevalence: float, threshold: float) -> float:
    """Return the net benefit of cutting out every lesion; that of none is 0.

    Args:
        prevalence: Share of melanomas, in [0, 1].
        threshold: Probability from which a lesion is cut out, in (0, 1).
    """
    return prevalence - (1 - prevalence) * threshold / (1 - threshold)


def _complement(share: Figure) -> Figure:
    count = None if share.count is None else share.total - share.count
    return Figure(
        1 - share.value, 1 - share.high, 1 - share.low, count, share.total, share.num_lesions
    )


def _divide(one: Figure, other: Figure) -> tuple[float, float, float]:
    """Return the ratio of two independent shares and its interval, by their logarithms."""
    if math.isnan(one.value) or math.isnan(other.value):
        return math.nan, math.nan, math.nan
    value = _log(one.value) - _log(other.value)
    if math.isnan(value):  # 0 / 0: of alerts that are never raised, nothing is known
        return math.nan, math.nan, math.nan
    if math.isinf(value):
        # A share of 0 has no logarithm to measure from: the widest that both intervals allow.
        low, high = _log(one.low) - _log(other.high), _log(one.high) - _log(other.low)
        return math.exp(value), math.exp(low), math.exp(high)
    below = math.hypot(value - (_log(one.low) - _log(other.value)), _log(other.high / other.value))
    above = math.hypot(_log(one.high / one.value), value - (_log(one.value) - _log(other.low)))
    return math.exp(value), math.exp(value - below), math.exp(value + above)


def _add(
    one: Figure, weight: float, other: Figure, other_weight: float
) -> tuple[float, float, float]:
    value = weight * one.value + other_weight * other.value
    below = math.hypot(weight * (one.value - one.low), other_weight * (other.value - other.low))
    above = math.hypot(weight * (one.high - one.value), other_weight * (other.high - other.value))
    return value, max(0.0, value - below), min(1.0, value + above)


def _share_of_odds(odds: float, ratio: float) -> float:
    return 1.0 if math.isinf(ratio) else odds * ratio / (1 + odds * ratio)


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf
