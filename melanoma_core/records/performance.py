"""How good the doctor, the network and both together are here, on the clinic's own lesions.

Intervals resample patients: the lesions of one patient are not independent.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.slices import UNKNOWN
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import AuditTable, Condition, Judge, Scope
from melanoma_core.records.patient_resampling import (
    NUM_RESAMPLES,
    Share,
    explain_few,
    measure_shares_by_patient,
)

_PAIRS = (
    (Judge.NETWORK, Judge.FIRST_READ),
    (Judge.TOGETHER, Judge.FIRST_READ),
    (Judge.TOGETHER, Judge.NETWORK),
)
_EXCISED = "excised"


class Grouping(StrEnum):
    """What an audit is divided by."""

    MONTH = "month"
    YEAR = "year"
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
        few_positives: Why the sensitivity is of too few patients to say; "" if it is not.
        few_negatives: The same of the specificity.
    """

    judge: Judge
    condition: Condition
    sensitivity: Figure
    specificity: Figure
    few_positives: str
    few_negatives: str


@dataclass(frozen=True)
class Difference:
    """One judge minus another, on the lesions that both judged.

    Attributes:
        one: The first judge.
        other: The second judge.
        condition: What was looked for.
        sensitivity: Difference of the sensitivities, in [-1, 1].
        specificity: Difference of the specificities, in [-1, 1].
        few_positives: As in `Rates`.
        few_negatives: As in `Rates`.
        found_by_one: Lesions with the condition that only the first judged suspicious.
        found_by_other: Those that only the second did.
        spared_by_one: Lesions without it that only the first did not judge suspicious.
        spared_by_other: Those that only the second did not.
    """

    one: Judge
    other: Judge
    condition: Condition
    sensitivity: Figure
    specificity: Figure
    few_positives: str
    few_negatives: str
    found_by_one: int
    found_by_other: int
    spared_by_one: int
    spared_by_other: int


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


def measure_performance(
    table: AuditTable,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Performance:
    """Compute how good the doctor, the network and both together are.

    Args:
        table: Of `audit_table.make_table`: the lesions with ground truth in a scope.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    shares = _list_rates(table) | _list_pairs(table) | _list_excisions(table)
    differences: dict[_Name, tuple[_Name, _Name]] = {
        (one, other, condition, side): (
            (one, one, other, condition, side),
            (other, one, other, condition, side),
        )
        for one, other in _PAIRS
        for condition in Condition
        for side in _Side
    }
    figures = measure_shares_by_patient(table.patient, shares, differences, (num_resamples, seed))
    num_histology = int(table.by_histology.sum())
    return Performance(
        scope=table.scope,
        num_lesions=len(table.cases),
        num_patients=table.num_patients,
        num_melanomas=table.count(Condition.MELANOMA),
        num_skin_cancers=table.count(Condition.SKIN_CANCER),
        by_histology=num_histology,
        by_follow_up=len(table.cases) - num_histology,
        rates=_collect_rates(figures),
        differences=_collect_differences(table, figures),
        excisions=_collect_excisions(figures),
    )


def measure_groups(
    table: AuditTable,
    grouping: Grouping,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[Group, ...]:
    """Compute the same for each value of a grouping, in the order of the values.

    Args:
        table: As in `measure_performance`.
        grouping: What to divide by.
        num_resamples: Number of bootstrap resamples of patients.
        seed: Makes the resamples repeatable.
    """
    values = np.array([find_value(case, grouping) for case in table.cases], dtype=object)
    groups = []
    for value in sorted(set(values), key=lambda each: (each == UNKNOWN, each)):
        part = table.select(values == value)
        shares = _list_rates(part) | _list_excisions(part)
        figures = measure_shares_by_patient(part.patient, shares, {}, (num_resamples, seed))
        groups.append(
            Group(
                grouping=grouping,
                value=value,
                num_lesions=len(part.cases),
                num_patients=part.num_patients,
                num_melanomas=part.count(Condition.MELANOMA),
                num_skin_cancers=part.count(Condition.SKIN_CANCER),
                rates=_collect_rates(figures),
                excisions=_collect_excisions(figures),
            )
        )
    return tuple(groups)


def find_value(case: AuditCase, grouping: Grouping) -> str:
    """Return the value of a grouping that a lesion has; "not recorded" without one.

    >>> find_value(AuditCase(patient_id="p", lesion_id="l", device="X"), Grouping.DEVICE)
    'X'
    """
    return _ATTRIBUTES[grouping](case) or UNKNOWN


class _Side(StrEnum):
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"


# The names of shares: what is measured, then of whom, for which condition and on which side.
_Name = tuple[str, ...]
_Shares = dict[_Name, Share]


def _split(table: AuditTable, condition: Condition) -> dict[_Side, NDArray[np.bool_]]:
    return {
        _Side.SENSITIVITY: table.find_positives(condition),
        _Side.SPECIFICITY: table.find_negatives(condition),
    }


def _list_rates(table: AuditTable) -> _Shares:
    shares: _Shares = {}
    for judge, condition in table.judged:
        said = table.find_judgements(judge, condition)
        for side, among in _split(table, condition).items():
            shares[judge, condition, side] = (
                said.is_right(side is _Side.SENSITIVITY),
                among & said.known,
            )
    return shares


def _list_pairs(table: AuditTable) -> _Shares:
    """Return the shares of both judges of each pair, on the lesions that both judged."""
    shares: _Shares = {}
    for one, other in _PAIRS:
        for condition in Condition:
            pair = {judge: table.find_judgements(judge, condition) for judge in (one, other)}
            known = pair[one].known & pair[other].known
            for side, among in _split(table, condition).items():
                for judge, said in pair.items():
                    name = (judge, one, other, condition, side)
                    shares[name] = said.is_right(side is _Side.SENSITIVITY), among & known
    return shares


def _list_excisions(table: AuditTable) -> _Shares:
    """Return the share of each condition among the lesions with histology."""
    return {
        (_EXCISED, condition): (
            table.find_positives(condition),
            table.by_histology & (table.truth[condition] >= 0),
        )
        for condition in Condition
    }


def _collect_rates(figures: Mapping[_Name, Figure]) -> tuple[Rates, ...]:
    """Return the rates of each judge that judged any lesion.

    Where nothing was refused, the network has the same rates with and without refusals.
    """
    rates = []
    for judge in Judge:
        for condition in Condition:
            sensitivity, specificity = (figures[judge, condition, side] for side in _Side)
            read = [figures[Judge.NETWORK, condition, side] for side in _Side]
            if judge is Judge.NETWORK_INTENDED and [sensitivity, specificity] == read:
                continue
            if sensitivity.total + specificity.total:
                few = _explain_sides(sensitivity, specificity, condition)
                rates.append(Rates(judge, condition, sensitivity, specificity, *few))
    return tuple(rates)


def _explain_sides(positive: Figure, negative: Figure, condition: Condition) -> tuple[str, str]:
    return (
        explain_few(positive.num_lesions, f"a {condition}"),
        explain_few(negative.num_lesions, f"another lesion than a {condition}"),
    )


def _collect_differences(
    table: AuditTable, figures: Mapping[_Name, Figure]
) -> tuple[Difference, ...]:
    differences = []
    for one, other in _PAIRS:
        for condition in Condition:
            positive, negative = (figures[one, other, condition, side] for side in _Side)
            if positive.total + negative.total:
                few = _explain_sides(positive, negative, condition)
                counts = _count_discordant(table, (one, other), condition)
                differences.append(
                    Difference(one, other, condition, positive, negative, *few, *counts)
                )
    return tuple(differences)


def _count_discordant(
    table: AuditTable, pair: tuple[Judge, Judge], condition: Condition
) -> list[int]:
    """Count the lesions on which exactly one of two judges is right, on either side."""
    first, second = (table.find_judgements(judge, condition) for judge in pair)
    counts = []
    for side, among in _split(table, condition).items():
        both = among & first.known & second.known
        right = [said.is_right(side is _Side.SENSITIVITY) for said in (first, second)]
        counts += [
            int((both & right[0] & ~right[1]).sum()),
            int((both & right[1] & ~right[0]).sum()),
        ]
    return counts


def _collect_excisions(figures: Mapping[_Name, Figure]) -> Excisions:
    melanoma, skin_cancer = (figures[_EXCISED, condition] for condition in Condition)
    return Excisions(
        excised=melanoma.total,
        melanomas=melanoma.count or 0,
        per_melanoma=_invert(melanoma),
        per_skin_cancer=_invert(skin_cancer),
        too_few=explain_few(melanoma.num_lesions, "a lesion with histology"),
    )


def _invert(share: Figure) -> Figure:
    """Return 1 divided by a share and its interval; NaN for 1 divided by 0."""
    value, low, high = (
        1 / each if each > 0 else math.nan for each in (share.value, share.high, share.low)
    )
    return Figure(value, low, high, None, share.total, share.num_lesions)


_ATTRIBUTES: dict[Grouping, Callable[[AuditCase], str]] = {
    Grouping.MONTH: lambda case: case.month,
    Grouping.YEAR: lambda case: case.month[:4],
    Grouping.MODEL: lambda case: case.model_id,
    Grouping.APP_VERSION: lambda case: case.app_version,
    Grouping.SKIN_TYPE: lambda case: case.skin_type,
    Grouping.DEVICE: lambda case: case.device,
    Grouping.IMAGE_KIND: lambda case: case.image_kind,
    Grouping.READER: lambda case: case.reader,
}
