"""The model that read: its identity, its limitations and a link to its card."""

import streamlit as st

from dashboard.reading.markup import render_trust
from dashboard.shared.access import may
from dashboard.shared.markup import render_limits
from melanoma_core.access.rights import Right
from melanoma_core.models.card import ModelCard


def show_model(card: ModelCard, *, by_lesion: bool = False) -> None:
    """Show the model's main metrics and its limitations, with a link to its card.

    Args:
        card: Of the model.
        by_lesion: Whether the metrics are those of lesions, read from all their photographs.
    """
    st.html(render_trust(card, by_lesion=by_lesion))
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.expander("Limitations of this model"):
            st.html(render_limits(card))
        if may(Right.SEE_MODELS):
            st.page_link("models/page.py", label="Full model card", width="content")
