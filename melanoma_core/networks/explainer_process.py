"""The process in which TensorFlow makes heatmaps, so that nobody else has to import it.

It is asked by `explainer.Explainer`, through its standard input and output: one pickled request,
one or more pickled messages. It ends when nobody has asked for a while, or when who started it has
ended.
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

    from melanoma_core.networks.explainer import Request

READY, ANSWER, REFUSAL = "ready", "answer", "refusal"
_MISSING = (
    "Found no TensorFlow that works here ({error}). Maps other than Grad-CAM are made with it. "
    "Install it with `make run`, or stay with Grad-CAM."
)


def serve(requests: BinaryIO, answers: BinaryIO, idle_seconds: float) -> None:
    """Answer one request after another, until there are no more or none came for a while."""
    waiting: queue.Queue[Request | None] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    kept: tuple[tuple[Path, str], keras.Model] | None = None
    while True:
        try:
            request = waiting.get(timeout=idle_seconds)
        except queue.Empty:
            return
        if request is None:
            return
        try:
            from melanoma_core.networks.gradients import load_network

            _send(answers, READY, None)
            if kept is None or kept[0] != (request.folder, request.sha256):
                kept = (request.folder, request.sha256), load_network(request.folder)
            _send(answers, ANSWER, _work(kept[1], request))
        except ImportError as error:
            _send(answers, REFUSAL, _MISSING.format(error=error))
        except MelanomaError as error:
            _send(answers, REFUSAL, str(error))


def _work(network: "keras.Model", request: "Request") -> Any:
    from melanoma_core.networks.gradients import GradientMaps
    from melanoma_core.networks.randomisation import compare_randomised

    arguments = request.pixels, request.class_indices, request.method
    if request.randomised:
        return compare_randomised(network, *arguments)
    return GradientMaps(network).explain(*arguments)


def _receive(requests: BinaryIO, waiting: "queue.Queue[Request | None]") -> None:
    """Read ahead, so that the end of who asks is seen while nothing is asked."""
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
    """Serve on standard input and output; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    set_environment_defaults({"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"})
    # It shares the machine with readings, which must not wait for it.
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        serve(sys.stdin.buffer, answers, float(sys.argv[1]))
    except BrokenPipeError:  # nobody waits for the answer any more
        return


if __name__ == "__main__":
    main()
