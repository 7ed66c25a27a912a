"""Long work on a page: requested by a callback, done by the next run of the page with progress.

Any further action of the person runs the page again and so ends the work.
"""

import time
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.progress import Progress

_INTERVAL_SECONDS = 0.1  # an update per file would keep browser and server busy


def show_progress(task: str) -> "Progress":
    """Show a progress bar and return the callback that updates it.

    When the person does something else, Streamlit runs the page again and raises from within the
    callback. The work ends there and keeps what it has done.

    Args:
        task: Label of the bar, such as "Measuring images".
    """
    bar = st.progress(0.0, task)
    updated_at = 0.0

    def update(done: int, total: int) -> None:
        nonlocal updated_at
        now = time.monotonic()
        if now - updated_at > _INTERVAL_SECONDS or done == total:
            updated_at = now
            bar.progress(done / max(total, 1), f"{task}: {done:,} of {total:,}")

    return update


def request_work(key: str) -> None:
    """Request a task from the next runs of the page."""
    st.session_state[key] = True


def cancel_request(key: str) -> None:
    """Withdraw the request for a task."""
    st.session_state[key] = False


def is_requested(key: str) -> bool:
    """Return whether a task is requested."""
    return bool(st.session_state.get(key, False))
