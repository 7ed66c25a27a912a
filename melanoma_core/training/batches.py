"""Training batches: drawn, augmented and weighted, reproducible from a seed."""

import math
import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from melanoma_core.training.augmentation import augment_outlined
from melanoma_core.training.draw import compute_draw_probabilities
from melanoma_core.training.outlines import Outlines
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
        outlines: float32 [B, s, s], share of each cell inside the lesion, or
            `outlines.MISSING`; None for a network that draws no outline.
    """

    inputs: NDArray[Any]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    outlines: NDArray[np.float32] | None = None


class ImageFacts(NamedTuple):
    """What a training knows of each of N images beside its label.

    Attributes:
        sources: [N], the source of each image; None if the recipe does not balance them.
        outlines: Outlines of the images; None for a network that draws none.
    """

    sources: NDArray[Any] | None = None
    outlines: Outlines | None = None


_NOTHING_ELSE = ImageFacts()


class TrainingBatches:
    """Augmented batches of one train subset.

    Each batch depends only on the seed, the epoch and its position, so a resumed run gets the
    same batches as an uninterrupted one.

    Args:
        images: uint8 [N, size, size, 3]; or any [N, …] for a recipe without augmentation.
        labels: int [N], positions in the class names.
        num_classes: Number of outputs.
        recipe: The recipe.
        facts: What else is known of the images.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[np.int64],
        num_classes: int,
        recipe: Recipe,
        facts: ImageFacts = _NOTHING_ELSE,
    ) -> None:
        self.num_images = recipe.images_per_epoch or len(labels)
        self._images = images
        self._labels = labels
        self._outlines = facts.outlines
        self._targets = np.eye(num_classes, dtype=np.float32)
        self._weights = None
        if recipe.rebalancing is Rebalancing.CLASS_WEIGHTS:
            self._weights = compute_sample_weight("balanced", labels).astype(np.float32)
        self._recipe = recipe
        self._chances = compute_draw_probabilities(labels, recipe, facts.sources)
        self.start_epoch(0)

    def __len__(self) -> int:
        return math.ceil(self.num_images / self._recipe.batch_size)

    def __getitem__(self, index: int) -> Batch:
        start = index * self._recipe.batch_size
        chosen = self._order[start : start + self._recipe.batch_size]
        rng = np.random.default_rng([self._recipe.seed, _AUGMENTATION_STREAM, self._epoch, index])
        masks = self._outlines.select(chosen) if self._outlines else None
        images, masks = augment_outlined(self._images[chosen], masks, self._recipe, rng)
        batch = Batch(
            images,
            self._targets[self._labels[chosen]],
            None if self._weights is None else self._weights[chosen],
            self._outlines.make_targets(chosen, masks)
            if self._outlines and masks is not None
            else None,
        )
        return apply_mixup(batch, self._recipe.mixup, rng) if self._recipe.mixup else batch

    def start_epoch(self, epoch: int) -> None:
        """Draw the images of an epoch, counted from 0.

        Without `Recipe.images_per_epoch` and any balance, an epoch contains each image once.
        """
        self._epoch = epoch
        rng = np.random.default_rng([self._recipe.seed, _DRAW_STREAM, epoch])
        is_balanced = self._recipe.class_balance or self._recipe.source_balance
        if self._recipe.images_per_epoch == 0 and not is_balanced:
            self._order = rng.permutation(len(self._labels))
        else:
            self._order = rng.choice(len(self._labels), self.num_images, p=self._chances)


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
        blur=0.0,
        vignette=0.0,
        artefacts=0.0,
        jpeg=0.0,
        mixup=0.0,
    )


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
