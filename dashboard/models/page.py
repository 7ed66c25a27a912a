"""The Models page: model cards, the promotion of a candidate, and the history.

The card is that of the model in use, unless the address names another (`?model=`).
"""

import streamlit as st

from dashboard.models.card import show_card
from dashboard.models.deployment import show_deployment
from dashboard.models.history import show_history
from dashboard.models.promotion import show_promotion
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_damaged_models, show_page_header
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import find_model, list_models
from melanoma_core.settings import load_settings

_TABS = ["Card", "Compare and promote", "History"]
_TAB, _TAB_KEY = "tab", "models-view"  # in the address, and of the widget
_MODEL, _MODEL_KEY = "model", "card-model"


def _choose_model() -> str:
    """Let a person choose the model whose card is shown; return its id.

    Raises:
        ModelError: The model in use, or that of the address, is missing or damaged.
    """
    settings = load_settings()
    find_model(settings, st.query_params.get(_MODEL))
    names = [card.model_id for _, card in list_models(settings)]
    default = load_card(find_model(settings)).model_id
    if len(names) == 1:
        return default
    follow_address(_MODEL, _MODEL_KEY, default, names)
    chosen = st.selectbox("Model", names, key=_MODEL_KEY, width=500)
    write_address(_MODEL, _MODEL_KEY, default)
    return chosen


show_page_header("Models")
show_damaged_models()
deployed = st.container()
follow_address(_TAB, _TAB_KEY, _TABS[0], _TABS)
card_tab, promote_tab, history_tab = st.tabs(_TABS, on_change="rerun", key=_TAB_KEY)
write_address(_TAB, _TAB_KEY, _TABS[0])
if card_tab.open:
    with card_tab, show_errors():
        folder = find_model(load_settings(), _choose_model())
        show_card(folder, load_card(folder))
deployment = None
with deployed, show_errors():  # after the card, since the registry takes a second at first
    deployment = show_deployment()
if promote_tab.open and deployment:
    with promote_tab, show_errors():
        from melanoma_core.deployment.promotion import find_candidates

        show_promotion(find_candidates(list_models(load_settings()), deployment), deployment)
if history_tab.open and deployment:
    with history_tab:
        show_history(deployment)
