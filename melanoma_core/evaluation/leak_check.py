"""Search for leakage: test images related to the images that a network was fitted on.

Kapoor and Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science"
(2023, doi:10.1016/j.patter.2023.100804), found leakage in 17 fields. Every model card therefore
holds the result of this search, and a model that leaks shows no metrics.
"""

import pandas as pd

from melanoma_core.evaluation.leakage import Leakage

# Two images are related if they share one of these. Near copies share their group.
_KEYS = {
    "photograph (SHA-256)": "sha256",
    "lesion": "lesion_id",
    "patient": "patient_id",
    "group of copies and near copies": "group",
}
_ANCESTOR_KEYS = ("sha256", "lesion_id", "patient_id")  # every split numbers its groups from 0
_LINEAGE, _ANCESTOR = "lineage of new images", "ancestry, by the model that it was started from"
_TEST, _MOST_EXAMPLES = "test", 5


def find_leaks(table: pd.DataFrame, ancestor: pd.DataFrame | None = None) -> Leakage:
    """Find test images that share something with an image that the network was fitted on.

    Args:
        table: Every row of the split used in training, with image_id and subset, and sha256,
            lesion_id, patient_id, group and parent_image_id as far as known, else missing.
        ancestor: The same columns for all images that the parent model was trained on; None if
            the training started from no model of this project.

    Example:
        >>> split = {"image_id": ["a", "b"], "subset": ["train", "test"], "lesion_id": ["L1", "L1"]}
        >>> find_leaks(pd.DataFrame(split)).examples
        ('b in test and a in train: the same lesion',)
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
        no_match = pd.Series(dtype=object)
        shared[_ANCESTOR] = pd.concat([each.dropna() for each in found]) if found else no_match
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
    """Return for each value an image that shares it, as "ISIC_1 in train", or a missing value."""
    known = others.dropna(subset=[key]).drop_duplicates(key)
    named = known["image_id"].astype(str) + " in " + known["subset"].astype(str)
    return values.map(dict(zip(known[key], named, strict=True))).astype(object)


def _match_parents(test: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Return a fitted image made from each test image, or the fitted parent of a test image."""
    children = others.dropna(subset=["parent_image_id"]).drop_duplicates("parent_image_id")
    of_parent = dict(zip(children["parent_image_id"], children["image_id"], strict=True))
    is_other = test["parent_image_id"].isin(others["image_id"])
    relatives = test["image_id"].map(of_parent).astype(object)
    return relatives.fillna(test["parent_image_id"].where(is_other))
