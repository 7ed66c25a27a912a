"""The order in which a reading is told: the most dangerous first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.taxonomy import Diagnosis, RiskTier

if TYPE_CHECKING:  # for the names alone: a page is painted before NumPy is there
    from melanoma_core.reading.reading import Reading


@dataclass(frozen=True)
class TierShare:
    """What a reading says of one risk tier.

    Attributes:
        tier: The tier.
        probability: That the lesion is of this tier, in [0, 1].
        diagnoses: The tier's diagnoses with their probabilities, the most probable first.
    """

    tier: RiskTier
    probability: float
    diagnoses: Sequence[tuple[Diagnosis, float]]


def rank_diagnoses(reading: "Reading") -> list[tuple[Diagnosis, float]]:
    """Return every diagnosis with its probability, the most probable first."""
    diagnoses = zip(map(Diagnosis, reading.class_names), reading.probabilities, strict=True)
    return sorted(diagnoses, key=lambda pair: -pair[1])


def group_by_tier(reading: "Reading") -> list[TierShare]:
    """Return the risk tiers, the most dangerous first, each with its diagnoses."""
    ranked = rank_diagnoses(reading)
    groups = [(tier, [pair for pair in ranked if pair[0].tier is tier]) for tier in RiskTier]
    return [
        TierShare(tier, sum(probability for _, probability in diagnoses), diagnoses)
        for tier, diagnoses in groups
        if diagnoses
    ]


def choose_explained(reading: "Reading") -> Diagnosis:
    """Return the diagnosis to explain first: melanoma on an alert, else the most probable."""
    return Diagnosis.MEL if reading.alert else rank_diagnoses(reading)[0][0]
