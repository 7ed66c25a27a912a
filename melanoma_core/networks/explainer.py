"""Heatmaps that need TensorFlow, computed in a separate process, without importing TensorFlow."""

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import ExplanationError
from melanoma_core.models.methods import HeatmapRequest
from melanoma_core.settings import PROJECT_ROOT

_IDLE_SECONDS = 300.0  # without a request, after which the process ends and frees its 600 MB
_POLL_SECONDS = 0.1
_READY, _ANSWER = "ready", "answer"


class ExplainerStage(StrEnum):
    """What an explanation waits for."""

    WAITING = "Waiting for another heatmap"
    STARTING = "Starting TensorFlow, which takes some seconds the first time"
    WORKING = "Computing the heatmap"

    @property
    def share(self) -> float:
        """Approximate share of the work that is done when this stage begins, in [0, 1]."""
        stages = ExplainerStage
        return {stages.WAITING: 0.1, stages.STARTING: 0.3, stages.WORKING: 0.7}[self]


_ExplainerProgress = Callable[[ExplainerStage], None]


class Explainer:
    """Computes heatmaps in a process that it starts when needed. Threads can share an instance.

    Requests are answered one after another. Photographs pass through a pipe and are never written
    to disk. If the progress callback raises an exception, the process is ended too, so that no
    abandoned work goes on.

    Args:
        idle_seconds: Time without a request after which the process ends.
    """

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def explain(
        self, request: HeatmapRequest, progress: _ExplainerProgress | None = None
    ) -> NDArray[np.float32]:
        """Compute one heatmap per photograph; see `gradients.GradientMaps.explain`.

        Args:
            request: The model, the photographs and the method.
            progress: Called several times per second with the current stage.

        Returns:
            float32 [N, h, w], at least 0, not normalised.

        Raises:
            ExplanationError: TensorFlow is not installed, the file of the model is missing or
                another one, or the process was killed.
        """
        maps: NDArray[np.float32] = self._send(request, False, progress)
        return maps

    def compare_randomised(
        self, request: HeatmapRequest, progress: _ExplainerProgress | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Compare heatmaps with those of random weights; see `randomisation.compare_randomised`.

        Args:
            request: The model, the photographs and the method.
            progress: Called several times per second with the current stage.

        Returns:
            By stage of randomisation, float64 [N].

        Raises:
            ExplanationError: See `explain`.
        """
        similarities: dict[str, NDArray[np.float64]] = self._send(request, True, progress)
        return similarities

    def close(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _send(
        self, request: HeatmapRequest, is_comparison: bool, progress: _ExplainerProgress | None
    ) -> Any:
        # The process has another working directory.
        request = replace(request, folder=request.folder.absolute())
        report = progress or _ignore_progress
        while not self._lock.acquire(timeout=_POLL_SECONDS):
            report(ExplainerStage.WAITING)
        answered = False
        try:
            if self._process is None or not self._process.is_alive:
                self._process = _Process(self._idle_seconds)
            kind, content = self._process.send((request, is_comparison), report)
            answered = True
        finally:
            if not answered:
                self.close()
            self._lock.release()
        if kind != _ANSWER:
            raise ExplanationError(content)
        return content


def _ignore_progress(stage: ExplainerStage) -> None:
    pass


class _Process:
    """The process, and a thread that reads its messages."""

    def __init__(self, idle_seconds: float) -> None:
        # Started by name, because importing the module would import TensorFlow.
        module = "melanoma_core.networks.explainer_process"
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", module, str(idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT_ROOT,
        )
        self._messages: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(
        self, message: tuple[HeatmapRequest, bool], report: _ExplainerProgress
    ) -> tuple[str, Any]:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise self._explain_end() from error
        while True:
            report(ExplainerStage.WORKING if self._is_ready else ExplainerStage.STARTING)
            try:
                answer = self._messages.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if answer is None:
                raise self._explain_end()
            if answer[0] != _READY:
                return answer
            self._is_ready = True

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _receive(self) -> None:
        assert self._process.stdout is not None
        while True:
            try:
                self._messages.put(pickle.load(self._process.stdout))
            except (EOFError, pickle.UnpicklingError, OSError):
                self._messages.put(None)
                return

    def _explain_end(self) -> ExplanationError:
        status = self._process.wait()
        return ExplanationError(
            f"The process that computes heatmaps with TensorFlow ended (status {status}), usually "
            "because memory ran out. Free some memory and choose the method again, or keep "
            "Grad-CAM."
        )
