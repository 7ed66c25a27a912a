"""Augmentation: each image of a batch as another camera and another hand would have taken it.

Everything here is NumPy and Pillow: an operation of TensorFlow in another thread than the training
one can wait for ever.
"""

import math
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from melanoma_core.training.artefacts import draw_artefacts
from melanoma_core.training.recipe import Recipe

_JPEG_QUALITIES = (30, 96)  # the lowest, and the one above the highest


def augment_outlined(
    images: NDArray[Any],
    masks: NDArray[np.uint8] | None,
    recipe: Recipe,
    rng: np.random.Generator,
) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Change each image at random, in the order of what happens to a photograph.

    Artefacts lie on the skin; the hand turns, scales and shifts the view; the camera changes the
    colours, darkens the edge and blurs; the file loses pixels and is compressed. A lesion has no
    natural orientation, so every rotation is allowed.

    Args:
        images: uint8 [N, size, size, 3]; any [N, …] for a recipe without augmentation.
        masks: uint8 [N, side, side], which move with the images; None for none.
        recipe: The limit of each change.
        rng: Source of randomness.

    Returns:
        New images, with the shape and dtype of the input, and new masks.
    """
    if recipe.artefacts:
        images = _change_share(images, recipe.artefacts, rng, _draw_artefacts)
    if recipe.rotation or recipe.zoom or recipe.shift:
        motion = _draw_motion(len(images), recipe, rng)
        images = _move(images, motion)
        masks = None if masks is None else _move(masks, motion)
    elif recipe.mirror:
        mirrored = rng.random((len(images), 1, 1, 1)) < 0.5
        images = np.where(mirrored, images[:, :, ::-1], images)
        masks = None if masks is None else np.where(mirrored[..., 0], masks[:, :, ::-1], masks)
    if recipe.brightness or recipe.contrast or recipe.colour:
        images = _recolour(images, recipe, rng)
    if recipe.saturation:
        images = _change_saturation(images, recipe.saturation, rng)
    if recipe.gamma:
        images = _change_gamma(images, recipe.gamma, rng)
    if recipe.vignette:
        images = _change_share(images, recipe.vignette, rng, _darken_edge)
    if recipe.blur:
        images = _blur(images, recipe.blur, rng)
    if recipe.resolution:
        images = _reduce_resolution(images, recipe.resolution, rng)
    if recipe.jpeg:
        images = _change_share(images, recipe.jpeg, rng, _compress)
    return images, masks


def _change_share(
    pixels: NDArray[np.uint8],
    share: float,
    rng: np.random.Generator,
    change: Callable[[NDArray[np.uint8], np.random.Generator], Any],
) -> NDArray[np.uint8]:
    """Change a share of the images, each with a function of its pixels."""
    changed = pixels.copy()
    for row in np.flatnonzero(rng.random(len(pixels)) < share):
        changed[row] = np.asarray(change(pixels[row], rng))
    return changed


def _draw_artefacts(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    image = Image.fromarray(pixels)
    draw_artefacts(image, rng)
    return image


def _darken_edge(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Darken an image outside a circle that nearly fills it, with a soft edge."""
    y, x = np.ogrid[-1 : 1 : pixels.shape[0] * 1j, -1 : 1 : pixels.shape[1] * 1j]
    left, up = rng.uniform(-0.1, 0.1, 2)
    radius, edge, darkness = rng.uniform((0.8, 0.02, 0.6), (1.2, 0.4, 1.0))
    outside = np.clip((np.hypot(x - left, y - up) - radius) / edge, 0, 1)
    factor = (1 - darkness * outside).astype(np.float32)[..., None]
    return np.asarray((pixels * factor).astype(np.uint8))


def _compress(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Save an image as JPEG and read it again."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(rng.integers(*_JPEG_QUALITIES)))
    return Image.open(file)


def _blur(pixels: NDArray[np.uint8], limit: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur each image, like a lens out of focus."""
    radii = rng.uniform(0, limit, len(pixels)) * pixels.shape[2]
    blurred = [
        Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
        for image, radius in zip(pixels, radii.tolist(), strict=True)
    ]
    return np.stack([np.asarray(image) for image in blurred])


class _Motion(NamedTuple):
    """A movement of N images, of any size.

    Attributes:
        matrix: float64 [4, N], a, b, c, d: x and y in the input are a x + b y and c x + d y, from
            the centre of the image.
        shift: float64 [2, N], added to x and y, as shares of the side.
        reach: How far beyond the edge the input is needed, as a share of the side.
    """

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]
    reach: float


def _draw_motion(count: int, recipe: Recipe, rng: np.random.Generator) -> _Motion:
    """Draw how to rotate, mirror, scale and shift each image."""
    angle = np.deg2rad(rng.uniform(-recipe.rotation, recipe.rotation, count))
    zoom = np.exp(rng.uniform(-1, 1, (2, count)) * np.log1p(recipe.zoom))
    mirror = rng.choice([-1.0, 1.0], count) if recipe.mirror else np.ones(count)
    shift = rng.uniform(-recipe.shift, recipe.shift, (2, count))
    a, b = np.cos(angle) * zoom[0] * mirror, -np.sin(angle) * zoom[1]
    c, d = np.sin(angle) * zoom[0] * mirror, np.cos(angle) * zoom[1]
    reach = (1 + recipe.zoom) * math.sqrt(0.5) + recipe.shift - 0.5
    return _Motion(np.stack([a, b, c, d]), shift, reach)


def _move(pixels: NDArray[np.uint8], motion: _Motion) -> NDArray[np.uint8]:
    """Move each image, uint8 [N, size, size] or [N, size, size, 3]."""
    size = pixels.shape[1]
    # Pad by reflection as far as a corner can reach: black corners would reveal the rotation.
    margin = max(0, math.ceil(size * motion.reach))
    around = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    padded = np.pad(pixels, around[: pixels.ndim], "symmetric")
    a, b, c, d = motion.matrix
    shift = motion.shift * size
    # Rotate about the centre of the image instead of its corner.
    x = margin + size / 2 - (a + b) * size / 2 + shift[0]
    y = margin + size / 2 - (c + d) * size / 2 + shift[1]
    moved = np.empty_like(pixels)
    for row, to_input in enumerate(np.stack([a, b, x, c, d, y], axis=1).tolist()):
        image = Image.fromarray(padded[row]).transform(
            (size, size), Image.Transform.AFFINE, to_input, Image.Resampling.BILINEAR
        )
        moved[row] = np.asarray(image)
    return moved


def _recolour(
    pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change the contrast, the gain of each colour channel and the brightness of each image."""
    colours = pixels.astype(np.float32)
    shape = (len(pixels), 1, 1, 1)
    gain = 1 + rng.uniform(-recipe.contrast, recipe.contrast, shape)
    tint = 1 + rng.uniform(-recipe.colour, recipe.colour, (len(pixels), 1, 1, 3))
    offset = 255 * rng.uniform(-recipe.brightness, recipe.brightness, shape)
    mean = colours.mean(axis=(1, 2, 3), keepdims=True)
    scale = (gain * tint).astype(np.float32)
    colours *= scale
    colours += (mean * (tint - scale) + offset).astype(np.float32)
    return np.asarray(np.clip(np.rint(colours), 0, 255).astype(np.uint8))


def _change_saturation(
    pixels: NDArray[np.uint8], limit: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Move the colours of each image towards grey or away from it."""
    factors = (1 + rng.uniform(-limit, limit, len(pixels))).tolist()
    changed = [
        ImageEnhance.Color(Image.fromarray(image)).enhance(factor)
        for image, factor in zip(pixels, factors, strict=True)
    ]
    return np.stack([np.asarray(image) for image in changed])


def _change_gamma(
    pixels: NDArray[np.uint8], limit: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Raise the brightness of each image to a power near 1."""
    exponents = np.exp(rng.uniform(-1, 1, (len(pixels), 1)) * np.log1p(limit))
    tables = np.rint(255 * (np.arange(256) / 255) ** exponents).astype(np.uint8)
    return np.stack([table[image] for table, image in zip(tables, pixels, strict=True)])


def _reduce_resolution(
    pixels: NDArray[np.uint8], limit: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Remove fine detail from each image, like a camera with fewer pixels."""
    height, width = pixels.shape[1:3]
    kept = 1 - rng.uniform(0, limit, len(pixels))
    coarse = [
        Image.fromarray(image)
        .resize((max(1, round(width * share)), max(1, round(height * share))), Image.Resampling.BOX)
        .resize((width, height), Image.Resampling.BILINEAR)
        for image, share in zip(pixels, kept.tolist(), strict=True)
    ]
    return np.stack([np.asarray(image) for image in coarse])
