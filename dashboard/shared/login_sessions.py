"""How long a login lasts: until its token expires, or its person has done nothing for a while.

Streamlit's cookie of a login lives for 30 days, whatever the token says. So the server keeps when
each login was last used. It knows a login by its subject and the moment of its token.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.shared.session_key import name_cookie, read_key
from melanoma_core.settings import load_settings

_MAX_LOGINS = 10_000


class End(StrEnum):
    """Why a login is over."""

    EXPIRED = "expired"
    IDLE = "idle"
    SIGNED_OUT = "signed out"


@dataclass(frozen=True)
class Login:
    """A login, as its token says.

    Attributes:
        id: The subject of the token.
        issued_at: Seconds since 1970.
        expires_at: Seconds since 1970.
    """

    id: str
    issued_at: float
    expires_at: float


class LoginSessions:
    """Knows when each login was last used, and which are over.

    After a restart of the server, a login was last used when its token was issued.

    Args:
        clock: Seconds since 1970.

    Example:
        >>> now = [1000.0]
        >>> sessions, login = LoginSessions(lambda: now[0]), Login("ada", 1000, 5000)
        >>> sessions.find_end(login, 60)
        >>> now[0] = 1061
        >>> str(sessions.find_end(login, 60))
        'idle'
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[Login, float] = {}
        self._ends: dict[Login, End] = {}
        self._of_key: dict[str, Login] = {}
        self._wanted: dict[str, tuple[str, dict[str, str]]] = {}

    def find_end(self, login: Login, limit: float) -> End | None:
        """Return why a login is over; None if it is not. What is over stays so.

        Args:
            login: The login.
            limit: Seconds without use that end it; 0 for no limit.
        """
        with self._lock:
            now = self._clock()
            if login in self._ends:
                return self._ends[login]
            if now >= login.expires_at:
                return End.EXPIRED
            if limit and now - self._used.get(login, login.issued_at) > limit:
                self._ends[login] = End.IDLE
                return End.IDLE
            return None

    def count_left(self, login: Login, limit: float) -> float:
        """Return in how many seconds a login ends if nothing is done; infinite without limit."""
        with self._lock:
            used = self._used.get(login, login.issued_at)
            idle = used + limit if limit else float("inf")
            return min(idle, login.expires_at) - self._clock()

    def bind(self, key: str, login: Login) -> None:
        """Note which login a browser session has, by its key."""
        with self._lock:
            self._of_key[key] = login
            while len(self._of_key) > _MAX_LOGINS:
                self._of_key.pop(next(iter(self._of_key)))

    def has_open(self, key: str, limit: float) -> bool:
        """Return whether a browser session has a login that is not over.

        Args:
            key: Of the browser session.
            limit: Seconds without use that end a login; 0 for no limit.
        """
        login = self._of_key.get(key)
        return login is not None and self.find_end(login, limit) is None

    def want(self, key: str, page: str, query: dict[str, str]) -> None:
        """Note which page a browser session opened before its person logged in."""
        with self._lock:
            self._wanted[key] = page, query
            while len(self._wanted) > _MAX_LOGINS:
                self._wanted.pop(next(iter(self._wanted)))

    def take_wanted(self, key: str) -> tuple[str, dict[str, str]] | None:
        """Return the page that was opened before the login, once."""
        with self._lock:
            return self._wanted.pop(key, None)

    def use(self, key: str, limit: float) -> None:
        """Count that the person of a browser session has done something."""
        login = self._of_key.get(key)
        if login is None or self.find_end(login, limit) is not None:
            return
        with self._lock:
            self._used.pop(login, None)
            self._used[login] = self._clock()
            while len(self._used) > _MAX_LOGINS:
                self._used.pop(next(iter(self._used)))

    def sign_out(self, login: Login) -> None:
        """End a login, in every tab and browser."""
        with self._lock:
            self._ends[login] = End.SIGNED_OUT


SESSIONS = LoginSessions()
"""The logins of this server."""


class ActivityWatch:
    """Counts what a person does: all that a browser sends, but for what it repeats by itself."""

    def __init__(self, app: ASGIApp, sessions: LoginSessions = SESSIONS) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; note each message of a WebSocket."""
        headers = Headers(scope=scope) if scope["type"] == "websocket" else Headers()
        key = read_key(headers.get("cookie", ""), name_cookie(headers.get("host", "")))
        if key is None:
            await self._app(scope, receive, send)
            return

        async def receive_and_note() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and _is_act(message.get("bytes") or b""):
                self._sessions.use(key, load_settings().idle_minutes * 60)
            return message

        await self._app(scope, receive_and_note, send)


def _is_act(data: bytes) -> bool:
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    return message.HasField("rerun_script") and not message.rerun_script.is_auto_rerun
