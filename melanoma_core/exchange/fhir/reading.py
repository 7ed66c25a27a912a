"""An AI reading as resources: both probabilities with their alerts, the diagnoses, the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from melanoma_core.exchange.facts import NOTICE, SOFTWARE
from melanoma_core.exchange.fhir import codes
from melanoma_core.exchange.fhir.codes import Code, make_concept
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
from melanoma_core.exchange.fhir.subject import (
    FhirRequest,
    identify_device,
    make_meta,
    refer_patient,
)
from melanoma_core.models.card import OperatingPoint
from melanoma_core.models.origins import PointOrigin, find_origin
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entry import Entry
from melanoma_core.records.kept_readings import find_skin_cancer_probability, list_probabilities
from melanoma_core.records.loop import AiReading, Decision, PhotographReading
from melanoma_core.records.texts import tidy
from melanoma_core.software import DISCLAIMER
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis

_NOT_READ = "No photograph was read."
_READ_ANYWAY = "Out of distribution, and read because a person asked for it."
_NOT_CONFIRMED = "No person has confirmed this reading."
_DECIDED = "A person has signed a decision that knew this reading; it does not confirm the reading."
_UNKNOWN_ORIGIN = "The model's card is not here, so that the origin of the threshold is not known."


@dataclass(frozen=True)
class _Kept:
    """A reading with what its resources need.

    Attributes:
        case: The lesion.
        entry: The reading.
        request: How it is written.
        decision: The last signed decision that knew it; None if there is none.
    """

    case: LesionCase
    entry: Entry[AiReading]
    request: FhirRequest
    decision: Entry[Decision] | None

    @property
    def value(self) -> AiReading:
        return self.entry.value

    @property
    def status(self) -> str:
        """Preliminary until a person has signed a decision that knew it."""
        return "preliminary" if self.decision is None else "final"

    @property
    def day(self) -> date | None:
        days = (each.value.on for each in self.case.visits if each.id == self.value.visit_id)
        return next(days, None)

    def find_origin(self, name: str, threshold: float | None) -> PointOrigin | None:
        """Return where a kept threshold comes from; None where no card here has it."""
        card = self.request.cards.get(self.value.model_id)
        if card is None:
            return None
        points: dict[str, OperatingPoint | None] = {
            "melanoma": card.operating_point,
            "skin-cancer": card.skin_cancer_operating_point,
        }
        point = points[name]
        return None if point is None or point.threshold != threshold else find_origin(card, point)


def list_reading(case: LesionCase, entry: Entry[AiReading], request: FhirRequest) -> list[Resource]:
    """Return an AI reading as resources, the report last.

    Args:
        case: The lesion.
        entry: The reading.
        request: How it is written.
    """
    decisions = [each for each in case.decisions if each.value.ai_reading_id == entry.id]
    reading = _Kept(case, entry, request, decisions[-1] if decisions else None)
    observations = list(_list_observations(reading))
    return [*observations, _make_report(reading, observations), _make_provenance(reading)]


def _list_observations(reading: _Kept) -> Iterator[Resource]:
    value = reading.value
    yield _make_probability(
        reading,
        "melanoma",
        codes.MELANOMA,
        (value.find_probability(Diagnosis.MEL), value.melanoma_threshold, value.melanoma_alert),
    )
    yield _make_probability(
        reading,
        "skin-cancer",
        codes.SKIN_CANCER,
        (
            find_skin_cancer_probability(value),
            value.skin_cancer_threshold,
            value.skin_cancer_alert,
        ),
    )
    yield from _list_diagnoses(reading)
    standing = {each.id for each in reading.case.photographs}
    for part in value.photographs:
        if part.photograph_id in standing:
            yield _make_photograph_reading(reading, part)


def _observe(reading: _Kept, part: str, code: Code, **elements: Any) -> Resource:
    """Return an observation of a reading with what all of them have."""
    uuid = make_uuid(reading.entry.id, part)
    return make_resource(
        "Observation",
        uuid,
        meta=make_meta(reading.case),
        identifier=identify(uuid),
        status=reading.status,
        category=[make_concept(codes.IMAGING_OBSERVATION)],
        code=make_concept(code),
        subject=refer_patient(reading.case),
        effectiveDateTime=make_day(reading.day),
        issued=make_instant(reading.entry.at),
        bodySite=make_site(reading.case.lesion.value),
        device=refer("Device", identify_device(reading.value.model_id, reading.value.app_version)),
        **elements,
    )


def _make_probability(
    reading: _Kept, name: str, code: Code, found: tuple[float | None, float | None, bool | None]
) -> Resource:
    """Return a probability with its alert, the threshold and where that comes from.

    Args:
        reading: The reading.
        name: "melanoma" or "skin-cancer".
        code: What the probability is of.
        found: The probability, the threshold, and whether the alert was raised.
    """
    probability, threshold, alert = found
    origin = reading.find_origin(name, threshold)
    words = origin.describe() if origin else _UNKNOWN_ORIGIN
    limit = [] if threshold is None else [_make_range(threshold, words)]
    return _observe(
        reading,
        name,
        code,
        text=narrate(f"{code.display}: {_say(probability)}. {_say_alert(threshold, alert)}", words)
        if threshold is not None
        else narrate(f"{code.display}: {_say(probability)}. The model has no such alert."),
        valueQuantity=_measure(probability),
        dataAbsentReason=_explain_absence(probability, _list_refusals(reading.value)),
        interpretation=_interpret(probability, alert),
        referenceRange=limit,
        component=[
            *_list_alert_parts(probability, threshold, alert, origin),
            *_list_adapted(reading.value, name),
        ],
        derivedFrom=_refer_photographs(reading),
    )


def _make_range(threshold: float, words: str) -> Resource:
    return {
        "high": _measure(threshold),
        "text": f"The alert is raised from {threshold:g} on: {words}",
    }


def _measure(number: float | None) -> Resource | None:
    """Return a number without a unit; None for nothing."""
    if number is None:
        return None
    return {"value": float(number), "unit": "1", "system": codes.UCUM, "code": "1"}


def _say(probability: float | None) -> str:
    return "not read" if probability is None else f"{probability:.4g}"


def _say_alert(threshold: float, alert: bool | None) -> str:
    return f"{'Alert' if alert else 'No alert'}, threshold {threshold:.4g}."


def _interpret(probability: float | None, alert: bool | None) -> list[Resource]:
    if probability is None or alert is None:
        return []
    return [make_concept(codes.RAISED if alert else codes.NOT_RAISED)]


def _explain_absence(value: object, reason: str) -> Resource | None:
    """Return why a value is absent; None if it is there."""
    return None if value is not None else make_concept(codes.NOT_PERFORMED, text=tidy(reason))


def _list_refusals(value: AiReading) -> str:
    reasons = dict.fromkeys(tidy(each.refusal) for each in value.photographs if each.refusal)
    return " ".join((_NOT_READ, *reasons))


def _list_alert_parts(
    probability: float | None,
    threshold: float | None,
    alert: bool | None,
    origin: PointOrigin | None,
) -> Iterator[Resource]:
    """Yield whether the alert was raised, its threshold, and where that comes from."""
    if probability is not None and alert is not None:
        yield {"code": make_concept(codes.ALERT), "valueBoolean": alert}
    if threshold is not None:
        yield {"code": make_concept(codes.THRESHOLD), "valueQuantity": _measure(threshold)}
    if origin is not None:
        target = _measure(origin.target_sensitivity)
        yield {"code": make_concept(codes.TARGET), "valueQuantity": target}
        yield {"code": make_concept(codes.CHOSEN_ON), "valueString": origin.describe()}


def _list_adapted(value: AiReading, name: str) -> Iterator[Resource]:
    """Yield the probability at the prevalence that was set, and that prevalence."""
    if not value.adapted or value.prevalence is None:
        return
    members = {Diagnosis.MEL} if name == "melanoma" else set(SKIN_CANCERS)
    named = zip(value.class_names, value.adapted, strict=True)
    adapted = sum(share for each, share in named if each in members)
    share = value.prevalence[0 if name == "melanoma" else 1]
    yield {"code": make_concept(codes.ADAPTED), "valueQuantity": _measure(adapted)}
    yield {"code": make_concept(codes.PREVALENCE), "valueQuantity": _measure(share)}


def _refer_photographs(reading: _Kept) -> list[Resource]:
    standing = {each.id for each in reading.case.photographs}
    ids = (each.photograph_id for each in reading.value.photographs)
    return [refer("Media", make_uuid(each)) for each in ids if each in standing]


def _list_diagnoses(reading: _Kept) -> Iterator[Resource]:
    """Yield the leading diagnosis with the probability of each, and its risk tier."""
    value = reading.value
    found = list_probabilities(value.class_names, value.probabilities) if value.was_read else []
    ranked = list_probabilities(value.class_names, value.adapted) if value.adapted else found
    top = ranked[0][0] if ranked else None
    absent = _explain_absence(top, _list_refusals(value))
    yield _observe(
        reading,
        "diagnoses",
        codes.LEADING,
        text=narrate(f"Leading diagnosis of the network: {top.title if top else 'not read'}."),
        valueCodeableConcept=_code_diagnosis(top),
        dataAbsentReason=absent,
        component=[
            {"code": _code_diagnosis(diagnosis), "valueQuantity": _measure(share)}
            for diagnosis, share in found
        ],
    )
    yield _observe(
        reading,
        "tier",
        codes.TIER,
        text=narrate(f"Risk tier: {top.tier if top else 'not read'}."),
        valueCodeableConcept=make_concept(codes.TIERS[top.tier]) if top else None,
        dataAbsentReason=absent,
    )


def _code_diagnosis(diagnosis: Diagnosis | None) -> Resource | None:
    if diagnosis is None:
        return None
    return make_concept(*codes.code_diagnosis(diagnosis), text=diagnosis.title)


def _make_photograph_reading(reading: _Kept, part: PhotographReading) -> Resource:
    """Return what the network said of one photograph, or why it did not read it."""
    names = reading.value.class_names
    known = dict(zip(names, part.probabilities, strict=False))
    melanoma = known.get(str(Diagnosis.MEL))
    notes = [*part.findings, _READ_ANYWAY if part.read_anyway else ""]
    return _observe(
        reading,
        f"photograph {part.photograph_id}",
        codes.PHOTOGRAPH_READING,
        text=narrate(f"Probability of melanoma in one photograph: {_say(melanoma)}.", part.refusal),
        valueQuantity=_measure(melanoma),
        dataAbsentReason=_explain_absence(melanoma, part.refusal or _NOT_READ),
        note=make_note("\n".join(filter(None, notes))),
        component=[
            {"code": _code_diagnosis(Diagnosis(name)), "valueQuantity": _measure(share)}
            for name, share in known.items()
        ],
        derivedFrom=[refer("Media", make_uuid(part.photograph_id))],
    )


def _make_report(reading: _Kept, observations: list[Resource]) -> Resource:
    """Return the report of a reading, which says that it is research."""
    value, uuid = reading.value, make_uuid(reading.entry.id, "report")
    sentences = _list_sentences(reading)
    return make_resource(
        "DiagnosticReport",
        uuid,
        meta=make_meta(reading.case),
        text=narrate(*sentences),
        identifier=identify(uuid),
        status=reading.status,
        category=[make_concept(codes.IMAGING)],
        code=make_concept(codes.AI_READING),
        subject=refer_patient(reading.case),
        effectiveDateTime=make_day(reading.day),
        issued=make_instant(reading.entry.at),
        resultsInterpreter=[name_person(reading.decision.by)] if reading.decision else [],
        result=[refer("Observation", each["id"]) for each in observations],
        media=[{"link": each} for each in _refer_photographs(reading)],
        conclusion="\n".join(sentences),
        conclusionCode=_code_conclusion(value),
    )


def _code_conclusion(value: AiReading) -> list[Resource]:
    """Return whether any alert was raised; nothing if nothing was read."""
    if not value.was_read:
        return []
    is_raised = value.melanoma_alert or bool(value.skin_cancer_alert)
    text = "an alert was raised" if is_raised else "no alert was raised"
    return [make_concept(codes.RAISED if is_raised else codes.NOT_RAISED, text=text)]


def _list_sentences(reading: _Kept) -> list[str]:
    value = reading.value
    points = ("melanoma", value.melanoma_threshold), ("skin-cancer", value.skin_cancer_threshold)
    limits = [
        _say_point(reading, name, threshold) for name, threshold in points if threshold is not None
    ]
    sentences = [
        value.statement or _list_refusals(value),
        _DECIDED if reading.decision else _NOT_CONFIRMED,
        f"Read with model {value.model_id} by {SOFTWARE} {value.app_version}.",
        *limits,
        f"{NOTICE}. {DISCLAIMER}",
    ]
    return [words for each in sentences if (words := tidy(each))]


def _say_point(reading: _Kept, name: str, threshold: float) -> str:
    origin = reading.find_origin(name, threshold)
    words = f"{origin.describe()}." if origin else f"of unknown origin. {_UNKNOWN_ORIGIN}"
    return f"Operating point of the {name.replace('-', ' ')} alert: {threshold:.4g}, {words}"


def _make_provenance(reading: _Kept) -> Resource:
    """Return what made the reading, the model, and what wrote the file, this software."""
    value, uuid = reading.value, make_uuid(reading.entry.id, "provenance")
    device = refer("Device", identify_device(value.model_id, value.app_version))
    agents = [
        {"type": make_concept(codes.AUTHOR), "who": device},
        {
            "type": make_concept(codes.ASSEMBLER),
            "who": {"display": f"{SOFTWARE} {reading.request.app_version}"},
        },
    ]
    return make_resource(
        "Provenance",
        uuid,
        meta=make_meta(reading.case),
        text=narrate(f"Made by the model {value.model_id}."),
        target=[refer("DiagnosticReport", make_uuid(reading.entry.id, "report"))],
        recorded=make_instant(reading.entry.at),
        agent=agents,
        entity=[{"role": "source", "what": each} for each in _refer_photographs(reading)],
    )
