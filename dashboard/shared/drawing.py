"""The demonstration record: offered, drawn in the background with its progress, and opened."""

import streamlit as st

from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import render_error
from melanoma_core.settings import load_settings

_ERROR, _WAITS = "drawing-error", "opens-when-drawn"
_REFRESH_SECONDS = 1
_OFFER = (
    "<h3>The demonstration record</h3><p>Twelve invented patients with thirty drawn lesions, at "
    "every stage from the first visit to histology. A program has drawn every photograph. The "
    "model has read each of them. Try all pages on it. It has a folder of its own, and each page "
    "says that it is drawn.</p>"
)


def offer_demonstration() -> None:
    """Offer to open the demonstration record; it is drawn first, which takes about a minute."""
    from melanoma_core.processes import JobState
    from melanoma_core.records.drawn_job import find_job
    from melanoma_core.records.opened import Opened, has_record

    settings = load_settings()
    st.html(_OFFER)
    show_stored_error(_ERROR)
    exists = has_record(settings, Opened.DEMONSTRATION)
    status = find_job(settings).read_status()
    if status.state is JobState.RUNNING:
        _show_drawing()
        return
    if exists and st.session_state.pop(_WAITS, False):
        _open()
        st.rerun()
    if status.state is JobState.FAILED:
        st.html(render_error(status.message))
    st.button("Open the demonstration record", on_click=_open if exists else _draw)
    if not exists:
        st.caption("It is drawn first, once. That takes about a minute.")


@st.fragment(run_every=_REFRESH_SECONDS)
def _show_drawing() -> None:
    """Show how far the drawing has come."""
    from melanoma_core.processes import JobState
    from melanoma_core.records.drawn_job import find_job

    status = find_job(load_settings()).read_status()
    if status.state is JobState.RUNNING:
        text = f"{status.done:,} of {status.total:,} examinations drawn and read"
        st.progress(status.done / max(status.total, 1), text if status.total else "Starting")
        st.button("Cancel", key="cancel-drawing", on_click=_cancel)
    else:
        st.rerun()  # the page opens it, or says why it was not drawn


def _draw() -> None:
    from melanoma_core import __version__
    from melanoma_core.records.drawn_job import start

    with store_errors(_ERROR):
        start(load_settings(), __version__)
        st.session_state[_WAITS] = True


def _open() -> None:
    from melanoma_core.records.opened import Opened, remember_opened

    with store_errors(_ERROR):
        remember_opened(load_settings(), Opened.DEMONSTRATION)


def _cancel() -> None:
    from melanoma_core.records.drawn_job import find_job

    find_job(load_settings()).cancel()
    st.session_state.pop(_WAITS, None)
