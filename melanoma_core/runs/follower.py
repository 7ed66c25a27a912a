"""Follows a training for the record and the log, and stops it when that is asked for."""

import logging
import math
import signal
import time
from dataclasses import replace

import psutil

from melanoma_core.jsonable import dump_json
from melanoma_core.runs.folder import RunFolder
from melanoma_core.runs.history import STEPS_PER_EPOCH
from melanoma_core.runs.record import BATCH_LOSS, LEARNING_RATE, Measurement, name_metric
from melanoma_core.runs.recorder import Recorder
from melanoma_core.runs.run import Progress
from melanoma_core.training.observer import BatchState, EpochReport, Phase, Stopped

_PROGRESS_SECONDS = 0.5
_CURVE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class StopWish:
    """Whether a run shall stop: a file in its folder says so, or the signal to terminate did.

    Attributes:
        is_signalled: Whether it was the signal.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.is_signalled = False
        signal.signal(signal.SIGTERM, self._hear)

    @property
    def is_there(self) -> bool:
        """Whether the run shall stop."""
        return self.is_signalled or self._folder.stop.exists()

    def _hear(self, *_: object) -> None:
        self.is_signalled = True


class Follower:
    """The observer (`observer.Observer`) of a run.

    Args:
        recorder: Takes what is measured.
        wish: Whether to stop.
        num_finished: Epochs that finished before, if it is resumed.
        num_epochs: Epochs in all.

    Attributes:
        num_finished: Epochs that have finished.
    """

    def __init__(
        self, recorder: Recorder, wish: StopWish, num_finished: int, num_epochs: int
    ) -> None:
        self.num_finished = num_finished
        self._recorder = recorder
        self._wish = wish
        self._process = psutil.Process()
        self._phases: set[Phase] = set()
        self._told_at = self._drawn_at = -math.inf
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
        """Have all that was heard written to the record.

        Raises:
            RunError: It cannot be reached.
        """
        self._recorder.flush()

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """Hear that steps of a phase without epochs are done."""
        self._stop_if_asked()
        nan = math.nan
        self._tell(
            replace(
                self._progress,
                phase=phase,
                done=done,
                total=total,
                images_per_second=nan,
                remaining_seconds=nan,
            )
        )

    def on_batch(self, state: BatchState) -> None:
        """Hear that a batch is done."""
        self._stop_if_asked()
        now = time.monotonic()
        if now - self._drawn_at > _CURVE_SECONDS:
            self._drawn_at = now
            done = state.epoch - 1 + state.batch / state.num_batches
            self._recorder.add(
                [_measure(BATCH_LOSS, round(done * STEPS_PER_EPOCH), state.loss)], {}
            )
        self._tell(
            replace(
                self._progress,
                phase=state.phase,
                done=state.batch,
                total=state.num_batches,
                epoch=state.epoch,
                num_epochs=state.num_epochs,
                loss=state.loss,
                images_per_second=state.images_per_second,
                remaining_seconds=state.remaining_seconds,
            )
        )

    def on_epoch(self, report: EpochReport) -> None:
        """Hear that an epoch is measured and kept."""
        self.num_finished = report.epoch
        figures = {
            name_metric(subset, *name.split("/", 1)): value
            for subset, measured in report.figures.items()
            for name, value in measured.items()
        }
        figures[LEARNING_RATE] = report.learning_rate
        self._recorder.add([_measure(name, report.epoch, v) for name, v in figures.items()], {})
        told = ", ".join(
            f"{subset} loss {measured['loss']:.4f}" for subset, measured in report.figures.items()
        )
        _log.info("Epoch %d of %d: %s", report.epoch, report.num_epochs, told)
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._wish.is_there:
            raise Stopped

    def _tell(self, progress: Progress) -> None:
        is_new = progress.phase is not self._progress.phase
        if progress.phase not in self._phases:  # each once: every epoch is measured
            self._phases.add(progress.phase)
            _log.info("%s", progress.phase.capitalize())
        self._progress = progress
        now = time.monotonic()
        if is_new or now - self._told_at > _PROGRESS_SECONDS:
            self._told_at = now
            memory_bytes = self._process.memory_info().rss
            known = replace(progress, memory_bytes=memory_bytes)
            self._recorder.add([], {"progress": dump_json(known)})


def _measure(name: str, step: int, value: float) -> Measurement:
    return Measurement(name, step, float(value), round(time.time() * 1000))
