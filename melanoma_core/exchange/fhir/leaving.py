"""A lesion of the record as FHIR, and its way to a server, which the audit log notes first."""

from datetime import datetime
from urllib.parse import urlsplit

from melanoma_core.exchange.fhir.bundle import write_transaction
from melanoma_core.exchange.fhir.sending import Sent, send_transaction
from melanoma_core.exchange.fhir.server import FhirServer
from melanoma_core.exchange.fhir.subject import FhirRequest
from melanoma_core.models.card import ModelCard
from melanoma_core.models.registry import list_models
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.steps import find_at_visit
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ReadOrder
from melanoma_core.settings import Settings
from melanoma_core.software import VERSION


def make_request(
    record: Record,
    case: LesionCase,
    settings: Settings,
    at: datetime,
    *,
    with_photographs: bool = True,
) -> FhirRequest:
    """Return how a lesion of a record is written.

    With the doctor first, nothing of an AI reading leaves before the first read is kept.

    Args:
        record: The record.
        case: The lesion.
        settings: Where the models' cards are, and who reads first.
        at: When it is written.
        with_photographs: Whether the pixels leave too.
    """
    at_visit = find_at_visit(case, ReadOrder(settings.first_read))
    return FhirRequest(
        at=at,
        record_id=record.record_id,
        app_version=VERSION,
        patient_system=settings.fhir_patient_system or "",
        cards=_find_cards(case, settings),
        hides_ai=at_visit is not None and at_visit.hides_ai,
        contents=_read_contents(record, case) if with_photographs else {},
    )


def log_file(record: Record, lesion_id: str, by: str) -> None:
    """Write into the audit log that a FHIR file of a lesion leaves the record.

    Raises:
        RecordReadOnlyError: It cannot be written, so that nothing may leave.
    """
    record.log_export(by=by, kind=Lesion, entry_id=lesion_id, detail="FHIR file")


def send_lesion(
    record: Record, case: LesionCase, request: FhirRequest, server: FhirServer, by: str
) -> Sent:
    """Send a lesion to a server; the audit log notes it before it leaves.

    Args:
        record: The record.
        case: The lesion.
        request: How it is written.
        server: The server.
        by: Who sends it.

    Raises:
        RecordReadOnlyError: The audit log cannot be written.
        ExchangeError: It cannot be written as it is meant, or the server refused.
    """
    content = write_transaction(case, request)
    detail = f"FHIR to {urlsplit(server.url).netloc}"
    record.log_export(by=by, kind=Lesion, entry_id=case.lesion.id, detail=detail)
    return send_transaction(server, content)


def _find_cards(case: LesionCase, settings: Settings) -> dict[str, ModelCard]:
    """Return the cards of the models that read a lesion, as far as they are here."""
    read = {each.value.model_id for each in case.ai_readings}
    cards = (card for _, card in list_models(settings)) if read else ()
    return {card.model_id: card for card in cards if card.model_id in read}


def _read_contents(record: Record, case: LesionCase) -> dict[str, bytes]:
    """Return the files of the photographs; one that is damaged leaves without its pixels."""
    contents = {}
    for entry in case.photographs:
        try:
            contents[entry.id] = record.images.read(entry.value.sha256)
        except RecordDamagedError:
            continue
    return contents
