"""Directions of embeddings: what two photographs have in common, whatever their contrast."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def find_directions(embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scale embeddings to the length 1; those of length 0 stay as they are.

    Args:
        embeddings: float [..., D].
    """
    values = embeddings.astype(np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    directions = np.zeros_like(values)
    np.divide(values, lengths, out=directions, where=lengths > 0)
    return directions


def mean_direction(embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the direction of several photographs of one lesion, each of which counts the same.

    Args:
        embeddings: float [M, D], at least one row.

    Returns:
        float64 [D], of length 1.

    Example:
        >>> mean_direction(np.array([[2.0, 0.0], [0.0, 1.0]])).round(3).tolist()
        [0.707, 0.707]
    """
    return find_directions(find_directions(embeddings).mean(axis=0))
