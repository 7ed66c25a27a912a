"""Numbers as text: percentages, 95% confidence intervals and metrics with their counts.

Every function returns plain text. The caller escapes it.
"""

import math

from melanoma_core.evaluation.figure import Figure

UNDEFINED = "undefined"
NOT_PROVIDED = "not provided"
_MAX_DIGITS = 6
_NOT_SHARES = ("roc_auc", "average_precision", "brier_score", "set_size")  # parts of metric names


def format_percent(share: float) -> str:
    """Return a share as a percentage with one digit; 0% and 100% are shown only where exact.

    >>> format_percent(0.3817), format_percent(1e-9), format_percent(0.9999)
    ('38.2%', '<0.1%', '>99.9%')
    """
    if math.isnan(share):
        return UNDEFINED
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}"


def format_beside_threshold(probability: float, threshold: float) -> tuple[str, str]:
    """Return both as percentages, with as many digits as it takes to see which is larger.

    >>> format_beside_threshold(0.07296, 0.07304)
    ('7.296%', '7.304%')
    """
    if format_percent(probability) != format_percent(threshold):
        return format_percent(probability), format_percent(threshold)
    for digits in range(1, _MAX_DIGITS):
        texts = f"{probability:.{digits}%}", f"{threshold:.{digits}%}"
        if texts[0] != texts[1]:
            return texts
    return texts


def format_interval(figure: Figure) -> str:
    """Return the 95% confidence interval of a share.

    >>> format_interval(Figure(0.95, 0.921, 0.973, 248, 261, 189))
    '95% CI 92.1–97.3%'
    """
    if math.isnan(figure.low) or math.isnan(figure.high):
        return f"95% CI {UNDEFINED}"
    return f"95% CI {100 * figure.low:.1f}–{figure.high:.1%}"


def format_figure(name: str, figure: Figure | None) -> str:
    """Return a metric with its 95% confidence interval and its counts, for a table.

    Args:
        name: Key of the metric in `metrics.evaluate_fully`. It decides between a percentage and a
            plain number, such as a ROC AUC.
        figure: The metric; None where it was not computed.

    >>> format_figure("sensitivity", Figure(0.75, 0.5, 1.0, 3, 4, 4))
    '75.0% (50.0–100.0), 3 of 4'
    >>> format_figure("melanoma_roc_auc", Figure(0.9, 0.85, 0.95, None, 10, 9))
    '0.900 (0.850–0.950)'
    """
    if figure is None:
        return NOT_PROVIDED
    if any(part in name for part in _NOT_SHARES):
        return format_value(figure.value, figure.low, figure.high)
    if math.isnan(figure.value):
        return UNDEFINED
    counts = "" if figure.count is None else f", {figure.count:,} of {figure.total:,}"
    if math.isnan(figure.low):
        return f"{figure.value:.1%} ({UNDEFINED}){counts}"
    return f"{figure.value:.1%} ({100 * figure.low:.1f}–{100 * figure.high:.1f}){counts}"


def format_value(value: float, low: float, high: float) -> str:
    """Return a number that is not a share, with its 95% confidence interval.

    >>> format_value(-0.1, -0.2, 0.05)
    '-0.100 (-0.200 to 0.050)'
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low):
        return f"{value:.3f} ({UNDEFINED})"
    dash = "–" if low >= 0 else " to "  # a dash before a minus sign is unreadable
    return f"{value:.3f} ({low:.3f}{dash}{high:.3f})"


def format_number(value: float) -> str:
    """Return a number without an interval; NaN is undefined."""
    return UNDEFINED if math.isnan(value) else f"{value:.3f}"


def format_size(figure: Figure | None) -> str:
    """Return how many photographs and lesions a metric rests on."""
    return f"{figure.total:,} of {figure.num_lesions:,} lesions" if figure else NOT_PROVIDED
