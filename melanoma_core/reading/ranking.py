"""Order the diagnoses of a reading, and readings by what is most suspicious."""

from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.reading.verdict import Verdict
from melanoma_core.taxonomy import Diagnosis, RiskTier


@dataclass(frozen=True)
class TierShare:
    """The probability of one risk tier.

    Attributes:
        tier: The risk tier.
        probability: Probability that the lesion is of this tier, in [0, 1].
        diagnoses: The tier's diagnoses with their probabilities, the most probable first.
    """

    tier: RiskTier
    probability: float
    diagnoses: Sequence[tuple[Diagnosis, float]]


def rank_diagnoses(verdict: Verdict | AdaptedReading) -> list[tuple[Diagnosis, float]]:
    """Return all diagnoses with their probabilities, the most probable first."""
    diagnoses = zip(map(Diagnosis, verdict.class_names), verdict.probabilities, strict=True)
    return sorted(diagnoses, key=lambda pair: -pair[1])


def group_by_tier(verdict: Verdict | AdaptedReading) -> list[TierShare]:
    """Return the risk tiers with their diagnoses, the highest risk first."""
    ranked = rank_diagnoses(verdict)
    groups = [(tier, [pair for pair in ranked if pair[0].tier is tier]) for tier in RiskTier]
    return [
        TierShare(tier, sum(probability for _, probability in diagnoses), diagnoses)
        for tier, diagnoses in groups
        if diagnoses
    ]


def measure_suspicion(verdict: Verdict) -> tuple[float, float]:
    """Return the key by which readings are sorted, the largest first.

    Returns:
        The malignant share, which is the probability of any skin cancer; for equal shares, the
        probability of melanoma.
    """
    return verdict.skin_cancer_probability, verdict.melanoma_probability


def choose_explained(verdict: Verdict) -> Diagnosis:
    """Return the diagnosis whose heatmap is shown first.

    It is melanoma on a melanoma alert; the most probable skin cancer on a skin cancer alert; else
    the leading diagnosis.
    """
    if verdict.alert:
        return Diagnosis.MEL
    return verdict.leading_skin_cancer if verdict.skin_cancer_alert else verdict.top_diagnosis
