"""The form that sets the roles of one person."""

import streamlit as st

from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import escape_markdown
from melanoma_core.access.people import Person, set_roles
from melanoma_core.access.rights import Role
from melanoma_core.settings import load_settings

_ERROR, _DONE = "users-error", "users-done"


def choose_roles(person: Person) -> None:
    """Let a steward set the roles of a person, or let those of the login count again."""
    key = f"roles-{person.id}-{sorted(person.roles)}"
    with st.form("roles-form", border=False):
        for role in Role:
            st.checkbox(
                f"{role.title()}: {role.description}", role in person.roles, key=f"{key}-{role}"
            )
        with st.container(horizontal=True):
            st.form_submit_button(
                "Set these roles", type="primary", on_click=_set, args=(person, key)
            )
            st.form_submit_button(
                "Use the roles of the login",
                on_click=_reset,
                args=(person,),
                disabled=person.given is None,
                help=f"They are: {', '.join(person.claimed) or 'no role'}.",
            )
    show_stored_error(_ERROR)
    if st.session_state.get(_DONE):
        st.html(f'<p class="receipt" role="status">✓ {st.session_state.pop(_DONE)}</p>')
    st.caption(f"They count from the next click of {escape_markdown(person.name or person.id)}.")


def _set(person: Person, key: str) -> None:
    roles = frozenset(role for role in Role if st.session_state[f"{key}-{role}"])
    with store_errors(_ERROR):
        set_roles(load_settings().access_dir, person.id, roles)
        st.session_state[_DONE] = "Roles set, and the change is logged."


def _reset(person: Person) -> None:
    with store_errors(_ERROR):
        set_roles(load_settings().access_dir, person.id, None)
        st.session_state[_DONE] = "The roles of the login count again. The change is logged."
