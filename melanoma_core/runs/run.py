"""What a run is, to all who start, do, show or compare one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from melanoma_core.training.observer import Phase
from melanoma_core.training.recipe import Recipe


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether no process works on the run or waits to."""
        return self not in {RunState.QUEUED, RunState.RUNNING}

    @property
    def can_resume(self) -> bool:
        """Whether it can go on from its last finished epoch."""
        return self in {RunState.FAILED, RunState.STOPPED, RunState.INTERRUPTED}


@dataclass(frozen=True)
class RunSpec:
    """What a run is asked to do; its subsets lie beside it.

    Attributes:
        recipe: How to train.
        class_names: Outputs of the network, in order.
        data_name: What the data is called, for people.
        data: What the model card tells of the data (`description.describe_data`), as JSON.
        study: Id that the runs of one study share, or None.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    data_name: str
    data: dict[str, Any]
    study: str | None = None


@dataclass(frozen=True)
class Progress:
    """Where a running run stands, as its worker last said.

    Attributes:
        phase: What it does.
        done: Steps of the phase that are done: batches of the epoch in the phases that train,
            files or images in the others.
        total: Their number in all; 0 where it is not known.
        epoch: Number of the epoch that runs, from 1, the head's included; 0 before the first.
        num_epochs: Epochs in all.
        loss: Mean training loss of the epoch so far; NaN before the first batch.
        images_per_second: In the phases that train; NaN elsewhere.
        remaining_seconds: Estimate of what is left of the training; NaN before there is one.
        memory_bytes: Resident memory of the worker.
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
    """A run as it was when it was looked at.

    Attributes:
        run_id: MLflow's.
        name: For people: the preset and a number, unless they gave another.
        state: Where it stands.
        message: Where it is over before it finished: what happened and what to do. Empty else.
        spec: What it was asked to do.
        split_sha256: Hash of its subsets.
        test_sha256: Hash of its test images: figures of runs with the same can be compared.
        created_at, started_at, ended_at: UTC, ISO 8601; None before.
        progress: Where it stands while it runs; None else.
        queue_position: 1 for the next to start; None unless queued.
        model_id: The model that it was kept as, or None.
        not_kept: Why a finished run was not kept as a model; empty else.
        is_own: Whether its files are on this machine, so that it can be stopped and resumed here.
        is_stopping: Whether it was asked to stop and has not yet.
        is_bug: Whether it failed by a fault of the program, which its log tells in full.
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
