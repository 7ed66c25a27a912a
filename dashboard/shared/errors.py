"""MelanomaError -> a message on the page; bugs propagate."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.shared.markup import render_error
from melanoma_core.errors import MelanomaError


@contextmanager
def show_errors() -> Iterator[None]:
    """Show what a person can mend where it happened; the page goes on after the block."""
    try:
        yield
    except MelanomaError as error:
        st.html(render_error(str(error)))


@contextmanager
def store_errors(name: str) -> Iterator[None]:
    """Store the message for `show_stored_error`: what a callback shows disappears at once."""
    st.session_state[name] = ""
    try:
        yield
    except MelanomaError as error:
        st.session_state[name] = str(error)


def show_stored_error(name: str) -> None:
    """Show what `store_errors` kept, until it is entered anew."""
    if st.session_state.get(name):
        st.html(render_error(st.session_state[name]))
