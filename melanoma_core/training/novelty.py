"""What photographs of lesions look like, learned on train; the limit, chosen on validation."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
from melanoma_core.models.novelty import FEATURE_LAYER, FEATURE_SIDE, add_distance, build_features
from melanoma_core.training.inference import BATCH_SIZE, predict
from melanoma_core.training.photographs import load_pixels

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
            predict(describing, load_pixels(table.iloc[start : start + BATCH_SIZE], image_size))
            for start in range(0, len(table), BATCH_SIZE)
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
