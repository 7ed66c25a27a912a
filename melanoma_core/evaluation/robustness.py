"""How alerts and refusals change when the same photographs are altered: paired figures.

Every photograph is its own control. A difference and its interval are computed from the same
resamples of lesions, so what makes a lesion hard cancels out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import (
    Resamples,
    divide,
    measure_share,
    resample_lesions,
    to_difference,
    to_figure,
)
from melanoma_core.evaluation.rules import DecisionRules

BEFORE, CHANGE = "_before", "_change"  # after the name of a share
RobustnessFigures = dict[str, Figure]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What a model says of N photographs.

    Attributes:
        predictions: The predictions.
        is_refused: bool [N], whether a reading refuses the photograph. Refused photographs count
            in all other figures too, as in an evaluation.
    """

    predictions: LabelledPredictions
    is_refused: NDArray[np.bool_]


def compare_outcomes(before: Outcomes, after: Outcomes, rules: DecisionRules) -> RobustnessFigures:
    """Compare what a model says of photographs before and after they were altered.

    Args:
        before: Of N photographs.
        after: Of the same photographs, altered, in the same order.
        rules: When an alert is raised.

    Returns:
        Figures by name, NaN where undefined:

        - "false_alerts" (melanoma alerts among the other lesions), "sensitivity" (among melanomas)
          and "refused" (among all) are shares of the altered photographs. With the ending
          "_before" they are those of the unaltered ones, with "_change" the difference, in
          [-1, 1].
        - "skin_cancer_false_alerts" and "skin_cancer_sensitivity", with the same endings, are
          those of the skin cancer alert, if the rules have one.
        - "melanoma_probability_change" and "skin_cancer_probability_change" are mean absolute
          changes of the calibrated probability, in [0, 1].

    Example:
        >>> def say(*melanoma):
        ...     probabilities = np.array([(each, 1 - each) for each in melanoma])
        ...     labels, lesions = np.array([0, 1, 1, 1]), np.arange(4)
        ...     predictions = LabelledPredictions(probabilities, labels, lesions)
        ...     return Outcomes(predictions, np.zeros(4, bool))
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> before, after = say(0.9, 0.1, 0.2, 0.6), say(0.9, 0.7, 0.2, 0.6)
        >>> figures = compare_outcomes(before, after, rules)
        >>> figures["false_alerts"].count, round(figures["false_alerts_change"].value, 3)
        (2, 0.333)
    """
    first, second = before.predictions, after.predictions
    resamples = resample_lesions(first.lesion_ids)
    every = np.ones(len(first.labels), dtype=bool)
    is_melanoma = first.labels == rules.melanoma_index
    figures: RobustnessFigures = {}
    alerts = first.alerts(rules), second.alerts(rules)
    figures |= _compare_shares(resamples, "false_alerts", alerts, ~is_melanoma)
    figures |= _compare_shares(resamples, "sensitivity", alerts, is_melanoma)
    earlier, later = first.skin_cancer_alerts(rules), second.skin_cancer_alerts(rules)
    if earlier is not None and later is not None:
        is_cancer = first.is_skin_cancer(rules)
        alerts = earlier, later
        figures |= _compare_shares(resamples, "skin_cancer_false_alerts", alerts, ~is_cancer)
        figures |= _compare_shares(resamples, "skin_cancer_sensitivity", alerts, is_cancer)
    refused = before.is_refused, after.is_refused
    figures |= _compare_shares(resamples, "refused", refused, every)
    for name, change in _list_changes(first, second, rules):
        means = divide(resamples.sum(change), resamples.sum(every))
        total, num_lesions = len(every), resamples.num_lesions
        figures[name] = to_figure(means, num_lesions, None, total, num_lesions)
    return figures


def measure_warnings(
    before: NDArray[np.bool_], after: NDArray[np.bool_], lesion_ids: NDArray[np.generic]
) -> RobustnessFigures:
    """Return how often a reading warns of an artefact that was drawn, and of one that was not.

    Args:
        before: bool [N], whether there is a warning for the unaltered photograph. Some show the
            artefact, so their share is an upper bound of the false warnings.
        after: bool [N], whether there is one after the artefact was drawn onto it.
        lesion_ids: str or int [N], equal for images of the same lesion.

    Returns:
        "warned" and "warned_before". Empty if there is no photograph.
    """
    if not len(before):
        return {}
    resamples, every = resample_lesions(lesion_ids), np.ones(len(before), dtype=bool)
    return {
        "warned": measure_share(resamples, after, every),
        f"warned{BEFORE}": measure_share(resamples, before, every),
    }


def _compare_shares(
    resamples: Resamples,
    name: str,
    events: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    among: NDArray[np.bool_],
) -> RobustnessFigures:
    before, after = events
    total, num_lesions = int(among.sum()), resamples.count_lesions(among)
    gained = (after.astype(np.int64) - before) * among
    differences = divide(resamples.sum(gained), resamples.sum(among))
    return {
        name: measure_share(resamples, after, among),
        f"{name}{BEFORE}": measure_share(resamples, before, among),
        f"{name}{CHANGE}": to_difference(differences, total, num_lesions),
    }


def _list_changes(
    first: LabelledPredictions, second: LabelledPredictions, rules: DecisionRules
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    index = rules.melanoma_index
    melanoma = np.abs(second.probabilities[:, index] - first.probabilities[:, index])
    yield f"melanoma_probability{CHANGE}", melanoma
    if rules.skin_cancer_threshold is not None:
        earlier, later = (each.skin_cancer_probability(rules) for each in (first, second))
        yield f"skin_cancer_probability{CHANGE}", np.abs(later - earlier)
