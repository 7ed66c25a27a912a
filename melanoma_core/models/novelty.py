"""The untuned features of a photograph, and how far they lie from those of known ones.

What a network has learned from lesions tells them apart, and has forgotten what a bee looks
like; what it knew before has not. So novelty is measured in the features of MobileNetV2 as ImageNet
left it, from the middle of the network, where they still describe texture and colour rather than
dogs; they are read in the same ONNX pass.
"""

from pathlib import Path

import keras
import numpy as np

from melanoma_core.evaluation.novelty import Familiarity

FEATURE_LAYER = "block_10_expand_relu"
FEATURE_SIDE = 128  # px


def build_features(image_size: int, weights: Path | str) -> keras.Model:
    """Build the network that describes a photograph.

    Args:
        image_size: Side of the square input, in pixels.
        weights: Of MobileNetV2 without its head: a file, or "imagenet", which Keras downloads
            unless it has done so before.

    Returns:
        uint8 [N, size, size, 3] -> float32 [N, 384], the mean of each feature over the picture.
    """
    # Read at the network's own size: for each size, ImageNet's weights are another file, and the
    # one that the network began with is there.
    known = keras.applications.MobileNetV2(
        include_top=False, weights=weights, input_shape=(image_size, image_size, 3)
    )
    photograph = keras.Input((image_size, image_size, 3), dtype="uint8", name="photograph")
    scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(photograph)
    if image_size != FEATURE_SIDE:
        scaled = keras.layers.Resizing(FEATURE_SIDE, FEATURE_SIDE)(scaled)
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_tensor=scaled)
    backbone.set_weights(known.get_weights())
    # Or tf2onnx exports its batch normalisation as it is in training: other features.
    backbone.trainable = False
    activation = backbone.get_layer(FEATURE_LAYER).output
    features = keras.layers.GlobalAveragePooling2D()(activation)
    return keras.Model(photograph, features, name="untuned")


def add_distance(features: keras.Model, familiarity: Familiarity) -> keras.Model:
    """Return the features' network with the distance to the nearest diagnosis before them.

    As two dense layers, since |z - c|² is |z|² - 2 z·c + |c|². The features are centred first:
    else the difference of large numbers would cost digits.

    Args:
        features: As `build_features` returns it.
        familiarity: Fitted to such features.

    Returns:
        uint8 [N, size, size, 3] -> the Mahalanobis distance, float32 [N], and the features.
    """
    middle = familiarity.means.mean(axis=0)
    root = familiarity.precision_root
    centres = (familiarity.means - middle) @ root.T
    whitening = keras.layers.Dense(len(root), name="whitening")
    whitened = whitening(features.output)
    whitening.set_weights([root.T, -root @ middle])
    crossing = keras.layers.Dense(len(centres), name="crossing")
    crossed = crossing(whitened)
    crossing.set_weights([-2 * centres.T, np.square(centres).sum(axis=1)])
    squares = keras.ops.sum(keras.ops.square(whitened), axis=1)
    nearest = squares + keras.ops.min(crossed, axis=1)
    distance = keras.ops.sqrt(keras.ops.maximum(nearest, 0.0))
    return keras.Model(features.input, [distance, features.output], name="novelty")
