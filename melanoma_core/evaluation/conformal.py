"""Sets of diagnoses that hold the right one as often as they say, for each diagnosis.

Split conformal prediction within each class (Vovk, "Conditional validity of inductive conformal
predictors", 2012; Sadinle, Lei and Wasserman, "Least ambiguous set-valued classifiers with bounded
error levels", 2019): a class belongs to the set where its probability is not among the lowest
tenth of those that the lesions of this class themselves were given. It holds for every class,
rare ones too, and promises nothing of a class with too few lesions. The adaptive sets of Romano,
Sesia and Candès (2020) even out difficulty within a class, at the price of larger sets; here the
class is what must not be averaged over.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prediction_set import ConformalBound, ConformalBounds
from melanoma_core.evaluation.resampling import Draws, divide, measure_shares, quantiles

COVERAGE = 0.9


def fit_bounds(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    class_names: Sequence[str],
    fitted_on: str,
    *,
    coverage: float = COVERAGE,
    seed: int = 0,
) -> ConformalBounds:
    """Find from which probability each class belongs to the set.

    Photographs of one lesion are alike, and the promise rests on cases that are not: one
    photograph of each lesion is drawn (Dunn, Wasserman and Ramdas, "Distribution-free prediction
    sets for two-layer hierarchical models", 2023). Of n lesions of a class, the k-th highest
    probability is its bound, k being (n + 1) · coverage rounded up; 9 lesions are the fewest that
    have one at 90%.

    Args:
        probabilities: float [N, C], calibrated, in [0, 1].
        labels: int [N], index of the true class, in [0, C).
        lesion_ids: str or int [N], which images show the same lesion.
        class_names: C names.
        fitted_on: What these images are called; never those that are reported on.
        coverage: In (0, 1).
        seed: Of the photograph that is drawn of each lesion.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    _, first = np.unique(lesion_ids[order], return_index=True)
    drawn = order[first]
    own = probabilities.astype(np.float64)[drawn, labels[drawn]]
    return ConformalBounds(
        coverage,
        fitted_on,
        {
            str(name): _fit_bound(own[labels[drawn] == index], coverage)
            for index, name in enumerate(class_names)
        },
    )


def _fit_bound(probabilities: NDArray[np.float64], coverage: float) -> ConformalBound:
    num_lesions = len(probabilities)
    # Less a little: (9 + 1) · 0.9 must not be more than 9.
    needed = math.ceil((num_lesions + 1) * coverage - 1e-9)
    if needed > num_lesions:
        return ConformalBound(None, num_lesions)
    return ConformalBound(float(np.sort(probabilities)[::-1][needed - 1]), num_lesions)


def mark_members(
    bounds: ConformalBounds, class_names: Sequence[str], probabilities: NDArray[np.floating[Any]]
) -> NDArray[np.bool_]:
    """Return which classes the set of each image holds, bool [N, C].

    A class without a bound is in no set.
    """
    found = [bounds.bounds[name].lowest_probability for name in class_names]
    lowest = np.array([np.inf if bound is None else bound for bound in found])
    return np.asarray(probabilities.astype(np.float64) >= lowest)


def measure_sets(
    draws: Draws,
    bounds: ConformalBounds,
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    class_names: Sequence[str],
) -> dict[str, Figure]:
    """Measure how often the sets hold the right class, and how much they leave open.

    Args:
        draws: The resamples.
        bounds: Of the model, found on other images.
        probabilities: float [N, C], calibrated, in [0, 1].
        labels: int [N], index of the true class.
        class_names: C names.

    Returns:
        "coverage" and "coverage_<NAME>" of the images of each class; "set_size" and
        "set_size_<NAME>", the mean number of classes in the set. NaN where undefined, as are those
        of a class that has no bound; it does not count in "coverage" and "set_size" either.
    """
    members = mark_members(bounds, class_names, probabilities)
    has_bound = [bounds.bounds[name].lowest_probability is not None for name in class_names]
    is_asked = np.array(has_bound)[labels]
    groups = {"": is_asked} | {
        f"_{name}": is_asked & (labels == index) for index, name in enumerate(class_names)
    }
    is_covered = members[np.arange(len(labels)), labels]
    covered = measure_shares(
        draws, {f"coverage{name}": (is_covered, among) for name, among in groups.items()}
    )
    sizes = members.sum(axis=1)
    return covered | {
        f"set_size{name}": _measure_mean(draws, sizes, among) for name, among in groups.items()
    }


def _measure_mean(
    draws: Draws, values: NDArray[np.integer[Any]], among: NDArray[np.bool_]
) -> Figure:
    means = divide(draws.sum(values * among), draws.sum(among.astype(np.float64)))
    low, high = quantiles(means)
    return Figure(float(means[0]), low, high, None, int(among.sum()), draws.count_lesions(among))
