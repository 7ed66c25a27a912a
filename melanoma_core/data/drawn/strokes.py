"""The elements of a drawn lesion: noise, outlines, networks, dots and strokes.

Each function takes a view of the skin and a random generator. Unless stated otherwise it returns a
plane, float [height, width], of opacities in [0, 1]. What is drawn depends on the generator only,
so two views with equal generators show the same skin.

Lengths are in skin units: one unit is about half the image height. The lesion's centre is (0, 0).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.floating]
_Points = NDArray[np.float64]

_REACH = 2.0  # noise covers -2 to 2, enough for any view in 4:3
_SUPERSAMPLING = 2  # strokes are drawn enlarged and then reduced, for smooth edges


@dataclass(frozen=True)
class View:
    """The skin coordinates of every pixel of an image.

    Attributes:
        x: Horizontal coordinate, to the right, float32 [height, width].
        y: Vertical coordinate, downwards, float32 [height, width].
        to_skin: Affine map from a pixel (column, row, 1) to skin coordinates, float64 [2, 3].
    """

    x: Plane
    y: Plane
    to_skin: _Points

    def noise(self, rng: Generator, cell: float, octaves: int = 1) -> Plane:
        """Return smooth noise with mean 0 and standard deviation near 1.

        Args:
            rng: Random generator.
            cell: Size of the coarsest grain, in skin units.
            octaves: Each further octave halves the grain and its weight.
        """
        # The octaves are summed on a small grid, which is then transformed once.
        side = int(2 * _REACH / cell) + 4
        grid = 1.3 * rng.standard_normal((side, side), dtype=np.float32)
        for octave in range(1, octaves):
            grid = _double(grid)
            grid += 1.3 / 2**octave * rng.standard_normal(grid.shape, dtype=np.float32)
        to_grid = (self.to_skin + np.array([0, 0, _REACH])) / cell * 2**octaves
        height, width = self.x.shape
        transformed = Image.fromarray(_double(grid)).transform(
            (width, height), Image.Transform.AFFINE, tuple(to_grid.flat), Image.Resampling.BILINEAR
        )
        return np.asarray(transformed)

    def strokes(self, lines: list[_Points], widths: list[float], blur: float = 0.004) -> Plane:
        """Return the opacity of pen strokes.

        Args:
            lines: Skin coordinates of each line, float64 [points, 2]; a single point gives a dot.
            widths: Width of each line, in skin units.
            blur: Standard deviation of the blur, in skin units.
        """
        height, width = self.x.shape
        canvas = Image.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
        pen = ImageDraw.Draw(canvas)
        to_pixels = np.linalg.inv(self.to_skin[:, :2])
        pixels_per_unit = float(np.hypot(*to_pixels[0]))
        for line, breadth in zip(lines, widths, strict=True):
            points = (line - self.to_skin[:, 2]) @ to_pixels.T * _SUPERSAMPLING
            thickness = breadth * pixels_per_unit * _SUPERSAMPLING
            if len(line) == 1:
                pen.circle(tuple(points[0]), thickness / 2, fill=255)
            else:
                pen.line(points.ravel().tolist(), 255, max(1, round(thickness)), "curve")
        soften = ImageFilter.GaussianBlur(blur * pixels_per_unit)
        return np.asarray(canvas.reduce(_SUPERSAMPLING).filter(soften), np.float32) / 255


def _double(grid: Plane) -> Plane:
    """Enlarge a square grid by a factor of 2, smoothly."""
    side = 2 * len(grid)
    return np.array(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC))


def aim(rng: Generator, width: int, height: int) -> View:
    """Return a view from a random camera position: slightly rotated, shifted and scaled."""
    turn, scale = rng.uniform(-0.35, 0.35), 2 / height * rng.uniform(0.95, 1.1)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]])
    shift = rng.uniform(-0.08, 0.08, 2) - matrix @ [width / 2, height / 2]
    rows, columns = np.ogrid[:height, :width]
    x, y = (
        (a * columns + b * rows + c).astype(np.float32)
        for (a, b), c in zip(matrix, shift, strict=True)
    )
    return View(x, y, np.column_stack([matrix, shift]))


def ramp(value: Plane, start: float, end: float) -> Plane:
    """Return a smooth step from 0 at `start` to 1 at `end`."""
    share: Plane = np.clip((value - start) / (end - start), 0, 1)
    return share * share * (3 - 2 * share)


def depth_inside(
    view: View, rng: Generator, radius: float, asymmetry: float, ragged: float
) -> Plane:
    """Return the depth inside the lesion: 1 at its centre, 0 at its border, negative outside.

    Args:
        view: The view of the skin.
        rng: Random generator.
        radius: Mean radius, in skin units.
        asymmetry: Weight of the random harmonics that deform the circle.
        ragged: Weight of the noise that frays the border.
    """
    angle = np.arctan2(view.y, view.x)
    outline = np.ones_like(angle)
    for order, weight in enumerate((asymmetry, 0.1 + asymmetry / 2, asymmetry, asymmetry / 2), 1):
        phase = rng.uniform(0, 2 * math.pi)
        outline += weight * rng.uniform(0.6, 1) * np.cos(order * angle + phase)
    distance = np.hypot(view.x, view.y) / (radius * np.maximum(outline, 0.25))
    return 1 - distance + ragged * view.noise(rng, 0.22, 4)


def honeycomb(view: View, rng: Generator, cell: float, disorder: float) -> Plane:
    """Return a hexagonal field in [-1.5, 3], high in the cells and low between them.

    Three plane waves at 60 degrees add up to a honeycomb; noise makes it irregular.
    """
    x = view.x + disorder * cell * view.noise(rng, 3 * cell, 2)
    y = view.y + disorder * cell * view.noise(rng, 3 * cell, 2)
    field, turn, wave = np.zeros_like(x), rng.uniform(0, math.pi), 2 * math.pi / cell
    for angle in (turn, turn + 2 * math.pi / 3, turn + 4 * math.pi / 3):
        field += np.cos(wave * (math.cos(angle) * x + math.sin(angle) * y))
    return field


def network(view: View, rng: Generator, disorder: float = 0.35) -> Plane:
    """Draw a pigment network: lines around paler holes."""
    return ramp(-honeycomb(view, rng, 0.055, disorder), 0.0, 1.5)


def patches(view: View, rng: Generator, cell: float, level: float = 0.0) -> Plane:
    """Draw irregular blotches that fade into each other; a higher `level` leaves fewer."""
    return ramp(view.noise(rng, cell, 3), level - 0.9, level + 1.3)


def blob(view: View, rng: Generator, x: float, y: float, radius: float) -> Plane:
    """Draw an area that fades outwards, with a frayed border."""
    distance = np.hypot(view.x - x, view.y - y) / radius
    return ramp(1 - distance + 0.25 * view.noise(rng, 0.25, 4), -0.1, 0.9)


def dots(view: View, rng: Generator, count: int, size: float, spread: float) -> Plane:
    """Scatter dots about `size` wide over the square from -spread to spread."""
    places = rng.uniform(-spread, spread, (count, 1, 2))
    return view.strokes(list(places), list(size * rng.lognormal(0, 0.4, count)), blur=size / 10)


def _ray(angle: float) -> _Points:
    """Return the unit vector at an angle in radians."""
    return np.array([math.cos(angle), math.sin(angle)])


def streaks(view: View, rng: Generator) -> Plane:
    """Draw radial streaks with bulbous ends along a part of the border."""
    lines, widths = [], []
    for angle in rng.uniform(0, 2 * math.pi) + rng.uniform(-0.9, 0.9, 14):
        start, end = _ray(angle) * rng.uniform(0.43, 0.51), _ray(angle) * rng.uniform(0.6, 0.73)
        lines += [np.stack([start, end]), end[None]]
        widths += [0.02, rng.uniform(0.025, 0.05)]
    return view.strokes(lines, widths, blur=0.006)


def vessels(view: View, rng: Generator) -> Plane:
    """Draw arborising vessels: winding stems that split into ever finer branches."""
    lines, widths = [], []
    tips = [(rng.uniform(-0.45, 0.45, 2), rng.uniform(0, 2 * math.pi), 0.02, 0.4) for _ in range(5)]
    while tips:
        place, heading, breadth, length = tips.pop()
        headings = heading + np.cumsum(rng.normal(0, 0.22, 12))
        line = place + np.cumsum([length / 12 * _ray(angle) for angle in headings], axis=0)
        lines.append(line)
        widths.append(breadth)
        if breadth > 0.006:
            for side in (-0.6, 0.6):
                turned = headings[-1] + side * rng.uniform(0.6, 1.4)
                tips.append((line[rng.integers(4, 12)], turned, breadth * 0.6, length * 0.7))
    return view.strokes(lines, widths, blur=0.003)


def hairs(view: View, rng: Generator) -> Plane:
    """Draw a few fine hairs in about the same direction."""
    lines, along = [], rng.uniform(0, math.pi)
    for _ in range(rng.integers(0, 7)):
        ray = _ray(along + rng.normal(0, 0.35))
        reach = np.linspace(-1, 1, 24)[:, None] * rng.uniform(0.3, 1.0)
        bend = rng.normal(0, 0.2) * reach**2 * ray[::-1] * [-1, 1]
        lines.append(rng.uniform(-1.2, 1.2, 2) + reach * ray + bend)
    return view.strokes(lines, list(rng.uniform(0.006, 0.012, len(lines))))
