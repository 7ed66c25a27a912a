"""How good the doctor, the network and both together are here, on the clinic's own lesions.

Intervals resample patients: the lesions of one patient are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.evaluation.figure import Figure
from melanoma_core.records.audit_cases import AuditCase

NUM_RESAMPLES = 1000


class Scope(StrEnum):
    """Which ground truth an analysis takes; the two are never mixed without a word."""

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


class Grouping(StrEnum):
    """What an audit is divided by."""

    MONTH = "month"
    MODEL = "model"
    APP_VERSION = "version"
    SKIN_TYPE = "skin type"
    DEVICE = "device"
    IMAGE_KIND = "kind of photograph"
    READER = "reader"


@dataclass(frozen=True)
class Rates:
    """Sensitivity and specificity of a judge for a condition.

    `Figure.total` counts lesions, `Figure.num_lesions` the patients that the interval resamples.

    Attributes:
        judge: Who or what judged.
        condition: What was looked for.
        sensitivity: Share of lesions with the condition that were judged suspicious.
        specificity: Share of the others that were not.
        too_few: Why they are too few to say; "" if they are enough.
    """

    judge: Judge
    condition: Condition
    sensitivity: Figure
    specificity: Figure
    too_few: str


@dataclass(frozen=True)
class Difference:
    """One judge minus another, on the lesions that both judged.

    Attributes:
        one: The first judge.
        other: The second judge.
        condition: What was looked for.
        sensitivity: Difference of the sensitivities, in [-1, 1].
        specificity: Difference of the specificities, in [-1, 1].
        too_few: As in `Rates`.
    """

    one: Judge
    other: Judge
    condition: Condition
    sensitivity: Figure
    specificity: Figure
    too_few: str


@dataclass(frozen=True)
class Excisions:
    """The lesions that were excised, of those with histology.

    Attributes:
        excised: Number of lesions with histology.
        melanomas: Number of melanomas among them.
        per_melanoma: Lesions excised per melanoma found (number needed to excise), at least 1;
            `high` is NaN where there is no upper limit, `value` where none was found.
        per_skin_cancer: The same for any skin cancer.
        too_few: As in `Rates`.
    """

    excised: int
    melanomas: int
    per_melanoma: Figure
    per_skin_cancer: Figure
    too_few: str


@dataclass(frozen=True)
class Group:
    """The lesions with the same value of a grouping.

    Attributes:
        grouping: What the audit is divided by.
        value: The value; "not recorded" if it is missing.
        num_lesions: Number of lesions.
        num_patients: Number of patients.
        num_melanomas: Number of melanomas.
        num_skin_cancers: Number of skin cancers.
        rates: By judge and condition, as far as anything was judged.
        excisions: The lesions that were excised.
    """

    grouping: Grouping
    value: str
    num_lesions: int
    num_patients: int
    num_melanomas: int
    num_skin_cancers: int
    rates: tuple[Rates, ...]
    excisions: Excisions


@dataclass(frozen=True)
class Performance:
    """The result of `measure_performance`.

    Attributes:
        scope: Which ground truth it takes.
        num_lesions: Number of lesions with that ground truth.
        num_patients: Number of patients that they are of.
        num_melanomas: Number of melanomas.
        num_skin_cancers: Number of skin cancers.
        by_histology: Lesions confirmed by histology.
        by_follow_up: Lesions confirmed by follow-up.
        rates: By judge and condition.
        differences: Between judges, paired.
        excisions: Lesions excised per melanoma found.
        bias: What the ground truth hides, one sentence each.
    """

    scope: Scope
    num_lesions: int
    num_patients: int
    num_melanomas: int
    num_skin_cancers: int
    by_histology: int
    by_follow_up: int
    rates: tuple[Rates, ...]
    differences: tuple[Difference, ...]
    excisions: Excisions
    bias: tuple[str, ...]


def measure_performance(
    cases: Sequence[AuditCase],
    scope: Scope = Scope.HISTOLOGY,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Performance:
    """Compute how good the doctor, the network and both together are.

    Args:
        cases: Of `make_audit_cases`; those without ground truth in the scope are left out.
        scope: Which ground truth counts.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    raise NotImplementedError


def measure_groups(
    cases: Sequence[AuditCase],
    grouping: Grouping,
    scope: Scope = Scope.HISTOLOGY,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[Group, ...]:
    """Compute the same for each value of a grouping, in its order.

    Args:
        cases: As in `measure_performance`.
        grouping: What to divide by.
        scope: Which ground truth counts.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    raise NotImplementedError
