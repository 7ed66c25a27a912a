"""The report view of a lesion offers a FHIR file, and to send it where a server is set."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.lesion.fhir import _log, _make_file
from dashboard.lesion.opened import OpenedLesion
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.core.exchange.fhir.conftest import TOKEN, Server, running, server
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion

__all__ = ["running", "server"]  # fixtures


def find_send(app: AppTest) -> list[AppTest]:
    return [each for each in app.button if each.label == "Send FHIR"]


def list_exports(record: Record) -> list[str]:
    return [each.detail for each in record.list_log() if each.action is Action.EXPORTED]


def read_html(app: AppTest) -> str:
    return "".join(each.proto.body for each in app.get("html"))


def test_without_a_server_nothing_can_be_sent(open_lesion: OpenLesion):
    app = open_lesion(view="report")
    assert not app.exception
    assert find_send(app) == []


def test_the_file_of_a_lesion_holds_its_photograph(record: Record, lesion: DrawnLesion):
    opened = OpenedLesion(record, record.load_case(lesion.lesion_id), None)
    bundle = json.loads(_make_file(opened))
    kinds = [each["resource"]["resourceType"] for each in bundle["entry"]]
    assert kinds == ["Patient", "Media", "CodeSystem"]
    assert "data" in bundle["entry"][1]["resource"]["content"]
    _log(opened, "dr.a")
    assert list_exports(record) == ["FHIR file"]


@pytest.mark.slow
def test_a_click_sends_the_lesion_and_says_so(
    open_lesion: OpenLesion, record: Record, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FHIR_SERVER", server.url)
    monkeypatch.setenv("MELANOMA_FHIR_TOKEN", TOKEN)
    app = open_lesion(view="report")
    assert server.count("Patient") == 0
    (send,) = find_send(app)
    app = send.click().run()
    assert not app.exception
    assert "2 resources are new there, 0 were there before" in read_html(app)
    assert (server.count("Patient"), server.count("Media")) == (1, 1)
    assert list_exports(record)[0].startswith("FHIR to 127.0.0.1:")


def test_a_server_that_is_gone_is_an_error_on_the_page(
    open_lesion: OpenLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FHIR_SERVER", "http://127.0.0.1:9")
    (send,) = find_send(open_lesion(view="report"))
    app = send.click().run()
    assert not app.exception
    assert "does not answer (no connection)" in read_html(app)


def test_a_wrong_address_is_an_error_on_the_page(
    open_lesion: OpenLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FHIR_SERVER", "fhir.clinic")
    app = open_lesion(view="report")
    assert not app.exception
    assert "It must be the base address" in read_html(app)
