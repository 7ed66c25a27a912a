"""A reading that no record keeps as DICOM files: to download, or to send to the node."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.prevalence import get_prevalence
from dashboard.shared.sending import offer_sending
from melanoma_core.reading.entry import Entry

if TYPE_CHECKING:
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.exchange.dicom.files import DicomFile
    from melanoma_core.exchange.dicom.nodes import Node

_HELP = (
    "The photographs as this page keeps them, their heatmaps and the reading, as DICOM files in a "
    "ZIP file. The patient has no name: the id comes from the photographs. Research, not for "
    "diagnosis."
)


def offer_dicom(entries: Sequence[Entry], opening: str) -> None:
    """Offer the photographs of a lesion as DICOM.

    Args:
        entries: The photographs, all read with one model.
        opening: Unique to the opened report.
    """
    prevalence = get_prevalence()  # the file is made outside of the page's run
    st.download_button(
        "Download DICOM",
        data=lambda: _make_zip(entries, prevalence),
        file_name="reading-dicom.zip",
        mime="application/zip",
        on_click="ignore",
        key=f"reading-dicom-{opening}",
        help=_HELP,
    )
    offer_sending(
        lambda node: _send(entries, prevalence, node), key=f"reading-dicom-send-{opening}"
    )


def _make_files(
    entries: Sequence[Entry], prevalence: "Prevalence | None"
) -> "tuple[DicomFile, ...]":
    from melanoma_core.exchange.dicom.reading import Unkept, take_readings

    photographs = {str(each.key): each.detail or each.photograph for each in entries}
    readings = {str(each.key): each.reading for each in entries}
    lesion = Unkept(files=photographs, prevalence=prevalence)
    return take_readings(entries[0].card, lesion, readings)


def _make_zip(entries: Sequence[Entry], prevalence: "Prevalence | None") -> bytes:
    from melanoma_core.exchange.dicom.files import write_zip

    return write_zip(_make_files(entries, prevalence))


def _send(entries: Sequence[Entry], prevalence: "Prevalence | None", node: "Node") -> int:
    from melanoma_core.exchange.dicom.sending import send

    files = _make_files(entries, prevalence)
    send(node, [each.dataset for each in files])
    return len(files)
