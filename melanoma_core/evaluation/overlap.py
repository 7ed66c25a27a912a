"""How well a drawn outline agrees with a manually drawn one."""

import numpy as np
from numpy.typing import NDArray


def measure_overlap(drawn: NDArray[np.bool_], outlines: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute the Dice coefficient of each pair: twice the common area over the sum of both.

    Dice, "Measures of the amount of ecologic association between species" (1945,
    doi:10.2307/1932409).

    Args:
        drawn: bool [N, h, w], true inside the drawn outline.
        outlines: bool [N, h, w], true inside the manually drawn one.

    Returns:
        float64 [N] in [0, 1]; NaN where both are empty.

    Example:
        >>> drawn = np.array([[[True, True, False]], [[False, False, False]]])
        >>> measure_overlap(drawn, np.array([[[True, False, False]], [[False, False, False]]]))
        array([0.66666667,        nan])
    """
    common = (drawn & outlines).sum(axis=(1, 2), dtype=np.float64)
    both = drawn.sum(axis=(1, 2)) + outlines.sum(axis=(1, 2))
    dice: NDArray[np.float64] = np.full(len(common), np.nan)
    np.divide(2 * common, both, out=dice, where=both > 0)
    return dice


def to_jaccard(dice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Jaccard index (common area over joint area) of Dice coefficients.

    Example:
        >>> to_jaccard(np.array([1.0, 0.5]))
        array([1.        , 0.33333333])
    """
    return np.asarray(dice / (2 - dice))
