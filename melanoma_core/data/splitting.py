"""Split a dataset into subsets that share no lesion, patient or copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from melanoma_core.data.cleaning import GROUP_KEYS
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.dataset import hash_table
from melanoma_core.errors import DatasetError
from melanoma_core.progress import Progress

_SUBSETS = ("train", "validation", "test")
_NUM_FOLDS = 7  # one fold each for test and validation: about 14%


@dataclass(frozen=True, eq=False)
class Split:
    """A dataset with a subset for every image.

    Attributes:
        table: `Dataset.table` with `subset` ("train", "validation" or "test") and `group`, an
            integer shared by images that must stay together.
        seed: Random seed of the split.
        sha256: Hash of the table (`dataset.hash_table`).
    """

    table: pd.DataFrame
    seed: int
    sha256: str

    def subset(self, name: str) -> pd.DataFrame:
        """Return the rows of one subset."""
        return self.table[self.table["subset"] == name].reset_index(drop=True)


@dataclass(frozen=True)
class Shares:
    """The shares of the images that are drawn for validation and for test.

    Attributes:
        validation, test: In percent, in steps of `STEP`; at least one step each, together at most
            `MOST`.

    Raises:
        DatasetError: A share is none of these.
    """

    validation: int
    test: int

    STEP = 5
    MOST = 60

    def __post_init__(self) -> None:
        """Check the shares."""
        shares = (self.validation, self.test)
        if min(shares) < self.STEP or any(each % self.STEP for each in shares):
            raise DatasetError(
                f"Found the shares {self.validation}% for validation and {self.test}% for test. "
                f"Each must be a multiple of {self.STEP}%, and at least {self.STEP}%."
            )
        if sum(shares) > self.MOST:
            raise DatasetError(
                f"Found shares of {sum(shares)}% for validation and test together. They may be at "
                f"most {self.MOST}%. Leave more images to train on."
            )

    @property
    def folds(self) -> tuple[int, int, int]:
        """The smallest number of equal folds with these shares: of validation, of test, of all."""
        step = gcd(self.validation, self.test, 100)
        return self.validation // step, self.test // step, 100 // step


def split_dataset(
    table: pd.DataFrame, seed: int, shares: Shares | None = None, progress: Progress | None = None
) -> Split:
    """Split a dataset into train, validation and test, stratified by diagnosis and by group.

    Groups of images whose published subset is "test" stay in test, and other groups of images
    whose published subset is "validation" stay in validation. The rest is drawn with scikit-learn's
    StratifiedGroupKFold.

    Args:
        table: `Dataset.table`.
        seed: Random seed; the same table and seed give the same split.
        shares: Of validation and test among the images that no published subset fixes. By default
            a seventh each.
        progress: Progress callback, called with the number of groups that are placed.

    Raises:
        DatasetError: The dataset has too few groups or images.
    """
    validation, test, num_folds = shares.folds if shares else (1, 1, _NUM_FOLDS)
    groups = find_groups(table)
    in_test = np.isin(groups, groups[table["subset"] == "test"])
    in_validation = ~in_test & np.isin(groups, groups[table["subset"] == "validation"])
    free = np.flatnonzero(~in_test & ~in_validation)
    subset = np.where(in_test, "test", "validation").astype(object)
    folds = _Folds(num_folds, seed, progress)
    names = ["test"] * test + ["validation"] * validation
    subset[free] = _draw(table["label"].iloc[free], groups[free], names, folds)
    split = table.assign(subset=subset, group=groups).reset_index(drop=True)
    check_split(split)
    return Split(split, seed, hash_table(split))


def add_to_train(split: Split, images: pd.DataFrame) -> Split:
    """Add images that serve training alone, such as those of a collection that names no patients.

    An image whose lesion, patient or near copy is in validation or test is not added. Neither is
    an image that its collection puts there.

    Args:
        split: Any split.
        images: Rows with the columns of `Dataset.table`, from the same folder.
    """
    images = images[~images["subset"].isin(["validation", "test"])]
    if images.empty:
        return split
    table = pd.concat([split.table, images.assign(subset="train")], ignore_index=True)
    groups = find_groups(table)
    is_held_out = np.isin(groups, groups[table["subset"] != "train"])
    is_added = np.arange(len(table)) >= len(split.table)
    table = table[~(is_added & is_held_out)].reset_index(drop=True)
    # Again, because an image that was not added may have joined the groups of two others.
    table = table.assign(group=find_groups(table))
    check_split(table)
    return Split(table, split.seed, hash_table(table))


def leave_out(split: Split, source: str, others: pd.DataFrame | None = None) -> Split:
    """Move a source to test, to evaluate a model on images from elsewhere.

    Groups that the source shares with other sources move too. Test then holds these images and
    those that were already in test.

    Args:
        split: Any split.
        source: A value of `source` in its table, or of the other images.
        others: Images of this source that the split lacks, such as those of which only the risk
            tier is known; they are moved too.

    Raises:
        DatasetError: The source has no images, or no other source has images in train.
    """
    table = split.table
    if others is not None and len(others):
        table = pd.concat([table, others.assign(subset="test")], ignore_index=True)
        table = table.assign(group=find_groups(table))
    moved = table["group"].isin(table.loc[table["source"] == source, "group"])
    num_left = int((~moved & (table["subset"] == "train")).sum())
    if not moved.any() or not num_left:
        sources = ", ".join(sorted(table["source"].unique()))
        raise DatasetError(
            f'Found {int(moved.sum())} images of the source "{source}", and {num_left} other '
            "images to train on. Both must be at least 1. Choose one of several sources: "
            f"{sources}."
        )
    moved_table = table.assign(subset=table["subset"].mask(moved, "test"))
    check_split(moved_table)
    return Split(moved_table, split.seed, hash_table(moved_table))


def continue_split(split: Split, earlier: pd.DataFrame) -> Split:
    """Keep every image in the subset that it had for an earlier network.

    A network that is trained further has seen the train images of the earlier one, so that they
    must not be in validation or test. A group takes the subset of its images that the earlier split
    holds; if there are several, the first of train, validation and test. Other groups keep
    their subset.

    Args:
        split: The new split.
        earlier: All images of the earlier split, with `image_id`, `sha256` and `subset`.
    """
    table = split.table
    ranks = earlier["subset"].map({name: rank for rank, name in enumerate(_SUBSETS)})
    found = pd.DataFrame(
        {key: table[key].map(ranks.groupby(earlier[key]).min()) for key in ("image_id", "sha256")}
    )
    first = found.min(axis=1).groupby(table["group"]).transform("min")
    return _with_subsets(split, first.map(dict(enumerate(_SUBSETS))).fillna(table["subset"]))


def draw_subsets(
    labels: pd.Series, groups: NDArray[np.integer[Any]], names: Sequence[str], seed: int
) -> NDArray[np.object_]:
    """Draw a seventh of the images for each subset, stratified by label and by group.

    Args:
        labels: [N].
        groups: int [N].
        names: Names of the subsets to draw, at most six.
        seed: Random seed.

    Returns:
        str [N], the name of a subset, or "train" for the rest.

    Raises:
        DatasetError: There are too few groups or images.
    """
    return _draw(labels, groups, names, _Folds(_NUM_FOLDS, seed))


def _draw(
    labels: pd.Series, groups: NDArray[np.integer[Any]], names: Sequence[str], folds: "_Folds"
) -> NDArray[np.object_]:
    """Draw one fold of images for each name."""
    # In NumPy, because pandas strings cannot hold folder names that are not valid UTF-8.
    classes = np.array([str(label) for label in labels])
    num_lesions = len(np.unique(groups))
    largest = int(np.unique(classes, return_counts=True)[1].max(initial=0))
    if min(num_lesions, largest) < folds.n_splits:
        raise DatasetError(
            f"Found {num_lesions} lesions to split, and at most {largest} images of one diagnosis. "
            f"Both must be at least {folds.n_splits}. Add images."
        )
    folds.num_groups = num_lesions
    subset = np.full(len(labels), "train", dtype=object)
    for name, (_, fold) in zip(names, folds.split(classes, classes, groups), strict=False):
        subset[fold] = name
    return subset


def find_groups(table: pd.DataFrame) -> NDArray[np.int32]:
    """Return a group number per row, equal for rows that share any of `cleaning.GROUP_KEYS`.

    Groups are transitive: if A shares a lesion with B, and B its bytes with C, all three are one
    group.

    Args:
        table: With the columns `cleaning.GROUP_KEYS`.

    Returns:
        int32 [N].
    """
    return connect_rows(table, GROUP_KEYS)


def check_split(table: pd.DataFrame) -> None:
    """Check that no lesion, patient, copy or group lies in two subsets.

    Args:
        table: `Split.table`.

    Raises:
        DatasetError: One does; the message names it.
    """
    for key in (*GROUP_KEYS, "group"):
        num_subsets = table.dropna(subset=[key]).groupby(key)["subset"].nunique()
        shared = num_subsets.index[num_subsets > 1]
        if len(shared):
            raise DatasetError(
                f"Found {len(shared)} values of {key} in more than one subset (the first is "
                f"{shared[0]}). Metrics would be too optimistic. Split the dataset again."
            )


class _Folds(StratifiedGroupKFold):  # type: ignore[misc]
    """Equal folds, stratified and by group, that report how many groups are placed."""

    def __init__(self, num_folds: int, seed: int, progress: Progress | None = None) -> None:
        super().__init__(num_folds, shuffle=True, random_state=seed)
        self.num_groups = 0
        self._progress, self._num_placed = progress, 0

    def _find_best_fold(self, **counts: Any) -> int:
        """Choose the fold of a group. scikit-learn calls this once for each group."""
        self._num_placed += 1
        if self._progress:
            self._progress(self._num_placed, self.num_groups)
        return int(super()._find_best_fold(**counts))


def _with_subsets(split: Split, subset: pd.Series) -> Split:
    table = split.table.assign(subset=subset)
    check_split(table)
    return Split(table, split.seed, hash_table(table))
