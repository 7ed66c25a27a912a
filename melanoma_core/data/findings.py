"""The findings of an audit: each function looks for one kind of problem.

The functions take the readable rows of the file table with the columns that `audit` adds:
`diagnosis` (of the ground truth, else the label), `origin` (the source in which the image was
published), and the groups `exact` (exact copies), `photograph` (copies, near copies and files of
one image id), `related` (these, and files of one lesion) and `person` (these, and files of one
patient; missing without a patient id).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from melanoma_core.data.identities import find_repeated_ids as find_ids_in_several_folders
from melanoma_core.taxonomy import read_label, title_label

# Cohen (1988) calls 0.5 a large effect if one of the two variables has two values.
_LARGE_EFFECT = 0.5

Groups = tuple[tuple[str, ...], ...]


class FindingKind(StrEnum):
    """The kinds of problems."""

    UNREADABLE = "unreadable"
    UNKNOWN_LABELS = "unknown-labels"
    TIER_LABELS = "tier-labels"
    NOT_LOOKED_AT = "not-looked-at"
    MISSING_FILES = "missing-files"
    BARRED_LINKS = "barred-links"
    CONTRADICTED_FOLDERS = "contradicted-folders"
    RELABELLED = "relabelled"
    DIFFERENT_PICTURES = "different-pictures"
    MIXED_IMAGE_TYPES = "mixed-image-types"
    UNKNOWN_FACTS = "unknown-facts"
    LEFT_OUT = "left-out"
    LOST_CLASSES = "lost-classes"
    EXACT_DUPLICATES = "exact-duplicates"
    PIXEL_DUPLICATES = "pixel-duplicates"
    NEAR_DUPLICATES = "near-duplicates"
    LABEL_CONFLICTS = "label-conflicts"
    TRAIN_TEST_DUPLICATES = "train-test-duplicates"
    SHARED_LESIONS = "shared-lesions"
    SHARED_PATIENTS = "shared-patients"
    REPEATED_IDS = "repeated-ids"
    SINGLE_SOURCE = "single-source"


class Severity(StrEnum):
    """The severity of a finding, highest first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Finding:
    """A problem of a dataset.

    Attributes:
        kind: The kind of problem.
        severity: Its severity.
        changes_labels: Whether some images have a wrong label in training or evaluation.
        inflates_scores: Whether metrics on the dataset as it is would be too optimistic.
        num_images: Number of affected files. For leakage, the number of Test files.
        sentence: Description of the problem.
        groups: Paths that belong together: copies of one photograph; for leakage, a Test file
            followed by its Train files; for a class with one source, its files.
    """

    kind: FindingKind
    severity: Severity
    changes_labels: bool
    inflates_scores: bool
    num_images: int
    sentence: str
    groups: Groups


# Severity, whether it changes labels, whether it inflates scores.
_EFFECTS = {
    FindingKind.UNREADABLE: (Severity.LOW, False, False),
    FindingKind.UNKNOWN_LABELS: (Severity.LOW, False, False),
    FindingKind.TIER_LABELS: (Severity.LOW, False, False),
    FindingKind.NOT_LOOKED_AT: (Severity.MEDIUM, False, False),
    FindingKind.MISSING_FILES: (Severity.MEDIUM, False, False),
    FindingKind.BARRED_LINKS: (Severity.MEDIUM, False, False),
    FindingKind.CONTRADICTED_FOLDERS: (Severity.HIGH, True, False),
    FindingKind.RELABELLED: (Severity.MEDIUM, True, False),
    FindingKind.DIFFERENT_PICTURES: (Severity.MEDIUM, False, False),
    FindingKind.MIXED_IMAGE_TYPES: (Severity.MEDIUM, False, False),
    FindingKind.UNKNOWN_FACTS: (Severity.LOW, False, False),
    FindingKind.LEFT_OUT: (Severity.MEDIUM, False, False),
    FindingKind.LOST_CLASSES: (Severity.HIGH, False, False),
    FindingKind.EXACT_DUPLICATES: (Severity.MEDIUM, False, True),
    FindingKind.PIXEL_DUPLICATES: (Severity.MEDIUM, False, True),
    FindingKind.NEAR_DUPLICATES: (Severity.MEDIUM, False, True),
    FindingKind.LABEL_CONFLICTS: (Severity.HIGH, True, False),
    FindingKind.TRAIN_TEST_DUPLICATES: (Severity.HIGH, False, True),
    FindingKind.SHARED_LESIONS: (Severity.HIGH, False, True),
    FindingKind.SHARED_PATIENTS: (Severity.HIGH, False, True),
    FindingKind.REPEATED_IDS: (Severity.LOW, False, False),
    FindingKind.SINGLE_SOURCE: (Severity.MEDIUM, False, True),
}


@dataclass(frozen=True)
class LabelConflict:
    """A pair of conflicting labels, as written, and the number of photographs that have both."""

    labels: tuple[str, str]
    num_groups: int


def find_exact_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find byte-identical files."""
    groups = _group_paths(readable, "sha256")
    sentence = (
        f"{_describe_copies(groups)} byte-identical files. Copies count more than once, and a "
        "random split puts some of them into different subsets."
    )
    return report(FindingKind.EXACT_DUPLICATES, groups, sentence)


def find_pixel_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find files with equal pixels in different bytes."""
    groups = _group_paths(readable, "pixel_sha256", differing_in="sha256")
    sentence = (
        f"{_describe_copies(groups)} files with the same pixels in different bytes. Comparing "
        "bytes does not find them."
    )
    return report(FindingKind.PIXEL_DUPLICATES, groups, sentence)


def find_near_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find near copies: one photograph with different pixels."""
    groups = _group_paths(readable, "cluster", differing_in="pixel_sha256")
    sentence = (
        f"{_describe_copies(groups)} files that differ only in size, compression, colour or "
        "orientation. Their pixels were compared, not their names."
    )
    return report(FindingKind.NEAR_DUPLICATES, groups, sentence)


def find_label_conflicts(
    readable: pd.DataFrame, conflicts: tuple[LabelConflict, ...]
) -> Finding | None:
    """Find photographs with conflicting labels.

    Args:
        readable: The readable rows.
        conflicts: The number of conflicts by pair of labels (`count_conflicts`).
    """
    groups = _group_paths(readable[_has_conflict(readable)], "photograph")
    pairs = ", ".join(f"{each.num_groups} {' / '.join(each.labels)}" for each in conflicts[:5])
    sentence = (
        f"Found {count_of(len(groups), 'photograph')} with more than one label: {pairs}. At least "
        "one label of each is wrong."
    )
    return report(FindingKind.LABEL_CONFLICTS, groups, sentence)


def find_train_test_duplicates(readable: pd.DataFrame) -> Finding | None:
    """Find Test files with a copy in Train."""
    return _report_leakage(readable, "exact", FindingKind.TRAIN_TEST_DUPLICATES, "a copy")


def find_shared_lesions(readable: pd.DataFrame) -> Finding | None:
    """Find Test files whose photograph or lesion is also in Train."""
    shared = "the same photograph or lesion"
    return _report_leakage(readable, "related", FindingKind.SHARED_LESIONS, shared)


def find_shared_patients(readable: pd.DataFrame) -> Finding | None:
    """Find Test files whose patient is also in Train."""
    return _report_leakage(readable, "person", FindingKind.SHARED_PATIENTS, "the same patient")


def find_repeated_ids(readable: pd.DataFrame) -> Finding | None:
    """Find ids of lesions and patients that several collections use (`identities.scope_ids`)."""
    sentences, groups = [], []
    for column, noun in (("lesion_id", "lesion"), ("patient_id", "patient")):
        folders = find_ids_in_several_folders(readable[column])
        if not folders:
            continue
        first, *_ = folders
        sentences.append(
            f"{count_of(len(folders), f'{noun} id')} in more than one collection (such as "
            f'"{first}" in {" and ".join(folders[first])})'
        )
        scoped = [f"{folder}/{each}" for each, found in folders.items() for folder in found]
        files = readable[readable[column].isin(scoped)]
        groups += [tuple(paths) for _, paths in files.groupby(column, sort=False)["path"]]
    sentence = (
        f"Found {' and '.join(sentences)}. They count as different. If they are the same, put the "
        "collections into one folder with one table."
    )
    return report(FindingKind.REPEATED_IDS, tuple(groups), sentence)


def find_single_sources(readable: pd.DataFrame, association: float) -> Finding | None:
    """Find diagnoses that come from a single source, or do not occur in the largest source.

    Args:
        readable: The readable rows.
        association: Cramér's V of source and diagnosis (`measure_association`).
    """
    known = readable.dropna(subset=["diagnosis"])
    counts = pd.crosstab(known["diagnosis"], known["origin"])
    if min(counts.shape) < 2:
        return None
    single = counts.index[(counts > 0).sum(axis=1) == 1]
    largest = counts.sum().idxmax()
    absent = counts.index[counts[largest] == 0]
    sentences = [
        f"All images of {title_label(read_label(label))} come from {counts.loc[label].idxmax()}."
        for label in single
    ] + [
        f"No image of {title_label(read_label(label))} comes from {largest}, the largest source."
        for label in absent.difference(single)
    ]
    affected = known[known["diagnosis"].isin(single.union(absent))]
    groups = tuple(tuple(paths) for _, paths in affected.groupby("diagnosis")["path"])
    sentence = (
        f"{' '.join(sentences)} Cramér's V of source and diagnosis is {association:.2f} (0: "
        "independent, 1: one determines the other). A network can learn the camera, lighting or "
        "compression of a source instead of the disease. It then fails on photographs from "
        "elsewhere."
    )
    finding = report(FindingKind.SINGLE_SOURCE, groups, sentence)
    if finding and association >= _LARGE_EFFECT:
        return replace(finding, severity=Severity.HIGH)
    return finding


def count_conflicts(readable: pd.DataFrame) -> tuple[LabelConflict, ...]:
    """Count the photographs with conflicting labels by pair of labels, most frequent first."""
    conflicting = readable[_has_conflict(readable)]
    labels = conflicting[["photograph", "source", "name", "label"]]
    labels = labels.dropna(subset=["name"]).drop_duplicates()
    counts: Counter[tuple[str, str]] = Counter()
    for _, group in labels.groupby("photograph"):
        rows = group.sort_values("name")[["source", "name", "label"]].itertuples(index=False)
        counts.update(
            {
                (str(one.name), str(other.name))
                for one, other in combinations(rows, 2)
                if _contradict(one, other)
            }
        )
    return tuple(LabelConflict(pair, count) for pair, count in counts.most_common())


def measure_association(one: pd.Series, other: pd.Series) -> float:
    """Compute Cramér's V of two categorical variables, with bias correction.

    Bergsma (2013), doi:10.1016/j.jkss.2012.10.002. Rows with missing values are ignored.

    Args:
        one: A categorical variable [N].
        other: Another one [N], with the same index.

    Returns:
        A number in [0, 1]: 0 for independent variables, 1 if one determines the other, NaN if one
        of them has a single value.

    Example:
        >>> source = pd.Series(["a", "b"] * 50)
        >>> round(measure_association(source, source), 3)
        1.0
    """
    counts = pd.crosstab(one, other).to_numpy()
    num_rows, num_columns = counts.shape
    total = counts.sum()
    if min(num_rows, num_columns) < 2:
        return float("nan")
    phi_squared = chi2_contingency(counts, correction=False).statistic / total
    expected = (num_rows - 1) * (num_columns - 1) / (total - 1)
    rows, columns = (n - (n - 1) ** 2 / (total - 1) for n in counts.shape)
    maximum = min(rows, columns) - 1
    if maximum <= 0:  # as many values as images
        return float("nan")
    return float(np.sqrt(min(max(phi_squared - expected, 0) / maximum, 1)))


def count_of(number: int, noun: str) -> str:
    """Format a number with its noun.

    Example:
        >>> count_of(1, "file"), count_of(2000, "file")
        ('1 file', '2,000 files')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _contradict(one: Any, other: Any) -> bool:
    """Return whether two rows of source, name and label contradict each other.

    Within a collection, the written labels are compared. Between collections, their diagnoses are
    compared: "nv" and "nevus" do not contradict each other.
    """
    if one.source == other.source:
        return bool(one.name.casefold() != other.name.casefold())
    return pd.notna(one.label) and pd.notna(other.label) and bool(one.label != other.label)


def _has_conflict(readable: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether any two files of a photograph contradict each other."""
    names = readable["name"].str.casefold()
    num_names = names.groupby([readable["photograph"], readable["source"]]).transform("nunique")
    num_labels = readable.groupby("photograph")["label"].transform("nunique")
    within_source = (num_names > 1).groupby(readable["photograph"]).transform("any")
    has_conflict: pd.Series[bool] = within_source | (num_labels > 1)
    return has_conflict


def _group_paths(readable: pd.DataFrame, key: str, differing_in: str | None = None) -> Groups:
    """Return the paths of the files that share a key, for keys with several files."""
    grouped = readable.groupby(key)
    selected = grouped["path"].transform("size") > 1
    if differing_in:
        selected &= grouped[differing_in].transform("nunique") > 1
    return tuple(tuple(paths) for _, paths in readable[selected].groupby(key, sort=False)["path"])


def _report_leakage(
    readable: pd.DataFrame, key: str, kind: FindingKind, shared: str
) -> Finding | None:
    """Report the Test files that share a key with Train files."""
    train = readable[readable["subset"].isin(["train", "validation"])].dropna(subset=[key])
    all_tested = readable[readable["subset"] == "test"]
    tested = all_tested[all_tested[key].isin(train[key])]
    partners: Mapping[Any, NDArray[np.object_]] = {
        value: paths.to_numpy() for value, paths in train.groupby(key)["path"]
    }
    groups = tuple(
        (path, *partners[value]) for path, value in zip(tested["path"], tested[key], strict=True)
    )
    sentence = (
        f"Found {shared} in Train for {len(groups):,} of "
        f"{count_of(len(all_tested), 'Test image')}. Metrics on them do not apply to new patients."
    )
    finding = report(kind, groups, sentence)
    return replace(finding, num_images=len(groups)) if finding else None


def report(kind: FindingKind, groups: Groups, sentence: str) -> Finding | None:
    """Return a finding with the severity and the effects of its kind, or None without groups."""
    severity, changes_labels, inflates_scores = _EFFECTS[kind]
    if not groups:
        return None
    num_images = _count_paths(groups)
    return Finding(kind, severity, changes_labels, inflates_scores, num_images, sentence, groups)


def _describe_copies(groups: Groups) -> str:
    return f"Found {count_of(len(groups), 'photograph')} stored as {_count_paths(groups):,}"


def _count_paths(groups: Groups) -> int:
    return sum(len(group) for group in groups)
