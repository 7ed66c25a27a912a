"""Predictions for labelled images: what every metric is computed from.

Where only the risk tier of an image is known, not its diagnosis, it serves the questions that the
tier answers. A benign lesion is no melanoma and no skin cancer. A malignant one is a skin cancer,
and whether it is a melanoma is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.taxonomy import RiskTier, parse_diagnosis

if TYPE_CHECKING:
    import pandas as pd

# Labels of images of which only the risk tier is known.
TIER_LABELS = {RiskTier.MALIGNANT: -1, RiskTier.PREMALIGNANT: -2, RiskTier.BENIGN: -3}


@dataclass(frozen=True, eq=False)
class LabelledPredictions:
    """Predictions for N images whose diagnosis, or at least risk tier, is known.

    Attributes:
        probabilities: float64 [N, C], calibrated, in [0, 1]. In float32 a probability at the alert
            threshold could fall below it.
        labels: int [N], index of the true class, in [0, C); or one of `TIER_LABELS`.
        lesion_ids: str or int [N], equal for images of the same lesion; none missing. Images that
            are not independent share one too.
        attributes: N rows with any of the columns `slices.ATTRIBUTES`; None for no slices.
        lesions: str or int [N], equal for photographs that are combined as one lesion; None for
            `lesion_ids`, where each id is one lesion. Those of a group can be of several, for
            example of one patient.

    Raises:
        ValueError: The arrays do not fit together, or a number is out of range.

    Example:
        >>> probabilities = np.array([[0.3, 0.7], [0.1, 0.9]])
        >>> predictions = LabelledPredictions(probabilities, np.array([0, 1]), np.array([7, 8]))
        >>> predictions.predicted
        array([1, 1])
        >>> predictions.alerts(DecisionRules(("MEL", "NV"), 0, threshold=0.2))
        array([ True, False])
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.integer[Any]]
    lesion_ids: NDArray[Any]
    attributes: "pd.DataFrame | None" = None
    lesions: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        """Check the arrays."""
        num_images = len(self.labels)
        shapes = (self.probabilities.shape, self.labels.shape, self.lesion_ids.shape)
        needed = ((num_images, self.probabilities.shape[-1]), (num_images,), (num_images,))
        if not num_images or shapes != needed:
            raise ValueError(
                f"probabilities, labels and lesion_ids are {shapes}; they must be [N, C], [N] and "
                "[N] with N above 0"
            )
        if self.probabilities.dtype != np.float64:
            raise ValueError(f"probabilities are {self.probabilities.dtype}; they must be float64")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise ValueError("probabilities must be in [0, 1]")
        lowest = min(TIER_LABELS.values())
        if self.labels.min() < lowest or self.labels.max() >= self.num_classes:
            raise ValueError(f"labels must be in [0, {self.num_classes}), or labels of a tier")
        lesion_ids = self.lesion_ids.tolist()
        if not all(isinstance(lesion, (str, int)) and lesion != "" for lesion in lesion_ids):
            raise ValueError("lesion_ids must be strings or integers, none missing")

    @property
    def num_classes(self) -> int:
        """C, the number of classes."""
        return int(self.probabilities.shape[1])

    @property
    def predicted(self) -> NDArray[np.intp]:
        """The most probable class of each image, int [N]."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def alerts(self, rules: DecisionRules) -> NDArray[np.bool_]:
        """Return which images raise the melanoma alert, bool [N]."""
        if rules.threshold is None:
            return np.asarray(self.predicted == rules.melanoma_index)
        return np.asarray(self.probabilities[:, rules.melanoma_index] >= rules.threshold)

    def skin_cancer_probability(self, rules: DecisionRules) -> NDArray[np.float64]:
        """Return the probability of any skin cancer of each image, float64 [N]."""
        return np.asarray(rules.add_skin_cancers(list(self.probabilities.T)))

    def skin_cancer_alerts(self, rules: DecisionRules) -> NDArray[np.bool_] | None:
        """Return which images raise the skin cancer alert, bool [N]; None without a threshold.

        A melanoma alert raises it too, as in a reading (`reading.verdict`).
        """
        if rules.skin_cancer_threshold is None:
            return None
        raised = self.skin_cancer_probability(rules) >= rules.skin_cancer_threshold
        return np.asarray(raised | self.alerts(rules))

    @property
    def is_diagnosed(self) -> NDArray[np.bool_]:
        """Whether the diagnosis is known, not the tier alone, bool [N]."""
        return np.asarray(self.labels >= 0)

    @property
    def is_classified(self) -> NDArray[np.bool_]:
        """Which images answer how often the class is right, bool [N]: those with a diagnosis.

        They are none if the others have a tier, and all of them the same diagnosis: that is the
        recall of one class.
        """
        diagnosed = self.is_diagnosed
        answers = diagnosed.all() or len(np.unique(self.labels[diagnosed])) > 1
        return diagnosed if answers else np.zeros_like(diagnosed)

    def is_known(self, class_name: str) -> NDArray[np.bool_]:
        """Return of which images it is known whether they show a diagnosis, bool [N].

        Of a tier it is known if the diagnosis is of another one.
        """
        diagnosis = parse_diagnosis(str(class_name))
        same_tier = [
            label for tier, label in TIER_LABELS.items() if not diagnosis or diagnosis.tier is tier
        ]
        return np.isin(self.labels, same_tier, invert=True)

    def is_counted(self, class_names: Sequence[str], index: int) -> NDArray[np.bool_]:
        """Return which images answer how frequent a diagnosis is, bool [N].

        They are those of which it is known whether they show it. They are none if no image is known
        to show it, although lesions of its tier are among the others: those without it would be
        left, and every probability would be too high.

        Args:
            class_names: C class names.
            index: Position of the diagnosis.
        """
        known = self.is_known(class_names[index])
        occurs = bool((self.labels == index).any())
        return known if occurs or known.all() else np.zeros_like(known)

    def is_skin_cancer(self, rules: DecisionRules) -> NDArray[np.bool_]:
        """Return which images show a skin cancer, bool [N]; it is known of each."""
        return np.isin(self.labels, (*rules.skin_cancer_indices, TIER_LABELS[RiskTier.MALIGNANT]))

    def select(self, rows: NDArray[np.bool_]) -> "LabelledPredictions":
        """Return the predictions for the images of a mask, bool [N]."""
        attributes = self.attributes
        if attributes is not None:
            attributes = attributes[rows].reset_index(drop=True)
        return LabelledPredictions(
            self.probabilities[rows],
            self.labels[rows],
            self.lesion_ids[rows],
            attributes,
            None if self.lesions is None else self.lesions[rows],
        )


def check_classes(predictions: LabelledPredictions, rules: DecisionRules) -> None:
    """Check that predictions and decision rules have the same number of classes.

    Raises:
        ValueError: They do not.
    """
    if predictions.num_classes != len(rules.class_names):
        raise ValueError(
            f"probabilities have {predictions.num_classes} classes; they must be the "
            f"{len(rules.class_names)} of the decision rules"
        )
