"""What a model learned from and was measured on, kept with it, without its photographs.

Two tables lie in the model's folder, both named with their hash by the card. The split lets anyone
ask later whether the network has met a photograph before, and lets a network that is trained on
from this one keep apart what this one kept apart. The predictions let two models be compared on
the same lesions without a photograph at hand. A model that was made before this has neither.
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

SPLIT_NAME = "split.csv.gz"
PREDICTIONS_NAME = "predictions.csv.gz"
SPLIT_COLUMNS = (
    "image_id",
    "sha256",
    "lesion_id",
    "patient_id",
    "group",
    "source",
    "label",
    "subset",
    "parent_image_id",
)
INHERITED = "inherited"
# Subsets whose photographs have moved the weights. The threshold was chosen on validation, and
# "published" was only looked at.
LEARNED = ("train", INHERITED)


def describe_split(table: pd.DataFrame, ancestor: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what is kept of a split.

    Args:
        table: Every row of the split as it was trained on; `parent_image_id` may be missing.
        ancestor: The split (`read_split`) of the model that the network was started from, or None.

    Returns:
        `SPLIT_COLUMNS`, sorted by image_id; unknown is missing. What the ancestor learned from and
        the table does not hold (by sha256) follows as subset "inherited", so that a model names
        all that its weights have ever seen; `group` is missing there, since it is numbered anew
        with every split.
    """
    own = table.reindex(columns=list(SPLIT_COLUMNS)).sort_values("image_id", kind="stable")
    own["group"] = own["group"].astype("Int64")
    if ancestor is None:
        return own.reset_index(drop=True)
    learned = ancestor[was_trained_on(ancestor) & ~ancestor["sha256"].isin(own["sha256"])]
    inherited = learned.assign(subset=INHERITED, group=pd.array([pd.NA] * len(learned), "Int64"))
    return pd.concat([own, inherited[list(SPLIT_COLUMNS)]], ignore_index=True)


def was_trained_on(split: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows of a split the weights have learned from, bool [N]."""
    return split["subset"].isin(LEARNED).to_numpy()


def describe_predictions(
    table: pd.DataFrame, probabilities: NDArray[np.floating[Any]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return what is kept of the readings of the test subset.

    Args:
        table: Rows of the test subset, N.
        probabilities: float [N, C], calibrated, in [0, 1].
        class_names: C diagnosis codes.

    Returns:
        image_id and `p_<CODE>` per class, float64, sorted by image_id. All else is in the split.
    """
    rows = add_probabilities(table[["image_id"]], probabilities.astype(np.float64), class_names)
    return rows.sort_values("image_id", kind="stable").reset_index(drop=True)


def write_table(table: pd.DataFrame, path: Path) -> str:
    """Write a table as gzipped CSV, the same bytes for the same rows, and return its SHA-256."""
    text = table.to_csv(index=False, lineterminator="\n")  # numbers as they come back exactly
    content = io.BytesIO()
    # Neither name nor time, which gzip would else keep.
    with gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0) as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    path.write_bytes(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def read_split(folder: Path) -> pd.DataFrame | None:
    """Return the split of the model in `folder` as `describe_split` gave it; None if it keeps none.

    Raises:
        ModelError: There is no such model, or the table is gone, damaged or another one than the
            card names.
    """
    table = _read_checked(folder, SPLIT_NAME)
    return None if table is None else _to_split(table)


def read_predictions(folder: Path) -> pd.DataFrame | None:
    """Return what the model in `folder` said of its test subset, with who they are.

    Returns:
        `SPLIT_COLUMNS` of the test rows and `p_<CODE>` per class (float64), sorted by image_id;
        None if the model keeps no predictions.

    Raises:
        ModelError: As `read_split`.
    """
    said, split = _read_checked(folder, PREDICTIONS_NAME), read_split(folder)
    if said is None or split is None:
        return None
    test = split[split["subset"] == "test"]
    said = parse_probabilities(said, np.float64)
    return test.merge(said, on="image_id", validate="one_to_one")


def hash_images(table: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) of which photographs, by their bytes, under which labels."""
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
            raise ValueError("its SHA-256 is not the one that the card names")
        return pd.read_csv(
            io.BytesIO(gzip.decompress(content)),
            dtype=object,  # a folder may be called "NA"
            keep_default_na=False,
            na_values=[""],
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
    except (OSError, ValueError) as error:  # gzip's and pandas' own are among them
        raise ModelError(
            f"Cannot read {path} ({error}). Its card names it: restore the file from its source, "
            "or name another model."
        ) from error


def _to_split(table: pd.DataFrame) -> pd.DataFrame:
    table["group"] = pd.to_numeric(table["group"]).astype("Int64")
    texts = [name for name in SPLIT_COLUMNS if name != "group"]
    table[texts] = table[texts].where(table[texts].notna(), None)
    return table[list(SPLIT_COLUMNS)]
