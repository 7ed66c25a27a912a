"""Which images of a dataset a training uses, and for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import (
    Split,
    add_to_train,
    continue_split,
    find_groups,
    leave_out,
    split_dataset,
)
from melanoma_core.errors import DatasetError


@dataclass(frozen=True)
class Selection:
    """Which images of a dataset a training uses, and for what.

    Attributes:
        without: Collections and image ids that are not used at all, nor are relatives of these
            images.
        train_only: Collections that serve training alone, for example since photographs of one
            patient cannot be kept together.
        left_out: The collection that is left out of training and evaluated as an external test set.
    """

    without: tuple[str, ...] = ()
    train_only: tuple[str, ...] = ()
    left_out: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the selection for the model card, as JSON values; what is empty is absent."""
        found = {
            "without": list(self.without),
            "train_only": list(self.train_only),
            "left_out": self.left_out,
        }
        return {name: value for name, value in found.items() if value}


def select_split(
    dataset: Dataset, selection: Selection, seed: int, earlier: pd.DataFrame | None = None
) -> Split:
    """Split the selected images of a dataset.

    Images of which only the risk tier is known serve training alone, or the test of a collection
    that is left out. Where no image has a diagnosis, they are split themselves.

    Args:
        dataset: The dataset.
        selection: The selection.
        seed: Random seed of the split.
        earlier: The split of another network, whose images keep their subsets
            (`splitting.continue_split`).

    Raises:
        DatasetError: The dataset has no such collection or image, or too few images remain.
    """
    images = _drop(pd.concat([dataset.table, dataset.tiers], ignore_index=True), selection.without)
    _check_sources(images, selection.train_only)
    is_split = images["image_id"].isin(dataset.main["image_id"])
    # A collection that is left out as a whole is no more in training.
    train_only = set(selection.train_only) - {selection.left_out}
    is_extra = ~is_split | images["source"].isin(train_only)
    split = split_dataset(images[~is_extra].reset_index(drop=True), seed)
    if earlier is not None:
        split = continue_split(split, earlier)
    is_left_out = images["source"] == selection.left_out
    if selection.left_out:
        split = leave_out(split, selection.left_out, images[is_extra & is_left_out])
    return add_to_train(split, images[is_extra & ~is_left_out])


def _drop(images: pd.DataFrame, without: Sequence[str]) -> pd.DataFrame:
    """Return the images that are not of these collections and no relatives of these images."""
    known = {*images["source"], *images["image_id"]}
    unknown = [name for name in without if name not in known]
    if unknown:
        raise DatasetError(
            f"Found neither a collection nor an image {unknown[0]} to train without. There are the "
            f"collections {', '.join(sorted(images['source'].unique()))}. Name one of them, or the "
            "id of an image that is in use."
        )
    groups = find_groups(images)
    named = groups[images["image_id"].isin(without).to_numpy()]
    dropped = images["source"].isin(without) | pd.Series(groups, images.index).isin(named)
    return images[~dropped].reset_index(drop=True)


def _check_sources(images: pd.DataFrame, sources: Sequence[str]) -> None:
    found = set(images["source"])
    missing = [name for name in sources if name not in found]
    if missing:
        raise DatasetError(
            f"Found no collection {missing[0]} to use in training alone. There are: "
            f"{', '.join(sorted(found))}. Name one of these."
        )
