"""The Patients page: the list of patients, and one patient with all lesions."""

import streamlit as st

from dashboard.patients.leaving import show_erased
from dashboard.patients.listing import show_list
from dashboard.patients.opened import PATIENT
from dashboard.patients.patient import show_patient
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Patients")
record = need_record()
with show_errors():
    if st.query_params.get(PATIENT):
        show_patient(record, st.query_params[PATIENT])
    else:
        show_erased()
        show_list(record)
