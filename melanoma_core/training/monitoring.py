"""What is measured after each epoch, of train and validation alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from melanoma_core.training.predictions import find_melanoma


def measure_epoch(
    logits: NDArray[np.float32], labels: NDArray[np.int64], class_names: Sequence[str]
) -> dict[str, float]:
    """Measure what a network says of some images; without intervals, for curves.

    Args:
        logits: float [N, C].
        labels: int [N], positions in the class names.
        class_names: C names, one of which means melanoma.

    Returns:
        "loss" (cross-entropy, whatever loss is trained on), "accuracy", "balanced_accuracy" (mean
        recall of the classes that occur), "melanoma_sensitivity" and "melanoma_specificity" (of
        melanoma put first), "roc_auc" (of the probability of melanoma), and "recall/<class>" of
        each class. NaN where undefined.
    """
    melanoma = find_melanoma(class_names)
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    recalls = {
        f"recall/{name}": _share(predicted == index, labels == index)
        for index, name in enumerate(class_names)
    }
    defined = [recall for recall in recalls.values() if not np.isnan(recall)]
    own = log_probabilities[np.arange(len(labels)), labels]
    return {
        "loss": -_mean(own),
        "accuracy": _mean(predicted == labels),
        "balanced_accuracy": _mean(np.array(defined)),
        "melanoma_sensitivity": _share(predicted == melanoma, labels == melanoma),
        "melanoma_specificity": _share(predicted != melanoma, labels != melanoma),
        "roc_auc": _measure_roc_auc(log_probabilities[:, melanoma], labels == melanoma),
    } | recalls


def _measure_roc_auc(score: NDArray[np.float64], is_melanoma: NDArray[np.bool_]) -> float:
    if is_melanoma.all() or not is_melanoma.any() or np.isnan(score).any():
        return float("nan")
    return float(roc_auc_score(is_melanoma, score))


def _share(event: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return _mean(event[among])


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
