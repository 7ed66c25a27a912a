"""MelanomaError -> a message on the page; bugs propagate."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.markup import render_error
from melanoma_core.errors import MelanomaError


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show what a person can mend where it happened; the page goes on after the block."""
    try:
        yield
    except MelanomaError as error:
        st.html(render_error(str(error)))
