"""Which photographs of a folder a model is measured on, and which of them it knows already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.cleaning import apply_decisions
from melanoma_core.data.layouts import Layout, find_collections
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.data.splitting import find_groups
from melanoma_core.errors import DatasetError

ALL = "all"
SUBSETS = ("test", "validation", "train", ALL)
AS_FOUND = "as the folder has them, also where cleaning would drop or relabel the photograph"
CLEANED = "those of the cleaned table"
_ISIC = r"^ISIC_\d{7}$"  # other names of files may be anyone's


@dataclass(frozen=True, eq=False)
class Selection:
    """Photographs to be measured on.

    Attributes:
        table: A row per photograph, index 0…N-1: image_id, path, label (Diagnosis), age, sex,
            site, source, group (int, photographs of one lesion share it), `is_known` (the model
            was fitted on it or on a relative of it) and `has_relative` (a relative of it is in the
            folder's own train subset).
        subset: Which it is; "all" for the whole folder.
        labels: Whose labels these are, in words.
        num_unlabelled: Photographs of the subset that have none of the eight diagnoses.
        is_lineage_known: Whether the model tells what it was fitted on.
    """

    table: pd.DataFrame
    subset: str
    labels: str
    num_unlabelled: int
    is_lineage_known: bool


def select_photographs(
    opened: OpenedFolder,
    subset: str | None,
    fitted_on: pd.DataFrame | None,
    decisions: pd.DataFrame | None = None,
) -> Selection:
    """Select the photographs of a folder.

    Args:
        opened: The folder.
        subset: One of `SUBSETS`; None for what the folder calls test, or all of a folder that
            calls nothing so.
        fitted_on: The model's split (`lineage.read_split`), or None where it keeps none.
        decisions: A cleaned table; None takes every file under the label that it was found with.

    Raises:
        DatasetError: The folder has no such photograph.
    """
    records = opened.records if decisions is None else apply_decisions(opened.records, decisions)
    records = records.assign(group=find_groups(records))
    records["source"] = _find_sources(records, opened)
    records["is_known"] = _find_known(records, fitted_on)
    in_train = records["group"][records["subset"] == "train"]
    records["has_relative"] = records["group"].isin(in_train) & (records["subset"] != "train")
    has_test = bool((records["subset"] == "test").any())
    chosen = subset or ("test" if has_test else ALL)
    if chosen != ALL:
        records = records[records["subset"] == chosen]
    labelled = records[records["label"].notna()].reset_index(drop=True)
    if labelled.empty:
        raise DatasetError(
            f"Found {len(records):,} photographs in {opened.folder} (subset {chosen}), and none "
            "with one of the eight diagnoses. Name another subset or folder, or add labels."
        )
    return Selection(
        labelled,
        chosen,
        AS_FOUND if decisions is None else CLEANED,
        num_unlabelled=len(records) - len(labelled),
        is_lineage_known=fitted_on is not None,
    )


def _find_sources(records: pd.DataFrame, opened: OpenedFolder) -> pd.Series:
    """Return where photographs were published, which tells more than a folder of class folders."""
    collections = find_collections(opened.folder)
    sorted_by_hand = {c.folder.name for c in collections if c.layout is Layout.CLASS_FOLDERS}
    sources = records["source"].astype(object)
    published = records["image_id"].map(opened.companions.known_sources).astype(object)
    return sources.mask(sources.isin(sorted_by_hand) & published.notna(), published)


def _find_known(records: pd.DataFrame, fitted_on: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Find what the weights or the threshold were fitted on, with all photographs of its groups."""
    if fitted_on is None:
        return np.zeros(len(records), dtype=bool)
    fitted = fitted_on[fitted_on["subset"] != "test"]
    ids = records["image_id"].astype(str)
    known = ids.str.match(_ISIC) & ids.isin(fitted["image_id"])
    for key in ("sha256", "lesion_id", "patient_id"):
        known |= records[key].notna() & records[key].isin(fitted[key].dropna())
    return np.asarray(records["group"].isin(records["group"][known]))


def keep_classes(selection: Selection, class_names: Sequence[str]) -> Selection:
    """Return the photographs with a diagnosis that a model knows; the others are unlabelled."""
    kept = selection.table[selection.table["label"].isin([str(name) for name in class_names])]
    num_dropped = len(selection.table) - len(kept)
    return replace(
        selection,
        table=kept.reset_index(drop=True),
        num_unlabelled=selection.num_unlabelled + num_dropped,
    )


def leave_out_known(selection: Selection) -> NDArray[np.bool_]:
    """Return which photographs are new to the model, bool [N].

    Raises:
        DatasetError: None is.
    """
    is_new = ~selection.table["is_known"].to_numpy(dtype=bool)
    if not is_new.any():
        raise DatasetError(
            f"Found {len(is_new):,} photographs to measure on, and the model was fitted on every "
            "one of them or on a relative of it: its figures would be too good. Name another "
            "folder or subset, or ask for them with `--with-trained`."
        )
    return is_new
