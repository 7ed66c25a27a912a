"""How often each image is drawn, by its class and its source, and how that is undone afterwards.

A collection that brings melanomas without benign lesions of its own teaches a network to recognise
the collection. `Recipe.source_balance` takes this cue away: it draws the classes of all sources in
the same mix, as far as the images allow.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from melanoma_core.models.predictions import index_labels
from melanoma_core.training.recipe import Rebalancing, Recipe
from melanoma_core.training.targets import find_members, list_targets

# An image is drawn at most this many times as often as the images of its class are on average: a
# source with five images of a class must not fill the class with them.
_MOST_REPEATS = 5.0


def compute_draw_probabilities(
    labels: NDArray[np.int64], recipe: Recipe, sources: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Return the probability of each image to be drawn.

    With n images, of which n(c) are of a class, n(s) of a source and n(s, c) of both, a class is
    drawn in proportion to n(c)^(1 - `class_balance`). Within a class, a source is drawn in
    proportion to n(s, c)^(1 - b) n(s)^b, where b is `source_balance`. So the log odds ratio of
    source and class in the draw is that of the data times 1 - b. With b = 1, source and class are
    independent, except for the classes that a source lacks and for the limit on repeats.

    Args:
        labels: int [N], positions in the class names.
        recipe: Its `class_balance` and `source_balance` are used.
        sources: [N], the source of each image; needed for `source_balance` alone.

    Returns:
        float64 [N], summing to 1.

    Example:
        >>> compute_draw_probabilities(np.array([0, 1, 1]), Recipe(name="", class_balance=1.0))
        array([0.5 , 0.25, 0.25])
    """
    counts = np.bincount(labels)
    weights = counts[labels].astype(np.float64) ** -recipe.class_balance
    if recipe.source_balance and sources is not None:
        weights *= _compute_source_factors(labels, sources, recipe.source_balance)
    return np.asarray(weights / weights.sum())


def _compute_source_factors(
    labels: NDArray[np.int64], sources: NDArray[Any], source_balance: float
) -> NDArray[np.float64]:
    """Return how often each image is drawn, as a multiple of the mean of its class."""
    positions = np.unique(sources, return_inverse=True)[1]
    counts = np.zeros((positions.max(initial=0) + 1, labels.max(initial=0) + 1))
    np.add.at(counts, (positions, labels), 1)
    odds = counts.sum(axis=1, keepdims=True) / np.where(counts, counts, np.inf)
    factors = np.where(counts, odds**source_balance, 0.0)
    # Each round fills a class again whose most repeated images were limited.
    for _ in range(10 * len(counts)):
        drawn = (factors * counts).sum(axis=0)
        factors *= counts.sum(axis=0) / np.where(drawn, drawn, np.inf)
        factors = np.minimum(factors, _MOST_REPEATS)
    return np.asarray(factors[positions, labels])


def compute_loss_shares(
    labels: NDArray[np.int64], recipe: Recipe, sources: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Return the expected share of each image in the loss of an epoch: draw times class weight.

    Args:
        labels: int [N], positions in the class names.
        recipe: Its `class_balance`, `source_balance` and `rebalancing` are used.
        sources: [N], the source of each image; needed for `source_balance` alone.

    Returns:
        float64 [N], summing to 1.
    """
    share = compute_draw_probabilities(labels, recipe, sources)
    if recipe.rebalancing is Rebalancing.CLASS_WEIGHTS:
        share = share * compute_sample_weight("balanced", labels)
    return np.asarray(share / share.sum())


def compute_bias_correction(
    recipe: Recipe, train: pd.DataFrame, class_names: Sequence[str]
) -> NDArray[np.float32]:
    """Return the change of the output bias that undoes a recipe's rebalancing.

    A class with a larger share in the loss than in the data is predicted too often by that
    factor, no matter if it is drawn more often, oversampled or weighted. The bias corrects this
    (Saerens et al. 2002, doi:10.1162/089976602753284446). The correction is exact for
    cross-entropy and approximate for focal loss, label smoothing and mixup; temperature scaling
    follows. The reference is the class mix of the train subset without synthetic images and without
    images of which only the risk tier is known. In the loss, these count for the diagnoses of their
    tier, in proportion to the shares of these.

    Args:
        recipe: Determines the draw and the class weights.
        train: The train subset, with `label`, `source` for `source_balance`, and optionally
            `parent_image_id`.
        class_names: C outputs of the network, in order.

    Returns:
        float32 [C], to be added to the bias; 0 for classes without images.

    Raises:
        DatasetError: A label is not among the class names.
    """
    targets = list_targets(train["label"], class_names)
    num_classes, labels = len(class_names), index_labels(train, targets)
    sources = train["source"].to_numpy() if recipe.source_balance else None
    shares = compute_loss_shares(labels, recipe, sources)
    of_target = np.bincount(labels, shares, minlength=len(targets)).astype(np.float64)
    in_loss = _spread_tiers(of_target, find_members(targets, class_names))
    is_counted = labels < num_classes
    if "parent_image_id" in train:
        is_counted &= train["parent_image_id"].isna().to_numpy()
    in_data = np.bincount(labels[is_counted], minlength=num_classes) / is_counted.sum()
    present = in_data > 0
    correction = np.zeros(num_classes, dtype=np.float32)
    correction[present] = np.log(in_data[present] / in_loss[present])
    return correction


def _spread_tiers(
    of_target: NDArray[np.float64], members: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Add the share of each tier to its classes, in proportion to their own shares."""
    num_classes = len(of_target) - len(members)
    own, spread = of_target[:num_classes], of_target[:num_classes].copy()
    for share, classes in zip(of_target[num_classes:], map(list, members), strict=True):
        spread[classes] += share * own[classes] / max(own[classes].sum(), np.finfo(float).tiny)
    return spread
