"""How good probabilities are here: ROC curve and calibration of the doctor and of the network."""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.records.audit_table import AuditTable, Condition
from melanoma_core.records.patient_resampling import NUM_RESAMPLES


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
        too_few: As in `performance.Rates`.
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
    table: AuditTable,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[ScoreQuality, ...]:
    """Compute how good each probability is, as far as any lesion has it.

    Args:
        table: As in `performance.measure_performance`.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    raise NotImplementedError
