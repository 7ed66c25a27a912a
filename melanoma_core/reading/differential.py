"""The differential diagnosis of a reading: the few diagnoses that a person should think of.

It agrees with the finding and with the prediction set. Imports no NumPy, so that a page appears
before it is imported.
"""

from dataclasses import dataclass

from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.reading.ranking import rank_diagnoses
from melanoma_core.reading.statement import LIKELY, UNLIKELY, describe_finding, name_suspected
from melanoma_core.reading.verdict import Verdict
from melanoma_core.taxonomy import Diagnosis, RiskTier

_MOST = 5  # that are listed, unless more must be


@dataclass(frozen=True)
class Candidate:
    """A diagnosis of the differential.

    Attributes:
        diagnosis: The diagnosis.
        probability: In [0, 1], in the clinic where there is a prevalence.
        is_unlikely: Whether it is below 1%, and listed because it is malignant and not excluded.
    """

    diagnosis: Diagnosis
    probability: float
    is_unlikely: bool = False


def list_differential(
    verdict: Verdict, adapted: AdaptedReading | None = None
) -> tuple[Candidate, ...]:
    """Return the differential diagnosis, the most probable first.

    These are always listed: the leading diagnosis, what is at least 10% probable, what the finding
    names, and the malignant members of the prediction set. Its other members follow if they are
    at least 1% probable, up to five diagnoses in all. So below 1% there are only malignant ones.

    Args:
        verdict: Of a photograph or of a lesion.
        adapted: Its probabilities in the clinic; None without a prevalence.

    Example:
        >>> verdict = Verdict(
        ...     model_id="", class_names=("MEL", "NV", "DF"), probabilities=(0.06, 0.935, 0.005),
        ...     threshold=0.05,
        ... )
        >>> [str(each.diagnosis) for each in list_differential(verdict)]
        ['NV', 'MEL']
    """
    shown = adapted or verdict
    found = verdict.prediction_set
    members = set(found.members) if found else set()
    open_names = members | set(found.unknown if found else ())
    suspected = name_suspected(verdict, describe_finding(verdict, adapted).level)
    kept, others = [], []
    for diagnosis, probability in rank_diagnoses(shown):
        is_malignant = diagnosis.tier is RiskTier.MALIGNANT
        must = (
            diagnosis is shown.top_diagnosis
            or probability >= LIKELY
            or diagnosis in suspected
            or (is_malignant and diagnosis in open_names)
        )
        if must:
            kept.append(Candidate(diagnosis, probability, probability < UNLIKELY))
        elif diagnosis in members and probability >= UNLIKELY:
            others.append(Candidate(diagnosis, probability))
    listed = kept + others[: max(0, _MOST - len(kept))]
    return tuple(sorted(listed, key=lambda each: -each.probability))
