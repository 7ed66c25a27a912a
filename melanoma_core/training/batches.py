"""The batches that a network is trained on: drawn, turned and recoloured, the same for a seed."""

import math
import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from sklearn.utils.class_weight import compute_sample_weight

from melanoma_core.training.photographs import index_labels
from melanoma_core.training.recipe import Rebalancing, Recipe

# Streams of chance that a seed is the start of. NumPy takes [seed, epoch] and [seed, epoch, 0]
# for the same one: an image would be turned by what it was drawn with.
_DRAW, _CHANGES = 1, 2
_AREA = Image.Resampling.BOX


class Batch(NamedTuple):
    """What one training step is given.

    Attributes:
        inputs: [B, …], of the kind of the images.
        targets: float32 [B, C], probability of each class.
        weights: float32 [B], how much each image counts in the loss; None for all alike.
    """

    inputs: NDArray[Any]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None


class TrainingBatches:
    """Augmented batches of one train subset.

    Every batch depends on the seed, the epoch and its position alone, so that a resumed run
    sees what an uninterrupted one would have seen.

    Args:
        images: uint8 [N, size, size, 3]; or, for a recipe that `holds_still`, anything [N, …].
        labels: int [N], positions in the class names.
        num_classes: Number of outputs.
        recipe: The recipe.
    """

    def __init__(
        self, images: NDArray[Any], labels: NDArray[np.int64], num_classes: int, recipe: Recipe
    ) -> None:
        self.num_images = recipe.images_per_epoch or len(labels)
        self._images = images
        self._labels = labels
        self._targets = np.eye(num_classes, dtype=np.float32)
        self._weights = None
        if recipe.rebalancing is Rebalancing.CLASS_WEIGHTS:
            self._weights = compute_sample_weight("balanced", labels).astype(np.float32)
        self._recipe = recipe
        self.start_epoch(0)

    def __len__(self) -> int:
        return math.ceil(self.num_images / self._recipe.batch_size)

    def __getitem__(self, index: int) -> Batch:
        start = index * self._recipe.batch_size
        chosen = self._order[start : start + self._recipe.batch_size]
        rng = np.random.default_rng([self._recipe.seed, _CHANGES, self._epoch, index])
        batch = Batch(
            augment(self._images[chosen], self._recipe, rng),
            self._targets[self._labels[chosen]],
            None if self._weights is None else self._weights[chosen],
        )
        return mix(batch, self._recipe.mixup, rng) if self._recipe.mixup else batch

    def start_epoch(self, epoch: int) -> None:
        """Draw the images of an epoch, counted from 0.

        Where the draw evens nothing out, an epoch is every image once.
        """
        self._epoch = epoch
        rng = np.random.default_rng([self._recipe.seed, _DRAW, epoch])
        if draws_each_once(self._recipe):
            self._order = rng.permutation(len(self._labels))
        else:
            weights = image_weights(self._labels, self._recipe.class_balance)
            self._order = rng.choice(len(self._labels), self.num_images, p=weights)


def read_ahead(batches: TrainingBatches) -> Generator[Batch, None, None]:
    """Yield the batches of the epoch, making the next ones while the network learns from one."""
    num_workers = max(1, (os.cpu_count() or 1) // 2)
    with ThreadPoolExecutor(num_workers) as pool:
        waiting: deque[Future[Batch]] = deque()
        for index in range(len(batches)):
            waiting.append(pool.submit(batches.__getitem__, index))
            if len(waiting) > num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def draws_each_once(recipe: Recipe) -> bool:
    """Return whether an epoch is every image once, instead of a draw."""
    return recipe.images_per_epoch == 0 and recipe.class_balance == 0


def hold_still(recipe: Recipe) -> Recipe:
    """Return the recipe without any change of an image."""
    return replace(
        recipe,
        mirror=False,
        rotation=0.0,
        zoom=0.0,
        shift=0.0,
        brightness=0.0,
        contrast=0.0,
        colour=0.0,
        saturation=0.0,
        gamma=0.0,
        resolution=0.0,
        mixup=0.0,
    )


def image_weights(labels: NDArray[np.int64], class_balance: float) -> NDArray[np.float64]:
    """Return each image's probability [N] of being drawn; see `Recipe.class_balance`."""
    counts = np.bincount(labels)
    weights = counts[labels].astype(np.float64) ** -class_balance
    return np.asarray(weights / weights.sum())


def count_in_loss(labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.float64]:
    """Return the share [N] that each image has in an epoch's loss: how often drawn, how weighed."""
    share = image_weights(labels, recipe.class_balance)
    if recipe.rebalancing is Rebalancing.CLASS_WEIGHTS:
        share = share * compute_sample_weight("balanced", labels)
    return np.asarray(share / share.sum())


def augment(images: NDArray[Any], recipe: Recipe, rng: np.random.Generator) -> NDArray[Any]:
    """Turn, mirror, stretch, shift and recolour each image at random; a lesion has no upside.

    Args:
        images: uint8 [N, size, size, 3]; anything [N, …] where nothing is changed.
        recipe: The limits of each change.
        rng: Where chance comes from.

    Returns:
        As the images.
    """
    if recipe.rotation or recipe.zoom or recipe.shift:
        images = _move(images, recipe, rng)
    elif recipe.mirror:
        mirrored = rng.random((len(images), 1, 1, 1)) < 0.5
        images = np.where(mirrored, images[:, :, ::-1], images)
    if recipe.brightness or recipe.contrast or recipe.colour:
        images = _recolour(images, recipe, rng)
    if recipe.saturation:
        images = _saturate(images, recipe.saturation, rng)
    if recipe.gamma:
        images = _bend(images, recipe.gamma, rng)
    if recipe.resolution:
        images = _coarsen(images, recipe.resolution, rng)
    return images


def mix(batch: Batch, mixup: float, rng: np.random.Generator) -> Batch:
    """Blend each image with another of the batch, and their targets and weights alike.

    mixup: Zhang et al. 2018, arXiv:1710.09412, with a share for each pair.

    Args:
        batch: Of uint8 images.
        mixup: Parameter of the Beta distribution of the shares, above 0.
        rng: Where chance comes from.
    """
    partners = rng.permutation(len(batch.inputs))
    share = rng.beta(mixup, mixup, len(partners)).astype(np.float32)

    def blend(values: NDArray[Any]) -> NDArray[np.float32]:
        own = share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(own * values + (1 - own) * values[partners])

    return Batch(
        np.rint(blend(batch.inputs)).astype(np.uint8),
        blend(batch.targets),
        None if batch.weights is None else blend(batch.weights),
    )


def _recolour(
    pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
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


def _saturate(
    pixels: NDArray[np.uint8], most: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Bring the colours of each image nearer to its greys, or further away."""
    factors = (1 + rng.uniform(-most, most, len(pixels))).tolist()
    pictures = map(Image.fromarray, pixels)
    changed = [
        ImageEnhance.Color(picture).enhance(factor)
        for picture, factor in zip(pictures, factors, strict=True)
    ]
    return np.stack([np.asarray(picture) for picture in changed])


def _bend(pixels: NDArray[np.uint8], most: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Raise the brightness of each image to a power near 1."""
    exponents = np.exp(rng.uniform(-1, 1, (len(pixels), 1)) * np.log1p(most))
    tables = np.rint(255 * (np.arange(256) / 255) ** exponents).astype(np.uint8)
    return np.stack([table[image] for table, image in zip(tables, pixels, strict=True)])


def _coarsen(pixels: NDArray[np.uint8], most: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Take the fine structure from each image, as a camera of fewer pixels would."""
    height, width = pixels.shape[1:3]
    kept = 1 - rng.uniform(0, most, len(pixels))
    coarse = [
        Image.fromarray(image)
        .resize((max(1, round(width * share)), max(1, round(height * share))), _AREA)
        .resize((width, height), Image.Resampling.BILINEAR)
        for image, share in zip(pixels, kept.tolist(), strict=True)
    ]
    return np.stack([np.asarray(picture) for picture in coarse])


def _move(pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn, mirror, stretch and shift each image at random.

    With Pillow, since an operation of TensorFlow in another thread than the one that trains can
    wait for ever.
    """
    count, size = pixels.shape[:2]
    angle = np.deg2rad(rng.uniform(-recipe.rotation, recipe.rotation, count))
    zoom = np.exp(rng.uniform(-1, 1, (2, count)) * np.log1p(recipe.zoom))
    mirror = rng.choice([-1.0, 1.0], count) if recipe.mirror else np.ones(count)
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


def correct_frequencies(
    recipe: Recipe, train: pd.DataFrame, class_names: Sequence[str]
) -> NDArray[np.float32]:
    """Return what takes a recipe's rebalancing back from the head's bias, float32 [C].

    A class that counts more in the loss than it occurs is expected too often by that factor,
    whether it is drawn more often, has new images, or weighs more; the bias takes it back
    (Saerens et al. 2002, doi:10.1162/089976602753284446): exactly for the cross-entropy, nearly
    for the focal loss, for smoothed labels and for mixed ones, which temperature scaling follows.
    What occurs is the mix of the photographs in the train subset, without new images of them.

    Args:
        recipe: How the classes are drawn and weighed.
        train: The train subset, with `label` and perhaps `parent_image_id`.
        class_names: C outputs of the network, in order.
    """
    labels = index_labels(train, class_names)
    num_classes = len(class_names)
    counted = np.bincount(labels, count_in_loss(labels, recipe), minlength=num_classes)
    is_photograph = np.ones(len(train), dtype=bool)
    if "parent_image_id" in train:
        is_photograph = train["parent_image_id"].isna().to_numpy()
    occurring = np.bincount(labels[is_photograph], minlength=num_classes) / is_photograph.sum()
    present = occurring > 0
    correction = np.zeros(num_classes, dtype=np.float32)
    correction[present] = np.log(occurring[present] / counted[present])
    return correction
