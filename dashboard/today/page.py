"""The Today page: what waits in the record, the most severe first."""

from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Today")
record = need_record()
