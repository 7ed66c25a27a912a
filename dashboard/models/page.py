"""The Models page: model cards, the promotion of a candidate, and the history.

The card is that of the model in use, unless the address names another (`?model=`).
"""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.card import show_card
from dashboard.models.history import show_history
from dashboard.models.markup import render_deployment
from dashboard.models.promotion import show_promotion
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_damaged_models, show_page_header
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import find_model, list_models
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.deployment.promotion import Deployment


def _choose_model() -> str:
    """Let a person choose the model whose card is shown; return its id."""
    settings = load_settings()
    default = load_card(find_model(settings, st.query_params.get("model"))).model_id
    names = [card.model_id for _, card in list_models(settings)]
    if len(names) == 1:
        return default
    # A key per default, so that another address or deployed model changes the choice.
    return st.selectbox("Model", names, names.index(default), key=f"card-{default}", width=500)


def _show_deployment() -> "Deployment":
    """Show which model is deployed and return it as the registry has it.

    Raises:
        RunError: The registry cannot be used.
    """
    with st.spinner("Opening the model registry", show_time=False):
        from melanoma_core.deployment.promotion import synchronise_deployment

        deployment = synchronise_deployment(load_settings())
    st.html(render_deployment(deployment))
    return deployment


show_page_header("Models")
show_damaged_models()
card_tab, promote_tab, history_tab = st.tabs(
    ["Card", "Compare and promote", "History"], on_change="rerun", key="models-view"
)
if card_tab.open:
    with card_tab, show_errors():
        folder = find_model(load_settings(), _choose_model())
        show_card(folder, load_card(folder))
if promote_tab.open:
    with promote_tab, show_errors():
        from melanoma_core.deployment.promotion import find_candidates

        deployment = _show_deployment()
        show_promotion(find_candidates(list_models(load_settings()), deployment), deployment)
if history_tab.open:
    with history_tab, show_errors():
        show_history(_show_deployment())
