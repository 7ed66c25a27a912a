"""The probabilities of a lesion over time: of its AI readings as they were kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from melanoma_core.records.case import LesionCase
from melanoma_core.records.kept_readings import find_skin_cancer_probability
from melanoma_core.taxonomy import Diagnosis


@dataclass(frozen=True)
class KeptProbability:
    """What one AI reading said of the lesion.

    Attributes:
        on: Day of the visit.
        melanoma: Probability of melanoma, in [0, 1].
        melanoma_threshold: Operating point of the melanoma alert.
        skin_cancer: Probability of any skin cancer, in [0, 1].
        skin_cancer_threshold: Operating point of the skin cancer alert; None if there was none.
        model_id: Id of the model.
        is_other_model: Whether the reading before was by another model.
    """

    on: date
    melanoma: float
    melanoma_threshold: float
    skin_cancer: float
    skin_cancer_threshold: float | None
    model_id: str
    is_other_model: bool


def list_probabilities(case: LesionCase) -> tuple[KeptProbability, ...]:
    """Return what each AI reading of a lesion said, in order of the visits.

    Readings in which no photograph was read are left out.
    """
    return tuple(_list(case))


def _list(case: LesionCase) -> Iterator[KeptProbability]:
    days = {visit.id: visit.value.on for visit in case.visits}
    before = ""
    readings = [
        (days.get(each.value.visit_id, each.at.date()), each.at, each.value)
        for each in case.ai_readings
    ]
    for on, _, reading in sorted(readings, key=lambda each: each[:2]):
        melanoma = reading.find_probability(Diagnosis.MEL)
        skin_cancer = find_skin_cancer_probability(reading)
        if melanoma is None or skin_cancer is None:
            continue
        yield KeptProbability(
            on,
            melanoma,
            reading.melanoma_threshold,
            skin_cancer,
            reading.skin_cancer_threshold,
            reading.model_id,
            bool(before) and before != reading.model_id,
        )
        before = reading.model_id
