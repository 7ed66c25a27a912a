"""Send DICOM files to a node by C-STORE (PS3.4, B), after a C-ECHO."""

import ssl
from collections.abc import Sequence
from logging import getLogger

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.nodes import Node

_SECONDS = 30.0
_MOST_CONTEXTS = 127  # of one association (PS3.8), beside that of C-ECHO
_TRANSIENT = 2  # result of a rejection (PS3.8, section 9.3.4): the same request may succeed later
_WARNINGS = (0xB000, 0xB006, 0xB007)  # stored all the same
# PS3.4, table B.2-1, and PS3.7, annex C.
_MEANINGS = {
    0xA7: "out of resources",
    0xA9: "the file does not fit its SOP class",
    0xC0: "it cannot understand the file",
}
_KNOWN = {
    0x0111: "it has an instance with this UID already",
    0x0117: "the UID of the instance is not valid",
    0x0122: "it does not support this SOP class",
    0x0124: "not authorised",
}
# PS3.8, section 9.3.4: by source and reason.
_REJECTIONS = {
    (1, 1): "no reason given",
    (1, 2): "it does not support this kind of association",
    (1, 3): "it does not know our title",
    (1, 7): "it does not know the title by which it was called",
    (2, 1): "no reason given",
    (2, 2): "it does not support the version of the protocol",
    (3, 1): "it is busy",
    (3, 2): "it has too many associations",
}
getLogger("pynetdicom").setLevel("CRITICAL")  # it logs what our errors say


def check_node(node: Node) -> None:
    """Ask a node whether it answers (C-ECHO).

    Raises:
        ExchangeError: It does not, or it refuses.
    """
    entity = _make_entity(node)
    entity.add_requested_context(Verification)
    association = _associate(entity, node)
    try:
        _echo(association, node)
    finally:
        association.release()


def store(node: Node, datasets: Sequence[Dataset]) -> None:
    """Send instances to a node in one association.

    Args:
        node: The node.
        datasets: The instances, each with its file meta information.

    Raises:
        ExchangeError: The node does not answer, refuses an instance, or supports none of its kind.
    """
    entity = _make_entity(node)
    entity.add_requested_context(Verification)
    # One context for each pair of class and coding that is sent: pynetdicom proposes no JPEG of
    # itself, its list lacks dermoscopic photographs, and an association has at most 128.
    pairs = dict.fromkeys((each.SOPClassUID, each.file_meta.TransferSyntaxUID) for each in datasets)
    if len(pairs) > _MOST_CONTEXTS:
        raise ExchangeError(
            f"Found {len(pairs)} kinds of DICOM files. At most {_MOST_CONTEXTS} are sent at a "
            "time. Send fewer files."
        )
    for sop_class, syntax in pairs:
        entity.add_requested_context(sop_class, syntax)
    association = _associate(entity, node)
    try:
        _echo(association, node)
        _check_contexts(association, node, list(pairs))
        for place, dataset in enumerate(datasets, start=1):
            _store(association, node, dataset, f"file {place} of {len(datasets)}")
    finally:
        association.release()


def _make_entity(node: Node) -> AE:
    entity = AE(ae_title=node.own_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _SECONDS
    entity.connection_timeout = _SECONDS
    return entity


def _associate(entity: AE, node: Node) -> Association:
    context = _make_tls(node) if node.uses_tls else None
    # Where a node rejects and closes at once, pynetdicom 3.0.4 sometimes finds the connection
    # closed before it reads the answer. Its event has the answer in any case.
    rejections: list[A_ASSOCIATE_RJ] = []

    def keep_rejection(event: evt.Event) -> None:
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            rejections.append(event.pdu)

    association = entity.associate(
        node.host,
        node.port,
        ae_title=node.title,
        tls_args=(context, node.host) if context else None,
        evt_handlers=[(evt.EVT_PDU_RECV, keep_rejection)],
    )
    if association.is_established:
        return association
    if rejections:
        raise ExchangeError(_describe_rejection(rejections[0], node))
    tls = " and its certificate (MELANOMA_DICOM_AUTHORITIES)" if node.uses_tls else ""
    raise ExchangeError(
        f"{node.name} does not answer as a DICOM node. Check its address{tls}, whether it runs, "
        "and whether a firewall lets the connection through. Nothing was sent."
    )


def _describe_rejection(rejection: A_ASSOCIATE_RJ, node: Node) -> str:
    source, reason = rejection.source, rejection.reason_diagnostic
    text = _REJECTIONS.get((source or 0, reason or 0), f"source {source}, reason {reason}")
    begin = f"{node.name} rejected the association: {text}."
    if rejection.result == _TRANSIENT:
        return f"{begin} Try again later. Nothing was sent."
    return (
        f"{begin} We call as {node.own_title}. Have the node know this title and this machine, or "
        "change MELANOMA_DICOM_TITLE."
    )


def _make_tls(node: Node) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=str(node.authorities) if node.authorities else None
        )
        if node.certificate is not None:
            context.load_cert_chain(str(node.certificate))
    except OSError as error:  # an ssl.SSLError is one
        raise ExchangeError(
            f"Cannot use the certificates for {node.name} ({error.strerror or error}). "
            "MELANOMA_DICOM_AUTHORITIES and MELANOMA_DICOM_CERTIFICATE must be PEM files; the "
            "second holds our certificate and its key. Check both."
        ) from error
    return context


def _echo(association: Association, node: Node) -> None:
    status = association.send_c_echo()
    if not status or status.Status != 0:
        raise ExchangeError(
            f"{node.name} does not answer C-ECHO{_describe_status(status)}. Ask its administrator. "
            "Nothing was sent."
        )


def _check_contexts(
    association: Association, node: Node, pairs: Sequence[tuple[object, object]]
) -> None:
    """Refuse to send a part where the node supports not all."""
    accepted = {
        (each.abstract_syntax, syntax)
        for each in association.accepted_contexts
        for syntax in each.transfer_syntax
    }
    missing = [pair for pair in pairs if pair not in accepted]
    if missing:
        names = "; ".join(f"{sop.name} in {syntax.name}" for sop, syntax in missing)  # type: ignore[attr-defined]
        raise ExchangeError(
            f"{node.name} does not accept: {names}. Have its administrator allow these SOP classes "
            "and transfer syntaxes. Nothing was sent."
        )


def _store(association: Association, node: Node, dataset: Dataset, name: str) -> None:
    try:
        status = association.send_c_store(dataset)
    except RuntimeError as error:  # the association has ended
        raise ExchangeError(
            f"{node.name} ended the association before {name}. Files before it were stored. Send "
            "again: what is there already is not stored twice."
        ) from error
    if status and (status.Status == 0 or status.Status in _WARNINGS):
        return
    raise ExchangeError(
        f"{node.name} did not store {name}{_describe_status(status)}. Files before it were stored. "
        "Ask its administrator, then send again: what is there already is not stored twice."
    )


def _describe_status(status: Dataset) -> str:
    """Return what a node answered, in brackets."""
    if not status:
        return " (no answer)"
    code = int(status.Status)
    meaning = _KNOWN.get(code) or _MEANINGS.get(code >> 8) or "an error"
    if code >> 12 == 0xC:
        meaning = _MEANINGS[0xC0]
    comment = str(status.get("ErrorComment", "")).strip()
    return f" (status {code:04X}H: {meaning}{f', “{comment}”' if comment else ''})"
