"""What can be wrong with photographs, each thing found and told on its own.

All of it works on the readable rows of the file table with the columns that `audit` adds:
`diagnosis` (the ground truth's, else the label), `origin` (where the photograph was published), and
the groups `exact` (copies), `picture` (copies, near copies, files of one image id) and `related`
(those, and files of one lesion).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.taxonomy import Diagnosis

# Cohen (1988) calls 0.5 a large effect where one of the two has two values.
_LARGE_EFFECT = 0.5

Groups = tuple[tuple[str, ...], ...]


class FindingKind(StrEnum):
    """What can be wrong."""

    UNREADABLE = "unreadable"
    UNKNOWN_LABELS = "unknown-labels"
    EXACT_DUPLICATES = "exact-duplicates"
    PIXEL_DUPLICATES = "pixel-duplicates"
    NEAR_DUPLICATES = "near-duplicates"
    LABEL_CONFLICTS = "label-conflicts"
    TRAIN_TEST_DUPLICATES = "train-test-duplicates"
    SHARED_LESIONS = "shared-lesions"
    SINGLE_SOURCE = "single-source"


class Severity(StrEnum):
    """How much a finding spoils. The order is that of concern, highest first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: What it is.
        severity: How much it spoils.
        changes_labels: Whether some image is trained on or measured under a wrong label.
        inflates_scores: Whether a figure measured on the folder as it is would be too good.
        num_images: Files that it concerns; of leaks, the Test files alone.
        sentence: The finding in plain words.
        groups: Paths that belong together: copies of one picture; of a leak, the Test file first
            and then its Train files; of a class with one source, its files.
    """

    kind: FindingKind
    severity: Severity
    changes_labels: bool
    inflates_scores: bool
    num_images: int
    sentence: str
    groups: Groups


@dataclass(frozen=True)
class LabelConflict:
    """Two labels, as written, that copies of one picture carry."""

    labels: tuple[str, str]
    num_groups: int


def find_unreadable(records: pd.DataFrame) -> Finding | None:
    """Find the files without facts; takes all records."""
    paths = records.loc[records["sha256"].isna(), "path"]
    return _report(
        FindingKind.UNREADABLE,
        Severity.LOW,
        tuple((path,) for path in paths),
        f"{count_of(len(paths), 'file')} cannot be read and will not be used.",
    )


def find_unknown_labels(readable: pd.DataFrame) -> Finding | None:
    """Find the files whose diagnosis nobody knows."""
    unknown = readable[readable["diagnosis"].isna()]
    names = ", ".join(f'"{name}"' for name in unknown["name"].dropna().unique()[:5])
    return _report(
        FindingKind.UNKNOWN_LABELS,
        Severity.LOW,
        tuple((path,) for path in unknown["path"]),
        f"{count_of(len(unknown), 'file')} with a label that is none of the eight diagnoses "
        f"({names or 'no label at all'}) will not be used.",
    )


def find_exact_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find the byte-identical files."""
    groups = _group_paths(readable, "sha256")
    return _report(
        FindingKind.EXACT_DUPLICATES,
        Severity.MEDIUM,
        groups,
        f"Found {count_of(len(groups), 'picture')} as {_num_paths(groups):,} byte-identical "
        "files. Each counts more than once, and a random split puts some beside their own copy.",
        inflates_scores=True,
    )


def find_pixel_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find equal pixels in different bytes."""
    groups = _group_paths(readable, "pixel_sha256", differing_in="sha256")
    return _report(
        FindingKind.PIXEL_DUPLICATES,
        Severity.MEDIUM,
        groups,
        f"Found {count_of(len(groups), 'picture')} as {_num_paths(groups):,} files with the "
        "same pixels in different bytes. No comparison of files finds them.",
        inflates_scores=True,
    )


def find_near_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find one picture saved with other pixels."""
    groups = _group_paths(readable, "cluster", differing_in="pixel_sha256")
    return _report(
        FindingKind.NEAR_DUPLICATES,
        Severity.MEDIUM,
        groups,
        f"Found {count_of(len(groups), 'picture')} as {_num_paths(groups):,} files that differ "
        "in size, compression or colour alone; seen in their pixels, not in their names.",
        inflates_scores=True,
    )


def find_label_conflicts(
    readable: pd.DataFrame, conflicts: tuple[LabelConflict, ...]
) -> Finding | None:
    """Find the pictures with contradictory labels."""
    groups = _group_paths(readable[_is_in_conflict(readable)], "picture")
    pairs = ", ".join(f"{each.num_groups} {' / '.join(each.labels)}" for each in conflicts[:5])
    return _report(
        FindingKind.LABEL_CONFLICTS,
        Severity.HIGH,
        groups,
        f"{count_of(len(groups), 'picture')} carry more than one label: {pairs}. At least one of "
        "each is wrong.",
        changes_labels=True,
    )


def find_train_test_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find the Test files that are copies of Train files."""
    groups = _pair_test_with_train(readable, "exact")
    num_test = int((readable["subset"] == "test").sum())
    return _report(
        FindingKind.TRAIN_TEST_DUPLICATES,
        Severity.HIGH,
        groups,
        f"{len(groups)} of {count_of(num_test, 'Test image')} are "
        "copies of Train images: the network is asked what it was told.",
        inflates_scores=True,
        num_images=len(groups),
    )


def find_shared_lesions(readable: pd.DataFrame) -> Finding | None:
    """Find the Test files whose photograph or lesion is in Train."""
    groups = _pair_test_with_train(readable, "related")
    num_test = int((readable["subset"] == "test").sum())
    return _report(
        FindingKind.SHARED_LESIONS,
        Severity.HIGH,
        groups,
        f"{len(groups)} of {count_of(num_test, 'Test image')} share "
        "a photograph or a lesion with Train. A score on them is no score on new patients.",
        inflates_scores=True,
        num_images=len(groups),
    )


def find_single_sources(readable: pd.DataFrame, association: float) -> Finding | None:
    """Find the diagnoses that come from one source, or not from the largest.

    Args:
        readable: The readable rows.
        association: Cramér's V of source and diagnosis (`audit.measure_association`).
    """
    known = readable.dropna(subset=["diagnosis"])
    counts = pd.crosstab(known["diagnosis"], known["origin"])
    if min(counts.shape) < 2:
        return None
    single = counts.index[(counts > 0).sum(axis=1) == 1]
    largest = counts.sum().idxmax()
    absent = counts.index[counts[largest] == 0]
    told = [
        f"All photographs of {Diagnosis(label).title} come from {counts.loc[label].idxmax()}."
        for label in single
    ] + [
        f"None of {Diagnosis(label).title} comes from {largest}, the largest source."
        for label in absent.difference(single)
    ]
    concerned = known[known["diagnosis"].isin(single.union(absent))]
    return _report(
        FindingKind.SINGLE_SOURCE,
        Severity.HIGH if association >= _LARGE_EFFECT else Severity.MEDIUM,
        tuple(tuple(paths) for _, paths in concerned.groupby("diagnosis")["path"]),
        f"{' '.join(told)} Source and diagnosis go together with a Cramér's V of "
        f"{association:.2f} (0: not at all; 1: one tells the other). A network that learns the "
        "camera, the light or the compression of a source is right without having seen the "
        "disease, and wrong on photographs from elsewhere.",
        inflates_scores=True,
    )


def count_conflicts(readable: pd.DataFrame) -> tuple[LabelConflict, ...]:
    """Count the pictures by the two labels that contradict each other on them."""
    conflicting = readable[_is_in_conflict(readable)]
    words = conflicting[["picture", "source", "name", "label"]]
    words = words.dropna(subset=["name"]).drop_duplicates()
    counted: Counter[tuple[str, str]] = Counter()
    for _, said in words.groupby("picture"):
        rows = said.sort_values("name")[["source", "name", "label"]].itertuples(index=False)
        counted.update(
            {(str(a.name), str(b.name)) for a, b in combinations(rows, 2) if _contradict(a, b)}
        )
    return tuple(LabelConflict(pair, count) for pair, count in counted.most_common())


def _contradict(one: Any, other: Any) -> bool:
    """Tell whether two rows of source, name and label contradict each other.

    Within a collection the labels as written count, and between collections what they mean: "nv"
    and "nevus" are one label.
    """
    if one.source == other.source:
        return bool(one.name.casefold() != other.name.casefold())
    return pd.notna(one.label) and pd.notna(other.label) and bool(one.label != other.label)


def _is_in_conflict(readable: pd.DataFrame) -> "pd.Series[bool]":
    """Tell the files of pictures in which any two files contradict each other."""
    names = readable["name"].str.casefold()
    num_names = names.groupby([readable["picture"], readable["source"]]).transform("nunique")
    num_labels = readable.groupby("picture")["label"].transform("nunique")
    in_one_source = (num_names > 1).groupby(readable["picture"]).transform("any")
    in_conflict: pd.Series[bool] = in_one_source | (num_labels > 1)
    return in_conflict


def _group_paths(readable: pd.DataFrame, key: str, differing_in: str | None = None) -> Groups:
    """Return the paths of files that share a key, where there are several of them."""
    grouped = readable.groupby(key)
    wanted = grouped["path"].transform("size") > 1
    if differing_in:
        wanted &= grouped[differing_in].transform("nunique") > 1
    return tuple(tuple(paths) for _, paths in readable[wanted].groupby(key, sort=False)["path"])


def _pair_test_with_train(readable: pd.DataFrame, key: str) -> Groups:
    """Return for each Test file that shares the key with a Train file: it, then those."""
    train = readable[readable["subset"].isin(["train", "validation"])]
    test = readable[(readable["subset"] == "test") & readable[key].isin(train[key])]
    partners: Mapping[Any, NDArray[np.object_]] = {
        value: paths.to_numpy() for value, paths in train.groupby(key)["path"]
    }
    return tuple(
        (path, *partners[value]) for path, value in zip(test["path"], test[key], strict=True)
    )


def _report(
    kind: FindingKind,
    severity: Severity,
    groups: Groups,
    sentence: str,
    *,
    changes_labels: bool = False,
    inflates_scores: bool = False,
    num_images: int | None = None,
) -> Finding | None:
    if not groups:
        return None
    count = _num_paths(groups) if num_images is None else num_images
    return Finding(kind, severity, changes_labels, inflates_scores, count, sentence, groups)


def _num_paths(groups: Groups) -> int:
    return sum(len(group) for group in groups)


def count_of(number: int, noun: str) -> str:
    """Return "1 file" or "2 files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
