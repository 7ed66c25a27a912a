"""Recipe -> keras.Model. Its input is uint8 RGB; its scaling is a layer of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import keras

from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import Recipe

EMBEDDING_LAYER = "embedding"
LOGITS_LAYER = "logits"


@dataclass(frozen=True)
class Backbone:
    """An ImageNet network of keras.applications and the scaling that it was trained with.

    Attributes:
        build: The constructor.
        scale: Multiplies the pixels 0…255.
        offset: Added after.
    """

    build: Callable[..., keras.Model]
    scale: float
    offset: float


BACKBONES = {
    "MobileNetV2": Backbone(keras.applications.MobileNetV2, 1 / 127.5, -1.0),
    "ResNet50V2": Backbone(keras.applications.ResNet50V2, 1 / 127.5, -1.0),
    # These scale inside.
    "EfficientNetV2B0": Backbone(keras.applications.EfficientNetV2B0, 1.0, 0.0),
    "ConvNeXtTiny": Backbone(keras.applications.ConvNeXtTiny, 1.0, 0.0),
}


def build_network(recipe: Recipe, num_classes: int, weights: Path | str | None) -> keras.Model:
    """Build a backbone, the mean over its last activation, and one dense layer.

    With such a head the class activation map of a class is the Grad-CAM of its logit (Selvaraju
    2017, arXiv:1610.02391, appendix A), which is why one forward pass can explain every class.

    Args:
        recipe: Architecture, image size and dropout.
        num_classes: Number of outputs.
        weights: "imagenet" (downloaded by keras), a file of the backbone's weights without its
            head, or None for random ones.

    Returns:
        uint8 [N, size, size, 3] -> logits float32 [N, num_classes]. Batch normalisation is frozen:
        its statistics are ImageNet's, and batches of one clinic would bend them.

    Raises:
        RecipeError: The architecture is not known, or the weights do not fit it.
    """
    if recipe.architecture not in BACKBONES:
        raise RecipeError(
            f'Found no architecture "{recipe.architecture}". There are: {", ".join(BACKBONES)}.'
        )
    backbone = BACKBONES[recipe.architecture]
    size = recipe.image_size
    photograph = keras.Input((size, size, 3), dtype="uint8", name="photograph")
    scaled = keras.layers.Rescaling(backbone.scale, backbone.offset)(photograph)
    features = _build_features(recipe.architecture, weights, scaled)
    for layer in features.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING_LAYER)(features.output)
    dropped = keras.layers.Dropout(recipe.dropout, seed=recipe.seed)(embedding)
    logits = keras.layers.Dense(num_classes, name=LOGITS_LAYER, dtype="float32")(dropped)
    return keras.Model(photograph, logits, name=recipe.architecture)


def _build_features(
    architecture: str, weights: Path | str | None, scaled: keras.KerasTensor
) -> keras.Model:
    if isinstance(weights, Path) and not weights.is_file():
        raise RecipeError(
            f"Found no file {weights}. Name the backbone's weights without its head, or "
            "`imagenet` to download them."
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
            "to the internet, or name a file of them with `--weights`."
        ) from error
    return features


def add_probabilities(network: keras.Model) -> keras.Model:
    """Return the network that is saved: the same layers, with probabilities as its output."""
    probabilities = keras.layers.Softmax(name="probabilities")(network.output)
    return keras.Model(network.input, probabilities, name=network.name)
