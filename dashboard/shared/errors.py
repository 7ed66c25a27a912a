"""Show a `MelanomaError` as a message on the page; other exceptions are bugs and propagate."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.shared.markup import render_error
from melanoma_core.errors import MelanomaError


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error where it occurs; the page continues after the block."""
    try:
        yield
    except MelanomaError as error:
        st.html(render_error(str(error)))


@contextmanager
def store_errors(key: str) -> Iterator[None]:
    """Store an error of a callback, whose own output would vanish, for `show_stored_error`.

    Args:
        key: Of the message in the session. It is cleared when the block is entered.
    """
    st.session_state[key] = ""
    try:
        yield
    except MelanomaError as error:
        st.session_state[key] = str(error)


def show_stored_error(key: str) -> None:
    """Show the error that `store_errors` stored, if there is one."""
    if st.session_state.get(key):
        st.html(render_error(st.session_state[key]))
