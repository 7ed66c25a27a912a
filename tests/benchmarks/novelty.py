"""What it costs to know whether a photograph shows a lesion: one pass with and without it."""

from collections.abc import Iterable

import numpy as np
import onnxruntime

from melanoma_core.models.card import ONNX_NAME, load_card
from melanoma_core.models.classifier import INPUT_NAME, NOVELTY_NAMES, OUTPUT_NAMES
from melanoma_core.models.registry import BUNDLED
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_ROUNDS = 60


def measure() -> Iterable[Row]:
    """One photograph through the bundled network on one thread, as a batch on all cores does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        BUNDLED / ONNX_NAME, sess_options=options, providers=["CPUExecutionProvider"]
    )
    what = "one pass with the check for novelty, one thread"
    if NOVELTY_NAMES[0] not in {node.name for node in session.get_outputs()}:
        yield what, "–", "the bundled network has no such check", "–", "–"
        return
    size = load_card(BUNDLED).image_size
    photograph = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    only_asked = onnxruntime.RunOptions()
    only_asked.only_execute_path_to_fetches = True

    def run(*names: str) -> None:
        session.run(names, {INPUT_NAME: photograph}, only_asked)

    seconds = time_in_turn(
        {
            "with": lambda: run(*OUTPUT_NAMES, NOVELTY_NAMES[0]),
            "without": lambda: run(*OUTPUT_NAMES),
        },
        _NUM_ROUNDS,
    )
    yield (
        what,
        milliseconds(seconds["with"]),
        "the same pass without it",
        milliseconds(seconds["without"]),
        f"{seconds['with'] / seconds['without']:.2f} times as long",
    )
