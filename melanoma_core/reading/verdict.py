"""What the probabilities say, of one photograph or of all photographs of a lesion.

Imports no NumPy, so that a page appears before it is imported.
"""

from dataclasses import dataclass

from melanoma_core.evaluation.prediction_set import PredictionSet
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis, RiskTier


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """Calibrated probabilities with both alerts.

    Attributes:
        model_id: Id of the model.
        class_names: Diagnosis codes.
        probabilities: One per class, calibrated, in [0, 1], with the sum 1.
        threshold: Threshold of the melanoma alert.
        skin_cancer_threshold: Threshold of the skin cancer alert; None if the model has none.
        uncalibrated: Probabilities before temperature scaling.
        prediction_set: Conformal prediction set; None if there is none.
        read_anyway: Whether it is out of distribution, and a person had it read all the same. No
            metric of the model holds for it, and its probabilities cannot be adapted.
    """

    model_id: str
    class_names: tuple[str, ...]
    probabilities: tuple[float, ...]
    threshold: float
    skin_cancer_threshold: float | None = None
    uncalibrated: tuple[float, ...] = ()
    prediction_set: PredictionSet | None = None
    read_anyway: bool = False

    @property
    def melanoma_probability(self) -> float:
        """Probability of melanoma."""
        return self.find_probability(Diagnosis.MEL)

    @property
    def alert(self) -> bool:
        """Whether the probability of melanoma reaches its threshold."""
        return self.melanoma_probability >= self.threshold

    @property
    def skin_cancer_probability(self) -> float:
        """Probability of any skin cancer: melanoma, basal or squamous cell carcinoma."""
        melanoma = self.class_names.index(Diagnosis.MEL)
        return float(DecisionRules(self.class_names, melanoma).add_skin_cancers(self.probabilities))

    @property
    def skin_cancer_alert(self) -> bool | None:
        """Whether the probability of skin cancer reaches its threshold; None without one.

        Melanoma is a skin cancer: a melanoma alert raises it too, also in a card of an older
        version, whose threshold of skin cancer can be above that of melanoma.
        """
        if self.skin_cancer_threshold is None:
            return None
        return self.alert or self.skin_cancer_probability >= self.skin_cancer_threshold

    @property
    def top_diagnosis(self) -> Diagnosis:
        """The leading diagnosis: the one with the largest probability."""
        probability = max(self.probabilities)
        return Diagnosis(self.class_names[self.probabilities.index(probability)])

    @property
    def risk_tier(self) -> RiskTier:
        """Risk tier of the leading diagnosis."""
        return self.top_diagnosis.tier

    @property
    def leading_skin_cancer(self) -> Diagnosis:
        """The skin cancer with the largest probability."""
        cancers = [Diagnosis(name) for name in self.class_names if name in SKIN_CANCERS]
        return max(cancers, key=self.find_probability)

    def find_probability(self, diagnosis: Diagnosis) -> float:
        """Return the probability of a diagnosis, in [0, 1]."""
        return self.probabilities[self.class_names.index(diagnosis)]
