"""The report view of a lesion offers DICOM files, and to send them where a node is set."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.lesion.dicom import _make_zip
from dashboard.lesion.opened import OpenedLesion
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.core.exchange.dicom.conftest import StoreScp, find_port, storescp
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion

__all__ = ["storescp"]  # a fixture


def _list_exports(record: Record) -> list[str]:
    return [each.detail for each in record.list_log() if each.action is Action.EXPORTED]


def _find_send(app: AppTest) -> list[AppTest]:
    return [each for each in app.button if each.label.startswith("Send to")]


def test_without_a_node_nothing_can_be_sent(open_lesion: OpenLesion):
    app = open_lesion(view="report")
    assert not app.exception
    assert _find_send(app) == []


def test_the_archive_of_a_lesion_holds_its_photograph(record: Record, lesion: DrawnLesion):
    opened = OpenedLesion(record, record.load_case(lesion.lesion_id), None)
    assert _make_zip(opened)[:4] == b"PK\3\4"


@pytest.mark.slow
def test_a_click_sends_the_lesion_and_says_so(
    open_lesion: OpenLesion, record: Record, storescp: StoreScp, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_DICOM_NODE", storescp.address)
    app = open_lesion(view="report")
    assert storescp.list_files() == []
    (send,) = _find_send(app)
    assert send.label == "Send to PACS"
    app = send.click().run()
    assert not app.exception
    html = "".join(each.proto.body for each in app.get("html"))
    assert "1 DICOM files were sent to PACS at 127.0.0.1" in html
    assert len(storescp.list_files()) == 1
    assert _list_exports(record)[0].startswith("1 DICOM files to PACS at 127.0.0.1")


@pytest.mark.slow
def test_a_node_that_is_gone_is_an_error_on_the_page(
    open_lesion: OpenLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_DICOM_NODE", f"dicom://PACS@127.0.0.1:{find_port()}")
    (send,) = _find_send(open_lesion(view="report"))
    app = send.click().run()
    assert not app.exception
    html = "".join(each.proto.body for each in app.get("html"))
    assert "does not answer as a DICOM node" in html


def test_a_wrong_address_is_an_error_on_the_page(
    open_lesion: OpenLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_DICOM_NODE", "pacs.clinic")
    app = open_lesion(view="report")
    assert not app.exception
    assert "It must be an address such as" in "".join(e.proto.body for e in app.get("html"))
