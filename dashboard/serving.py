"""How the pages are served: to whom, under which hosts, in no frame, with uploads in memory."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, net_util
from streamlit.starlette import App
from streamlit.web.server.server_util import allow_all_cross_origin_requests, is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from dashboard.shared.access import (
    LOOPBACK,
    allows_anonymous,
    find_subject,
    is_direct,
    is_shared,
    serves_own_machine,
)
from dashboard.shared.login import has_login
from dashboard.shared.login_sessions import ActivityWatch
from dashboard.shared.media_guard import MediaGuard
from dashboard.shared.session_key import SessionKey
from melanoma_core.access.subject import identify_by
from melanoma_core.settings import share_server

_LOGGER = logging.getLogger(__name__)
_MIB = 2**20
_MULTIPART_MIB = 1  # what Streamlit allows for the lines around a file
_SHOWN_LENGTH = 100  # characters of a header
_READING_METHODS = {"GET", "HEAD", "OPTIONS"}
_HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-frame-options": "DENY",  # for browsers that do not know the policy
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class RequestGuard:
    """Refuses requests with a foreign host or origin, before Streamlit sees them.

    A page of another site can point its own host name at this machine (DNS rebinding), so the host
    is checked. Streamlit checks it for the WebSocket alone. For a foreign origin, Streamlit would
    ask another server for the address of this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it and say why."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = _explain_refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "http":
            await PlainTextResponse(refusal, 403)(scope, receive, send_with_headers)
        else:  # a browser shows no answer to a WebSocket
            _LOGGER.warning(refusal)
            await send({"type": "websocket.close", "code": 1008, "reason": ""})


def list_guards() -> list[Middleware]:
    """Return what each request to the pages passes through, in this order."""
    guards = (RequestGuard, MediaGuard, SessionKey, ActivityWatch)
    return [Middleware(each) for each in guards]


@asynccontextmanager
async def protect_uploads(_: App) -> AsyncGenerator[None, None]:
    """Keep uploads in memory, the address of this machine from other servers, and know who acts.

    Starlette writes an uploaded file above 1 MB to a temporary file. Streamlit refuses files above
    its limit while they arrive, and keeps the others in memory in any case.
    """
    limit = int(config.get_option("server.maxUploadSize")) + _MULTIPART_MIB
    MultiPartParser.spool_max_size = limit * _MIB
    net_util.get_external_ip = lambda: None
    identify_by(find_subject)
    if is_shared():
        share_server()
    yield


def _explain_refusal(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    if not is_host_allowed(host):
        return (
            f"Found the host {host[:_SHOWN_LENGTH]!r}, which this dashboard does not answer. Open "
            "it under an address that it answers, or start it with --server.allowedHosts and this "
            "host's name."
        )
    if not (has_login() or allows_anonymous()) and not _is_from_here(scope, headers):
        return (
            "Found a request from another machine, or through a proxy. This dashboard has no login "
            "and answers its own machine alone. Set up a login, or start it with "
            "--allow-anonymous to offer others the Reading page."
        )
    changes_something = scope["type"] == "websocket" or scope["method"] not in _READING_METHODS
    if origin is not None and changes_something and not _is_own(origin, host):
        return (
            f"Found a request from the origin {origin[:_SHOWN_LENGTH]!r} to the host "
            f"{host[:_SHOWN_LENGTH]!r}. Only its own pages may use this dashboard. Behind a proxy "
            "that changes the host, start it with --server.corsAllowedOrigins and this origin."
        )
    return None


def _is_from_here(scope: Scope, headers: Headers) -> bool:
    """Return whether a request comes from this machine. A proxy's may name another one."""
    peer = scope.get("client")
    is_near = peer is not None and (peer[0] in LOOPBACK or peer[0].startswith("127."))
    return serves_own_machine() and is_near and is_direct(headers, headers.get("host", ""))


def _is_own(origin: str, host: str) -> bool:
    return (
        urlsplit(origin).netloc.lower() == host.lower()
        or is_allowed_origin(origin)
        or allow_all_cross_origin_requests()
    )
