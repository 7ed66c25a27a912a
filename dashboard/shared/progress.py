"""Long work on a page: asked for, shown while it goes on, ended by whatever runs the page again."""

import time
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:  # a page is painted before NumPy is there
    from melanoma_core.progress import Progress

_PAUSE_SECONDS = 0.1  # a message per file would keep browser and server busy with nothing else


def show_progress(doing: str) -> "Progress":
    """Show a bar and return what moves it.

    Whatever the person does next runs the page anew: Streamlit then raises from within the bar,
    and so through the work, which keeps what was done.

    Args:
        doing: What goes on, as "Measuring photographs".
    """
    bar = st.progress(0.0, doing)
    moved_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal moved_at
        now = time.monotonic()
        if now - moved_at > _PAUSE_SECONDS or done == total:
            moved_at = now
            bar.progress(done / max(total, 1), f"{doing}: {done:,} of {total:,}")

    return show


def request_work(name: str) -> None:
    """Have a piece of work done by the next runs of the page."""
    st.session_state[name] = True


def cancel_request(name: str) -> None:
    """Have it done no more."""
    st.session_state[name] = False


def is_requested(name: str) -> bool:
    """Return whether it is to be done."""
    return bool(st.session_state.get(name, False))
