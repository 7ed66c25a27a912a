"""The History tab: promotions, refusals and rollbacks."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.card import show_table
from dashboard.models.markup import tabulate_events

if TYPE_CHECKING:
    from melanoma_core.deployment.promotion import Deployment


def show_history(deployment: "Deployment") -> None:
    """Show who promoted which model, when and why."""
    if deployment.events:
        show_table(tabulate_events(deployment.events))
    else:
        st.html("<p>No model has been promoted yet. The bundled model is in use.</p>")
