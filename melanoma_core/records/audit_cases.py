"""The cases of an audit: what the doctor, the network and the decision said, and what was true.

The unit of analysis is a lesion, once: at its first complete loop. That is its first visit with a
decision whose ground truth became known. Its other visits are kept apart, because they are not
independent of it. A lesion whose ground truth is not known stays in the flow, with the reason.

What was written or corrected after the result was known is left out: it is not blind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.ground_truth import (
    AuditRules,
    Exclusion,
    GroundTruth,
    find_ground_truth,
)
from melanoma_core.records.loop import AiReading, Decision, FirstRead
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.taxonomy import SKIN_CANCERS, Confirmation, Diagnosis, Label

_DEFAULT_RULES = AuditRules()
_SEVERAL = "several"


@dataclass(frozen=True, kw_only=True)
class AuditCase:
    """A lesion in an audit.

    Attributes:
        patient_id: Id of the patient; intervals resample patients.
        lesion_id: Id of the lesion.
        visit_id: Id of the visit that counts; "" if there is none.
        visited_on: Day of that visit; None if there is none.
        num_loops: Number of visits with a decision; those after the one that counts are kept apart.
        model_id: Id of the model of the AI reading; "" without one.
        app_version: Version of this software at the AI reading; "" without one.
        skin_type: Fitzpatrick skin type; "" if not stated.
        device: Camera or dermoscope; "" if not stated, "several" if there are more.
        image_kind: What the photographs show, in the same way.
        reader: Who made the first read; "" without one.
        signer: Who signed the decision; "" without one.
        opinion: Leading diagnosis of the first read; None without one, here and below.
        doctor_probability: The reader's probability of melanoma, in [0, 1].
        management: What the reader would do.
        order: Whether the AI reading was shown before.
        seconds: Time that the first read took.
        is_blind: Whether the first read counts as one: the reader had seen no AI reading of the
            lesion, and did not write or correct it after the result was known.
        has_ai: Whether there is an AI reading; if it has no probabilities, it was refused.
        was_trained_on: Whether its model was trained on the patient, so that the reading does not
            count; None if that could not be checked, or without a reading.
        melanoma_probability: Of the network, calibrated, in [0, 1]; None if refused or not read.
        skin_cancer_probability: The same for any skin cancer.
        adapted_probability: Of melanoma at the prevalence in force; None if none was.
        melanoma_alert: Whether it was raised; None if refused or not read.
        skin_cancer_alert: The same for the skin cancer alert; None also without such an alert.
        decision: What was decided, before the result was known; None if nothing was.
        knew_ai: Whether the decision was made with the AI reading.
        excised_on: Day of the first specimen from the visit on; None without one.
        truth: Diagnosis or risk tier; None if it is not known.
        is_melanoma: Whether the lesion is a melanoma; None if it is not known.
        is_skin_cancer: Whether it is malignant; None if it is not known.
        histology: Diagnosis of the report, a value of isic-metadata's `DiagnosisEnum`; "" without
            one.
        breslow_mm: Breslow thickness in millimetres; None if not given.
        confirmation: Histopathology or follow-up; None if the ground truth is not known.
        known_on: Day of the report, or of the visit that ended the follow-up.
        exclusion: Why the ground truth is not known; None if it is.
    """

    patient_id: str
    lesion_id: str
    visit_id: str = ""
    visited_on: date | None = None
    num_loops: int = 1
    model_id: str = ""
    app_version: str = ""
    skin_type: str = ""
    device: str = ""
    image_kind: str = ""
    reader: str = ""
    signer: str = ""
    opinion: Opinion | None = None
    doctor_probability: float | None = None
    management: Management | None = None
    order: ReadOrder | None = None
    seconds: float | None = None
    is_blind: bool = False
    has_ai: bool = False
    was_trained_on: bool | None = None
    melanoma_probability: float | None = None
    skin_cancer_probability: float | None = None
    adapted_probability: float | None = None
    melanoma_alert: bool | None = None
    skin_cancer_alert: bool | None = None
    decision: Management | None = None
    knew_ai: bool = False
    excised_on: date | None = None
    truth: Label | None = None
    is_melanoma: bool | None = None
    is_skin_cancer: bool | None = None
    histology: str = ""
    breslow_mm: float | None = None
    confirmation: Confirmation | None = None
    known_on: date | None = None
    exclusion: Exclusion | None = None

    @property
    def month(self) -> str:
        """Month of the visit, such as "2026-11"; "" without one."""
        return "" if self.visited_on is None else f"{self.visited_on:%Y-%m}"


def make_audit_cases(
    cases: Iterable[LesionCase], rules: AuditRules = _DEFAULT_RULES
) -> tuple[AuditCase, ...]:
    """Return one case per lesion of a record.

    Args:
        cases: The lesions with all their entries.
        rules: When the ground truth counts as known.
    """
    return tuple(_make_case(case, rules) for case in cases)


@dataclass(frozen=True)
class _Loop:
    """A visit with what was said at it, and the ground truth of the lesion at that visit."""

    visit: Entry[Visit]
    truth: GroundTruth
    decision: Entry[Decision] | None


def _make_case(case: LesionCase, rules: AuditRules) -> AuditCase:
    decided = {entry.value.visit_id for entry in case.decisions}
    visits = [visit for visit in case.visits if visit.id in decided]
    missing = Exclusion.DECIDED_LATE if visits else Exclusion.NOT_DECIDED
    loop = _find_loop(case, visits, rules) or _find_undecided(case, missing)
    seen_on = None if loop is None else loop.visit.value.on
    excised = [
        entry.value.taken_on
        for entry in case.specimens
        if seen_on is None or entry.value.taken_on >= seen_on
    ]
    truth = GroundTruth(exclusion=missing) if loop is None else loop.truth
    facts = {} if loop is None else _describe_loop(case, loop)
    return AuditCase(
        patient_id=case.patient.id,
        lesion_id=case.lesion.id,
        num_loops=len(visits),
        skin_type=str(case.patient.value.skin_type or ""),
        excised_on=min(excised, default=None),
        truth=truth.label,
        is_melanoma=truth.is_melanoma,
        is_skin_cancer=truth.is_skin_cancer,
        histology=truth.histology,
        breslow_mm=truth.breslow_mm,
        confirmation=truth.confirmation,
        known_on=truth.known_on,
        exclusion=truth.exclusion,
        **facts,
    )


def _find_loop(case: LesionCase, visits: list[Entry[Visit]], rules: AuditRules) -> _Loop | None:
    """Return the first complete loop; without one, the first visit with a decision."""
    first = None
    for visit in visits:
        truth = find_ground_truth(case, visit.value.on, rules)
        decisions = [
            entry
            for entry in case.decisions
            if entry.value.visit_id == visit.id and _is_before(entry, truth.known_at)
        ]
        if not decisions:
            continue
        loop = _Loop(visit, truth, _find_own(decisions))
        if truth.exclusion is None:
            return loop
        first = first or loop
    return first


def _find_own(decisions: list[Entry[Decision]]) -> Entry[Decision]:
    """Return the last decision before the answer of a referral.

    An answer is written on a later day, or knows no AI reading although its referral did.
    """
    for entry in decisions:
        if entry.value.management in {Management.REFER, Management.REFER_URGENTLY}:
            knew_ai = entry.value.ai_reading_id is not None
            return [
                each
                for each in decisions
                if each.at.date() <= entry.at.date()
                and (each.at <= entry.at or not knew_ai or each.value.ai_reading_id is not None)
            ][-1]
    return decisions[-1]


def _find_undecided(case: LesionCase, missing: Exclusion) -> _Loop | None:
    """Return the first visit at which anything was said or photographed, without a decision."""
    used = {entry.value.visit_id for entry in case.photographs}
    used |= {entry.value.visit_id for entry in case.first_reads}
    used |= {entry.value.visit_id for entry in case.ai_readings}
    truth = GroundTruth(exclusion=missing)
    return next((_Loop(visit, truth, None) for visit in case.visits if visit.id in used), None)


def _is_before(entry: Entry[FirstRead] | Entry[Decision], known_at: datetime | None) -> bool:
    return known_at is None or entry.at <= known_at


def _describe_loop(case: LesionCase, loop: _Loop) -> dict[str, Any]:
    """Return what was said at the visit, as attributes of `AuditCase`."""
    reading = _find_reading(case, loop)
    facts: dict[str, Any] = {"visit_id": loop.visit.id, "visited_on": loop.visit.value.on}
    if loop.decision is not None:
        facts |= {
            "signer": loop.decision.by,
            "decision": loop.decision.value.management,
            "knew_ai": loop.decision.value.ai_reading_id is not None,
        }
    facts |= _describe_first_read(case, loop)
    facts |= _describe_photographs(case, loop, reading)
    return facts if reading is None else facts | _describe_reading(reading)


def _find_reading(case: LesionCase, loop: _Loop) -> AiReading | None:
    """Return the AI reading that the decision was made with, else the last of the visit."""
    known = None if loop.decision is None else loop.decision.value.ai_reading_id
    found = [entry for entry in case.ai_readings if entry.value.visit_id == loop.visit.id]
    chosen = [entry for entry in found if entry.id == known] or found
    return chosen[-1].value if chosen else None


def _describe_first_read(case: LesionCase, loop: _Loop) -> dict[str, Any]:
    """Return the first read that counts, else the first one of the visit."""
    found = [entry for entry in case.first_reads if entry.value.visit_id == loop.visit.id]
    if not found:
        return {}
    seen_on = loop.visit.value.on
    days = {visit.id: visit.value.on for visit in case.visits}
    was_shown = any(days.get(entry.value.visit_id, seen_on) < seen_on for entry in case.ai_readings)
    blind = [
        entry
        for entry in found
        if entry.value.order is not ReadOrder.TOGETHER
        and _is_before(entry, loop.truth.known_at)
        and not was_shown
    ]
    chosen = (blind or found)[0]
    return {
        "reader": chosen.by,
        "opinion": chosen.value.opinion,
        "doctor_probability": chosen.value.melanoma_probability,
        "management": chosen.value.management,
        "order": chosen.value.order,
        "seconds": chosen.value.seconds,
        "is_blind": bool(blind),
    }


def _describe_photographs(
    case: LesionCase, loop: _Loop, reading: AiReading | None
) -> dict[str, str]:
    given = {each.photograph_id for each in reading.photographs} if reading else set()
    photographs = [
        entry.value
        for entry in case.photographs
        if (entry.id in given if given else entry.value.visit_id == loop.visit.id)
    ]
    return {
        "device": _name_all({each.device for each in photographs}),
        "image_kind": _name_all({str(each.kind) for each in photographs}),
    }


def _name_all(names: set[str]) -> str:
    """Return the only name; "" if there is none, "several" if there are more."""
    known = names - {""}
    return _SEVERAL if len(known) > 1 else next(iter(known), "")


def _describe_reading(reading: AiReading) -> dict[str, Any]:
    was_read = reading.was_read
    adapted = dict(zip(reading.class_names, reading.adapted, strict=False))
    probabilities = dict(zip(reading.class_names, reading.probabilities, strict=False))
    cancers = [probabilities[name] for name in SKIN_CANCERS if name in probabilities]
    return {
        "has_ai": True,
        "model_id": reading.model_id,
        "app_version": reading.app_version,
        "melanoma_probability": probabilities.get(Diagnosis.MEL),
        "skin_cancer_probability": sum(cancers) if was_read else None,
        "adapted_probability": adapted.get(Diagnosis.MEL),
        "melanoma_alert": reading.melanoma_alert if was_read else None,
        "skin_cancer_alert": reading.skin_cancer_alert if was_read else None,
    }
