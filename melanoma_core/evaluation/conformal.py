"""Prediction sets that contain the true diagnosis as often as promised, for each diagnosis.

Split conformal prediction within each class (Vovk, "Conditional validity of inductive conformal
predictors", 2012; Sadinle, Lei and Wasserman, "Least ambiguous set-valued classifiers with bounded
error levels", 2019). A class belongs to the set unless its probability is among the lowest tenth
of the probabilities that lesions of this class received. The coverage holds for every class,
including rare ones, but a class with too few lesions gets no bound. The adaptive sets of Romano,
Sesia and Candès (2020) even out difficulty within a class at the price of larger sets; here
coverage must not be averaged over classes.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prediction_set import make_prediction_set
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import Resamples, divide, measure_shares, quantiles
from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds, DecisionRules

_COVERAGE = 0.9


def fit_bounds(
    predictions: LabelledPredictions, class_names: Sequence[str], fitted_on: str
) -> ConformalBounds:
    """Determine the lowest probability at which each class belongs to a prediction set.

    Images of one lesion are not independent, so one image of each lesion is drawn (Dunn,
    Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models",
    2023). For a class with n lesions and a coverage of 90%, the bound is the k-th highest
    probability, where k is 0.9 (n + 1) rounded up. A bound needs at least 9 lesions.

    Args:
        predictions: For images that are never reported on.
        class_names: C names.
        fitted_on: Name of the subset of these images.

    Example:
        >>> probabilities = np.stack([np.arange(1, 10) / 10, 1 - np.arange(1, 10) / 10], axis=1)
        >>> predictions = LabelledPredictions(probabilities, np.zeros(9, int), np.arange(9))
        >>> fit_bounds(predictions, ("MEL", "NV"), "validation").bounds["MEL"]
        ConformalBound(lowest_probability=0.1, num_lesions=9)
    """
    labels = predictions.labels
    order = np.random.default_rng(0).permutation(len(labels))
    _, first = np.unique(predictions.lesion_ids[order], return_index=True)
    drawn = order[first]
    own = predictions.probabilities[drawn, labels[drawn]]
    bounds = {
        str(name): _fit_bound(own[labels[drawn] == index]) for index, name in enumerate(class_names)
    }
    return ConformalBounds(_COVERAGE, fitted_on, bounds)


def _fit_bound(probabilities: NDArray[np.floating[Any]]) -> ConformalBound:
    num_lesions = len(probabilities)
    # The subtraction absorbs rounding: (9 + 1) · 0.9 must not exceed 9.
    needed = math.ceil((num_lesions + 1) * _COVERAGE - 1e-9)
    if needed > num_lesions:
        return ConformalBound(None, num_lesions)
    return ConformalBound(float(np.sort(probabilities)[::-1][needed - 1]), num_lesions)


def measure_sets(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> dict[str, Figure]:
    """Compute the coverage and the size of the prediction sets.

    Args:
        resamples: Of the N images.
        predictions: For images that the bounds were not determined on.
        rules: Of the model.

    Returns:
        "coverage" and "coverage_<NAME>" of the images of each class; "set_size" and
        "set_size_<NAME>", the mean number of classes in the set. NaN where undefined, as for a
        class without a bound, which "coverage" and "set_size" leave out too. Empty if the model
        makes no sets.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> bounds = {"MEL": ConformalBound(0.2, 40), "NV": ConformalBound(0.5, 90)}
        >>> conformal = ConformalBounds(0.9, "validation", bounds)
        >>> rules = DecisionRules(("MEL", "NV"), 0, conformal=conformal)
        >>> predictions = LabelledPredictions(
        ...     np.array([[0.3, 0.7], [0.1, 0.9]]), np.array([0, 0]), np.arange(2)
        ... )
        >>> figures = measure_sets(resample_lesions(np.arange(2)), predictions, rules)
        >>> figures["coverage"].value, figures["set_size"].value
        (0.5, 1.5)
    """
    if rules.conformal is None:
        return {}
    bounds = [rules.conformal.bounds[name] for name in rules.class_names]
    members = _list_members(predictions, rules)
    labels = predictions.labels
    classes = labels.clip(min=0)  # a tier is no class
    is_bounded = np.array([bound.lowest_probability is not None for bound in bounds])
    has_bound = is_bounded[classes] & predictions.is_diagnosed
    groups = {"": has_bound} | {
        f"_{name}": has_bound & (labels == index) for index, name in enumerate(rules.class_names)
    }
    is_covered = members[np.arange(len(labels)), classes]
    covered = measure_shares(
        resamples, {f"coverage{name}": (is_covered, among) for name, among in groups.items()}
    )
    sizes = members.sum(axis=1)
    return covered | {
        f"set_size{name}": _measure_mean(resamples, sizes, among) for name, among in groups.items()
    }


def _list_members(predictions: LabelledPredictions, rules: DecisionRules) -> NDArray[np.bool_]:
    """Return which classes the set of each image contains, bool [N, C]."""
    found = (make_prediction_set(rules, each) for each in predictions.probabilities.tolist())
    return np.array(
        [[name in each.members for name in rules.class_names] for each in found if each]
    )


def _measure_mean(
    resamples: Resamples, values: NDArray[np.integer[Any]], among: NDArray[np.bool_]
) -> Figure:
    means = divide(resamples.sum(values * among), resamples.sum(among.astype(np.float64)))
    low, high = quantiles(means)
    num_lesions = resamples.count_lesions(among)
    return Figure(float(means[0]), low, high, None, int(among.sum()), num_lesions)
