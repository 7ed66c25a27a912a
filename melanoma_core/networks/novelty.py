"""Fit the out-of-distribution (OOD) check of a model, and add it to the exported network.

The check is fitted on the train subset, and its limit is chosen on validation. Cards and code call
its score `novelty`; see `evaluation.novelty`.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.evaluation.novelty import (
    LARGEST_SHARE,
    FeatureDistribution,
    ImageOrigins,
    choose_limit,
    fit_feature_distribution,
    get_origins,
    measure_left_out,
    measure_refused,
)
from melanoma_core.models.card import NoveltyLimit
from melanoma_core.networks.inference import BATCH_SIZE, predict
from melanoma_core.progress import Progress

_FEATURE_LAYER = "block_10_expand_relu"
# Sides of the features' input, in pixels. At fewer, more ordinary photographs pass for lesions; at
# more, the features take longer than the whole network (docs/explanation/refusals.md).
_SMALLEST_SIDE, _LARGEST_SIDE = 128, 160


@dataclass(frozen=True, eq=False)
class NoveltyCheck:
    """A fitted OOD check.

    Attributes:
        network: uint8 [N, size, size, 3] -> distance and features; see `add_distance`.
        distribution: Feature distribution of the train subset.
        features: float32 [N, D], of the images of `origins`, in their order.
        origins: Label, group, subset and source of the photographs, without synthetic images.
        description: What the features are, in words.
    """

    network: keras.Model
    distribution: FeatureDistribution
    features: NDArray[np.float32]
    origins: ImageOrigins
    description: str


def fit_novelty(
    table: pd.DataFrame, image_size: int, weights: Path | str, progress: Progress | None = None
) -> NoveltyCheck:
    """Fit the OOD check to the train subset.

    Args:
        table: Rows of a split, with `path`, `label`, `source`, `group` and `subset`.
        image_size: Side of the square input of the network, in pixels.
        weights: Weights of MobileNetV2 without its head (`weights.find_novelty_weights`).
        progress: Progress callback, in photographs. An exception that it raises stops the work.

    Raises:
        DatasetError: The train subset is too small.
        ImageError: A file was removed or changed since the table was made.
    """
    if "parent_image_id" in table:
        table = table[table["parent_image_id"].isna()]
    origins = get_origins(table)
    feature_network = build_feature_network(image_size, weights)
    features = np.concatenate(
        [
            predict(feature_network, pixels)
            for _, pixels in decode_table(
                table, image_size, batch_size=BATCH_SIZE, progress=progress
            )
        ]
    )
    train = origins.subsets == "train"
    distribution = fit_feature_distribution(features[train], origins.labels[train])
    network = add_distance(feature_network, distribution)
    side = choose_side(image_size)
    description = (
        f"MobileNetV2 with its ImageNet weights, {_FEATURE_LAYER} at {side}×{side} pixels, "
        "averaged over the image"
    )
    return NoveltyCheck(network, distribution, features, origins, description)


def choose_novelty_limit(check: NoveltyCheck) -> NoveltyLimit:
    """Choose the limit on validation, and compute the share of lesions that it refuses."""
    origins = check.origins
    distances = check.distribution.measure(check.features)
    limit = choose_limit(distances[origins.subsets == "validation"], LARGEST_SHARE)
    refused = measure_refused(distances > limit, origins)
    return NoveltyLimit(
        distance=limit,
        chosen_on="validation",
        largest_share=LARGEST_SHARE,
        refused=refused | measure_left_out(check.features, origins, LARGEST_SHARE),
        features=check.description,
    )


def choose_side(image_size: int) -> int:
    """Return the side of the features' input for a network of a given input, in pixels.

    Where it is the network's own, the layers that training has not changed (`frozen_stride`) are
    equal in both, and the ONNX form computes them once.

    >>> [choose_side(side) for side in (96, 128, 160, 192)]
    [128, 128, 160, 128]
    """
    return image_size if _SMALLEST_SIDE <= image_size <= _LARGEST_SIDE else _SMALLEST_SIDE


def build_feature_network(image_size: int, weights: Path | str) -> keras.Model:
    """Build the network that computes the features of the OOD check.

    Args:
        image_size: Side of the square input, in pixels.
        weights: Weights of MobileNetV2 without its head: a file, or "imagenet", which Keras
            downloads if it has not done so before.

    Returns:
        uint8 [N, size, size, 3] -> float32 [N, 384], the mean of each feature over the image.
    """
    # Keras has another ImageNet file for each image size. The training used the one for the size of
    # the network, so it is available offline.
    pretrained = keras.applications.MobileNetV2(
        include_top=False, weights=weights, input_shape=(image_size, image_size, 3)
    )
    photograph = keras.Input((image_size, image_size, 3), dtype="uint8", name="photograph")
    scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(photograph)
    side = choose_side(image_size)
    if image_size != side:
        scaled = keras.layers.Resizing(side, side)(scaled)
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_tensor=scaled)
    backbone.set_weights(pretrained.get_weights())
    # Otherwise tf2onnx exports batch normalisation in training mode, with other features.
    backbone.trainable = False
    activation = backbone.get_layer(_FEATURE_LAYER).output
    features = keras.layers.GlobalAveragePooling2D()(activation)
    return keras.Model(photograph, features, name="untuned")


def add_distance(features: keras.Model, distribution: FeatureDistribution) -> keras.Model:
    """Return the feature network with the distance to the nearest diagnosis as first output.

    The distance is computed by two dense layers, since |z - c|² = |z|² - 2 z·c + |c|². The features
    are centred first, because a difference of large numbers would lose precision.

    Args:
        features: uint8 [N, size, size, 3] -> float32 [N, D].
        distribution: Fitted to such features.

    Returns:
        uint8 [N, size, size, 3] -> the Mahalanobis distance, float32 [N], and the features.
    """
    middle = distribution.means.mean(axis=0)
    root = distribution.precision_root
    centres = (distribution.means - middle) @ root.T
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
