"""All metrics of a model on labelled images, each with its 95% confidence interval.

The other modules of this package compute one kind of metric each; this module combines them. The
intervals resample lesions, not images: see `resampling`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.alerts import measure_alerts, measure_net_benefit
from melanoma_core.evaluation.confirmed import measure_confirmed
from melanoma_core.evaluation.conformal import measure_sets
from melanoma_core.evaluation.confusion import count_confusions, measure_balanced_accuracy
from melanoma_core.evaluation.discrimination import (
    measure_discrimination,
    measure_roc_auc,
    rank_pairs,
)
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.lesions import measure_lesions
from melanoma_core.evaluation.predictions import (
    TIER_LABELS,
    LabelledPredictions,
    check_classes,
)
from melanoma_core.evaluation.reliability import (
    measure_brier_score,
    measure_calibration,
    measure_calibration_error,
)
from melanoma_core.evaluation.resampling import (
    NUM_RESAMPLES,
    Resamples,
    divide,
    measure_shares,
    resample_lesions,
    to_difference,
)
from melanoma_core.evaluation.rules import SKIN_CANCER, DecisionRules
from melanoma_core.evaluation.slices import measure_slices
from melanoma_core.taxonomy import Diagnosis

_AKIEC = (Diagnosis.AK, Diagnosis.SCC)
_PREFIX = f"{SKIN_CANCER}_"


def evaluate(
    predictions: LabelledPredictions,
    rules: DecisionRules,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> dict[str, Figure]:
    """Compute the metrics of a model card, each with its 95% confidence interval.

    The interval is the percentile interval of the cluster bootstrap over the resamples in which
    the metric is defined; all metrics share the same resamples. If all resamples are equal (no
    melanoma was missed, for example), that interval has zero width however few the cases, and the
    exact interval of Korn and Graubard (1998) replaces it.

    Args:
        predictions: For images that the model was not trained on.
        rules: Of the model.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Returns:
        "accuracy"; "balanced_accuracy" (mean recall of the classes that occur);
        "melanoma_roc_auc"; "sensitivity" and "specificity" of the alert; "calibration_error" of
        the probability of melanoma; and "recall_<CODE>" of each class.
        If other skin cancers than melanoma are among the classes, "skin_cancer_roc_auc" of the sum
        of their probabilities; with a threshold for it also "skin_cancer_sensitivity" and
        "skin_cancer_specificity".
        If the class frequencies are known, "balanced_accuracy_even": the prediction is then the
        most probable class if all classes were equally frequent, which maximises this metric. If
        AK and SCC are among the classes too, "balanced_accuracy_seven": the same with these two as
        one, HAM10000's akiec, which is the score of the ISIC 2018 challenge (Codella et al. 2019,
        arXiv:1902.03368).
        If the model makes prediction sets, "coverage" and "coverage_<CODE>".
        NaN where undefined.

    Raises:
        ValueError: Predictions and rules have different numbers of classes.

    Example:
        >>> probabilities = np.array([[0.7, 0.3], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]])
        >>> predictions = LabelledPredictions(probabilities, np.array([0, 0, 1, 1]), np.arange(4))
        >>> figures = evaluate(predictions, DecisionRules(("MEL", "NV"), 0, threshold=0.2))
        >>> figures["sensitivity"].value, figures["specificity"].value, figures["accuracy"].value
        (1.0, 0.5, 0.75)
    """
    check_classes(predictions, rules)
    resamples = resample_lesions(predictions.lesion_ids, num_resamples, seed)
    figures = _measure_basics(resamples, predictions, rules)
    sets = measure_sets(resamples, predictions, rules)
    return figures | {name: each for name, each in sets.items() if name.startswith("coverage")}


def evaluate_fully(
    predictions: LabelledPredictions,
    rules: DecisionRules,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Compute everything that an evaluation reports: metrics, curves, slices and sets.

    Args:
        predictions: For images that the model was not trained on.
        rules: Of the model.
        num_resamples: Number of bootstrap resamples.
        seed: Makes the resamples repeatable.

    Raises:
        ValueError: Predictions and rules have different numbers of classes.

    Example:
        >>> probabilities = np.array([[0.7, 0.3], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]])
        >>> predictions = LabelledPredictions(probabilities, np.array([0, 0, 1, 1]), np.arange(4))
        >>> evaluation = evaluate_fully(predictions, DecisionRules(("MEL", "NV"), 0, 0.2))
        >>> evaluation.confusion, round(evaluation.figures["ppv"].value, 3)
        (((1, 1), (0, 2)), 0.667)
    """
    check_classes(predictions, rules)
    resamples = resample_lesions(predictions.lesion_ids, num_resamples, seed)
    labels, predicted = predictions.labels, predictions.predicted
    names = [str(name) for name in rules.class_names]
    by_class = {}
    for index, name in enumerate(names):
        known = predictions.is_known(name)
        by_class[name] = measure_discrimination(
            _restrict(resamples, known),
            predictions.probabilities[known, index],
            labels[known] == index,
        )
    basics = _measure_basics(resamples, predictions, rules)
    # Twice: first for the order, then for a specificity that needs no prevalence.
    figures = basics | _measure_alerts(resamples, predictions, rules) | basics
    figures |= measure_lesions(resamples, predictions, rules)
    melanoma = _ask_for_melanoma(resamples, predictions, rules)
    figures["brier_score"] = measure_brier_score(*melanoma)
    figures |= {f"roc_auc_{name}": each.roc_auc for name, each in by_class.items()}
    figures |= {
        f"average_precision_{name}": each.average_precision for name, each in by_class.items()
    }
    figures["melanoma_average_precision"] = by_class[names[rules.melanoma_index]].average_precision
    precisions = {
        f"precision_{name}": (
            labels == index,
            (predicted == index) & predictions.is_counted(names, index),
        )
        for index, name in enumerate(names)
    }
    figures |= measure_shares(resamples, precisions)
    figures |= measure_sets(resamples, predictions, rules)
    if rules.knows_other_skin_cancers:
        score = predictions.skin_cancer_probability(rules)
        is_cancer = predictions.is_skin_cancer(rules)
        by_class[SKIN_CANCER] = measure_discrimination(resamples, score, is_cancer)
    diagnosed = predictions.is_diagnosed
    return Evaluation(
        class_names=tuple(names),
        melanoma_index=rules.melanoma_index,
        threshold=rules.threshold,
        num_images=len(labels),
        num_lesions=resamples.num_lesions,
        num_resamples=num_resamples,
        figures=figures,
        confusion=count_confusions(predicted[diagnosed], labels[diagnosed], len(names)),
        roc={name: each.roc for name, each in by_class.items()},
        precision_recall={name: each.precision_recall for name, each in by_class.items()},
        calibration=measure_calibration(*melanoma),
        net_benefit=measure_net_benefit(*melanoma),
        slices=measure_slices(resamples, predictions, rules),
        skin_cancer_threshold=rules.skin_cancer_threshold,
        confirmed=measure_confirmed(resamples, predictions, rules),
        tiers={
            str(tier): int((labels == label).sum())
            for tier, label in TIER_LABELS.items()
            if (labels == label).any()
        },
    )


def compare(
    one: LabelledPredictions,
    other: LabelledPredictions,
    rules: DecisionRules,
    other_rules: DecisionRules,
) -> dict[str, Figure]:
    """Compute the differences between two models on the same images.

    Both are evaluated in each resample of lesions, so that lesions that are easy or hard for both
    do not widen the interval of the difference. If all resamples are equal, the interval is NaN.

    Args:
        one: Predictions of the first model.
        other: Predictions of the second model for the same images, in the same order.
        rules: Of the first model.
        other_rules: Of the second model, which raises alerts at its own threshold.

    Returns:
        "accuracy", "melanoma_roc_auc", "sensitivity" and "specificity" of the first model minus
        those of the second, in [-1, 1]; if both have a threshold for skin cancer, also
        "skin_cancer_sensitivity" and "skin_cancer_specificity". NaN where undefined.

    Raises:
        ValueError: The models have different classes, or the images are not the same.

    Example:
        >>> labels, lesion_ids = np.array([0, 0, 1]), np.arange(3)
        >>> hits, misses = np.array([[0.9, 0.1]] * 3), np.array([[0.1, 0.9]] * 3)
        >>> one = LabelledPredictions(hits, labels, lesion_ids)
        >>> other = LabelledPredictions(misses, labels, lesion_ids)
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> compare(one, other, rules, rules)["sensitivity"].value
        1.0
    """
    check_classes(one, rules)
    check_classes(other, other_rules)
    melanoma_index, labels = rules.melanoma_index, one.labels
    if rules.class_names != other_rules.class_names or melanoma_index != other_rules.melanoma_index:
        raise ValueError("the classes of both models must be the same")
    if not np.array_equal(labels, other.labels):
        raise ValueError("the labels of both models' predictions must be the same")
    resamples = resample_lesions(one.lesion_ids)
    is_melanoma, is_cancer = labels == melanoma_index, one.is_skin_cancer(rules)
    known = one.is_known(rules.class_names[melanoma_index])
    right = [each.predicted == labels for each in (one, other)]
    alerts = one.alerts(rules), other.alerts(other_rules)
    part = _restrict(resamples, known)
    areas = [
        rank_pairs(part, each.probabilities[known, melanoma_index], is_melanoma[known])
        for each in (one, other)
    ]
    gain = to_difference(areas[0] - areas[1], int(known.sum()), part.num_lesions)
    differences = {
        "accuracy": _measure_gain(resamples, right[0], right[1], one.is_classified),
        "melanoma_roc_auc": gain,
    }
    suspected = one.skin_cancer_alerts(rules), other.skin_cancer_alerts(other_rules)
    kinds = [
        ("", alerts, (is_melanoma, known & ~is_melanoma)),
        (_PREFIX, suspected, (is_cancer, ~is_cancer)),
    ]
    for prefix, (first, second), (positive, negative) in kinds:
        if first is not None and second is not None:
            differences |= {
                f"{prefix}sensitivity": _measure_gain(resamples, first, second, positive),
                f"{prefix}specificity": _measure_gain(resamples, ~first, ~second, negative),
            }
    return differences


def _measure_basics(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> dict[str, Figure]:
    labels, predicted = predictions.labels, predictions.predicted
    is_melanoma, alert = labels == rules.melanoma_index, predictions.alerts(rules)
    is_cancer, suspected = predictions.is_skin_cancer(rules), predictions.skin_cancer_alerts(rules)
    classified = predictions.is_classified
    known = predictions.is_known(rules.class_names[rules.melanoma_index])
    events = {
        "accuracy": (predicted == labels, classified),
        "sensitivity": (alert, is_melanoma),
        "specificity": (~alert, known & ~is_melanoma),
    }
    if suspected is not None:
        events[f"{_PREFIX}sensitivity"] = suspected, is_cancer
        events[f"{_PREFIX}specificity"] = ~suspected, ~is_cancer
    events |= {
        f"recall_{name}": (predicted == index, labels == index)
        for index, name in enumerate(rules.class_names)
    }
    shares = measure_shares(resamples, events)
    part = _restrict(resamples, classified)
    # In the order of the model card; the recalls follow.
    figures = {
        "accuracy": shares["accuracy"],
        "balanced_accuracy": measure_balanced_accuracy(
            part, predicted[classified], labels[classified]
        ),
        "melanoma_roc_auc": measure_roc_auc(
            _restrict(resamples, known),
            predictions.probabilities[known, rules.melanoma_index],
            is_melanoma[known],
        ),
        "sensitivity": shares["sensitivity"],
        "specificity": shares["specificity"],
        "calibration_error": measure_calibration_error(
            *_ask_for_melanoma(resamples, predictions, rules)
        ),
    }
    if rules.knows_other_skin_cancers:
        score = predictions.skin_cancer_probability(rules)
        figures[f"{_PREFIX}roc_auc"] = measure_roc_auc(resamples, score, is_cancer)
    even = _measure_even(part, predictions.probabilities[classified], labels[classified], rules)
    return figures | shares | even


def _restrict(resamples: Resamples, rows: NDArray[np.bool_]) -> Resamples:
    """Return the resamples of some images; without a copy if these are all."""
    return resamples if rows.all() else resamples.select(rows)


def _ask_for_melanoma(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> tuple[Resamples, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the images that answer how frequent melanoma is, at which probability.

    Returns:
        Resamples, probability of melanoma float64 [N], and whether it is one, bool [N].
    """
    melanoma = rules.melanoma_index
    known = predictions.is_counted(rules.class_names, melanoma)
    return (
        _restrict(resamples, known),
        predictions.probabilities[known, melanoma],
        predictions.labels[known] == melanoma,
    )


def _measure_alerts(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> dict[str, Figure]:
    """Compute the metrics of both alerts (`alerts.measure_alerts`)."""
    melanoma, alert = rules.melanoma_index, predictions.alerts(rules)
    among = predictions.is_counted(rules.class_names, melanoma)
    is_melanoma = predictions.labels == melanoma
    figures = measure_alerts(resamples, alert, is_melanoma, among=among)
    suspected = predictions.skin_cancer_alerts(rules)
    if suspected is None:
        return figures
    is_cancer = predictions.is_skin_cancer(rules)
    return figures | measure_alerts(resamples, suspected, is_cancer, _PREFIX)


def _measure_even(
    resamples: Resamples,
    probabilities: NDArray[np.float64],
    labels: NDArray[np.integer[Any]],
    rules: DecisionRules,
) -> dict[str, Figure]:
    """Compute the balanced accuracies of the decision that maximises them."""
    if rules.frequencies is None:
        return {}
    frequencies = np.asarray(rules.frequencies, dtype=np.float64)
    predicted = _predict_even(probabilities, frequencies)
    figures = {"balanced_accuracy_even": measure_balanced_accuracy(resamples, predicted, labels)}
    if not set(_AKIEC) <= set(rules.class_names):
        return figures
    first, second = (list(rules.class_names).index(name) for name in _AKIEC)
    # The first class absorbs the second, which then never occurs and is never predicted.
    probabilities, frequencies = probabilities.copy(), frequencies.copy()
    for values in (probabilities.T, frequencies):
        values[first] += values[second]
        values[second] = 0
    predicted = _predict_even(probabilities, frequencies)
    merged = np.where(labels == second, first, labels)
    return figures | {
        "balanced_accuracy_seven": measure_balanced_accuracy(resamples, predicted, merged)
    }


def _predict_even(
    probabilities: NDArray[np.float64], frequencies: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the most probable class if all classes were equally frequent, int [N].

    By Bayes' rule its probability is proportional to the probability divided by the class's
    frequency (Saerens et al. 2002, doi:10.1162/089976602753284446).
    """
    # A class that does not occur has no meaningful probability and is never predicted.
    undefined = np.zeros_like(probabilities)
    even = np.divide(probabilities, frequencies, out=undefined, where=frequencies > 0)
    return np.asarray(even.argmax(axis=1))


def _measure_gain(
    resamples: Resamples,
    one: NDArray[np.bool_],
    other: NDArray[np.bool_],
    among: NDArray[np.bool_],
) -> Figure:
    """Compute the share of images with one event minus the share with the other event."""
    gained = (one & among).astype(np.int64) - (other & among)
    values = divide(resamples.sum(gained), resamples.sum(among))
    return to_difference(values, int(among.sum()), resamples.count_lesions(among))
