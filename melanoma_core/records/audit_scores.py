"""How good probabilities are here: ROC curve and calibration of the doctor and of the network."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.discrimination import measure_discrimination, rank_pairs
from melanoma_core.evaluation.figure import UNDEFINED, Curve, Figure
from melanoma_core.evaluation.reliability import CalibrationBin, measure_reliability
from melanoma_core.evaluation.resampling import Resamples, to_difference
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import AuditTable, Condition
from melanoma_core.records.patient_resampling import (
    NUM_RESAMPLES,
    explain_few,
    resample_patients,
)


class Score(StrEnum):
    """A probability in an audit."""

    DOCTOR = "first read"
    NETWORK = "network"
    ADAPTED = "network at the prevalence in force"
    NETWORK_SKIN_CANCER = "network, any skin cancer"


@dataclass(frozen=True)
class ScoreQuality:
    """How good a probability is.

    Attributes:
        score: The probability.
        condition: What it is the probability of.
        num_lesions: Number of lesions with ground truth and this probability.
        num_positives: Number of them with the condition.
        roc_auc: Area under the ROC curve.
        roc: The ROC curve, as in Evaluation.
        calibration: The calibration curve, in up to 10 bins of equal mass.
        calibration_error: Expected calibration error.
        brier_score: Brier score.
        too_few: Why they are too few patients to say; "" if they are enough.
    """

    score: Score
    condition: Condition
    num_lesions: int
    num_positives: int
    roc_auc: Figure
    roc: Curve
    calibration: tuple[CalibrationBin, ...]
    calibration_error: Figure
    brier_score: Figure
    too_few: str


def measure_scores(
    table: AuditTable, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> tuple[ScoreQuality, ...]:
    """Compute how good each probability is, as far as any lesion has it.

    The statistics are those of Evaluation, with resamples of patients. Probabilities of lesions
    that were excised say nothing of the others: see docs/explanation/audit.md.

    Args:
        table: As in `performance.measure_performance`.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    found = []
    last, resamples = np.zeros(len(table.cases), dtype=bool), None
    for score, (condition, find) in _SCORES.items():
        values = _gather(table, find)
        known = ~np.isnan(values) & (table.truth[condition] >= 0)
        if known.any():
            if resamples is None or (known != last).any():  # the same draw for the same lesions
                last, resamples = (
                    known,
                    resample_patients(table.patient[known], num_resamples, seed),
                )
            is_positive = table.find_positives(condition)[known]
            found.append(_measure((score, condition), resamples, values[known], is_positive))
    return tuple(found)


def compare_areas(
    table: AuditTable, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Figure:
    """Compute the ROC AUC of the network minus that of the first read, for melanoma.

    Both are computed on the lesions that have both probabilities, in the same resamples.

    Args:
        table: As in `performance.measure_performance`.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.

    Returns:
        The difference, in [-1, 1]; NaN where it is undefined.
    """
    scores = [_gather(table, _SCORES[each][1]) for each in (Score.NETWORK, Score.DOCTOR)]
    known = (table.truth[Condition.MELANOMA] >= 0) & ~np.isnan(scores).any(axis=0)
    if not known.any():
        return UNDEFINED
    resamples = resample_patients(table.patient[known], num_resamples, seed)
    is_melanoma = table.find_positives(Condition.MELANOMA)[known]
    one, other = (rank_pairs(resamples, score[known], is_melanoma) for score in scores)
    return to_difference(one - other, int(known.sum()), resamples.num_lesions)


def _measure(
    what: tuple[Score, Condition],
    resamples: Resamples,
    values: NDArray[np.float64],
    is_positive: NDArray[np.bool_],
) -> ScoreQuality:
    score, condition = what
    discrimination = measure_discrimination(resamples, values, is_positive)
    reliability = measure_reliability(resamples, values, is_positive)
    few = (
        explain_few(resamples.count_lesions(is_positive), f"a {condition}"),
        explain_few(resamples.count_lesions(~is_positive), f"another lesion than a {condition}"),
    )
    return ScoreQuality(
        score=score,
        condition=condition,
        num_lesions=len(values),
        num_positives=int(is_positive.sum()),
        roc_auc=discrimination.roc_auc,
        roc=discrimination.roc,
        calibration=reliability.calibration,
        calibration_error=reliability.calibration_error,
        brier_score=reliability.brier_score,
        too_few=few[0] or few[1],
    )


def _gather(table: AuditTable, find: Callable[[AuditCase], float | None]) -> NDArray[np.float64]:
    """Return the probability of each lesion, float64 [N]; NaN without one."""
    found = (find(case) for case in table.cases)
    return np.array([np.nan if each is None else each for each in found], dtype=np.float64)


_SCORES: dict[Score, tuple[Condition, Callable[[AuditCase], float | None]]] = {
    Score.DOCTOR: (
        Condition.MELANOMA,
        lambda case: case.doctor_probability if case.is_blind else None,
    ),
    Score.NETWORK: (
        Condition.MELANOMA,
        lambda case: None if case.was_trained_on else case.melanoma_probability,
    ),
    Score.ADAPTED: (
        Condition.MELANOMA,
        lambda case: None if case.was_trained_on else case.adapted_probability,
    ),
    Score.NETWORK_SKIN_CANCER: (
        Condition.SKIN_CANCER,
        lambda case: None if case.was_trained_on else case.skin_cancer_probability,
    ),
}
