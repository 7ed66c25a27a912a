"""Who uses the record: asked once, kept for the browser session."""

import streamlit as st

from dashboard.shared.kept import get_kept
from dashboard.shared.markup import escape_markdown

MAX_LENGTH = 80
_VISITOR = "visitor"  # in the demonstration record
_WHO, _FIELD = "who", "who-field"


def get_who() -> str:
    """Return the name or the initials that were given; "" if none were."""
    return str(get_kept().get(_WHO, ""))


def ask_who(*, is_drawn: bool = False) -> str:
    """Return who the person is; ask, and stop the page, as long as no name was given.

    Args:
        is_drawn: Whether the demonstration record is open, in which "visitor" will do.
    """
    if is_drawn and not get_who():
        get_kept()[_WHO] = _VISITOR
    if not get_who():
        st.html("<h2>Who are you?</h2><p>The record notes who saw and who wrote what.</p>")
        with st.form("who-form", border=False, width=420):
            st.text_input("Your name or initials", max_chars=MAX_LENGTH, key=_FIELD)
            if st.form_submit_button("Continue", type="primary", on_click=_set_who):
                st.warning(f"Found no name; needed are 1 to {MAX_LENGTH} characters.")
        st.stop()
    return get_who()


def show_who() -> None:
    """Show who the person is, with a button for another one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"You are **{escape_markdown(get_who())}**.", width="content")
        st.button("Change", key="change-who", on_click=_forget_who, help="Say who you are.")


def keep_who(name: str) -> None:
    """Keep the name that a person gives for the browser session."""
    get_kept()[_WHO] = " ".join(name.split())


def _set_who() -> None:
    keep_who(st.session_state[_FIELD])


def _forget_who() -> None:
    get_kept().pop(_WHO, None)
