"""How severe what is known of a lesion is: what puts it first in a list of tasks."""

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum

from melanoma_core.records.case import LesionCase
from melanoma_core.records.diagnoses import interpret
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading, Decision, FirstRead, Histology
from melanoma_core.records.vocabulary import OPINION_TIERS, Management, Opinion
from melanoma_core.taxonomy import Diagnosis, RiskTier


class Severity(IntEnum):
    """How severe what is known of a lesion is; larger is more severe."""

    ROUTINE = 0
    WATCHED = 1
    SKIN_CANCER = 2
    MELANOMA = 3
    URGENT = 4


def find_opinion_tier(opinion: Opinion) -> RiskTier:
    """Return the risk tier of what a reader calls a lesion.

    >>> find_opinion_tier(Opinion.AK).value, find_opinion_tier(Opinion.OTHER_BENIGN).value
    ('premalignant', 'benign')
    """
    return OPINION_TIERS.get(opinion) or Diagnosis(opinion.value).tier


def rate_histology(histology: Histology) -> Severity:
    """Return how severe a report is: a melanoma is urgent, what is left open is watched."""
    meaning = interpret(histology.diagnosis)
    if meaning.is_melanoma:
        return Severity.URGENT
    if meaning.is_skin_cancer:
        return Severity.SKIN_CANCER
    return Severity.ROUTINE if meaning.tier is RiskTier.BENIGN else Severity.WATCHED


def rate_case(case: LesionCase, *, without_ai: bool = False) -> Severity:
    """Return how severe what is known of a lesion is now.

    Histology replaces what was thought before its specimen was taken. What was read or decided at
    a later visit counts again.

    Args:
        case: The lesion.
        without_ai: Whether no AI reading counts, as where the doctor is still to read it first.
    """
    histology = _find_last_histology(case)
    if without_ai:
        case = replace(case, ai_readings=())
    later = list(_rate_beliefs(case, after_specimen=histology))
    if later:
        return max(later)
    if histology is not None:
        return min(rate_histology(histology.value), Severity.MELANOMA)
    return Severity.WATCHED if case.lesion.value.changes else Severity.ROUTINE


def _find_last_histology(case: LesionCase) -> Entry[Histology] | None:
    """Return the report of the specimen that was taken last."""
    days = {specimen.id: specimen.value.taken_on for specimen in case.specimens}
    known = [each for each in case.histologies if each.value.specimen_id in days]
    return max(known, key=lambda each: days[each.value.specimen_id]) if known else None


def _rate_beliefs(case: LesionCase, after_specimen: Entry[Histology] | None) -> Iterator[Severity]:
    """Yield the severity of the last first read, AI reading and decision.

    Those at a visit before or on the day of the specimen of a report are left out.
    """
    taken = [
        specimen.value.taken_on
        for specimen in case.specimens
        if after_specimen is not None and specimen.id == after_specimen.value.specimen_id
    ]
    days = {visit.id: visit.value.on for visit in case.visits}

    def counts(visit_id: str) -> bool:
        return not taken or (visit_id in days and days[visit_id] > taken[0])

    for read in [each for each in case.first_reads if counts(each.value.visit_id)][-1:]:
        yield _rate_first_read(read.value)
    for reading in [each for each in case.ai_readings if counts(each.value.visit_id)][-1:]:
        yield _rate_ai_reading(reading.value)
    for decision in [each for each in case.decisions if counts(each.value.visit_id)][-1:]:
        yield _rate_decision(decision.value)


def _rate_first_read(read: FirstRead) -> Severity:
    if read.opinion is Opinion.MEL:
        return Severity.MELANOMA
    tier = find_opinion_tier(read.opinion)
    if tier is RiskTier.MALIGNANT:
        return Severity.SKIN_CANCER
    return Severity.WATCHED if tier is RiskTier.PREMALIGNANT else Severity.ROUTINE


def _rate_ai_reading(reading: AiReading) -> Severity:
    if reading.melanoma_alert:
        return Severity.MELANOMA
    return Severity.SKIN_CANCER if reading.skin_cancer_alert else Severity.ROUTINE


def _rate_decision(decision: Decision) -> Severity:
    if decision.management is Management.REFER_URGENTLY:
        return Severity.URGENT
    reassures = decision.management is Management.REASSURE
    return Severity.ROUTINE if reassures else Severity.WATCHED
