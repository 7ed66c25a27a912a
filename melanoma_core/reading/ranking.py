"""Order the diagnoses of a reading: by probability, and by risk tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.taxonomy import Diagnosis, RiskTier

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.reading.reading import Reading


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


def rank_diagnoses(reading: "Reading") -> list[tuple[Diagnosis, float]]:
    """Return all diagnoses with their probabilities, the most probable first."""
    diagnoses = zip(map(Diagnosis, reading.class_names), reading.probabilities, strict=True)
    return sorted(diagnoses, key=lambda pair: -pair[1])


def group_by_tier(reading: "Reading") -> list[TierShare]:
    """Return the risk tiers with their diagnoses, the highest risk first."""
    ranked = rank_diagnoses(reading)
    groups = [(tier, [pair for pair in ranked if pair[0].tier is tier]) for tier in RiskTier]
    return [
        TierShare(tier, sum(probability for _, probability in diagnoses), diagnoses)
        for tier, diagnoses in groups
        if diagnoses
    ]


def choose_explained(reading: "Reading") -> Diagnosis:
    """Return the diagnosis whose heatmap is shown first: melanoma on an alert, else the top one."""
    return Diagnosis.MEL if reading.alert else rank_diagnoses(reading)[0][0]
