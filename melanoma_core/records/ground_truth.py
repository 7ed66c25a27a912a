"""The ground truth of a lesion at a visit: by histology, by follow-up, or why it is not known."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from melanoma_core.records.case import LesionCase
from melanoma_core.records.diagnoses import Meaning, interpret
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Histology
from melanoma_core.records.vocabulary import OPINION_TIERS, Opinion
from melanoma_core.taxonomy import Confirmation, Diagnosis, Label, RiskTier, find_tier


@dataclass(frozen=True)
class AuditRules:
    """When the ground truth of a lesion counts as known.

    Attributes:
        histology_months: A histology counts for a visit if its specimen was taken on the day of
            the visit or up to so many months later.
        follow_up_months: A lesion is confirmed as benign by follow-up if it was decided on again
            at least so many months later, and not acted on since. The default of 1.5 years is that
            of HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161).
    """

    histology_months: int = 12
    follow_up_months: int = 18


class Exclusion(StrEnum):
    """Why the ground truth of a lesion is not known."""

    NOT_DECIDED = "no decision"
    DECIDED_LATE = "decided, or the decision corrected, after the result was known"
    EXAMINED_BEFORE = "histology of a specimen from before the visit"
    HISTOLOGY_DUE = "tissue taken, histology not known"
    OPEN = "histology leaves the diagnosis open"
    TOO_LATE = "tissue taken too long after the visit"
    NOT_FOLLOWED = "no tissue taken, and not followed for long enough"


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """What is known of a lesion.

    Attributes:
        label: Diagnosis or risk tier; None if it is not known.
        is_melanoma: Whether it is a melanoma; None if it is not known.
        is_skin_cancer: Whether it is malignant; None if it is not known.
        histology: Diagnosis of the most severe report; "" without one.
        breslow_mm: Breslow thickness in millimetres; None if not given.
        confirmation: Histopathology or follow-up; None if it is not known.
        known_on: Day of the report, or of the visit that ended the follow-up.
        known_at: When the first result was written or reported, in UTC: what the reader writes
            afterwards is not blind. None without a result.
        exclusion: Why it is not known; None if it is.
    """

    label: Label | None = None
    is_melanoma: bool | None = None
    is_skin_cancer: bool | None = None
    histology: str = ""
    breslow_mm: float | None = None
    confirmation: Confirmation | None = None
    known_on: date | None = None
    known_at: datetime | None = None
    exclusion: Exclusion | None = None


def find_ground_truth(case: LesionCase, on: date, rules: AuditRules) -> GroundTruth:
    """Return what is known of a lesion at a visit.

    Args:
        case: The lesion.
        on: Day of the visit.
        rules: When the ground truth counts as known.
    """
    taken = {entry.id: entry.value.taken_on for entry in case.specimens}
    reports = [(_date_report(entry, taken), entry) for entry in case.histologies]
    if any(day < on for day, _ in reports):
        return GroundTruth(exclusion=Exclusion.EXAMINED_BEFORE)
    last_day = add_months(on, rules.histology_months)
    counted = [entry for day, entry in reports if day <= last_day]
    if counted:
        return _read_reports(counted)
    if reports:
        return GroundTruth(exclusion=Exclusion.TOO_LATE)
    if case.specimens:
        return GroundTruth(exclusion=Exclusion.HISTOLOGY_DUE)
    return _find_follow_up(case, on, rules)


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day if it is shorter.

    >>> add_months(date(2024, 8, 31), 6).isoformat()
    '2025-02-28'
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _date_report(entry: Entry[Histology], taken: dict[str, date]) -> date:
    """Return the day on which the tissue of a report was taken, at the latest."""
    return taken.get(entry.value.specimen_id, entry.value.reported_on)


def _read_reports(entries: list[Entry[Histology]]) -> GroundTruth:
    """Return what the most severe of the reports says."""
    known_at = min(min(entry.at, _end_day(entry.value.reported_on)) for entry in entries)
    meanings = [(interpret(entry.value.diagnosis), entry.value) for entry in entries]
    meaning, report = max(meanings, key=lambda pair: _rank(pair[0]))
    if meaning.tier is None:
        return GroundTruth(histology=report.diagnosis, known_at=known_at, exclusion=Exclusion.OPEN)
    return GroundTruth(
        label=meaning.diagnosis or meaning.tier,
        is_melanoma=meaning.is_melanoma,
        is_skin_cancer=meaning.is_skin_cancer,
        histology=report.diagnosis,
        breslow_mm=report.breslow_mm,
        confirmation=Confirmation.HISTOPATHOLOGY,
        known_on=report.reported_on,
        known_at=known_at,
    )


def _rank(meaning: Meaning) -> int:
    """Return how severe a report is; one that leaves the tier open is the last."""
    if meaning.is_melanoma:
        return 4
    tiers = (None, RiskTier.BENIGN, RiskTier.PREMALIGNANT, RiskTier.MALIGNANT)
    return tiers.index(meaning.tier)


def _end_day(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _find_follow_up(case: LesionCase, on: date, rules: AuditRules) -> GroundTruth:
    """Return benign if a late visit found the lesion benign, and no visit since `on` acted."""
    days = {entry.id: entry.value.on for entry in case.visits}
    unknown = GroundTruth(exclusion=Exclusion.NOT_FOLLOWED)
    later = [
        entry.value for entry in case.decisions if days.get(entry.value.visit_id, date.min) > on
    ]
    first_day = add_months(on, rules.follow_up_months)
    if any(decision.management.acts for decision in later):
        return unknown
    suspected = {
        entry.value.visit_id for entry in case.first_reads if not _is_benign(entry.value.opinion)
    }
    ends = [
        days[decision.visit_id]
        for decision in later
        if days[decision.visit_id] >= first_day and decision.visit_id not in suspected
    ]
    if not ends:
        return unknown
    return GroundTruth(
        label=RiskTier.BENIGN,
        is_melanoma=False,
        is_skin_cancer=False,
        confirmation=Confirmation.FOLLOW_UP,
        known_on=min(ends),
    )


def _is_benign(opinion: Opinion) -> bool:
    tier = OPINION_TIERS.get(opinion)
    return (tier or find_tier(Diagnosis(opinion))) is RiskTier.BENIGN
