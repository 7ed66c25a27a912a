"""Send DICOM files to a DICOMweb service by STOW-RS (PS3.18, 10.5)."""

from collections import defaultdict
from collections.abc import Sequence
from logging import getLogger
from xml.etree.ElementTree import ParseError

import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.nodes import Node

_SECONDS = 60.0
_MAX_ANSWER = 300  # characters of what a service answers
# PS3.18, table 10.5.3-1 and PS3.4, table B.2-1.
_REASONS = {
    0xA700: "out of resources",
    0xA900: "the file does not fit its SOP class",
    0xC000: "it cannot understand the file",
    0x0110: "processing failed",
    0x0111: "it has an instance with this UID already",
    0x0122: "it does not support this SOP class",
    0x0124: "not authorised",
}
_IS_THERE = 0x0111
_BROKEN = (
    requests.ReadTimeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
for _name in ("dicomweb_client", "retrying"):  # they log what our errors say
    getLogger(_name).setLevel("CRITICAL")


def check_service(node: Node) -> None:
    """Ask a service whether it answers (QIDO-RS, no study).

    Raises:
        ExchangeError: It does not, or it refuses.
    """
    try:
        answer = _open(node).get(
            f"{node.url}/studies",
            params={"limit": "1"},
            headers={"Accept": "application/dicom+json"},
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        found = answer.json() if answer.content else []
    except (requests.RequestException, OSError) as error:
        raise _explain(node, error) from error
    if not isinstance(found, list):
        raise _explain_foreign(node)


def store(node: Node, datasets: Sequence[Dataset]) -> None:
    """Send instances to a service, a request for each study.

    Args:
        node: The service.
        datasets: The instances, each with its file meta information.

    Raises:
        ExchangeError: The service does not answer, refuses an instance, or does not confirm it.
    """
    client = DICOMwebClient(url=node.url, session=_open(node), timeout=_SECONDS)
    client.set_http_retry_params(retry=False)
    studies: dict[str, list[Dataset]] = defaultdict(list)
    for dataset in datasets:
        studies[dataset.StudyInstanceUID].append(dataset)
    for study in studies.values():
        try:
            answer = client.store_instances(study)
        except requests.JSONDecodeError as error:
            raise _explain_foreign(node) from error
        except (requests.RequestException, OSError) as error:
            if isinstance(error, requests.ConnectionError):
                check_service(node)  # a refused login can end a large upload without an answer
            raise _explain(node, error) from error
        except (AttributeError, LookupError, TypeError, ValueError, ParseError) as error:
            raise _explain_foreign(node) from error  # what pydicom raises for another document
        _check_answer(node, study, answer)


def _open(node: Node) -> requests.Session:
    """Return a session with the certificates and the login of a service."""
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor a .netrc that others have set
    session.max_redirects = 0  # after one, what is stored would be asked for instead (a GET)
    session.hooks["response"].append(_drop_parameters)
    if node.authorities is not None:
        session.verify = str(node.authorities)
    if node.certificate is not None:
        session.cert = str(node.certificate)
    if node.user is not None:
        session.auth = node.user
    elif node.token:
        session.headers["Authorization"] = f"Bearer {node.token}"
    return session


def _drop_parameters(response: requests.Response, **_: object) -> None:
    """Leave of the media type what dicomweb-client knows; it takes no answer with a charset."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    response.headers["Content-Type"] = kind.strip().lower()


def _check_answer(node: Node, sent: Sequence[Dataset], answer: Dataset) -> None:
    """Refuse an answer that does not name each instance as stored (PS3.18, I.2)."""
    failed = [
        each
        for each in answer.get("FailedSOPSequence", [])
        if int(each.get("FailureReason", 0)) != _IS_THERE
    ]
    if failed:
        code = int(failed[0].get("FailureReason", 0))
        meaning = _REASONS.get(code, _REASONS.get(code & 0xFF00, "an error"))
        raise ExchangeError(
            f"{node.name} did not store {len(failed)} of the files (reason {code:04X}H: "
            f"{meaning}). Ask its administrator, then send again: what is there already is not "
            "stored twice."
        )
    named = [*answer.get("ReferencedSOPSequence", []), *answer.get("FailedSOPSequence", [])]
    stored = {each.get("ReferencedSOPInstanceUID") for each in named}
    missing = [each for each in sent if each.SOPInstanceUID not in stored]
    if missing:
        raise ExchangeError(
            f"{node.name} did not confirm {len(missing)} of {len(sent)} files. Check that its "
            "address is that of a DICOMweb service, then send again: what is there already is not "
            "stored twice."
        )


def _explain_foreign(node: Node) -> ExchangeError:
    return ExchangeError(
        f"{node.name} gave no answer of a DICOMweb service. Check the address: a page to log in "
        "may be in its place."
    )


def _explain(node: Node, error: Exception) -> ExchangeError:
    """Return what a service answered, or why there was no answer."""
    if isinstance(error, requests.JSONDecodeError):
        return _explain_foreign(node)
    if isinstance(error, _BROKEN):
        return ExchangeError(
            f"{node.name} did not answer within {_SECONDS:.0f} seconds, or its answer broke off. "
            "Files may have been stored. Send again: what is there already is not stored twice."
        )
    if not isinstance(error, requests.RequestException):  # requests looks for these files itself
        return ExchangeError(
            f"Cannot use the certificates for {node.name} ({error}). MELANOMA_DICOM_AUTHORITIES "
            "and MELANOMA_DICOM_CERTIFICATE must be PEM files. Check both."
        )
    response = error.response
    if response is None:
        kind = "its certificate is not trusted" if _is_tls(error) else "no connection"
        return ExchangeError(
            f"{node.name} does not answer ({kind}). Check its address, whether it runs, and "
            "MELANOMA_DICOM_AUTHORITIES where its certificate is one of your own."
        )
    said = " ".join(response.text.split())[:_MAX_ANSWER]
    return ExchangeError(
        f"{node.name} answered {response.status_code} {response.reason}"
        f"{f': “{said}”' if said else ''}. Check the address, and the user, password or "
        "MELANOMA_DICOM_TOKEN."
    )


def _is_tls(error: requests.RequestException) -> bool:
    return isinstance(error, requests.exceptions.SSLError)
