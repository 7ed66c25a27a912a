"""The History tab: promotions, refusals and rollbacks, and the button to roll back."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.card import show_table
from dashboard.models.markup import tabulate_events
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import escape_markdown
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.deployment.promotion import Deployment

_ERROR = "rollback-error"


def show_history(deployment: "Deployment") -> None:
    """Show who promoted which model, when and why, and offer a rollback."""
    show_stored_error(_ERROR)
    if not deployment.events:
        st.html("<p>No model has been promoted yet. The bundled model is in use.</p>")
        return
    if deployment.previous_id:
        _offer_rollback(deployment.deployed_id, deployment.previous_id)
    show_table(tabulate_events(deployment.events))


def _offer_rollback(deployed_id: str, previous_id: str) -> None:
    # A new key after each rollback closes the popover, so that a second click does not undo it.
    with st.popover(f"Roll back to {escape_markdown(previous_id)}", key=f"rollback-{previous_id}"):
        st.caption(
            f"{escape_markdown(previous_id)} replaces {escape_markdown(deployed_id)} on every "
            "page. Another rollback undoes this."
        )
        st.text_input("Your name", key="promoter", persist_state="session")
        st.button("Roll back", type="primary", on_click=_roll_back)


def _roll_back() -> None:
    from melanoma_core.deployment.promotion import roll_back

    with store_errors(_ERROR):
        roll_back(load_settings(), st.session_state.get("promoter", ""))
