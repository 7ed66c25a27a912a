"""Pictures that are no photographs of lesions, drawn by a program: what must be refused.

They are the negative controls of the check for novelty, which is measured on them and was fitted
to none. Each is drawn from its kind and a seed alone.
"""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 600, 450  # px; as a dermatoscope's photograph
_LETTER_WIDTH = 6  # px, about, of Pillow's own font
_WORDS = (
    *("report", "patient", "clinic", "review", "date", "left", "upper", "back", "referred"),
    *("today", "normal", "margin", "excised", "result", "pending", "please", "see", "notes"),
    *("attached", "follow", "weeks", "lesion", "dermatology", "letter", "thank", "you"),
)


class ImpostorKind(StrEnum):
    """What a person or a program may hand in by mistake."""

    NOISE = "noise"
    FLAT_COLOUR = "flat colour"
    TEXT = "text"
    SCREENSHOT = "screenshot"


def draw_impostor(kind: ImpostorKind, seed: int) -> NDArray[np.uint8]:
    """Draw one picture, uint8 [450, 600, 3]; the same for the same kind and seed."""
    rng = np.random.default_rng([list(ImpostorKind).index(kind), seed])
    return _DRAW[kind](rng)


def _draw_noise(rng: Generator) -> NDArray[np.uint8]:
    """Draw noise of one grain, from single pixels to patches, grey or coloured."""
    grain = int(rng.choice([1, 2, 4, 8, 16]))
    shape = (-(-HEIGHT // grain), -(-WIDTH // grain), int(rng.choice([1, 3])))
    coarse = np.broadcast_to(rng.integers(0, 256, shape), (*shape[:2], 3)).astype(np.uint8)
    method = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT), method))


def _draw_flat_colour(rng: Generator) -> NDArray[np.uint8]:
    """Draw one colour, every fourth that of skin, with the little noise that a camera adds."""
    skin = rng.random() < 0.25
    colour = rng.normal((214, 168, 158), 14) if skin else rng.uniform(0, 255, 3)
    flat = np.broadcast_to(colour, (HEIGHT, WIDTH, 3))
    return (flat + rng.normal(0, rng.uniform(0, 4), flat.shape)).clip(0, 255).astype(np.uint8)


def _draw_text(rng: Generator) -> NDArray[np.uint8]:
    """Draw a page of words, dark on light, as a letter that was photographed."""
    paper = tuple(int(value) for value in rng.integers(215, 256, 3))
    ink = tuple(int(value) for value in rng.integers(0, 70, 3))
    page = Image.new("RGB", (WIDTH, HEIGHT), paper)
    _write(ImageDraw.Draw(page), rng, (25, 20, WIDTH - 25, HEIGHT - 20), ink)
    return np.asarray(page.rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, fillcolor=paper))


def _draw_screenshot(rng: Generator) -> NDArray[np.uint8]:
    """Draw a screen: a bar at the top, a list at the side, a table or bars of a chart."""
    dark = rng.random() < 0.5
    ground, ink = ((28, 32, 40), (210, 214, 220)) if dark else ((250, 250, 252), (40, 44, 52))
    accent = tuple(int(value) for value in rng.integers(30, 220, 3))
    screen = Image.new("RGB", (WIDTH, HEIGHT), ground)
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, WIDTH, 34), fill=accent)
    pen.text((12, 10), _say(rng, 4), fill=(255, 255, 255))
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
            pen.text((left, HEIGHT - 32), _say(rng, 1)[:5], fill=ink)
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
        line = _say(rng, 30)[: (right - left) // _LETTER_WIDTH]
        pen.text((left, row), line, fill=ink)


def _say(rng: Generator, num_words: int) -> str:
    return " ".join(rng.choice(_WORDS, num_words))


_DRAW: dict[ImpostorKind, Callable[[Generator], NDArray[np.uint8]]] = {
    ImpostorKind.NOISE: _draw_noise,
    ImpostorKind.FLAT_COLOUR: _draw_flat_colour,
    ImpostorKind.TEXT: _draw_text,
    ImpostorKind.SCREENSHOT: _draw_screenshot,
}
