"""Heatmaps that need TensorFlow, without importing it: a process of its own makes them."""

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import ExplanationError
from melanoma_core.models.card import KERAS_NAME, load_card
from melanoma_core.models.methods import Method
from melanoma_core.settings import make_environment

IDLE_SECONDS = 300.0  # after which the process and its 600 MB go
_POLL_SECONDS = 0.1
_READY, _ANSWER = "ready", "answer"


class Stage(StrEnum):
    """What who asked waits for."""

    WAITING = "Waiting for a map that somebody else asked for"
    STARTING = "Starting TensorFlow, which takes some seconds the first time"
    WORKING = "Making the map"

    @property
    def share(self) -> float:
        """About how far the work has come when this begins, in [0, 1]."""
        return {Stage.WAITING: 0.1, Stage.STARTING: 0.3, Stage.WORKING: 0.7}[self]


Progress = Callable[[Stage], None]


@dataclass(frozen=True, eq=False)
class Request:
    """What the process is asked for.

    Attributes:
        folder: Of the model.
        sha256: Of its Keras form, as its card says: a model that changes in place is loaded anew.
        pixels: uint8 [N, size, size, 3], as the network sees them.
        class_indices: int64 [N], the class to explain in each.
        method: How.
        randomised: Whether to compare the maps with those of random weights, instead of returning
            them.
    """

    folder: Path
    sha256: str
    pixels: NDArray[np.uint8]
    class_indices: NDArray[np.int64]
    method: Method
    randomised: bool


class Explainer:
    """Asks the process; starts it when it is first needed. Threads may share one.

    Photographs pass through a pipe and are never written to a disk. Whoever asks waits for those
    who asked before. If what `progress` raises ends the waiting, the process ends too, and nothing
    works on for nobody.

    Args:
        idle_seconds: After which the process ends if nobody asks.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def explain(
        self,
        folder: Path,
        pixels: NDArray[np.uint8],
        class_indices: NDArray[np.int64],
        method: Method,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Make one map per photograph; see `gradients.GradientMaps.explain`.

        Args:
            folder: Of the model, with its Keras form.
            pixels: uint8 [N, size, size, 3].
            class_indices: int64 [N], the class to explain in each.
            method: How.
            progress: Called several times a second with what is waited for.

        Returns:
            float32 [N, h, w], at or above 0, not stretched.

        Raises:
            ExplanationError: There is no TensorFlow, or the process was killed.
            ModelError: The model has no card.
        """
        sha256 = load_card(folder).files.get(KERAS_NAME, "")
        request = Request(folder.absolute(), sha256, pixels, class_indices, method, False)
        maps: NDArray[np.float32] = self._ask(request, progress)
        return maps

    def compare_randomised(
        self,
        folder: Path,
        pixels: NDArray[np.uint8],
        class_indices: NDArray[np.int64],
        method: Method,
        progress: Progress | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """Compare maps with those of random weights; see `randomisation.compare_randomised`.

        Arguments and errors are those of `explain`.
        """
        sha256 = load_card(folder).files.get(KERAS_NAME, "")
        request = Request(folder.absolute(), sha256, pixels, class_indices, method, True)
        similarities: dict[str, NDArray[np.float64]] = self._ask(request, progress)
        return similarities

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask(self, request: Request, progress: Progress | None) -> Any:
        tell = progress or _say_nothing
        while not self._lock.acquire(timeout=_POLL_SECONDS):
            tell(Stage.WAITING)
        answered = False
        try:
            if self._process is None or not self._process.is_alive:
                self._process = _Process(self._idle_seconds)
            kind, content = self._process.ask(request, tell)
            answered = True
        finally:
            if not answered:
                self.close()
            self._lock.release()
        if kind != _ANSWER:
            raise ExplanationError(content)
        return content


def _say_nothing(stage: Stage) -> None:
    """Be told, where nobody else is."""


class _Process:
    """One process and what comes out of it."""

    def __init__(self, idle_seconds: float) -> None:
        # By its name: importing it would import what it imports.
        module = f"{__package__}.explainer_process"
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", module, str(idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=make_environment(),
        )
        self._messages: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()
        self._was_ready = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request, tell: Progress) -> tuple[str, Any]:
        assert self._process.stdin is not None
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise self._explain_end() from error
        tell(Stage.WORKING if self._was_ready else Stage.STARTING)
        while True:
            try:
                message = self._messages.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                tell(Stage.WORKING if self._was_ready else Stage.STARTING)
                continue
            if message is None:
                raise self._explain_end()
            if message[0] != _READY:
                return message
            self._was_ready = True

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
            f"The process that makes maps with TensorFlow ended (status {status}), which is "
            "usually for want of memory. Free some and choose the method again, or stay with "
            "Grad-CAM."
        )
