"""The models: which one reads and what is known of it, which may replace it, what happened.

The card is that of the model that reads, unless the address names another (`?model=`).
"""

import streamlit as st

from dashboard.models.cached import get_deployment
from dashboard.models.card import show_card
from dashboard.models.history import show_history
from dashboard.models.markup import render_deployment
from dashboard.models.promotion import show_promotion
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import find_model, list_models
from melanoma_core.settings import load_settings


def choose_model() -> str:
    """Let a person choose whose card is shown; return its id."""
    settings, named = load_settings(), st.query_params.get("model")
    shown = load_card(find_model(settings, named)).model_id
    names = [card.model_id for _, card in list_models(settings)]
    if len(names) == 1:
        return shown
    # A key per model of the address and per deployed one: these decide unless a person does.
    return st.selectbox("Model", names, names.index(shown), key=f"card-{shown}", width=500)


show_page_header("Models")
card_tab, promote_tab, history_tab = st.tabs(
    ["Card", "Compare and promote", "History"], on_change="rerun", key="models-view"
)
if card_tab.open:
    with card_tab, show_errors():
        folder = find_model(load_settings(), choose_model())
        show_card(folder, load_card(folder))
if promote_tab.open:
    with promote_tab, show_errors():
        from melanoma_core.deployment.promotion import find_candidates

        deployment = get_deployment()
        st.html(render_deployment(deployment))
        show_promotion(find_candidates(list_models(load_settings()), deployment), deployment)
if history_tab.open:
    with history_tab, show_errors():
        deployment = get_deployment()
        st.html(render_deployment(deployment))
        show_history(deployment)
