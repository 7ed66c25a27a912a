"""How frequent a network takes each class to be, and how frequent it is."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.training.batches import count_in_loss
from melanoma_core.training.photographs import index_labels
from melanoma_core.training.recipe import Recipe


def correct_frequencies(
    recipe: Recipe, train: pd.DataFrame, class_names: Sequence[str]
) -> NDArray[np.float32]:
    """Return what takes a recipe's rebalancing back from the head's bias, float32 [C].

    A class that counts more in the loss than it occurs is expected too often by that factor,
    whether it is drawn more often, has new images, or weighs more; the bias takes it back
    (Saerens et al. 2002, doi:10.1162/089976602753284446): exactly for the cross-entropy, nearly
    for the focal loss, for smoothed labels and for mixed ones, which temperature scaling follows.
    What occurs is the mix of the photographs in the train subset, without new images of them.

    Args:
        recipe: How the classes are drawn and weighed.
        train: The train subset, with `label` and perhaps `parent_image_id`.
        class_names: C outputs of the network, in order.
    """
    labels = index_labels(train, class_names)
    num_classes = len(class_names)
    counted = np.bincount(labels, count_in_loss(labels, recipe), minlength=num_classes)
    is_photograph = np.ones(len(train), dtype=bool)
    if "parent_image_id" in train:
        is_photograph = train["parent_image_id"].isna().to_numpy()
    occurring = np.bincount(labels[is_photograph], minlength=num_classes) / is_photograph.sum()
    present = occurring > 0
    correction = np.zeros(num_classes, dtype=np.float32)
    correction[present] = np.log(occurring[present] / counted[present])
    return correction
