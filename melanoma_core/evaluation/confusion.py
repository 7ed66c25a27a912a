"""Which class is put first for the images of each class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import Draws, divide, to_figure


def measure_balanced_accuracy(
    draws: Draws, predicted: NDArray[np.intp], labels: NDArray[np.integer[Any]]
) -> Figure:
    """Measure the mean recall of the classes that occur.

    Args:
        draws: The resamples.
        predicted: int [N], the class put first.
        labels: int [N], the true one.
    """
    classes = [labels == index for index in np.unique(labels)]
    among = np.array(classes)
    recalls = divide(draws.sum((predicted == labels) & among), draws.sum(among))
    # A class that a resample does not hold is NaN there: the mean is of those that occur.
    values = np.nanmean(recalls, axis=0)
    fewest = min(draws.count_lesions(members) for members in classes)
    return to_figure(values, fewest, None, len(labels), draws.num_lesions)


def count_confusions(
    predicted: NDArray[np.intp], labels: NDArray[np.integer[Any]], num_classes: int
) -> tuple[tuple[int, ...], ...]:
    """Count the images of each true class (row) that were put into each class (column)."""
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return tuple(map(tuple, counts.reshape(num_classes, num_classes).tolist()))
