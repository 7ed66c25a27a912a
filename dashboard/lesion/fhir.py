"""The lesion as FHIR: a file to download, or to send to the server that is set."""

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.downloads import Export, offer_export
from dashboard.shared.errors import show_errors
from dashboard.shared.record import get_who
from melanoma_core.access.rights import Right
from melanoma_core.access.subject import get_subject
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.exchange.fhir.subject import FhirRequest

_HELP = (
    "Photographs, readings, decisions, specimens and histology of this lesion as FHIR R4, in one "
    "JSON file. Research, not for diagnosis."
)


def offer_fhir(opened: OpenedLesion) -> None:
    """Offer a lesion as FHIR; the audit log notes it before it leaves."""
    who = get_who()  # the file is made outside of the page's run
    export = Export("lesion-fhir.json", lambda: _make_file(opened), lambda: _log(opened, who))
    offer_export("Download FHIR", export, key="lesion-fhir", help_=_HELP)
    if load_settings().fhir_server and get_subject().may(Right.EXPORT):
        with show_errors():
            _offer_sending(opened, who)


def _offer_sending(opened: OpenedLesion, who: str) -> None:
    from melanoma_core.exchange.fhir.leaving import send_lesion
    from melanoma_core.exchange.fhir.server import find_server

    server = find_server(load_settings())
    if server is None or not st.button(
        "Send FHIR",
        key="lesion-fhir-send",
        help=f"Send this lesion as FHIR to {server.url}. Sending it again makes no second copy: "
        "what has changed since is brought up to date there.",
    ):
        return
    with st.spinner(f"Sending to {server.url}"):
        sent = send_lesion(opened.record, opened.case, _make_request(opened), server, who)
    text = f"Sent to {server.url}: {sent.describe()}."
    st.html(f'<p class="receipt" role="status">✓ {escape(text)}</p>')


def _make_request(opened: OpenedLesion) -> "FhirRequest":
    from melanoma_core.exchange.fhir.leaving import make_request

    return make_request(opened.record, opened.case, load_settings(), datetime.now(UTC))


def _make_file(opened: OpenedLesion) -> bytes:
    from melanoma_core.exchange.fhir.bundle import write_collection

    return write_collection(opened.case, _make_request(opened))


def _log(opened: OpenedLesion, who: str) -> None:
    from melanoma_core.exchange.fhir.leaving import log_file

    log_file(opened.record, opened.id, who)
