"""Who uses the record: who has logged in; without a login asked once, for the browser session."""

import streamlit as st

from dashboard.shared.access import find_subject
from dashboard.shared.kept import get_kept
from dashboard.shared.markup import escape_markdown

MAX_LENGTH = 80
_WIDTH = 420  # px
_VISITOR = "visitor"  # in the demonstration record
_WHO, _FIELD = "who", "who-field"


def get_who() -> str:
    """Return what the record keeps of who this is; "" if no one has logged in or given a name.

    With a login, that is the name and the subject of the token, and no one can type another.
    """
    return find_subject().signature or str(get_kept().get(_WHO, ""))


def get_signing_name() -> str:
    """Return the name below a letter: that of the login without its subject, or as was given."""
    subject = find_subject()
    return subject.name or get_who()


def ask_who(*, is_drawn: bool = False) -> str:
    """Return who the person is; ask, and stop the page, as long as no name was given.

    Args:
        is_drawn: Whether the demonstration record is open, in which "visitor" will do.
    """
    if is_drawn and not get_who():
        get_kept()[_WHO] = _VISITOR
    if not get_who():
        st.html("<h2>Who are you?</h2><p>The record notes who saw and who wrote what.</p>")
        with st.form("who-form", border=False, width=_WIDTH):
            st.text_input("Your name or initials", max_chars=MAX_LENGTH, key=_FIELD)
            if st.form_submit_button("Continue", type="primary", on_click=_set_who):
                st.warning(f"Found no name; needed are 1 to {MAX_LENGTH} characters.")
        st.stop()
    return get_who()


def show_who() -> None:
    """Show who the person is, with a button for another one where no one has logged in."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"You are **{escape_markdown(get_signing_name())}**.", width="content")
        if not find_subject().signature:
            st.button("Change", key="change-who", on_click=_forget_who, help="Say who you are.")


def ask_name(label: str, key: str, value: str = "", hint: str | None = None) -> str:
    """Ask for the name of who acts; with a login, show it instead.

    Args:
        label: Of the field.
        key: Of the field in the session, which holds the name for callbacks.
        value: What the field holds first.
        hint: What the name is for.
    """
    signature = find_subject().signature
    if signature:
        st.session_state[key] = signature
    elif key not in st.session_state:
        st.session_state[key] = value
    typed: str = st.text_input(
        label,
        max_chars=None if signature else MAX_LENGTH,
        key=key,
        width=_WIDTH,
        help=hint,
        disabled=bool(signature),
        persist_state="session",
    )
    return typed


def keep_who(name: str) -> None:
    """Keep the name that a person gives for the browser session."""
    get_kept()[_WHO] = " ".join(name.split())


def _set_who() -> None:
    keep_who(st.session_state[_FIELD])


def _forget_who() -> None:
    get_kept().pop(_WHO, None)
