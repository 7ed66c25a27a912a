"""A lesion as a Bundle: a collection for a file, a transaction for a server.

Built and read with fhir.resources, whose sub-package R4B is the nearest to R4. What differs between
R4 and R4B is in none of the resources here; tests check each against HL7's definitions of 4.0.1.
A collection, and no document: a document is attested by a person, and a reading is not.
"""

import json
from collections.abc import Iterator, Sequence

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.fhir.care import list_decisions, list_histologies, list_removals
from melanoma_core.exchange.fhir.codes import make_code_system
from melanoma_core.exchange.fhir.naming import (
    ENTRIES,
    Resource,
    make_instant,
    make_token,
    make_uuid,
)
from melanoma_core.exchange.fhir.reading import list_reading
from melanoma_core.exchange.fhir.statuses import find_wrong_codes
from melanoma_core.exchange.fhir.subject import (
    FhirRequest,
    list_photographs,
    make_device,
    make_patient,
)
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading

TAG = "urn:uuid:0d5a1b0f-93b9-43b4-8a55-9c0d5b8a6a3e"
"""System of the tag by which a Provenance, which has no identifier, is found again on a server."""

# What belongs to the server once it is there: it may know more of a patient.
_KEPT_AS_THEY_ARE = {"Patient", "Device"}


def list_resources(case: LesionCase, request: FhirRequest) -> tuple[Resource, ...]:
    """Return a lesion as resources, each after those that it refers to.

    Args:
        case: The lesion.
        request: How it is written.
    """
    return tuple(_list_resources(case, request))


def _list_resources(case: LesionCase, request: FhirRequest) -> Iterator[Resource]:
    yield make_patient(case, request)
    yield from list_photographs(case, request)
    readings = () if request.hides_ai else _list_standing(case)
    makers = {(each.value.model_id, each.value.app_version) for each in readings}
    for model_id, version in sorted(makers):
        yield make_device(model_id, version, request.cards.get(model_id))
    for entry in readings:
        yield from list_reading(case, entry, request)
    yield from list_decisions(case, {each.id for each in readings})
    yield from list_removals(case)
    yield from list_histologies(case)


def _list_standing(case: LesionCase) -> tuple[Entry[AiReading], ...]:
    """Return the AI readings of photographs that all still stand."""
    standing = {each.id for each in case.photographs}
    return tuple(
        each
        for each in case.ai_readings
        if standing.issuperset(part.photograph_id for part in each.value.photographs)
    )


def write_collection(case: LesionCase, request: FhirRequest) -> bytes:
    """Return a lesion as a file: a Bundle of type collection, in JSON (UTF-8).

    It ends with the local code system, so that a reader knows what each local code means.

    Args:
        case: The lesion.
        request: How it is written.

    Raises:
        ExchangeError: The library would write something else than what is meant.
    """
    resources = (*list_resources(case, request), make_code_system())
    return _write(
        {
            "resourceType": "Bundle",
            "identifier": {"system": ENTRIES, "value": make_uuid(case.lesion.id)},
            "type": "collection",
            "timestamp": make_instant(request.at),
            "entry": [_make_entry(each, each) for each in resources],
        }
    )


def write_transaction(case: LesionCase, request: FhirRequest) -> bytes:
    """Return a lesion as a transaction, in JSON (UTF-8), which makes no second copy when repeated.

    A patient or device that the server has stays as it is (conditional create). All else is
    created, or brought up to date if it was sent before (conditional update): a reading that was
    preliminary is final once a person has signed a decision.

    Args:
        case: The lesion.
        request: How it is written.

    Raises:
        ExchangeError: The library would write something else than what is meant.
    """
    system = request.find_patient_system() if request.patient_system else ""
    return _write(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                _make_entry(each, _prepare(each)) | {"request": _make_request(each, system)}
                for each in list_resources(case, request)
            ],
        }
    )


def _make_entry(resource: Resource, written: Resource) -> Resource:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": written}


def _prepare(resource: Resource) -> Resource:
    """Return a resource for a server, which gives it an id of its own."""
    rest = {name: each for name, each in resource.items() if name != "id"}
    if "identifier" in resource:
        return rest
    tag = {"system": TAG, "code": resource["id"]}
    return rest | {"meta": resource.get("meta", {}) | {"tag": [tag]}}


def _make_request(resource: Resource, patient_system: str) -> dict[str, str]:
    """Return what the server is to do with a resource.

    Args:
        resource: The resource.
        patient_system: System of the pseudonyms by which the server knows its patients; "" for
            none.
    """
    kind, query = resource["resourceType"], _make_query(resource, patient_system)
    if kind in _KEPT_AS_THEY_ARE:
        return {"method": "POST", "url": kind, "ifNoneExist": query}
    return {"method": "PUT", "url": f"{kind}?{query}"}


def _make_query(resource: Resource, patient_system: str) -> str:
    if "identifier" not in resource:
        return f"_tag={make_token(TAG, resource['id'])}"
    of_server = resource["resourceType"] == "Patient" and patient_system
    identifier = resource["identifier"][-1 if of_server else 0]
    return f"identifier={make_token(identifier['system'], identifier['value'])}"


def _write(bundle: Resource) -> bytes:
    """Return a bundle as the library writes it, and compare that with what was meant."""
    from fhir.resources.R4B.bundle import Bundle

    _check(find_wrong_codes(bundle))
    text = str(Bundle.model_validate(bundle).model_dump_json())
    _check(_find_differences(bundle, json.loads(text)))
    return text.encode("utf-8")


def read_bundle(content: bytes) -> Resource:
    """Return a Bundle as JSON has it, after the library has checked it.

    Args:
        content: JSON in UTF-8.

    Raises:
        ExchangeError: It is no FHIR Bundle.
    """
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        bundle: Resource = json.loads(Bundle.model_validate_json(content).model_dump_json())
    except ValidationError as error:
        raise ExchangeError(
            f"This is no FHIR Bundle: {error.errors()[0]['msg']}. Give one of FHIR R4 in JSON."
        ) from error
    _check(find_wrong_codes(bundle))
    return bundle


def _check(problems: Sequence[str]) -> None:
    if problems:
        raise ExchangeError(
            f"FHIR would not be written as it is meant: {'; '.join(problems[:3])}. Nothing left. "
            "Please report this."
        )


def _find_differences(meant: object, written: object, path: str = "Bundle") -> list[str]:
    """Return where what the library has written is not what was meant."""
    if isinstance(meant, dict) and isinstance(written, dict):
        names = meant.keys() | written.keys()
        return [
            each
            for name in sorted(names)
            for each in _find_differences(meant.get(name), written.get(name), f"{path}.{name}")
        ]
    if isinstance(meant, list) and isinstance(written, list) and len(meant) == len(written):
        pairs = enumerate(zip(meant, written, strict=True))
        return [
            each
            for place, (one, other) in pairs
            for each in _find_differences(one, other, f"{path}[{place}]")
        ]
    return (
        [] if meant == written and isinstance(meant, bool) == isinstance(written, bool) else [path]
    )
