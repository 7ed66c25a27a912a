"""The logs of a real server hold no name, no photograph and no token, whatever it is sent."""

import json
import logging
import socket
import time

import pytest
import requests

from melanoma_core.access.rights import Role
from melanoma_core.service.logs import JsonLines, log_error
from melanoma_core.service.tokens import create_token
from tests.core.service.conftest import Serve, Server

HOSTILE = "Erika-Mustermann"
KEYS = {
    *("time", "level", "logger", "event", "line", "app_version", "request_id", "method", "route"),
    *("status", "seconds", "subject", "model_id", "refusal"),
}


def send_everything(server: Server, drawn: bytes) -> str:
    """Send the name in every place where a sender chooses the text; return its token."""
    token, _ = create_token(server.folder / "tokens.json", HOSTILE, [Role.READER], None)
    name, url = HOSTILE, server.url
    sent = {"Authorization": f"Bearer {token}"}
    photograph = {"photograph": (f"{name}.jpg", drawn, f"image/{name}")}
    for fields in ({}, {"model": name}, {"prevalence": name}, {name: name}, {"heatmap": name}):
        requests.post(f"{url}/v1/readings", files=photograph, data=fields, headers=sent, timeout=60)
    broken = {"photograph": (f"{name}.jpg", name.encode())}
    requests.post(f"{url}/v1/readings", files=broken, headers=sent, timeout=60)
    requests.post(f"{url}/v1/readings?{name}={name}", files={name: (name, name)}, headers=sent)
    for headers in (
        {"Authorization": f"Bearer {name}"},
        {"Authorization": name},
        {"X-Request-ID": name},
        {"User-Agent": name},
        {"Host": name},
        {"Origin": name},
        {"Content-Type": name},
        {"X-Forwarded-For": name},
        {"Cookie": name},
        {name: name},
    ):
        requests.post(f"{url}/v1/readings", files=photograph, headers=headers, timeout=60)
        requests.get(f"{url}/{name}?{name}", headers=sent | headers, timeout=60)
        requests.get(f"{url}/v1/models/{name}", headers=sent | headers, timeout=60)
    requests.request(name, f"{url}/v1/readings", headers=sent, timeout=60)
    for request in (f"{name}\r\n\r\n", f"GET /{name} {name}\r\n\r\n", f"GET / HTTP/1.1\r\n{name}"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(request.encode())
    return token


@pytest.mark.slow
def test_no_line_holds_a_name_or_a_token(serve_api: Serve, drawn: bytes):
    with serve_api("--readers", "1") as server:
        token = send_everything(server, drawn)
        time.sleep(0.5)
        metrics = server.ask("/metrics").text
        lines = server.log.splitlines()
    log = server.log

    assert all(isinstance(json.loads(line), dict) for line in lines)
    for text in (log, metrics):
        assert HOSTILE.lower() not in text.lower()
        assert token not in text
        assert token.rsplit("_", 1)[1] not in text
        assert not [secret for secret in server.tokens.values() if secret in text]
        assert str(server.folder) not in text
    events = server.list_events()
    assert len(events) > 30
    assert {key for event in events for key in event} <= KEYS
    answers = [event for event in events if event["event"] == "request"]
    assert {event["route"] for event in answers} == {
        *("/v1/readings", "/v1/models/{model_id}", "/metrics", "/healthz", "other"),
    }
    assert {event["method"] for event in answers} == {"GET", "POST", "other"}
    read = [event for event in answers if event.get("model_id") and not event["refusal"]]
    assert read
    assert all(event["subject"].startswith("token|") for event in read)


def format_record(**fields: object) -> dict[str, object]:
    values = {"name": "melanoma", "levelname": "INFO", "msg": "", "args": ()} | fields
    line: dict[str, object] = json.loads(JsonLines().format(logging.makeLogRecord(values)))
    return line


def test_a_message_is_logged_as_its_pattern():
    filled = format_record(msg="Cannot read %s", args=(HOSTILE,))
    assert filled["event"] == "Cannot read %s"
    assert format_record(msg=f"Cannot read {HOSTILE}")["event"] == ""
    assert format_record(name="uvicorn.error", msg="Started.")["event"] == "Started."


def test_an_error_is_logged_by_its_kind_and_place_alone(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.ERROR)
    try:
        raise KeyError(HOSTILE)
    except KeyError as error:
        log_error(error, request_id="0f")
    line = JsonLines().format(caplog.records[-1])
    assert HOSTILE not in line
    document = json.loads(line)
    assert (document["error"], document["request_id"]) == ("KeyError", "0f")
    assert document["at"][0].endswith("test_an_error_is_logged_by_its_kind_and_place_alone")
