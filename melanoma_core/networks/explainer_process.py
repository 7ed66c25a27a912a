"""The process that computes heatmaps with TensorFlow for `explainer.Explainer`.

It reads pickled requests from standard input and writes pickled messages to standard output. It
ends after some time without a request, or when the process that started it has ended.
"""

import os
import pickle
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from melanoma_core.errors import MelanomaError
from melanoma_core.settings import set_environment_defaults

if TYPE_CHECKING:
    import keras

    from melanoma_core.models.methods import HeatmapRequest

    Message = tuple[HeatmapRequest, bool]

_READY, _ANSWER, _REFUSAL = "ready", "answer", "refusal"
_MISSING = (
    "Found no TensorFlow that works here ({error}). Heatmaps other than Grad-CAM need it. Install "
    "it with `make run`, or keep Grad-CAM."
)


def _serve(requests: BinaryIO, answers: BinaryIO, idle_seconds: float) -> None:
    """Answer one request after another, until the input ends or no request arrives for a while."""
    waiting: queue.Queue[Message | None] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    loaded: tuple[tuple[Path, str], keras.Model] | None = None
    while True:
        try:
            message = waiting.get(timeout=idle_seconds)
        except queue.Empty:
            return
        if message is None:
            return
        request, is_comparison = message
        try:
            from melanoma_core.networks.gradients import load_network

            _send(answers, _READY, None)
            if loaded is None or loaded[0] != (request.folder, request.sha256):
                network = load_network(request.folder, request.sha256)
                loaded = (request.folder, request.sha256), network
            _send(answers, _ANSWER, _compute(loaded[1], request, is_comparison))
        except ImportError as error:
            _send(answers, _REFUSAL, _MISSING.format(error=error))
        except MelanomaError as error:
            _send(answers, _REFUSAL, str(error))


def _compute(network: "keras.Model", request: "HeatmapRequest", is_comparison: bool) -> Any:
    from melanoma_core.networks.gradients import GradientMaps
    from melanoma_core.networks.randomisation import compare_randomised

    arguments = request.pixels, request.class_indices, request.method
    if is_comparison:
        return compare_randomised(network, *arguments)
    return GradientMaps(network).explain(*arguments)


def _receive(requests: BinaryIO, waiting: "queue.Queue[Message | None]") -> None:
    """Read requests as they arrive, so that the end of the input is noticed at any time."""
    while True:
        try:
            waiting.put(pickle.load(requests))
        except EOFError:
            waiting.put(None)
            return


def _send(answers: BinaryIO, kind: str, content: object) -> None:
    pickle.dump((kind, content), answers)
    answers.flush()


def main() -> None:
    """Serve on standard input and output. The output of libraries is discarded."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    set_environment_defaults({"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"})
    # Lower its priority, so that readings on the same machine do not slow down.
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        _serve(sys.stdin.buffer, answers, float(sys.argv[1]))
    except BrokenPipeError:  # the process that asked has ended
        return


if __name__ == "__main__":
    main()
