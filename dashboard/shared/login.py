"""The login of OpenID Connect: whether it is set up, who has logged in, and until when.

Streamlit reads it from `[auth]` in its file of secrets, and does the exchange with the provider.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.auth_util import get_secrets_auth_section
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.runtime.secrets import secrets_singleton

from dashboard.shared.login_sessions import SESSIONS, End, Login
from dashboard.shared.session_key import is_key, name_cookie
from melanoma_core.access.claims import read_id, read_name, read_roles
from melanoma_core.access.people import remember
from melanoma_core.access.subject import NO_ONE, Subject
from melanoma_core.errors import SettingsError
from melanoma_core.settings import load_settings

DEFAULT = "default"
_CALLBACK = "/oauth2callback"
_SHARED = ("redirect_uri", "cookie_secret")
_OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
_MIN_SECRET = 32  # characters


def has_login() -> bool:
    """Return whether a login is set up: then everyone logs in, also at the server's machine."""
    return bool(get_secrets_auth_section())


def list_providers() -> list[str]:
    """Return the names of the providers; `DEFAULT` for one without a name."""
    section = get_secrets_auth_section()
    named = [key for key, value in section.items() if isinstance(value, Mapping)]
    named = [key for key in named if key != "client_kwargs"]
    return ([DEFAULT] if "client_id" in section else []) + named


def check_login() -> None:
    """Refuse a file of secrets that cannot be read, or whose login lacks something.

    Without this check, a damaged file would be the same as no login at all.

    Raises:
        SettingsError: It is so.
    """
    files = [path for path in config.get_option("secrets.files") if Path(path).exists()]
    if files and not secrets_singleton.load_if_toml_exists():
        raise SettingsError(f"Cannot read the secrets in {', '.join(files)}. Correct or remove it.")
    if not files or "auth" not in secrets_singleton:
        return
    section = get_secrets_auth_section()
    missing = [key for key in _SHARED if not section.get(key)]
    for name in list_providers():
        values = section if name == DEFAULT else section[name]
        prefix = "" if name == DEFAULT else f"{name}."
        missing += [f"{prefix}{key}" for key in _OF_PROVIDER if not values.get(key)]
    if missing or not list_providers():
        raise SettingsError(
            f"The login in {', '.join(files)} lacks {', '.join(missing or _OF_PROVIDER)}. Add it "
            "under [auth]; docs/how-to/log-in.md has an example."
        )
    if not str(section["redirect_uri"]).endswith(_CALLBACK):
        raise SettingsError(f"The redirect_uri of the login must end with {_CALLBACK}. Change it.")
    if len(str(section["cookie_secret"])) < _MIN_SECRET:
        raise SettingsError(
            f"The cookie_secret of the login is shorter than {_MIN_SECRET} characters, so that a "
            'login could be forged. Make one with `python -c "import secrets; '
            'print(secrets.token_hex())"`.'
        )


def read_claims() -> Mapping[str, Any]:
    """Return what the token of this session's login says; empty if no one has logged in."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not has_login():
        return {}
    claims: dict[str, Any] = st.user.to_dict()
    return claims if claims.get("is_logged_in") is True and read_id(claims) else {}


def read_login() -> Login | None:
    """Return the login of this session, whether or not it is over; None if no one has logged in.

    A token without its times, which OpenID Connect requires, is over.
    """
    claims = read_claims()
    if not claims:
        return None
    times = [_read_time(claims.get(key)) for key in ("iat", "exp")]
    return Login(read_id(claims), *times)


def find_end(login: Login) -> End | None:
    """Return why a login is over; None if it is not."""
    return SESSIONS.find_end(login, load_settings().idle_minutes * 60)


def find_login_subject() -> Subject:
    """Return who has logged in, with the roles that count; `NO_ONE` if no one has, or it is over.

    Raises:
        AccessError: The roles that stewards gave cannot be read.
    """
    login, claims = read_login(), read_claims()
    if login is None or find_end(login) is not None:
        return NO_ONE
    SESSIONS.bind(_find_key(), login)
    settings = load_settings()
    claimed = Subject(login.id, read_name(claims), read_roles(claims, settings))
    return remember(settings.access_dir, claimed)


def find_own_key() -> str:
    """Return the key under which this person's things are kept in memory; "" without a cookie.

    Another person who logs in with the same browser has another key.
    """
    key, login = _find_key(), read_login()
    if not key or not has_login():
        return key
    return f"{key} {login.id if login else ''}"


def want_page(page: str) -> None:
    """Note that a person opened a page, with its query, before they logged in."""
    SESSIONS.want(_find_key(), page, dict(st.query_params))


def take_wanted_page() -> tuple[str, dict[str, str]] | None:
    """Return the page and the query that this browser opened before the login, once."""
    return SESSIONS.take_wanted(_find_key()) if has_login() else None


def _find_key() -> str:
    key = st.context.cookies.get(name_cookie(st.context.headers.get("host", "")), "")
    return key if is_key(key) else ""


def _read_time(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
