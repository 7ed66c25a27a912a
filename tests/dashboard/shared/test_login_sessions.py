"""A login is over when its token expires, when nothing was done for a while, or by signing out."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.shared.login_sessions import ActivityWatch, End, Login, LoginSessions
from dashboard.shared.session_key import name_cookie
from tests.loops import run_async

KEY = "k" * 43
LOGIN = Login("ada", issued_at=1000, expires_at=5000)
LIMIT = 60


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> LoginSessions:
    sessions = LoginSessions(clock)
    sessions.bind(KEY, LOGIN)
    return sessions


def test_a_token_without_its_times_is_over(sessions: LoginSessions):
    assert sessions.find_end(Login("ada", 0, 0), 0) is End.EXPIRED


def test_with_limit_0_only_the_token_ends_a_login(sessions: LoginSessions, clock: Clock):
    clock.now = 4999
    assert sessions.find_end(LOGIN, 0) is None
    clock.now = 5000
    assert sessions.find_end(LOGIN, 0) is End.EXPIRED


def test_each_use_begins_the_limit_again_and_what_is_over_stays_so(
    sessions: LoginSessions, clock: Clock
):
    for clock.now in (1060, 1120, 1180):
        sessions.use(KEY, LIMIT)
        assert sessions.find_end(LOGIN, LIMIT) is None
    assert sessions.count_left(LOGIN, LIMIT) == 60
    clock.now = 1241
    sessions.use(KEY, LIMIT)  # too late
    assert sessions.find_end(LOGIN, LIMIT) is End.IDLE


def test_after_a_restart_an_old_token_has_done_nothing_since_it_was_issued(clock: Clock):
    clock.now = 1061

    assert LoginSessions(clock).find_end(LOGIN, LIMIT) is End.IDLE


def test_a_new_token_of_the_same_person_is_another_login(sessions: LoginSessions, clock: Clock):
    sessions.sign_out(LOGIN)
    clock.now = 1010

    assert sessions.find_end(LOGIN, LIMIT) is End.SIGNED_OUT
    assert sessions.find_end(Login("ada", 1010, 5010), LIMIT) is None


def pass_on(sessions: LoginSessions, data: bytes) -> None:
    """Let a browser send one message through the watch."""

    async def app(*given) -> None:
        await given[1]()

    async def receive() -> dict[str, object]:
        return {"type": "websocket.receive", "bytes": data}

    async def send(message) -> None: ...

    headers = [
        (b"host", b"localhost:8501"),
        (b"cookie", f"{name_cookie('localhost:8501')}={KEY}".encode()),
    ]
    scope = {"type": "websocket", "headers": headers}
    run_async(ActivityWatch(app, sessions)(scope, receive, send))


def test_a_click_counts_and_what_the_browser_repeats_by_itself_does_not(
    sessions: LoginSessions, clock: Clock
):
    click, repeated, other = BackMsg(), BackMsg(), BackMsg()
    click.rerun_script.page_name = "today"
    repeated.rerun_script.is_auto_rerun = True
    other.load_git_info = True
    clock.now = 1050
    for data in (repeated.SerializeToString(), other.SerializeToString(), b"\xff\xff", b""):
        pass_on(sessions, data)
    assert sessions.count_left(LOGIN, LIMIT) == 10

    pass_on(sessions, click.SerializeToString())
    assert sessions.count_left(LOGIN, LIMIT) == 60
