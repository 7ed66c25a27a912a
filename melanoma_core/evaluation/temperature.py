"""The temperature at work: what every reading imports of calibration, NumPy alone.

How the temperature is found is in `calibration`, which needs SciPy.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def apply_temperature(
    probabilities: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.float64]:
    """Return the probabilities that the logits divided by `temperature` would have given.

    A softmax forgets one constant per image, and the next softmax forgets it again, so
    softmax(log p / T) equals softmax(logits / T): the logits themselves are not needed.
    After Guo et al., "On Calibration of Modern Neural Networks" (2017).

    Args:
        probabilities: float [C] or [N, C], the network's softmax, in [0, 1]; 0 stays 0.
        temperature: Above 0; above 1 makes the probabilities less extreme.

    Returns:
        float64, same shape, summing to 1 over the last axis.

    Raises:
        ValueError: The temperature is not above 0, or an image has a probability that is
            negative or not finite, or none above 0.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}; it must be finite and above 0")
    exact = np.asarray(probabilities, dtype=np.float64)
    peak = exact.max(axis=-1, keepdims=True)
    # NaN must not pass: NaN >= threshold is false, so that it would read as "no alert".
    if not (np.isfinite(exact).all() and (exact >= 0).all() and (peak > 0).all()):
        raise ValueError("probabilities must be finite, not negative and not all 0")
    # exp(log p / T) as a power. Divided by the peak first, so that the sum is at least 1.
    powers = (exact / peak) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
