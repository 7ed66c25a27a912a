"""Convert sRGB to CIE 1976 L*a*b* with the white D65, in which distances are differences seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# sRGB (IEC 61966-2-1) to linear light, by value.
LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255]
)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
TO_XYZ = _TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)  # white is 1
_LINEAR_32, _TO_XYZ_32 = LINEAR.astype(np.float32), TO_XYZ.T.astype(np.float32)
_TO_LAB = np.array([[0, 500, 0], [116, -500, 200], [0, 0, -200]], np.float32)
_BLACK = np.array([16, 0, 0], np.float32)


def compress(light: NDArray[Any]) -> NDArray[Any]:
    """Return the function f of CIE L*a*b*, of light in [0, 1]."""
    return np.where(light > (6 / 29) ** 3, np.cbrt(light), light / (3 * (6 / 29) ** 2) + 4 / 29)


def to_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert pixels to L*a*b*.

    Args:
        pixels: uint8 [..., 3], sRGB.

    Returns:
        float32 [..., 3]: L* in [0, 100], a* and b*. Their distance is ΔE of CIE 1976.

    Example:
        >>> to_lab(np.array([[255, 255, 255], [163, 82, 16]], np.uint8)).round().tolist()
        [[100.0, 0.0, 0.0], [44.0, 30.0, 49.0]]
    """
    lab: NDArray[np.float32] = compress(_LINEAR_32[pixels] @ _TO_XYZ_32) @ _TO_LAB - _BLACK
    return lab
