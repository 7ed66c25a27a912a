"""Whether a network was measured on what it learned from; if so, its figures are not shown.

Kapoor and Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science"
(2023, doi:10.1016/j.patter.2023.100804), found leaks in 17 fields; here the check is a part of
every model's card, and can fail.
"""

import pandas as pd

from melanoma_core.evaluation.leakage import Leakage

# What makes two photographs relatives. Near copies share their group.
_KEYS = {
    "photograph (SHA-256)": "sha256",
    "lesion": "lesion_id",
    "patient": "patient_id",
    "group of copies and near copies": "group",
}
_ANCESTOR_KEYS = ("sha256", "lesion_id", "patient_id")  # groups are numbered anew with every split
_LINEAGE, _ANCESTOR = "lineage of new images", "ancestry, by the model that it was started from"
_TEST, _MOST_EXAMPLES = "test", 5


def find_leaks(table: pd.DataFrame, ancestor: pd.DataFrame | None = None) -> Leakage:
    """Look for test photographs that share something with what a network was fitted on.

    Args:
        table: Every row of the split as it was trained on: image_id, subset, and of sha256,
            lesion_id, patient_id, group, parent_image_id those that are known, else missing.
        ancestor: All that the model which the network was started from has learned, same columns;
            None if it was started from no model of ours.
    """
    is_test = table["subset"] == _TEST
    test, others = table[is_test], table[~is_test]
    shared = {
        name: _match(test[key], others, key) for name, key in _KEYS.items() if _is_known(table, key)
    }
    if _is_known(table, "parent_image_id"):
        shared[_LINEAGE] = _match_parents(test, others)
    if ancestor is not None:
        found = [
            _match(test[key], ancestor, key)
            for key in _ANCESTOR_KEYS
            if _is_known(table, key) and _is_known(ancestor, key)
        ]
        shared[_ANCESTOR] = pd.concat([each.dropna() for each in found]) if found else _nothing()
    leaks = {name: relatives.dropna() for name, relatives in shared.items()}
    positions = {position for relatives in leaks.values() for position in relatives.index}
    sentences = [
        f"{image_id} in test and {relative}: the same {name}"
        for name, relatives in leaks.items()
        for image_id, relative in zip(test["image_id"][relatives.index], relatives, strict=True)
    ]
    return Leakage(
        checked_by=tuple(shared),
        num_test=len(test),
        num_others=len(others),
        found=len(positions),
        examples=tuple(sentences[:_MOST_EXAMPLES]),
    )


def _is_known(table: pd.DataFrame, key: str) -> bool:
    return key in table and bool(table[key].notna().any())


def _match(values: pd.Series, others: pd.DataFrame, key: str) -> pd.Series:
    """Return for each value who has it too, as "ISIC_1 in train"; missing where nobody does."""
    known = others.dropna(subset=[key]).drop_duplicates(key)
    named = known["image_id"].astype(str) + " in " + known["subset"].astype(str)
    return values.map(dict(zip(known[key], named, strict=True))).astype(object)


def _match_parents(test: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Return the new image of a test photograph that was fitted on, or a new image's parent."""
    children = others.dropna(subset=["parent_image_id"]).drop_duplicates("parent_image_id")
    of_parent = dict(zip(children["parent_image_id"], children["image_id"], strict=True))
    is_other = test["parent_image_id"].isin(others["image_id"])
    relatives = test["image_id"].map(of_parent).astype(object)
    return relatives.fillna(test["parent_image_id"].where(is_other))


def _nothing() -> pd.Series:
    return pd.Series(dtype=object)
