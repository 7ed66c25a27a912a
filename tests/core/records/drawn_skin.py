"""Drawn lesions with enough spots to be laid on each other, and photographs taken of them again."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.records.registration_study import take_again


def draw_skin(seed: int, size: tuple[int, int] = (300, 225)) -> Image.Image:
    """Return a lesion of many spots on skin."""
    rng = np.random.default_rng(seed)
    width, height = size
    rows, columns = np.indices((height, width))
    image = np.full((height, width, 3), (205, 160, 140), np.float64)
    for _ in range(220):
        x, y = rng.normal(width / 2, width / 6), rng.normal(height / 2, height / 6)
        radius, depth = rng.uniform(1.5, 7), rng.uniform(10, 55)
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
        image -= depth * spot[..., None] * (0.7, 0.9, 1.0)
    image += rng.normal(0, 2, image.shape)
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def make_matrix(scale: float, degrees: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    """Return a similarity transform, float64 [3, 3]."""
    turn = math.radians(degrees)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]], [0, 0, 1]])


def take_with(
    image: Image.Image, matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the photograph whose pixels `matrix` maps onto those of `image`."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    affine = tuple((half @ matrix @ np.linalg.inv(half))[:2].ravel())
    return np.asarray(
        image.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    )


def write_lesions(folder: Path, number: int) -> pd.DataFrame:
    """Write two photographs of each lesion and their outlines, as HAM10000 does.

    Returns:
        `image_id`, `lesion_id` and `dx`.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rng, rows = np.random.default_rng(0), []
    for lesion in range(number):
        first = draw_skin(lesion)
        matrix, second = take_again(np.asarray(first), rng)
        outline = Image.new("L", first.size)
        height, width = np.indices(first.size[::-1]) - np.array([112, 150])[:, None, None]
        outline = Image.fromarray(255 * (np.hypot(height, width) < 28).astype(np.uint8))
        laid = take_with(outline, matrix, (second.shape[1], second.shape[0]))
        for each, (pixels, mask) in enumerate(((np.asarray(first), outline), (second, laid))):
            name = f"ISIC_{2 * lesion + each:07d}"
            Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
            black = Image.fromarray(255 * (np.asarray(mask) > 127).astype(np.uint8))
            black.save(folder / "masks" / f"{name}_segmentation.png")
            rows.append((name, f"HAM_{lesion:07d}", "mel" if lesion % 2 else "nv"))
    table = pd.DataFrame(rows, columns=["image_id", "lesion_id", "dx"])
    table.to_csv(folder / "HAM10000_metadata.csv", index=False)
    return table
