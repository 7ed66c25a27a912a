"""Measure the outline of a lesion: asymmetry, border, colours and diameter.

They describe the picture in the terms of the ABCD rule (Stolz et al. 1994; Nachbar et al. 1994,
doi:10.1016/S0190-9622(94)70061-3). None is a verdict, and no alert depends on one. How each behaves
on real outlines is measured by `assessment.outline_measures`. For people, they are defined in
docs/explanation/outline-measures.md. A reading computes them with NumPy and Pillow alone.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from melanoma_core.data.lab import to_lab
from melanoma_core.data.regions import fill_holes, find_regions

# L*a*b* of the colours of Stolz et al. (1994). White, red and blue-grey: Kasmi and Mokrani 2016,
# doi:10.1049/iet-ipr.2015.0385. The browns and black: middle of the ranges of Ali et al. 2020,
# doi:10.1371/journal.pone.0234352. Both were taken from dermoscopic photographs.
COLOURS = {
    "white": (78, 9, -13),
    "red": (25, 41, 29),
    "light brown": (60, 28, 42),
    "dark brown": (31, 17, 27),
    "blue-grey": (47, 9, -16),
    "black": (20, 15, 11),
}
# a* and b* of skin, in the middle of what was measured (Xiao et al. 2017, doi:10.1111/srt.12295).
# Redness and yellowness of skin differ little between people, lightness does.
SKIN = (12, 16)
NUM_SEGMENTS = 8

_AREA = 200 * 150  # px; a lesion of HAM10000 is then about 90 pixels wide
_MIN_SHARE = 0.001  # of the photograph: less is no lesion
_LARGE_PART = 0.1  # of the largest part; smaller ones are left out
_MIN_COLOUR = 0.05  # of the lesion (Ali et al. 2020)
_POINTS = 2000  # of the lesion that asymmetry and colours look at
_AXES = 12  # directions of an axis of symmetry: 15 degrees apart
_MARGIN, _BLUR = 6, 1.5  # px
_TURNS = np.pi * np.arange(180) / 180
_DIRECTIONS = np.stack([np.cos(_TURNS), np.sin(_TURNS)])  # across and down
_RAYS = 16  # of each segment
# Distances along a ray from the border, as shares of the radius of a circle of the same area.
_REACH, _STEPS = 0.3, 25
_WINDOW = 4  # steps; the part of the profile that can be steep: 0.1 of the radius
_ENDS = 5  # steps at each end of the profile that stand for lesion and skin
_ABRUPT = 0.5  # of the change of L* from lesion to skin
_MIN_CHANGE = 5.0  # L*: less can hardly be seen

EMPTY = "The outline is empty."
SEVERAL = "The outline has several large parts."
CUT = "The lesion reaches the edge of the photograph."


@dataclass(frozen=True, kw_only=True)
class OutlineMeasures:
    """Measures of the outline of a lesion; None where they are missing.

    Attributes:
        missing: Why measures are missing, in a sentence; "" if none is.
        area_share: Share of the photograph that the lesion covers, in (0, 1].
        asymmetry: Share of the lesion whose mirror image lies outside of it, in [0, 1): the mean
            over two perpendicular axes through the centroid, in the direction in which it is
            smallest.
        border_irregularity: Perimeter² / (4π area): 1 for a circle, 4/π for a square (Golston et
            al. 1992, doi:10.1016/0895-6111(92)90074-J). A circle of pixels may be slightly below.
        abrupt_segments: Number of eighths of the border, 0 to 8, at which lightness changes
            abruptly: by more than half within a tenth of the radius.
        colours: Which of the six colours of dermoscopy cover at least 5% of the lesion.
        diameter: Longest distance between two points of the outline (Feret), as a share of the
            diagonal of the photograph, in (0, 1].
    """

    missing: str = ""
    area_share: float | None = None
    asymmetry: float | None = None
    border_irregularity: float | None = None
    abrupt_segments: int | None = None
    colours: tuple[str, ...] | None = None
    diameter: float | None = None


def choose_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width at which outlines are measured, in the aspect of a photograph.

    >>> choose_size(450, 600)
    (150, 200)
    """
    scale = math.sqrt(_AREA / (height * width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def measure_outline(inside: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> OutlineMeasures:
    """Measure an outline in its photograph.

    Holes are filled, and parts below a tenth of the largest are left out.

    Args:
        inside: bool [H, W], true inside the lesion, in the aspect of the photograph.
        pixels: uint8 [h, w, 3], the photograph, sRGB; its size may differ.

    Returns:
        The measures. All are missing if the outline is empty or has several large parts. Those that
        need the whole lesion are missing if it reaches the edge of the photograph.
    """
    size = choose_size(*inside.shape)
    lesion = _resize(inside, size)
    parts = find_regions(lesion)
    if not parts or parts[0].mean() < _MIN_SHARE:
        return OutlineMeasures(missing=EMPTY)
    if len(parts) > 1 and parts[1].sum() >= _LARGE_PART * parts[0].sum():
        return OutlineMeasures(missing=SEVERAL)
    lesion = fill_holes(parts[0])
    photograph = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR))
    shape = _Shape.of(lesion)
    profiles = _sample_border(shape, lesion, photograph)
    share, colours = float(lesion.mean()), _find_colours(photograph[lesion], profiles)
    frame = lesion[0].any() or lesion[-1].any() or lesion[:, 0].any() or lesion[:, -1].any()
    if frame:
        return OutlineMeasures(missing=CUT, area_share=share, colours=colours)
    return OutlineMeasures(
        area_share=share,
        asymmetry=_measure_asymmetry(shape, lesion),
        border_irregularity=_measure_perimeter(lesion) ** 2 / (4 * math.pi * shape.area),
        abrupt_segments=_count_abrupt(profiles),
        colours=colours,
        diameter=_measure_diameter(lesion) / math.hypot(*size),
    )


@dataclass(frozen=True, eq=False)
class _Shape:
    """Where a lesion lies, in pixels.

    Attributes:
        rows: float [N], of its pixels, from the centroid.
        columns: float [N], of its pixels, from the centroid.
        centre: Row and column of the centroid.
        angle: Direction of its longer principal axis, in radians.
    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    centre: tuple[float, float]
    angle: float

    @property
    def area(self) -> int:
        return len(self.rows)

    @property
    def radius(self) -> float:
        """Of a circle of the same area."""
        return math.sqrt(self.area / math.pi)

    @classmethod
    def of(cls, lesion: NDArray[np.bool_]) -> "_Shape":
        rows, columns = (each.astype(np.float32) for each in np.nonzero(lesion))
        centre = float(rows.mean()), float(columns.mean())
        rows -= centre[0]
        columns -= centre[1]
        mixed = 2 * float(rows @ columns)
        angle = 0.5 * math.atan2(mixed, float(columns @ columns - rows @ rows))
        return cls(rows, columns, centre, angle)


def _resize(inside: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    if inside.shape == size:
        return inside
    grey = Image.fromarray(255 * inside.astype(np.uint8))
    return np.asarray(grey.resize(size[::-1], Image.Resampling.BILINEAR)) >= 128


def _measure_asymmetry(shape: _Shape, lesion: NDArray[np.bool_]) -> float:
    """Return the asymmetry about the two perpendicular axes for which it is smallest.

    Stolz et al. (1994) place the axes so. The principal axes are among those that are tried.
    """
    stride = max(1, shape.area // _POINTS)
    rows, columns = shape.rows[::stride], shape.columns[::stride]
    angles = 2 * (shape.angle + np.pi * np.arange(_AXES) / _AXES)[:, None].astype(np.float32)
    cos, sin = np.cos(angles), np.sin(angles)
    mirrored = (
        columns * sin - rows * cos + shape.centre[0],
        columns * cos + rows * sin + shape.centre[1],
    )
    outside = 1 - _look_up(lesion, *mirrored).mean(axis=1)
    return float((outside[: _AXES // 2] + outside[_AXES // 2 :]).min() / 2)


def _look_up(image: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Return the nearest pixels, those of the edge for places outside of the image."""
    height, width = image.shape[:2]
    row = np.rint(np.minimum(np.maximum(rows, 0), height - 1)).astype(np.intp)
    column = np.rint(np.minimum(np.maximum(columns, 0), width - 1)).astype(np.intp)
    found: NDArray[Any] = image[row, column]
    return found


def _measure_perimeter(lesion: NDArray[np.bool_]) -> float:
    """Return the perimeter in pixels: the total variation of the mask, smoothed a little.

    Steps along the border of pixels would give a circle the perimeter of its square.
    """
    tall, wide = (np.flatnonzero(lesion.any(axis=axis)) for axis in (1, 0))
    cropped = lesion[tall[0] : tall[-1] + 1, wide[0] : wide[-1] + 1]
    grey = Image.fromarray(255 * np.pad(cropped, _MARGIN).astype(np.uint8))
    smooth = np.asarray(grey.filter(ImageFilter.GaussianBlur(_BLUR)), np.float32)
    down = smooth[2:, 1:-1] - smooth[:-2, 1:-1]
    across = smooth[1:-1, 2:] - smooth[1:-1, :-2]
    return float(np.sqrt(down * down + across * across).sum()) / (2 * 255)


def _measure_diameter(lesion: NDArray[np.bool_]) -> float:
    """Return the largest extent of the lesion's pixels in any direction, in pixels."""
    rows = np.flatnonzero(lesion.any(axis=1))
    first = lesion[rows].argmax(axis=1)
    last = lesion.shape[1] - lesion[rows, ::-1].argmax(axis=1)
    ends = np.concatenate([first, last]), np.concatenate([rows + 0.5, rows + 0.5])
    extents = np.ptp(np.stack(ends, axis=1) @ _DIRECTIONS, axis=0)
    # A pixel is as tall as wide, which the middle of its sides shows in the row alone.
    return float((extents + np.abs(_DIRECTIONS[1])).max())


def _sample_border(
    shape: _Shape, lesion: NDArray[np.bool_], photograph: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return the colours across the border, from inside to outside.

    Returns:
        float32 [8, rays, steps, 3], L*a*b* along rays from the centroid, beginning at the longer
        principal axis; NaN outside of the photograph.
    """
    number = NUM_SEGMENTS * _RAYS
    angles = shape.angle + 2 * np.pi * (np.arange(number) + 0.5)[:, None] / number
    down, across = np.sin(angles), np.cos(angles)
    farthest = math.sqrt(float((shape.rows**2 + shape.columns**2).max()))
    radii = np.arange(0.0, farthest + 1, 0.5)
    is_inside = _look_up(lesion, shape.centre[0] + radii * down, shape.centre[1] + radii * across)
    border = radii[len(radii) - 1 - is_inside[:, ::-1].argmax(axis=1)][:, None] + 0.5
    along = border + shape.radius * np.linspace(-_REACH, _REACH, _STEPS)
    rows, columns = shape.centre[0] + along * down, shape.centre[1] + along * across
    lab = to_lab(_look_up(photograph, rows, columns))
    height, width = lesion.shape
    beyond = (rows < -0.5) | (rows > height - 0.5) | (columns < -0.5) | (columns > width - 0.5)
    lab[beyond] = np.nan
    return lab.reshape(NUM_SEGMENTS, _RAYS, _STEPS, 3)


def _count_abrupt(profiles: NDArray[np.float32]) -> int:
    """Count the segments in which more than half of the change of L* is in a narrow window."""
    lightness = profiles[..., 0]
    known = ~np.isnan(lightness)
    count = known.sum(axis=1)
    profile = np.where(known, lightness, 0).sum(axis=1) / np.maximum(count, 1)
    change = profile[:, -_ENDS:].mean(axis=1) - profile[:, :_ENDS].mean(axis=1)
    steps = np.sign(change)[:, None] * (profile[:, _WINDOW:] - profile[:, :-_WINDOW])
    is_seen = (np.abs(change) >= _MIN_CHANGE) & (count > 0).all(axis=1)
    return int(np.count_nonzero(is_seen & (steps.max(axis=1) > _ABRUPT * np.abs(change))))


def _find_colours(pixels: NDArray[np.uint8], profiles: NDArray[np.float32]) -> tuple[str, ...]:
    """Return the colours to which at least 5% of the pixels, uint8 [N, 3], are nearest.

    Photographs differ in white balance: nevi of HAM10000 look red. So a* and b* are changed as
    another light would change them (von Kries), until the skin around the lesion has those of
    `SKIN`. The skin is also a seventh colour: what is inside of the outline and nearest to it
    counts as none of the six.
    """
    lab = to_lab(pixels[:: max(1, len(pixels) // _POINTS)])
    references = np.array(list(COLOURS.values()), np.float32)
    around = profiles[:, :, -_ENDS:].reshape(-1, 3)
    around = around[~np.isnan(around[:, 0])]
    if len(around):
        skin = np.median(around, axis=0)
        light = (lab[:, :1] + 16) / (skin[0] + 16)  # cube root of the luminance, of the skin's
        lab[:, 1:] += light * (SKIN - skin[1:])
        references = np.vstack([references, (skin[0], *SKIN)]).astype(np.float32)
    nearest = ((references**2).sum(axis=1) - 2 * lab @ references.T).argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(references)) / len(lab)
    return tuple(name for name, share in zip(COLOURS, shares, strict=False) if share >= _MIN_COLOUR)
