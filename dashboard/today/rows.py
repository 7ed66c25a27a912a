"""The rows of Today: one per task, each opens its lesion in one click."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.markup import escape_markdown
from dashboard.shared.paging import choose_page
from dashboard.shared.row_keys import accept_row_keys
from dashboard.today.filters import SEARCH, show_all
from dashboard.today.markup import name_lesion, render_row

if TYPE_CHECKING:
    from melanoma_core.records.store import Record
    from melanoma_core.records.worklist import TaskQuery, TaskRow

_PAGE_LENGTH = 50
_ROWS = "today-rows"


def show_rows(record: "Record", query: "TaskQuery", count: int) -> None:
    """Show one page of the tasks that were chosen.

    Args:
        record: The record.
        query: What was chosen.
        count: How many tasks that are.
    """
    from dataclasses import replace

    from melanoma_core.records.tasks import is_overdue

    if not count:
        _say_empty(query)
        return
    rows = choose_page(count, _PAGE_LENGTH, "today-page", parameter="page")
    page = record.list_tasks(replace(query, limit=_PAGE_LENGTH, offset=rows.start))
    with st.container(gap=None, key=_ROWS):
        for number, row in enumerate(page.rows):
            _show_row(
                number, row, render_row(row, query.on, is_overdue=is_overdue(row.due_on, query.on))
            )
    accept_row_keys(_ROWS, SEARCH)


def _show_row(number: int, row: "TaskRow", html: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"today-row-{number}"):
        st.page_link(
            "lesion/page.py" if row.lesion_id else "patients/page.py",
            label=escape_markdown(name_lesion(row)),
            query_params={"lesion": row.lesion_id}
            if row.lesion_id
            else {"patient": row.patient_id},
            width=260,
        )
        st.html(html)


def _say_empty(query: "TaskQuery") -> None:
    """Say that nothing waits, or nothing of what was chosen."""
    if query.text or query.task or query.overdue:
        st.html("<p>Nothing waits that fits the search and the filters.</p>")
        st.button("Show all", on_click=show_all)
        return
    st.html("<p><strong>Nothing waits.</strong> What is due later appears here on its day.</p>")
    st.page_link("patients/page.py", label="Patients")
