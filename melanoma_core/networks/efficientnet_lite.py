"""EfficientNet-Lite0, in the style of keras.applications, which lacks it.

Tan and Le, "EfficientNet" (2019, arXiv:1905.11946), in the Lite variant of 2020 for phones: no
squeeze-and-excitation, and ReLU6 instead of swish, so it is as fast as MobileNetV2.
"""

from pathlib import Path

import keras

# Kernel size, stride of the first block, expansion, filters, repeats.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_STEM, _HEAD = 32, 1280


def EfficientNetLite0(  # noqa: N802  # named like keras.applications
    *, include_top: bool, weights: Path | str | None, input_tensor: keras.KerasTensor
) -> keras.Model:
    """Build the network without its classifier. The input is scaled to (x - 127) / 128.

    Args:
        include_top: Must be False; there is no classifier.
        weights: A weights file of this network, or None for random weights.
        input_tensor: float [N, h, w, 3].

    Returns:
        The network, with the last activation as output, [N, h / 32, w / 32, 1280].

    Raises:
        ValueError: The weights do not fit; they are "imagenet", which Keras does not offer for
            this network; or a classifier was requested.
    """
    if include_top or weights == "imagenet":
        raise ValueError("Keras offers no weights of it for download.")
    x = _convolve(input_tensor, _STEM, 3, 2, "stem")
    for number, (kernel, stride, expansion, filters, repeats) in enumerate(_STAGES, start=1):
        for repeat in range(repeats):
            name = f"block{number}{'abcd'[repeat]}"
            x = _bottleneck(x, kernel, stride if repeat == 0 else 1, expansion, filters, name)
    x = _convolve(x, _HEAD, 1, 1, "top")
    (source,) = (node for node in keras.utils.get_source_inputs(input_tensor))
    model = keras.Model(source, x, name="EfficientNetLite0")
    if weights is not None:
        model.load_weights(weights)
    return model


def _bottleneck(  # noqa: PLR0913, PLR0917  # a block is described by five numbers
    x: keras.KerasTensor, kernel: int, stride: int, expansion: int, filters: int, name: str
) -> keras.KerasTensor:
    """Build an inverted residual block: expand, depthwise convolution, project."""
    inputs, num_inputs = x, x.shape[-1]
    if expansion > 1:
        x = _convolve(x, num_inputs * expansion, 1, 1, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _normalize(x, f"{name}_depthwise")
    x = keras.layers.ReLU(6.0, name=f"{name}_depthwise_activation")(x)
    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = _normalize(x, f"{name}_project")
    if stride == 1 and num_inputs == filters:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _convolve(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(_normalize(x, name))


def _normalize(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_normalization")(x)
