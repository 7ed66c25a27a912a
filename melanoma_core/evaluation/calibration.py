"""From a trained network to probabilities that mean what they say, and the point of alert.

Both are found on images that the network was not trained on, and that are not reported on.
`temperature` puts the temperature to work.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from melanoma_core.errors import DatasetError

# Far beyond what networks need (1 to 4). Where every image is classified right, the likelihood
# grows for ever as the temperature falls, so that it needs an end.
_LOWEST_TEMPERATURE = 0.05
_HIGHEST_TEMPERATURE = 20.0


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the temperature that makes the labels most likely.

    One number divides all logits: it changes how sure the network is and never which class
    it puts first. Guo et al., "On Calibration of Modern Neural Networks" (2017).

    Args:
        logits: float [N, C], what the network gives before its softmax.
        labels: int [N], index of the true class, in [0, C).

    Returns:
        The temperature, in [0.05, 20].

    Raises:
        ValueError: There is no image, or the arrays do not fit together.
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

    # Convex in 1/T, so there is one minimum; in log T, so that 1/2 and 2 are equally near 1.
    found = minimize_scalar(
        negative_log_likelihood,
        bounds=(np.log(_LOWEST_TEMPERATURE), np.log(_HIGHEST_TEMPERATURE)),
        method="bounded",
    )
    return float(np.exp(found.x))


def choose_threshold(
    melanoma_probabilities: NDArray[np.floating[Any]],
    is_melanoma: NDArray[np.bool_],
    sensitivity: float,
) -> float:
    """Return the largest threshold that alerts on enough of the melanomas.

    An alert is a probability at or above the threshold, so the threshold is the probability
    of a melanoma among these images: one step higher and that melanoma is missed.

    Args:
        melanoma_probabilities: float [N], calibrated, in [0, 1].
        is_melanoma: bool [N].
        sensitivity: Share of these melanomas to alert on at least, in (0, 1].

    Returns:
        The threshold, in [0, 1].

    Raises:
        DatasetError: There is no melanoma among the images.
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    if melanoma_probabilities.ndim != 1 or melanoma_probabilities.shape != is_melanoma.shape:
        raise ValueError(
            f"melanoma_probabilities {melanoma_probabilities.shape} and is_melanoma "
            f"{is_melanoma.shape} must both be [N]"
        )
    if not ((melanoma_probabilities >= 0) & (melanoma_probabilities <= 1)).all():
        raise ValueError("melanoma_probabilities must be in [0, 1]")
    if not 0 < sensitivity <= 1:
        raise ValueError(f"sensitivity is {sensitivity}; it must be in (0, 1]")
    descending = np.sort(melanoma_probabilities[is_melanoma.astype(bool)])[::-1]
    if not len(descending):
        raise DatasetError(
            f"Found no melanoma among {len(is_melanoma)} images to choose the threshold on. "
            "It needs at least 1. Add melanomas to the validation subset."
        )
    # Divided and compared, not multiplied and rounded up: 0.07 × 100 is 7.000000000000001.
    sensitivities = np.arange(1, len(descending) + 1) / len(descending)
    return float(descending[np.argmax(sensitivities >= sensitivity)])
