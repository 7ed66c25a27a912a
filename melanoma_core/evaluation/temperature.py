"""Apply a calibration temperature to probabilities, of one photograph or of a lesion's photographs.

`calibration` determines the temperature. The two modules are separate because every reading
imports this one, and a reading must not import SciPy.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-12  # a probability of 0 has no logarithm


def apply_temperature(
    probabilities: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.float64]:
    """Return the softmax of the logits divided by a temperature.

    Softmax removes one constant per image, which does not change the next softmax: softmax(log p
    / T) equals softmax(logits / T), so the logits themselves are not needed. Guo et al., "On
    Calibration of Modern Neural Networks" (2017).

    Args:
        probabilities: float [C] or [N, C], the network's softmax, in [0, 1]; 0 stays 0.
        temperature: Above 0; above 1 makes the probabilities less extreme.

    Returns:
        float64, same shape, summing to 1 over the last axis.

    Raises:
        ValueError: The temperature is not above 0, or an image has a probability that is
            negative or not finite, or no probability above 0.

    Example:
        >>> apply_temperature(np.array([0.2, 0.8]), temperature=2.0).round(3)
        array([0.333, 0.667])
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}; it must be finite and above 0")
    exact = np.asarray(probabilities, dtype=np.float64)
    peak = exact.max(axis=-1, keepdims=True)
    # NaN >= threshold is false: NaN would read as "no alert".
    if not (np.isfinite(exact).all() and (exact >= 0).all() and (peak > 0).all()):
        raise ValueError("probabilities must be finite, not negative and not all 0")
    # exp(log p / T) is a power. Dividing by the peak first keeps the sum at 1 or more.
    powers = (exact / peak) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def combine_logits(
    probabilities: NDArray[np.floating[Any]], temperature: float, lesions: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the softmax of the mean logits over the photographs of each lesion.

    The mean of logarithms of probabilities is the mean of logits but for one constant per lesion,
    which the softmax removes. It is the logarithmic opinion pool with equal weights (Genest and
    Zidek, "Combining probability distributions: a critique and an annotated bibliography", 1986).

    Args:
        probabilities: float [N, C], of N photographs, in [0, 1]; below 1e-12 counts as 1e-12.
        temperature: Divides the mean logits; above 0. For calibrated probabilities, it is relative
            to the temperature that they are calibrated with.
        lesions: int [N], index of each photograph's lesion, in [0, K), each with a photograph.

    Returns:
        float64 [K, C], summing to 1 over the last axis.

    Raises:
        ValueError: As for `apply_temperature`.

    Example:
        >>> one_lesion = np.zeros(2, dtype=int)
        >>> combine_logits(np.array([[0.8, 0.2], [0.5, 0.5]]), 1.0, one_lesion).round(3)
        array([[0.667, 0.333]])
    """
    logs = np.log(np.asarray(probabilities, dtype=np.float64).clip(_LEAST))
    sums = np.zeros((int(lesions.max()) + 1, logs.shape[1]))
    np.add.at(sums, lesions, logs)
    means = sums / np.bincount(lesions)[:, None]
    return apply_temperature(np.exp(means - means.max(axis=1, keepdims=True)), temperature)
