"""How uneven the classes are: counts, and two figures that sum them up."""

import math
from collections.abc import Mapping

import pandas as pd
from scipy.stats import entropy

from melanoma_core.taxonomy import Diagnosis, RiskTier

SUBSETS = ("train", "validation", "test", "unassigned")


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
