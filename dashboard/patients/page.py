"""The Patients page: the list of patients, and one patient with all lesions."""

from dashboard.patients.leaving import show_erased
from dashboard.patients.listing import show_list
from dashboard.patients.opened import find_patient_id
from dashboard.patients.patient import show_patient
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Patients")
record = need_record()
with show_errors():
    patient_id = find_patient_id(record)
    if patient_id:
        show_patient(record, patient_id)
    else:
        show_erased()
        show_list(record)
