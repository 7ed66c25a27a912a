"""Codes that FHIR R4 binds to a fixed set, for the elements that are written here.

fhir.resources takes any text for them. The sets are those of HL7's definitions of 4.0.1, with which
a test compares them.
"""

from collections.abc import Iterator

BOUND: dict[str, frozenset[str]] = {
    "Bundle.type": frozenset(
        {
            *("document", "message", "transaction", "transaction-response", "batch"),
            *("batch-response", "history", "searchset", "collection"),
        }
    ),
    "Bundle.entry.request.method": frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}),
    "CodeSystem.status": frozenset({"draft", "active", "retired", "unknown"}),
    "CodeSystem.content": frozenset(
        {"not-present", "example", "fragment", "complete", "supplement"}
    ),
    "Device.status": frozenset({"active", "inactive", "entered-in-error", "unknown"}),
    "Device.deviceName.type": frozenset(
        {
            *("udi-label-name", "user-friendly-name", "patient-reported-name"),
            *("manufacturer-name", "model-name", "other"),
        }
    ),
    "DiagnosticReport.status": frozenset(
        {
            *("registered", "partial", "preliminary", "final", "amended", "corrected"),
            *("appended", "cancelled", "entered-in-error", "unknown"),
        }
    ),
    "Media.status": frozenset(
        {
            *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed"),
            *("entered-in-error", "unknown"),
        }
    ),
    "Observation.status": frozenset(
        {
            *("registered", "preliminary", "final", "amended", "corrected", "cancelled"),
            *("entered-in-error", "unknown"),
        }
    ),
    "Patient.identifier.use": frozenset({"usual", "official", "temp", "secondary", "old"}),
    "Procedure.status": frozenset(
        {
            *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed"),
            *("entered-in-error", "unknown"),
        }
    ),
    "Provenance.entity.role": frozenset(
        {"derivation", "revision", "quotation", "source", "removal"}
    ),
    "Specimen.status": frozenset(
        {"available", "unavailable", "unsatisfactory", "entered-in-error"}
    ),
    "text.status": frozenset({"generated", "extensions", "additional", "empty"}),
}


def find_wrong_codes(resource: object) -> list[str]:
    """Return the elements of a resource, or of a Bundle of them, whose code is not in its set.

    Args:
        resource: As JSON has it.

    >>> find_wrong_codes({"resourceType": "Observation", "status": "nonsense"})
    ['Observation.status is "nonsense"']
    """
    return list(_walk(resource, ""))


def _walk(value: object, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _walk(each, path)
    elif isinstance(value, dict):
        here = str(value.get("resourceType", path))
        for name, each in value.items():
            yield from _walk(each, f"{here}.{name}")
    elif isinstance(value, str):
        allowed = BOUND.get(path) or BOUND.get(".".join(path.split(".")[-2:]))
        if allowed is not None and value not in allowed:
            yield f'{path} is "{value}"'
