"""Summary tables of a dataset, for charts and downloads.

Every function works on a table in memory (`dataset.load_records`, `Dataset.table` or
`Split.table`) and opens no image; `mean_images` does.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import entropy

from melanoma_core.data.cleaning import GROUP_KEYS
from melanoma_core.data.skin_tone import SKIN_TONES, name_skin_tone
from melanoma_core.data.tiers import fill_labels
from melanoma_core.taxonomy import (
    Confirmation,
    Diagnosis,
    Label,
    RiskTier,
    find_tier,
    read_label,
    title_label,
)

SUBSETS = ("train", "validation", "test", "unassigned")
UNKNOWN = "unknown"
OTHER = "other"
"""Code of all labels that are neither a diagnosis nor a risk tier."""
NOT_STATED = "not stated"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_OTHERS = "all others"
_AGE_STEP = 10  # years
_MAX_VALUES = 12  # rows that fit in a chart


def count_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images per label and subset.

    Args:
        table: With `label` and `subset`, as in `Dataset.table`; or the file table.

    Returns:
        One row per diagnosis that occurs, largest first, and then per tier of which no diagnosis
        is known, with the code as index (`taxonomy.Label`). Columns: the subsets that occur, in
        the order of `SUBSETS`, and `total`.
    """
    labels = fill_labels(table)
    counts = _count(table[labels.notna()], labels[labels.notna()], (*Diagnosis, *RiskTier))
    by_size = counts.sort_values("total", ascending=False, kind="stable")
    is_tier = by_size.index.isin(list(RiskTier))
    return pd.concat([by_size[~is_tier], by_size[is_tier]])


def count_labels(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per label and subset, those with any other label too.

    Args:
        records: The file table.

    Returns:
        As in `count_classes`, followed by a row `OTHER` if a label is neither a diagnosis nor a
        risk tier, such as HAM10000's `akiec` where no ground truth knows more.
    """
    counts = count_classes(records)
    is_other = fill_labels(records).isna() & records["name"].notna()
    if not is_other.any():
        return counts
    others = pd.Series(OTHER, records.index)[is_other]
    both = pd.concat([counts, _count(records[is_other], others, (OTHER,))])
    columns = [name for name in (*SUBSETS, "total") if name in both.columns]
    return both[columns].fillna(0).astype(int)


def count_tiers(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images per risk tier and subset.

    Args:
        table: With `label` and `subset`, as in `Dataset.table`; or the file table.

    Returns:
        One row per risk tier that occurs, in the order of `RiskTier`; columns as in
        `count_classes`.
    """
    labels = fill_labels(table).dropna()
    tiers = labels.map(lambda label: find_tier(read_label(label)))
    return _count(table.loc[labels.index], tiers, tuple(RiskTier))


def cross_confirmations(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images per diagnosis and how it is known.

    Args:
        table: With `label` and `confirmation`, as in `Dataset.table`; or the file table.

    Returns:
        One row per diagnosis that occurs, largest first, with the diagnosis as index. Columns: the
        ways that occur, in the order of `Confirmation`, `NOT_STATED` if any is not stated, and
        `total`. No row if none is stated.

    Example:
        >>> table = pd.DataFrame({"label": ["NV", "NV"], "confirmation": ["follow-up", None]})
        >>> cross_confirmations(table).to_dict("index")
        {'NV': {'follow-up': 1, 'not stated': 1, 'total': 2}}
    """
    labels = fill_labels(table)
    labelled = table.assign(label=labels)[labels.isin(list(Diagnosis))]
    if labelled["confirmation"].isna().all():
        return pd.DataFrame()
    ways = labelled["confirmation"].astype(object).fillna(NOT_STATED).astype(str)
    counts = pd.crosstab(labelled["label"].astype(str), ways)
    columns = [str(way) for way in (*Confirmation, NOT_STATED) if way in counts.columns]
    counts = counts.reindex(
        index=[label for label in Diagnosis if label in counts.index], columns=columns
    )
    return counts.assign(total=counts.sum(axis=1)).sort_values(
        "total", ascending=False, kind="stable"
    )


def total_counts(counts: pd.DataFrame) -> dict[Label, int]:
    """Return the images per diagnosis from the table of `count_classes`; per tier if it has none.

    A tier is no class beside its own diagnoses. Other labels are none.
    """
    known = counts["total"].drop(OTHER, errors="ignore")
    totals = {read_label(str(label)): int(total) for label, total in known.items()}
    has_diagnosis = any(isinstance(label, Diagnosis) for label in totals)
    return {
        label: total
        for label, total in totals.items()
        if isinstance(label, Diagnosis) or not has_diagnosis
    }


def imbalance_ratio(counts: Mapping[Label, int]) -> float:
    """Return the size of the largest class divided by that of the smallest.

    Args:
        counts: Images per class; empty classes are ignored.

    Returns:
        At least 1, where 1 is balanced; NaN with fewer than two classes.

    Examples:
        >>> imbalance_ratio({Diagnosis.NV: 300, Diagnosis.MEL: 100})
        3.0
    """
    present = [count for count in counts.values() if count > 0]
    return max(present) / min(present) if len(present) >= 2 else math.nan


def effective_num_classes(counts: Mapping[Label, int]) -> float:
    """Return the number of equally large classes with the same diversity.

    This is the exponential of the Shannon entropy of the class shares, the Hill number of order 1:
    Hill (1973), "Diversity and evenness: a unifying notation and its consequences", Ecology 54(2).

    Args:
        counts: Images per class.

    Returns:
        Between 1 and the number of classes; NaN without images.

    Examples:
        >>> round(effective_num_classes({Diagnosis.NV: 300, Diagnosis.MEL: 100}), 2)
        1.75
    """
    present = [count for count in counts.values() if count > 0]
    return math.exp(entropy(present)) if present else math.nan


def describe_imbalance(counts: Mapping[Label, int], num_others: int = 0) -> str:
    """Describe the class imbalance in a few sentences.

    Args:
        counts: Images per class; empty classes are ignored.
        num_others: Images with any other label, which count in the accuracy.
    """
    present = {label: count for label, count in counts.items() if count > 0}
    if len(present) < 2:
        return (
            f"Found {len(present)} of the eight diagnoses. Class imbalance is defined for 2 or "
            "more."
        )
    largest = max(present, key=present.__getitem__)
    smallest = min(reversed(present), key=present.__getitem__)  # of equal classes, another one
    return (
        f"There are {imbalance_ratio(present):.1f} images of {_title(largest)} for each image of "
        f"{_title(smallest)} (imbalance ratio). The {len(present)} classes are as diverse as "
        f"{effective_num_classes(present):.1f} classes of equal size (effective number of "
        "classes). A model that always predicts the largest class has an accuracy of "
        f"{present[largest] / (sum(present.values()) + num_others):.1%}."
    )


def describe_labelled(counts: pd.DataFrame) -> str:
    """Describe the class imbalance of the files of a folder, and how many have other labels.

    Args:
        counts: From `count_labels`.
    """
    num_others = int(counts["total"].get(OTHER, 0))
    others = f" {num_others:,} have another label, which is none of them." if num_others else ""
    return describe_imbalance(total_counts(counts), num_others) + others


def _title(label: Label) -> str:
    return title_label(label) if isinstance(label, Diagnosis) else f"{title_label(label)}s"


def describe_labels(records: pd.DataFrame) -> str:
    """Describe how many files a dataset has, and how many lack pixels or a diagnosis.

    Args:
        records: The file table.
    """
    labels = fill_labels(records)
    is_diagnosis = labels.isin(list(Diagnosis))
    num_unknown = int((~is_diagnosis).sum())
    num_unreadable = int(records["sha256"].isna().sum())
    num_tiers = int(labels.notna().sum() - is_diagnosis.sum())
    num_filled = int((is_diagnosis & records["label"].isna()).sum())
    with_tier = f", of which {num_tiers:,} name a risk tier" if num_tiers else ""
    filled = f" Diagnoses from the ISIC 2019 ground truth: {num_filled:,}." if num_filled else ""
    return (
        f"Files: {len(records):,}, including copies. Unreadable: {num_unreadable:,}. Without one "
        f"of the eight diagnoses: {num_unknown:,}{with_tier}.{filled}"
    )


def count_values(records: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count the files per value of a column.

    Args:
        records: The file table.
        column: A column of text.

    Returns:
        Columns `value` and `files`: the most frequent values, all others together, then unknown.
    """
    return _tabulate_frequent(records[column].value_counts(), records[column])


def count_ages(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per decade of age.

    Args:
        records: The file table.

    Returns:
        Columns `value` ("0–9", "10–19"…, in years) and `files`, in the order of age, then unknown.
    """
    known = pd.to_numeric(records["age"], errors="coerce").dropna()
    decades, counts = np.unique((known // _AGE_STEP * _AGE_STEP).astype(int), return_counts=True)
    rows = [
        (f"{first}–{first + _AGE_STEP - 1}", int(count))
        for first, count in zip(decades, counts, strict=True)
    ]
    return _with_unknown(rows, records["age"])


def count_skin_tones(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per tone of skin: the type that a table gives, else the estimate.

    Args:
        records: The file table.

    Returns:
        Columns `value` (`skin_tone.name_skin_tone`) and `files`, types first, then unknown.
    """
    tones = pd.Series(
        list(map(name_skin_tone, records["fitzpatrick"], records["ita"])),
        records.index,
        dtype=object,
    )
    counts = tones.value_counts()
    rows = [(name, int(counts[name])) for name in SKIN_TONES if name in counts.index]
    return _with_unknown(rows, tones)


def count_sizes(records: pd.DataFrame) -> pd.DataFrame:
    """Count the files per image size.

    Args:
        records: The file table.

    Returns:
        Columns `value` ("width × height", in pixels) and `files`: the most frequent sizes, all
        others together, then unknown.
    """
    known = records.dropna(subset=["width", "height"])
    counts = known[["width", "height"]].astype(int).value_counts()
    counts.index = counts.index.map(lambda size: f"{size[0]} × {size[1]}")
    return _tabulate_frequent(counts, records["width"])


def measure_spread(records: pd.DataFrame, column: str) -> pd.DataFrame:
    """Compute the quantiles of an image measurement within each class.

    Args:
        records: The file table.
        column: "brightness", "contrast" or "sharpness".

    Returns:
        One row per label that occurs, in the order of `Diagnosis` and `RiskTier`, with the code
        as index. Columns: one per quantile of `QUANTILES`, and `files`.
    """
    known = records.assign(label=fill_labels(records)).dropna(subset=["label", column])
    if known.empty:
        return pd.DataFrame(columns=[*QUANTILES, "files"], dtype=float)
    grouped = known[column].astype(float).groupby(known["label"].astype(str))
    spread = grouped.quantile(np.array(QUANTILES)).unstack()
    present = [label for label in (*Diagnosis, *RiskTier) if label in grouped.groups]
    return spread.reindex(present).assign(files=grouped.size().reindex(present))


def count_groups(split: pd.DataFrame) -> pd.DataFrame:
    """Count the groups of a split, and those that lie in more than one subset.

    Args:
        split: `Split.table`.

    Returns:
        One row per group key. Columns: `group`, the key in words; `known`, distinct values;
        `images`, images with a value; `shared`, values in more than one subset, which must be 0.
    """
    names = {
        "lesion_id": "lesions",
        "patient_id": "patients",
        "sha256": "exact copies",
        "cluster": "exact and near copies",
        "group": "groups (all of the above)",
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
    """Return the rows that match all filters.

    Args:
        records: The file table.
        chosen: Accepted values by column, with `UNKNOWN` for missing values; an empty list accepts
            all values.
        paths: Accepted paths, or None for all.
    """
    matches = np.ones(len(records), dtype=bool)
    for column, values in chosen.items():
        if values:
            matches &= records[column].astype(object).fillna(UNKNOWN).isin(values).to_numpy()
    if paths is not None:
        matches &= records["path"].map(str).isin(paths).to_numpy()
    return records[matches]


def list_values(records: pd.DataFrame, column: str) -> list[str]:
    """Return the sorted values of a column, followed by `UNKNOWN` if any value is missing."""
    known = sorted(str(value) for value in records[column].dropna().unique())
    return [*known, UNKNOWN] if records[column].isna().any() else known


def _tabulate_frequent(counts: pd.Series, column: pd.Series) -> pd.DataFrame:
    rows = [(str(value), int(count)) for value, count in counts.iloc[:_MAX_VALUES].items()]
    if len(counts) > _MAX_VALUES:
        rows.append((_OTHERS, int(counts.iloc[_MAX_VALUES:].sum())))
    return _with_unknown(rows, column)


def _with_unknown(rows: list[tuple[str, int]], column: pd.Series) -> pd.DataFrame:
    num_unknown = int(column.isna().sum())
    if num_unknown:
        rows = [*rows, (UNKNOWN, num_unknown)]
    return pd.DataFrame(rows, columns=["value", "files"])


def _count(table: pd.DataFrame, groups: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    subsets = table["subset"].fillna("unassigned")
    counts = pd.crosstab(groups.astype(str), subsets)
    counts = counts.reindex(
        index=[group for group in order if group in counts.index],
        columns=[subset for subset in SUBSETS if subset in counts.columns],
    )
    return counts.assign(total=counts.sum(axis=1))
