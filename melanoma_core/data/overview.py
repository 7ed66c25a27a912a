"""What is in a folder of photographs, counted: the tables behind the charts and their downloads.

All take the file table (`dataset.load_records`) and give a few rows, however many files there are.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import entropy

from melanoma_core.data.cleaning import GROUP_KEYS
from melanoma_core.taxonomy import Diagnosis, RiskTier

SUBSETS = ("train", "validation", "test", "unassigned")
UNKNOWN = "unknown"
OTHERS = "all others"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_AGE_STEP = 10  # years
_MOST_VALUES = 12  # rows that a chart can still show


def describe_imbalance(counts: Mapping[Diagnosis, int]) -> str:
    """Say in two sentences how uneven the classes are."""
    present = {label: count for label, count in counts.items() if count > 0}
    if len(present) < 2:
        return (
            f"Found {len(present)} of the eight diagnoses. Balance can be told from two classes on."
        )
    most, least = max(present, key=lambda k: present[k]), min(present, key=lambda k: present[k])
    return (
        f"For each photograph of {least.title} there are {imbalance_ratio(present):.1f} of "
        f"{most.title} (imbalance ratio). The {len(present)} classes are as diverse as "
        f"{effective_num_classes(present):.1f} classes of equal size would be (effective number "
        "of classes): a network that always answers with the largest class is right on "
        f"{present[most] / sum(present.values()):.1%} and has learnt nothing."
    )


def total_counts(counts: pd.DataFrame) -> dict[Diagnosis, int]:
    """Return the images per diagnosis of a table as `imbalance.count_classes` gives it."""
    return {Diagnosis(str(label)): int(total) for label, total in counts["total"].items()}


def describe_labels(records: pd.DataFrame) -> str:
    """Say how many files there are, and how many of them have no diagnosis."""
    num_unknown = int(records["label"].isna().sum())
    num_unreadable = int(records["sha256"].isna().sum())
    return (
        f"{len(records):,} files, of which {num_unreadable:,} cannot be read and {num_unknown:,} "
        "have a label that is none of the eight diagnoses. Files are counted as they lie there, "
        "copies included."
    )


def count_values(records: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count the files per value of a column, most first, the rarest together, unknown last.

    Returns:
        Columns `value` and `files`.
    """
    counts = records[column].value_counts()
    named, rest = counts.iloc[:_MOST_VALUES], counts.iloc[_MOST_VALUES:]
    rows = [(str(value), int(count)) for value, count in named.items()]
    if len(rest):
        rows.append((OTHERS, int(rest.sum())))
    return _with_unknown(rows, records[column])


def count_ages(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per ten years of age, unknown last.

    Returns:
        Columns `value` ("0–9", "10–19"…, in years) and `files`.
    """
    known = pd.to_numeric(records["age"], errors="coerce").dropna()
    decades, counts = np.unique((known // _AGE_STEP * _AGE_STEP).astype(int), return_counts=True)
    rows = [
        (f"{first}–{first + _AGE_STEP - 1}", int(count))
        for first, count in zip(decades, counts, strict=True)
    ]
    return _with_unknown(rows, records["age"])


def count_sizes(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per size of the picture, most first, the rarest together.

    Returns:
        Columns `value` ("width × height", in pixels) and `files`.
    """
    known = records.dropna(subset=["width", "height"])
    sizes = known[["width", "height"]].astype(int).value_counts()
    named = sizes.iloc[:_MOST_VALUES].reset_index().to_numpy()
    rows = [(f"{width} × {height}", int(count)) for width, height, count in named]
    if len(sizes) > _MOST_VALUES:
        rows.append((OTHERS, int(sizes.iloc[_MOST_VALUES:].sum())))
    return _with_unknown(rows, records["width"])


def measure_spread(records: pd.DataFrame, column: str) -> pd.DataFrame:
    """Tell how a measured fact is spread within each class.

    Args:
        records: The file table.
        column: "brightness", "contrast" or "sharpness".

    Returns:
        One row per diagnosis that occurs, in the order of `Diagnosis`: index Diagnosis; a column
        per quantile of `QUANTILES`; `files`.
    """
    known = records.dropna(subset=["label", column])
    if known.empty:  # no quantile of nothing
        return pd.DataFrame(columns=[*QUANTILES, "files"], dtype=float)
    grouped = known[column].astype(float).groupby(known["label"].astype(str))
    spread = grouped.quantile(np.array(QUANTILES)).unstack()
    present = [label for label in Diagnosis if label in grouped.groups]
    return spread.reindex(present).assign(files=grouped.size().reindex(present))


def count_groups(split: pd.DataFrame) -> pd.DataFrame:
    """Count what a split must not part, and how much of it lies in more than one subset.

    Args:
        split: `Split.table`.

    Returns:
        One row per key: `group`, the key in words; `known`, distinct values; `images`, that have
        one; `shared`, values in more than one subset, which must be 0.
    """
    names = {
        "lesion_id": "lesions",
        "patient_id": "patients",
        "sha256": "byte-identical files",
        "cluster": "copies and near copies",
        "group": "all of them, carried over",
    }
    rows = []
    for key in (*GROUP_KEYS, "group"):
        num_subsets = split.dropna(subset=[key]).groupby(key)["subset"].nunique()
        rows.append(
            {
                "group": names[key],
                "known": len(num_subsets),
                "images": int(split[key].notna().sum()),
                "shared": int((num_subsets > 1).sum()),
            }
        )
    return pd.DataFrame(rows)


def select_files(
    records: pd.DataFrame, chosen: Mapping[str, list[str]], paths: set[str] | None = None
) -> pd.DataFrame:
    """Return the rows whose every chosen column holds one of the values chosen for it.

    Args:
        records: The file table.
        chosen: Values by column, `UNKNOWN` for a missing one; an empty list chooses all.
        paths: Of the files to choose among, or None for all.
    """
    wanted = np.ones(len(records), dtype=bool)
    for column, values in chosen.items():
        if values:
            wanted &= records[column].astype(object).fillna(UNKNOWN).isin(values).to_numpy()
    if paths is not None:
        wanted &= records["path"].map(str).isin(paths).to_numpy()
    return records[wanted]


def list_values(records: pd.DataFrame, column: str) -> list[str]:
    """Return the values that occur in a column, sorted, `UNKNOWN` last where one is missing."""
    known = sorted(str(value) for value in records[column].dropna().unique())
    return [*known, UNKNOWN] if records[column].isna().any() else known


def _with_unknown(rows: list[tuple[str, int]], column: pd.Series) -> pd.DataFrame:
    num_unknown = int(column.isna().sum())
    if num_unknown:
        rows = [*rows, (UNKNOWN, num_unknown)]
    return pd.DataFrame(rows, columns=["value", "files"])


def count_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images per diagnosis and subset.

    Args:
        table: With `label` and `subset`, as in `Dataset.table`.

    Returns:
        One row per diagnosis that occurs, most images first: index Diagnosis; a column per
        subset that occurs, in the order of `SUBSETS`; `total`.
    """
    labelled = table[table["label"].notna()]
    return _count(labelled, labelled["label"], Diagnosis).sort_values(
        "total", ascending=False, kind="stable"
    )


def count_tiers(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images per risk tier and subset; rows in the order of `RiskTier`.

    Args:
        table: With `label` and `subset`, as in `Dataset.table`.

    Returns:
        As `count_classes`, with a tier in place of the diagnosis.
    """
    labelled = table[table["label"].notna()]
    return _count(labelled, labelled["label"].map(lambda label: Diagnosis(label).tier), RiskTier)


def imbalance_ratio(counts: Mapping[Diagnosis, int]) -> float:
    """Return how many images the largest class has for each of the smallest; 1 is balanced.

    Args:
        counts: Images per class; a class without any is left out.

    Returns:
        At least 1; NaN with fewer than two classes, where there is nothing to compare.
    """
    present = [count for count in counts.values() if count > 0]
    return max(present) / min(present) if len(present) >= 2 else math.nan


def effective_num_classes(counts: Mapping[Diagnosis, int]) -> float:
    """Return the number of equally large classes that would be as diverse as these.

    The exponential of Shannon's entropy of the shares: Hill (1973), "Diversity and evenness: a
    unifying notation and its consequences", Ecology 54(2), the number of order 1.

    Args:
        counts: Images per class.

    Returns:
        From 1, where nearly all images are of one class, to the number of classes; NaN with no
        image.
    """
    present = [count for count in counts.values() if count > 0]
    return math.exp(entropy(present)) if present else math.nan


def _count(
    table: pd.DataFrame, groups: pd.Series, order: type[Diagnosis] | type[RiskTier]
) -> pd.DataFrame:
    subsets = table["subset"].fillna("unassigned")
    counts = pd.crosstab(groups.astype(str), subsets)
    counts = counts.reindex(
        index=[group for group in order if group in counts.index],
        columns=[subset for subset in SUBSETS if subset in counts.columns],
    )
    return counts.assign(total=counts.sum(axis=1))
