"""DICOM files of a lesion of the record, and their way to a node, which the audit log notes."""

from collections.abc import Sequence

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.files import DicomFile, make_files
from melanoma_core.exchange.dicom.nodes import Node
from melanoma_core.exchange.dicom.sending import send
from melanoma_core.exchange.occasion import list_occasions
from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion
from melanoma_core.records.report import find_card
from melanoma_core.records.steps import find_at_visit
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ReadOrder
from melanoma_core.settings import Settings


def make_lesion_files(
    record: Record, case: LesionCase, settings: Settings, *, all_visits: bool = False
) -> tuple[DicomFile, ...]:
    """Return the DICOM files of a lesion of the record.

    Where the doctor reads first and has not yet read, nothing of an AI reading leaves.

    Args:
        record: The record.
        case: The lesion.
        settings: Where the models' cards are, and whether the doctor reads first.
        all_visits: Whether every visit leaves; otherwise the last one with photographs.

    Raises:
        ExchangeError: The lesion has no photograph.
        ImageError: A photograph cannot be decoded.
        RecordDamagedError: A file is missing, or was altered.
    """
    at_visit = find_at_visit(case, ReadOrder(settings.first_read))
    hides_ai = at_visit is not None and at_visit.hides_ai
    card = find_card(settings, case)
    occasions = list_occasions(case, record.images.read, card, hides_ai=hides_ai)
    if not occasions:
        raise ExchangeError(
            f"Lesion {case.lesion.value.label} has no photograph, so that there is nothing to "
            "write as DICOM. Add a photograph first."
        )
    return make_files(occasions if all_visits else occasions[-1:])


def log_files(record: Record, lesion_id: str, by: str) -> None:
    """Write into the audit log that DICOM files of a lesion leave the record.

    Raises:
        RecordReadOnlyError: It cannot be written, so that nothing may leave.
    """
    record.log_export(by=by, kind=Lesion, entry_id=lesion_id, detail="DICOM files")


def send_lesion(
    record: Record, lesion_id: str, files: Sequence[DicomFile], node: Node, by: str
) -> None:
    """Send DICOM files of a lesion to a node; the audit log notes it before the first one leaves.

    Args:
        record: The record.
        lesion_id: Id of the lesion.
        files: What is sent.
        node: Where to.
        by: Who sends it.

    Raises:
        RecordReadOnlyError: The audit log cannot be written, so that nothing was sent.
        ExchangeError: What the node answered.
    """
    record.log_export(
        by=by, kind=Lesion, entry_id=lesion_id, detail=f"{len(files)} DICOM files to {node.name}"
    )
    send(node, [each.dataset for each in files])
