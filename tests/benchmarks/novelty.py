"""What it costs to know whether a photograph shows a lesion: one pass with and without it."""

from collections.abc import Iterable

import numpy as np
import onnx
import onnxruntime

from melanoma_core.models.card import ONNX_NAME, load_card
from melanoma_core.models.classifier import INPUT_NAME, NOVELTY_NAMES, OUTPUT_NAMES
from melanoma_core.models.registry import BUNDLED
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_ROUNDS = 60


def measure() -> Iterable[Row]:
    """One photograph through the bundled network on one thread, as a batch on all cores does."""
    what = "one pass with the check for novelty, one thread"
    network = onnx.load(BUNDLED / ONNX_NAME)
    if NOVELTY_NAMES[0] not in {output.name for output in network.graph.output}:
        yield what, "–", "the bundled network has no such check", "–", "–"
        return
    size = load_card(BUNDLED).image_size
    photograph = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    whole = _open(network)
    # What only a dropped output needs is dropped too when the network is opened.
    for output in [each for each in network.graph.output if each.name in NOVELTY_NAMES]:
        network.graph.output.remove(output)
    bare = _open(network)
    seconds = time_in_turn(
        {
            "with": lambda: whole.run((*OUTPUT_NAMES, NOVELTY_NAMES[0]), {INPUT_NAME: photograph}),
            "without": lambda: bare.run(OUTPUT_NAMES, {INPUT_NAME: photograph}),
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


def _open(network: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        network.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
