"""Training batches: drawn, augmented and weighted, reproducible from a seed."""

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

from melanoma_core.models.predictions import index_labels
from melanoma_core.training.recipe import Rebalancing, Recipe

# Separate random streams per seed. NumPy treats [seed, epoch] and [seed, epoch, 0] as the same
# seed, so without these the draw and the augmentation of an image would be correlated.
_DRAW_STREAM, _AUGMENTATION_STREAM = 1, 2


class Batch(NamedTuple):
    """The input of one training step.

    Attributes:
        inputs: [B, …], with the dtype of the images.
        targets: float32 [B, C], probability of each class.
        weights: float32 [B], weight of each image in the loss; None for equal weights.
    """

    inputs: NDArray[Any]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None


class TrainingBatches:
    """Augmented batches of one train subset.

    Each batch depends only on the seed, the epoch and its position, so a resumed run gets the
    same batches as an uninterrupted one.

    Args:
        images: uint8 [N, size, size, 3]; or any [N, …] for a recipe without augmentation.
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
        rng = np.random.default_rng([self._recipe.seed, _AUGMENTATION_STREAM, self._epoch, index])
        batch = Batch(
            augment(self._images[chosen], self._recipe, rng),
            self._targets[self._labels[chosen]],
            None if self._weights is None else self._weights[chosen],
        )
        return apply_mixup(batch, self._recipe.mixup, rng) if self._recipe.mixup else batch

    def start_epoch(self, epoch: int) -> None:
        """Draw the images of an epoch, counted from 0.

        Without `Recipe.images_per_epoch` and `Recipe.class_balance`, an epoch contains each image
        once.
        """
        self._epoch = epoch
        rng = np.random.default_rng([self._recipe.seed, _DRAW_STREAM, epoch])
        if self._recipe.images_per_epoch == 0 and self._recipe.class_balance == 0:
            self._order = rng.permutation(len(self._labels))
        else:
            chances = compute_draw_probabilities(self._labels, self._recipe.class_balance)
            self._order = rng.choice(len(self._labels), self.num_images, p=chances)


def prefetch(batches: TrainingBatches) -> Generator[Batch, None, None]:
    """Yield the batches of the epoch in order; worker threads prepare the next ones."""
    num_workers = max(1, (os.cpu_count() or 1) // 2)
    with ThreadPoolExecutor(num_workers) as pool:
        waiting: deque[Future[Batch]] = deque()
        for index in range(len(batches)):
            waiting.append(pool.submit(batches.__getitem__, index))
            if len(waiting) > num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def compute_draw_probabilities(
    labels: NDArray[np.int64], class_balance: float
) -> NDArray[np.float64]:
    """Return the probability of each image to be drawn, given `Recipe.class_balance`.

    Args:
        labels: int [N], positions in the class names.
        class_balance: In [0, 1]; 0 keeps the class frequencies, 1 equalises them.

    Returns:
        float64 [N], summing to 1.

    Example:
        >>> compute_draw_probabilities(np.array([0, 1, 1]), 1.0)
        array([0.5 , 0.25, 0.25])
    """
    counts = np.bincount(labels)
    weights = counts[labels].astype(np.float64) ** -class_balance
    return np.asarray(weights / weights.sum())


def compute_loss_shares(labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.float64]:
    """Return the expected share of each image in the loss of an epoch: draw times class weight.

    Args:
        labels: int [N], positions in the class names.
        recipe: Its `class_balance` and `rebalancing` are used.

    Returns:
        float64 [N], summing to 1.
    """
    share = compute_draw_probabilities(labels, recipe.class_balance)
    if recipe.rebalancing is Rebalancing.CLASS_WEIGHTS:
        share = share * compute_sample_weight("balanced", labels)
    return np.asarray(share / share.sum())


def compute_bias_correction(
    recipe: Recipe, train: pd.DataFrame, class_names: Sequence[str]
) -> NDArray[np.float32]:
    """Return the change of the output bias that undoes a recipe's rebalancing.

    A class with a larger share in the loss than in the data is predicted too often by that
    factor, no matter if it is drawn more often, oversampled or weighted. The bias corrects this
    (Saerens et al. 2002, doi:10.1162/089976602753284446). The correction is exact for
    cross-entropy and approximate for focal loss, label smoothing and mixup; temperature scaling
    follows. The reference is the class mix of the train subset without synthetic images.

    Args:
        recipe: Determines the draw and the class weights.
        train: The train subset, with `label` and optionally `parent_image_id`.
        class_names: C outputs of the network, in order.

    Returns:
        float32 [C], to be added to the bias; 0 for classes without images.

    Raises:
        DatasetError: A label is not among the class names.
    """
    labels = index_labels(train, class_names)
    num_classes = len(class_names)
    in_loss = np.bincount(labels, compute_loss_shares(labels, recipe), minlength=num_classes)
    is_photograph = np.ones(len(train), dtype=bool)
    if "parent_image_id" in train:
        is_photograph = train["parent_image_id"].isna().to_numpy()
    in_data = np.bincount(labels[is_photograph], minlength=num_classes) / is_photograph.sum()
    present = in_data > 0
    correction = np.zeros(num_classes, dtype=np.float32)
    correction[present] = np.log(in_data[present] / in_loss[present])
    return correction


def disable_augmentation(recipe: Recipe) -> Recipe:
    """Return the recipe without augmentation and mixup."""
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


def augment(images: NDArray[Any], recipe: Recipe, rng: np.random.Generator) -> NDArray[Any]:
    """Rotate, mirror, scale, shift and recolour each image at random.

    A lesion has no natural orientation, so every rotation is allowed.

    Args:
        images: uint8 [N, size, size, 3]; any [N, …] for a recipe without augmentation.
        recipe: The limit of each change.
        rng: Source of randomness.

    Returns:
        New images, with the shape and dtype of the input.
    """
    if recipe.rotation or recipe.zoom or recipe.shift:
        images = _transform(images, recipe, rng)
    elif recipe.mirror:
        mirrored = rng.random((len(images), 1, 1, 1)) < 0.5
        images = np.where(mirrored, images[:, :, ::-1], images)
    if recipe.brightness or recipe.contrast or recipe.colour:
        images = _recolour(images, recipe, rng)
    if recipe.saturation:
        images = _change_saturation(images, recipe.saturation, rng)
    if recipe.gamma:
        images = _change_gamma(images, recipe.gamma, rng)
    if recipe.resolution:
        images = _reduce_resolution(images, recipe.resolution, rng)
    return images


def apply_mixup(batch: Batch, alpha: float, rng: np.random.Generator) -> Batch:
    """Blend each image, its target and its weight with those of another image of the batch.

    Zhang et al., "mixup" (2018, arXiv:1710.09412), with one share per pair.

    Args:
        batch: Images are uint8.
        alpha: Parameter of the Beta distribution of the shares, above 0.
        rng: Source of randomness.
    """
    partners = rng.permutation(len(batch.inputs))
    share = rng.beta(alpha, alpha, len(partners)).astype(np.float32)

    def blend(values: NDArray[Any]) -> NDArray[np.float32]:
        own = share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(own * values + (1 - own) * values[partners])

    return Batch(
        np.rint(blend(batch.inputs)).astype(np.uint8),
        blend(batch.targets),
        None if batch.weights is None else blend(batch.weights),
    )


def _transform(
    pixels: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Rotate, mirror, scale and shift each image at random.

    This uses Pillow because a TensorFlow operation in another thread than the training one can
    deadlock.
    """
    count, size = pixels.shape[:2]
    angle = np.deg2rad(rng.uniform(-recipe.rotation, recipe.rotation, count))
    zoom = np.exp(rng.uniform(-1, 1, (2, count)) * np.log1p(recipe.zoom))
    mirror = rng.choice([-1.0, 1.0], count) if recipe.mirror else np.ones(count)
    shift = rng.uniform(-recipe.shift, recipe.shift, (2, count)) * size
    # Pad by reflection as far as a corner can reach: black corners would reveal the rotation.
    reach = (1 + recipe.zoom) * math.sqrt(0.5) + recipe.shift - 0.5
    margin = max(0, math.ceil(size * reach))
    padded = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "symmetric")

    a, b = np.cos(angle) * zoom[0] * mirror, -np.sin(angle) * zoom[1]
    c, d = np.sin(angle) * zoom[0] * mirror, np.cos(angle) * zoom[1]
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
