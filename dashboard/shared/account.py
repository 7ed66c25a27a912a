"""Who has logged in: the sign-in page, the name with the way out, and the end of a login."""

from datetime import timedelta
from html import escape

import streamlit as st

from dashboard.shared.access import find_subject
from dashboard.shared.errors import show_errors
from dashboard.shared.kept import HOURS_KEPT, get_kept
from dashboard.shared.login import (
    DEFAULT,
    find_end,
    has_login,
    list_providers,
    read_claims,
    read_login,
)
from dashboard.shared.login_sessions import SESSIONS, End
from melanoma_core.access.claims import read_name, read_roles
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import NO_ONE, Subject
from melanoma_core.settings import load_settings

_WARN_SECONDS = 60
_LOOK_SECONDS = 10
_REASONS = {
    End.EXPIRED: "The login has expired, as your provider set it.",
    End.SIGNED_OUT: "You have signed out.",
}


def identify() -> Subject | None:
    """Return who uses the page, with their name in the sidebar.

    Returns:
        None if they must log in first, or have no role; the page then says so.
    """
    if not has_login():
        return find_subject()
    login = read_login()
    if login is None:
        _show_sign_in()
        return None
    end = find_end(login)
    if end is not None:
        _show_end(end)
        return None
    subject = NO_ONE
    with show_errors():
        subject = find_subject()
        _show_account(subject)
        if not subject.roles:
            _show_no_role(subject)
    return subject if subject.roles else None


def _show_sign_in() -> None:
    st.title("Sign in", anchor=False)
    st.html(
        "<p>Find melanoma in photographs of skin lesions. For research and education. Not a "
        "medical device.</p>"
    )
    _offer_sign_in("Sign in")


def _offer_sign_in(label: str) -> None:
    for provider in list_providers():
        named = label if provider == DEFAULT else f"{label} with {provider}"
        if st.button(named, type="primary", key=f"sign-in-{provider}"):
            st.login(None if provider == DEFAULT else provider)


def _show_end(end: End) -> None:
    minutes = load_settings().idle_minutes
    idle = f"Your session has ended: nothing was done for {minutes:g} minutes."
    drafts = len(get_kept().get("drafts", {}))
    unsaved = "Everything was saved."
    if drafts:
        forms = "1 form was" if drafts == 1 else f"{drafts} forms were"
        unsaved = (
            f"{forms} not saved. What you typed is kept for you in this browser, for "
            f"{HOURS_KEPT} hours: sign in again and open the same page."
        )
    st.title("Signed out", anchor=False)
    st.html(f'<p role="status">{_REASONS.get(end, idle)} {unsaved}</p>')
    _offer_sign_in("Sign in again")


def _show_account(subject: Subject) -> None:
    roles = ", ".join(sorted(subject.roles)) or "no role"
    with st.sidebar, st.container(key="account"):
        st.html(
            f'<p class="fact">Signed in as <strong>{escape(subject.name or subject.id)}</strong> '
            f"({escape(roles)})</p>"
        )
        st.button("Sign out", on_click=_sign_out, width="stretch")
        _watch()


def _show_no_role(subject: Subject) -> None:
    settings = load_settings()
    claimed = read_roles(read_claims(), settings)
    taken = (
        "A steward has taken your roles."
        if claimed
        else (
            f"The login of {read_name(read_claims()) or subject.id} gives no role: the claim "
            f'"{settings.roles_claim}" of its token names none that this dashboard knows.'
        )
    )
    roles = "".join(f"<dt>{role}</dt><dd>{role.description}</dd>" for role in Role)
    st.title("No role yet", anchor=False)
    st.html(
        f"<p>{escape(taken)} Ask {escape(settings.roles_contact)} for one, and name your subject: "
        f"<code>{escape(subject.id)}</code>.</p><dl>{roles}</dl>"
    )


def _sign_out() -> None:
    login = read_login()
    if login is not None:
        SESSIONS.sign_out(login)  # in other tabs, too
    st.logout()


@st.fragment(run_every=timedelta(seconds=_LOOK_SECONDS))
def _watch() -> None:
    """Close the page when the login is over, and say it a minute before."""
    login = read_login()
    if login is None or find_end(login) is not None:
        st.rerun()
    left = SESSIONS.count_left(login, load_settings().idle_minutes * 60)
    if left < _WARN_SECONDS:
        st.html(
            '<p role="status">You are signed out in less than a minute. Click anywhere to stay: '
            "what you typed and did not save is kept.</p>"
        )
        st.button("Stay signed in", width="stretch")
