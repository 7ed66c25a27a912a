"""Figures of a network on images that it was not trained on, each with its interval.

The rooms around this one measure one thing each; here they are put together. The intervals are
those of `resampling`: lesions are drawn, not images.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.alerts import measure_alerts, measure_net_benefit
from melanoma_core.evaluation.conformal import measure_sets
from melanoma_core.evaluation.confusion import count_confusions, measure_balanced_accuracy
from melanoma_core.evaluation.discrimination import (
    Discrimination,
    measure_discrimination,
    measure_roc_auc,
    rank_pairs,
)
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prediction_set import ConformalBounds
from melanoma_core.evaluation.reliability import (
    measure_brier_score,
    measure_calibration,
    measure_calibration_error,
)
from melanoma_core.evaluation.resampling import (
    Draws,
    divide,
    draw_lesions,
    measure_shares,
    to_difference,
)
from melanoma_core.evaluation.slices import measure_slices
from melanoma_core.taxonomy import Diagnosis

_AKIEC = (Diagnosis.AK, Diagnosis.SCC)


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    class_names: Sequence[str],
    melanoma_index: int,
    threshold: float | None,
    *,
    conformal: ConformalBounds | None = None,
    frequencies: Sequence[float] | None = None,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Measure a network, every figure with its 95% interval.

    The interval is the percentile interval of the cluster bootstrap, over those resamples in
    which the figure is defined; all figures share the same resamples. Where no resample
    differs from another (no melanoma missed, say), that interval has no width however few the
    cases, and the one of Korn and Graubard (1998) stands instead: see `resampling.exact_interval`.

    The calibration error is that of the probability of melanoma: the expected calibration
    error of Naeini et al. (2015), in 10 bins of equal mass after Nixon et al. (2019). It is
    never negative, so that chance only adds to it: on few images a perfectly calibrated
    network scores above 0, and its interval lies above 0.

    Args:
        probabilities: float [N, C], calibrated, in [0, 1].
        labels: int [N], index of the true class, in [0, C).
        lesion_ids: str or int [N], which images show the same lesion; none missing.
        class_names: C diagnosis codes, in the order of the columns.
        melanoma_index: Position of melanoma in `class_names`.
        threshold: A probability of melanoma at or above it is an alert, in [0, 1]. None for
            networks that have none yet: an alert is then melanoma put first, that is, the class
            with the largest probability.
        conformal: How the model makes its sets, or None where it makes none.
        frequencies: C shares of the classes among what the probabilities were calibrated for; None
            where they are not known.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Returns:
        "accuracy", "balanced_accuracy" (mean recall of the classes that occur, each image put into
        the most probable one), "balanced_accuracy_even" where frequencies are known (the same, each
        image put into the class that is most probable where all are equally frequent, which is
        how this figure is made largest), "balanced_accuracy_seven" where AK and SCC are among the
        classes too (the same with these two as one, HAM10000's akiec: the score of the ISIC 2018
        challenge, Codella et al. 2019, arXiv:1902.03368),
        "melanoma_roc_auc", "sensitivity" and "specificity" (of the alert),
        "calibration_error", and "recall_<CODE>" of each class; where the model makes sets,
        "coverage" and "coverage_<CODE>" too. NaN where undefined.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    _check_images(probabilities, labels, lesion_ids, len(class_names))
    _check_alert(melanoma_index, len(class_names), threshold)
    draws = draw_lesions(lesion_ids, num_resamples, seed)
    exact = probabilities.astype(np.float64)
    figures = _measure_basics(draws, exact, labels, class_names, melanoma_index, threshold)
    figures |= _measure_evenly(draws, exact, labels, class_names, frequencies)
    if conformal is None:
        return figures
    sets = measure_sets(draws, conformal, exact, labels, class_names)
    return figures | {name: each for name, each in sets.items() if name.startswith("coverage")}


def evaluate_fully(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    class_names: Sequence[str],
    melanoma_index: int,
    threshold: float | None,
    *,
    attributes: pd.DataFrame | None = None,
    conformal: ConformalBounds | None = None,
    frequencies: Sequence[float] | None = None,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure all that is known to measure: figures, curves, slices, sets.

    Args:
        probabilities: As in `evaluate`, and so are the next five.
        labels: Likewise.
        lesion_ids: Likewise.
        class_names: Likewise.
        melanoma_index: Likewise.
        threshold: Likewise.
        attributes: N rows, with any of the columns `slices.ATTRIBUTES`; None for no slices.
        conformal: How the model makes its sets, or None where it makes none.
        frequencies: As in `evaluate`.
        num_resamples: As in `evaluate`, and so is the next.
        seed: Likewise.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    _check_images(probabilities, labels, lesion_ids, len(class_names))
    _check_alert(melanoma_index, len(class_names), threshold)
    draws = draw_lesions(lesion_ids, num_resamples, seed)
    exact = probabilities.astype(np.float64)
    melanoma_probability, is_melanoma = exact[:, melanoma_index], labels == melanoma_index
    predicted, alert = exact.argmax(axis=1), raise_alert(exact, melanoma_index, threshold)
    told_apart = {
        name: measure_discrimination(draws, exact[:, index], labels == index)
        for index, name in enumerate(class_names)
    }
    figures = _measure_basics(draws, exact, labels, class_names, melanoma_index, threshold)
    figures |= _measure_evenly(draws, exact, labels, class_names, frequencies)
    figures |= measure_alerts(draws, alert, is_melanoma)
    figures["brier_score"] = measure_brier_score(draws, melanoma_probability, is_melanoma)
    figures |= _name_areas(told_apart)
    figures["melanoma_average_precision"] = told_apart[
        class_names[melanoma_index]
    ].average_precision
    figures |= measure_shares(
        draws,
        {
            f"precision_{name}": (labels == index, predicted == index)
            for index, name in enumerate(class_names)
        },
    )
    if conformal is not None:
        figures |= measure_sets(draws, conformal, exact, labels, class_names)
    slices = (
        ()
        if attributes is None
        else measure_slices(
            draws, attributes, predicted == labels, alert, melanoma_probability, is_melanoma
        )
    )
    return Evaluation(
        class_names=tuple(map(str, class_names)),
        melanoma_index=melanoma_index,
        threshold=threshold,
        num_images=len(labels),
        num_lesions=draws.num_lesions,
        num_resamples=num_resamples,
        figures=figures,
        confusion=count_confusions(predicted, labels, len(class_names)),
        roc={str(name): each.roc for name, each in told_apart.items()},
        precision_recall={str(name): each.precision_recall for name, each in told_apart.items()},
        calibration=measure_calibration(draws, melanoma_probability, is_melanoma),
        net_benefit=measure_net_benefit(draws, melanoma_probability, is_melanoma),
        slices=slices,
    )


def _name_areas(told_apart: Mapping[str, Discrimination]) -> dict[str, Figure]:
    areas = {f"roc_auc_{name}": each.roc_auc for name, each in told_apart.items()}
    return areas | {
        f"average_precision_{name}": each.average_precision for name, each in told_apart.items()
    }


def compare(
    probabilities: NDArray[np.floating[Any]],
    others: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    melanoma_index: int,
    thresholds: tuple[float | None, float | None] = (None, None),
    *,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Measure how far one network is ahead of another on the same images.

    Both are measured in each resample of lesions, so that what makes a resample easy or hard for
    both does not widen the interval of the difference. Where no resample differs from another,
    there is no interval: it would have no width, however few the images.

    Args:
        probabilities: float [N, C], of the one network.
        others: float [N, C], of the other.
        labels: int [N], index of the true class, in [0, C).
        lesion_ids: str or int [N], which images show the same lesion; none missing.
        melanoma_index: Position of melanoma.
        thresholds: Of the one and of the other, as in `evaluate`: each alerts at its own.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Returns:
        "accuracy", "melanoma_roc_auc", "sensitivity" and "specificity" of the one less those of
        the other, in [-1, 1]. NaN where undefined.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of its range.
    """
    num_classes = probabilities.shape[-1]
    pairs = list(zip((probabilities, others), thresholds, strict=True))
    for each, threshold in pairs:
        _check_images(each, labels, lesion_ids, num_classes)
        _check_alert(melanoma_index, num_classes, threshold)
    draws = draw_lesions(lesion_ids, num_resamples, seed)
    is_melanoma = labels == melanoma_index
    exact = [each.astype(np.float64) for each in (probabilities, others)]
    right = [each.argmax(axis=1) == labels for each in exact]
    alerts = [raise_alert(each, melanoma_index, threshold) for each, threshold in pairs]
    areas = [rank_pairs(draws, each[:, melanoma_index], is_melanoma) for each in exact]
    everyone = np.ones(len(labels), dtype=bool)
    return {
        "accuracy": _measure_gain(draws, right[0], right[1], everyone),
        "melanoma_roc_auc": to_difference(areas[0] - areas[1], len(labels), draws.num_lesions),
        "sensitivity": _measure_gain(draws, alerts[0], alerts[1], is_melanoma),
        "specificity": _measure_gain(draws, ~alerts[0], ~alerts[1], ~is_melanoma),
    }


def _measure_basics(
    draws: Draws,
    exact: NDArray[np.float64],
    labels: NDArray[np.integer[Any]],
    class_names: Sequence[str],
    melanoma_index: int,
    threshold: float | None,
) -> dict[str, Figure]:
    predicted = exact.argmax(axis=1)
    melanoma_probability = exact[:, melanoma_index]
    is_melanoma = labels == melanoma_index
    alert = raise_alert(exact, melanoma_index, threshold)
    shares = {
        "accuracy": (predicted == labels, np.ones(len(labels), dtype=bool)),
        "sensitivity": (alert, is_melanoma),
        "specificity": (~alert, ~is_melanoma),
    } | {
        f"recall_{name}": (predicted == index, labels == index)
        for index, name in enumerate(class_names)
    }
    figures = measure_shares(draws, shares) | {
        "balanced_accuracy": measure_balanced_accuracy(draws, predicted, labels),
        "melanoma_roc_auc": measure_roc_auc(draws, melanoma_probability, is_melanoma),
        "calibration_error": measure_calibration_error(draws, melanoma_probability, is_melanoma),
    }
    order = ["accuracy", "balanced_accuracy", "melanoma_roc_auc", "sensitivity", "specificity"]
    return {name: figures[name] for name in dict.fromkeys([*order, "calibration_error", *shares])}


def _measure_evenly(
    draws: Draws,
    exact: NDArray[np.float64],
    labels: NDArray[np.integer[Any]],
    class_names: Sequence[str],
    frequencies: Sequence[float] | None,
) -> dict[str, Figure]:
    """Measure the balanced accuracy of the decision that it is largest for."""
    if frequencies is None:
        return {}
    shares = np.asarray(frequencies, dtype=np.float64)
    predicted = _choose_evenly(exact, shares)
    figures = {"balanced_accuracy_even": measure_balanced_accuracy(draws, predicted, labels)}
    if not set(_AKIEC) <= set(class_names):
        return figures
    first, second = (list(class_names).index(name) for name in _AKIEC)
    # The one takes the other in, which is then never met and never put first.
    exact, shares = exact.copy(), shares.copy()
    for values in (exact.T, shares):
        values[first] += values[second]
        values[second] = 0
    predicted = _choose_evenly(exact, shares)
    merged = np.where(labels == second, first, labels)
    return figures | {
        "balanced_accuracy_seven": measure_balanced_accuracy(draws, predicted, merged)
    }


def _choose_evenly(exact: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the class that is most probable where all are equally frequent, int [N].

    By Bayes' rule its probability is proportional to the probability divided by the class's
    frequency (Saerens et al. 2002, doi:10.1162/089976602753284446).
    """
    # What was never met has no probability to speak of, and is never put first.
    evenly = np.divide(exact, shares, out=np.zeros_like(exact), where=shares > 0)
    return np.asarray(evenly.argmax(axis=1))


def raise_alert(
    probabilities: NDArray[np.floating[Any]], melanoma_index: int, threshold: float | None
) -> NDArray[np.bool_]:
    """Return which images are alerted on, bool [N]; the arguments are those of `evaluate`."""
    if threshold is None:
        return np.asarray(probabilities.argmax(axis=1) == melanoma_index)
    return np.asarray(probabilities[:, melanoma_index].astype(np.float64) >= threshold)


def _measure_gain(
    draws: Draws, one: NDArray[np.bool_], other: NDArray[np.bool_], among: NDArray[np.bool_]
) -> Figure:
    """Measure by how much larger the share of the one event is than that of the other."""
    gained = (one & among).astype(np.int64) - (other & among)
    values = divide(draws.sum(gained), draws.sum(among))
    return to_difference(values, int(among.sum()), draws.count_lesions(among))


def _check_images(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    lesion_ids: NDArray[Any],
    num_classes: int,
) -> None:
    num_images = len(labels)
    shapes = (probabilities.shape, labels.shape, lesion_ids.shape)
    if not num_images or shapes != ((num_images, num_classes), (num_images,), (num_images,)):
        raise ValueError(
            f"probabilities, labels and lesion_ids are {shapes}; they must be [N, C], [N] and [N] "
            f"with N above 0 and C the {num_classes} classes"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be in [0, 1]")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(f"labels must be in [0, {num_classes})")
    if not all(isinstance(lesion, (str, int)) and lesion != "" for lesion in lesion_ids.tolist()):
        raise ValueError("lesion_ids must be strings or integers, none missing")


def _check_alert(melanoma_index: int, num_classes: int, threshold: float | None) -> None:
    if not 0 <= melanoma_index < num_classes:
        raise ValueError(f"melanoma_index is {melanoma_index} of {num_classes} classes")
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; it must be in [0, 1]")
