"""Estimate the cost of a training from a few of its steps."""

import math
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import psutil

from melanoma_core.data.balancing import plan_oversampling
from melanoma_core.data.dataset import hash_table
from melanoma_core.data.splitting import Split
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.hardware import choose_precision
from melanoma_core.networks.inference import BATCH_SIZE, predict
from melanoma_core.networks.network import (
    EMBEDDING_LAYER,
    build_network,
    compile_network,
    split_network,
)
from melanoma_core.networks.remaining import RemainingTime, plan_release
from melanoma_core.networks.stage import MOST_SAMPLED, LabelledInputs, Throughput, TrainingStage
from melanoma_core.training.batches import ImageFacts, TrainingBatches, disable_augmentation
from melanoma_core.training.observer import BatchState, EpochReport, Estimate, Phase, Stopped
from melanoma_core.training.outlines import load_outlines
from melanoma_core.training.photographs import fits_memory, load_pixels
from melanoma_core.training.preparation import TRAIN, VALIDATION, prepare_split
from melanoma_core.training.recipe import Rebalancing, Recipe
from melanoma_core.training.targets import select_classes

_MEASURED_SECONDS = 3.0  # per stage; a slow step is measured at least once
_NUM_PHOTOGRAPHS = 64  # decoded to measure the duration of decoding
_NUM_PARENTS = 8  # photographs of which synthetic images are made, to measure oversampling
_MAX_STEPS = 1000


@dataclass(frozen=True)
class _Counts:
    """Number of images of each kind in a training."""

    train: int
    published: int
    validation: int
    synthetic: int

    @property
    def decoded(self) -> int:
        return self.train + self.published + self.validation

    @property
    def evaluated(self) -> int:
        """Images that are evaluated after each epoch."""
        return min(self.train, self.validation, MOST_SAMPLED) + self.validation + self.published


def estimate_cost(
    recipe: Recipe,
    split: Split,
    class_names: Sequence[str],
    *,
    is_released: bool = True,
    skips_tests: bool = False,
) -> Estimate:
    """Measure a few real steps of a training, and extrapolate to the whole training.

    The first steps, which include compilation, are not counted. Early stopping is unpredictable
    and ignored.

    Args:
        recipe: The training configuration.
        split: The split, before `preparation.prepare_split`.
        class_names: Outputs of the network.
        is_released: Whether the network becomes a model.
        skips_tests: Whether the tests of heatmaps and robustness are left out.

    Raises:
        ImageError: A file was removed or changed since the split was made.
    """
    counts = _count_images(recipe, split)
    sample = _draw_sample(recipe, select_classes(split.subset(TRAIN), class_names))
    started = time.perf_counter()
    pixels = load_pixels(sample, recipe.image_size)
    seconds_per_decoded = (time.perf_counter() - started) / len(sample)
    outlines = load_outlines(sample, recipe) if recipe.outline_weight else None
    photographs = LabelledInputs(pixels, index_labels(sample, class_names), outlines)

    keras.utils.set_random_seed(recipe.seed)
    network = build_network(recipe, len(class_names), None, choose_precision(recipe))
    forward = split_network(network)[0] if recipe.head_epochs else network
    seconds_per_forward = _time_forward(forward, photographs)
    head = Throughput()
    if recipe.head_epochs:
        head = _measure_head(network, recipe, len(class_names))
    compile_network(network, recipe)
    whole = _measure_steps(network, photographs, recipe, len(class_names), Phase.NETWORK)

    num_images = recipe.images_per_epoch or counts.train
    num_steps = math.ceil(num_images / recipe.batch_size)
    per_epoch = whole.estimate_seconds(num_steps, 0) + counts.evaluated * seconds_per_forward
    per_head_epoch = head.estimate_seconds(num_steps, 0)
    preparation = counts.decoded * seconds_per_decoded + _time_oversampling(recipe, split, counts)
    total = preparation + recipe.epochs * per_epoch
    plan = plan_release(
        split.table, tuple(class_names), is_released=is_released, skips_tests=skips_tests
    )
    paces = {Phase.DECODING: seconds_per_decoded, Phase.MEASURING: seconds_per_forward}
    total += RemainingTime(plan, paces).estimate()
    if recipe.head_epochs:
        total += counts.decoded * seconds_per_forward + recipe.head_epochs * per_head_epoch
    return Estimate(
        images_per_second=whole.images_per_second,
        seconds_per_head_epoch=per_head_epoch,
        seconds_per_epoch=per_epoch,
        total_seconds=total,
        memory_bytes=_estimate_memory(network, recipe, counts),
    )


class _Timer:
    """An observer that stops a training after a few seconds."""

    def __init__(self) -> None:
        self._ends_at = math.inf

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Ignore it."""

    def on_batch(self, state: BatchState) -> None:
        """Start the clock after the first step, and stop the training when the time is up."""
        if state.batch == 1:
            self._ends_at = time.perf_counter() + _MEASURED_SECONDS
        elif time.perf_counter() > self._ends_at:
            raise Stopped

    def on_epoch(self, report: EpochReport) -> None:
        """Ignore it."""


def _measure_steps(
    model: keras.Model, images: LabelledInputs, recipe: Recipe, num_classes: int, phase: Phase
) -> Throughput:
    """Train on a few images repeatedly for a few seconds."""
    num_images = _MAX_STEPS * recipe.batch_size
    longer = replace(recipe, images_per_epoch=num_images, class_balance=0.0, source_balance=0.0)
    stage = TrainingStage(
        phase=phase,
        model=model,
        batches=TrainingBatches(
            images.inputs, images.labels, num_classes, longer, ImageFacts(outlines=images.outlines)
        ),
        evaluated={},
        first_epoch=0,
        num_epochs=1,
        learning_rate=lambda _: 0.0,
        is_last=True,
    )
    throughput = Throughput()
    with suppress(Stopped):
        stage.train_epoch(0, longer, throughput, _Timer())
    return throughput


def _measure_head(network: keras.Model, recipe: Recipe, num_classes: int) -> Throughput:
    backbone, head = split_network(network)
    compile_network(head, recipe)
    features = np.zeros((_NUM_PHOTOGRAPHS, backbone.output_shape[-1]), dtype=np.float32)
    images = LabelledInputs(features, np.arange(_NUM_PHOTOGRAPHS) % num_classes)
    return _measure_steps(head, images, disable_augmentation(recipe), num_classes, Phase.HEAD)


def _time_forward(network: keras.Model, photographs: LabelledInputs) -> float:
    """Return the seconds per photograph of a forward pass."""
    pixels = np.resize(photographs.inputs, (BATCH_SIZE, *photographs.inputs.shape[1:]))
    predict(network, pixels)  # compiles
    started = time.perf_counter()
    predict(network, pixels)
    return (time.perf_counter() - started) / BATCH_SIZE


def _time_oversampling(recipe: Recipe, split: Split, counts: _Counts) -> float:
    """Return the seconds that oversampling takes, measured on a few of its images."""
    if not counts.synthetic:
        return 0.0
    parents = _draw_sample(recipe, split.subset(TRAIN)).head(_NUM_PARENTS).assign(subset=TRAIN)
    largest = int(parents["label"].value_counts().max())
    few = replace(
        recipe,
        rebalancing=Rebalancing.OVERSAMPLING,
        images_per_class=largest + _NUM_PARENTS,
        published_share=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        made = prepare_split(few, Split(parents, split.seed, hash_table(parents)), Path(folder))
        elapsed = time.perf_counter() - started
    return counts.synthetic * elapsed / (len(made.table) - len(parents))


def _draw_sample(recipe: Recipe, train: pd.DataFrame) -> pd.DataFrame:
    return train.sample(min(len(train), _NUM_PHOTOGRAPHS), random_state=recipe.seed)


def _count_images(recipe: Recipe, split: Split) -> _Counts:
    train, num_validation = split.subset(TRAIN), len(split.subset(VALIDATION))
    held_out, synthetic = recipe.published_share, 0
    if recipe.rebalancing in {Rebalancing.OVERSAMPLING, Rebalancing.BEFORE_SPLIT}:
        synthetic = plan_oversampling(train, recipe.images_per_class or None).num_synthetic
    if recipe.leaks:
        num_published = round(held_out * (len(train) + synthetic))
        num_train = len(train) + synthetic - num_published
        return _Counts(num_train, num_published, num_validation, synthetic)
    num_published = round(held_out * len(train))
    synthetic = round((1 - held_out) * synthetic)
    num_train = len(train) - num_published + synthetic
    return _Counts(num_train, num_published, num_validation, synthetic)


def _estimate_memory(network: keras.Model, recipe: Recipe, counts: _Counts) -> int:
    """Return the present resident memory plus what the whole training needs, in bytes."""
    resident = psutil.Process().memory_info().rss
    pixels = counts.decoded * recipe.image_size**2 * 3
    if not fits_memory(counts.decoded, recipe.image_size):
        pixels = 0  # they are in a file
    # A checkpoint holds the weights, two optimizer moments of each, and the best weights.
    checkpoint = 4 * sum(weights.nbytes for weights in network.get_weights())
    features = counts.decoded * network.get_layer(EMBEDDING_LAYER).output.shape[-1] * 4
    return int(resident + pixels + checkpoint + (features if recipe.head_epochs else 0))
