"""What every page begins with."""

from pathlib import Path

import streamlit as st

NOTICE = (
    "For research and education. Not a medical device: no diagnosis or treatment may rest on it."
)
_STYLE = Path(__file__).with_name("style.css")


def open_page(title: str) -> None:
    """Show the page's title and, beside it, the standing notice."""
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.html(f'<p class="notice" role="note">{NOTICE}</p>', width="content")
