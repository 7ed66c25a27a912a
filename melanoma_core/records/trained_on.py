"""Which patients of a record a model was trained on, through a dataset that was made from it.

A later audit of that model must leave them out: it has seen their answers (`feedback`).
"""

import pandas as pd

from melanoma_core.records.entities import Photograph
from melanoma_core.records.store import Record

_AT_ONCE = 500


def find_trained_patients(record: Record, split: pd.DataFrame | None) -> frozenset[str]:
    """Return the ids of patients of whom a model's weights or thresholds were fitted on anything.

    They are found by the SHA-256 of their photographs' files, which a dataset keeps.

    Args:
        record: The record.
        split: Of the model (`lineage.read_split`); None if it has none.
    """
    if split is None:
        return frozenset()
    fitted = sorted(set(split["sha256"][split["subset"] != "test"].dropna()))
    found: set[str] = set()
    for start in range(0, len(fitted), _AT_ONCE):
        some = tuple(fitted[start : start + _AT_ONCE])
        found |= {entry.value.patient_id for entry in record.find(Photograph, sha256=some)}
    return frozenset(found)
