"""What a person reads when a node refuses or breaks off: against a real node of pynetdicom."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom import AE, evt

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.dimse import store
from melanoma_core.exchange.dicom.nodes import Node
from tests.core.exchange.dicom.conftest import ReadLesion, find_port

pytestmark = pytest.mark.slow
_CLASSES = (
    "1.2.840.10008.1.1",
    "1.2.840.10008.5.1.4.1.1.77.1.7",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.88.33",
)


@contextmanager
def _answering(answer: Callable[[evt.Event], object]) -> Generator[Node, None, None]:
    """Run a node that answers each C-STORE as a function says."""
    entity, port = AE(ae_title="PACS"), find_port()
    for each in _CLASSES:
        entity.add_supported_context(each, [JPEGBaseline8Bit, ExplicitVRLittleEndian])
    entity.add_supported_context(_CLASSES[0])
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, answer)]
    )
    try:
        yield Node(host="127.0.0.1", port=port, title="PACS")
    finally:
        server.shutdown()


def _make_status(code: int, comment: str = "") -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment
    return status


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0xA700, "out of resources"),
        (0xA900, "the file does not fit its SOP class"),
        (0xC001, "it cannot understand the file"),
        (0x0124, "not authorised"),
        (0x0110, "an error"),
    ],
)
def test_a_refused_file_is_named_with_the_status(
    lesion: ReadLesion, code: int, meaning: str
) -> None:
    datasets = [each.dataset for each in lesion.make_files()]
    refused = [_make_status(0), _make_status(code, "Disk full")]
    with _answering(lambda _: refused.pop(0)) as node, pytest.raises(ExchangeError) as caught:
        store(node, datasets)
    assert f"did not store file 2 of 5 (status {code:04X}H: {meaning}, “Disk full”)" in str(
        caught.value
    )
    assert "Files before it were stored" in str(caught.value)


def test_a_warning_of_the_node_is_no_error(lesion: ReadLesion) -> None:
    count = []

    def answer(event: evt.Event) -> int:
        count.append(event.dataset.SOPInstanceUID)
        return 0xB000  # coercion of data elements

    with _answering(answer) as node:
        store(node, [each.dataset for each in lesion.make_files()])
    assert len(count) == 5


def test_a_node_that_breaks_off_is_named(lesion: ReadLesion) -> None:
    gone = threading.Event()

    def answer(event: evt.Event) -> int:
        gone.set()
        event.assoc.abort()
        return 0

    datasets = [each.dataset for each in lesion.make_files()]
    with _answering(answer) as node, pytest.raises(ExchangeError) as caught:
        store(node, datasets)
    assert gone.is_set()
    assert "send again" in str(caught.value).lower()


def test_more_kinds_than_an_association_has_are_refused_before_any_connection() -> None:
    datasets = []
    for number in range(128):
        dataset = Dataset()
        dataset.SOPClassUID = f"1.2.3.{number}"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        datasets.append(dataset)
    with pytest.raises(ExchangeError, match="Found 128 kinds of DICOM files"):
        store(Node(host="127.0.0.1", port=1, title="PACS"), datasets)
