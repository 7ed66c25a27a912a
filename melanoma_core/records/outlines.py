"""Outlines as polygons and as masks: what a person draws, and what is measured.

A polygon's corners are shares of the photograph's width and height (`entities.Outline.points`), so
that it fits the photograph at every size: 0 is the left or upper edge of the first pixel, 1 the
right or lower edge of the last.
"""

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.regions import fill_holes, find_regions
from melanoma_core.reading.reading import Reading

Points = tuple[tuple[float, float], ...]

_MIN_CORNERS = 3
_TOLERANCE = 0.5  # px


def fill_polygon(points: Points, height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels lie inside a polygon, by their centres.

    Where the polygon crosses itself, what it encloses twice is outside.

    Args:
        points: Corners as shares of width and height.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.

    Returns:
        bool [height, width]; nothing is inside if there are fewer than three corners.

    Example:
        >>> fill_polygon(((0, 0), (0.5, 0), (0.5, 1), (0, 1)), 2, 4).astype(int).tolist()
        [[1, 1, 0, 0], [1, 1, 0, 0]]
    """
    from skimage.draw import polygon2mask  # here: scikit-image takes seconds to import

    if len(points) < _MIN_CORNERS:
        return np.zeros((height, width), np.bool_)
    corners = _to_pixels(points, height, width)[:, ::-1] - 0.5
    inside: NDArray[np.bool_] = polygon2mask((height, width), corners)  # type: ignore[no-untyped-call]
    return inside


def trace_outline(inside: NDArray[np.bool_], tolerance: float = _TOLERANCE) -> Points:
    """Return the outline of the largest region of a mask as a polygon, without its holes.

    The polygon passes halfway between the centres of pixels inside and outside, so it encloses half
    a pixel less than there are pixels inside. It is simplified by Douglas and Peucker (1973,
    doi:10.3138/FM57-6770-U75U-7727).

    Args:
        inside: bool [H, W].
        tolerance: Largest distance in pixels by which the polygon may be simplified.

    Returns:
        Corners as shares of width and height, in [0, 1]; none if the mask is empty.

    Example:
        >>> trace_outline(np.ones((1, 1), bool), 0)
        ((0.5, 1.0), (0.0, 0.5), (0.5, 0.0), (1.0, 0.5))
    """
    from skimage.measure import approximate_polygon, find_contours

    regions = find_regions(inside)
    if not regions:
        return ()
    padded = np.pad(fill_holes(regions[0]), 1).astype(np.float32)
    # Regions touch side by side. So do the contours: pixels that touch at a corner alone are apart.
    contours = find_contours(padded, 0.5, fully_connected="low")  # type: ignore[no-untyped-call]
    contour = max(contours, key=len)
    corners = approximate_polygon(contour, tolerance)[:-1]  # type: ignore[no-untyped-call]
    if len(corners) < _MIN_CORNERS:  # simplified to nothing
        corners = contour[:-1]
    shares = np.clip((corners - 0.5) / inside.shape, 0, 1)
    return tuple((float(x), float(y)) for y, x in shares)


def trace_reading(reading: Reading) -> Points:
    """Return the outline that the network has drawn, as corners; none if it is not plausible."""
    measures = reading.outline_measures
    if reading.outline is None or measures is None or measures.area_share is None:
        return ()
    return trace_outline(reading.outline >= reading.outline_threshold)


def measure_polygon(points: Points, height: int, width: int) -> float:
    """Return the area of a polygon that does not cross itself, in square pixels.

    Args:
        points: Corners as shares of width and height; of fewer than three, the area is 0.
        height: Of the photograph, in pixels.
        width: Of the photograph, in pixels.

    Example:
        >>> measure_polygon(((0, 0), (0.5, 0), (0.5, 1), (0, 1)), 2, 4)
        4.0
    """
    if len(points) < _MIN_CORNERS:
        return 0.0
    x, y = _to_pixels(points, height, width).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _to_pixels(points: Points, height: int, width: int) -> NDArray[np.float64]:
    return np.asarray(points, np.float64) * (width, height)
