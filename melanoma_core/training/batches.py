"""The batches that a network is trained on: drawn, turned and recoloured, the same for a seed."""

import math

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.training.recipe import Recipe

# Streams of chance that a seed is the start of. NumPy takes [seed, epoch] and [seed, epoch, 0]
# for the same one: an image would be turned by what it was drawn with.
_DRAW, _CHANGES = 1, 2


class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras ships no types
    """Augmented batches of one train subset.

    Every batch depends on the seed, the epoch and its position alone, so that a resumed run
    sees what an uninterrupted one would have seen.

    Args:
        pixels: uint8 [N, size, size, 3].
        labels: int [N], positions in the class names.
        num_classes: Number of outputs.
        recipe: The recipe.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], labels: NDArray[np.int64], num_classes: int, recipe: Recipe
    ) -> None:
        super().__init__(workers=1)
        self._pixels = pixels
        self._labels = labels
        self._targets = np.eye(num_classes, dtype=np.float32)
        self._recipe = recipe
        self._num_images = recipe.images_per_epoch or len(labels)
        self.start_epoch(0)

    def __len__(self) -> int:
        return math.ceil(self._num_images / self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        start = index * self._recipe.batch_size
        chosen = self._order[start : start + self._recipe.batch_size]
        rng = np.random.default_rng([self._recipe.seed, _CHANGES, self._epoch, index])
        return augment(self._pixels[chosen], self._recipe, rng), self._targets[self._labels[chosen]]

    def start_epoch(self, epoch: int) -> None:
        """Draw the images of an epoch, counted from 0."""
        self._epoch = epoch
        rng = np.random.default_rng([self._recipe.seed, _DRAW, epoch])
        weights = image_weights(self._labels, self._recipe.class_balance)
        self._order = rng.choice(len(self._labels), self._num_images, p=weights)


def image_weights(labels: NDArray[np.int64], class_balance: float) -> NDArray[np.float64]:
    """Return each image's probability [N] of being drawn; see `Recipe.class_balance`."""
    counts = np.bincount(labels)
    weights = counts[labels].astype(np.float64) ** -class_balance
    return np.asarray(weights / weights.sum())


def augment(
    pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Turn, mirror, stretch, shift and recolour each image at random; a lesion has no upside.

    Args:
        pixels: uint8 [N, size, size, 3].
        recipe: The limits of each change.
        rng: Where chance comes from.

    Returns:
        uint8 [N, size, size, 3].
    """
    colours = _move(pixels, recipe, rng).astype(np.float32)
    shape = (len(pixels), 1, 1, 1)
    gain = 1 + rng.uniform(-recipe.contrast, recipe.contrast, shape)
    tint = 1 + rng.uniform(-recipe.colour, recipe.colour, (len(pixels), 1, 1, 3))
    offset = 255 * rng.uniform(-recipe.brightness, recipe.brightness, shape)
    mean = colours.mean(axis=(1, 2, 3), keepdims=True)
    scale = (gain * tint).astype(np.float32)
    colours *= scale
    colours += (mean * (tint - scale) + offset).astype(np.float32)
    return np.asarray(np.clip(np.rint(colours), 0, 255).astype(np.uint8))


def _move(pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn, mirror, stretch and shift each image at random.

    With Pillow, since an operation of TensorFlow would wait for the threads that in turn wait
    for the batch: on two cores that stood still for ever.
    """
    count, size = pixels.shape[:2]
    angle = np.deg2rad(rng.uniform(-recipe.rotation, recipe.rotation, count))
    zoom = np.exp(rng.uniform(-1, 1, (2, count)) * np.log1p(recipe.zoom))
    mirror = rng.choice([-1.0, 1.0], count)
    shift = rng.uniform(-recipe.shift, recipe.shift, (2, count)) * size
    # Mirrored beyond the border, as far as a corner can reach: a black corner would tell the
    # network that the picture was turned.
    reach = (1 + recipe.zoom) * math.sqrt(0.5) + recipe.shift - 0.5
    margin = max(0, math.ceil(size * reach))
    padded = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "symmetric")

    a, b = np.cos(angle) * zoom[0] * mirror, -np.sin(angle) * zoom[1]
    c, d = np.sin(angle) * zoom[0] * mirror, np.cos(angle) * zoom[1]
    # About the centre of the picture, not about its corner.
    x = margin + size / 2 - (a + b) * size / 2 + shift[0]
    y = margin + size / 2 - (c + d) * size / 2 + shift[1]
    moved = np.empty_like(pixels)
    for row, to_input in enumerate(np.stack([a, b, x, c, d, y], axis=1).tolist()):
        picture = Image.fromarray(padded[row]).transform(
            (size, size), Image.Transform.AFFINE, to_input, Image.Resampling.BILINEAR
        )
        moved[row] = np.asarray(picture)
    return moved
