"""The training and test images of a model, kept in its folder without the photographs.

The card lists both tables with their hashes:

- `split.csv.gz` shows whether the network has seen a photograph in training. A model that continues
  from this one keeps the same images apart.
- `predictions.csv.gz` has the test predictions. Two models can be compared on the same lesions
  without the photographs.

Models from older versions have neither.
"""

import gzip
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.errors import ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.predictions import add_probabilities, parse_probabilities
from melanoma_core.spreadsheets import format_table, restore_table

SPLIT_NAME = "split.csv.gz"
PREDICTIONS_NAME = "predictions.csv.gz"
_SPLIT_COLUMNS = (
    "image_id",
    "sha256",
    "lesion_id",
    "patient_id",
    "group",
    "source",
    "label",
    "subset",
    "parent_image_id",
    "confirmation",
    "fitzpatrick",
    "ita",
)
INHERITED = "inherited"
_ISIC = r"^ISIC_\d{7}$"  # other file names do not identify an image
# The subsets that the weights were fitted on. The threshold was chosen on "validation";
# "published" was only evaluated.
_TRAINED_ON = ("train", INHERITED)


def describe_split(table: pd.DataFrame, ancestor: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the table that `split.csv.gz` contains.

    Args:
        table: All rows of the split that was used for training; `parent_image_id` may be absent.
        ancestor: The split (`read_split`) of the model that training started from, or None.

    Returns:
        image_id, sha256, lesion_id, patient_id, group, source, label, subset, parent_image_id,
        confirmation, fitzpatrick and ita, sorted by image_id; unknown values are missing. Images
        that only the ancestor was trained on (by sha256) follow as subset "inherited", so that the
        table lists everything that the weights have seen. Their `group` is missing, because group
        numbers belong to one split.
    """
    own = table.reindex(columns=list(_SPLIT_COLUMNS)).sort_values("image_id", kind="stable")
    own["group"] = own["group"].astype("Int64")
    own["ita"] = own["ita"].astype(float).round(1)  # the estimate is no more exact
    if ancestor is None:
        return own.reset_index(drop=True)
    trained = ancestor[was_trained_on(ancestor) & ~ancestor["sha256"].isin(own["sha256"])]
    inherited = trained.assign(subset=INHERITED, group=pd.array([pd.NA] * len(trained), "Int64"))
    return pd.concat([own, inherited.reindex(columns=list(_SPLIT_COLUMNS))], ignore_index=True)


def was_trained_on(split: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows of a split the weights were trained on, bool [N]."""
    return split["subset"].isin(_TRAINED_ON).to_numpy()


def find_seen(records: pd.DataFrame, split: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return which images share a group with one that weights or threshold were fitted on.

    Args:
        records: N images with image_id, sha256, lesion_id, patient_id and group; ids of lesions and
            patients hashed as in the split.
        split: Of the model (`read_split`); None if it has none.

    Returns:
        bool [N]; all False without a split.
    """
    if split is None:
        return np.zeros(len(records), dtype=bool)
    fitted = split[split["subset"] != "test"]
    ids = records["image_id"].astype(str)
    seen = ids.str.match(_ISIC) & ids.isin(fitted["image_id"])
    for key in ("sha256", "lesion_id", "patient_id"):
        seen |= records[key].notna() & records[key].isin(fitted[key].dropna())
    return np.asarray(records["group"].isin(records["group"][seen]))


def describe_predictions(
    table: pd.DataFrame, probabilities: NDArray[np.floating[Any]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return the table that `predictions.csv.gz` contains.

    Args:
        table: The N rows of the test subset.
        probabilities: float [N, C], calibrated, in [0, 1].
        class_names: C diagnosis codes.

    Returns:
        A table of predictions (`models.predictions`) with image_id, sorted by it; float64. The
        split contains all other columns.
    """
    rows = add_probabilities(table[["image_id"]], probabilities.astype(np.float64), class_names)
    return rows.sort_values("image_id", kind="stable").reset_index(drop=True)


def write_table(table: pd.DataFrame, path: Path) -> str:
    """Write a table as gzipped CSV and return its SHA-256 (hex). Same rows, same bytes."""
    content = io.BytesIO()
    # Without name and time, which gzip would write by default.
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        file.write(format_table(table))
    path.write_bytes(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def read_split(folder: Path) -> pd.DataFrame | None:
    """Return the split of the model in `folder` (`describe_split`); None if it has none.

    Raises:
        ModelError: There is no such model; or the table is missing, damaged, or not the one that
            the card names.
    """
    table = _read_checked(folder, SPLIT_NAME)
    return None if table is None else _to_split(table)


def read_predictions(folder: Path) -> pd.DataFrame | None:
    """Return the test predictions of the model in `folder`.

    Returns:
        A table of predictions (`models.predictions`) with the columns of the split, sorted by
        image_id; float64. None if the model has no predictions.

    Raises:
        ModelError: As for `read_split`.
    """
    predictions, split = _read_checked(folder, PREDICTIONS_NAME), read_split(folder)
    if predictions is None or split is None:
        return None
    test = split[split["subset"] == "test"]
    predictions = parse_probabilities(predictions, np.float64)
    return test.merge(predictions, on="image_id", validate="one_to_one")


def hash_images(table: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) of a set of photographs (by their bytes) and their labels."""
    rows = table.sort_values("sha256")[["sha256", "label"]]
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def _read_checked(folder: Path, name: str) -> pd.DataFrame | None:
    expected = load_card(folder).files.get(name)
    if expected is None:
        return None
    path = folder / name
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != expected:
            raise ValueError("its SHA-256 is not the one in the card")
        table = pd.read_csv(
            io.BytesIO(gzip.decompress(content)),
            dtype=object,  # a folder may be called "NA"
            keep_default_na=False,
            na_values=[""],
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
        return restore_table(table)
    except (OSError, ValueError) as error:  # includes the errors of gzip and pandas
        raise ModelError(
            f"Cannot read {path} ({error}). The card needs this file. Restore it from its source, "
            "or name another model."
        ) from error


def _to_split(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was read as text with its numbers; older ones lack the last columns."""
    table = table.reindex(columns=list(_SPLIT_COLUMNS))
    table["group"] = pd.to_numeric(table["group"]).astype("Int64")
    table["ita"] = pd.to_numeric(table["ita"]).astype(float)
    texts = [name for name in _SPLIT_COLUMNS if name not in ("group", "ita")]
    table[texts] = table[texts].astype(object).where(table[texts].notna(), None)
    return table
