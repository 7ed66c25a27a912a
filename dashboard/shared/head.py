"""The header of every page: style sheet, titles, disclaimer, and cautions about the model."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from dashboard.shared.address import begin_page
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_cautions, render_notice
from melanoma_core.errors import ModelError
from melanoma_core.models.caution import list_cautions
from melanoma_core.models.registry import list_damaged
from melanoma_core.settings import load_settings

_DISCLAIMER = (
    "For research and education only. Not a medical device: do not base a diagnosis or a "
    "treatment on it."
)
_STYLE = Path(__file__).parents[1] / "style.css"


def show_page_header(title: str) -> None:
    """Show the title, also that of the browser's tab, the disclaimer, and cautions of the model."""
    begin_page(title)
    st.set_page_config(page_title=f"{title} · Melanoma dashboard")
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.html(f'<p class="notice" role="note">{_DISCLAIMER}</p>', width="content")
    show_model_cautions()


def show_model_cautions() -> None:
    """Show a red strip with the reasons why the model that reads needs caution, if there are any.

    `show_page_header` calls it, so every page has the strip.
    """
    with suppress(ModelError):  # a page that needs the model reports this itself
        show_html(render_cautions(list_cautions(load_settings())))


def show_damaged_models() -> None:
    """Show why models are missing from the lists of this page."""
    for reason in list_damaged(load_settings()):
        st.html(render_notice(f"Not listed: {reason}"))
