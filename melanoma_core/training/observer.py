"""What a training tells while it runs, and how it is asked to stop."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """What a running run does."""

    STARTING = "starting"
    OVERSAMPLING = "making new images"
    DECODING = "decoding photographs"
    FEATURES = "computing features"
    HEAD = "training the head"
    NETWORK = "training the network"
    MEASURING = "measuring"
    RELEASING = "writing the model"


class Stopped(Exception):  # noqa: N818  # it is a wish that was granted, no error
    """Raised by an observer to stop a training, and passed on by it.

    What was trained up to the last finished epoch lies in the run's folder.
    """


@dataclass(frozen=True)
class BatchState:
    """Where a training stands after a batch.

    Attributes:
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        epoch: Number of the epoch that runs, from 1, the head's included.
        num_epochs: Epochs in all (`Recipe.total_epochs`).
        batch: Batches of the epoch that are done.
        num_batches: Batches of the epoch.
        loss: Mean training loss of the epoch so far.
        images_per_second: Pace of the training steps of this phase, since the start or resume.
        remaining_seconds: Estimate of what is left of the training; NaN while the pace of the
            phase that is left is not known.
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
    """What was measured after an epoch.

    Attributes:
        epoch: Its number, from 1, the head's included.
        num_epochs: Epochs in all (`Recipe.total_epochs`).
        phase: `Phase.HEAD` or `Phase.NETWORK`.
        learning_rate: Of its last step.
        figures: By subset ("train": a fixed sample of it, "validation", and "published" where
            there is one) and name (`curves.measure_epoch`); NaN where undefined.
    """

    epoch: int
    num_epochs: int
    phase: Phase
    learning_rate: float
    figures: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Estimate:
    """What a training will take, from a few of its steps.

    Attributes:
        images_per_second: Of the whole network's training steps.
        seconds_per_head_epoch: NaN without such epochs.
        seconds_per_epoch: Of the whole network, with what is measured after it.
        total_seconds: Of all epochs, and before them of new images, decoding and features.
        memory_bytes: Resident memory of the worker at its highest.
    """

    images_per_second: float
    seconds_per_head_epoch: float
    seconds_per_epoch: float
    total_seconds: float
    memory_bytes: int


class Observer(Protocol):
    """Whoever follows a training. Each method may raise `Stopped`."""

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Hear that steps of a phase that prepares the training are done."""

    def on_batch(self, state: BatchState) -> None:
        """Hear that a batch is done."""

    def on_epoch(self, report: EpochReport) -> None:
        """Hear that an epoch is measured and kept.

        After a resume the epochs that were kept are told again, in order.
        """
