"""The lesion as DICOM files: to download, or to send to the node that is set."""

from typing import TYPE_CHECKING

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.downloads import Export, offer_export
from dashboard.shared.record import get_who
from dashboard.shared.sending import offer_sending
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.exchange.dicom.files import DicomFile
    from melanoma_core.exchange.dicom.nodes import Node

_HELP = (
    "The photographs, the heatmaps and the reading of the last visit, as DICOM files in a ZIP "
    "file. Research, not for diagnosis."
)


def offer_dicom(opened: OpenedLesion) -> None:
    """Offer the last visit of a lesion as DICOM; the audit log notes it before it leaves."""
    if not opened.case.photographs:
        return
    who = get_who()  # the file is made outside of the page's run
    export = Export("lesion-dicom.zip", lambda: _make_zip(opened), lambda: _log(opened, who))
    offer_export("Download DICOM", export, key="lesion-dicom", help_=_HELP)
    offer_sending(lambda node: _send(opened, node, who), key="lesion-dicom-send")


def _make_files(opened: OpenedLesion) -> "tuple[DicomFile, ...]":
    from melanoma_core.exchange.dicom.leaving import make_lesion_files

    return make_lesion_files(opened.record, opened.case, load_settings())


def _make_zip(opened: OpenedLesion) -> bytes:
    from melanoma_core.exchange.dicom.files import write_zip

    return write_zip(_make_files(opened))


def _log(opened: OpenedLesion, who: str) -> None:
    from melanoma_core.exchange.dicom.leaving import log_files

    log_files(opened.record, opened.id, who)


def _send(opened: OpenedLesion, node: "Node", who: str) -> int:
    from melanoma_core.exchange.dicom.leaving import send_lesion

    files = _make_files(opened)
    send_lesion(opened.record, opened.id, files, node, who)
    return len(files)
