"""How a training reports its progress, and how it can be stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """The current activity of a run."""

    STARTING = "starting"
    OVERSAMPLING = "making new images"
    DECODING = "decoding photographs"
    FEATURES = "computing features"
    HEAD = "training the head"
    NETWORK = "training the network"
    MEASURING = "measuring"
    PREDICTING = "predicting the held-out images"
    FITTING = "fitting the out-of-distribution check"
    RELEASING = "exporting the model"
    CALIBRATING = "calibrating on validation"
    TESTING = "testing"
    HEATMAPS = "testing heatmaps"
    ROBUSTNESS = "testing robustness"

    @property
    def is_after_training(self) -> bool:
        """Whether the phase follows the last epoch."""
        return self in _AFTER_TRAINING


_AFTER_TRAINING = {
    *(Phase.PREDICTING, Phase.FITTING, Phase.RELEASING, Phase.CALIBRATING, Phase.TESTING),
    *(Phase.HEATMAPS, Phase.ROBUSTNESS),
}


class OnPhase(Protocol):
    """Receives the progress of a phase: finished items and all items; 0 of 0 where unknown."""

    def __call__(self, phase: Phase, done: int, total: int) -> None:
        """Handle the progress. It may raise `Stopped`."""


def ignore_phase(phase: Phase, done: int, total: int) -> None:
    """Ignore the progress."""


class Stopped(Exception):  # noqa: N818  # a granted request, not an error
    """Raised by an observer to stop a training, which passes it on to its caller.

    The state after the last finished epoch stays in the folder of the run.
    """


@dataclass(frozen=True)
class BatchState:
    """The progress of a training after a batch.

    Attributes:
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        epoch: Number of the current epoch, from 1, head epochs included.
        num_epochs: Total number of epochs (`Recipe.total_epochs`).
        batch: Number of finished batches of the epoch.
        num_batches: Batches per epoch.
        loss: Mean training loss of the epoch so far.
        images_per_second: Training throughput in this phase since the start or resume.
        remaining_seconds: Estimated time until the end of the training; NaN until the throughput
            of the last phase is known.
    """

    phase: Phase
    epoch: int
    num_epochs: int
    batch: int
    num_batches: int
    loss: float
    images_per_second: float
    remaining_seconds: float


@dataclass(frozen=True)
class EpochReport:
    """The metrics of the network after an epoch.

    Attributes:
        epoch: Number of the epoch, from 1, head epochs included.
        num_epochs: Total number of epochs (`Recipe.total_epochs`).
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        learning_rate: Learning rate of its last step.
        figures: By subset ("train": a fixed sample of it; "validation"; and "published" if it
            exists) and name (`epoch_metrics.measure_epoch`); NaN if undefined.
    """

    epoch: int
    num_epochs: int
    phase: Phase
    learning_rate: float
    figures: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Estimate:
    """The expected cost of a training, extrapolated from a few of its steps.

    Attributes:
        images_per_second: Throughput of the training steps of the whole network.
        seconds_per_head_epoch: Duration of a head epoch; NaN if there are none.
        seconds_per_epoch: Duration of an epoch of the whole network, with its evaluation.
        total_seconds: Duration of the whole run, with oversampling, decoding, feature extraction,
            calibration, test and export.
        memory_bytes: Peak resident memory of the worker process.
    """

    images_per_second: float
    seconds_per_head_epoch: float
    seconds_per_epoch: float
    total_seconds: float
    memory_bytes: int


class Observer(Protocol):
    """Receives the progress of a training. Each method may raise `Stopped`."""

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Handle the progress of a phase without epochs."""

    def on_batch(self, state: BatchState) -> None:
        """Handle a finished batch."""

    def on_epoch(self, report: EpochReport) -> None:
        """Handle a finished epoch, after its checkpoint is saved.

        When a training resumes, the epochs before are reported again, in order.
        """
