"""Lesions for the tests of FHIR, made in memory."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from melanoma_core.exchange.fhir.naming import Resource
from melanoma_core.exchange.fhir.subject import FhirRequest
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion
from melanoma_core.records.loop import Decision
from melanoma_core.records.vocabulary import Management, Margins
from tests.core.records.made_cases import INVASIVE, CaseMaker, make_histology

LESION = Lesion(patient_id="p", label="1", site="Trunk:Posterior trunk:Upper back")
REQUEST = FhirRequest(
    at=datetime(2026, 11, 27, 23, 5, tzinfo=UTC), record_id="0" * 32, app_version="9.9"
)


def make_read_lesion(melanoma: float = 0.3) -> CaseMaker:
    return CaseMaker(LESION).visit("v").read("v").read_by_ai("v", melanoma=melanoma)


def sign(maker: CaseMaker) -> CaseMaker:
    decision = Decision(
        lesion_id="l",
        visit_id="v",
        management=Management.EXCISION,
        reason="It has grown.",
        ai_reading_id="reading of v",
    )
    return maker.add("decisions", "decision", decision)


def make_whole_lesion() -> LesionCase:
    maker = sign(make_read_lesion()).take(decision_id="decision")
    facts = {"breslow_mm": 0.8, "ulcerated": False, "mitoses_per_mm2": 2, "pt": "pT1b"}
    report = make_histology(INVASIVE, margins=Margins.CLEAR, in_situ=False, **facts)
    return maker.add("histologies", "histology", report).make()


def make_refused_lesion() -> LesionCase:
    """Return a lesion of which no photograph was read."""
    maker = make_read_lesion()
    case = maker.make()
    value = case.ai_readings[0].value
    photograph = replace(value.photographs[0], probabilities=(), refusal="It is blurred.")
    refused = replace(
        value,
        probabilities=(),
        melanoma_alert=False,
        skin_cancer_alert=None,
        photographs=(photograph,),
    )
    return maker.correct("ai_readings", "reading of v", refused).make()


def find(resources: Any, kind: str, code: str = "") -> Resource:
    """Return the one resource of a type whose code is given."""
    found = [
        each
        for each in resources
        if each["resourceType"] == kind
        and (not code or code in {one["code"] for one in each["code"]["coding"]})
    ]
    assert len(found) == 1, [each.get("code") for each in found]
    return found[0]
