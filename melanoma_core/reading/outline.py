"""The outline that a model draws: placed on the photograph, compared with a heatmap."""

import numpy as np
from numpy.typing import NDArray

from melanoma_core.reading.explanation import enlarge, shape_heatmaps


def place_outline(
    outline: NDArray[np.float32], threshold: float, height: int, width: int
) -> NDArray[np.bool_]:
    """Return which pixels of a photograph lie inside the outline.

    Args:
        outline: float32 [s, s] in [0, 1], of the photograph squashed to a square.
        threshold: Smallest probability inside the lesion (`OutlineFacts.threshold`).
        height: Height of the photograph in pixels.
        width: Width of the photograph in pixels.

    Returns:
        bool [height, width].

    Example:
        >>> place_outline(np.array([[0.0, 1.0]], np.float32), 0.5, 1, 4)
        array([[False, False,  True,  True]])
    """
    (enlarged,) = enlarge(outline[None], height, width)
    return np.asarray(enlarged >= threshold)


def measure_energy(
    heatmap: NDArray[np.float32], outline: NDArray[np.float32], threshold: float
) -> float | None:
    """Return the share of a heatmap's strength that lies inside the outline.

    It is `evaluation.faithfulness.measure_energy_inside` on the grid of the outline, of the heatmap
    as it is shown.

    Args:
        heatmap: float32 [h, w] in [0, 1].
        outline: float32 [s, s], as for `place_outline`.
        threshold: As for `place_outline`.

    Returns:
        In [0, 1]; None if the heatmap or the outline is empty.

    Example:
        >>> measure_energy(np.ones((2, 2), np.float32), np.eye(4, dtype=np.float32), 0.5)
        0.25
    """
    inside = outline >= threshold
    (shown,) = shape_heatmaps(heatmap[None], *outline.shape)
    strength = float(shown.sum(dtype=np.float64))
    if not inside.any() or not strength > 0:
        return None
    return float(shown[inside].sum(dtype=np.float64)) / strength
