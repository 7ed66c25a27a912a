"""What a network says of photographs, batch by batch."""

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
    """Return what a network says of N inputs, float32 [N, …].

    Every batch has the same shape, the last one filled up, since some backends compile for each.
    `keras.Model.predict` would keep some memory at each call.

    Args:
        network: Of one output.
        inputs: [N, …], N above 0.
        batch_size: Inputs per pass.
        progress: Called with the number of inputs done and their number in all.
    """
    if not network.compiled:
        network.compile(jit_compile=choose_jit())
    parts = []
    for start in range(0, len(inputs), batch_size):
        rows = np.arange(start, start + batch_size).clip(max=len(inputs) - 1)
        parts.append(network.predict_on_batch(inputs[rows]).astype(np.float32))
        if progress:
            progress(min(start + batch_size, len(inputs)), len(inputs))
    return np.concatenate(parts)[: len(inputs)]


def predict_table(
    network: keras.Model, table: pd.DataFrame, image_size: int, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return the probabilities that a network gives the photographs of a table.

    Args:
        network: uint8 photographs -> logits, as `trainer.train_network` returns it.
        table: With `path`.
        image_size: Side of the network's square input, in pixels.
        progress: Called with the number of photographs done and their number in all; what it
            raises ends the work.

    Returns:
        float32 [N, C], in the order of the table; rows sum to 1.

    Raises:
        ImageError: A file has gone or changed since the table was made.
    """
    probabilities = np.empty((len(table), network.output_shape[-1]), dtype=np.float32)
    # A few at a time, since the photographs of a whole table may not fit into memory.
    done = 0
    for rows, pixels in decode_table(table, image_size, batch_size=BATCH_SIZE, progress=progress):
        logits = predict(network, pixels)
        probabilities[done : done + len(rows)] = softmax(logits, axis=1)
        done += len(rows)
    return probabilities
