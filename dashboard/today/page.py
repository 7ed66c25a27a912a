"""The Today page: what waits in the record, the most severe first."""

import streamlit as st

from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.record import get_today, need_record
from dashboard.today.filters import choose_tasks, count_chosen
from dashboard.today.markup import summarise
from dashboard.today.rows import show_rows

show_page_header("Today")
record = need_record()
with show_errors():
    query, counts = choose_tasks(record, get_today())
    st.html(f'<p role="status">{summarise(counts)}</p>')
    show_rows(record, query, count_chosen(query, counts))
