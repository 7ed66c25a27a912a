"""Draw non-lesion images, which the out-of-distribution (OOD) check must refuse.

They are negative controls: the OOD check is evaluated on them and never fitted to them.
"""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 600, 450  # px; as a dermatoscopic photograph
_LETTER_WIDTH = 6  # px; approximate width in Pillow's default font
_WORDS = (
    *("report", "patient", "clinic", "review", "date", "left", "upper", "back", "referred"),
    *("today", "normal", "margin", "excised", "result", "pending", "please", "see", "notes"),
    *("attached", "follow", "weeks", "lesion", "dermatology", "letter", "thank", "you"),
)


class NonLesionKind(StrEnum):
    """What may be uploaded by mistake."""

    NOISE = "noise"
    FLAT_COLOUR = "flat colour"
    TEXT = "text"
    SCREENSHOT = "screenshot"


def draw_non_lesion(kind: NonLesionKind, seed: int) -> NDArray[np.uint8]:
    """Draw a non-lesion image; equal arguments give equal images.

    Args:
        kind: What to draw.
        seed: Random seed, 0 or more.

    Returns:
        RGB, uint8 [450, 600, 3].

    Examples:
        >>> draw_non_lesion(NonLesionKind.TEXT, seed=1).shape
        (450, 600, 3)
    """
    rng = np.random.default_rng([list(NonLesionKind).index(kind), seed])
    return _DRAW[kind](rng)


def _draw_noise(rng: Generator) -> NDArray[np.uint8]:
    """Draw grey or coloured noise, with a grain from single pixels to patches."""
    grain = int(rng.choice([1, 2, 4, 8, 16]))
    shape = (-(-HEIGHT // grain), -(-WIDTH // grain), int(rng.choice([1, 3])))
    coarse = np.broadcast_to(rng.integers(0, 256, shape), (*shape[:2], 3)).astype(np.uint8)
    method = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT), method))


def _draw_flat_colour(rng: Generator) -> NDArray[np.uint8]:
    """Draw a flat colour, a skin tone one time in four, with slight sensor noise."""
    skin = rng.random() < 0.25
    colour = rng.normal((214, 168, 158), 14) if skin else rng.uniform(0, 255, 3)
    flat = np.broadcast_to(colour, (HEIGHT, WIDTH, 3))
    return (flat + rng.normal(0, rng.uniform(0, 4), flat.shape)).clip(0, 255).astype(np.uint8)


def _draw_text(rng: Generator) -> NDArray[np.uint8]:
    """Draw a page of dark words on light paper, slightly rotated like a photographed letter."""
    paper = tuple(int(value) for value in rng.integers(215, 256, 3))
    ink = tuple(int(value) for value in rng.integers(0, 70, 3))
    page = Image.new("RGB", (WIDTH, HEIGHT), paper)
    _write(ImageDraw.Draw(page), rng, (25, 20, WIDTH - 25, HEIGHT - 20), ink)
    return np.asarray(page.rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, fillcolor=paper))


def _draw_screenshot(rng: Generator) -> NDArray[np.uint8]:
    """Draw a screenshot: a title bar, a side list, and a table or a bar chart."""
    dark = rng.random() < 0.5
    ground, ink = ((28, 32, 40), (210, 214, 220)) if dark else ((250, 250, 252), (40, 44, 52))
    accent = tuple(int(value) for value in rng.integers(30, 220, 3))
    screen = Image.new("RGB", (WIDTH, HEIGHT), ground)
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, WIDTH, 34), fill=accent)
    pen.text((12, 10), _make_words(rng, 4), fill=(255, 255, 255))
    _write(pen, rng, (12, 50, 140, HEIGHT - 20), ink)
    pen.line((150, 34, 150, HEIGHT), fill=accent)
    if rng.random() < 0.5:
        for row in range(48, HEIGHT - 30, 26):
            pen.line((165, row + 20, WIDTH - 15, row + 20), fill=accent)
            _write(pen, rng, (170, row, WIDTH - 20, row + 16), ink)
    else:
        for left in range(180, WIDTH - 50, 45):
            top = int(rng.integers(70, HEIGHT - 60))
            pen.rectangle((left, top, left + 30, HEIGHT - 40), fill=accent)
            pen.text((left, HEIGHT - 32), _make_words(rng, 1)[:5], fill=ink)
    return np.asarray(screen)


def _write(
    pen: ImageDraw.ImageDraw,
    rng: Generator,
    box: tuple[int, int, int, int],
    ink: tuple[int, ...],
) -> None:
    left, top, right, bottom = box
    step = int(rng.integers(14, 22))
    for row in range(top, bottom - 10, step):
        line = _make_words(rng, 30)[: (right - left) // _LETTER_WIDTH]
        pen.text((left, row), line, fill=ink)


def _make_words(rng: Generator, num_words: int) -> str:
    return " ".join(rng.choice(_WORDS, num_words))


_DRAW: dict[NonLesionKind, Callable[[Generator], NDArray[np.uint8]]] = {
    NonLesionKind.NOISE: _draw_noise,
    NonLesionKind.FLAT_COLOUR: _draw_flat_colour,
    NonLesionKind.TEXT: _draw_text,
    NonLesionKind.SCREENSHOT: _draw_screenshot,
}
