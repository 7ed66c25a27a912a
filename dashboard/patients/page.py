"""The Patients page: the list of patients, and one patient with all lesions."""

from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Patients")
record = need_record()
