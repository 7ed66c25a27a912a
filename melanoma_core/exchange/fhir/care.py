"""What people did and found: decision, removal of tissue, specimen and histology, as resources."""

from collections.abc import Iterator, Set
from typing import Any

from melanoma_core.exchange.fhir import codes
from melanoma_core.exchange.fhir.codes import Code, make_concept
from melanoma_core.exchange.fhir.histology_codes import code_morphology
from melanoma_core.exchange.fhir.naming import (
    Resource,
    identify,
    make_day,
    make_instant,
    make_note,
    make_resource,
    make_uuid,
    name_person,
    narrate,
    refer,
)
from melanoma_core.exchange.fhir.sites import make_site
from melanoma_core.exchange.fhir.subject import make_meta, refer_patient
from melanoma_core.records.case import LesionCase
from melanoma_core.records.diagnoses import title_diagnosis
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Decision, Histology, Specimen
from melanoma_core.records.texts import tidy
from melanoma_core.records.wording import summarise


def list_decisions(case: LesionCase, readings: Set[str]) -> list[Resource]:
    """Return the decisions that persons have signed.

    Args:
        case: The lesion.
        readings: Ids of the AI readings that are written too.
    """
    return [_make_decision(case, entry, readings) for entry in case.decisions]


def list_removals(case: LesionCase) -> list[Resource]:
    """Return each removal of tissue with its specimen."""
    return [
        resource
        for entry in case.specimens
        for resource in (_make_procedure(case, entry), _make_specimen(case, entry))
    ]


def list_histologies(case: LesionCase) -> list[Resource]:
    """Return each histology: what was found, and its report."""
    return [
        resource
        for entry in case.histologies
        for resource in (_make_finding(case, entry), _make_report(case, entry))
    ]


def _make_decision(case: LesionCase, entry: Entry[Decision], readings: Set[str]) -> Resource:
    value, uuid = entry.value, make_uuid(entry.id)
    days = {each.id: each.value.on for each in case.visits}
    known = value.ai_reading_id or ""
    derived = [refer("Observation", make_uuid(known, "melanoma"))] if known in readings else []
    return make_resource(
        "Observation",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Decision: {summarise(value)}"),
        identifier=identify(uuid),
        status=_find_status(entry),
        category=[make_concept(codes.EXAM)],
        code=make_concept(codes.DECISION),
        subject=refer_patient(case),
        effectiveDateTime=make_day(days.get(value.visit_id)),
        issued=make_instant(entry.at),
        performer=[name_person(entry.by)],
        bodySite=make_site(case.lesion.value),
        valueCodeableConcept=make_concept(codes.MANAGEMENTS[value.management]),
        note=make_note(value.reason),
        derivedFrom=derived,
    )


def _find_status(entry: Entry[Any]) -> str:
    return "final" if entry.version == 1 else "corrected"


def _make_procedure(case: LesionCase, entry: Entry[Specimen]) -> Resource:
    value, uuid = entry.value, make_uuid(entry.id, "procedure")
    decisions = {each.id for each in case.decisions}
    why = [refer("Observation", make_uuid(value.decision_id))] if value.decision_id else []
    return make_resource(
        "Procedure",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Tissue was taken: {summarise(value)}."),
        identifier=identify(uuid),
        status="completed",
        code=make_concept(*codes.code_removal(value.method), text=str(value.method)),
        subject=refer_patient(case),
        performedDateTime=make_day(value.taken_on),
        reasonReference=why if value.decision_id in decisions else [],
        bodySite=[make_site(case.lesion.value)],
    )


def _make_specimen(case: LesionCase, entry: Entry[Specimen]) -> Resource:
    value, uuid = entry.value, make_uuid(entry.id)
    return make_resource(
        "Specimen",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Specimen {summarise(value)}."),
        identifier=identify(uuid),
        accessionIdentifier={"value": tidy(value.number)} if tidy(value.number) else None,
        status="available",
        type=make_concept(codes.TISSUE),
        subject=refer_patient(case),
        collection={
            "collectedDateTime": make_day(value.taken_on),
            "method": make_concept(*codes.code_removal(value.method), text=str(value.method)),
            "bodySite": make_site(case.lesion.value),
        },
    )


def _make_finding(case: LesionCase, entry: Entry[Histology]) -> Resource:
    value, uuid = entry.value, make_uuid(entry.id)
    return make_resource(
        "Observation",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Histology: {summarise(value)}."),
        identifier=identify(uuid),
        status=_find_status(entry),
        category=[make_concept(codes.LABORATORY)],
        code=make_concept(codes.HISTOLOGY),
        subject=refer_patient(case),
        effectiveDateTime=_find_day(case, value),
        issued=make_instant(entry.at),
        valueCodeableConcept=_code_diagnosis(value),
        bodySite=make_site(case.lesion.value),
        specimen=_refer_specimen(case, value),
        component=list(_list_measures(value)),
    )


def _code_diagnosis(value: Histology) -> Resource:
    """Return the diagnosis with its morphology, and in the words of the ISIC Archive."""
    title, whole = tidy(title_diagnosis(value.diagnosis)), tidy(value.diagnosis)
    return make_concept(
        *code_morphology(value.diagnosis),
        text=title if title == whole else f"{title} (ISIC Archive: {whole})",
    )


def _find_day(case: LesionCase, value: Histology) -> str | None:
    """Return the day on which the tissue was taken; that of the report if it is not known."""
    days = {each.id: each.value.taken_on for each in case.specimens}
    return make_day(days.get(value.specimen_id, value.reported_on))


def _refer_specimen(case: LesionCase, value: Histology) -> Resource | None:
    is_there = value.specimen_id in {each.id for each in case.specimens}
    return refer("Specimen", make_uuid(value.specimen_id)) if is_there else None


def _list_measures(value: Histology) -> Iterator[Resource]:
    """Yield what else the laboratory found, as components."""
    quantities = (
        (codes.BRESLOW, value.breslow_mm, "mm"),
        (codes.MITOSES, value.mitoses_per_mm2, "/mm2"),
    )
    for code, number, unit in quantities:
        if number is not None:
            quantity = {"value": number, "unit": unit, "system": codes.UCUM, "code": unit}
            yield {"code": make_concept(code), "valueQuantity": quantity}
    answers: tuple[tuple[Code, bool | None], ...] = (
        (codes.ULCERATION, value.ulcerated),
        (codes.IN_SITU, value.in_situ),
    )
    for code, answer in answers:
        if answer is not None:
            yield {"code": make_concept(code), "valueBoolean": answer}
    for code, words in ((codes.MARGINS, value.margins), (codes.PT, value.pt)):
        if words:
            yield {"code": make_concept(code), "valueString": tidy(str(words))}


def _make_report(case: LesionCase, entry: Entry[Histology]) -> Resource:
    value, uuid = entry.value, make_uuid(entry.id, "report")
    specimen = _refer_specimen(case, value)
    return make_resource(
        "DiagnosticReport",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Report of histology, {value.reported_on}: {summarise(value)}."),
        identifier=identify(uuid),
        status=_find_status(entry),
        category=[make_concept(codes.PATHOLOGY)],
        code=make_concept(codes.PATHOLOGY_REPORT),
        subject=refer_patient(case),
        effectiveDateTime=_find_day(case, value),
        issued=make_instant(entry.at),
        specimen=[specimen] if specimen else [],
        result=[refer("Observation", make_uuid(entry.id))],
        conclusion=tidy(value.text, has_paragraphs=True) or tidy(summarise(value)),
        conclusionCode=[_code_diagnosis(value)],
    )
