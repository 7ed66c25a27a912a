"""MelanomaError -> a message on the page; bugs propagate."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.shared.markup import render_error
from melanoma_core.errors import MelanomaError


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show what a person can mend where it happened; the page goes on after the block."""
    try:
        yield
    except MelanomaError as error:
        st.html(render_error(str(error)))


@contextmanager
def kept_errors(name: str) -> Iterator[None]:
    """Keep what a person can mend for `show_kept_error`: what a callback shows is gone at once."""
    st.session_state[name] = ""
    try:
        yield
    except MelanomaError as error:
        st.session_state[name] = str(error)


def show_kept_error(name: str) -> None:
    """Show what `kept_errors` kept, until it is entered anew."""
    if st.session_state.get(name):
        st.html(render_error(st.session_state[name]))
