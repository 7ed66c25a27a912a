"""Apply a recipe to a split: hold out a published subset, and oversample rare classes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.augmentation import Augmentation
from melanoma_core.data.balancing import check_parents, digest, plan_oversampling
from melanoma_core.data.dataset import hash_table
from melanoma_core.data.oversampling import Oversampling, oversample
from melanoma_core.data.splitting import Split
from melanoma_core.progress import Progress
from melanoma_core.training.recipe import Rebalancing, Recipe
from melanoma_core.training.targets import select_classes

TRAIN, PUBLISHED, VALIDATION, TEST = "train", "published", "validation", "test"
# An image that shares a group with an earlier subset is leaked into the later one.
_ORDER = (TRAIN, PUBLISHED, VALIDATION, TEST)
_FOLDER_NAME = "oversampled"
# Properties of a photograph that its synthetic images do not share.
_OWN_FACTS = ("dhash", "width", "height")
# The augmentation of published projects that oversample before the split: small rotations only, so
# that a synthetic image is nearly identical to its parent.
_LEAKY_AUGMENTATION = Augmentation(rotation=10, flip=False, zoom=0.0)


def prepare_split(
    recipe: Recipe,
    split: Split,
    folder: Path,
    progress: Progress | None = None,
    class_names: Sequence[str] = (),
) -> Split:
    """Hold out the published subset of a recipe, and make its synthetic images.

    Validation and test do not change. Normally the published share is held out first, and
    synthetic images are made from the rest. With `Rebalancing.BEFORE_SPLIT`, synthetic images are
    made from the whole train subset, and the published share is then drawn from photographs and
    synthetic images alike. This reproduces the leakage of published projects, which evaluate a
    network on near copies of its training images.

    Args:
        recipe: Its `rebalancing`, `images_per_class`, `published_share` and `seed` are used.
        split: With `group`.
        folder: Synthetic images are written to its subfolder "oversampled". A later call
            continues an interrupted one.
        progress: Progress callback, in synthetic images. An exception that it raises stops the
            work.
        class_names: Outputs of the network. Images with another label, a risk tier, are not held
            out. Empty if there are none.

    Returns:
        The same rows and the synthetic images, with a new hash. `parent_image_id` is missing for
        photographs. A synthetic image has its own `image_id`, `path` and `sha256`, no `dhash`,
        `width` and `height`, and everything else from its parent. The subset "published" holds
        the published share.

    Raises:
        DatasetError: A photograph was removed or changed, the folder cannot be written to, or a
            synthetic image would leak into another subset.
    """
    table = split.table.assign(parent_image_id=None)
    if recipe.rebalancing is Rebalancing.BEFORE_SPLIT:
        table = _hold_out(_add_images(table, recipe, folder, progress), recipe, class_names)
    else:
        table = _hold_out(table, recipe, class_names)
        if recipe.rebalancing is Rebalancing.OVERSAMPLING:
            table = _add_images(table, recipe, folder, progress)
    return Split(table, split.seed, hash_table(table))


def find_leaked(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Find the images that share a group with an image of an earlier subset.

    The order of the subsets is train, published, validation, test. An image that is not leaked is
    unseen when the network is evaluated on it.

    Args:
        table: All rows of a split, with `group` and `subset`.

    Returns:
        bool [N].

    Example:
        >>> split = pd.DataFrame({"subset": ["train", "test", "test"], "group": [1, 1, 2]})
        >>> find_leaked(split)
        array([False,  True, False])
    """
    rank = table["subset"].map({name: rank for rank, name in enumerate(_ORDER)})
    return np.asarray(rank > rank.groupby(table["group"]).transform("min"), dtype=bool)


def _hold_out(table: pd.DataFrame, recipe: Recipe, class_names: Sequence[str]) -> pd.DataFrame:
    """Draw the published share image by image, the same share from each class."""
    train = table[table["subset"] == TRAIN]
    if class_names:
        train = select_classes(train, class_names)
    subset = table["subset"].copy()
    for _, ids in train.groupby("label")["image_id"]:
        drawn = sorted(ids.index, key=lambda row: digest(recipe.seed, PUBLISHED, ids[row]))
        subset.loc[drawn[: round(recipe.published_share * len(drawn))]] = PUBLISHED
    return table.assign(subset=subset)


def _add_images(
    table: pd.DataFrame, recipe: Recipe, folder: Path, progress: Progress | None
) -> pd.DataFrame:
    train = table[table["subset"] == TRAIN].reset_index(drop=True)
    oversampling = Oversampling(
        train,
        plan_oversampling(train, recipe.images_per_class or None),
        _LEAKY_AUGMENTATION if recipe.leaks else Augmentation(),
        recipe.seed,
    )
    manifest = oversample(oversampling, folder / _FOLDER_NAME, progress=progress)
    # Known leaked copies, as in a folder that was never cleaned, are not the fault of oversampling.
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
