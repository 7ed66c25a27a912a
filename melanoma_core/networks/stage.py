"""One stage of a training: the head alone or the whole network, epoch by epoch."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import RecipeError
from melanoma_core.networks.network import seed_dropout
from melanoma_core.networks.outline import grow_pooling
from melanoma_core.training.batches import Batch, TrainingBatches, prefetch
from melanoma_core.training.observer import BatchState, Observer, Phase
from melanoma_core.training.outlines import Outlines
from melanoma_core.training.recipe import Recipe

_GROWTH = 0.5  # share of the steps in which the outline grows in the pooling
MOST_SAMPLED = 1024  # train images that are evaluated after each epoch, for the curves alone


class LabelledInputs(NamedTuple):
    """Inputs of a network [N, …], the positions of their labels, int [N], and their outlines."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    outlines: Outlines | None = None


class Throughput:
    """Measures the duration of training steps and of the evaluation after each epoch.

    Attributes:
        evaluation_seconds: Duration of the evaluation after the last epoch; 0 before.
    """

    def __init__(self) -> None:
        self.evaluation_seconds = 0.0
        self._step_seconds = 0.0
        self._num_steps = self._num_images = 0
        self._last: float | None = None

    def begin_epoch(self) -> None:
        """Restart the clock. The very first step is not timed, because it includes compilation."""
        if self._last is not None:
            self._last = time.perf_counter()

    def count_step(self, num_images: int) -> None:
        """Record a finished step."""
        now = time.perf_counter()
        if self._last is not None:
            self._step_seconds += now - self._last
            self._num_steps += 1
            self._num_images += num_images
        self._last = now

    @property
    def images_per_second(self) -> float:
        """Images per second of the training steps; NaN until the second step is finished."""
        return self._num_images / self._step_seconds if self._num_steps else math.nan

    def estimate_seconds(self, num_steps: int, num_evaluations: int) -> float:
        """Return the expected duration of further work; NaN until the second step is finished.

        Args:
            num_steps: Training steps.
            num_evaluations: Evaluations at the end of an epoch.
        """
        if not self._num_steps:
            return math.nan
        seconds_per_step = self._step_seconds / self._num_steps
        return num_steps * seconds_per_step + num_evaluations * self.evaluation_seconds


@dataclass(frozen=True, eq=False)
class TrainingStage:
    """One stage of a training.

    Attributes:
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        model: The compiled model that is trained; its outputs are logits.
        batches: Training batches.
        evaluated: The inputs that are evaluated after each epoch, by subset.
        first_epoch: Position of its first epoch in the whole training.
        num_epochs: Number of its epochs.
        learning_rate: Learning rate of a step, counted from 0 in this stage.
        is_last: Whether no other stage follows.
    """

    phase: Phase
    model: keras.Model
    batches: TrainingBatches
    evaluated: Mapping[str, LabelledInputs]
    first_epoch: int
    num_epochs: int
    learning_rate: Callable[[int], float]
    is_last: bool

    @property
    def end(self) -> int:
        """Position after its last epoch."""
        return self.first_epoch + self.num_epochs

    def train_epoch(
        self, epoch: int, recipe: Recipe, throughput: Throughput, observer: Observer
    ) -> float:
        """Train on every batch of an epoch.

        Args:
            epoch: Position of the epoch in the whole training.
            recipe: The recipe.
            throughput: Records the duration of each step.
            observer: Receives the progress of each batch.

        Returns:
            The learning rate of the last step.

        Raises:
            RecipeError: The loss is not finite.
        """
        self.batches.start_epoch(epoch)
        seed_dropout(self.model, recipe.seed, epoch)
        num_batches = len(self.batches)
        step = (epoch - self.first_epoch) * num_batches
        loss_sum, num_images, learning_rate = 0.0, 0, math.nan
        throughput.begin_epoch()
        with closing(prefetch(self.batches)) as stream:
            for number, batch in enumerate(stream, start=1):
                learning_rate = self.learning_rate(step)
                self.model.optimizer.learning_rate = learning_rate
                if recipe.outline_pooling and self.phase is Phase.NETWORK:
                    growing = math.ceil(_GROWTH * self.num_epochs * num_batches)
                    grow_pooling(self.model, recipe.outline_pooling, growing - step)
                loss = _train_on_batch(self.model, batch)
                _check_loss(loss, epoch, learning_rate)
                loss_sum += loss * len(batch.inputs)
                num_images += len(batch.inputs)
                throughput.count_step(len(batch.inputs))
                step += 1
                remaining = throughput.estimate_seconds(
                    self.num_epochs * num_batches - step, self.end - epoch
                )
                observer.on_batch(
                    BatchState(
                        phase=self.phase,
                        epoch=epoch + 1,
                        num_epochs=recipe.total_epochs,
                        batch=number,
                        num_batches=num_batches,
                        loss=loss_sum / num_images,
                        images_per_second=throughput.images_per_second,
                        remaining_seconds=remaining if self.is_last else math.nan,
                    )
                )
        return learning_rate


def _train_on_batch(model: keras.Model, batch: Batch) -> float:
    """Train on a batch, and return the loss of all heads together."""
    if batch.outlines is None:
        return float(model.train_on_batch(*batch[:3]))
    weights = None
    if batch.weights is not None:
        weights = [batch.weights, np.ones_like(batch.weights)]
    losses = model.train_on_batch(batch.inputs, [batch.targets, batch.outlines], weights)
    return float(losses[0])


def _check_loss(loss: float, epoch: int, learning_rate: float) -> None:
    if not math.isfinite(loss):
        raise RecipeError(
            f"Found a training loss that is not a finite number, in epoch {epoch + 1} at learning "
            f"rate {learning_rate:.2g}. Start a run with a smaller learning rate."
        )
