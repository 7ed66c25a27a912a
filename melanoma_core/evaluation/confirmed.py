"""How right the alerts are for each diagnosis, by how that diagnosis was confirmed.

What is biopsied looks suspicious. So a nevus that was confirmed by follow-up is easier than one
that was confirmed by histopathology, and metrics of a mix of both depend on the mix.
"""

from dataclasses import dataclass

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import TIER_LABELS, LabelledPredictions
from melanoma_core.evaluation.resampling import Resamples, measure_share
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.slices import UNKNOWN
from melanoma_core.taxonomy import Confirmation


@dataclass(frozen=True)
class ConfirmedDiagnosis:
    """The images with one diagnosis that was confirmed in one way.

    Attributes:
        diagnosis: Class name; or the risk tier, where only that is known.
        confirmation: One of `taxonomy.Confirmation`; "not recorded" if it is not stated.
        melanoma_alert: Share of the images for which the melanoma alert is right: the sensitivity
            on melanomas, the specificity on any other diagnosis. NaN where it is not known which
            of the images are melanomas.
        skin_cancer_alert: The same for the skin cancer alert; None without one.
    """

    diagnosis: str
    confirmation: str
    melanoma_alert: Figure
    skin_cancer_alert: Figure | None = None


def measure_confirmed(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> tuple[ConfirmedDiagnosis, ...]:
    """Compute how often the alerts are right, by diagnosis and confirmation.

    Args:
        resamples: Of the N images.
        predictions: For these images, with the attribute `confirmation`.
        rules: Of the model.

    Returns:
        One entry per pair that occurs, in the order of the classes and of `Confirmation`; none if
        no image states its confirmation.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> predictions = LabelledPredictions(
        ...     np.array([[0.9, 0.1], [0.7, 0.3], [0.1, 0.9]]),
        ...     np.array([0, 1, 1]),
        ...     np.arange(3),
        ...     pd.DataFrame({"confirmation": ["histopathology", "histopathology", "follow-up"]}),
        ... )
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> found = measure_confirmed(resample_lesions(np.arange(3)), predictions, rules)
        >>> [(each.diagnosis, each.confirmation, each.melanoma_alert.value) for each in found]
        [('MEL', 'histopathology', 1.0), ('NV', 'histopathology', 0.0), ('NV', 'follow-up', 1.0)]
    """
    attributes = predictions.attributes
    if attributes is None or "confirmation" not in attributes:
        return ()
    if attributes["confirmation"].isna().all():
        return ()
    stated = attributes["confirmation"].fillna(UNKNOWN).astype(str).to_numpy()
    labels = predictions.labels
    is_right = predictions.alerts(rules) == (labels == rules.melanoma_index)
    suspected = predictions.skin_cancer_alerts(rules)
    is_spotted = None if suspected is None else suspected == predictions.is_skin_cancer(rules)
    found = []
    is_known = predictions.is_known(rules.class_names[rules.melanoma_index])
    tiers = ((label, tier) for tier, label in TIER_LABELS.items())
    for index, name in (*enumerate(rules.class_names), *tiers):
        for confirmation in (*Confirmation, UNKNOWN):
            among = (labels == index) & (stated == confirmation)
            if not among.any():
                continue
            cancer = None if is_spotted is None else measure_share(resamples, is_spotted, among)
            melanoma = measure_share(resamples, is_right, among & is_known)
            found.append(ConfirmedDiagnosis(str(name), str(confirmation), melanoma, cancer))
    return tuple(found)
