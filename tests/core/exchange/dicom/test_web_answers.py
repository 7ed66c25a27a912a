"""Answers of addresses that are no DICOMweb service, or store a part: from a real HTTP server."""

import json
from collections.abc import Generator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from pydicom import Dataset

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.nodes import Node
from melanoma_core.exchange.dicom.web import check_service, store
from tests.dicom_files import EXPLICIT, make_photograph

JSON = "application/dicom+json"


class Answering(HTTPServer):
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    @property
    def node(self) -> Node:
        return Node(host="127.0.0.1", url=f"http://127.0.0.1:{self.server_port}/dicom-web")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        assert isinstance(self.server, Answering)
        self.send_response(self.server.status)
        for header in self.server.headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answering() -> Generator[Answering, None, None]:
    server = Answering(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def sent() -> list[Dataset]:
    datasets = []
    for _ in range(2):
        dataset = make_photograph(np.zeros((8, 8, 3), np.uint8))
        dataset.file_meta.TransferSyntaxUID = EXPLICIT
        dataset.StudyInstanceUID = "1.2.3"
        datasets.append(dataset)
    return datasets


def answer_with(
    stored: Sequence[Dataset], failed: Sequence[Dataset] = (), reason: int = 0
) -> bytes:
    answer = Dataset()
    answer.ReferencedSOPSequence = [name(each) for each in stored]
    answer.FailedSOPSequence = [name(each) for each in failed]
    for each in answer.FailedSOPSequence:
        each.FailureReason = reason
    return json.dumps(answer.to_json_dict()).encode()


def name(dataset: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    return item


@pytest.mark.parametrize("media_type", [JSON, "application/dicom+json; charset=utf-8"])
def test_what_is_named_as_stored_or_known_is_sent(
    answering: Answering, sent: list[Dataset], media_type: str
):
    answering.headers = [("Content-Type", media_type)]
    answering.body = answer_with(sent[:1], sent[1:], 0x0111)
    store(answering.node, sent)


def test_a_file_that_failed_is_not_overlooked_where_the_media_type_has_a_charset(
    answering: Answering, sent: list[Dataset]
):
    answering.headers = [("Content-Type", "application/dicom+json; charset=utf-8")]
    answering.body = answer_with(sent[:1], sent[1:], 0xA700)
    with pytest.raises(ExchangeError, match=r"did not store 1 of the files .* out of resources"):
        store(answering.node, sent)


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ([], b"", "did not confirm 2 of 2 files"),
        ([("Content-Type", "text/html")], b"<h1>Log in</h1>", "did not confirm 2 of 2 files"),
        ([], b"stored", "did not confirm 2 of 2 files"),
        ([("Content-Type", JSON)], b"{}", "did not confirm 2 of 2 files"),
        ([("Content-Type", JSON)], b"<h1>Log in</h1>", "no answer of a DICOMweb service"),
        ([("Content-Type", JSON)], b"[1]", "no answer of a DICOMweb service"),
        ([("Content-Type", "application/dicom+xml")], b"<h1>", "no answer of a DICOMweb service"),
        ([("Content-Length", "1000")], b"{", "its answer broke off"),
        ([("Content-Encoding", "gzip")], b"hello", "its answer broke off"),
    ],
)
def test_nothing_counts_as_sent_that_the_service_does_not_name(
    answering: Answering,
    sent: list[Dataset],
    headers: list[tuple[str, str]],
    body: bytes,
    said: str,
):
    answering.headers, answering.body = headers, body
    with pytest.raises(ExchangeError, match=said):
        store(answering.node, sent)


def test_a_redirect_to_a_login_is_followed_neither_to_store_nor_to_check(
    answering: Answering, sent: list[Dataset]
):
    answering.status, answering.headers = 302, [("Location", "/login")]
    for ask in (lambda: store(answering.node, sent), lambda: check_service(answering.node)):
        with pytest.raises(ExchangeError, match="answered 302 Found"):
            ask()


@pytest.mark.parametrize("body", [b"<h1>Log in</h1>", b"{}"])
def test_a_web_page_is_no_service(answering: Answering, body: bytes):
    answering.body = body
    with pytest.raises(ExchangeError, match="no answer of a DICOMweb service"):
        check_service(answering.node)


def test_a_service_without_studies_answers(answering: Answering):
    for answering.body in (b"", b"[]"):
        check_service(answering.node)


@pytest.mark.parametrize("field", ["authorities", "certificate"])
def test_a_missing_file_of_certificates_is_named(tmp_path: Path, field: str):
    missing = {field: tmp_path / "missing.pem"}
    node = Node(host="127.0.0.1", url="https://127.0.0.1:9/dicom-web", **missing)
    with pytest.raises(ExchangeError, match="must be PEM files"):
        check_service(node)
