"""Show HTML."""

import streamlit as st


def show_html(html: str) -> None:
    """Show HTML; show nothing if it is empty, which `st.html` refuses with an exception."""
    if html:
        st.html(html)
