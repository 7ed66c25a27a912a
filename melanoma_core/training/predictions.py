"""What a finished run said of every image that it did not learn from, as a table that it leaves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.errors import DatasetError, RunError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.metrics import evaluate
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION, find_leaked

COLUMNS = ("image_id", "sha256", "subset", "group", "source", "label", "leaked")
HELD_OUT = (PUBLISHED, VALIDATION, TEST)
_PREFIX = "p_"
_KINDS: dict[str, Any] = {"group": np.int64, "leaked": bool}


def select_held_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a network did not learn from, told which of them are no news to it.

    Args:
        table: Of the prepared split (`preparation.prepare_split`), all rows.

    Returns:
        The rows of published, validation and test, in this order, with `leaked`
        (`preparation.find_leaked`); index 0…N-1.
    """
    rows = table.assign(leaked=find_leaked(table))
    rows = rows[rows["subset"] != TRAIN]
    order = rows["subset"].map({name: rank for rank, name in enumerate(HELD_OUT)})
    return rows.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def tabulate_predictions(
    rows: pd.DataFrame, probabilities: NDArray[np.floating[Any]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return the predictions of a run.

    Args:
        rows: As `select_held_out` gives.
        probabilities: float [N, C], in [0, 1].
        class_names: C names, in the order of the columns.

    Returns:
        `COLUMNS` of the rows, and a column `p_<class name>` per class, float32.
    """
    columns = [f"{_PREFIX}{name}" for name in class_names]
    said = pd.DataFrame(probabilities.astype(np.float32), rows.index, columns)
    return pd.concat([rows[list(COLUMNS)], said], axis=1)


def write_predictions(predictions: pd.DataFrame, file: Path) -> None:
    """Write predictions as CSV, each probability with the 9 digits that give it back exactly."""
    predictions.to_csv(
        file,
        index=False,
        float_format="%.9g",
        encoding="utf-8",
        errors="surrogateescape",
        lineterminator="\n",
    )


def read_predictions(file: Path) -> pd.DataFrame:
    """Read what `write_predictions` wrote, exactly.

    Raises:
        RunError: It cannot be read, or is something else.
    """
    try:
        # Text first: a folder may be called "NA", and a class "p_1".
        table = pd.read_csv(
            file,
            dtype=object,
            keep_default_na=False,
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
        leaked = table["leaked"].map({"True": True, "False": False})
        scores = [f"{_PREFIX}{name}" for name in list_classes(table)]
        predictions = table.assign(leaked=leaked)[[*COLUMNS, *scores]]
        return predictions.astype(_KINDS | dict.fromkeys(scores, np.float32))
    except (OSError, ValueError, KeyError) as error:  # pandas' parser errors are ValueErrors
        raise RunError(
            f"Cannot read the predictions {file} ({error}). A finished run writes them. Train it "
            "anew."
        ) from error


def list_classes(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the class names that predictions are of, in the network's order."""
    names = map(str, predictions.columns)
    return tuple(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))


def select_subset(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> pd.DataFrame:
    """Return the predictions of one subset, of all images or of those that were news alone."""
    chosen = predictions["subset"] == subset
    if without_leaked:
        chosen &= ~predictions["leaked"]
    return predictions[chosen].reset_index(drop=True)


def get_probabilities(predictions: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probabilities, float64 [N, C]."""
    columns = [f"{_PREFIX}{name}" for name in list_classes(predictions)]
    return predictions[columns].to_numpy(np.float64)


def index_labels(predictions: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of each label among the classes, int64 [N]."""
    positions = {name: index for index, name in enumerate(list_classes(predictions))}
    return np.array([positions[label] for label in predictions["label"]], dtype=np.int64)


def find_melanoma(class_names: Sequence[str]) -> int:
    """Return the position of melanoma among class names, however a folder calls it.

    Raises:
        DatasetError: None of them means melanoma, or more than one does.
    """
    found = [i for i, name in enumerate(class_names) if parse_diagnosis(name) is Diagnosis.MEL]
    if len(found) != 1:
        raise DatasetError(
            f"Found {len(found)} classes that mean melanoma among {', '.join(class_names)}. There "
            "must be exactly 1. Put its photographs into one folder called melanoma."
        )
    return found[0]


def measure(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> dict[str, Figure]:
    """Measure a run on one subset, with 95% intervals resampled by group.

    Runs have no threshold: "sensitivity" and "specificity" are those of melanoma put first,
    that is, having the largest probability.

    Args:
        predictions: As `tabulate_predictions` gives.
        subset: "published", "validation" or "test".
        without_leaked: Whether to leave out the images that were no news to the network.

    Returns:
        As `metrics.evaluate`. NaN where undefined, all of them where the subset is empty.
    """
    chosen = select_subset(predictions, subset, without_leaked=without_leaked)
    class_names = list_classes(predictions)
    if chosen.empty:
        return dict.fromkeys(_name_figures(class_names), _UNDEFINED)
    return evaluate(
        get_probabilities(chosen),
        index_labels(chosen),
        chosen["group"].to_numpy(),
        class_names,
        find_melanoma(class_names),
        threshold=None,
    )


_UNDEFINED = Figure(np.nan, np.nan, np.nan, None, 0, 0)


def _name_figures(class_names: Sequence[str]) -> list[str]:
    single = ["accuracy", "balanced_accuracy", "melanoma_roc_auc", "sensitivity", "specificity"]
    return [*single, "calibration_error", *(f"recall_{name}" for name in class_names)]
