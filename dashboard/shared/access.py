"""Who may use which page: everything on one's own machine, the Reading page from elsewhere."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config

from melanoma_core.settings import load_settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Headers that a proxy adds. A person can add them too, but then only loses pages.
_PROXY_HEADERS = {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip"}
_PROXY_PREFIXES = ("x-forwarded", "x-original", "cf-", "fly-")


def is_local() -> bool:
    """Return whether this person sits at the machine that runs the dashboard.

    That is so if the server answers its own machine only, and the request names this machine and
    passed no proxy. Without a host in the request, as after a lost connection, it is not so.
    """
    headers = st.context.headers
    return serves_own_machine() and is_direct(headers, headers.get("host", ""))


def offers_all_pages() -> bool:
    """Return whether this person is offered every page, not the Reading page alone."""
    return is_local() or load_settings().public_pages == "all"


def serves_own_machine() -> bool:
    """Return whether no option of the server makes it answer other machines.

    A proxy on this machine reaches a server of loopback, too. Browsers behind a proxy only get
    through if its name is a host or an origin that the server accepts.
    """
    origins = [_name_host(origin) for origin in config.get_option("server.corsAllowedOrigins")]
    return bool(config.get_option("server.enableCORS")) and _LOOPBACK.issuperset(
        [
            config.get_option("server.address"),
            config.get_option("browser.serverAddress"),
            *(config.get_option("server.allowedHosts") or ["*"]),
            *origins,
        ]
    )


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
    return not passed_proxy and _name_host(f"//{host}") in _LOOPBACK


def _name_host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an IPv6 address without its end
        return ""
