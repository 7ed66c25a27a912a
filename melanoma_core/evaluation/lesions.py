"""Metrics by lesion: all photographs of a lesion are combined, as a reading of a lesion does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.discrimination import measure_roc_auc
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import Resamples, measure_shares
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.temperature import combine_logits

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CombinedLesions:
    """The predictions for K lesions.

    Attributes:
        predictions: One row per lesion.
        first: int [K], the first photograph of each lesion.
        lesion: int [N], the lesion of each photograph.
    """

    predictions: LabelledPredictions
    first: NDArray[np.intp]
    lesion: NDArray[np.intp]


def combine_photographs(predictions: LabelledPredictions, temperature: float) -> CombinedLesions:
    """Combine the photographs of each lesion (`temperature.combine_logits`).

    The lesion of a single photograph has its probabilities, as in a reading. Photographs of one
    lesion under two labels count as two lesions.

    Args:
        predictions: For N photographs.
        temperature: As in `DecisionRules.lesion_temperature`.

    Example:
        >>> probabilities = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]])
        >>> labels, lesions = np.array([0, 0, 1]), np.array([7, 7, 8])
        >>> predictions = LabelledPredictions(probabilities, labels, lesions)
        >>> combine_photographs(predictions, 1.0).predictions.probabilities.round(3)
        array([[0.667, 0.333],
               [0.1  , 0.9  ]])
    """
    ids = predictions.lesion_ids if predictions.lesions is None else predictions.lesions
    first, lesion = index_lesions(ids, predictions.labels)
    probabilities = combine_logits(predictions.probabilities, temperature, lesion)
    is_single = np.bincount(lesion) == 1
    probabilities[is_single] = predictions.probabilities[first[is_single]]
    combined = LabelledPredictions(
        probabilities,
        predictions.labels[first],
        predictions.lesion_ids[first],
    )
    return CombinedLesions(combined, first, lesion)


def name_lesions(table: "pd.DataFrame") -> NDArray[np.str_]:
    """Return a name for the lesion of each photograph, str [N].

    A photograph whose lesion is not known is a lesion of its own. A group (`splitting.find_groups`)
    would not do: it can hold all lesions of a patient.

    Args:
        table: N rows with `image_id`, and `lesion_id` where the lesion is known.
    """
    own = "image " + table["image_id"].astype(str)
    known = table["lesion_id"].astype(object) if "lesion_id" in table else own
    return known.fillna(own).to_numpy().astype(str)


def index_lesions(
    ids: NDArray[Any], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first photograph of each lesion, int [K], and the lesion of each, int [N].

    Args:
        ids: str or int [N], equal for photographs of one lesion.
        labels: int [N], the diagnosis or tier.
    """
    _, number = np.unique(ids, return_inverse=True)
    kinds = labels - labels.min()  # the label of a tier is negative
    pairs = number * (int(kinds.max()) + 1) + kinds
    _, first, lesion = np.unique(pairs, return_index=True, return_inverse=True)
    return first, lesion


def measure_lesions(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> dict[str, Figure]:
    """Compute the metrics of the combined lesions, at the same thresholds.

    Args:
        resamples: Of the N images.
        predictions: For these images.
        rules: Of the model.

    Returns:
        "lesion_melanoma_roc_auc", "lesion_sensitivity" and "lesion_specificity" of the melanoma
        alert; "lesion_alerts_differ": of the lesions with two or more photographs, the share in
        which one raises the melanoma alert and another does not. If the model knows other skin
        cancers than melanoma, "lesion_skin_cancer_roc_auc"; with a threshold for them also
        "lesion_skin_cancer_sensitivity" and "lesion_skin_cancer_specificity". Totals count
        lesions. NaN where undefined.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probabilities = np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]])
        >>> labels, lesions = np.array([0, 0, 1]), np.array([7, 7, 8])
        >>> predictions = LabelledPredictions(probabilities, labels, lesions)
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> figures = measure_lesions(resample_lesions(predictions.lesion_ids), predictions, rules)
        >>> figures["lesion_sensitivity"].value, figures["lesion_alerts_differ"].value
        (1.0, 1.0)
    """
    combined = combine_photographs(predictions, rules.lesion_temperature)
    lesions, by_lesion = combined.predictions, resamples.take(combined.first)
    counts = np.bincount(combined.lesion)
    raised = np.bincount(combined.lesion, predictions.alerts(rules))
    is_melanoma, alert = lesions.labels == rules.melanoma_index, lesions.alerts(rules)
    is_known = lesions.is_known(rules.class_names[rules.melanoma_index])
    shares = {
        "lesion_sensitivity": (alert, is_melanoma),
        "lesion_specificity": (~alert, is_known & ~is_melanoma),
        "lesion_alerts_differ": ((raised > 0) & (raised < counts), counts > 1),
    }
    probability = lesions.probabilities[:, rules.melanoma_index]
    areas = {
        "lesion_melanoma_roc_auc": measure_roc_auc(
            by_lesion.select(is_known), probability[is_known], is_melanoma[is_known]
        )
    }
    if rules.knows_other_skin_cancers:
        is_cancer = lesions.is_skin_cancer(rules)
        score = lesions.skin_cancer_probability(rules)
        areas["lesion_skin_cancer_roc_auc"] = measure_roc_auc(by_lesion, score, is_cancer)
        suspected = lesions.skin_cancer_alerts(rules)
        if suspected is not None:
            shares["lesion_skin_cancer_sensitivity"] = suspected, is_cancer
            shares["lesion_skin_cancer_specificity"] = ~suspected, ~is_cancer
    return areas | measure_shares(by_lesion, shares)
