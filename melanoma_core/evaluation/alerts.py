"""Metrics of the melanoma alert at one threshold, and their values at another prevalence."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import EMPTY_CURVE, Curve, Figure
from melanoma_core.evaluation.resampling import Resamples, divide, measure_shares, quantiles

# Above a probability of 50% every lesion is excised.
_DECISION_THRESHOLDS = np.arange(1, 51) / 100


def measure_alerts(
    resamples: Resamples,
    alert: NDArray[np.bool_],
    is_melanoma: NDArray[np.bool_],
    prefix: str = "",
    among: NDArray[np.bool_] | None = None,
) -> dict[str, Figure]:
    """Compute the metrics of an alert.

    Args:
        resamples: Of the N images.
        alert: bool [N].
        is_melanoma: bool [N]; for the skin cancer alert, whether it is any skin cancer.
        prefix: Precedes the names: "" for the melanoma alert, "skin_cancer_" for the other.
        among: bool [N], the images of which it is known whether they are one; None for all.

    Returns:
        "sensitivity", "specificity", "ppv" (share of melanomas among the alerts), "npv" (share of
        other lesions among the images without an alert), "alert_rate" and "prevalence". NaN where
        undefined.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> alert = np.array([True, True, False, False])
        >>> is_melanoma = np.array([True, False, False, False])
        >>> figures = measure_alerts(resample_lesions(np.arange(4)), alert, is_melanoma)
        >>> figures["sensitivity"].value, figures["ppv"].value, figures["prevalence"].value
        (1.0, 0.5, 0.25)
    """
    if among is None:
        among = np.ones(len(alert), dtype=bool)
    shares = {
        "sensitivity": (alert, is_melanoma & among),
        "specificity": (~alert, ~is_melanoma & among),
        "ppv": (is_melanoma, alert & among),
        "npv": (~is_melanoma, ~alert & among),
        "alert_rate": (alert, among),
        "prevalence": (is_melanoma, among),
    }
    return measure_shares(resamples, {f"{prefix}{name}": each for name, each in shares.items()})


@dataclass(frozen=True)
class PredictiveValues:
    """What an alert and its absence mean at a given prevalence of melanoma.

    Attributes:
        prevalence: Share of melanomas among the lesions, in (0, 1).
        ppv: Share of melanomas among the alerts.
        npv: Share of other lesions among those without an alert.
        alert_rate: Share of lesions that raise an alert.
    """

    prevalence: float
    ppv: Figure
    npv: Figure
    alert_rate: Figure


def predict_values(sensitivity: Figure, specificity: Figure, prevalence: float) -> PredictiveValues:
    """Compute predictive values at another prevalence, by Bayes' rule.

    The result is valid if only the mix of melanomas and other lesions differs, not the lesions
    themselves. Sensitivity and specificity are computed on different lesions, so their intervals
    are independent. They are combined after Zou and Donner, "Construction of confidence limits
    about effect measures: a general approach" (2008): for the logarithm of the likelihood ratio in
    the predictive values, as in Mercaldo et al. (2007), and for the sum in the alert rate.

    Args:
        sensitivity: With its 95% confidence interval.
        specificity: With its 95% confidence interval.
        prevalence: Share of melanomas, in (0, 1).

    Raises:
        ValueError: The prevalence is not in (0, 1).

    Example:
        >>> sensitivity = Figure(0.9, 0.8, 0.95, 90, 100, 100)
        >>> specificity = Figure(0.8, 0.75, 0.85, 160, 200, 200)
        >>> values = predict_values(sensitivity, specificity, prevalence=0.02)
        >>> f"{values.ppv.value:.3f} ({values.ppv.low:.3f} to {values.ppv.high:.3f})"
        '0.084 (0.067 to 0.110)'
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence is {prevalence}; it must be in (0, 1)")
    false_alerts, misses = _complement(specificity), _complement(sensitivity)
    total = sensitivity.total + specificity.total
    num_lesions = sensitivity.num_lesions + specificity.num_lesions

    def to_figure(value: float, low: float, high: float) -> Figure:
        return Figure(value, low, high, None, total, num_lesions)

    odds = prevalence / (1 - prevalence)
    ppv = [_odds_to_share(odds, ratio) for ratio in _divide(sensitivity, false_alerts)]
    npv = [_odds_to_share(1 / odds, ratio) for ratio in _divide(specificity, misses)]
    rate = _add(sensitivity, prevalence, false_alerts, 1 - prevalence)
    return PredictiveValues(prevalence, to_figure(*ppv), to_figure(*npv), to_figure(*rate))


def measure_net_benefit(
    resamples: Resamples, probability: NDArray[np.float64], is_melanoma: NDArray[np.bool_]
) -> Curve:
    """Compute the decision curve: the net benefit of excising above a probability threshold.

    Vickers and Elkin, "Decision curve analysis" (2006): excising at a probability of p or more
    implies that one missed melanoma is as bad as (1 - p) / p unnecessary excisions. The net
    benefit is the number of melanomas found per lesion minus the unnecessary excisions, weighted
    accordingly.

    Args:
        resamples: Of the N images.
        probability: float64 [N], of melanoma, calibrated.
        is_melanoma: bool [N].

    Returns:
        x and threshold: probability threshold for excision, 0.01 to 0.5. y: net benefit, below 0
        where excisions do more harm than good.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probability, is_melanoma = np.array([0.9, 0.3]), np.array([True, False])
        >>> curve = measure_net_benefit(resample_lesions(np.arange(2)), probability, is_melanoma)
        >>> curve.x[19], round(curve.y[19], 3)
        (0.2, 0.375)
    """
    if not len(probability):
        return EMPTY_CURVE
    thresholds = _DECISION_THRESHOLDS[:, None]
    benefit = np.where(is_melanoma, 1.0, -thresholds / (1 - thresholds))
    values = divide(
        resamples.sum(benefit * (probability >= thresholds)),
        resamples.sum(np.ones(len(probability))),
    )
    intervals = [quantiles(row) for row in values]
    grid = tuple(_DECISION_THRESHOLDS.tolist())
    low, high = (tuple(ends) for ends in zip(*intervals, strict=True))
    return Curve(grid, tuple(values[:, 0].tolist()), low, high, grid)


def benefit_of_all(prevalence: float, threshold: float) -> float:
    """Compute the net benefit of excising every lesion; that of excising none is 0.

    Args:
        prevalence: Share of melanomas, in [0, 1].
        threshold: Probability threshold for excision, in (0, 1).

    Example:
        >>> round(benefit_of_all(prevalence=0.3, threshold=0.2), 3)
        0.125
    """
    return prevalence - (1 - prevalence) * threshold / (1 - threshold)


def _complement(share: Figure) -> Figure:
    count = None if share.count is None else share.total - share.count
    return Figure(
        1 - share.value, 1 - share.high, 1 - share.low, count, share.total, share.num_lesions
    )


def _divide(one: Figure, other: Figure) -> tuple[float, float, float]:
    """Return the ratio of two independent shares and its interval, on the log scale."""
    if math.isnan(one.value) or math.isnan(other.value):
        return math.nan, math.nan, math.nan
    value = _log(one.value) - _log(other.value)
    if math.isnan(value):  # 0 / 0: no alert is ever raised
        return math.nan, math.nan, math.nan
    if math.isinf(value):
        # The logarithm of a share of 0 is infinite: use the widest range of both intervals.
        low, high = _log(one.low) - _log(other.high), _log(one.high) - _log(other.low)
        return math.exp(value), math.exp(low), math.exp(high)
    below = math.hypot(value - (_log(one.low) - _log(other.value)), _log(other.high / other.value))
    above = math.hypot(_log(one.high / one.value), value - (_log(one.value) - _log(other.low)))
    return math.exp(value), math.exp(value - below), math.exp(value + above)


def _add(
    one: Figure, weight: float, other: Figure, other_weight: float
) -> tuple[float, float, float]:
    """Return the weighted sum of two independent shares and its interval."""
    value = weight * one.value + other_weight * other.value
    below = math.hypot(weight * (one.value - one.low), other_weight * (other.value - other.low))
    above = math.hypot(weight * (one.high - one.value), other_weight * (other.high - other.value))
    return value, max(0.0, value - below), min(1.0, value + above)


def _odds_to_share(odds: float, ratio: float) -> float:
    return 1.0 if math.isinf(ratio) else odds * ratio / (1 + odds * ratio)


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf
