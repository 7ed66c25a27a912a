"""Build the Keras network of a recipe.

The input is uint8 RGB; scaling is a layer of the network.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import keras
import numpy as np

from melanoma_core.errors import RecipeError
from melanoma_core.networks.efficientnet_lite import EfficientNetLite0
from melanoma_core.networks.hardware import choose_jit
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.outline import (
    OUTLINE_LAYER,
    HeadOptimizer,
    OutlineLoss,
    add_outline,
    has_outline,
    is_of_outline,
)
from melanoma_core.networks.tier_loss import TierLoss
from melanoma_core.training.recipe import Architecture, Loss, Recipe
from melanoma_core.training.weights import KERAS_SUFFIX

Network = keras.Model  # an alias for modules that must not import Keras
EMBEDDING_LAYER = "embedding"
LOGITS_LAYER = "logits"
_MINKOWSKI_ORDER = 6.0


@dataclass(frozen=True)
class Backbone:
    """An ImageNet network with a constructor like those of keras.applications.

    Attributes:
        build: The constructor.
        scale: Factor of the pixels 0…255.
        offset: Added after scaling.
    """

    build: Callable[..., keras.Model]
    scale: float
    offset: float


BACKBONES = {
    Architecture.MOBILENET: Backbone(keras.applications.MobileNetV2, 1 / 127.5, -1.0),
    Architecture.RESNET: Backbone(keras.applications.ResNet50V2, 1 / 127.5, -1.0),
    Architecture.EFFICIENTNET_LITE: Backbone(EfficientNetLite0, 1 / 128, -127 / 128),
    # These networks contain their own scaling.
    Architecture.EFFICIENTNET: Backbone(keras.applications.EfficientNetV2B0, 1.0, 0.0),
    Architecture.CONVNEXT: Backbone(keras.applications.ConvNeXtTiny, 1.0, 0.0),
}


def build_network(
    recipe: Recipe, num_classes: int, weights: Path | str | None, precision: str = "float32"
) -> keras.Model:
    """Build the network of a recipe.

    Args:
        recipe: Its architecture, image size, dropout, batch normalisation and outline are used.
        num_classes: Number of outputs.
        weights: "imagenet" (downloaded by Keras); a weights file of the backbone without its
            head; a complete model (".keras") to fine-tune, to which an outline head may be added;
            or None for random weights. A SmallCNN accepts only a complete model or None.
        precision: Keras dtype policy of the layers.

    Returns:
        uint8 [N, size, size, 3] -> logits float32 [N, num_classes], with layers named "embedding"
        and "logits". With an outline, its logits float32 [N, s, s] are a second output.

    Raises:
        RecipeError: The weights do not fit the architecture, or cannot be loaded.
        ModelError: The complete model cannot be loaded.
    """
    if isinstance(weights, Path) and weights.suffix == KERAS_SUFFIX:
        network = build_network(recipe, num_classes, None, precision)
        _copy_weights(network, weights)
        return network
    previous_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        if recipe.architecture.has_backbone:
            return _build_on_backbone(recipe, num_classes, weights)
        return _build_small_cnn(recipe, num_classes)
    finally:
        keras.config.set_dtype_policy(previous_policy)


def split_network(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Return the backbone and the head of a network, which share its layers.

    Returns:
        The backbone, uint8 [N, size, size, 3] -> embedding [N, D]; and the head, embedding ->
        logits [N, num_classes], including dropout.
    """
    embedding = network.get_layer(EMBEDDING_LAYER).output
    inputs = keras.Input(embedding.shape[1:], name="features")
    dropped = network.get_layer("dropout")(inputs)
    head = keras.Model(inputs, network.get_layer(LOGITS_LAYER)(dropped), name="head")
    return keras.Model(network.input, embedding, name="backbone"), head


def add_softmax(network: keras.Model) -> keras.Model:
    """Return the network for saving: the same layers, with probabilities as outputs."""
    probabilities = keras.layers.Softmax(name="probabilities")(network.outputs[0])
    if not has_outline(network):
        return keras.Model(network.input, probabilities, name=network.name)
    outline = network.get_layer(OUTLINE_LAYER).output
    return keras.Model(network.input, [probabilities, outline], name=network.name)


def compile_network(
    network: keras.Model, recipe: Recipe, members: Sequence[Sequence[int]] = ()
) -> None:
    """Compile a network of logits with the loss and optimizer of a recipe, at learning rate 0.

    Args:
        network: The network.
        recipe: The recipe.
        members: Positions of the classes of each risk tier among the targets (`TierLoss`).
    """
    loss = TierLoss(recipe, members) if members else make_loss(recipe)
    losses: dict[str, Any] = {"loss": loss}
    if len(network.outputs) > 1:
        losses = {"loss": [loss, OutlineLoss()], "loss_weights": [1.0, recipe.outline_weight]}
    network.compile(optimizer=make_optimizer(recipe), jit_compile=choose_jit(), **losses)


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Return the loss of a recipe, a function of target probabilities and logits."""
    if recipe.loss is Loss.FOCAL:
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0,  # so gamma 0 gives cross-entropy; `rebalancing` sets the class weights
            gamma=recipe.focal_gamma,
            from_logits=True,
            label_smoothing=recipe.label_smoothing,
        )
    return keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return AdamW, or Adam without weight decay; the learning rate is set before each step."""
    if recipe.outline_weight:
        factor = recipe.outline_learning_rate / recipe.learning_rate
        return HeadOptimizer(factor, recipe.weight_decay)
    if recipe.weight_decay:
        return keras.optimizers.AdamW(learning_rate=0.0, weight_decay=recipe.weight_decay)
    return keras.optimizers.Adam(learning_rate=0.0)


def seed_dropout(network: keras.Model, seed: int, epoch: int) -> None:
    """Make the random layers of a network depend only on the seed and the epoch."""
    states = [v for v in network.variables if v.name == "seed_generator_state"]
    for position, state in enumerate(states):
        drawn = np.random.SeedSequence([seed, epoch, position]).generate_state(1)
        # 31 bits fit into the integers of every backend.
        state.assign(np.array([drawn[0] >> 1, 0], dtype=str(state.dtype)))


def _copy_weights(network: keras.Model, path: Path) -> None:
    """Copy all weights of a complete model, including its head, into a network.

    The weights of an outline head that the model lacks are kept.
    """
    model = load_keras(path)
    found = {weight.path: weight for weight in model.weights}
    own = {weight.path for weight in network.weights}
    if any(is_of_outline(weight) and weight.path not in own for weight in model.weights):
        raise RecipeError(
            f"The initial model {path} draws outlines or pools with them, and the recipe does "
            "not. It would lose what it has learned. Set outline_weight and outline_pooling to "
            "those of the model."
        )
    for weight in network.weights:
        if is_of_outline(weight) and weight.path not in found:
            continue
        if weight.path not in found or found[weight.path].shape != weight.shape:
            raise RecipeError(
                f"The initial model {path} has no {weight.path} of shape {weight.shape}. Training "
                "needs a model of the same architecture and image size. Choose a matching recipe, "
                "or start from ImageNet weights."
            )
        weight.assign(found[weight.path])


def _build_small_cnn(recipe: Recipe, num_classes: int) -> keras.Model:
    """Build the network of the Keras tutorials: three convolutions and two dense layers."""
    photograph, activation = _scale_input(recipe, 1 / 255, 0.0)
    for number, num_filters in enumerate((16, 32, 64), start=1):
        activation = keras.layers.Conv2D(
            num_filters, 3, padding="same", name=f"convolution_{number}"
        )(activation)
        if recipe.batch_normalization:
            activation = keras.layers.BatchNormalization(name=f"normalization_{number}")(activation)
        activation = keras.layers.ReLU(name=f"activation_{number}")(activation)
        activation = keras.layers.MaxPooling2D(name=f"pooling_{number}")(activation)
    flat = keras.layers.Flatten(name="flat")(activation)
    dropped = keras.layers.Dropout(recipe.dropout, seed=recipe.seed, name="dropout")(flat)
    embedding = keras.layers.Dense(128, activation="relu", name=EMBEDDING_LAYER)(dropped)
    logits = keras.layers.Dense(num_classes, name=LOGITS_LAYER, dtype="float32")(embedding)
    return keras.Model(photograph, logits, name=str(recipe.architecture))


def _build_on_backbone(recipe: Recipe, num_classes: int, weights: Path | str | None) -> keras.Model:
    """Build a backbone with global average pooling and one dense layer.

    With this head, the class activation map of a class is the Grad-CAM of its logit (Selvaraju
    2017, arXiv:1610.02391, appendix A), so one forward pass explains every class. Batch
    normalisation is frozen: it keeps the statistics of ImageNet instead of those of small batches.
    """
    backbone = BACKBONES[recipe.architecture]
    photograph, scaled = _scale_input(recipe, backbone.scale, backbone.offset)
    features = _build_features(recipe.architecture, weights, scaled)
    num_frozen = _count_fine_layers(features, recipe) if recipe.frozen_stride else 0
    for position, layer in enumerate(features.layers):
        if position < num_frozen or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    outputs, pooled = [], features.output
    if recipe.outline_weight:
        outline, pooled = add_outline(features, recipe)
        outputs.append(outline)
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING_LAYER)(pooled)
    dropped = keras.layers.Dropout(recipe.dropout, seed=recipe.seed, name="dropout")(embedding)
    logits = keras.layers.Dense(num_classes, name=LOGITS_LAYER, dtype="float32")(dropped)
    return keras.Model(
        photograph, [logits, *outputs] if outputs else logits, name=str(recipe.architecture)
    )


def _build_features(
    architecture: Architecture, weights: Path | str | None, scaled: keras.KerasTensor
) -> keras.Model:
    if isinstance(weights, Path) and not weights.is_file():
        raise RecipeError(
            f"Found no file {weights}. Name a weights file of the backbone without its head, "
            "`imagenet` to download one, or `none` for random weights."
        )
    try:
        # Inline, because nesting would hide the layers that heatmaps need.
        features = BACKBONES[architecture].build(
            include_top=False, weights=weights, input_tensor=scaled
        )
    except (OSError, ValueError, KeyError) as error:  # raised by h5py and Keras for other files
        raise RecipeError(
            f"The weights {weights} do not load into {architecture}: {error} "
            "Name a file of that architecture without its head, or `imagenet` to download one."
        ) from error
    except Exception as error:
        # When a download fails, Keras raises a bare Exception with the cause as its context.
        if not isinstance(error.__context__, URLError):
            raise
        raise RecipeError(
            f"Cannot download the weights of {architecture} ({error.__context__.reason}). Connect "
            "to the internet, or name a local file as `weights`."
        ) from error
    return features


def _count_fine_layers(features: keras.Model, recipe: Recipe) -> int:
    """Count the layers up to the last one with an output finer than `Recipe.frozen_stride`.

    Squeeze-and-excitation layers have no spatial output and belong to the layers around them.
    Layers without weights are ignored, because padding makes their output look finer.
    """
    coarse = math.ceil(recipe.image_size / recipe.frozen_stride)
    fine = [
        position
        for position, layer in enumerate(features.layers, start=1)
        if layer.weights and len(layer.output.shape) == 4 and layer.output.shape[1] > coarse
    ]
    return max(fine, default=0)


def _scale_input(
    recipe: Recipe, scale: float, offset: float
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the input of the network and the scaled pixels."""
    size = recipe.image_size
    photograph = keras.Input((size, size, 3), dtype="uint8", name="photograph")
    if not recipe.colour_constancy:
        return photograph, keras.layers.Rescaling(scale, offset)(photograph)
    corrected = _apply_shades_of_grey(keras.layers.Rescaling(1 / 255)(photograph))
    return photograph, keras.layers.Rescaling(255 * scale, offset)(corrected)


def _apply_shades_of_grey(colours: keras.KerasTensor) -> keras.KerasTensor:
    """Remove the colour of the light by scaling each channel.

    Finlayson and Trezzi, "Shades of gray and colour constancy" (2004): the Minkowski mean of order
    6 of each channel estimates the light.

    Args:
        colours: float [N, size, size, 3], in [0, 1].

    Returns:
        float [N, size, size, 3], clipped to [0, 1].
    """
    # Half a grey level keeps a black photograph black instead of undefined.
    power = keras.ops.mean((colours + 0.5 / 255) ** _MINKOWSKI_ORDER, axis=(1, 2), keepdims=True)
    light = power ** (1 / _MINKOWSKI_ORDER)
    grey = keras.ops.mean(light, axis=-1, keepdims=True)
    return keras.ops.clip(colours * (grey / light), 0.0, 1.0)
