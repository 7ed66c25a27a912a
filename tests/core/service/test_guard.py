"""Which host names and which other sites reach the API."""

from typing import Any

import pytest

from melanoma_core.service.guard import Guard
from tests.loops import run_async


def ask(names: tuple[str, ...], **headers: str) -> int:
    """Return the status of an answer; 200 is that of the application behind."""
    statuses: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "state": {"request_id": "0f"}}
    run_async(Guard(app, names)(scope, lambda: None, send))  # type: ignore[arg-type]
    return statuses[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST."])
def test_this_machine_is_always_known(host: str):
    assert ask((), host=host) == 200


@pytest.mark.parametrize("host", ["", "rebound.example", "localhost.rebound.example", "[::1", "é"])
def test_another_name_is_refused(host: str):
    assert ask((), host=host) == 403
    assert ask(("*",), host=host) == 200


def test_a_pattern_stands_for_all_names_below():
    names = ("*.clinic.example", "Skin.example.")
    statuses = {
        host: ask(names, host=host)
        for host in ("a.clinic.example", "a.b.clinic.example", "clinic.example", "skin.example:443")
    }
    assert statuses == {
        "a.clinic.example": 200,
        "a.b.clinic.example": 200,
        "clinic.example": 403,
        "skin.example:443": 200,
    }


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost:1"])
def test_a_page_of_another_site_is_refused(origin: str):
    assert ask((), host="localhost:8501", origin=origin) == 403
    assert ask((), host="localhost:8501", origin="http://localhost:8501") == 200
