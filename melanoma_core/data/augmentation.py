"""Deterministic image augmentation with the operations of Augmentor.

Augmentor: Bloice, Roth and Holzinger (2019), doi:10.1093/bioinformatics/btz259. Only its single
operations are used. Its pipeline writes into the training folder, uses the random generator of the
whole process, applies an operation of probability 0 once in twenty times, and samples the
originals unevenly.
"""

import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from Augmentor import Operations
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.errors import RecipeError

_GRID = 5  # tiles per side of the distortion: 16 points that move
_EDGE = 2  # px beyond the farthest corner, needed by the bicubic filter
# A draw may leave the image unchanged: flips alone do so a quarter of the time.
_MAX_DRAWS = 8


class _ThreadRandom(threading.local):
    """Replacement for the module `random` in Augmentor: one generator per thread.

    The module `random` is shared by all threads. Seeding it would change the draws of other
    threads, and their draws would change the augmentation.
    """

    def __init__(self) -> None:
        self.seed(None)

    def seed(self, seed: bytes | None) -> None:
        generator = random.Random(seed)
        self.randint = generator.randint
        self.uniform = generator.uniform
        self.choice = generator.choice


_random = _ThreadRandom()
Operations.random = _random


@dataclass(frozen=True)
class Augmentation:
    """The limits of each operation; 0 or False disables it.

    Amounts are drawn uniformly within the limits.

    Attributes:
        rotation: Maximum rotation in either direction, in whole degrees, in [0, 180].
        flip: Whether to flip each axis with probability 0.5.
        zoom: Maximum magnification as a share, in [0, 1].
        shear: Maximum shear in either direction, in whole degrees, in [0, 25].
        skew: Maximum perspective skew as a share of the longer side, in [0, 0.5].
        distortion: Maximum displacement of the elastic grid points as a share of their spacing,
            in [0, 0.4]. Above 0.5 the image would fold.
        contrast: Maximum change of contrast in either direction as a share, in [0, 0.9].
        brightness: Maximum change of brightness in either direction as a share, in [0, 0.9].

    Raises:
        RecipeError: A limit is out of range, or every operation is disabled.

    Examples:
        >>> Augmentation(rotation=30, contrast=0.2).contrast
        0.2
    """

    rotation: int = 180
    flip: bool = True
    zoom: float = 0.2
    shear: int = 0
    skew: float = 0.0
    distortion: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        for name, limit in AUGMENTATION_LIMITS.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise RecipeError(f"Found {name}={value}. It must lie in [0, {limit}].")
        if not any(getattr(self, field.name) for field in fields(self)):
            raise RecipeError(
                "Found every operation disabled. Augmentation needs at least 1, or synthetic "
                "images would be copies of their parents. Enable an operation."
            )


AUGMENTATION_LIMITS: dict[str, int | float] = {
    "rotation": 180,
    "zoom": 1.0,
    "shear": 25,
    "skew": 0.5,
    "distortion": 0.4,
    "contrast": 0.9,
    "brightness": 0.9,
}


def augment_image(
    pixels: NDArray[np.uint8], augmentation: Augmentation, seed: bytes
) -> NDArray[np.uint8]:
    """Return an augmented version of an image.

    The result depends on the arguments alone, whatever the number of threads. The image is
    mirrored at its border, because black corners would reveal which images are synthetic, and
    thereby their class.

    Args:
        pixels: uint8 [height, width, 3].
        augmentation: The limits of each operation.
        seed: Random seed.

    Returns:
        uint8 [height, width, 3], read-only.
    """
    _random.seed(seed)
    canvas = Image.fromarray(_mirror_around(pixels))
    changed = pixels
    for _ in range(_MAX_DRAWS):
        changed = _change_once(canvas, pixels.shape[1], pixels.shape[0], augmentation)
        if not np.array_equal(changed, pixels):
            break
    return changed


def _change_once(
    canvas: Image.Image, width: int, height: int, augmentation: Augmentation
) -> NDArray[np.uint8]:
    for operation in _draw_geometric_operations(augmentation, min(canvas.size)):
        canvas = operation.perform_operation([canvas])[0]
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    image = canvas.crop((left, top, left + width, top + height))
    for operation in _draw_colour_operations(augmentation):
        image = operation.perform_operation([image])[0]
    return np.asarray(image)


def _draw_geometric_operations(augmentation: Augmentation, side: int) -> list[Any]:
    """Draw the geometric operations. Rotation is last, since only it leaves empty corners."""
    operations: list[Any] = []
    if augmentation.flip:
        for axis in ("LEFT_RIGHT", "TOP_BOTTOM"):
            if _random.randint(0, 1):
                operations.append(Operations.Flip(1, axis))
    if augmentation.zoom:
        operations.append(Operations.Zoom(1, 1, 1 + augmentation.zoom))
    if augmentation.shear:
        # Augmentor's range is off by one: these arguments give -shear to shear degrees.
        operations.append(Operations.Shear(1, augmentation.shear + 1, augmentation.shear - 1))
    if augmentation.skew:
        operations.append(Operations.Skew(1, "RANDOM", augmentation.skew))
    if augmentation.distortion:
        magnitude = max(1, round(augmentation.distortion * side / _GRID))  # px
        operations.append(Operations.Distort(1, _GRID, _GRID, magnitude))
    if augmentation.rotation:
        # RotateRange crops and then enlarges a square by 1.7 at 25 degrees.
        limit = augmentation.rotation
        operations.append(Operations.RotateStandard(1, limit, limit))
    return operations


def _draw_colour_operations(augmentation: Augmentation) -> list[Any]:
    """Draw the colour operations; the factors are drawn here, since Augmentor's use NumPy."""
    kinds: list[tuple[Callable[..., Any], float]] = [
        (Operations.RandomContrast, augmentation.contrast),
        (Operations.RandomBrightness, augmentation.brightness),
    ]
    operations = []
    for kind, limit in kinds:
        if limit:
            factor = _random.uniform(1 - limit, 1 + limit)
            operations.append(kind(1, factor, factor))
    return operations


def _mirror_around(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mirror an image at its border, as far as its corners reach in a rotation."""
    height, width = pixels.shape[:2]
    reach = math.hypot(width, height) / 2 + _EDGE
    # Equal margins on both sides: a flipped image must not shift by one pixel.
    margins = [(math.ceil(reach - length / 2),) * 2 for length in (height, width)]
    return np.pad(pixels, (*margins, (0, 0)), mode="reflect")
