"""Subsets that share no lesion, no patient and no copy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from melanoma_core.data.dataset import hash_table
from melanoma_core.errors import DatasetError

# What makes two images one group: same lesion, patient, bytes, or picture saved again. The last
# is told by difference hashes that are equal or nearly so.
GROUP_KEYS = ("lesion_id", "patient_id", "sha256", "dhash")
# Of 256. Among 77 million pairs of the ISIC photographs every pair within 11 bits is one picture,
# and the first two different lesions are 12 apart.
NEAR_COPY_BITS = 10
_ROWS_AT_ONCE = 512  # compared with all the others: 25 MB at 12,000 images
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
    subset = pd.Series("train", index=table.index)
    subset[np.isin(groups, groups[table["subset"] == "test"])] = "test"

    free = np.flatnonzero(subset == "train")
    labels = table["label"].iloc[free].astype(str)
    num_lesions = len(np.unique(groups[free]))
    most = int(labels.value_counts().max()) if len(free) else 0
    if min(num_lesions, most) < _NUM_FOLDS:
        raise DatasetError(
            f"Found {num_lesions} lesions to draw subsets from, and at most {most} photographs of "
            f"one diagnosis. Both must be at least {_NUM_FOLDS}. Add photographs."
        )
    folds = StratifiedGroupKFold(_NUM_FOLDS, shuffle=True, random_state=seed)
    drawn = folds.split(free, labels, groups[free])
    for name, (_, fold) in zip(("test", "validation"), drawn, strict=False):
        subset.iloc[free[fold]] = name

    split = table.assign(subset=subset, group=groups).reset_index(drop=True)
    check_split(split)
    return Split(split, seed, hash_table(split))


def find_groups(table: pd.DataFrame) -> NDArray[np.int32]:
    """Return an int32 [N], equal for rows that any of `GROUP_KEYS` ties together.

    Ties carry over: if A shares a lesion with B and B its bytes with C, all three are one group.
    """
    num_rows = len(table)
    first, second = [np.arange(num_rows)], [np.arange(num_rows)]
    for key in GROUP_KEYS:
        codes = pd.factorize(table[key])[0]
        known = np.flatnonzero(codes >= 0)
        representative = np.full(codes.max(initial=-1) + 1, -1)
        representative[codes[known]] = known
        first.append(known)
        second.append(representative[codes[known]])
    one, other = find_near_copies(table["dhash"])
    pairs = (np.concatenate([*first, one]), np.concatenate([*second, other]))
    graph = coo_array((np.ones(len(pairs[0]), dtype=bool), pairs), shape=(num_rows, num_rows))
    groups: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return groups


def find_near_copies(dhashes: pd.Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the pairs whose difference hashes differ in at most `NEAR_COPY_BITS` bits.

    Args:
        dhashes: Hexadecimal, all of one length (`scanning.difference_hash`).

    Returns:
        The positions of one and of the other, int [P] each, the smaller first.
    """
    words = np.frombuffer(bytes.fromhex("".join(dhashes)), np.uint64).reshape(len(dhashes), -1)
    found = []
    for start in range(0, len(words), _ROWS_AT_ONCE):
        # One word after the other: all at once would need their number times the memory.
        rows = words[start : start + _ROWS_AT_ONCE]
        distance = sum(
            np.bitwise_count(rows[:, None, word] ^ words[None, :, word]).astype(np.uint16)
            for word in range(words.shape[1])
        )
        one, other = np.nonzero(distance <= NEAR_COPY_BITS)
        found.append(np.stack([one + start, other]))
    pairs = np.concatenate(found, axis=1) if found else np.empty((2, 0), dtype=np.intp)
    one, other = pairs[:, pairs[0] < pairs[1]]
    return one, other


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
