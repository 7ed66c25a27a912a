"""The data classes that describe a training run."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from melanoma_core.training.observer import Phase
from melanoma_core.training.recipe import Recipe


class RunState(StrEnum):
    """State of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether no process works on the run or waits for its turn."""
        return self not in {RunState.QUEUED, RunState.RUNNING}

    @property
    def can_resume(self) -> bool:
        """Whether the run can continue after its last finished epoch, by its state alone."""
        return self in {RunState.FAILED, RunState.STOPPED, RunState.INTERRUPTED}


@dataclass(frozen=True)
class RunSpec:
    """The task of a run. Its split is stored separately.

    Attributes:
        recipe: How to train.
        class_names: Outputs of the network, in order.
        data_name: Name of the dataset, for display.
        data: Description of the data for the model card (`description.describe_data`), as JSON.
        study: Id of the study that the run belongs to, or None.
        series: Id of the series that leaves out each collection in turn, or None.
        skips_tests: Whether the release leaves out the tests of heatmaps and robustness.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    data_name: str
    data: dict[str, Any]
    study: str | None = None
    series: str | None = None
    skips_tests: bool = False


@dataclass(frozen=True)
class Progress:
    """Progress of a run, as its worker process last reported it.

    Attributes:
        phase: The current phase.
        done: Finished steps of the phase: batches of the epoch while training, files or images
            otherwise.
        total: All steps of the phase; 0 if unknown.
        epoch: The current epoch, counted from 1 with those of the head; 0 before the first.
        num_epochs: Number of all epochs.
        loss: Mean training loss of the epoch so far; NaN before the first batch.
        images_per_second: Speed while training; NaN otherwise.
        remaining_seconds: Estimated time until the end of the run, with calibration, test and
            export; NaN before there is an estimate.
        memory_bytes: Resident memory of the worker process.
    """

    phase: Phase
    done: int
    total: int
    epoch: int
    num_epochs: int
    loss: float
    images_per_second: float
    remaining_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Run:
    """A run at one moment.

    Attributes:
        run_id: MLflow's run id.
        name: Display name: the preset and a number, or the name that was given.
        state: Its state.
        message: Why it ended without finishing and what to do; empty otherwise.
        spec: Its task.
        split_sha256: Hash of its split.
        test_sha256: Hash of its test images. Metrics of runs with equal hashes are comparable.
        created_at, started_at, ended_at: Times in UTC, ISO 8601; None if not reached yet.
        progress: Its progress while it is running; None otherwise.
        queue_position: 1 for the next run to start; None unless queued.
        model_id: Id of the model that it produced, or None.
        not_kept: Why a finished run produced no model; empty otherwise.
        is_own: Whether its files are on this machine, where it can be stopped and resumed.
        is_stopping: Whether it has been asked to stop and is still running.
        is_bug: Whether it failed by a bug, whose traceback is in its log.
        is_final: Whether it failed for a reason that a resumed run would repeat.
    """

    run_id: str
    name: str
    state: RunState
    message: str
    spec: RunSpec
    split_sha256: str
    test_sha256: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    progress: Progress | None
    queue_position: int | None
    model_id: str | None
    not_kept: str
    is_own: bool
    is_stopping: bool
    is_bug: bool
    is_final: bool = False

    @property
    def duration_seconds(self) -> float:
        """Seconds from its last start to its end; NaN unless it is over and had started."""
        if not (self.state.is_over and self.started_at and self.ended_at):
            return math.nan
        began, ended = map(datetime.fromisoformat, (self.started_at, self.ended_at))
        return (ended - began).total_seconds()

    @property
    def can_resume(self) -> bool:
        """Whether the run can continue after its last finished epoch, on this machine."""
        return self.state.can_resume and self.is_own and not self.is_final
