"""Replace layers that ONNX has no operator for by equal ones, in a copy of a network for export.

Training keeps the layers of Keras, so its weights load, and a network that was saved before exports
too. `export.check_agreement` compares the copy with the original.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

Weights = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Replacement:
    """How one kind of layer is replaced.

    Attributes:
        needs: Whether a layer is of this kind.
        make: Makes the equal layer.
        convert: Converts the weights of the layer to those of the equal one.
    """

    needs: Callable[[keras.layers.Layer], bool]
    make: Callable[[keras.layers.Layer], keras.layers.Layer]
    convert: Callable[[Weights], Weights] = list


class ErrorGelu(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415) by the error function.

    TensorFlow computes it by the complementary error function, which ONNX lacks.
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return x · (1 + erf(x / √2)) / 2."""
        return 0.5 * inputs * (1.0 + keras.ops.erf(inputs / float(np.sqrt(2.0))))


def _rescale(layer: keras.layers.Normalization) -> keras.layers.Layer:
    deviation = np.sqrt(np.asarray(keras.ops.convert_to_numpy(layer.variance), np.float64))
    mean = np.asarray(keras.ops.convert_to_numpy(layer.mean), np.float64)
    scale = 1.0 / np.maximum(deviation, keras.config.epsilon()).ravel()
    return keras.layers.Rescaling(
        scale.tolist(), (-mean.ravel() * scale).tolist(), name=layer.name, dtype=layer.dtype_policy
    )


def _is_depthwise(layer: keras.layers.Layer) -> bool:
    """Return whether a convolution has as many groups as channels, before and after it."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups > 1
        and layer.groups == layer.filters == layer.input.shape[-1]
    )


def _make_depthwise(layer: keras.layers.Conv2D) -> keras.layers.Layer:
    return keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        activation=layer.activation,
        use_bias=layer.use_bias,
        name=layer.name,
        dtype=layer.dtype_policy,
    )


REPLACEMENTS: Sequence[Replacement] = (
    # Its mean and variance would become inputs of the exported network.
    Replacement(lambda layer: isinstance(layer, keras.layers.Normalization), _rescale),
    Replacement(
        lambda layer: (
            isinstance(layer, keras.layers.Activation)
            and layer.activation is keras.activations.gelu
        ),
        lambda layer: ErrorGelu(name=layer.name, dtype=layer.dtype_policy),
    ),
    # TensorFlow compiles a grouped convolution by itself. The kernel is [h, w, 1, C], not
    # [h, w, C, 1].
    Replacement(
        _is_depthwise,
        _make_depthwise,
        lambda weights: [weights[0].transpose(0, 1, 3, 2), *weights[1:]],
    ),
)


def make_exportable(network: keras.Model) -> keras.Model:
    """Return a network of the same outputs that ONNX has operators for.

    Returns:
        The network itself if it has such operators already, otherwise a copy with the same names.
    """
    if not any(_find_replacement(layer) for layer in network.layers):
        return network

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        found = _find_replacement(layer)
        return found.make(layer) if found else type(layer).from_config(layer.get_config())

    copied = keras.models.clone_model(network, clone_function=copy)
    for layer in network.layers:
        found = _find_replacement(layer)
        weights = layer.get_weights()
        copied.get_layer(layer.name).set_weights(found.convert(weights) if found else weights)
    # Otherwise batch normalisation is exported in training mode, with other numbers.
    copied.trainable = False
    return copied


def _find_replacement(layer: keras.layers.Layer) -> Replacement | None:
    return next((each for each in REPLACEMENTS if each.needs(layer)), None)
