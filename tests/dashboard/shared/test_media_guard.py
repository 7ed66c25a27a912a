"""What pages show goes to a browser whose login lasts, and to no one else."""

import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from dashboard.shared.login_sessions import Login, LoginSessions
from dashboard.shared.media_guard import MediaGuard
from tests.loops import run_async

KEY = "k" * 43
PHOTOGRAPH = "/media/b13f978607c8e18872bcbe1ee2cba4b9.jpg"


@pytest.fixture
def sessions() -> LoginSessions:
    return LoginSessions()


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Login:
    monkeypatch.setattr("dashboard.shared.media_guard.has_login", lambda: True)
    return Login("ada", time.time(), time.time() + 3600)


def ask(sessions: LoginSessions, path: str = PHOTOGRAPH, key: str = "", method: str = "GET") -> int:
    """Return the status of an answer."""
    answers: list[Message] = []

    async def answer(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        answers.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    cookie = f"melanoma-session={key}".encode() if key else b""
    headers = [(b"host", b"skin.example"), (b"cookie", cookie)]
    scope = {"type": "http", "path": path, "method": method, "headers": headers}
    run_async(MediaGuard(answer, sessions)(scope, receive, send))
    return int(answers[0]["status"])


def test_without_a_login_of_the_server_it_decides_nothing(sessions: LoginSessions):
    assert ask(sessions) == 200


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("key", ["", "k", KEY])
@pytest.mark.parametrize(
    "path", [PHOTOGRAPH, f"/base{PHOTOGRAPH}", f"/static/media/../..{PHOTOGRAPH}"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_that_has_not_logged_in_is_refused(
    sessions: LoginSessions, path: str, key: str, method: str
):
    assert ask(sessions, path, key, method) == 403


def test_a_browser_that_has_logged_in_is_answered_until_it_signs_out(
    sessions: LoginSessions, login: Login
):
    sessions.bind(KEY, login)
    assert ask(sessions, key=KEY) == 200
    sessions.sign_out(login)
    assert ask(sessions, key=KEY) == 403


def test_a_login_that_was_idle_is_over(sessions: LoginSessions, login: Login):
    sessions.bind(KEY, Login("ada", time.time() - 86_400, login.expires_at))
    assert ask(sessions, key=KEY) == 403


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("path", ["/", "/static/media/font.woff2", "/_stcore/health"])
def test_all_else_is_left_to_others(sessions: LoginSessions, path: str):
    assert ask(sessions, path) == 200
