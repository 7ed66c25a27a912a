"""The key of a browser session, from a real server and from the texts of its cookie."""

from http.cookies import SimpleCookie

import pytest

from dashboard.shared.session_key import is_key, name_cookie, read_key
from tests.dashboard.servers import Server, open_socket, run_apart, serve

KEY = "k" * 43


def shake_hands(server: Server, **headers: str) -> SimpleCookie:
    """Return the cookies that the server sets when a page opens its WebSocket."""

    async def open_page() -> SimpleCookie:
        origin = {"Host": server.host, "Origin": f"http://{server.host}"}
        async with open_socket(server, origin | headers) as connection:
            assert connection.response is not None
            return SimpleCookie("; ".join(connection.response.headers.get_all("Set-Cookie")))

    return run_apart(open_page())


@pytest.mark.parametrize("text", ["", "short", "k" * 42, "k" * 44, "k" * 42 + ";", "ä" * 43])
def test_what_could_be_guessed_is_no_key(text):
    assert not is_key(text)
    assert read_key(f"melanoma-session-8501={text}", "melanoma-session-8501") is None


def test_the_key_is_found_among_other_cookies_even_damaged_ones():
    cookies = f"a=1; =; {{bad}}; melanoma-session-8501={KEY}; b"
    assert read_key(cookies, "melanoma-session-8501") == KEY
    assert read_key(cookies, "melanoma-session-8502") is None


def test_two_servers_at_one_machine_have_cookies_of_their_own():
    assert name_cookie("localhost:8501") == "melanoma-session-8501"
    assert name_cookie("[::1]:8502") == "melanoma-session-8502"
    assert name_cookie("example.org") == "melanoma-session"
    assert name_cookie("") == "melanoma-session"


@pytest.mark.slow
def test_a_server_gives_each_browser_one_key_that_no_script_and_no_other_site_can_use():
    with serve() as server:
        name = name_cookie(server.host)
        first, second = shake_hands(server)[name], shake_hands(server)[name]
        assert is_key(first.value)
        assert first.value != second.value
        assert first["httponly"] is True
        assert first["samesite"] == "Strict"
        assert first["path"] == "/"
        assert first["max-age"] == first["expires"] == first["domain"] == ""
        assert name not in shake_hands(server, Cookie=f"{name}={first.value}")
        assert is_key(shake_hands(server, Cookie=f"{name}=short")[name].value)
