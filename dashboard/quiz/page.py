"""The Quiz page: confirmed cases of the record for students."""

from dashboard.shared.head import show_page_header
from dashboard.shared.record import need_record

show_page_header("Quiz")
record = need_record()
