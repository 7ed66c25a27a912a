"""One patient: who it is, then the lesions, the mosaic, the visits, or all versions."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.patients.form import EDIT, NEW, open_form, show_receipt
from dashboard.patients.leaving import show_leaving
from dashboard.patients.lesion_form import show_lesion_form
from dashboard.patients.lesions import show_lesions
from dashboard.patients.mosaic import show_mosaic
from dashboard.patients.opened import LESION, PATIENT, OpenedPatient, close_patient, load_patient
from dashboard.patients.patient_form import show_patient_form
from dashboard.patients.versions import show_versions
from dashboard.patients.visits import show_overview_form, show_visit_form, show_visits
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.markup import render_error
from dashboard.shared.record import get_today

if TYPE_CHECKING:
    from melanoma_core.records.store import Record

_VIEWS = {
    "lesions": "Body map",
    "mosaic": "Mosaic",
    "visits": "Visits",
    "record": "Versions, export, erase",
}
_VIEW, _KEY = "view", "patient-view"


def show_patient(record: "Record", patient_id: str) -> None:
    """Show a patient of the record.

    Raises:
        UnknownEntryError: There is no such patient.
    """
    opened = load_patient(record, patient_id)
    _show_head(opened)
    show_receipt()
    if opened.can_write and _show_form(opened):
        return
    follow_address(_VIEW, _KEY, "lesions", _VIEWS)
    st.segmented_control(
        "View",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        key=_KEY,
        required=True,
        label_visibility="collapsed",
    )
    write_address(_VIEW, _KEY, "lesions")
    match st.session_state[_KEY]:
        case "mosaic":
            show_mosaic(opened)
        case "visits":
            show_visits(opened)
        case "record":
            show_leaving(opened)
            show_versions(opened)
        case _:
            show_lesions(opened)


def _show_head(opened: OpenedPatient) -> None:
    from melanoma_core.records.wording import describe_person

    patient = opened.entry.value
    facts = " · ".join(describe_person(patient, get_today())) or "No further facts."
    with st.container(horizontal=True, vertical_alignment="center", key="patient-head"):
        st.button("← All patients", type="tertiary", on_click=close_patient)
        st.html(f"<h2>Patient {escape(patient.pseudonym)}</h2>", width="content")
        st.html(f'<p class="fact">{escape(facts)}</p>', width="content")
        if opened.can_write:
            st.button("Correct", key="correct-patient", on_click=open_form, args=(EDIT, opened.id))
    if opened.entry.withdrawn:
        reason = f"{opened.entry.by} withdrew this patient: {opened.entry.withdrawn}"
        st.html(render_error(reason))


def _show_form(opened: OpenedPatient) -> bool:
    """Show the form that the address opens; return whether there is one."""
    from melanoma_core.records.entities import Visit

    new, edit = st.query_params.get(NEW), st.query_params.get(EDIT)
    lesion_id = edit
    if PATIENT in st.query_params:  # as the Lesion page links its lesion
        lesion_id = st.query_params.get(LESION) or edit
    lesions = {each.lesion.id: each.lesion for each in opened.summaries}
    if edit == opened.id:
        show_patient_form(opened.record, opened.entry)
    elif new == "lesion" or lesion_id in lesions:
        show_lesion_form(opened, None if new == "lesion" else lesions[str(lesion_id)])
    elif new == "overview":
        show_overview_form(opened)
    elif new == "visit":
        show_visit_form(opened, None)
    elif edit and (visits := opened.record.find(Visit, id=edit, patient_id=opened.id)):
        show_visit_form(opened, visits[0])
    else:
        return False
    return True
