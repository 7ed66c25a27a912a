"""Show HTML."""

from typing import Literal

import streamlit as st


def show_html(html: str, width: int | Literal["stretch", "content"] = "stretch") -> None:
    """Show HTML; show nothing if it is empty, which `st.html` refuses with an exception."""
    if html:
        st.html(html, width=width)
