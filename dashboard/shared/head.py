"""The header of every page: style sheet, title, disclaimer, and a notice about the model."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from dashboard.shared.markup import render_notice
from melanoma_core.errors import ModelError
from melanoma_core.models.registry import find_serving, list_damaged
from melanoma_core.settings import load_settings

_DISCLAIMER = (
    "For research and education only. Not a medical device: do not base a diagnosis or a "
    "treatment on it."
)
_STYLE = Path(__file__).parents[1] / "style.css"


def show_page_header(title: str) -> None:
    """Show the title, the disclaimer, and a notice if the deployed model is missing."""
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.html(f'<p class="notice" role="note">{_DISCLAIMER}</p>', width="content")
    with suppress(ModelError):  # a page that needs the model reports this itself
        notice = find_serving(load_settings()).notice
        if notice:
            st.html(render_notice(notice))


def show_damaged_models() -> None:
    """Show why models are missing from the lists of this page."""
    for reason in list_damaged(load_settings()):
        st.html(render_notice(f"Not listed: {reason}"))
