"""The cases of an audit as columns: who judged which lesion as suspicious, and what was true."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.patient_resampling import number_patients
from melanoma_core.records.vocabulary import OPINION_TIERS, Opinion
from melanoma_core.taxonomy import Confirmation, Diagnosis, RiskTier

_UNKNOWN = -1  # beside 0 and 1


class Scope(StrEnum):
    """Which ground truth an analysis takes. The two are never mixed without saying so."""

    HISTOLOGY = "histology only"
    WITH_FOLLOW_UP = "histology and follow-up"


class Condition(StrEnum):
    """What is looked for."""

    MELANOMA = "melanoma"
    SKIN_CANCER = "skin cancer"


class Judge(StrEnum):
    """Who or what judges a lesion as suspicious."""

    FIRST_READ = "first read"  # would biopsy, excise or refer
    FIRST_OPINION = "first opinion"  # names the condition as the leading diagnosis
    NETWORK = "network"  # the alert of the condition
    NETWORK_INTENDED = "network, refusals counted against it"
    TOGETHER = "doctor with network"  # the decision, made with the AI reading
    # A reading by a model that was trained on the patient does not count for the last three.


@dataclass(frozen=True, eq=False)
class Judgements:
    """Which of N lesions a judge judged, and which it judged as suspicious; bool [N] each."""

    known: NDArray[np.bool_]
    suspicious: NDArray[np.bool_]

    def is_right(self, is_positive: bool) -> NDArray[np.bool_]:
        """Return on which lesions it is right if all of them have the condition, or none."""
        return self.suspicious if is_positive else self.known & ~self.suspicious


@dataclass(frozen=True, eq=False)
class AuditTable:
    """The lesions of an audit that have ground truth in its scope.

    Attributes:
        scope: Which ground truth counts.
        cases: N lesions.
        patient: int [N], the same for lesions of one patient.
        truth: By condition, int8 [N]: 1 if it has the condition, 0 if not, -1 if not known.
        judged: By judge and condition, int8 [N]: 1 if suspicious, 0 if not, -1 if not judged.
        by_histology: bool [N], whether the ground truth is histology.
    """

    scope: Scope
    cases: tuple[AuditCase, ...]
    patient: NDArray[np.intp]
    truth: dict[Condition, NDArray[np.int8]]
    judged: dict[tuple[Judge, Condition], NDArray[np.int8]]
    by_histology: NDArray[np.bool_]

    @property
    def num_patients(self) -> int:
        """Number of patients."""
        return len(np.unique(self.patient))

    def count(self, condition: Condition) -> int:
        """Return the number of lesions that have a condition."""
        return int(self.find_positives(condition).sum())

    def find_positives(self, condition: Condition) -> NDArray[np.bool_]:
        """Return the lesions that have a condition, bool [N]."""
        return np.asarray(self.truth[condition] == 1)

    def find_negatives(self, condition: Condition) -> NDArray[np.bool_]:
        """Return the lesions that are known not to have a condition, bool [N]."""
        return np.asarray(self.truth[condition] == 0)

    def find_judgements(self, judge: Judge, condition: Condition) -> Judgements:
        """Return what a judge said of each lesion."""
        judged = self.judged[judge, condition]
        return Judgements(judged != _UNKNOWN, judged == 1)

    def select(self, rows: NDArray[np.bool_]) -> "AuditTable":
        """Return the lesions of a mask, bool [N]."""
        return AuditTable(
            self.scope,
            tuple(self.cases[place] for place in np.flatnonzero(rows)),
            self.patient[rows],
            {key: column[rows] for key, column in self.truth.items()},
            {key: column[rows] for key, column in self.judged.items()},
            self.by_histology[rows],
        )


def is_in_scope(case: AuditCase, scope: Scope) -> bool:
    """Return whether the ground truth of a lesion counts in an analysis."""
    if scope is Scope.WITH_FOLLOW_UP:
        return case.confirmation is not None
    return case.confirmation is Confirmation.HISTOPATHOLOGY


def make_table(cases: Iterable[AuditCase], scope: Scope = Scope.HISTOLOGY) -> AuditTable:
    """Return the lesions with ground truth in a scope as columns.

    Args:
        cases: Of `audit_cases.make_audit_cases`; those without such ground truth are left out.
        scope: Which ground truth counts.
    """
    counted = tuple(case for case in cases if is_in_scope(case, scope))
    conditions: dict[Condition, Callable[[AuditCase], bool | None]] = {
        Condition.MELANOMA: lambda case: case.is_melanoma,
        Condition.SKIN_CANCER: lambda case: case.is_skin_cancer,
    }
    return AuditTable(
        scope,
        counted,
        number_patients([case.patient_id for case in counted]),
        {condition: _encode(counted, find) for condition, find in conditions.items()},
        {
            (judge, condition): _encode(counted, find)
            for judge, finders in _JUDGES.items()
            for condition, find in finders.items()
        },
        np.array(
            [case.confirmation is Confirmation.HISTOPATHOLOGY for case in counted], dtype=bool
        ),
    )


def _encode(
    cases: Sequence[AuditCase], find: Callable[[AuditCase], bool | None]
) -> NDArray[np.int8]:
    found = (find(case) for case in cases)
    return np.array([_UNKNOWN if each is None else each for each in found], dtype=np.int8)


_MALIGNANT_OPINIONS = frozenset(
    opinion
    for opinion in Opinion
    if (OPINION_TIERS.get(opinion) or Diagnosis(opinion).tier) is RiskTier.MALIGNANT
)


def _judge_first(case: AuditCase) -> bool | None:
    return case.management.acts if case.is_blind and case.management else None


def _name_melanoma(case: AuditCase) -> bool | None:
    return case.opinion is Opinion.MEL if case.is_blind and case.opinion else None


def _name_skin_cancer(case: AuditCase) -> bool | None:
    return case.opinion in _MALIGNANT_OPINIONS if case.is_blind and case.opinion else None


def _judge_together(case: AuditCase) -> bool | None:
    counts = case.knew_ai and not case.was_trained_on
    return case.decision.acts if counts and case.decision else None


def _alert_melanoma(case: AuditCase) -> bool | None:
    return None if case.was_trained_on else case.melanoma_alert


def _alert_skin_cancer(case: AuditCase) -> bool | None:
    return None if case.was_trained_on else case.skin_cancer_alert


def _intend_melanoma(case: AuditCase) -> bool | None:
    return not case.is_melanoma if _is_refused(case) else _alert_melanoma(case)


def _intend_skin_cancer(case: AuditCase) -> bool | None:
    return not case.is_skin_cancer if _is_refused(case) else _alert_skin_cancer(case)


def _is_refused(case: AuditCase) -> bool:
    return case.has_ai and case.melanoma_alert is None and not case.was_trained_on


_JUDGES: dict[Judge, dict[Condition, Callable[[AuditCase], bool | None]]] = {
    Judge.FIRST_READ: dict.fromkeys(Condition, _judge_first),
    Judge.FIRST_OPINION: {
        Condition.MELANOMA: _name_melanoma,
        Condition.SKIN_CANCER: _name_skin_cancer,
    },
    Judge.NETWORK: {
        Condition.MELANOMA: _alert_melanoma,
        Condition.SKIN_CANCER: _alert_skin_cancer,
    },
    Judge.NETWORK_INTENDED: {
        Condition.MELANOMA: _intend_melanoma,
        Condition.SKIN_CANCER: _intend_skin_cancer,
    },
    Judge.TOGETHER: dict.fromkeys(Condition, _judge_together),
}
