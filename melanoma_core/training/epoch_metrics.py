"""The metrics after an epoch of a training, without confidence intervals."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from melanoma_core.training.classes import find_positive


def measure_epoch(
    logits: NDArray[np.float32], labels: NDArray[np.int64], class_names: Sequence[str]
) -> dict[str, float]:
    """Compute the metrics of an epoch, without confidence intervals.

    Args:
        logits: float [N, C].
        labels: int [N], positions in the class names.
        class_names: C names, one of which means melanoma.

    Returns:
        "loss" (cross-entropy, whatever the training loss), "accuracy", "balanced_accuracy" (mean
        recall of the classes that occur), "melanoma_sensitivity" and "melanoma_specificity" (of
        melanoma as the top-1 class), "roc_auc" (of the probability of melanoma), and
        "recall/<class>" for each class. NaN if undefined.

    Raises:
        DatasetError: No class means melanoma, or more than one does.

    Example:
        >>> figures = measure_epoch(
        ...     np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), ("nevus", "melanoma")
        ... )
        >>> figures["accuracy"], figures["roc_auc"]
        (1.0, 1.0)
    """
    melanoma = find_positive(class_names)
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    recalls = {
        f"recall/{name}": _mean((predicted == index)[labels == index])
        for index, name in enumerate(class_names)
    }
    defined = [recall for recall in recalls.values() if not np.isnan(recall)]
    is_melanoma = labels == melanoma
    return {
        "loss": -_mean(log_probabilities[np.arange(len(labels)), labels]),
        "accuracy": _mean(predicted == labels),
        "balanced_accuracy": _mean(np.array(defined)),
        "melanoma_sensitivity": _mean((predicted == melanoma)[is_melanoma]),
        "melanoma_specificity": _mean((predicted != melanoma)[~is_melanoma]),
        "roc_auc": _compute_roc_auc(log_probabilities[:, melanoma], is_melanoma),
    } | recalls


def _compute_roc_auc(scores: NDArray[np.float64], is_melanoma: NDArray[np.bool_]) -> float:
    if is_melanoma.all() or not is_melanoma.any() or np.isnan(scores).any():
        return float("nan")
    return float(roc_auc_score(is_melanoma, scores))


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
