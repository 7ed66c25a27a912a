"""A split to what a recipe trains on: images held out as published, new images of rare classes."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.augmentation import Augmentation
from melanoma_core.data.balancing import check_parents, digest, plan_oversampling
from melanoma_core.data.dataset import hash_table
from melanoma_core.data.oversampling import oversample
from melanoma_core.data.splitting import Split
from melanoma_core.progress import Progress
from melanoma_core.training.recipe import Rebalancing, Recipe

TRAIN, PUBLISHED, VALIDATION, TEST = "train", "published", "validation", "test"
# A photograph that is met again in a later one of these was no news to the network there.
_ORDER = (TRAIN, PUBLISHED, VALIDATION, TEST)
_FOLDER_NAME = "oversampled"
# Of the photograph itself; a new image has others.
_OWN_FACTS = ("dhash", "width", "height")
# Of the order that is a mistake, as its projects have it: turned a little, so that a new image
# and its parent are nearly one.
AS_PUBLISHED = Augmentation(rotation=10, flip=False, zoom=0.0)


def prepare_split(
    recipe: Recipe, split: Split, folder: Path, progress: Progress | None = None
) -> Split:
    """Hold out what a recipe publishes, and make the new images that it trains on.

    Validation and test stay as they are. After the split, the share is held out first, and new
    images are made of what is left. Before the split (`Rebalancing.BEFORE_SPLIT`), new images are
    made of the whole train subset (`AS_PUBLISHED`), and the share is then drawn among old and new
    ones alike: the mistake of published projects, by which a network is measured on relatives of
    what it learned.

    Args:
        recipe: Its `rebalancing`, `images_per_class`, `published_share` and `seed` count.
        split: With `group`.
        folder: New images are written into its folder "oversampled". A call that was cut short
            is continued by the next.
        progress: Called with the number of new images made and their number in all; what it
            raises ends the work.

    Returns:
        The same rows and the new images, with another hash. Column `parent_image_id` is missing
        for photographs. A new image has its own `image_id`, `path` and `sha256`, no `dhash`,
        `width` and `height`, and all else of its parent. Held out are the rows of the subset
        "published".

    Raises:
        DatasetError: A photograph has gone or changed, the folder cannot be written to, or a new
            image would be measured by its relatives.
    """
    table = split.table.assign(parent_image_id=None)
    if recipe.rebalancing is Rebalancing.BEFORE_SPLIT:
        table = _hold_out(_add_images(table, recipe, folder, progress), recipe)
    else:
        table = _hold_out(table, recipe)
        if recipe.rebalancing is Rebalancing.OVERSAMPLING:
            table = _add_images(table, recipe, folder, progress)
    return Split(table, split.seed, hash_table(table))


def find_leaked(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Find the images of whose group another one is in a subset before theirs.

    The subsets in order: train, published, validation, test. What is not found this way is new
    to a network when it is measured.

    Args:
        table: With `group` and `subset`, all rows of a split.

    Returns:
        bool [N].
    """
    rank = table["subset"].map({name: rank for rank, name in enumerate(_ORDER)})
    return np.asarray(rank > rank.groupby(table["group"]).transform("min"), dtype=bool)


def _hold_out(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Draw the published share image by image, as evenly from every class."""
    train = table[table["subset"] == TRAIN]
    subset = table["subset"].copy()
    for _, ids in train.groupby("label")["image_id"]:
        drawn = sorted(ids.index, key=lambda row: digest(recipe.seed, PUBLISHED, ids[row]))
        subset.loc[drawn[: round(recipe.published_share * len(drawn))]] = PUBLISHED
    return table.assign(subset=subset)


def _add_images(
    table: pd.DataFrame, recipe: Recipe, folder: Path, progress: Progress | None
) -> pd.DataFrame:
    train = table[table["subset"] == TRAIN].reset_index(drop=True)
    manifest = oversample(
        train,
        plan_oversampling(train, recipe.images_per_class or None),
        AS_PUBLISHED if recipe.leaks else Augmentation(),
        folder=folder / _FOLDER_NAME,
        seed=recipe.seed,
        progress=progress,
    )
    # A copy that is told apart as leaked, as in a folder that was never cleaned, proves nothing.
    check_parents(manifest, table[~find_leaked(table)])
    if manifest.empty:
        return table
    parents = train.set_index("image_id").loc[manifest["parent_image_id"]].reset_index(drop=True)
    paths = [Path(path) for path in manifest["path"]]
    children = parents.assign(
        image_id=[f"{_FOLDER_NAME}/{path.parent.name}/{path.name}" for path in paths],
        path=manifest["path"],
        sha256=[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths],
        parent_image_id=manifest["parent_image_id"],
    ).drop(columns=[name for name in _OWN_FACTS if name in parents])
    return pd.concat([table, children], ignore_index=True)
