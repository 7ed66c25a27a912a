"""Who may use the pages: everything on one's own machine; elsewhere, what a login allows."""

import sys
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config

from dashboard.shared.login import check_login, find_login_subject, has_login
from melanoma_core.access.claims import check_groups
from melanoma_core.access.rights import Right
from melanoma_core.access.subject import ANONYMOUS, LOCAL, Subject
from melanoma_core.errors import SettingsError
from melanoma_core.settings import load_settings

ALLOW_ANONYMOUS = "--allow-anonymous"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Headers that a proxy adds. A person can add them too, but then only loses pages.
_PROXY_HEADERS = {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip"}
_PROXY_PREFIXES = ("x-forwarded", "x-original", "cf-", "fly-")


def find_subject() -> Subject:
    """Return who uses this page, or calls from a thread of the server.

    With a login, it is the person who has logged in, also on the server's own machine. Without one,
    it is a person at this machine, or elsewhere.
    """
    if has_login():
        return find_login_subject()
    return LOCAL if is_local() else ANONYMOUS


def may(right: Right) -> bool:
    """Return whether the person who uses this page may do something."""
    return find_subject().may(right)


def may_or_say(right: Right) -> bool:
    """Return whether to offer what needs a right; if not, say in its place which role it needs."""
    lack = find_subject().explain_lack(right)
    if lack:
        st.html(f'<p class="fact">{escape(lack)}</p>')
    return not lack


def is_local() -> bool:
    """Return whether this person sits at the machine that runs the dashboard, which has no login.

    That is so if the server answers its own machine only, and the request names this machine and
    passed no proxy. Without a host in the request, as after a lost connection, it is not so.
    """
    headers = st.context.headers
    return not has_login() and serves_own_machine() and is_direct(headers, headers.get("host", ""))


def check_exposure() -> None:
    """Refuse to start a server that answers other machines and asks no one to log in.

    Raises:
        SettingsError: It does so without `--allow-anonymous`, or its login cannot work.
    """
    check_login()
    check_groups(load_settings())
    if not (serves_own_machine() or has_login() or allows_anonymous()):
        raise SettingsError(
            "This server would answer other machines, and has no login. Set up a login "
            "(docs/how-to/log-in.md), or start it with --allow-anonymous or "
            "MELANOMA_ALLOW_ANONYMOUS=1: others are then offered the Reading page alone."
        )


def allows_anonymous() -> bool:
    """Return whether people elsewhere may read photographs without a login."""
    return ALLOW_ANONYMOUS in sys.argv[1:] or load_settings().allow_anonymous


def serves_own_machine() -> bool:
    """Return whether no option of the server makes it answer other machines.

    A proxy on this machine reaches a server of loopback, too. Browsers behind a proxy only get
    through if its name is a host or an origin that the server accepts.
    """
    origins = [_name_host(origin) for origin in config.get_option("server.corsAllowedOrigins")]
    return bool(config.get_option("server.enableCORS")) and LOOPBACK.issuperset(
        [
            config.get_option("server.address"),
            config.get_option("browser.serverAddress"),
            *(config.get_option("server.allowedHosts") or ["*"]),
            *origins,
        ]
    )


def is_shared() -> bool:
    """Return whether the server is for others, too: it has a login, or answers other machines."""
    return has_login() or not serves_own_machine()


def is_direct(names: Iterable[str], host: str) -> bool:
    """Return whether a request names this machine and passed no proxy.

    Args:
        names: Names of the request's headers.
        host: The header "Host", with or without a port; empty if there is none.

    Example:
        >>> is_direct(["Host"], "localhost:8501")
        True
        >>> is_direct(["Host", "X-Forwarded-For"], "localhost:8501")
        False
    """
    lower = [name.lower() for name in names]
    passed_proxy = any(name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIXES) for name in lower)
    return not passed_proxy and _name_host(f"//{host}") in LOOPBACK


def _name_host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an IPv6 address without its end
        return ""
