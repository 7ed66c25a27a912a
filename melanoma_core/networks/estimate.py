"""What a training will take, measured on a few of its steps."""

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
from melanoma_core.networks.network import build_network, compile_network, split_network
from melanoma_core.networks.stage import Labelled, Pace, Stage
from melanoma_core.training.batches import TrainingBatches, hold_still
from melanoma_core.training.observer import BatchState, EpochReport, Estimate, Phase, Stopped
from melanoma_core.training.photographs import fits_memory, load_pixels
from melanoma_core.training.preparation import TRAIN, VALIDATION, prepare_split
from melanoma_core.training.recipe import Rebalancing, Recipe

_MEASURED_SECONDS = 3.0  # of each phase; a slow step is measured at least once
_NUM_PHOTOGRAPHS = 64  # decoded to see how long that takes
_NUM_PARENTS = 8  # of which new images are made, likewise
_MOST_STEPS = 1000


@dataclass(frozen=True)
class _Counts:
    """Images of each kind that a training meets."""

    train: int
    published: int
    validation: int
    new: int

    @property
    def decoded(self) -> int:
        return self.train + self.published + self.validation

    @property
    def measured(self) -> int:
        """After each epoch."""
        return min(self.train, self.validation) + self.validation + self.published


def estimate_cost(recipe: Recipe, split: Split, class_names: Sequence[str]) -> Estimate:
    """Measure a few real steps of a training, and say what all of it will take.

    The first steps do not count, in which the network is compiled. What early stopping saves is
    not known before.

    Args:
        recipe: How to train.
        split: On what, before `preparation.prepare_split`.
        class_names: Outputs of the network.

    Raises:
        ImageError: A file has gone or changed since the split was made.
    """
    counts = _count_images(recipe, split)
    sample = _draw_sample(recipe, split)
    started = time.perf_counter()
    pixels = load_pixels(sample, recipe.image_size)
    seconds_per_decoded = (time.perf_counter() - started) / len(sample)
    photographs = Labelled(pixels, index_labels(sample, class_names))

    keras.utils.set_random_seed(recipe.seed)
    network = build_network(recipe, len(class_names), None, choose_precision(recipe))
    forward = split_network(network)[0] if recipe.head_epochs else network
    seconds_per_forward = _time_forward(forward, photographs)
    head = _measure_head(network, recipe, len(class_names)) if recipe.head_epochs else Pace()
    compile_network(network, recipe)
    pace = _measure_steps(network, photographs, recipe, len(class_names), Phase.NETWORK)

    num_images = recipe.images_per_epoch or counts.train
    num_steps = math.ceil(num_images / recipe.batch_size)
    per_epoch = pace.estimate_seconds(num_steps, 0) + counts.measured * seconds_per_forward
    per_head_epoch = head.estimate_seconds(num_steps, 0)
    before = counts.decoded * seconds_per_decoded + _time_new_images(recipe, split, counts)
    total = before + recipe.epochs * per_epoch
    if recipe.head_epochs:
        total += counts.decoded * seconds_per_forward + recipe.head_epochs * per_head_epoch
    return Estimate(
        images_per_second=pace.images_per_second,
        seconds_per_head_epoch=per_head_epoch,
        seconds_per_epoch=per_epoch,
        total_seconds=total,
        memory_bytes=_sum_memory(network, recipe, counts),
    )


class _Watch:
    """Stops a training as soon as its pace is known."""

    def __init__(self) -> None:
        self._ends_at = math.inf

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Let it go on."""

    def on_batch(self, state: BatchState) -> None:
        """Stop it when the time is up; it runs from the second step."""
        if state.batch == 1:
            self._ends_at = time.perf_counter() + _MEASURED_SECONDS
        elif time.perf_counter() > self._ends_at:
            raise Stopped

    def on_epoch(self, report: EpochReport) -> None:
        """Let it go on."""


def _measure_steps(
    model: keras.Model, images: Labelled, recipe: Recipe, num_classes: int, phase: Phase
) -> Pace:
    """Train for a moment on a few images, over and over."""
    longer = replace(recipe, images_per_epoch=_MOST_STEPS * recipe.batch_size, class_balance=0.0)
    stage = Stage(
        phase=phase,
        model=model,
        batches=TrainingBatches(*images, num_classes, longer),
        measured={},
        first_epoch=0,
        num_epochs=1,
        learning_rate=lambda _: 0.0,
        is_last=True,
    )
    pace = Pace()
    with suppress(Stopped):
        stage.train_epoch(0, longer, pace, _Watch())
    return pace


def _measure_head(network: keras.Model, recipe: Recipe, num_classes: int) -> Pace:
    backbone, head = split_network(network)
    compile_network(head, recipe)
    features = np.zeros((_NUM_PHOTOGRAPHS, backbone.output_shape[-1]), dtype=np.float32)
    labels = np.arange(_NUM_PHOTOGRAPHS) % num_classes
    return _measure_steps(
        head, Labelled(features, labels), hold_still(recipe), num_classes, Phase.HEAD
    )


def _time_forward(network: keras.Model, photographs: Labelled) -> float:
    """Return the seconds that one photograph takes through the network."""
    pixels = np.resize(photographs.inputs, (BATCH_SIZE, *photographs.inputs.shape[1:]))
    predict(network, pixels)  # compiles
    started = time.perf_counter()
    predict(network, pixels)
    return (time.perf_counter() - started) / BATCH_SIZE


def _time_new_images(recipe: Recipe, split: Split, counts: _Counts) -> float:
    """Return the seconds that oversampling takes, by making a few of its images."""
    if not counts.new:
        return 0.0
    parents = _draw_sample(recipe, split).head(_NUM_PARENTS).assign(subset=TRAIN)
    most = int(parents["label"].value_counts().max())
    few = replace(
        recipe,
        rebalancing=Rebalancing.OVERSAMPLING,
        images_per_class=most + _NUM_PARENTS,
        published_share=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        made = prepare_split(few, Split(parents, split.seed, hash_table(parents)), Path(folder))
        elapsed = time.perf_counter() - started
    return counts.new * elapsed / (len(made.table) - len(parents))


def _draw_sample(recipe: Recipe, split: Split) -> pd.DataFrame:
    train = split.subset(TRAIN)
    return train.sample(min(len(train), _NUM_PHOTOGRAPHS), random_state=recipe.seed)


def _count_images(recipe: Recipe, split: Split) -> _Counts:
    train, num_validation = split.subset(TRAIN), len(split.subset(VALIDATION))
    held_out, new = recipe.published_share, 0
    if recipe.rebalancing in {Rebalancing.OVERSAMPLING, Rebalancing.BEFORE_SPLIT}:
        new = plan_oversampling(train, recipe.images_per_class or None).num_synthetic
    if recipe.leaks:
        num_published = round(held_out * (len(train) + new))
        return _Counts(len(train) + new - num_published, num_published, num_validation, new)
    num_published = round(held_out * len(train))
    new = round((1 - held_out) * new)
    return _Counts(len(train) - num_published + new, num_published, num_validation, new)


def _sum_memory(network: keras.Model, recipe: Recipe, counts: _Counts) -> int:
    """Add to what is resident now what a whole training needs besides."""
    resident = psutil.Process().memory_info().rss
    pixels = counts.decoded * recipe.image_size**2 * 3
    if not fits_memory(counts.decoded, recipe.image_size):
        pixels = 0  # they lie in a file
    # A checkpoint is a copy of the weights, of two moments of each, and of the best ones.
    checkpoint = 4 * sum(weights.nbytes for weights in network.get_weights())
    features = counts.decoded * network.get_layer("embedding").output.shape[-1] * 4
    return int(resident + pixels + checkpoint + (features if recipe.head_epochs else 0))
