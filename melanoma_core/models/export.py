"""keras.Model -> model.onnx with three outputs, checked against the Keras one."""

from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.special import softmax

from melanoma_core.errors import ModelError
from melanoma_core.models.classifier import INPUT_NAME, OUTPUT_NAMES

# Float32 sums in another order: measured 6e-5 on MobileNetV2; a wrong export is off by far more.
TOLERANCE = 1e-3


def export_onnx(network: keras.Model, path: Path) -> None:
    """Write a network as ONNX: photographs in; probabilities, embeddings, activation maps out.

    The activation map of a class is the last activation weighted with the dense head's row of
    that class (Zhou et al. 2016, arXiv:1512.04150): the head's kernel once more, as a 1×1
    convolution. Its mean plus the head's bias is the logit.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C]; layers named "embedding"
            (global average pooling) and "logits" (dense).
        path: File to write.
    """
    head = network.get_layer("logits")
    pooling = network.get_layer("embedding")
    kernel = keras.ops.convert_to_numpy(head.kernel)
    maps_layer = keras.layers.Conv2D(kernel.shape[1], 1, use_bias=False, name="maps")
    maps = keras.layers.Permute((3, 1, 2))(maps_layer(pooling.input))
    maps_layer.set_weights([kernel[None, None]])
    served = keras.Model(network.input, [network.output, pooling.output, maps])
    served(np.zeros((1, *network.input_shape[1:]), dtype=np.uint8))  # keras exports a called model
    served.export(path, format="onnx", verbose=False)
    _rename(path)


def check_agreement(network: keras.Model, path: Path, pixels: NDArray[np.uint8]) -> float:
    """Compare both forms of a network on real photographs.

    The Keras form is compared with the probabilities that the ONNX form gives and with those
    that its activation maps amount to, so that what explains is checked with what answers.

    Args:
        network: The Keras form.
        path: The ONNX form.
        pixels: uint8 [N, size, size, 3].

    Returns:
        The largest difference between probabilities.

    Raises:
        ModelError: It is larger than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    probabilities, _, maps = session.run(OUTPUT_NAMES, {INPUT_NAME: pixels})
    bias = keras.ops.convert_to_numpy(network.get_layer("logits").bias)
    explained = softmax(maps.mean(axis=(2, 3)) + bias, axis=1)
    expected = network.predict(pixels, verbose=0)
    difference = float(np.abs(np.stack([probabilities, explained]) - expected).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The ONNX form of the network differs from the Keras one by {difference:.2g} in a "
            f"probability; at most {TOLERANCE:g} is allowed. Do not use it: report this as a bug."
        )
    return difference


def _rename(path: Path) -> None:
    """Give input and outputs the names that the classifier asks for."""
    model = onnx.load(path)
    names = dict(zip([i.name for i in model.graph.input], [INPUT_NAME], strict=True))
    names |= dict(zip([o.name for o in model.graph.output], OUTPUT_NAMES, strict=True))
    for value in (*model.graph.input, *model.graph.output):
        value.name = names[value.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.checker.check_model(model)
    onnx.save(model, path)
