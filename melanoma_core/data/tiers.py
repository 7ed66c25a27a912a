"""Photographs of which only the risk tier is known, such as "benign" in ISIC 2020.

A tier is no diagnosis. Such a photograph trains the sum of the probabilities of its tier's
diagnoses, and is evaluated for the questions that its tier answers. It is no row of
`Dataset.table`, where every label is one of eight, but one of `Dataset.tiers`.
"""

import pandas as pd

from melanoma_core.taxonomy import Diagnosis, parse_tier


def fill_tiers(records: pd.DataFrame) -> pd.Series:
    """Return the label of each file, which is its risk tier where only that is known.

    Args:
        records: The file table; or a table of images, whose labels stay as they are.

    Returns:
        A `taxonomy.Label` as text, missing where neither is known, or where a table and a folder
        contradict each other.

    Example:
        >>> table = pd.DataFrame({"label": ["MEL", None], "name": ["mel", "Benign"]})
        >>> fill_tiers(table).tolist()
        ['MEL', 'benign']
    """
    labels = records["label"].astype(object)
    if "name" not in records:
        return labels
    is_open = labels.isna()
    if "contradiction" in records:
        is_open &= records["contradiction"].isna()
    names = records["name"].astype(object).where(is_open, None)
    return labels.fillna(names.map(parse_tier).map(str, na_action="ignore"))


def fill_labels(records: pd.DataFrame) -> pd.Series:
    """Return the label of each file; of the ground truth where it has no diagnosis of its own.

    HAM10000's `akiec` is none of the eight diagnoses, and ISIC 2019 knows which it is.

    Args:
        records: The file table; or a table of images, whose labels stay as they are.

    Returns:
        A `taxonomy.Label` as text, as in `fill_tiers`.

    Example:
        >>> table = pd.DataFrame(
        ...     {"label": ["NV", None, None], "name": ["nv", "akiec", "akiec"]}
        ... )
        >>> fill_labels(table.assign(truth=["MEL", "AK", None])).tolist()
        ['NV', 'AK', None]
    """
    tiers = fill_tiers(records)
    if "truth" not in records:
        return tiers
    diagnoses = records["label"].astype(object).fillna(records["truth"].astype(object))
    return diagnoses.fillna(tiers)


def find_tiers(readable: pd.DataFrame) -> pd.Series:
    """Return the risk tier of each photograph without a diagnosis.

    Args:
        readable: Rows of the file table with `name`, `label`, `truth`, `contradiction`, and the
            groups `photograph` and `look` (a photograph and its near copies).

    Returns:
        A `RiskTier` as text, missing where a diagnosis or no tier is known, or where tiers or
        diagnoses of near copies are of another tier.
    """
    diagnoses = readable["truth"].astype(object).fillna(readable["label"])
    is_open = diagnoses.isna() & readable["contradiction"].isna()
    named = readable["name"].map(parse_tier).where(is_open)
    known = diagnoses.map(lambda label: Diagnosis(label).tier, na_action="ignore")
    tiers = named.astype(object).fillna(known).map(str, na_action="ignore")
    of_photograph = tiers.groupby(readable["photograph"]).transform("first")
    agrees = tiers.groupby(readable["look"]).transform("nunique") == 1
    has_diagnosis = diagnoses.notna().groupby(readable["photograph"]).transform("any")
    found: pd.Series = of_photograph.where(agrees & ~has_diagnosis, None).astype(object)
    return found
