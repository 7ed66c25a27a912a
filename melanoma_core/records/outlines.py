"""Outlines as polygons and as masks: what a person draws, and what is measured.

A polygon's corners are shares of the photograph's width and height (`entities.Outline.points`), so
that it fits the photograph at every size.
"""

import numpy as np
from numpy.typing import NDArray

Points = tuple[tuple[float, float], ...]


def fill_polygon(points: Points, height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels lie inside a polygon, by their centres.

    Args:
        points: Corners as shares of width and height, in [0, 1].
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.

    Returns:
        bool [height, width]; nothing is inside if there are fewer than three corners.
    """
    raise NotImplementedError


def trace_outline(inside: NDArray[np.bool_], tolerance: float = 0.5) -> Points:
    """Return the outline of the largest region of a mask as a polygon, without its holes.

    Args:
        inside: bool [H, W].
        tolerance: Largest distance in pixels by which the polygon may be simplified.

    Returns:
        Corners as shares of width and height; none if the mask is empty.
    """
    raise NotImplementedError


def measure_polygon(points: Points, height: int, width: int) -> float:
    """Return the area of a polygon in square pixels (shoelace formula)."""
    raise NotImplementedError
