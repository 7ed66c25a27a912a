"""Answers that a server may give, and addresses that may be set: from a real HTTP server."""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from melanoma_core.errors import ExchangeError, SettingsError
from melanoma_core.exchange.fhir.sending import Sent, describe_outcome, send_transaction
from melanoma_core.exchange.fhir.server import FhirServer, find_server
from melanoma_core.settings import load_settings

CONTENT = b'{"resourceType": "Bundle", "type": "transaction", "entry": [{}, {}]}'
Answer = tuple[int, bytes]
Serve = Callable[[int, bytes], FhirServer]


class Answering(HTTPServer):
    answer: Answer = (200, b"")
    headers: Sequence[tuple[str, str]] = ()
    asked: list[dict[str, str]]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Answering)
        self.server.asked.append(dict(self.headers))
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answer
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        for header in self.server.headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answering() -> Generator[Answering, None, None]:
    server = Answering(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(server: Answering, status: int, body: object) -> Sent:
    server.answer = (status, body if isinstance(body, bytes) else json.dumps(body).encode())
    address = f"http://127.0.0.1:{server.server_port}/r4"
    return send_transaction(FhirServer(url=address, token="abc"), CONTENT)


def answer_with(*statuses: str, outcome: object = None) -> dict[str, object]:
    entries = [{"response": {"status": each, "outcome": outcome}} for each in statuses]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def test_what_was_new_and_what_was_there_is_counted(answering: Answering):
    assert send(answering, 200, answer_with("201 Created", "200 OK")) == Sent(1, 1)
    (asked,) = answering.asked
    assert asked["Authorization"] == "Bearer abc"
    assert asked["Content-Type"] == "application/fhir+json; fhirVersion=4.0"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>Welcome</html>", "gave no answer to a transaction"),
        (200, b"[1]", "gave no answer to a transaction"),
        (200, answer_with("201"), "gave no answer to a transaction"),
        (200, b"[" * 100_000, "gave no answer to a transaction"),
        (200, {"type": "transaction-response", "entry": 5}, "gave no answer"),
        (302, b"", "points to another address"),
        (404, b"not here", r"refused \(404\)\. Nothing was written\. Check the address"),
        (413, b"", "without the photographs"),
        (500, b"\xff\xfe", r"refused \(500\)"),
    ],
)
def test_an_answer_of_another_kind_is_named(
    answering: Answering, status: int, body: object, said: str
):
    with pytest.raises(ExchangeError, match=said):
        send(answering, status, body)
    assert len(answering.asked) == 1  # no redirect was followed


def test_the_errors_of_an_outcome_are_said_in_words(answering: Answering):
    issues = [
        {"severity": "warning", "code": "business-rule", "diagnostics": "never mind"},
        {"severity": "error", "code": "invalid", "details": {"text": "No\x1b such\ncode"}},
        {"severity": "fatal", "code": "exception", "expression": ["Patient.name"]},
    ]
    outcome = {"resourceType": "OperationOutcome", "issue": issues}
    with pytest.raises(ExchangeError, match=r"“No.* such code”; “exception” \(at Patient\.name\)"):
        send(answering, 422, outcome)
    with pytest.raises(ExchangeError, match="did not write all of it: “No"):
        send(answering, 200, answer_with("201", "422", outcome=outcome))


@pytest.mark.parametrize("outcome", [None, [], {}, {"issue": 5}, {"issue": [None, "a", {}]}])
def test_an_outcome_without_errors_says_nothing(outcome: object):
    assert describe_outcome(outcome) == ""


def test_a_server_that_is_not_there_is_named_without_its_token():
    with pytest.raises(ExchangeError, match="does not answer") as caught:
        send_transaction(FhirServer(url="http://127.0.0.1:9", token="abc"), CONTENT)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "header", [("Content-Length", "1000"), ("Content-Encoding", "gzip")], ids=lambda each: each[0]
)
def test_an_answer_that_breaks_off_is_named(answering: Answering, header: tuple[str, str]):
    answering.headers = [header]
    with pytest.raises(ExchangeError, match=r"broke off\. It may have written the lesion"):
        send(answering, 200, answer_with("201 Created", "200 OK"))


def test_a_missing_file_of_authorities_is_named(tmp_path: Path):
    server = FhirServer(url="https://127.0.0.1:9/r4", authorities=tmp_path / "missing.pem")
    with pytest.raises(ExchangeError, match="MELANOMA_FHIR_AUTHORITIES must be a PEM file"):
        send_transaction(server, CONTENT)


def test_no_server_is_set_at_first():
    settings = replace(load_settings(), fhir_server=None)
    assert find_server(settings) is None


@pytest.mark.parametrize(
    "address",
    ["fhir.clinic", "ftp://a/b", "https://a:b@c/d", "https://a?b=c", "https://a b/", "x"],
)
def test_an_address_that_cannot_be_used_is_refused(address: str):
    with pytest.raises(SettingsError, match="It must be the base address"):
        find_server(replace(load_settings(), fhir_server=address))


def test_a_token_goes_by_https_or_to_this_machine_alone():
    settings = replace(load_settings(), fhir_server="http://fhir.clinic/r4", fhir_token="abc")
    with pytest.raises(SettingsError, match="https://"):
        find_server(settings)
    for address in ("https://fhir.clinic/r4", "http://localhost:80", "http://127.0.0.1"):
        found = find_server(replace(settings, fhir_server=address))
        assert found is not None
        assert (found.token, "abc" in repr(found)) == ("abc", False)
    other = find_server(settings, "http://elsewhere/r4")
    assert other is not None
    assert other.token == ""


def test_a_token_may_be_in_a_file(tmp_path: Path):
    file = tmp_path / "token"
    settings = replace(load_settings(), fhir_server="https://a/", fhir_token_file=file)
    with pytest.raises(SettingsError, match="Cannot read MELANOMA_FHIR_TOKEN_FILE"):
        find_server(settings)
    file.write_text("abc\n")
    found = find_server(settings)
    assert found == FhirServer(url="https://a", token="abc")
    file.write_text("a b")
    with pytest.raises(SettingsError, match="white space"):
        find_server(settings)
