"""The Audit page: how well the doctor, the network and both together do here."""

from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Audit")
record = need_record()
