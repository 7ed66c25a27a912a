"""Which lesion the address opens; the audit log notes who saw it."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.record import log_seen
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.store import Record

LESION = "lesion"
"""The parameter of the address: id of the lesion."""

_KEY = "lesion-opened"


def find_lesion(record: "Record") -> OpenedLesion | None:
    """Return the lesion that the address names; say how to choose one where it names none.

    Raises:
        UnknownEntryError: There is no such lesion.
    """
    from melanoma_core.records.entities import Lesion
    from melanoma_core.records.steps import find_at_visit
    from melanoma_core.records.vocabulary import ReadOrder

    lesion_id = st.query_params.get(LESION) or st.session_state.get(_KEY)
    if not lesion_id:
        st.html("<p>No lesion is chosen. Choose one from the list of its patient.</p>")
        st.page_link("patients/page.py", label="Patients", width="content")
        return None
    case = record.load_case(lesion_id)
    st.session_state[_KEY] = st.query_params[LESION] = lesion_id
    log_seen(record, Lesion, lesion_id)
    return OpenedLesion(record, case, find_at_visit(case, ReadOrder(load_settings().first_read)))
