"""Subsets that share no lesion, no patient and no copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from melanoma_core.data.cleaning import GROUP_KEYS
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.dataset import hash_table
from melanoma_core.errors import DatasetError

_SUBSETS = ("train", "validation", "test")
_NUM_FOLDS = 7  # one fold is a seventh: about 14% for test, and 14% for validation


@dataclass(frozen=True, eq=False)
class Split:
    """A dataset's rows with every subset set.

    Attributes:
        table: `Dataset.table` with `subset` "train", "validation" or "test", and `group`, an
            integer per set of images that must stay together.
        seed: What the draw was seeded with.
        sha256: Hash of the table (`dataset.hash_table`).
    """

    table: pd.DataFrame
    seed: int
    sha256: str

    def subset(self, name: str) -> pd.DataFrame:
        """Return the rows of one subset."""
        return self.table[self.table["subset"] == name].reset_index(drop=True)


def split_dataset(table: pd.DataFrame, seed: int) -> Split:
    """Draw train, validation and test, stratified by diagnosis, never parting a group.

    Images whose subset is "test" already stay in test, with all of their group; the rest is
    drawn with scikit-learn's StratifiedGroupKFold.

    Args:
        table: `Dataset.table`.
        seed: Of the draw; the same table and seed give the same split.

    Raises:
        DatasetError: There are fewer groups than a split needs.
    """
    groups = find_groups(table)
    in_test = np.isin(groups, groups[table["subset"] == "test"])
    free = np.flatnonzero(~in_test)
    subset = np.full(len(table), "test", dtype=object)
    subset[free] = draw_subsets(
        table["label"].iloc[free], groups[free], ("test", "validation"), seed
    )
    split = table.assign(subset=subset, group=groups).reset_index(drop=True)
    check_split(split)
    return Split(split, seed, hash_table(split))


def leave_out(split: Split, source: str) -> Split:
    """Move a whole source to test, to see how a network reads what comes from elsewhere.

    A lesion that the source shares with others goes with it, so that nothing of the source is
    trained on. Test then holds the source and what was in test before, which `source` tells apart.

    Args:
        split: Any split.
        source: Of `Dataset.table`.

    Raises:
        DatasetError: No image comes from there, or all that is trained on does.
    """
    table = split.table
    moved = table["group"].isin(table.loc[table["source"] == source, "group"])
    left = table[~moved & (table["subset"] == "train")]
    if not moved.any() or left.empty:
        known = ", ".join(sorted(table["source"].unique()))
        raise DatasetError(
            f'Found {int(moved.sum())} images of the source "{source}", and {len(left)} others to '
            f"train on. Name one of several sources to leave out; there are: {known}."
        )
    parted = table.assign(subset=table["subset"].mask(moved, "test"))
    check_split(parted)
    return Split(parted, split.seed, hash_table(parted))


def continue_split(split: Split, known: pd.DataFrame) -> Split:
    """Leave every image in the subset in which an earlier network met it.

    A network that goes on from that one has learned the earlier one's train images already: none
    of them may be measured on. A group takes the subset of its images that are known, of several
    the first of train, validation and test. What was not known stays where it was drawn.

    Args:
        split: Drawn as if nothing was known.
        known: With `image_id`, `sha256` and `subset`, of all that the earlier network met.
    """
    table = split.table
    ranks = known["subset"].map({name: rank for rank, name in enumerate(_SUBSETS)})
    met = pd.DataFrame(
        {key: table[key].map(ranks.groupby(known[key]).min()) for key in ("image_id", "sha256")}
    )
    first = met.min(axis=1).groupby(table["group"]).transform("min")
    subset = first.map(dict(enumerate(_SUBSETS))).fillna(table["subset"])
    continued = table.assign(subset=subset)
    check_split(continued)
    return Split(continued, split.seed, hash_table(continued))


def draw_subsets(
    labels: pd.Series, groups: NDArray[np.integer[Any]], names: Sequence[str], seed: int
) -> NDArray[np.object_]:
    """Draw a seventh of the images for each name, stratified by label, never parting a group.

    Args:
        labels: [N].
        groups: int [N].
        names: Of the subsets to draw; fewer than seven.
        seed: Of the draw.

    Returns:
        str [N], a name, or "train" for what is left.

    Raises:
        DatasetError: There are fewer groups than a split needs.
    """
    # By NumPy: what pandas' own strings hold must be text, and a folder's name need not be.
    classes = np.array([str(label) for label in labels])
    num_lesions = len(np.unique(groups))
    most = int(np.unique(classes, return_counts=True)[1].max(initial=0))
    if min(num_lesions, most) < _NUM_FOLDS:
        raise DatasetError(
            f"Found {num_lesions} lesions to draw subsets from, and at most {most} photographs of "
            f"one diagnosis. Both must be at least {_NUM_FOLDS}. Add photographs."
        )
    folds = StratifiedGroupKFold(_NUM_FOLDS, shuffle=True, random_state=seed)
    subset = np.full(len(labels), "train", dtype=object)
    for name, (_, fold) in zip(names, folds.split(classes, classes, groups), strict=False):
        subset[fold] = name
    return subset


def find_groups(table: pd.DataFrame) -> NDArray[np.int32]:
    """Return an int32 [N], equal for rows that any of `cleaning.GROUP_KEYS` ties together.

    Ties carry over: if A shares a lesion with B and B its bytes with C, all three are one group.
    """
    return connect_rows(table, GROUP_KEYS)


def check_split(table: pd.DataFrame) -> None:
    """Prove that no lesion, patient, copy or group lies in two subsets.

    Raises:
        DatasetError: One does; the message names it.
    """
    for key in (*GROUP_KEYS, "group"):
        num_subsets = table.dropna(subset=[key]).groupby(key)["subset"].nunique()
        shared = num_subsets.index[num_subsets > 1]
        if len(shared):
            raise DatasetError(
                f"Found {len(shared)} values of {key} in more than one subset (the first is "
                f"{shared[0]}). A measured figure would be too good. Split the data anew."
            )
