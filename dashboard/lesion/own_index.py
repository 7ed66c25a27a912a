"""The index of the record's own lesions: made in the background when it is not current."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import render_error
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.store import Record

_ERROR = "own-index-error"
_REFRESH_SECONDS = 1
_MINUTE = 60  # s; to ask a large record takes longer than a run of the page may


def show_own_state(record: "Record", model_id: str) -> None:
    """Let the index be made where it is not current, and show how far that is.

    Args:
        record: The record.
        model_id: Id of the model that reads now.
    """
    from melanoma_core.processes import JobState
    from melanoma_core.records.own_index_job import find_job

    status = find_job(record).read_status()
    if status.state is not JobState.RUNNING:
        if _is_current(record, record.record_id, model_id):
            return
        if record.is_read_only:
            st.html("<p>The record cannot be written here, so that its index is not made.</p>")
            return
        if status.state is JobState.FAILED:
            st.html(render_error(f"The index was not made. {status.message}"))
            st.button("Make the index", key="make-index", on_click=_start, args=(record,))
            return
        _start(record)
        if st.session_state.get(_ERROR):
            show_stored_error(_ERROR)
            return
    _show_progress(record)


@st.fragment(run_every=_REFRESH_SECONDS)
def _show_progress(record: "Record") -> None:
    """Show how far the index is; show what it finds when it is there."""
    from melanoma_core.processes import JobState
    from melanoma_core.records.own_index_job import find_job

    status = find_job(record).read_status()
    if status.state is not JobState.RUNNING:
        _is_current.clear()
        st.rerun()
    text = f"Indexing the lesions with histology: {status.done:,} of {status.total:,} photographs"
    st.progress(status.done / max(status.total, 1), text if status.total else "Indexing the record")


def _start(record: "Record") -> None:
    from melanoma_core.records.own_index_job import start

    with store_errors(_ERROR):
        start(load_settings(), record)


@st.cache_data(show_spinner=False, ttl=_MINUTE, max_entries=8)
def _is_current(_record: "Record", record_id: str, model_id: str) -> bool:  # noqa: ARG001
    from melanoma_core.records.own_index import is_current

    return is_current(_record, model_id)
