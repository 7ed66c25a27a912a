"""One phase of a training: the head alone or the whole network, epoch by epoch."""

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
from melanoma_core.training.batches import TrainingBatches, read_ahead
from melanoma_core.training.observer import BatchState, Observer, Phase
from melanoma_core.training.recipe import Recipe


class Labelled(NamedTuple):
    """Inputs of a network [N, …], and the positions of their labels, int [N]."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]

    def head(self, count: int) -> "Labelled":
        """Return the first ones."""
        return Labelled(self.inputs[:count], self.labels[:count])


class Pace:
    """How long steps take, and what follows them at the end of an epoch.

    Attributes:
        rest_seconds: What followed the steps of the last epoch; 0 before.
    """

    def __init__(self) -> None:
        self.rest_seconds = 0.0
        self._step_seconds = 0.0
        self._num_steps = self._num_images = 0
        self._last: float | None = None

    def begin_epoch(self) -> None:
        """Start the clock; not before the first step of all, which takes the compiling."""
        if self._last is not None:
            self._last = time.perf_counter()

    def count_step(self, num_images: int) -> None:
        """Take the time of a step."""
        now = time.perf_counter()
        if self._last is not None:
            self._step_seconds += now - self._last
            self._num_steps += 1
            self._num_images += num_images
        self._last = now

    @property
    def images_per_second(self) -> float:
        """Pace of the steps; NaN after the first."""
        return self._num_images / self._step_seconds if self._num_steps else math.nan

    def estimate_seconds(self, num_steps: int, num_epochs: int) -> float:
        """Return what so many steps and ends of epochs will take; NaN after the first step."""
        if not self._num_steps:
            return math.nan
        return num_steps * self._step_seconds / self._num_steps + num_epochs * self.rest_seconds


@dataclass(frozen=True, eq=False)
class Stage:
    """One phase of a training.

    Attributes:
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        model: What is trained, compiled; its output are logits.
        batches: What it is trained on.
        measured: What it is measured on after each epoch, by subset.
        first_epoch: Position of its first epoch among all of the training.
        num_epochs: Its own epochs.
        learning_rate: Of a step, counted from 0 in this phase.
        is_last: Whether nothing follows it.
    """

    phase: Phase
    model: keras.Model
    batches: TrainingBatches
    measured: Mapping[str, Labelled]
    first_epoch: int
    num_epochs: int
    learning_rate: Callable[[int], float]
    is_last: bool

    @property
    def end(self) -> int:
        """Position after its last epoch."""
        return self.first_epoch + self.num_epochs

    def train_epoch(self, epoch: int, recipe: Recipe, pace: Pace, observer: Observer) -> float:
        """Train on every batch of an epoch, and return the learning rate of its last step.

        Args:
            epoch: Its position among all of the training.
            recipe: The recipe.
            pace: Takes the time.
            observer: Hears of every batch.

        Raises:
            RecipeError: The loss is no longer a number.
        """
        self.batches.start_epoch(epoch)
        seed_dropout(self.model, recipe.seed, epoch)
        num_batches = len(self.batches)
        step = (epoch - self.first_epoch) * num_batches
        loss_sum, num_images, learning_rate = 0.0, 0, math.nan
        pace.begin_epoch()
        with closing(read_ahead(self.batches)) as stream:
            for number, batch in enumerate(stream, start=1):
                learning_rate = self.learning_rate(step)
                self.model.optimizer.learning_rate = learning_rate
                loss = float(self.model.train_on_batch(*batch))
                _check_loss(loss, epoch, learning_rate)
                loss_sum += loss * len(batch.inputs)
                num_images += len(batch.inputs)
                pace.count_step(len(batch.inputs))
                step += 1
                remaining = pace.estimate_seconds(
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
                        images_per_second=pace.images_per_second,
                        remaining_seconds=remaining if self.is_last else math.nan,
                    )
                )
        return learning_rate


def _check_loss(loss: float, epoch: int, learning_rate: float) -> None:
    if not math.isfinite(loss):
        raise RecipeError(
            f"Found that the training loss is no longer a number, in epoch {epoch + 1} at learning "
            f"rate {learning_rate:.2g}. Launch a run with a smaller learning rate."
        )
