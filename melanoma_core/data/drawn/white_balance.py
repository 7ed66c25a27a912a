"""Change the white balance of a photograph, as another camera or lamp would."""

import numpy as np
from numpy.typing import NDArray

_NEUTRAL = 1e6 / 6504  # mired of D65, the white of sRGB
_RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
_XYZ_TO_CONES = np.array(  # Bradford
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_TO_LINEAR = np.where(
    np.arange(256) <= 0.04045 * 255,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
).astype(np.float32)


def change_illuminant(pixels: NDArray[np.uint8], mired: float) -> NDArray[np.uint8]:
    """Show a photograph as if its white had been set for another colour temperature.

    The responses of the three kinds of cones are scaled (von Kries), in the Bradford space, with
    the whites of black-body light by Kim et al. (2002, US patent 7024034).

    Args:
        pixels: uint8 [height, width, 3], sRGB.
        mired: Shift of the colour temperature in mired (a million by kelvin), in [-100, 400]: a
            positive one is warmer (more yellow), 0 changes nothing.

    Returns:
        uint8 [height, width, 3], sRGB, with about the same luminance.

    Example:
        >>> change_illuminant(np.full((1, 1, 3), 128, np.uint8), 50)[0, 0].tolist()
        [138, 126, 110]
    """
    gains = _measure_cones(_NEUTRAL + mired) / _measure_cones(_NEUTRAL)
    to_cones = _XYZ_TO_CONES @ _RGB_TO_XYZ
    matrix = (np.linalg.inv(to_cones) @ np.diag(gains) @ to_cones).astype(np.float32)
    linear = (_TO_LINEAR[pixels] @ matrix.T).clip(0, 1)
    low = linear <= 0.0031308
    encoded = np.where(low, 12.92 * linear, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)
    return np.asarray((255 * encoded).round().astype(np.uint8))


def _measure_cones(mired: float) -> NDArray[np.float64]:
    """Return the responses of the cones to black-body light of luminance 1."""
    t = mired / 1000  # 1000 by kelvin
    if t > 0.25:  # below 4,000 K
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return np.asarray(_XYZ_TO_CONES @ np.array([x / y, 1, (1 - x - y) / y]))
