"""A photograph turned, stretched and recoloured by Augmentor, the same for the same seed.

Augmentor (Bloice, Roth and Holzinger 2019, doi:10.1093/bioinformatics/btz259) is used by its
operations alone, a picture at a time. Its pipeline writes into the training folder, draws from a
generator that the whole process shares, applies an operation of probability 0 once in twenty
times, and takes some originals much more often than others.
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
_EDGE = 2  # px beyond the farthest corner, which a bicubic filter looks at
# Chance may leave a picture as it was: two mirrorings do, a quarter of the time.
_MAX_DRAWS = 8


class _Chance(threading.local):
    """What Augmentor's operations get as their module `random`: a generator for each thread.

    The module itself is shared: another thread would draw between the seed and its use, and
    seeding it would make the chance of all the others repeat itself.
    """

    def __init__(self) -> None:
        self.seed(None)

    def seed(self, seed: bytes | None) -> None:
        generator = random.Random(seed)
        self.randint = generator.randint
        self.uniform = generator.uniform
        self.choice = generator.choice


_chance = _Chance()
Operations.random = _chance


@dataclass(frozen=True)
class Augmentation:
    """How far a photograph may be changed; 0 or False switches an operation off.

    Each amount is drawn evenly between nothing and the limit.

    Attributes:
        rotation: Largest turn either way, in degrees, whole, in [0, 180].
        flip: Whether to mirror: each axis half of the time.
        zoom: Largest enlargement, as a share, in [0, 1].
        shear: Largest slant either way, in degrees, whole, in [0, 25].
        skew: Largest tilt of the perspective, as a share of the longer side, in [0, 0.5].
        distortion: Largest shift of the points of an elastic grid, as a share of their
            distance, in [0, 0.4]; beyond a half the picture would fold.
        contrast: Largest change of contrast either way, as a share, in [0, 0.9].
        brightness: Largest change of brightness either way, as a share, in [0, 0.9].
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
        for name, most in AUGMENTATION_LIMITS.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise RecipeError(f"Found {name}={value}. It must lie in [0, {most}].")
        if not any(getattr(self, field.name) for field in fields(self)):
            raise RecipeError(
                "Found no operation: new images would be copies of their parents. Switch on at "
                "least one."
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


def change_picture(
    pixels: NDArray[np.uint8], augmentation: Augmentation, seed: bytes
) -> NDArray[np.uint8]:
    """Make a new picture of a photograph.

    It depends on the arguments alone, so that any order and any number of threads give the
    same. Beyond its border a photograph is mirrored: black corners would tell a network which
    images are new, and so which are of a rare class.

    Args:
        pixels: uint8 [height, width, 3].
        augmentation: The limits of each change.
        seed: Where chance starts.

    Returns:
        uint8 [height, width, 3], read-only.
    """
    _chance.seed(seed)
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
    for operation in _move(augmentation, min(canvas.size)):
        canvas = operation.perform_operation([canvas])[0]
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    picture = canvas.crop((left, top, left + width, top + height))
    for operation in _recolour(augmentation):
        picture = operation.perform_operation([picture])[0]
    return np.asarray(picture)


def _move(augmentation: Augmentation, side: int) -> list[Any]:
    """List the operations on the canvas; the turn comes last, as it alone leaves empty corners."""
    operations: list[Any] = []
    if augmentation.flip:
        for axis in ("LEFT_RIGHT", "TOP_BOTTOM"):
            if _chance.randint(0, 1):
                operations.append(Operations.Flip(1, axis))
    if augmentation.zoom:
        operations.append(Operations.Zoom(1, 1, 1 + augmentation.zoom))
    if augmentation.shear:
        # Its draw is off by one: these give whole degrees from -shear to shear.
        operations.append(Operations.Shear(1, augmentation.shear + 1, augmentation.shear - 1))
    if augmentation.skew:
        operations.append(Operations.Skew(1, "RANDOM", augmentation.skew))
    if augmentation.distortion:
        most = max(1, round(augmentation.distortion * side / _GRID))  # px
        operations.append(Operations.Distort(1, _GRID, _GRID, most))
    if augmentation.rotation:
        # RotateRange, which crops by itself, stretches a square by 1.7 at 25 degrees.
        limit = augmentation.rotation
        operations.append(Operations.RotateStandard(1, limit, limit))
    return operations


def _recolour(augmentation: Augmentation) -> list[Any]:
    """List the operations on the colours, each at a factor drawn here: theirs come from NumPy."""
    kinds: list[tuple[Callable[..., Any], float]] = [
        (Operations.RandomContrast, augmentation.contrast),
        (Operations.RandomBrightness, augmentation.brightness),
    ]
    operations = []
    for kind, limit in kinds:
        if limit:
            factor = _chance.uniform(1 - limit, 1 + limit)
            operations.append(kind(1, factor, factor))
    return operations


def _mirror_around(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mirror a picture beyond its border, about as far as its corners reach when it is turned."""
    height, width = pixels.shape[:2]
    reach = math.hypot(width, height) / 2 + _EDGE
    # The same on both sides: a mirrored picture must not be one pixel off.
    margins = [(math.ceil(reach - length / 2),) * 2 for length in (height, width)]
    return np.pad(pixels, (*margins, (0, 0)), mode="reflect")
