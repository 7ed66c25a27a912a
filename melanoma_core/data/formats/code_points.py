"""The colour spaces that code points of ITU-T H.273 name, in PNG, HEIC and AVIF files."""

from melanoma_core.data.formats.colour_space import (
    BT709_CURVE,
    D65,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    ColourSpace,
    Curve,
    Point,
)
from melanoma_core.errors import ImageError

UNSPECIFIED = 2
"""The code point that says that nothing is known."""

VIDEO_CURVES = frozenset({1, 6, 14, 15})
"""Code points of the curve of video, BT.709."""

PRIMARIES: dict[int, tuple[tuple[Point, ...], Point]] = {
    1: (SRGB_PRIMARIES, D65),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),  # BT.601, 625 lines
    6: (((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)), D65),  # BT.601, 525 lines
    7: (((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)), D65),
    9: (((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)), D65),  # BT.2020
    11: (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), (0.314, 0.351)),  # DCI-P3
    12: (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), D65),  # Display P3
}
CURVES: dict[int, Curve] = {
    **dict.fromkeys(VIDEO_CURVES, BT709_CURVE),
    4: (2.2,),
    5: (2.8,),
    8: (1.0,),
    13: SRGB_CURVE,
}
_HIGH_DYNAMIC_RANGE = {16: "PQ", 18: "HLG"}


def refuse_high_dynamic_range(curve: int, name: str) -> None:
    """Refuse an image of high dynamic range.

    Args:
        curve: Code point of the curve.
        name: Of the image, as in "The PNG image".

    Raises:
        ImageError: It is one.
    """
    if curve in _HIGH_DYNAMIC_RANGE:
        raise ImageError(
            f"{name} has a high dynamic range ({_HIGH_DYNAMIC_RANGE[curve]}), which cannot "
            "be shown as an ordinary photograph. Save it as a JPEG in standard dynamic range."
        )


def find_space(primaries: int, curve: int) -> ColourSpace | None:
    """Return the colour space of two code points; None for one that is not known here.

    Args:
        primaries: Code point of the primary colours.
        curve: Code point of the curve.

    Example:
        >>> space = find_space(1, 13)
        >>> space is not None and space.is_srgb, find_space(99, 13)
        (True, None)
    """
    if primaries not in PRIMARIES or curve not in CURVES:
        return None
    return ColourSpace(*PRIMARIES[primaries], CURVES[curve])
