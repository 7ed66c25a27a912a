"""Draw artefacts onto real photographs, for measurement only.

A dermoscopic photograph can carry skin-marker ink, hair, a ruler or gel bubbles, and can be taken
or saved badly. This generator alters photographs to measure how far alerts and refusals change
(`assessment.robustness`), and how often `data.artefacts` warns. No network is trained with it, nor
is a limit of a model chosen with it: training has a generator of its own, so that a network is
never measured with what it has learned.

Lengths are shares of the photograph's shorter side, of which a dermoscope shows 10 to 20 mm.
"""

import math
import zlib
from collections.abc import Callable
from enum import StrEnum
from io import BytesIO

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from melanoma_core.data.drawn.white_balance import change_illuminant

Pixels = NDArray[np.uint8]
_Points = NDArray[np.float64]  # [points, 2], column and row in pixels
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CANVAS_SIDE = 1200  # px; strokes are drawn enlarged to about this size, for smooth edges
_MAX_ENLARGEMENT = 4
_JPEG_QUALITY = 30
_INKS = (  # transmittance of a full layer, in each channel
    (0.36, 0.16, 0.56),  # gentian violet
    (0.30, 0.14, 0.42),  # dark violet
    (0.10, 0.20, 0.58),  # blue
    (0.12, 0.12, 0.16),  # black
)
_HAIRS = ((28, 20, 18), (46, 30, 24), (74, 48, 34), (110, 78, 52), (20, 18, 24), (150, 122, 92))
_BLACK_PLATE, _WHITE_PLATE = (36, 34, 36), (238, 238, 234)


class ArtefactKind(StrEnum):
    """What the generator draws onto a photograph, or does to it."""

    INK = "ink"
    HAIR = "hair"
    RULER = "ruler"
    BUBBLES = "gel bubbles"
    VIGNETTE = "dark vignette"
    WHITE_BALANCE = "other white balance"
    BLUR = "blur"
    JPEG = "JPEG quality 30"


def draw_artefact(pixels: Pixels, kind: ArtefactKind, name: str) -> Pixels:
    """Return a photograph with an artefact; equal arguments give equal results.

    Args:
        pixels: uint8 [height, width, 3], sRGB.
        kind: What to draw.
        name: Name of the image, from which amount, place and colour are drawn at random.

    Returns:
        uint8 [height, width, 3].

    Example:
        >>> skin = np.full((90, 120, 3), 200, np.uint8)
        >>> bool((draw_artefact(skin, ArtefactKind.HAIR, "ISIC_0024306") < 150).any())
        True
    """
    seed = zlib.crc32(name.encode("utf-8", "surrogatepass"))
    rng = np.random.default_rng([list(ArtefactKind).index(kind), seed])
    return _DRAW[kind](pixels, rng)


def _draw_ink(pixels: Pixels, rng: Generator) -> Pixels:
    """Draw marks of a felt pen: round the lesion, beside it or over its border.

    Ink absorbs light, so layers multiply (Beer-Lambert law), and the lesion shows through.
    """
    height, width = pixels.shape[:2]
    size = min(height, width)
    centre = np.array([width, height]) / 2 + rng.normal(0, 0.04, 2) * size
    layer = Image.new("L", _enlarge(width, height))
    breadth = rng.uniform(0.02, 0.05) * size
    for line in _INK_MARKS[rng.integers(len(_INK_MARKS))](rng, centre, size):
        widths = breadth * (1 + 0.15 * _make_noise(rng, len(line)))
        _fill_stroke(layer, _shake(rng, line, 0.004 * size), widths, layer.width / width)
    edge = layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.003, 0.006) * min(layer.size)))
    density = np.asarray(edge.resize((width, height), Image.Resampling.BOX), np.float32) / 255
    # Skin takes ink unevenly: more in its lines, less on its ridges.
    grain = 0.75 + 0.35 * _make_field(rng, (height, width), cells=30)
    fine = 0.9 + 0.2 * _make_field(rng, (height, width), cells=140)
    amount = density * np.clip(grain * fine, 0.15, 1.6) * rng.uniform(0.65, 1.15)
    transmittance = np.array(_INKS[rng.integers(len(_INKS))]) ** amount[..., None]
    return _round(pixels * transmittance)


def _mark_ring(rng: Generator, centre: _Points, size: float) -> list[_Points]:
    """Return a ring round the lesion, closed or with gaps."""
    radii = size * rng.uniform(0.26, 0.46) * np.array([1, rng.uniform(0.75, 1.2)])
    start, num_arcs = rng.uniform(0, 2 * math.pi), rng.integers(1, 5)
    span = 2 * math.pi / num_arcs * (1.05 if num_arcs == 1 else rng.uniform(0.35, 0.8))
    starts = start + 2 * math.pi / num_arcs * np.arange(num_arcs)
    return [centre + radii * _turn(np.linspace(each, each + span, 60)) for each in starts]


def _mark_bars(rng: Generator, centre: _Points, size: float) -> list[_Points]:
    """Return short lines that point to the lesion."""
    angles = rng.uniform(0, 2 * math.pi) + np.arange(rng.integers(2, 5)) * math.pi / 2
    reach = np.linspace(rng.uniform(0.15, 0.3), rng.uniform(0.4, 0.6), 30)[:, None] * size
    return [centre + reach * _turn(angle + rng.normal(0, 0.15)) for angle in angles]


def _mark_line(rng: Generator, centre: _Points, size: float) -> list[_Points]:
    """Return one to three long lines beside the lesion or across its border."""
    angle, lines = rng.uniform(0, math.pi), []
    for _ in range(rng.integers(1, 4)):
        aside = rng.choice([-1, 1]) * rng.uniform(0.1, 0.42) * _turn(angle + math.pi / 2)
        reach = np.linspace(-1, 1, 60)[:, None] * rng.uniform(0.3, 0.8)
        lines.append(centre + size * (aside + reach * _turn(angle + rng.normal(0, 0.12))))
    return lines


def _mark_dots(rng: Generator, centre: _Points, size: float) -> list[_Points]:
    """Return dots and small crosses around the lesion."""
    marks = []
    for _ in range(rng.integers(3, 8)):
        place = centre + size * rng.uniform(0.2, 0.5) * _turn(rng.uniform(0, 2 * math.pi))
        angle, reach = rng.uniform(0, math.pi), size * rng.uniform(0.004, 0.05)
        for turn in (0, math.pi / 2):
            marks.append(place + np.linspace(-reach, reach, 12)[:, None] * _turn(angle + turn))
    return marks


_INK_MARKS = (_mark_ring, _mark_bars, _mark_line, _mark_dots)


def _draw_hair(pixels: Pixels, rng: Generator) -> Pixels:
    """Draw curved hairs that taper to their tips, over the whole photograph."""
    height, width = pixels.shape[:2]
    size, layer = min(height, width), Image.new("RGBA", _enlarge(width, height))
    scale = layer.width / width
    direction, spread = rng.uniform(0, math.pi), rng.choice([0.15, 0.4, 1.2])
    base = np.array(_HAIRS[rng.integers(len(_HAIRS))])
    length, breadth = rng.uniform(0.3, 1.3) * size, rng.uniform(0.006, 0.013) * size
    for _ in range(rng.integers(6, 36)):
        root = rng.uniform(-0.1, 1.1, 2) * [width, height]
        heading = direction + rng.normal(0, spread)
        reach = length * rng.lognormal(0, 0.35)
        bends = heading + rng.normal(0, 0.5) * np.linspace(0, 1, 40) + 0.1 * _make_noise(rng, 40)
        line = root + np.cumsum(_turn(bends) * reach / 40, axis=0)
        widths = breadth * rng.lognormal(0, 0.25) * _taper(40)
        colour = (base * rng.lognormal(0, 0.15)).clip(0, 230)
        alpha = rng.uniform(0.75, 1)
        _fill_stroke(layer, line, widths, scale, _to_fill(colour, alpha))
        shine = (colour + rng.uniform(15, 70)).clip(0, 255)  # light on the middle of the hair
        _fill_stroke(layer, line, widths * 0.3, scale, _to_fill(shine, alpha))
    return _paste(pixels, layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.5) * scale)))


def _draw_ruler(pixels: Pixels, rng: Generator) -> Pixels:
    """Draw a scale with ticks and digits: printed on a plate, or etched into the contact glass."""
    height, width = pixels.shape[:2]
    size, layer = min(height, width), Image.new("RGBA", _enlarge(width, height))
    scale, pen = layer.width / width, ImageDraw.Draw(layer)
    angle = rng.integers(4) * math.pi / 2 + rng.normal(0, 0.12)
    along, across = _turn(angle), _turn(angle + math.pi / 2)
    origin = np.array([width, height]) / 2 + across * size * rng.uniform(0.22, 0.42)
    step, breadth = size * rng.uniform(0.03, 0.075), size * rng.uniform(0.004, 0.008)
    has_plate = rng.random() < 0.6
    if has_plate:
        ends = 2 * max(height, width) * np.array([-1, 1])[:, None] * along
        corners = np.concatenate([origin + ends, origin + 2 * size * across + ends[::-1]]) * scale
        pen.polygon(list(map(tuple, corners)), _to_fill(_WHITE_PLATE, rng.uniform(0.35, 0.9)))
    ink = _to_fill(_BLACK_PLATE, rng.uniform(0.6, 0.95))
    font = ImageFont.load_default(max(8.0, 2.2 * step * scale))
    reach = math.ceil(math.hypot(height, width) / 2 / step)
    for number in range(-reach, reach + 1):
        length = step * (2.2 if number % 10 == 0 else 1.6 if number % 5 == 0 else 1.1)
        start = origin + number * step * along
        tick = np.stack([start, start + length * across])
        _fill_stroke(layer, tick, np.full(2, breadth), scale, ink)
        if number % 10 == 0:
            _write_digits(layer, str(number // 10 % 10), (tick[1] + step * across) * scale, font)
    if not has_plate:
        line = origin + np.array([-1, 1])[:, None] * reach * step * along
        _fill_stroke(layer, line, np.full(2, breadth), scale, ink)
    return _paste(pixels, layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6) * scale)))


def _draw_bubbles(pixels: Pixels, rng: Generator) -> Pixels:
    """Draw bubbles in the contact gel: a dark rim, a bright inner rim and a highlight."""
    height, width = pixels.shape[:2]
    size, layer = min(height, width), Image.new("RGBA", _enlarge(width, height))
    scale, pen, light = layer.width / width, ImageDraw.Draw(layer), rng.uniform(0, 2 * math.pi)
    for _ in range(rng.integers(4, 26)):
        place = rng.uniform(0, 1, 2) * [width, height] * scale
        radius = size * scale * float(np.clip(rng.lognormal(-3.7, 0.6), 0.006, 0.12))
        rim = max(1, round(radius * rng.uniform(0.08, 0.18)))
        pen.circle(tuple(place), radius, (255, 246, 240, 24), (40, 26, 24, 120), rim)
        inner = max(0.0, radius - rim)
        pen.circle(tuple(place), inner, None, (255, 250, 246, 130), max(1, rim // 2))
        for turn, share, alpha in ((0.0, 0.2, 235), (math.pi, 0.12, 150)):
            spot = place + 0.55 * radius * _turn(light + turn)
            pen.circle(tuple(spot), max(1.0, share * radius), (255, 255, 255, alpha))
    return _paste(pixels, layer.filter(ImageFilter.GaussianBlur(0.6 * scale)))


def _draw_vignette(pixels: Pixels, rng: Generator) -> Pixels:
    """Darken the photograph outwards, as the tube of a dermoscope does, or a weak lamp."""
    height, width = pixels.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    centre = np.array([height, width]) / 2 + rng.normal(0, 0.03, 2) * min(height, width)
    distance = np.hypot(rows - centre[0], columns - centre[1]) / math.hypot(height / 2, width / 2)
    if rng.random() < 0.5:  # the rim of the tube
        edge, softness, darkest = rng.uniform(0.62, 0.85), rng.uniform(0.02, 0.08), 0.03
    else:  # the light of a lamp that fades outwards
        edge, softness, darkest = rng.uniform(0.6, 0.8), rng.uniform(0.5, 0.9), 0.1
    inside = np.clip((edge + softness / 2 - distance) / softness, 0, 1)
    smooth = inside * inside * (3 - 2 * inside)
    return _round(pixels * (darkest + (1 - darkest) * smooth)[..., None])


def _change_white_balance(pixels: Pixels, rng: Generator) -> Pixels:
    return change_illuminant(pixels, rng.choice([-1, 1]) * rng.uniform(40, 90))


def _blur(pixels: Pixels, rng: Generator) -> Pixels:
    radius = rng.uniform(0.004, 0.01) * min(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _compress(pixels: Pixels, _rng: Generator) -> Pixels:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB"))


_DRAW: dict[ArtefactKind, Callable[[Pixels, Generator], Pixels]] = {
    ArtefactKind.INK: _draw_ink,
    ArtefactKind.HAIR: _draw_hair,
    ArtefactKind.RULER: _draw_ruler,
    ArtefactKind.BUBBLES: _draw_bubbles,
    ArtefactKind.VIGNETTE: _draw_vignette,
    ArtefactKind.WHITE_BALANCE: _change_white_balance,
    ArtefactKind.BLUR: _blur,
    ArtefactKind.JPEG: _compress,
}


def _enlarge(width: int, height: int) -> tuple[int, int]:
    factor = min(_MAX_ENLARGEMENT, max(1, _CANVAS_SIDE // max(width, height)))
    return factor * width, factor * height


def _turn(angle: float | NDArray[np.float64]) -> _Points:
    """Return unit vectors at angles in radians, [..., 2]."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _taper(num_points: int) -> NDArray[np.float64]:
    """Return the width of a hair along its length: full at the root, thin at the tip."""
    along = np.linspace(0, 1, num_points)
    return np.asarray(np.minimum(1, 0.6 + 3 * along) * (1 - along**3) * 0.9 + 0.1)


def _make_noise(rng: Generator, num_points: int) -> NDArray[np.float64]:
    """Return smooth noise along a line, with a standard deviation near 1."""
    knots = rng.standard_normal(max(3, num_points // 6))
    return np.interp(np.linspace(0, len(knots) - 1, num_points), np.arange(len(knots)), knots)


def _make_field(rng: Generator, shape: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Return smooth noise over a photograph, with `cells` grains across its longer side."""
    height, width = shape
    rows = max(2, round(cells * height / max(shape)))
    columns = max(2, round(cells * width / max(shape)))
    grid = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))


def _shake(rng: Generator, line: _Points, amount: float) -> _Points:
    """Return a line as an unsteady hand draws it."""
    noise = np.stack([_make_noise(rng, len(line)), _make_noise(rng, len(line))], axis=1)
    return line + amount * noise


def _fill_stroke(
    layer: Image.Image,
    line: _Points,
    widths: NDArray[np.float64],
    scale: float,
    fill: int | tuple[int, ...] = 255,
) -> None:
    """Fill the band around a line, whose width may change along it; both in photograph pixels."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    aside = tangent[:, ::-1] * [-1, 1] * widths[:, None] / 2
    outline = np.concatenate([line + aside, (line - aside)[::-1]]) * scale
    ImageDraw.Draw(layer).polygon(list(map(tuple, outline)), fill)


def _write_digits(
    layer: Image.Image,
    text: str,
    place: _Points,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    ImageDraw.Draw(layer).text(tuple(place), text, (*_BLACK_PLATE, 215), font, anchor="mm")


def _to_fill(colour: NDArray[np.float64] | tuple[int, ...], alpha: float) -> tuple[int, ...]:
    red, green, blue = (round(float(value)) for value in colour)
    return red, green, blue, round(255 * alpha)


def _paste(pixels: Pixels, layer: Image.Image) -> Pixels:
    """Lay a transparent layer, which may be larger, over a photograph."""
    size = pixels.shape[1], pixels.shape[0]
    overlay = layer if layer.size == size else layer.resize(size, Image.Resampling.BOX)
    below = Image.fromarray(pixels).convert("RGBA")
    return np.asarray(Image.alpha_composite(below, overlay).convert("RGB"))


def _round(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(values, 0, 255).round().astype(np.uint8))
