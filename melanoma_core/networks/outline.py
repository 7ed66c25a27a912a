"""The outline head: it draws the lesion, and lets the diagnosis look at the lesion alone.

The decoder is a small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) on the activations of the
backbone, of which it needs the narrow ones between two blocks. It draws on a grid of one cell per
4×4 pixels. The pooling is an average of the last activation in which each place counts as much as
it is inside the outline (masked average pooling, Zhang et al. 2020, arXiv:1810.09091): what lies
around a lesion, and shows which clinic took the photograph, cannot vote.
"""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from melanoma_core.reading.explanation import interpolate
from melanoma_core.training.outlines import MISSING, find_outline_side
from melanoma_core.training.recipe import Recipe

OUTLINE_LOGITS_LAYER = "outline_logits"
OUTLINE_LAYER = "outline"
_PREFIX = "outline"  # of the names of all layers of the head
_WEIGHTS_LAYER, _POOLING_LAYER = "outline_weights", "outline_pooling"
GATE_LAYER = "outline_gate"
_CHANNELS = (32, 32, 32, 24)  # from the coarsest activation to the grid of the outline
# Weight of a place outside the outline. If none is drawn, the pooling is the plain average.
_OUTSIDE = 0.01
_SMOOTHING = 1.0  # cells; keeps the Dice of an empty outline defined


def add_outline(
    features: keras.Model, recipe: Recipe
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Add the outline head of a recipe to a backbone.

    Args:
        features: The backbone, with the last activation [N, h, w, D] as output.
        recipe: With an `outline_weight` above 0.

    Returns:
        The logits of the outline, float32 [N, s, s]; and the activation that is averaged for the
        diagnosis, [N, h, w, D]: with an `outline_pooling` above 0, weighted by the outline, with a
        share of the outline that is 0 until `grow_pooling` changes it.
    """
    logits = _draw(features, recipe)
    outline = keras.layers.Activation("sigmoid", name=OUTLINE_LAYER, dtype="float32")(logits)
    if not recipe.outline_pooling:
        return logits, features.output
    return logits, _pool(features.output, outline)


def has_outline(network: keras.Model) -> bool:
    """Return whether a network draws an outline."""
    return any(layer.name == OUTLINE_LAYER for layer in network.layers)


def has_gate(network: keras.Model) -> bool:
    """Return whether the diagnosis of a network is pooled with its outline."""
    return any(layer.name == GATE_LAYER for layer in network.layers)


def is_of_outline(weight: keras.Variable) -> bool:
    """Return whether a weight belongs to the outline head."""
    return str(weight.path).startswith(_PREFIX)


def get_pooling(network: keras.Model) -> float:
    """Return the share of the outline in the pooling of a network with a gate, in [0, 1]."""
    kernel, _ = network.get_layer(GATE_LAYER).get_weights()
    return float(kernel.squeeze())


def set_pooling(network: keras.Model, share: float) -> None:
    """Set the share of the outline in the pooling of a network with a gate, in [0, 1]."""
    kernel = np.full((1, 1, 1, 1), share, dtype=np.float32)
    bias = np.array([find_weight_outside(share)], dtype=np.float32)
    network.get_layer(GATE_LAYER).set_weights([kernel, bias])


def find_weight_outside(share: float) -> float:
    """Return the weight of a place outside the outline, for a share of it in the pooling."""
    return 1 - share + share * _OUTSIDE


def grow_pooling(network: keras.Model, share: float, num_steps: int) -> None:
    """Move the share of the outline in the pooling one step nearer to its final value.

    The step depends on the present share alone, so that a resumed training goes on as it would
    have. Called before each of `num_steps` steps, the share changes evenly.

    Args:
        network: A network with a gate.
        share: The final share.
        num_steps: Steps that remain, this one included; 0 or less sets the final share.
    """
    present = get_pooling(network)
    set_pooling(network, present + (share - present) / max(1, num_steps))


def add_weights(network: keras.Model, maps: keras.KerasTensor) -> keras.KerasTensor:
    """Weight maps of a network by its outline, on the finer grid of the weights.

    Args:
        network: A network with a gate.
        maps: float [N, C, h, w], linear in the last activation before its weights.

    Returns:
        float [N, C, g, g], whose mean is that of the maps of the weighted activation.
    """
    weights = network.get_layer(_WEIGHTS_LAYER).output  # [N, g, g, 1]
    rows, columns = (interpolate(maps.shape[axis], weights.shape[axis - 1]) for axis in (2, 3))
    finer = keras.ops.matmul(keras.ops.matmul(rows[None, None], maps), columns.T[None, None])
    weighted = finer * keras.ops.transpose(weights, (0, 3, 1, 2))
    return keras.layers.Reshape(weighted.shape[1:])(weighted)  # or ONNX would not know the shape


def get_unweighted(network: keras.Model) -> keras.KerasTensor:
    """Return the last activation of a network with a gate, before its weights."""
    return network.get_layer(_POOLING_LAYER).input[0]


class OutlineLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras ships no types
    """Dice loss plus cross-entropy, 0 for a photograph without an outline.

    Milletari et al., "V-Net" (2016, arXiv:1606.04797), with cross-entropy beside it, whose
    gradient does not vanish where the outline is quite wrong.
    """

    def __init__(self) -> None:
        super().__init__(name="outline_loss")

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return the loss of each photograph.

        Args:
            y_true: float [B, s, s] in [0, 1], or `outlines.MISSING`.
            y_pred: float [B, s, s], logits.

        Returns:
            float [B].
        """
        is_known = keras.ops.cast(y_true[:, 0, 0] > MISSING / 2, y_pred.dtype)
        target = keras.ops.maximum(y_true, 0.0)
        entropy = keras.ops.softplus(y_pred) - target * y_pred
        drawn = keras.ops.sigmoid(y_pred)
        common = keras.ops.sum(drawn * target, axis=(1, 2))
        both = keras.ops.sum(drawn, axis=(1, 2)) + keras.ops.sum(target, axis=(1, 2))
        dice = (2 * common + _SMOOTHING) / (both + _SMOOTHING)
        return is_known * (keras.ops.mean(entropy, axis=(1, 2)) + 1 - dice)


class HeadOptimizer(keras.optimizers.Adam):  # type: ignore[misc]  # Keras ships no types
    """Adam or AdamW with another learning rate for the outline head, which starts at random.

    Args:
        factor: Of the learning rate in the outline head.
        weight_decay: Decoupled weight decay; 0 for none.
    """

    def __init__(self, factor: float, weight_decay: float) -> None:
        super().__init__(learning_rate=0.0, weight_decay=weight_decay or None)
        self._factor = factor

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: float
    ) -> None:
        """Change a variable by its gradient."""
        # TensorFlow passes its own variable, which does not know to which layer it belongs.
        known = self._trainable_variables[self._get_variable_index(variable)]
        factor = self._factor if is_of_outline(known) else 1.0
        super().update_step(gradient, variable, learning_rate * factor)


def _draw(features: keras.Model, recipe: Recipe) -> keras.KerasTensor:
    """Build the decoder, from the coarsest activation to the grid of the outline."""
    side = find_outline_side(recipe)

    def reach_backbone(activation: keras.KerasTensor) -> keras.KerasTensor:
        return _scale_gradient(activation, recipe.outline_gradient)

    x = _convolve(reach_backbone(features.output), _CHANNELS[0], 1, "outline_base")
    for channels in _CHANNELS[1:]:
        if x.shape[1] >= side:
            break
        finer = 2 * x.shape[1]
        if channels != x.shape[3]:
            x = keras.layers.Conv2D(channels, 1, name=f"outline_narrower_{finer}")(x)
        x = keras.layers.UpSampling2D(interpolation="bilinear", name=f"outline_finer_{finer}")(x)
        beside = _find_activation(features, finer)
        if beside is not None:
            lateral = keras.layers.Conv2D(channels, 1, name=f"outline_lateral_{finer}")
            x = keras.layers.Add(name=f"outline_sum_{finer}")([x, lateral(reach_backbone(beside))])
        is_fine = finer > side // 4
        if is_fine:  # as good there as a full convolution, and faster
            x = keras.layers.DepthwiseConv2D(3, padding="same", name=f"outline_depthwise_{finer}")(
                x
            )
        x = _convolve(x, channels, 1 if is_fine else 3, f"outline_convolution_{finer}")
    drawn = keras.layers.Conv2D(1, 1, name="outline_drawing", dtype="float32")(x)
    return keras.layers.Reshape(drawn.shape[1:3], name=OUTLINE_LOGITS_LAYER, dtype="float32")(drawn)


def _convolve(x: keras.KerasTensor, channels: int, size: int, name: str) -> keras.KerasTensor:
    convolution = keras.layers.Conv2D(
        channels, size, padding="same", kernel_initializer="he_normal", name=name
    )
    return keras.layers.ReLU(name=f"{name}_activation")(convolution(x))


def _find_activation(features: keras.Model, side: int) -> keras.KerasTensor | None:
    """Return the last narrow activation of a backbone with this side: the sum after a block."""
    outputs = [
        (isinstance(layer, keras.layers.Add), position, layer.output)
        for position, layer in enumerate(features.layers)
        if len(layer.output.shape) == 4 and layer.output.shape[1] == side
    ]
    return max(outputs, key=lambda each: each[:2], default=(False, 0, None))[2]


def _scale_gradient(activation: keras.KerasTensor, share: float) -> keras.KerasTensor:
    """Return the activation unchanged, but pass only a share of the gradient to it."""
    if share >= 1:
        return activation
    fixed = keras.ops.stop_gradient(activation)
    return fixed if share <= 0 else fixed + share * (activation - fixed)


def _pool(activation: keras.KerasTensor, outline: keras.KerasTensor) -> keras.KerasTensor:
    """Weight an activation by the outline. Its mean is the masked average.

    The weights are made on a grid between the outline and the activation, which heatmaps share
    (`add_weights`). A place of the activation has the weights around it, as bilinear interpolation
    takes the place into account there. The diagnosis must not change the outline to suit it, so no
    gradient passes.
    """
    side, places = outline.shape[1], activation.shape[1]
    grid = max(places, side // 2)
    fixed = keras.layers.Reshape((side, side, 1), dtype="float32")(keras.ops.stop_gradient(outline))
    if grid < side:
        fixed = keras.layers.AveragePooling2D(side // grid, dtype="float32")(fixed)
    gate = keras.layers.Conv2D(1, 1, name=GATE_LAYER, trainable=False, dtype="float32")
    weights = gate(fixed)
    gate.set_weights([np.zeros((1, 1, 1, 1), np.float32), np.ones(1, np.float32)])
    weights = weights / keras.ops.mean(weights, axis=(1, 2), keepdims=True)
    weights = keras.layers.Identity(name=_WEIGHTS_LAYER, dtype="float32")(weights)
    matrix = _average_matrix(places, grid)
    # With an axis for the images: without, products are exported in many small steps.
    coarse = keras.ops.matmul(keras.ops.matmul(matrix[None], weights[..., 0]), matrix.T[None])
    coarse = keras.layers.Reshape((places, places, 1), dtype="float32")(coarse)
    return keras.layers.Multiply(name=_POOLING_LAYER)([activation, coarse])


def _average_matrix(places: int, grid: int) -> NDArray[np.float32]:
    """Return the matrix [places, grid] that averages weights as interpolation spreads places."""
    spread = interpolate(places, grid)
    assert math.isclose(spread.sum(), grid)
    return np.asarray(spread.T * np.float32(places / grid))
