"""Determine the calibration temperatures and the alert thresholds of a trained network.

All are fitted on images that are neither used in training nor reported on. `temperature` applies
the temperature. The two modules are separate because a reading must not import SciPy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from melanoma_core.errors import DatasetError

# Networks need 1 to 4. If every image is classified correctly, the likelihood increases without end
# as the temperature decreases, so a bound is needed.
_LOWEST_TEMPERATURE = 0.05
_HIGHEST_TEMPERATURE = 20.0


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Compute the temperature that maximises the likelihood of the labels.

    One number divides all logits: it changes the probabilities but never the predicted class. Guo
    et al., "On Calibration of Modern Neural Networks" (2017).

    Args:
        logits: float [N, C], the network's outputs before softmax.
        labels: int [N], index of the true class, in [0, C).

    Returns:
        The temperature, in [0.05, 20].

    Raises:
        ValueError: There is no image, or the arrays do not fit together.

    Example:
        >>> logits = np.tile([4.0, 0.0], (4, 1))  # class 0 each time, correct in 3 of 4
        >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 2)  # 4 / ln 3
        3.64
    """
    if logits.ndim != 2 or not len(logits) or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits {logits.shape} and labels {labels.shape} must be [N, C] and [N], N above 0"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels must be in [0, {logits.shape[1]})")
    exact = logits.astype(np.float64)
    images = np.arange(len(exact))

    def negative_log_likelihood(log_temperature: float) -> float:
        log_probabilities = log_softmax(exact / np.exp(log_temperature), axis=1)
        return -float(log_probabilities[images, labels].mean())

    # Convex in 1/T, so there is one minimum. On the log scale 1/2 and 2 are equally far from 1.
    optimum = minimize_scalar(
        negative_log_likelihood,
        bounds=(np.log(_LOWEST_TEMPERATURE), np.log(_HIGHEST_TEMPERATURE)),
        method="bounded",
    )
    return float(np.exp(optimum.x))


def choose_threshold(
    probabilities: NDArray[np.floating[Any]],
    is_positive: NDArray[np.bool_],
    sensitivity: float,
) -> float:
    """Return the highest alert threshold that reaches a sensitivity.

    An alert is a probability at or above the threshold. The threshold equals the probability of
    one of the positive images, which any higher threshold misses.

    Args:
        probabilities: float [N] of melanoma, or of any skin cancer; calibrated, in [0, 1].
        is_positive: bool [N], which images show it.
        sensitivity: Required share of these images that raise an alert, in (0, 1].

    Returns:
        The threshold, in [0, 1].

    Raises:
        DatasetError: No image is positive.
        ValueError: The arrays do not fit together, or a number is out of range.

    Example:
        >>> probabilities, is_melanoma = np.array([0.9, 0.4, 0.7]), np.array([True, True, False])
        >>> choose_threshold(probabilities, is_melanoma, sensitivity=1.0)
        0.4
    """
    if probabilities.ndim != 1 or probabilities.shape != is_positive.shape:
        raise ValueError(
            f"probabilities {probabilities.shape} and is_positive {is_positive.shape} must both be "
            "[N]"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be in [0, 1]")
    if not 0 < sensitivity <= 1:
        raise ValueError(f"sensitivity is {sensitivity}; it must be in (0, 1]")
    descending = np.sort(probabilities[is_positive.astype(bool)])[::-1]
    if not len(descending):
        raise DatasetError(
            f"Found no melanoma among {len(is_positive):,} validation images. The alert threshold "
            "needs at least 1. Add melanomas to the validation subset."
        )
    # Divide and compare rather than multiply and round up: 0.07 × 100 is 7.000000000000001.
    sensitivities = np.arange(1, len(descending) + 1) / len(descending)
    return float(descending[np.argmax(sensitivities >= sensitivity)])
