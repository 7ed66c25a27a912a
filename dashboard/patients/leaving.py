"""What leaves the record with one patient: an export of everything, or its erasure."""

import io
from datetime import datetime
from html import escape

import streamlit as st

from dashboard.patients.opened import OpenedPatient, close_patient
from dashboard.shared.access import may_or_say
from dashboard.shared.clock import find_zone
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.record import get_who
from melanoma_core.access.rights import Right
from melanoma_core.settings import load_settings

_ERROR, _EXPORT, _ERASED = "leaving-error", "leaving-export", "leaving-erased"


def show_leaving(opened: OpenedPatient) -> None:
    """Offer to export the patient, and to erase the patient."""
    show_stored_error(_ERROR)
    if opened.record.is_read_only:
        st.html("<p>This record cannot be written: nothing can be exported or erased.</p>")
        return
    _show_export(opened)
    _show_erasing(opened)


def show_erased() -> None:
    """Show once what was erased; on the list of patients."""
    text = st.session_state.pop(_ERASED, "")
    if text:
        st.html(f'<p class="receipt" role="status">✓ {escape(text)}</p>')


def _show_export(opened: OpenedPatient) -> None:
    from melanoma_core.records.export import name_export

    st.html(
        "<h2>Export</h2><p>A ZIP file with everything of this patient: a page to read, a PDF of "
        "each lesion, tables, all versions, the audit log and the photographs. The audit log notes "
        "that it left.</p>"
    )
    if not may_or_say(Right.EXPORT):
        return
    made: tuple[str, bytes] = st.session_state.get(_EXPORT, ("", b""))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Prepare the export", key="prepare-export", on_click=_prepare_export, args=(opened,)
        )
        if made[0] == opened.id:
            st.download_button(
                "Download ZIP",
                data=made[1],
                file_name=f"{name_export(opened.entry.value)}.zip",
                mime="application/zip",
                on_click=_forget_export,
                key="download-export",
                type="primary",
            )


def _show_erasing(opened: OpenedPatient) -> None:
    st.html(
        "<h2>Erase</h2><p>Everything of this patient goes for ever: all entries with all versions, "
        "photographs and heatmaps, and what was derived of them. The audit log keeps only that it "
        "went. Backups and copies that left the record are not reached.</p>"
    )
    if not may_or_say(Right.ERASE):
        return
    pseudonym = opened.entry.value.pseudonym
    typed = st.text_input(
        "To erase, type the patient's pseudonym", key=f"erase-{opened.id}", width=420
    )
    st.button(
        "Erase this patient",
        key="erase-patient",
        disabled=typed.strip() != pseudonym,
        on_click=_erase,
        args=(opened,),
    )


def _prepare_export(opened: OpenedPatient) -> None:
    from melanoma_core.records.export import export_patient
    from melanoma_core.records.report import ReportRequest

    with store_errors(_ERROR):
        file = io.BytesIO()
        request = ReportRequest(by=get_who(), at=datetime.now(find_zone()).astimezone(find_zone()))
        export_patient(opened.record, opened.id, file, request, load_settings())
        st.session_state[_EXPORT] = opened.id, file.getvalue()


def _forget_export() -> None:
    st.session_state.pop(_EXPORT, None)


def _erase(opened: OpenedPatient) -> None:
    from melanoma_core.records.patient_erasing import erase_patient

    with store_errors(_ERROR):
        erased = erase_patient(opened.record, opened.id, get_who())
        st.session_state[_ERASED] = erased.describe()
        _forget_export()
        st.cache_data.clear()  # pictures and reports of the patient, of all sessions
        close_patient()
