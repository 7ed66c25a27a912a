"""Melanomas that were missed, one by one: who said what, and how it became known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import Judge
from melanoma_core.records.diagnoses import title_diagnosis
from melanoma_core.records.vocabulary import OPINION_TIERS, Opinion, ReadOrder
from melanoma_core.taxonomy import Diagnosis

_ORDER = (Judge.TOGETHER, Judge.NETWORK, Judge.FIRST_READ)


@dataclass(frozen=True)
class MissedMelanoma:
    """A melanoma that the first read, the network or the decision missed.

    Attributes:
        case: The lesion.
        missed_by: Who or what missed it: the decision first, then the network, the first read.
        days: Days from the visit to the specimen; None if it is not known.
        first_read: What the reader said, in one sentence.
        network: What the network said.
        decision: What was decided.
        became_known: How it became known.
    """

    case: AuditCase
    missed_by: tuple[Judge, ...]
    days: int | None
    first_read: str
    network: str
    decision: str
    became_known: str


def list_missed(cases: Iterable[AuditCase]) -> tuple[MissedMelanoma, ...]:
    """Return the melanomas that anyone missed, whatever the other two said.

    A first read counts if it was blind. A decision counts whether the AI reading was known or not.
    A melanoma that the network refused is not missed by it, and the sentence says so. Nor is one of
    a patient that its model was trained on.

    Args:
        cases: Of `audit_cases.make_audit_cases`.

    Returns:
        Those that the decision missed first, then those that the network missed; within these the
        latest visit first.

    Example:
        >>> list_missed([])
        ()
    """
    missed = [_describe(case) for case in cases if case.is_melanoma]
    found = [each for each in missed if each.missed_by]
    found.sort(key=lambda each: each.case.visited_on or date.min, reverse=True)
    found.sort(key=lambda each: _ORDER.index(each.missed_by[0]))
    return tuple(found)


def _describe(case: AuditCase) -> MissedMelanoma:
    seen_on, excised_on = case.visited_on, case.excised_on
    days = (excised_on - seen_on).days if seen_on and excised_on else None
    return MissedMelanoma(
        case=case,
        missed_by=tuple(_find_missing(case)),
        days=days,
        first_read=_describe_first_read(case),
        network=_describe_network(case),
        decision=_describe_decision(case),
        became_known=_describe_histology(case, days),
    )


def _find_missing(case: AuditCase) -> Iterator[Judge]:
    if case.decision is not None and not case.decision.acts:
        yield Judge.TOGETHER
    if case.melanoma_alert is False and not case.was_trained_on:
        yield Judge.NETWORK
    if case.is_blind and case.management is not None and not case.management.acts:
        yield Judge.FIRST_READ


def _describe_first_read(case: AuditCase) -> str:
    if case.management is None or case.opinion is None:
        return "There was no first read."
    probability = (
        ""
        if case.doctor_probability is None
        else f", probability of melanoma {case.doctor_probability:.0%}"
    )
    text = f"First read: {_name_opinion(case.opinion)}{probability}; {case.management}."
    if case.is_blind:
        return text
    if case.order is ReadOrder.TOGETHER:
        return f"{text} It was made with the AI reading, and does not count as one."
    return f"{text} It was not blind, and does not count as one."


def _name_opinion(opinion: Opinion) -> str:
    return str(opinion) if opinion in OPINION_TIERS else Diagnosis(opinion).title


def _describe_network(case: AuditCase) -> str:
    if not case.has_ai:
        return "There was no AI reading."
    if case.melanoma_alert is None or case.melanoma_probability is None:
        return "The network refused the photographs."
    alert = (
        "melanoma alert"
        if case.melanoma_alert
        else "skin cancer alert only"
        if case.skin_cancer_alert
        else "no alert"
    )
    text = f"Network: {alert}, probability of melanoma {case.melanoma_probability:.1%}."
    note = " It was trained on this patient, and does not count." if case.was_trained_on else ""
    return f"{text}{note}"


def _describe_decision(case: AuditCase) -> str:
    if case.decision is None:
        return "Nothing was decided."
    known = "with" if case.knew_ai else "without"
    return f"Decision: {case.decision}, {known} the AI reading."


def _describe_histology(case: AuditCase, days: int | None) -> str:
    name = title_diagnosis(case.histology) if case.histology else "melanoma"
    thickness = "" if case.breslow_mm is None else f", Breslow {case.breslow_mm:g} mm"
    when = "" if days is None else f", tissue taken {_count_days(days)}"
    return f"Histology: {name}{thickness}{when}."


def _count_days(days: int) -> str:
    if days == 0:
        return "on the day of the visit"
    return "1 day after the visit" if days == 1 else f"{days} days after the visit"
