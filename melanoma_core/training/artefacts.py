"""Artefacts that training draws onto photographs: hair, ink, rulers and gel bubbles.

They are crude on purpose, and have nothing in common with the generator of `data.drawn.artefacts`,
which measures how far a network is disturbed: a network must not be measured with what it has
learned. An artefact is drawn onto every diagnosis with the same chance, so it shows none.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

_Canvas = ImageDraw.ImageDraw
_MOST_KINDS = 2  # on one photograph


def draw_artefacts(image: Image.Image, rng: Generator) -> None:
    """Draw one or two kinds of artefacts onto an RGB image, in place."""
    canvas = ImageDraw.Draw(image, "RGBA")
    number = rng.integers(1, _MOST_KINDS + 1)
    for kind in rng.choice(len(_KINDS), number, replace=False):
        _KINDS[kind](canvas, image.width, rng)


def _draw_hair(canvas: _Canvas, side: int, rng: Generator) -> None:
    """Draw arcs of large circles."""
    shade, warmth = rng.integers(10, 90), rng.uniform(0.5, 0.9)
    colour = (int(shade), int(shade * warmth), int(shade * warmth**2), int(rng.integers(130, 240)))
    for _ in range(rng.integers(3, 20)):
        x, y = rng.uniform(0, side, 2)
        radius, start = side * rng.uniform(0.3, 1.5), rng.uniform(0, 360)
        turn = np.deg2rad(start)
        x, y = x - radius * np.cos(turn), y - radius * np.sin(turn)
        box = (x - radius, y - radius, x + radius, y + radius)
        canvas.arc(box, start, start + rng.uniform(10, 60), fill=colour, width=1)


def _draw_ink(canvas: _Canvas, side: int, rng: Generator) -> None:
    """Draw broad strokes of two pieces, as of a skin marker."""
    red, green, blue = rng.integers((0, 0, 60), (110, 60, 190))
    for _ in range(rng.integers(1, 5)):
        points = rng.uniform(-0.1, 1.1, 2) * side + np.cumsum(
            rng.uniform(-0.3, 0.3, (3, 2)) * side, axis=0
        )
        canvas.line(
            [(float(x), float(y)) for x, y in points],
            fill=(int(red), int(green), int(blue), int(rng.integers(60, 190))),
            width=max(1, round(side * rng.uniform(0.02, 0.07))),
            joint="curve",
        )


def _draw_ruler(canvas: _Canvas, side: int, rng: Generator) -> None:
    """Draw a row of marks along one edge, each fifth one longer."""
    shade = int(rng.choice([20, 235]))
    colour = (shade, shade, shade, int(rng.integers(140, 250)))
    step, offset = side * rng.uniform(0.03, 0.08), side * rng.uniform(0.0, 0.15)
    is_vertical, is_far = rng.random(2) < 0.5
    for number in range(int(side / step) + 1):
        length = side * (0.08 if number % 5 == 0 else 0.04)
        near, far = (side - offset, side - offset - length) if is_far else (offset, offset + length)
        ends = [(number * step, near), (number * step, far)]
        canvas.line([(y, x) for x, y in ends] if is_vertical else ends, fill=colour, width=1)


def _draw_bubbles(canvas: _Canvas, side: int, rng: Generator) -> None:
    """Draw bright rings with a faint inside."""
    for _ in range(rng.integers(1, 8)):
        x, y = rng.uniform(0, side, 2)
        radius = side * rng.uniform(0.01, 0.09)
        box = (x - radius, y - radius, x + radius, y + radius)
        inside, edge = int(rng.integers(5, 50)), int(rng.integers(70, 200))
        canvas.ellipse(box, fill=(255, 255, 255, inside), outline=(255, 255, 255, edge))


_KINDS: tuple[Callable[[_Canvas, int, Generator], None], ...] = (
    _draw_hair,
    _draw_ink,
    _draw_ruler,
    _draw_bubbles,
)
