"""Which images of a folder a model is evaluated on, and which of them were seen in training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.cleaning import USED, apply_decisions
from melanoma_core.data.layouts import Layout, find_collections
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.data.splitting import find_groups
from melanoma_core.data.tiers import fill_tiers
from melanoma_core.errors import DatasetError
from melanoma_core.models.identifiers import IdKey, explain_unchecked
from melanoma_core.models.lineage import find_seen

ALL = "all"
SUBSETS = ("test", "validation", "train", ALL)
_FOLDER_LABELS = "as in the folder, including images that cleaning would leave out or relabel"
_CLEANED_LABELS = "from the cleaned table"


@dataclass(frozen=True, eq=False)
class Selection:
    """Labelled images to evaluate a model on. Images are related if they share a group.

    Attributes:
        table: One row per image, index 0…N-1: image_id, path, label (Diagnosis; or RiskTier where
            only that is known), group (int), what
            `slices.gather_attributes` reads, `is_seen` (the image or a related one was seen in
            training) and `has_relative` (a related image is in the folder's own train subset).
        folder: Name of the folder.
        folder_key: Key of the folder's content (`OpenedFolder.key`).
        subset: The selected subset; "all" for the whole folder.
        labels: Where the labels come from, in words.
        num_unlabelled: Number of images of the subset without a diagnosis or a tier.
        is_lineage_known: Whether the model records what it was trained on.
        unchecked: Which of these records could not be compared, in a sentence; empty if all could.
    """

    table: pd.DataFrame
    folder: str
    folder_key: str
    subset: str
    labels: str
    num_unlabelled: int
    is_lineage_known: bool
    unchecked: str = ""


def select_photographs(
    opened: OpenedFolder,
    subset: str | None,
    fitted_on: pd.DataFrame | None,
    decisions: pd.DataFrame | None = None,
    key: IdKey | None = None,
) -> Selection:
    """Select the labelled images of a folder.

    Args:
        opened: The folder.
        subset: One of `SUBSETS`; None for the folder's test subset, or the whole folder if it has
            none.
        fitted_on: The model's split (`lineage.read_split`), or None if it has none.
        decisions: A cleaned table; None uses every file with its label in the folder.
        key: Key of this installation, which hashes ids as in the model's split; None for another
            one, with which only plain ids can be compared.

    Raises:
        DatasetError: The subset has no labelled image.
    """
    records = _label_files(opened.records, decisions)
    records = records.assign(group=find_groups(records))
    records["source"] = _find_sources(records, opened)
    key = key or IdKey()
    hashed, known = key.hash_ids(records), None if fitted_on is None else key.hash_ids(fitted_on)
    records["is_seen"] = find_seen(hashed, known)
    in_train = records["group"][records["subset"] == "train"]
    records["has_relative"] = records["group"].isin(in_train) & (records["subset"] != "train")
    has_test = bool((records["subset"] == "test").any())
    chosen = subset or ("test" if has_test else ALL)
    if chosen != ALL:
        records = records[records["subset"] == chosen]
    labelled = records[records["label"].notna()].reset_index(drop=True)
    if labelled.empty:
        raise DatasetError(
            f"Found {len(records):,} images in {opened.folder} (subset {chosen}), none of them "
            "with one of the eight diagnoses or a risk tier (malignant, premalignant, benign). An "
            "evaluation needs at least 1. Name another subset or folder, or add labels."
        )
    return Selection(
        labelled,
        opened.folder.name,
        opened.key,
        chosen,
        _FOLDER_LABELS if decisions is None else _CLEANED_LABELS,
        num_unlabelled=len(records) - len(labelled),
        is_lineage_known=fitted_on is not None,
        unchecked="" if known is None else explain_unchecked(hashed, known),
    )


def _label_files(records: pd.DataFrame, decisions: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of the images that are used, with the tier as label where it is all known."""
    if decisions is not None:
        return apply_decisions(records, decisions, USED)
    return records.assign(label=fill_tiers(records))


def _find_sources(records: pd.DataFrame, opened: OpenedFolder) -> pd.Series:
    """Return the source of each image.

    For images that a person sorted into class folders it is the published source, if known.
    """
    collections = find_collections(opened.folder)
    sorted_by_hand = {c.folder.name for c in collections if c.layout is Layout.CLASS_FOLDERS}
    sources = records["source"].astype(object)
    published = records["image_id"].map(opened.companions.known_sources).astype(object)
    return sources.mask(sources.isin(sorted_by_hand) & published.notna(), published)


def keep_classes(selection: Selection, class_names: Sequence[str]) -> Selection:
    """Keep the images whose label is one of these names; count the others as unlabelled."""
    kept = selection.table[selection.table["label"].isin([str(name) for name in class_names])]
    num_dropped = len(selection.table) - len(kept)
    return replace(
        selection,
        table=kept.reset_index(drop=True),
        num_unlabelled=selection.num_unlabelled + num_dropped,
    )


def find_unseen(selection: Selection) -> NDArray[np.bool_]:
    """Return which images were not seen in training, bool [N].

    Raises:
        DatasetError: All of them were seen.
    """
    is_unseen = ~selection.table["is_seen"].to_numpy(dtype=bool)
    if not is_unseen.any():
        raise DatasetError(
            f"Found {len(is_unseen):,} images to evaluate on, and the model has seen all of them, "
            "or related images, in training. An unbiased evaluation needs at least 1 unseen image. "
            "Name another folder or subset, or include them with `--with-trained`."
        )
    return is_unseen
