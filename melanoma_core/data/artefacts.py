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
from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.images import Photograph
from melanoma_core.data.morphology import Mask, find_narrow
from melanoma_core.data.quality import QualityFinding, QualityKind

ARTEFACT_KINDS = (QualityKind.INK, QualityKind.HAIR, QualityKind.RULER)
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
    measures = measure_artefacts(photograph.pixels)
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
    image = _shrink(pixels)
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
    scales = [
        _measure_scale((ticks - all_long).to_array(), angle)
        for ticks, angle in zip(short, _ANGLES, strict=True)
    ]
    ruler = max(scales)
    if ruler > LIMITS[QualityKind.RULER]:  # its ticks and its edge are no hair
        turns = np.arange(len(_ANGLES)) - int(np.argmax(scales))
        is_free = np.abs((turns + 1) % (len(_ANGLES) // 2) - 1) > 1
        lines = [each for each, free in zip(lines, is_free, strict=True) if free]
    return _average_inside(reduce(operator.or_, lines).to_array()), ruler


def _shrink(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return a photograph with the area that all are measured at, in its own aspect."""
    height, width = pixels.shape[:2]
    scale = math.sqrt(_AREA / (height * width))
    size = max(2 * _INK_SCALE, round(width * scale)), max(2 * _INK_SCALE, round(height * scale))
    image = Image.fromarray(pixels)
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def _average_inside(mask: NDArray[np.generic]) -> float:
    """Return the share of the ellipse that a mask covers."""
    height, width = mask.shape
    rows, columns = np.ogrid[:height, :width]
    down = (rows - (height - 1) / 2) / (_RADIUS * height)
    across = (columns - (width - 1) / 2) / (_RADIUS * width)
    return float(mask[down**2 + across**2 <= 1].mean())


def _measure_scale(ticks: NDArray[np.bool_], angle: float) -> float:
    """Return how many evenly spaced marks in the direction `angle` stand side by side.

    The marks of one band are a row of pulses. Its Fourier transform has a peak where the pulses
    are evenly spaced: the square of their number, divided here by their number.
    """
    positions = np.flatnonzero(ticks)
    if len(positions) < _MIN_TICK * _MIN_TICKS:
        return 0.0
    rows, columns = np.divmod(positions, ticks.shape[1])
    return max(_measure_row(rows, columns, angle + turn) for turn in _TURNS)


def _measure_row(rows: NDArray[np.intp], columns: NDArray[np.intp], angle: float) -> float:
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = columns * cos + rows * sin, rows * cos - columns * sin
    bands = ((along - along.min()) // _BAND).astype(np.intp)
    places = (across - across.min()).astype(np.intp)
    shape = bands.max() + 1, places.max() + 1
    counts = np.bincount(bands * shape[1] + places, minlength=shape[0] * shape[1]).reshape(shape)
    pulses = counts >= _MIN_TICK
    pulses[:, 1:] &= ~pulses[:, :-1]  # a tick can be several pixels wide
    numbers = pulses.sum(axis=1)
    chosen = numbers >= _MIN_TICKS
    if not chosen.any():
        return 0.0
    power = np.abs(np.fft.rfft(pulses[chosen], _FREQUENCIES, axis=1)) ** 2
    first, last = (int(_FREQUENCIES / period) for period in reversed(_PERIODS))
    return float((power[:, first:last].max(axis=1) / numbers[chosen]).max())


def _measure_ink(image: Image.Image) -> float:
    """Return the share of strokes in black or coloured ink, and of areas of violet or blue.

    Pigment and blood absorb more blue than red light, ink does not. Densities are compared with
    the skin's, so that the lamp does not matter. A black lesion is no stroke, as it is too broad.
    """
    pixels = np.asarray(image)
    density = _DENSITIES[pixels]
    skin = np.percentile(density[::2, ::2].reshape(-1, 3), _SKIN, axis=0).astype(np.float32)
    in_red, in_blue = skin[0] - density[..., 0], skin[2] - density[..., 2]
    red, blue = pixels[..., 0], pixels[..., 2]
    depth = find_narrow(red, _NARROW)
    is_stroke = depth > max(_MIN_DEPTH, _INK_DEPTH * float(np.median(red[::2, ::2])))
    is_grey = is_stroke & (in_red > _MIN_DENSITY) & (in_blue < _GREYEST * in_red)
    is_violet = (in_red > _MIN_COLOUR) & (in_blue < _VIOLET * in_red) & (blue >= red)
    is_violet &= pixels.max(axis=2) > _DARKEST
    marks = (Mask.from_array(each).open_square(_PEN) for each in (is_grey, is_violet))
    return _average_inside(reduce(operator.or_, marks).to_array())
