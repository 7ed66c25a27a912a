"""The address of a node."""

from dataclasses import replace

import pytest

from melanoma_core.errors import SettingsError
from melanoma_core.exchange.dicom.nodes import Node, find_node
from melanoma_core.settings import load_settings


def _find(address: str, **changes: object) -> Node:
    node = find_node(replace(load_settings(), **changes), address)
    assert node is not None
    return node


def test_without_an_address_there_is_no_node() -> None:
    assert find_node(replace(load_settings(), dicom_node=None)) is None


def test_the_address_of_the_settings_counts_unless_another_is_given() -> None:
    settings = replace(load_settings(), dicom_node="dicom://PACS@pacs.clinic:11112")
    set_, given = find_node(settings), find_node(settings, "dicom://OTHER@10.0.0.1")
    assert set_ is not None
    assert given is not None
    assert (set_.title, set_.host, set_.port) == ("PACS", "pacs.clinic", 11112)
    assert given.name == "OTHER at 10.0.0.1:104"


@pytest.mark.parametrize(
    ("address", "name", "uses_tls"),
    [
        ("dicom://PACS@host", "PACS at host:104", False),
        ("dicoms://PACS@host", "PACS at host:2762 (TLS)", True),
        ("dicom://PACS@[::1]:11112", "PACS at [::1]:11112", False),
    ],
)
def test_a_port_may_be_left_out(address: str, name: str, uses_tls: bool) -> None:
    node = _find(address)
    assert (node.name, node.uses_tls, node.is_web) == (name, uses_tls, False)


def test_another_address_than_that_of_the_settings_gets_no_token() -> None:
    ours, other = "https://pacs.clinic/dicom-web", "https://elsewhere.example/dicom-web"
    settings = replace(load_settings(), dicom_node=ours, dicom_token="secret")
    nodes = find_node(settings), find_node(settings, ours), find_node(settings, other)
    assert [each.token for each in nodes if each] == ["secret", "secret", ""]


def test_a_service_keeps_its_password_out_of_every_text() -> None:
    node = _find("https://ada:se%2Fcret@pacs.clinic/dicom-web/")
    assert node.name == "https://pacs.clinic/dicom-web"
    assert node.user == ("ada", "se/cret")
    assert "cret" not in repr(node)
    assert "word" not in repr(_find("https://pacs.clinic/dicom-web", dicom_token="password"))


@pytest.mark.parametrize(
    "address",
    [
        "pacs.clinic",
        "ftp://PACS@host",
        "dicom://host:104",
        "dicom://@host",
        "dicom://PACS@",
        "dicom://PACS@host:port",
        "dicom://PACS@host:104/path",
        "dicom://A-TITLE-OF-MORE-THAN-16@host",
        "https://",
    ],
)
def test_an_address_that_cannot_be_used_is_explained(address: str) -> None:
    with pytest.raises(SettingsError, match=r"It must be an address such as dicom://<TITLE>@"):
        _find(address)


@pytest.mark.parametrize("title", [" ", "A-TITLE-OF-MORE-THAN-16", "A\\B", "Ä"])
def test_our_own_title_must_be_one(title: str) -> None:
    with pytest.raises(SettingsError, match="1 to 16 characters of ASCII"):
        _find("dicom://PACS@host", dicom_title=title)
