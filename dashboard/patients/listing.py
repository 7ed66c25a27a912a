"""The list of patients: search by pseudonym, pages, one click to a patient, a new patient."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.patients.form import NEW, open_form, show_receipt
from dashboard.patients.markup import render_patient_row
from dashboard.patients.patient_form import show_patient_form
from dashboard.shared.address import follow_address, leave_address, write_address
from dashboard.shared.markup import escape_markdown
from dashboard.shared.paging import choose_page
from dashboard.shared.record import get_today, may_write
from dashboard.shared.row_keys import accept_row_keys
from melanoma_core.records.vocabulary import ReadOrder
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.patient_list import PatientRow
    from melanoma_core.records.store import Record

_SEARCH, _ROWS = "patients-search", "patients-rows"
_PAGE_LENGTH = 50


def show_list(record: "Record") -> None:
    """Show the patients that the search finds, by pseudonym, or the form of a new one."""
    from melanoma_core.records.patient_list import PatientQuery

    show_receipt()
    if st.query_params.get(NEW) == "patient" and may_write(record):
        show_patient_form(record, None)
        return
    text = _ask_text(record)
    count = record.count_patients(text)
    st.html(f'<p role="status">{_describe_count(count, text)}</p>')
    if not count:
        if text:
            st.button("Show all", on_click=_show_all)
        return
    rows = choose_page(count, _PAGE_LENGTH, "patients-page", parameter="page")
    query = PatientQuery(
        on=get_today(),
        text=text,
        limit=_PAGE_LENGTH,
        offset=rows.start,
        read_order=ReadOrder(load_settings().first_read),
    )
    with st.container(gap=None, key=_ROWS):
        for number, row in enumerate(record.list_patients(query)):
            _show_row(number, row)
    accept_row_keys(_ROWS, _SEARCH)


def _ask_text(record: "Record") -> str:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        follow_address("search", _SEARCH, "")
        text = st.text_input(
            "Search", key=_SEARCH, placeholder="Pseudonym", max_chars=80, width=320
        )
        write_address("search", _SEARCH, "")
        if may_write(record):
            st.button("New patient", on_click=open_form, args=(NEW, "patient"))
    return text.strip()


def _show_row(number: int, row: "PatientRow") -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"patient-row-{number}"):
        st.page_link(
            "patients/page.py",
            label=escape_markdown(row.patient.value.pseudonym),
            query_params={"patient": row.patient.id},
            width=200,
        )
        st.html(render_patient_row(row, get_today()))


def _show_all() -> None:
    leave_address("search")
    st.session_state.pop(_SEARCH, None)


def _describe_count(count: int, text: str) -> str:
    if not count:
        return "No pseudonym holds this text." if text else "There is no patient in the record yet."
    return f"{count:,} {'patients' if count > 1 else 'patient'}, by pseudonym."
