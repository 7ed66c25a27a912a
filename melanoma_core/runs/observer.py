"""Observe a training: record its progress, and stop it on request."""

import logging
import math
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from melanoma_core.jsonable import dump_json
from melanoma_core.runs.folder import RunFolder
from melanoma_core.runs.history import STEPS_PER_EPOCH
from melanoma_core.runs.record import BATCH_LOSS, LEARNING_RATE, Measurement, name_metric
from melanoma_core.runs.recorder import Recorder
from melanoma_core.runs.run import Progress
from melanoma_core.training.observer import BatchState, EpochReport, Phase, Stopped

if TYPE_CHECKING:
    from melanoma_core.networks.remaining import RemainingTime

_PROGRESS_SECONDS = 0.5
_CURVE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class StopRequest:
    """A request to stop a run: a file in its folder, or the signal SIGTERM.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._is_signalled = False
        signal.signal(signal.SIGTERM, self._on_signal)

    @property
    def is_made(self) -> bool:
        """Whether the run has been asked to stop."""
        return self._is_signalled or self._folder.stop.exists()

    def _on_signal(self, *_: object) -> None:
        self._is_signalled = True


class RunObserver:
    """The training observer (`training.observer.Observer`) of a run.

    Args:
        recorder: Receives the measurements.
        stop_request: Ends the training when it is made.
        num_finished: Epochs finished before this process, if the run is resumed.
        num_epochs: Number of all epochs.

    Attributes:
        num_finished: Number of finished epochs.
    """

    def __init__(
        self, recorder: Recorder, stop_request: StopRequest, num_finished: int, num_epochs: int
    ) -> None:
        self.num_finished = num_finished
        self._recorder = recorder
        self._stop_request = stop_request
        self._process = psutil.Process()
        self._logged_phases: set[Phase] = set()
        self._reported_at = self._drawn_at = -math.inf
        self._remaining: RemainingTime | None = None
        self._progress = Progress(
            phase=Phase.STARTING,
            done=0,
            total=0,
            epoch=num_finished,
            num_epochs=num_epochs,
            loss=math.nan,
            images_per_second=math.nan,
            remaining_seconds=math.nan,
            memory_bytes=0,
        )

    def flush(self) -> None:
        """Write everything observed so far to the tracking store.

        Raises:
            RunError: The store cannot be reached.
        """
        self._recorder.flush()

    def expect(self, remaining: "RemainingTime") -> None:
        """Include the time after the last epoch in the time left."""
        self._remaining = remaining

    def describe_next(self) -> str:
        """Return where a resumed run continues, such as "from epoch 3"."""
        if self.num_finished >= self._progress.num_epochs or self._progress.phase.is_after_training:
            return "after the last epoch"
        return f"from epoch {self.num_finished + 1}"

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Record the progress of a phase without epochs."""
        self._stop_if_requested()
        remaining_seconds = math.nan
        if self._remaining is not None:
            self._remaining.observe(phase, done, total)
            if phase.is_after_training:
                remaining_seconds = self._remaining.estimate()
            elif phase is Phase.MEASURING:  # after an epoch
                remaining_seconds = self._progress.remaining_seconds
        self._report(
            replace(
                self._progress,
                phase=phase,
                done=done,
                total=total,
                images_per_second=math.nan,
                remaining_seconds=remaining_seconds,
            )
        )

    def on_batch(self, state: BatchState) -> None:
        """Record the progress of an epoch."""
        self._stop_if_requested()
        now = time.monotonic()
        if now - self._drawn_at > _CURVE_SECONDS:
            self._drawn_at = now
            done = state.epoch - 1 + state.batch / state.num_batches
            self._recorder.add(
                [_make_measurement(BATCH_LOSS, round(done * STEPS_PER_EPOCH), state.loss)], {}
            )
        after = self._remaining.estimate() if self._remaining else 0.0
        self._report(
            replace(
                self._progress,
                phase=state.phase,
                done=state.batch,
                total=state.num_batches,
                epoch=state.epoch,
                num_epochs=state.num_epochs,
                loss=state.loss,
                images_per_second=state.images_per_second,
                remaining_seconds=state.remaining_seconds + after,
            )
        )

    def on_epoch(self, report: EpochReport) -> None:
        """Record the metrics of a finished epoch."""
        self.num_finished = report.epoch
        figures = {
            name_metric(subset, *name.split("/", 1)): value
            for subset, metrics in report.figures.items()
            for name, value in metrics.items()
        }
        figures[LEARNING_RATE] = report.learning_rate
        self._recorder.add(
            [_make_measurement(name, report.epoch, value) for name, value in figures.items()], {}
        )
        losses = ", ".join(
            f"{subset} loss {metrics['loss']:.4f}" for subset, metrics in report.figures.items()
        )
        _log.info("Epoch %d of %d: %s", report.epoch, report.num_epochs, losses)
        self._stop_if_requested()

    def _stop_if_requested(self) -> None:
        if self._stop_request.is_made:
            raise Stopped

    def _report(self, progress: Progress) -> None:
        is_new = progress.phase is not self._progress.phase
        if progress.phase not in self._logged_phases:  # each once: every epoch is evaluated
            self._logged_phases.add(progress.phase)
            _log.info("%s", progress.phase.capitalize())
        self._progress = progress
        now = time.monotonic()
        if is_new or now - self._reported_at > _PROGRESS_SECONDS:
            self._reported_at = now
            memory_bytes = self._process.memory_info().rss
            text = dump_json(replace(progress, memory_bytes=memory_bytes))
            self._recorder.add([], {"progress": text})


def _make_measurement(name: str, step: int, value: float) -> Measurement:
    return Measurement(name, step, float(value), round(time.time() * 1000))
