"""A reading's probabilities at the prevalence of a clinic.

Imports no NumPy, because every reading may be adapted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_core.evaluation.prevalence import (
    Prevalence,
    adapt_probabilities,
    measure_prevalence,
)
from melanoma_core.models.card import ModelCard
from melanoma_core.taxonomy import Diagnosis


@dataclass(frozen=True)
class AdaptedReading:
    """What the probabilities of a reading are at the prevalence of a clinic.

    An alert compares the unadapted probability with its threshold, so it never depends on this.

    Attributes:
        prevalence: Of the clinic.
        class_names: C diagnosis codes.
        probabilities: One per class, in [0, 1], with the sum 1.
        melanoma_probability: Probability of melanoma.
        skin_cancer_probability: Probability of any skin cancer.
    """

    prevalence: Prevalence
    class_names: tuple[str, ...]
    probabilities: tuple[float, ...]
    melanoma_probability: float
    skin_cancer_probability: float

    @property
    def top_diagnosis(self) -> Diagnosis:
        """The leading diagnosis: the one with the largest probability."""
        probability = max(self.probabilities)
        return Diagnosis(self.class_names[self.probabilities.index(probability)])

    def find_probability(self, diagnosis: Diagnosis) -> float:
        """Return the probability of a diagnosis, in [0, 1]."""
        return self.probabilities[self.class_names.index(diagnosis)]


def find_trained_prevalence(card: ModelCard) -> Prevalence | None:
    """Return the prevalence that a model's unadapted probabilities assume; None if unknown.

    Example:
        >>> from melanoma_core.models.card import load_card
        >>> from melanoma_core.models.registry import BUNDLED
        >>> trained = find_trained_prevalence(load_card(BUNDLED))
        >>> 0 < trained.melanoma < trained.skin_cancer < 1
        True
    """
    return measure_prevalence(card.class_names, card.frequencies)


def make_prevalence(
    card: ModelCard, melanoma: float, skin_cancer: float | None = None
) -> Prevalence | None:
    """Return the prevalence of a clinic, of which the share of skin cancers may be unknown.

    Where it is unknown, the lesions that are no melanomas are taken to have the proportions of the
    model's training data.

    Args:
        card: Of the model.
        melanoma: Share of melanomas, in [0, 1].
        skin_cancer: Share of skin cancers, in [melanoma, 1]; None if unknown.

    Returns:
        None if the share is unknown and the card has no class frequencies.

    Example:
        >>> from melanoma_core.models.card import load_card
        >>> from melanoma_core.models.registry import BUNDLED
        >>> make_prevalence(load_card(BUNDLED), 0.02, 0.08)
        Prevalence(melanoma=0.02, skin_cancer=0.08)
    """
    if skin_cancer is None:
        trained = find_trained_prevalence(card)
        if trained is None:
            return None
        _, others, rest = trained.shares
        among = others / (others + rest) if others else 0.0
        skin_cancer = min(1.0, melanoma + (1 - melanoma) * among)
    return Prevalence(melanoma, skin_cancer)


def adapt_reading(
    card: ModelCard, probabilities: Sequence[float], prevalence: Prevalence
) -> AdaptedReading | None:
    """Adapt the probabilities of a photograph or of a lesion to the prevalence of a clinic.

    Args:
        card: Of the model that read it.
        probabilities: C numbers in [0, 1], calibrated.
        prevalence: Of the clinic.

    Returns:
        The adapted reading. None if the probabilities cannot be adapted: the card has no class
        frequencies, the clinic has lesions of a kind that the model was not trained on, or every
        diagnosis that is possible in the clinic has the probability 0.
    """
    adapted = adapt_probabilities(
        tuple(probabilities), card.class_names, card.frequencies, prevalence
    )
    if adapted is None or any(map(math.isnan, adapted)):
        return None
    return AdaptedReading(
        prevalence,
        card.class_names,
        adapted,
        adapted[card.melanoma_index],
        float(card.rules.add_skin_cancers(adapted)),
    )
