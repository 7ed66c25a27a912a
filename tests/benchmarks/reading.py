"""One reading against the usual way, and against the bare decode and forward pass."""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context

import numpy as np
import onnxruntime
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.models.card import KERAS_NAME, ONNX_NAME
from melanoma_core.models.classifier import INPUT_NAME, OUTPUT_NAMES, load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.reading import read_photograph
from tests.benchmarks.timing import Row, milliseconds

_NUM_WARMUPS, _NUM_ROUNDS = 3, 40
_way: list[Callable[[], object]] = []  # of this process


def measure() -> Iterable[Row]:
    """Bytes of a 600×450 JPEG in; probabilities and heatmaps at the photograph's size out."""
    ways = {"here": _make_our_way, "usual": _make_usual_way, "bare": _make_bare_way}
    # Each in a process of its own, as it is used: the idle threads of one would hinder another.
    pools = {
        name: ProcessPoolExecutor(1, get_context("spawn"), _prepare, (make_way,))
        for name, make_way in ways.items()
    }
    rounds = [
        {name: pool.submit(_time_once).result() for name, pool in pools.items()}
        for _ in range(_NUM_WARMUPS + _NUM_ROUNDS)
    ][_NUM_WARMUPS:]
    for pool in pools.values():
        pool.shutdown()
    here, usual, bare = (
        statistics.median(times[name] for times in rounds) for name in ("here", "usual", "bare")
    )
    what = "one reading: probabilities and all 8 heatmaps of a 600×450 JPEG"
    yield (
        what,
        milliseconds(here),
        "`model.predict`, then a new tf-keras-vis `Gradcam` for the winning class",
        milliseconds(usual),
        f"{usual / here:.0f} times faster",
    )
    yield (
        what,
        milliseconds(here),
        "bare decode and bare forward pass, no heatmap",
        milliseconds(bare),
        f"{here / bare:.2f} times as long",
    )


def _prepare(make_way: Callable[[bytes], Callable[[], object]]) -> None:
    """Load what a way needs, once in its process."""
    _way.append(make_way(DEMONSTRATION_LESIONS[0].path.read_bytes()))


def _time_once() -> float:
    started = time.perf_counter()
    _way[0]()
    return time.perf_counter() - started


def _make_our_way(data: bytes):
    classifier = load_classifier(BUNDLED)
    return lambda: read_photograph(classifier, decode_image(data)).heatmaps()


def _open(data: bytes, size: int) -> tuple[np.ndarray, np.ndarray]:
    photograph = Image.open(BytesIO(data)).convert("RGB")
    small = photograph.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(photograph), np.asarray(small)[None]


def _make_bare_way(data: bytes):
    session = onnxruntime.InferenceSession(BUNDLED / ONNX_NAME, providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[1]
    return lambda: session.run([OUTPUT_NAMES[0]], {INPUT_NAME: _open(data, size)[1]})


def _make_usual_way(data: bytes):
    """What the tutorials of tf-keras-vis and the dashboards that follow them do."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    model = keras.models.load_model(BUNDLED / KERAS_NAME)
    # Gradients end at whole numbers, so tf-keras-vis is given the network with a float input.
    floats = keras.models.clone_model(model, input_tensors=keras.Input(model.input_shape[1:]))
    floats.set_weights(model.get_weights())
    to_logits = keras.Model(floats.input, floats.get_layer("logits").output)
    last_activation = model.get_layer("embedding").input._keras_history.operation.name
    size = model.input_shape[1]

    def read() -> np.ndarray:
        photograph, small = _open(data, size)
        winner = int(model.predict(small, verbose=0)[0].argmax())
        cam = Gradcam(to_logits)(
            CategoricalScore([winner]),
            small.astype(np.float32),
            penultimate_layer=last_activation,
        )
        shape = (photograph.shape[1], photograph.shape[0])
        return np.asarray(Image.fromarray(cam[0]).resize(shape, Image.Resampling.BILINEAR))

    return read
