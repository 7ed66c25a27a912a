"""Recipe -> keras.Model. Its input is uint8 RGB; its scaling is a layer of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np

from melanoma_core.errors import RecipeError
from melanoma_core.networks.efficientnet_lite import EfficientNetLite0
from melanoma_core.networks.hardware import choose_jit
from melanoma_core.training.recipe import Architecture, Loss, Recipe
from melanoma_core.training.weights import KERAS_SUFFIX

Network = keras.Model  # by this name where Keras may not be imported
EMBEDDING_LAYER = "embedding"
LOGITS_LAYER = "logits"
_MINKOWSKI = 6.0


@dataclass(frozen=True)
class Backbone:
    """An ImageNet network, built as keras.applications does, and its scaling.

    Attributes:
        build: The constructor.
        scale: Multiplies the pixels 0…255.
        offset: Added after.
    """

    build: Callable[..., keras.Model]
    scale: float
    offset: float


BACKBONES = {
    Architecture.MOBILENET: Backbone(keras.applications.MobileNetV2, 1 / 127.5, -1.0),
    Architecture.RESNET: Backbone(keras.applications.ResNet50V2, 1 / 127.5, -1.0),
    Architecture.EFFICIENTNET_LITE: Backbone(EfficientNetLite0, 1 / 128, -127 / 128),
    # These scale inside.
    Architecture.EFFICIENTNET: Backbone(keras.applications.EfficientNetV2B0, 1.0, 0.0),
    Architecture.CONVNEXT: Backbone(keras.applications.ConvNeXtTiny, 1.0, 0.0),
}


def build_network(
    recipe: Recipe, num_classes: int, weights: Path | str | None, precision: str = "float32"
) -> keras.Model:
    """Build the network of a recipe.

    Args:
        recipe: Architecture, image size, dropout and batch normalisation.
        num_classes: Number of outputs.
        weights: "imagenet" (downloaded by keras), a file of the backbone's weights without its
            head, a whole model of ours (".keras") to go on from, or None for random ones. A
            SmallCNN takes none.
        precision: Policy of keras that the layers compute by.

    Returns:
        uint8 [N, size, size, 3] -> logits float32 [N, num_classes]; layers named "embedding" and
        "logits".

    Raises:
        RecipeError: The weights do not fit the architecture, or cannot be had.
    """
    if isinstance(weights, Path) and weights.suffix == KERAS_SUFFIX:
        network = build_network(recipe, num_classes, None, precision)
        _go_on_from(network, weights)
        return network
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        if recipe.architecture.has_backbone:
            return _build_on_backbone(recipe, num_classes, weights)
        return _build_small_cnn(recipe, num_classes)
    finally:
        keras.config.set_dtype_policy(before)


def _go_on_from(network: keras.Model, path: Path) -> None:
    """Give a network the weights of a whole model, its head's included."""
    try:
        started = keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:  # what keras raises on other files
        raise RecipeError(
            f"Cannot load the model {path} to go on from ({error}). Name another model."
        ) from error
    found = {weight.path: weight for weight in started.weights}
    for weight in network.weights:
        if weight.path not in found or found[weight.path].shape != weight.shape:
            raise RecipeError(
                f"The model {path} to go on from has no {weight.path} of shape {weight.shape}. "
                "Take a recipe of its architecture, or start from ImageNet."
            )
        weight.assign(found[weight.path])


def _build_small_cnn(recipe: Recipe, num_classes: int) -> keras.Model:
    """Build the network of the classical tutorials: three convolutions, two dense layers."""
    photograph, activation = _begin(recipe, 1 / 255, 0.0)
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
    """Build a backbone, the mean over its last activation, and one dense layer.

    With such a head the class activation map of a class is the Grad-CAM of its logit (Selvaraju
    2017, arXiv:1610.02391, appendix A), which is why one forward pass can explain every class.
    Batch normalisation is frozen: its statistics are ImageNet's, and batches of one clinic would
    bend them.
    """
    backbone = BACKBONES[recipe.architecture]
    photograph, scaled = _begin(recipe, backbone.scale, backbone.offset)
    features = _build_features(recipe.architecture, weights, scaled)
    num_frozen = _count_fine(features, recipe) if recipe.frozen_stride else 0
    for position, layer in enumerate(features.layers):
        if position < num_frozen or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING_LAYER)(features.output)
    dropped = keras.layers.Dropout(recipe.dropout, seed=recipe.seed, name="dropout")(embedding)
    logits = keras.layers.Dense(num_classes, name=LOGITS_LAYER, dtype="float32")(dropped)
    return keras.Model(photograph, logits, name=str(recipe.architecture))


def _count_fine(features: keras.Model, recipe: Recipe) -> int:
    """Count the layers up to the last that sees the picture finer than `Recipe.frozen_stride`.

    Squeeze-and-excitation sees nothing but averages: it belongs to the layers around it. Layers
    without weights count for nothing, since padding makes the next ones look finer.
    """
    coarse = math.ceil(recipe.image_size / recipe.frozen_stride)
    fine = [
        position
        for position, layer in enumerate(features.layers, start=1)
        if layer.weights and len(layer.output.shape) == 4 and layer.output.shape[1] > coarse
    ]
    return max(fine, default=0)


def _begin(
    recipe: Recipe, scale: float, offset: float
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    size = recipe.image_size
    photograph = keras.Input((size, size, 3), dtype="uint8", name="photograph")
    if not recipe.colour_constancy:
        return photograph, keras.layers.Rescaling(scale, offset)(photograph)
    grey_lit = _take_light_out(keras.layers.Rescaling(1 / 255)(photograph))
    return photograph, keras.layers.Rescaling(255 * scale, offset)(grey_lit)


def _take_light_out(colours: keras.KerasTensor) -> keras.KerasTensor:
    """Divide each channel by the light's share of it, so that the light becomes grey.

    Shades of grey, Finlayson and Trezzi, "Shades of gray and colour constancy" (2004): the light
    is what the channels' Minkowski means of order 6 say.

    Args:
        colours: float [N, size, size, 3], in [0, 1].

    Returns:
        Likewise, clipped.
    """
    # Half a grey level, so that a black photograph stays black instead of undefined.
    power = keras.ops.mean((colours + 0.5 / 255) ** _MINKOWSKI, axis=(1, 2), keepdims=True)
    light = power ** (1 / _MINKOWSKI)
    grey = keras.ops.mean(light, axis=-1, keepdims=True)
    return keras.ops.clip(colours * (grey / light), 0.0, 1.0)


def _build_features(
    architecture: Architecture, weights: Path | str | None, scaled: keras.KerasTensor
) -> keras.Model:
    if isinstance(weights, Path) and not weights.is_file():
        raise RecipeError(
            f"Found no file {weights}. Name the backbone's weights without its head, or "
            "`imagenet` to download them, or `none` to start at random."
        )
    try:
        # Inline, not nested: a nested model hides the layers that explanations need.
        features = BACKBONES[architecture].build(
            include_top=False, weights=weights, input_tensor=scaled
        )
    except (OSError, ValueError, KeyError) as error:  # what h5py and keras raise on other files
        raise RecipeError(
            f"The weights {weights} do not load into {architecture}: {error} "
            "Name a file of that architecture without its head, or `imagenet` to download it."
        ) from error
    except Exception as error:
        # Where a download fails, keras raises a bare Exception with the cause as its context.
        if not isinstance(error.__context__, URLError):
            raise
        raise RecipeError(
            f"Cannot download the weights of {architecture} ({error.__context__.reason}). Connect "
            "to the internet, or name a file of them as `weights`."
        ) from error
    return features


def split_network(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Return the network's two halves, which share its layers.

    Returns:
        The backbone, uint8 [N, size, size, 3] -> embedding [N, D]; and the head, embedding ->
        logits [N, num_classes], with the dropout between them.
    """
    embedding = network.get_layer(EMBEDDING_LAYER).output
    inputs = keras.Input(embedding.shape[1:], name="features")
    dropped = network.get_layer("dropout")(inputs)
    head = keras.Model(inputs, network.get_layer(LOGITS_LAYER)(dropped), name="head")
    return keras.Model(network.input, embedding, name="backbone"), head


def seed_dropout(network: keras.Model, seed: int, epoch: int) -> None:
    """Let whatever draws at random inside the network depend on the seed and the epoch alone."""
    states = [v for v in network.variables if v.name == "seed_generator_state"]
    for position, state in enumerate(states):
        drawn = np.random.SeedSequence([seed, epoch, position]).generate_state(1)
        # 31 bits, which every backend's whole numbers hold.
        state.assign(np.array([drawn[0] >> 1, 0], dtype=str(state.dtype)))


def add_probabilities(network: keras.Model) -> keras.Model:
    """Return the network that is saved: the same layers, with probabilities as its output."""
    probabilities = keras.layers.Softmax(name="probabilities")(network.output)
    return keras.Model(network.input, probabilities, name=network.name)


def compile_network(network: keras.Model, recipe: Recipe) -> None:
    """Give a network of logits the loss and the optimizer of a recipe, at learning rate 0."""
    network.compile(
        optimizer=make_optimizer(recipe), loss=make_loss(recipe), jit_compile=choose_jit()
    )


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Return the loss of logits against probabilities of the classes."""
    if recipe.loss is Loss.FOCAL:
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0,  # so that gamma 0 is cross-entropy: classes are weighed by `rebalancing`
            gamma=recipe.focal_gamma,
            from_logits=True,
            label_smoothing=recipe.label_smoothing,
        )
    return keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return AdamW, or Adam without weight decay; its learning rate is set before each step."""
    if recipe.weight_decay:
        return keras.optimizers.AdamW(learning_rate=0.0, weight_decay=recipe.weight_decay)
    return keras.optimizers.Adam(learning_rate=0.0)
