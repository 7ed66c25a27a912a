"""Run a network on photographs, in batches."""

from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from melanoma_core.data.decoding import decode_table
from melanoma_core.networks.hardware import choose_jit
from melanoma_core.progress import Progress

BATCH_SIZE = 64


def predict(
    network: keras.Model,
    inputs: NDArray[Any],
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Return the first output of a network for N inputs; see `predict_outputs`.

    Args:
        network: A network.
        inputs: [N, …], N above 0.
        batch_size: Inputs per pass.
        progress: Progress callback, in inputs.

    Returns:
        float32 [N, …].
    """
    return predict_outputs(network, inputs, batch_size, progress)[0]


def predict_outputs(
    network: keras.Model,
    inputs: NDArray[Any],
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> list[NDArray[np.float32]]:
    """Return the outputs of a network for N inputs.

    All batches have the same shape, with the last one padded, because some backends compile for
    each shape. Unlike `keras.Model.predict`, this does not leak memory at each call.

    Args:
        network: A network.
        inputs: [N, …], N above 0.
        batch_size: Inputs per pass.
        progress: Progress callback, in inputs.

    Returns:
        One array per output, float32 [N, …].
    """
    if not network.compiled:
        network.compile(jit_compile=choose_jit())
    parts: list[list[NDArray[np.float32]]] = [[] for _ in network.outputs]
    for start in range(0, len(inputs), batch_size):
        rows = np.arange(start, start + batch_size).clip(max=len(inputs) - 1)
        outputs = network.predict_on_batch(inputs[rows])
        for part, output in zip(parts, outputs if len(parts) > 1 else [outputs], strict=True):
            part.append(output.astype(np.float32))
        if progress:
            progress(min(start + batch_size, len(inputs)), len(inputs))
    return [np.concatenate(part)[: len(inputs)] for part in parts]


def predict_table(
    network: keras.Model, table: pd.DataFrame, image_size: int, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return the predicted probabilities for the photographs of a table.

    Photographs are decoded in batches, because those of a whole table may not fit into memory.

    Args:
        network: uint8 [N, size, size, 3] -> logits [N, C] as its first output, as
            `trainer.train_network` returns it.
        table: With `path`.
        image_size: Side of the square input of the network, in pixels.
        progress: Progress callback. An exception that it raises stops the work.

    Returns:
        float32 [N, C], in the order of the table; rows sum to 1.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """
    parts = [np.empty((0, network.outputs[0].shape[-1]), dtype=np.float32)]
    for _, pixels in decode_table(table, image_size, batch_size=BATCH_SIZE, progress=progress):
        parts.append(softmax(predict(network, pixels), axis=1))
    return np.concatenate(parts)
