"""The table of predictions: one row per image, one probability per class.

Everything that keeps, compares or evaluates predictions uses this table: the test predictions of a
model (`models.lineage`), the held-out predictions of a run (`training.predictions`), and the
photographs that a deployed model reads again for a comparison (`assessment.read_again`).

Columns that identify an image come first (`image_id`, `sha256`, `label`, …). One column
`p_<class name>` per class follows, in the order of the network's outputs, with values in [0, 1].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.predictions import TIER_LABELS

_PREFIX = "p_"


def add_probabilities(
    rows: pd.DataFrame, probabilities: NDArray[np.floating[Any]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return a table of predictions.

    Args:
        rows: The identifying columns of N images.
        probabilities: float [N, C], in [0, 1]. The columns keep its dtype.
        class_names: C class names, in the order of the columns of `probabilities`.

    Returns:
        The columns of `rows`, then a column `p_<class name>` per class.

    >>> rows = pd.DataFrame({"image_id": ["a", "b"]})
    >>> add_probabilities(rows, np.array([[0.25, 0.75], [1.0, 0.0]]), ("MEL", "NV"))
      image_id  p_MEL  p_NV
    0        a   0.25  0.75
    1        b   1.00  0.00
    """
    columns = [f"{_PREFIX}{name}" for name in class_names]
    return pd.concat([rows, pd.DataFrame(probabilities, rows.index, columns)], axis=1)


def parse_probabilities(table: pd.DataFrame, dtype: type[np.floating[Any]]) -> pd.DataFrame:
    """Return a table of predictions that was read as text, with its probabilities as numbers.

    Raises:
        ValueError: A probability is not a number.
    """
    return table.astype(dict.fromkeys(_name_columns(table), dtype))


def list_classes(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the class names of predictions, in the order of the network's outputs."""
    return tuple(name.removeprefix(_PREFIX) for name in _name_columns(predictions))


def get_probabilities(
    predictions: pd.DataFrame, class_names: Sequence[str] | None = None
) -> NDArray[np.float64]:
    """Return the probabilities, float64 [N, C], of some classes; by default of `list_classes`."""
    columns = [f"{_PREFIX}{name}" for name in class_names or list_classes(predictions)]
    return predictions[columns].to_numpy(np.float64)


def index_labels(table: pd.DataFrame, class_names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each row's label among the class names, int64 [N].

    Raises:
        DatasetError: A label is none of them.
    """
    positions = {str(name): index for index, name in enumerate(class_names)}
    unknown = sorted(set(table["label"].astype(str)) - positions.keys())
    if unknown:
        raise DatasetError(
            f"Found the labels {', '.join(unknown)}, which are none of the classes "
            f"{', '.join(class_names)}. Name a class for each label."
        )
    return np.array([positions[label] for label in table["label"]], dtype=np.int64)


def index_truths(table: pd.DataFrame, class_names: Sequence[str]) -> NDArray[np.int64]:
    """Return what is known of each row's diagnosis, int64 [N], as in `LabelledPredictions`.

    Returns:
        The position of the label among the class names; or one of `TIER_LABELS`, where it is a
        risk tier.

    Raises:
        DatasetError: A label is neither.

    >>> index_truths(pd.DataFrame({"label": ["NV", "benign"]}), ("MEL", "NV")).tolist()
    [1, -3]
    """
    tiers = {str(tier): label for tier, label in TIER_LABELS.items()}
    is_tier = table["label"].isin(set(tiers) - set(map(str, class_names))).to_numpy()
    truths = np.empty(len(table), dtype=np.int64)
    truths[~is_tier] = index_labels(table[~is_tier], class_names)
    truths[is_tier] = [tiers[str(label)] for label in table["label"][is_tier]]
    return truths


def _name_columns(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if str(name).startswith(_PREFIX)]
