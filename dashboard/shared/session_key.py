"""The key of a browser session, in a cookie: under it, the server keeps the photographs.

The key is in no address, so a link that is sent shares no photograph. No script of a page can
read it, and no other site can make a browser send it.
"""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAME = "melanoma-session"
_KEY = re.compile(r"[\w-]{43}", re.ASCII)  # 32 random bytes
_NUM_BYTES = 32


class SessionKey:
    """Gives each browser a key with the WebSocket of its page, unless it has one.

    It is a session cookie: a browser that is closed forgets it. The request is passed on with the
    new key, so that the first run of the page has it, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a key if it opens a WebSocket without one."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name, cookies = name_cookie(headers.get("host", "")), headers.get("cookie", "")
        if read_key(cookies, name):
            await self._app(scope, receive, send)
            return
        pair = f"{name}={secrets.token_urlsafe(_NUM_BYTES)}"
        secure = "; Secure" if scope.get("scheme") == "wss" else ""

        async def send_with_key(message: Message) -> None:
            if message["type"] == "websocket.accept":
                message.setdefault("headers", [])
                cookie = f"{pair}; Path=/; HttpOnly; SameSite=Strict{secure}"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        kept = [(key, value) for key, value in scope["headers"] if key.lower() != b"cookie"]
        together = "; ".join(part for part in (cookies, pair) if part)
        passed = dict(scope) | {"headers": [*kept, (b"cookie", together.encode("latin-1"))]}
        await self._app(passed, receive, send_with_key)


def name_cookie(host: str) -> str:
    """Return the name of the cookie: browsers send the cookies of one port to all ports.

    Args:
        host: The header "Host".

    Example:
        >>> name_cookie("localhost:8501")
        'melanoma-session-8501'
        >>> name_cookie("example.org")
        'melanoma-session'
    """
    port = host.rpartition(":")[2]
    return f"{_NAME}-{port}" if port.isascii() and port.isdigit() else _NAME


def read_key(cookies: str, name: str) -> str | None:
    """Return the key among the cookies of a request; None if there is none of our form.

    Args:
        cookies: The header "Cookie".
        name: Of the cookie.
    """
    found = cookie_parser(cookies).get(name, "")
    return found if is_key(found) else None


def is_key(text: str) -> bool:
    """Return whether a text has the form of a key; a shorter one could be guessed."""
    return _KEY.fullmatch(text) is not None
