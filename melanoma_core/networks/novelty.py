"""What photographs of lesions look like, learned on train; the limit, chosen on validation."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.evaluation.novelty import (
    LARGEST_SHARE,
    Collections,
    Familiarity,
    choose_limit,
    describe_collections,
    fit_familiarity,
    measure_left_out,
    measure_refused,
)
from melanoma_core.models.card import NoveltyLimit
from melanoma_core.networks.inference import BATCH_SIZE, predict

FEATURE_LAYER = "block_10_expand_relu"
FEATURE_SIDE = 128  # px
_FEATURES = (
    f"MobileNetV2 with its ImageNet weights, {FEATURE_LAYER} at {FEATURE_SIDE}×{FEATURE_SIDE} "
    "pixels, averaged over the picture"
)


@dataclass(frozen=True, eq=False)
class NoveltyCheck:
    """What tells how unlike the known photographs one is.

    Attributes:
        network: uint8 [N, size, size, 3] -> distance and features, as `novelty.add_distance`.
        familiarity: What the network measures the distance to.
        features: float32 [N, D], of every photograph of `collections`, in its order.
        collections: Where they come from; without new images that were made of them.
    """

    network: keras.Model
    familiarity: Familiarity
    features: NDArray[np.float32]
    collections: Collections


def fit_novelty(table: pd.DataFrame, image_size: int, weights: Path | str) -> NoveltyCheck:
    """Learn from the train subset what a photograph of a lesion looks like.

    Args:
        table: Of a split: with `path`, `label`, `source`, `group` and `subset`.
        image_size: Side of the network's square input, in pixels.
        weights: Of MobileNetV2 without its head (`weights.find_novelty_weights`).

    Raises:
        DatasetError: The train subset is too small.
        ImageError: A file has gone or changed since the table was made.
    """
    if "parent_image_id" in table:
        table = table[table["parent_image_id"].isna()]
    collections = describe_collections(table)
    describing = build_features(image_size, weights)
    features = np.concatenate(
        [
            # A few at a time, since the photographs of a whole table may not fit into memory.
            predict(describing, pixels)
            for _, pixels in decode_table(table, image_size, batch_size=BATCH_SIZE)
        ]
    )
    train = collections.subsets == "train"
    familiarity = fit_familiarity(features[train], collections.labels[train])
    network = add_distance(describing, familiarity)
    return NoveltyCheck(network, familiarity, features, collections)


def choose_novelty_limit(check: NoveltyCheck) -> NoveltyLimit:
    """Choose the limit on validation, and measure whom it refuses there and elsewhere."""
    collections = check.collections
    distances = check.familiarity.measure(check.features)
    limit = choose_limit(distances[collections.subsets == "validation"], LARGEST_SHARE)
    refused = measure_refused(distances > limit, collections)
    return NoveltyLimit(
        distance=limit,
        chosen_on="validation",
        largest_share=LARGEST_SHARE,
        refused=refused | measure_left_out(check.features, collections, LARGEST_SHARE),
        features=_FEATURES,
    )


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
