"""Describe a colour space by its primaries and its curve, and write it as an ICC profile.

PNG and TIFF can declare colours without a profile. With one made from what they declare, Little
CMS converts all files in the same way.
"""

import struct
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]  # CIE 1931 x and y
Curve = tuple[float, ...]

D65: Point = (0.3127, 0.3290)
SRGB_PRIMARIES: tuple[Point, ...] = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# Parameters g, a, b, c, d of an ICC parametric curve: (a·x + b)^g from d on, c·x below.
SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BT709_CURVE: Curve = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)

_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of all ICC profiles
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_POINT_TOLERANCE = 0.01  # as libpng: less than between any two spaces in use
_GAMMA_TOLERANCE = 0.05  # as libpng


@dataclass(frozen=True)
class ColourSpace:
    """An RGB colour space.

    Attributes:
        primaries: Red, green and blue.
        white: The white point.
        curve: From stored to linear values: the exponent alone, or five parameters.
    """

    primaries: tuple[Point, ...] = SRGB_PRIMARIES
    white: Point = D65
    curve: Curve = SRGB_CURVE

    @property
    def is_srgb(self) -> bool:
        """Whether it is sRGB, within the tolerance of libpng."""
        points = np.array([*self.primaries, self.white])
        expected = np.array([*SRGB_PRIMARIES, D65])
        return self.curve == SRGB_CURVE and bool(
            np.abs(points - expected).max() <= _POINT_TOLERANCE
        )

    def make_profile(self) -> bytes:
        """Return it as an ICC profile of version 4."""
        tags = {b"wtpt": _write_xyz(_D50)}
        for name, column in zip((b"r", b"g", b"b"), self._find_columns().T, strict=True):
            tags[name + b"XYZ"] = _write_xyz(column)
            tags[name + b"TRC"] = _write_curve(self.curve)
        return _write_profile(tags)

    def _find_columns(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Return the XYZ of red, green and blue as columns, adapted to D50 (Bradford)."""
        white = _find_xyz(self.white)
        primaries = np.stack([_find_xyz(point) for point in self.primaries], axis=1)
        scaled = primaries * np.linalg.solve(primaries, white)
        gains = np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white))
        adapted: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = (
            np.linalg.inv(_BRADFORD) @ gains @ _BRADFORD @ scaled
        )
        return adapted


def find_curve(exponent: float) -> Curve:
    """Return the curve of an exponent: that of sRGB for 2.2, by which programs mean sRGB.

    Args:
        exponent: From stored to linear values.

    Example:
        >>> find_curve(2.2) == SRGB_CURVE, find_curve(1.0)
        (True, (1.0,))
    """
    is_srgb = abs(exponent / 2.2 - 1) <= _GAMMA_TOLERANCE
    return SRGB_CURVE if is_srgb else (exponent,)


def is_triangle(points: tuple[Point, ...]) -> bool:
    """Return whether three primaries span colours: a profile of others cannot be computed."""
    (rx, ry), (gx, gy), (bx, by) = points
    return min(ry, gy, by) > 0 and abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) > 1e-3


def _find_xyz(point: Point) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _write_fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _write_xyz(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> bytes:
    return b"XYZ \0\0\0\0" + _write_fixed(*values)


def _write_curve(curve: Curve) -> bytes:
    kind = {1: 0, 5: 3}[len(curve)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _write_fixed(*curve)


def _write_profile(tags: dict[bytes, bytes]) -> bytes:
    """Write an ICC profile (ISO 15076-1) of a display, with the given tags."""
    offset = 128 + 4 + 12 * len(tags)
    table = body = b""
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x12s48x",
        offset + len(body),
        0x04300000,  # the version
        *(b"mntr", b"RGB ", b"XYZ ", b"acsp"),
        _write_fixed(*_D50),
    )
    return header + struct.pack(">I", len(tags)) + table + body
