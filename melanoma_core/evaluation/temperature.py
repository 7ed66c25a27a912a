"""Apply a calibration temperature to probabilities.

`calibration` determines the temperature. The two modules are separate because every reading
imports this one, and a reading must not import SciPy.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
