"""The predictions of a finished run on its published, validation and test subsets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.errors import RunError
from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.evaluation.metrics import evaluate
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.models.predictions import (
    add_probabilities,
    get_probabilities,
    index_truths,
    list_classes,
    parse_probabilities,
)
from melanoma_core.spreadsheets import format_table, restore_table
from melanoma_core.training.classes import find_positive
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION, find_leaked

COLUMNS = ("image_id", "sha256", "subset", "group", "source", "label", "leaked")
_HELD_OUT = (PUBLISHED, VALIDATION, TEST)
_DTYPES: dict[str, Any] = {"group": np.int64, "leaked": bool}


def select_held_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a network was not trained on, with a column that marks leaked images.

    Args:
        table: All rows of a prepared split (`preparation.prepare_split`).

    Returns:
        The rows of published, validation and test, in this order, with `leaked`
        (`preparation.find_leaked`); index 0…N-1.
    """
    rows = table.assign(leaked=find_leaked(table))
    rows = rows[rows["subset"] != TRAIN]
    order = rows["subset"].map({name: rank for rank, name in enumerate(_HELD_OUT)})
    return rows.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def tabulate_predictions(
    rows: pd.DataFrame, probabilities: NDArray[np.floating[Any]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return the table of predictions of a run.

    Args:
        rows: N rows that `select_held_out` returned.
        probabilities: float [N, C], in [0, 1].
        class_names: C names, in the order of the columns.

    Returns:
        `COLUMNS` of the rows, and a float32 column `p_<class name>` per class.
    """
    return add_probabilities(rows[list(COLUMNS)], probabilities.astype(np.float32), class_names)


def write_predictions(predictions: pd.DataFrame, file: Path) -> None:
    """Write predictions as CSV. Nine digits reproduce each float32 probability exactly."""
    file.write_bytes(format_table(predictions, "%.9g"))


def read_predictions(file: Path) -> pd.DataFrame:
    """Read a file that `write_predictions` wrote, without loss.

    Raises:
        RunError: The file cannot be read, or is not a table of predictions.
    """
    try:
        # Read as text first: a folder may be named "NA", and a class "p_1".
        table = pd.read_csv(
            file,
            dtype=object,
            keep_default_na=False,
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
        table = restore_table(table)
        leaked = table["leaked"].map({"True": True, "False": False})
        predictions = table.assign(leaked=leaked)[[*COLUMNS, *table.columns[len(COLUMNS) :]]]
        return parse_probabilities(predictions.astype(_DTYPES), np.float32)
    except (OSError, ValueError, KeyError) as error:  # pandas' parser errors are ValueErrors
        raise RunError(
            f"Cannot read the predictions {file} ({error}). A finished run writes them. Train the "
            "run again."
        ) from error


def select_subset(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> pd.DataFrame:
    """Return the predictions of one subset, optionally without leaked images."""
    chosen = predictions["subset"] == subset
    if without_leaked:
        chosen &= ~predictions["leaked"]
    return predictions[chosen].reset_index(drop=True)


def evaluate_subset(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> dict[str, Figure]:
    """Compute the metrics of a run on one subset, with 95% intervals resampled by group.

    A run has no alert threshold: "sensitivity" and "specificity" refer to melanoma as the class
    with the largest probability (top-1). Where the classes are risk tiers, all metrics of melanoma
    are those of malignant lesions.

    Args:
        predictions: Table that `tabulate_predictions` returned.
        subset: "published", "validation" or "test".
        without_leaked: Whether to exclude leaked images (`preparation.find_leaked`).

    Returns:
        See `metrics.evaluate`. Undefined metrics are NaN; all of them if the subset is empty.
    """
    chosen = select_subset(predictions, subset, without_leaked=without_leaked)
    class_names = list_classes(predictions)
    if chosen.empty:
        return dict.fromkeys(_name_figures(class_names), UNDEFINED)
    labels = index_truths(chosen, class_names)
    labelled = LabelledPredictions(get_probabilities(chosen), labels, chosen["group"].to_numpy())
    return evaluate(labelled, DecisionRules(class_names, find_positive(class_names)))


def _name_figures(class_names: Sequence[str]) -> list[str]:
    single = ["accuracy", "balanced_accuracy", "melanoma_roc_auc", "sensitivity", "specificity"]
    return [*single, "calibration_error", *(f"recall_{name}" for name in class_names)]
