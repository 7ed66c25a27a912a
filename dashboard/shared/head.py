"""What every page begins with."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from dashboard.shared.markup import render_notice
from melanoma_core.errors import ModelError
from melanoma_core.models.registry import find_serving
from melanoma_core.settings import load_settings

NOTICE = (
    "For research and education. Not a medical device: no diagnosis or treatment may rest on it."
)
_STYLE = Path(__file__).parents[1] / "style.css"


def show_page_header(title: str) -> None:
    """Show the page's title, the standing notice, and whether the deployed model is missing."""
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.html(f'<p class="notice" role="note">{NOTICE}</p>', width="content")
    with suppress(ModelError):  # where the model is missed, the page says so itself
        notice = find_serving(load_settings()).notice
        if notice:
            st.html(render_notice(notice))
