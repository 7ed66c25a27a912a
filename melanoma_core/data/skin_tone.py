"""Estimate the tone of the skin around a lesion from a photograph.

The measure is the individual typology angle (ITA) of Chardon et al. (1991, "Skin colour typology
and suntanning pathways", doi:10.1111/j.1467-2494.1991.tb00561.x): the angle of the skin's colour
in the plane of lightness L* and yellow b*. Dermatology measures it with a colorimeter. A photograph
has neither its light nor its white reference, so that this angle is an estimate, which white
balance, flash and polarisation change. On the smartphone photographs of PAD-UFES-20 it says nothing
about the Fitzpatrick type of the person (`evaluation.skin_tone`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.lab import LINEAR, TO_XYZ, compress

SKIN_TYPES = ("I", "II", "III", "IV", "V", "VI")  # of Fitzpatrick (1988), lightest first

_GRID = 24  # points along each side: the median of hundreds of pixels is sharp enough, and fast
_DARKEST, _BRIGHTEST = 40, 240  # of 255: darker is a dermoscope's ring, brighter is a reflection
_DARKER, _LIGHTER = 12, 40  # of 255 in green: how far skin may be from the skin at the border
_MIN_SHARE = 0.1  # of the points that must be skin, in the outer half
# b*: measured skin is yellower (Xiao et al. 2017, doi:10.1111/srt.12295). What looks bluer was
# photographed with another white balance, which turns every angle towards 90°.
_MIN_YELLOW = 5.0

# Upper limits of the classes in degrees (Chardon et al. 1991; Del Bino and Bernerd 2013,
# doi:10.1111/bjd.12529), darkest first.
_CLASSES = {"dark": -30, "brown": 10, "tan": 28, "intermediate": 41, "light": 55}
_LIGHTEST = "very light"


def estimate_ita(pixels: NDArray[np.uint8]) -> float | None:
    """Estimate the individual typology angle of the skin around a lesion.

    Points on a grid are looked at. Those that cannot be skin are left out: a dermoscope's ring,
    reflections, and ink and gel, which are not warm in colour. Skin is what is about as green as
    the median of the outer half: melanin, blood and hair are darker in green. On HAM10000, where
    the two distances were chosen, half of the estimates differ by less than 0.6° from the angle
    outside of the outlines that people drew.

    Args:
        pixels: uint8 [H, W, 3], sRGB. A lesion that fills the photograph is taken for skin.

    Returns:
        arctan((L* − 50) / b*) of the median L* and b* in degrees, in (−90, 90): high for light
        skin. None if fewer than a tenth of the points are skin, or the skin is less yellow (b*
        below 5) than skin is.

    Example:
        >>> round(estimate_ita(np.full((64, 64, 3), (224, 172, 140), np.uint8)), 1)
        45.6
    """
    red, green, blue = points = _sample(pixels)
    # The largest channel of skin is red. Neither ink nor gel is.
    is_open = (red >= _DARKEST) & (red > np.maximum(green, blue))
    is_open &= np.minimum(green, blue) < _BRIGHTEST
    border = green[is_open & _OUTER]
    if len(border) < _MIN_SHARE * is_open.size:
        return None
    middle = int(_median(border))
    skin = is_open & (green >= middle - _DARKER) & (green <= middle + _LIGHTER)
    luminance, short = TO_XYZ[1:] @ LINEAR[points[:, skin]]
    root = compress(luminance)
    lightness = 116 * _median(root) - 16
    yellow = 200 * _median(root - compress(short))
    if yellow < _MIN_YELLOW:
        return None
    return math.degrees(math.atan((lightness - 50) / yellow))


def name_ita_class(ita: float) -> str:
    """Return the class of an individual typology angle.

    Args:
        ita: In degrees.

    Example:
        >>> [name_ita_class(ita) for ita in (56, 55, 41, 28, 10, -30, -31)]
        ['very light', 'light', 'intermediate', 'tan', 'brown', 'brown', 'dark']
    """
    if ita < _CLASSES["dark"]:
        return "dark"
    limits = list(_CLASSES.items())[1:]
    return next((name for name, limit in limits if ita <= limit), _LIGHTEST)


def name_skin_tone(fitzpatrick: object, ita: object) -> str | None:
    """Return the tone of the skin in words, None if nothing is known of it.

    Args:
        fitzpatrick: Skin type that a table gives, "I" to "VI"; anything but text is unknown.
        ita: Angle in degrees (`estimate_ita`); None or NaN is unknown.

    Example:
        >>> name_skin_tone("II", 50.0), name_skin_tone(None, 50.0), name_skin_tone(None, None)
        ('Fitzpatrick II', 'light (estimate)', None)
    """
    if isinstance(fitzpatrick, str):
        return f"Fitzpatrick {fitzpatrick}"
    if isinstance(ita, float) and not math.isnan(ita):
        return f"{name_ita_class(ita)} (estimate)"
    return None


# Every tone that is estimated, lightest first; every tone; and those of dark skin.
ITA_TONES = tuple(f"{name} (estimate)" for name in (_LIGHTEST, *reversed(_CLASSES)))
SKIN_TONES = (*(f"Fitzpatrick {name}" for name in SKIN_TYPES), *ITA_TONES)
DARK_TONES = ("Fitzpatrick V", "Fitzpatrick VI", *ITA_TONES[-2:])
# Measured by `evaluation.skin_tone`. Said wherever the estimate is shown.
ESTIMATE_NOTE = (
    "A skin tone with (estimate) is a class of the individual typology angle of the skin around "
    "the lesion (Chardon 1991), computed from the photograph. It is not the skin type of the "
    "person: on 388 smartphone photographs of PAD-UFES-20, it was unrelated to the Fitzpatrick "
    "type (Spearman correlation 0.01, 95% CI −0.11 to 0.11; perfect agreement: −1)."
)


def _find_outer_half() -> NDArray[np.bool_]:
    """Return which points of the grid lie in the half of its area that is next to the border."""
    side = np.abs(np.arange(_GRID) + 0.5 - _GRID / 2)
    return np.asarray(np.maximum.outer(side, side).ravel() > _GRID / 2 * math.sqrt(0.5))


_OUTER = _find_outer_half()


def _sample(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels at the points of the grid, uint8 [3, N]. No two are mixed."""
    rows, columns = (
        (np.arange(_GRID) * 2 + 1) * length // (2 * _GRID) for length in pixels.shape[:2]
    )
    return np.ascontiguousarray(pixels[rows[:, None], columns].reshape(-1, 3).T)


def _median(values: NDArray[np.float64]) -> float:
    """Return the upper median; `np.median` takes five times as long for a thousand values."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])
