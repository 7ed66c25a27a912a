"""Photographs and files of the pages go to a browser that has logged in alone."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.shared.login import has_login
from dashboard.shared.login_sessions import SESSIONS, LoginSessions
from dashboard.shared.session_key import name_cookie, read_key
from melanoma_core.settings import load_settings

_MEDIA, _OF_STREAMLIT = "/media/", "/static/media/"


class MediaGuard:
    """Refuses what pages show or offer for download, unless the browser has a login that lasts.

    Streamlit gives it to everyone who has its address, also when they have not logged in. The log
    of a proxy holds such addresses. Without a login, `RequestGuard` decides who is answered.
    """

    def __init__(self, app: ASGIApp, sessions: LoginSessions = SESSIONS) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it and say why."""
        is_media = scope["type"] == "http" and _is_media(scope["path"])
        if is_media and has_login() and not self._has_open_login(scope):
            refusal = "Found no login. Log in and open the page again."
            await PlainTextResponse(refusal, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _has_open_login(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        key = read_key(headers.get("cookie", ""), name_cookie(headers.get("host", "")))
        limit = load_settings().idle_minutes * 60
        return key is not None and self._sessions.has_open(key, limit)


def _is_media(path: str) -> bool:
    return _MEDIA in path.replace(_OF_STREAMLIT, "")
