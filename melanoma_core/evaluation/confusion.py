"""Balanced accuracy and the confusion matrix."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.evaluation.resampling import Resamples, divide, to_figure


def measure_balanced_accuracy(
    resamples: Resamples, predicted: NDArray[np.intp], labels: NDArray[np.integer[Any]]
) -> Figure:
    """Compute the mean recall of the classes that occur.

    Args:
        resamples: Of the N images.
        predicted: int [N], the predicted class.
        labels: int [N], the true class.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> predicted, labels = np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])
        >>> measure_balanced_accuracy(resample_lesions(np.arange(4)), predicted, labels).value
        0.75
    """
    if not len(labels):
        return UNDEFINED
    classes = [labels == index for index in np.unique(labels)]
    among = np.array(classes)
    recalls = divide(resamples.sum((predicted == labels) & among), resamples.sum(among))
    # NaN marks a class that a resample does not contain: the mean is over those that occur.
    values = divide(np.nansum(recalls, axis=0), (~np.isnan(recalls)).sum(axis=0))
    fewest = min(resamples.count_lesions(members) for members in classes)
    return to_figure(values, fewest, None, len(labels), resamples.num_lesions)


def count_confusions(
    predicted: NDArray[np.intp], labels: NDArray[np.integer[Any]], num_classes: int
) -> tuple[tuple[int, ...], ...]:
    """Return the confusion matrix: images by true class (row) and predicted class (column).

    Example:
        >>> count_confusions(np.array([0, 1, 1]), np.array([0, 0, 1]), num_classes=2)
        ((1, 1), (0, 1))
    """
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return tuple(map(tuple, counts.reshape(num_classes, num_classes).tolist()))
