"""Which model is deployed, at the top of the page, with the button to roll back beside it."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.markup import render_deployment
from dashboard.shared.access import may
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.person import ask_name
from melanoma_core.access.rights import Right
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.deployment.promotion import Deployment

_ERROR = "rollback-error"


def show_deployment() -> "Deployment":
    """Show which model is deployed, offer a rollback, and return the deployment.

    Raises:
        RunError: The registry cannot be used.
    """
    with st.spinner("Opening the model registry", show_time=False):
        from melanoma_core.deployment.promotion import synchronise_deployment

        deployment = synchronise_deployment(load_settings())
    show_stored_error(_ERROR)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(render_deployment(deployment), width="content")
        if deployment.previous_id and may(Right.DEPLOY):  # the tab of promotion says who may
            _offer_rollback(deployment.deployed_id, deployment.previous_id)
    return deployment


def _offer_rollback(deployed_id: str, previous_id: str) -> None:
    # A new key after each rollback closes the popover, so that a second click does not undo it.
    with st.popover(f"Roll back to {escape_markdown(previous_id)}", key=f"rollback-{previous_id}"):
        st.caption(
            f"{escape_markdown(previous_id)} replaces {escape_markdown(deployed_id)} on every "
            "page. Another rollback undoes this."
        )
        ask_name("Your name", "rollback-name")
        st.button("Roll back", type="primary", on_click=_roll_back)


def _roll_back() -> None:
    from melanoma_core.deployment.promotion import roll_back

    with store_errors(_ERROR):
        roll_back(load_settings(), st.session_state.get("rollback-name", ""))
