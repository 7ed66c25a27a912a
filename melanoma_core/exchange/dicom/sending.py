"""Send DICOM files to the node that is set, only when a person asks for it."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.exchange.dicom.nodes import Node


def check(node: Node) -> None:
    """Ask a node whether it answers; no data of a patient is sent.

    Raises:
        ExchangeError: It does not.
    """
    if node.is_web:
        from melanoma_core.exchange.dicom.web import check_service

        check_service(node)
    else:
        from melanoma_core.exchange.dicom.dimse import check_node

        check_node(node)


def send(node: Node, datasets: Sequence[Dataset]) -> None:
    """Send instances to a node. What it has already is not stored twice: UIDs are of the content.

    Who sends from a record logs it first (`Record.log_export`).

    Raises:
        AccessError: The person who acts may take no data out.
        ExchangeError: What the node answered.
    """
    require(Right.EXPORT)
    if node.is_web:
        from melanoma_core.exchange.dicom.web import store
    else:
        from melanoma_core.exchange.dicom.dimse import store
    store(node, datasets)
