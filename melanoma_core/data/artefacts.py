"""Warn of ink, hair or a ruler in a photograph: they can change what the network says.

Each kind has a measure and a limit. The limits were chosen on photographs of HAM10000, on half of
the lesions, and are measured on the other half (`assessment.robustness`; docs/explanation/
robustness.md). No collection says which photographs show ink, hair or a ruler. So the share of
warnings that are missed is known for drawn artefacts alone, and the share of warnings on unaltered
photographs is an upper bound of the false ones.

Pigment and blood hardly absorb red light, hair and ink do. So dark structures are searched in red,
as DullRazor does for hair (Lee et al. 1997, doi:10.1016/S0010-4825(97)00020-6).
"""

import math
import operator
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.images import Photograph
from melanoma_core.data.morphology import Mask, find_narrow, find_pixels
from melanoma_core.data.quality import QualityFinding, QualityKind

# Chosen by `melanoma robustness --choose-limits` on 762 photographs of HAM10000; the rule is
# `assessment.robustness.LARGEST_SHARES`.
LIMITS: Mapping[QualityKind, float] = MappingProxyType(
    {QualityKind.INK: 0.0048, QualityKind.HAIR: 0.0063, QualityKind.RULER: 5.8}
)
_TEXTS = {
    QualityKind.INK: (
        "Ink, or another coloured mark, seems to be on the skin. It can change the reading. Wipe "
        "it off and photograph again."
    ),
    QualityKind.HAIR: (
        "Hair seems to cross the photograph. It can change the reading. Move or trim it and "
        "photograph again."
    ),
    QualityKind.RULER: (
        "A ruler seems to be in the photograph. It can change the reading. Photograph the lesion "
        "without it."
    ),
}

_AREA = 300 * 225  # px; hair is 1 to 4 pixels wide then
_RADIUS = 0.46  # of width and height: the ellipse that is searched leaves out dark corners
_MIN_DEPTH, _DEPTH = 8, 0.12  # of 255, and of the median in red: what counts as dark
_ANGLES = tuple(math.pi * number / 12 for number in range(12))
_NARROW, _TICK, _HAIR, _LONG = 3, 3, 4, 5  # doublings: 8, 8, 16 and 32 pixels
_BROAD, _PEN = 5, 3  # px: broader than hair, at the full size and at half of it
_BAND = 12  # px along the ticks; a scale fills one or two bands
_MIN_TICK, _MIN_TICKS = 5, 6  # px of a tick in its column; ticks of a scale
_TURNS = (-0.065, 0.065)  # rad; between two of the angles
_FREQUENCIES, _PERIODS = 512, (4.5, 24.0)  # px between two ticks
_INK_SCALE = 2  # ink is searched at half the size
_INK_DEPTH, _MIN_DENSITY, _MIN_COLOUR = 0.15, 0.3, 0.25  # of the median; optical densities
_GREYEST, _VIOLET = 0.95, 0.6  # density in blue by that in red: of black ink, of violet ink
_DARKEST = 40  # of 255; below it no colour can be seen
_SKIN = 60  # percentile of the photograph that stands for the skin
_DENSITIES = np.log((np.arange(256) + 6) / 261).astype(np.float32)


def find_artefacts(photograph: Photograph) -> tuple[QualityFinding, ...]:
    """Return a warning for ink, for hair and for a ruler, where the photograph shows them.

    Args:
        photograph: A decoded photograph.

    Returns:
        At most three findings; none of them refuses the photograph.

    Example:
        >>> skin = np.full((225, 300, 3), (220, 170, 160), np.uint8)
        >>> find_artefacts(Photograph(skin, 300, 225, "PNG"))
        ()
    """
    measures = _measure(_shrink(photograph.image))
    return tuple(
        QualityFinding(kind, value, LIMITS[kind], False, _TEXTS[kind])
        for kind, value in measures.items()
        if value > LIMITS[kind]
    )


def measure_artefacts(pixels: NDArray[np.uint8]) -> dict[QualityKind, float]:
    """Measure how much a photograph looks as if it showed ink, hair and a ruler.

    Args:
        pixels: uint8 [height, width, 3], sRGB, of any size.

    Returns:
        For ink and hair, the share of the searched ellipse that looks like it, in [0, 1]; for a
        ruler, the number of its ticks by how evenly they are spaced, 0 or more.
    """
    return _measure(_shrink(Image.fromarray(pixels)))


def _measure(image: Image.Image) -> dict[QualityKind, float]:
    """Return the measures of a photograph that was shrunk."""
    red = np.asarray(image.getchannel(0))
    limit = max(_MIN_DEPTH, _DEPTH * float(np.median(red[::3, ::3])))
    dark = Mask.from_array(find_narrow(red, _NARROW) > limit)
    hair, ruler = _measure_lines(dark)
    return {
        QualityKind.INK: _measure_ink(image.reduce(_INK_SCALE)),
        QualityKind.HAIR: hair,
        QualityKind.RULER: ruler,
    }


def _measure_lines(dark: Mask) -> tuple[float, float]:
    """Return the measures of hair and of a ruler, from the pixels that are narrow and dark."""
    if len(dark) < _MIN_TICK * _MIN_TICKS:
        return 0.0, 0.0
    thin = dark.drop_broad(_BROAD)  # without the strokes of a pen
    opened = [thin.open_along(angle, (_TICK, _HAIR, _LONG)) for angle in _ANGLES]
    short, lines, long = (list(masks) for masks in zip(*opened, strict=True))
    all_long = reduce(operator.or_, long)
    scales = _measure_scales([ticks - all_long for ticks in short])
    ruler = max(scales)
    if ruler > LIMITS[QualityKind.RULER]:  # its ticks and its edge are no hair
        turns = np.arange(len(_ANGLES)) - int(np.argmax(scales))
        is_free = np.abs((turns + 1) % (len(_ANGLES) // 2) - 1) > 1
        lines = [each for each, free in zip(lines, is_free, strict=True) if free]
    return _measure_share(reduce(operator.or_, lines)), ruler


def _shrink(image: Image.Image) -> Image.Image:
    """Return a photograph with the area that all are measured at, in its own aspect."""
    width, height = image.size
    scale = math.sqrt(_AREA / (height * width))
    size = max(2 * _INK_SCALE, round(width * scale)), max(2 * _INK_SCALE, round(height * scale))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def _measure_share(mask: Mask) -> float:
    """Return the share of the ellipse that a mask covers."""
    ellipse = _make_ellipse(mask.height, mask.width)
    return len(mask & ellipse) / len(ellipse)


@lru_cache(maxsize=16)
def _make_ellipse(height: int, width: int) -> Mask:
    """Return the part of a photograph that is searched for hair and ink."""
    rows, columns = np.ogrid[:height, :width]
    down = (rows - (height - 1) / 2) / (_RADIUS * height)
    across = (columns - (width - 1) / 2) / (_RADIUS * width)
    return Mask.from_array(down**2 + across**2 <= 1)


def _measure_scales(ticks: Sequence[Mask]) -> NDArray[np.float64]:
    """Return how many evenly spaced marks stand side by side, for marks in each direction.

    The marks of one band are a row of pulses. Its Fourier transform has a peak where the pulses
    are evenly spaced: the square of their number, divided here by their number.

    Args:
        ticks: The marks in each direction of `_ANGLES`.

    Returns:
        float64 [12], 0 or more.
    """
    rows, columns, sizes = find_pixels(ticks)
    is_enough = sizes >= _MIN_TICK * _MIN_TICKS
    scores = np.zeros(len(ticks))
    if not is_enough.any():
        return scores
    is_in = np.repeat(is_enough, sizes)
    rows, columns, sizes = rows[is_in], columns[is_in], sizes[is_enough]
    starts = np.cumsum([0, *sizes[:-1]])

    def spread(values: NDArray[np.generic]) -> NDArray[Any]:
        return np.repeat(values, sizes, axis=1)

    angles = np.array(_ANGLES)[is_enough] + np.array(_TURNS)[:, None]
    cos, sin = spread(np.cos(angles)), spread(np.sin(angles))  # [turns, N], as all that follows
    along, across = columns * cos + rows * sin, rows * cos - columns * sin
    along -= spread(np.minimum.reduceat(along, starts, axis=1))
    across -= spread(np.minimum.reduceat(across, starts, axis=1))
    band = (along / _BAND).astype(np.intp)
    shape = (*angles.shape, int(band.max()) + 1)
    band += spread(shape[2] * np.arange(angles.size).reshape(angles.shape))
    is_full = np.bincount(band.ravel(), minlength=math.prod(shape)) >= _MIN_TICK * _MIN_TICKS
    is_in, rank = is_full[band], np.cumsum(is_full) - 1  # no other band can hold a scale
    values = np.zeros(shape)
    values[is_full.reshape(shape)] = _measure_bands(rank[band[is_in]], across[is_in])
    scores[is_enough] = values.max(axis=(0, 2))
    return scores


def _measure_bands(band: NDArray[np.intp], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the measure of each band from the band and the place of each pixel."""
    num_bands = int(band.max(initial=-1)) + 1
    values = np.zeros(num_bands)
    if not num_bands:
        return values
    place = across.astype(np.intp)
    width = place.max() + 1
    counts = np.bincount(band * width + place, minlength=num_bands * width)
    pulses = counts.reshape(num_bands, width) >= _MIN_TICK
    pulses[:, 1:] &= ~pulses[:, :-1]  # a tick can be several pixels wide
    numbers = pulses.sum(axis=1)
    chosen = numbers >= _MIN_TICKS
    if chosen.any():
        power = np.abs(np.fft.rfft(pulses[chosen], _FREQUENCIES, axis=1)) ** 2
        first, last = (int(_FREQUENCIES / period) for period in reversed(_PERIODS))
        values[chosen] = power[:, first:last].max(axis=1) / numbers[chosen]
    return values


def _measure_ink(image: Image.Image) -> float:
    """Return the share of strokes in black or coloured ink, and of areas of violet or blue.

    Pigment and blood absorb more blue than red light, ink does not. Densities are compared with
    the skin's, so that the lamp does not matter. A black lesion is no stroke, as it is too broad.
    """
    red, green, blue = map(np.asarray, image.split())
    dark_red, dark_blue = (_find_skin(plane) - _DENSITIES[plane] for plane in (red, blue))
    depth = find_narrow(red, _NARROW)
    is_stroke = depth > max(_MIN_DEPTH, _INK_DEPTH * float(np.median(red[::2, ::2])))
    is_grey = is_stroke & (dark_red > _MIN_DENSITY) & (dark_blue < _GREYEST * dark_red)
    is_violet = (dark_red > _MIN_COLOUR) & (dark_blue < _VIOLET * dark_red) & (blue >= red)
    is_violet &= np.maximum(green, blue) > _DARKEST  # red is no more than blue
    marks = (Mask.from_array(each).open_square(_PEN) for each in (is_grey, is_violet))
    return _measure_share(reduce(operator.or_, marks))


def _find_skin(plane: NDArray[np.uint8]) -> np.float32:
    """Return the density of one channel that stands for the skin."""
    values = plane[::2, ::2].ravel()
    position = (len(values) - 1) * _SKIN / 100
    below = int(position)
    above = min(below + 1, len(values) - 1)
    ordered = np.partition(values, (below, above))
    low, high = _DENSITIES[ordered[[below, above]]]
    return np.float32(low + (high - low) * (position - below))
