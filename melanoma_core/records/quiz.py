"""How well a student does on the cases of a quiz, beside the network on the same cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.discrimination import measure_discrimination, rank_pairs
from melanoma_core.evaluation.figure import EMPTY_CURVE, UNDEFINED, Curve, Figure
from melanoma_core.evaluation.resampling import to_difference
from melanoma_core.records.patient_resampling import (
    NUM_RESAMPLES,
    PatientResamples,
    explain_few,
    measure_shares_by_patient,
    number_patients,
    resample_patients,
)
from melanoma_core.records.quiz_cases import QuizCase
from melanoma_core.taxonomy import Diagnosis

PROBABILITIES = tuple(step / 10 for step in range(11))
"""The probabilities of melanoma that a student can give."""

_STUDENT, _NETWORK = "student", "network"


@dataclass(frozen=True)
class Answer:
    """What a student, or the network, says of a case.

    Attributes:
        probability: Of melanoma, in [0, 1].
        diagnosis: The leading diagnosis.
        suspects: Whether melanoma is suspected: the student names it, the network raises an alert.
    """

    probability: float
    diagnosis: Diagnosis
    suspects: bool

    @classmethod
    def of_student(cls, probability: float, diagnosis: Diagnosis) -> "Answer":
        """Return a student's answer, who suspects a melanoma by naming it.

        >>> Answer.of_student(0.4, Diagnosis.MEL).suspects
        True
        """
        return cls(probability, diagnosis, diagnosis is Diagnosis.MEL)


@dataclass(frozen=True)
class Standing:
    """How well one of the two does.

    Attributes:
        sensitivity: Share of melanomas that were suspected.
        specificity: Share of the others that were not.
        right: Share of cases whose diagnosis was right.
        roc_auc: Area under the ROC curve of the probabilities.
        roc: That curve.
    """

    sensitivity: Figure
    specificity: Figure
    right: Figure
    roc_auc: Figure
    roc: Curve


@dataclass(frozen=True)
class QuizResult:
    """Student and network on the same cases.

    Attributes:
        num_cases: Number of cases that both answered.
        num_melanomas: Number of melanomas among them.
        num_refused: Cases that the student answered and the network refused; left out.
        student: The student.
        network: The network.
        area_difference: ROC AUC of the student minus that of the network, paired.
        too_few: Why they are too few to say; "" if they are enough.
    """

    num_cases: int
    num_melanomas: int
    num_refused: int
    student: Standing
    network: Standing
    area_difference: Figure
    too_few: str


def measure_quiz(
    cases: Sequence[QuizCase],
    answers: Mapping[str, Answer],
    network: Mapping[str, Answer],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> QuizResult:
    """Compute how well student and network do on the cases that both have answered.

    Intervals resample patients. Those of one quiz are wide: of 20 cases, half of them melanomas,
    a sensitivity of 80% has a 95% CI of about 50 to 100%.

    Args:
        cases: Of the quiz.
        answers: The student's, by the key of the case.
        network: The network's; cases that it refused are missing.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.

    Example:
        >>> measure_quiz([], {}, {}).num_cases
        0
    """
    answered = [case for case in cases if case.key in answers]
    both = [case for case in answered if case.key in network]
    patient = number_patients([str(case.patient) for case in both])
    is_melanoma = np.array([case.is_melanoma for case in both], dtype=bool)
    given = {
        _STUDENT: [answers[case.key] for case in both],
        _NETWORK: [network[case.key] for case in both],
    }
    shares = {
        (who, name): share
        for who, said in given.items()
        for name, share in _list_shares(both, said, is_melanoma).items()
    }
    figures = measure_shares_by_patient(patient, shares, {}, (num_resamples, seed))
    resamples = resample_patients(patient, num_resamples, seed) if both else None
    scores = {
        who: np.array([each.probability for each in said], dtype=np.float64)
        for who, said in given.items()
    }
    standings = {
        who: _make_standing(
            {name: figures[who, name] for name in ("sensitivity", "specificity", "right")},
            scores[who],
            is_melanoma,
            resamples,
        )
        for who in given
    }
    return QuizResult(
        num_cases=len(both),
        num_melanomas=int(is_melanoma.sum()),
        num_refused=len(answered) - len(both),
        student=standings[_STUDENT],
        network=standings[_NETWORK],
        area_difference=_compare(scores, is_melanoma, resamples),
        too_few=_explain(patient, is_melanoma),
    )


def _list_shares(
    cases: Sequence[QuizCase], said: Sequence[Answer], is_melanoma: NDArray[np.bool_]
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    suspects = np.array([each.suspects for each in said], dtype=bool)
    right = np.array(
        [each.diagnosis is case.diagnosis for each, case in zip(said, cases, strict=True)],
        dtype=bool,
    )
    return {
        "sensitivity": (suspects, is_melanoma),
        "specificity": (~suspects, ~is_melanoma),
        "right": (right, np.ones(len(said), dtype=bool)),
    }


def _make_standing(
    figures: Mapping[str, Figure],
    score: NDArray[np.float64],
    is_melanoma: NDArray[np.bool_],
    resamples: PatientResamples | None,
) -> Standing:
    area, roc = UNDEFINED, EMPTY_CURVE
    if resamples is not None:
        measured = measure_discrimination(resamples, score, is_melanoma)
        area, roc = measured.roc_auc, measured.roc
    return Standing(figures["sensitivity"], figures["specificity"], figures["right"], area, roc)


def _compare(
    scores: Mapping[str, NDArray[np.float64]],
    is_melanoma: NDArray[np.bool_],
    resamples: PatientResamples | None,
) -> Figure:
    if resamples is None or is_melanoma.all() or not is_melanoma.any():
        return UNDEFINED
    one, other = (rank_pairs(resamples, scores[who], is_melanoma) for who in (_STUDENT, _NETWORK))
    return to_difference(one - other, len(is_melanoma), resamples.num_lesions)


def _explain(patient: NDArray[np.intp], is_melanoma: NDArray[np.bool_]) -> str:
    few = (
        explain_few(len(np.unique(patient[is_melanoma])), "a melanoma"),
        explain_few(len(np.unique(patient[~is_melanoma])), "another lesion than a melanoma"),
    )
    return few[0] or few[1]
