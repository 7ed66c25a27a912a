"""Send a transaction to a FHIR server, and say in words what it answered."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.fhir.server import FhirServer
from melanoma_core.names import neutralise

_TYPE = "application/fhir+json; fhirVersion=4.0"
_SECONDS = (10.0, 180.0)  # to connect, to answer
_MAX_ISSUES, _MAX_TEXT = 3, 300
_MAX_ANSWER = 64 << 20  # bytes
_REDIRECT, _FAILED = 300, 400
_ADVICE = {
    401: "Check MELANOMA_FHIR_TOKEN.",
    403: "The token may not write there. Ask for one that may.",
    404: "Check the address: it must be the base of the server.",
    405: "The server takes no transactions. Ask its administrator.",
    412: "Several of its resources have the identifier of one of ours. Ask its administrator.",
    413: "It is too large for the server. Send it without the photographs.",
}


@dataclass(frozen=True)
class Sent:
    """What a server did with a transaction.

    Attributes:
        num_created: Resources that it did not have.
        num_known: Resources that it had: brought up to date, or left as they were.
    """

    num_created: int
    num_known: int

    def describe(self) -> str:
        """Return it in words.

        >>> Sent(3, 1).describe()
        '3 resources are new there, 1 was there before'
        """
        are, were = (
            ("is" if self.num_created == 1 else "are"),
            ("was" if self.num_known == 1 else "were"),
        )
        noun = "resource" if self.num_created == 1 else "resources"
        return (
            f"{self.num_created:,} {noun} {are} new there, {self.num_known:,} {were} there before"
        )


def send_transaction(server: FhirServer, content: bytes) -> Sent:
    """Send a transaction: all of it is written, or nothing.

    Who sends from a record logs it first (`leaving.send_lesion`).

    Args:
        server: The server.
        content: A Bundle of type transaction, JSON in UTF-8.

    Raises:
        ExchangeError: There is no answer, or the server refused.
    """
    headers = {"Content-Type": _TYPE, "Accept": _TYPE, "Prefer": "return=minimal"}
    with requests.Session() as session:
        session.trust_env = False  # neither a proxy nor a .netrc that others have set
        if server.authorities is not None:
            session.verify = str(server.authorities)
        if server.token:
            headers["Authorization"] = f"Bearer {server.token}"
        try:
            answer = session.post(
                server.url,
                data=content,
                headers=headers,
                timeout=_SECONDS,
                allow_redirects=False,  # the token is for this address alone
                stream=True,
            )
            body = answer.raw.read(_MAX_ANSWER, decode_content=True)
        except HTTPError as error:  # urllib3's, for an answer that breaks off
            raise ExchangeError(
                f"The answer of {server.url} broke off. It may have written the lesion. Send it "
                "again: no second copy is made."
            ) from error
        except (requests.RequestException, OSError) as error:
            raise _explain_silence(server, error) from error
    return _read_answer(server, answer.status_code, _parse(body), len(json.loads(content)["entry"]))


def _parse(body: bytes) -> Any:
    """Return what a server answered; None if that is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _explain_silence(server: FhirServer, error: Exception) -> ExchangeError:
    is_tls = isinstance(error, requests.exceptions.SSLError)
    is_slow = isinstance(error, requests.ReadTimeout)
    if not isinstance(error, requests.RequestException):  # requests looks for the file itself
        return ExchangeError(
            f"Cannot use the certificates for {server.url} ({error}). MELANOMA_FHIR_AUTHORITIES "
            "must be a PEM file. Check it. Nothing was sent."
        )
    why = "its certificate is not trusted" if is_tls else "no connection"
    if is_slow:
        return ExchangeError(
            f"{server.url} did not answer in time. It may have written the lesion. Send it again: "
            "no second copy is made."
        )
    return ExchangeError(
        f"{server.url} does not answer ({why}). Check MELANOMA_FHIR_SERVER, whether the server "
        "runs, and MELANOMA_FHIR_AUTHORITIES where its certificate is one of your own."
    )


def _read_answer(server: FhirServer, status: int, answer: Any, num_sent: int) -> Sent:
    """Return what the server did.

    Raises:
        ExchangeError: It refused, or its answer is none to a transaction.
    """
    if status >= _REDIRECT:
        said = describe_outcome(answer)
        raise ExchangeError(
            f"{server.url} refused ({status}){f': {said}' if said else ''}. Nothing was written. "
            f"{_ADVICE.get(status, _explain_status(status))}"
        )
    statuses = _list_statuses(answer)
    if len(statuses) != num_sent:
        raise ExchangeError(
            f"{server.url} gave no answer to a transaction. Check MELANOMA_FHIR_SERVER: it must be "
            "the base address of a FHIR R4 server."
        )
    counts = Counter(each.split()[0] if each.split() else "" for each in statuses)
    if any(not each.startswith("2") for each in counts):
        said = "; ".join(filter(None, map(describe_outcome, _list_outcomes(answer))))
        raise ExchangeError(
            f"{server.url} did not write all of it{f': {said}' if said else ''}. Ask its "
            "administrator, then send it again: no second copy is made."
        )
    return Sent(counts["201"], num_sent - counts["201"])


def _explain_status(status: int) -> str:
    if status < _FAILED:
        return "It points to another address. Set that one as MELANOMA_FHIR_SERVER."
    return "Ask its administrator."


def _list_responses(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, dict) or answer.get("type") != "transaction-response":
        return []
    entries = answer.get("entry")
    entries = entries if isinstance(entries, list) else []
    responses = (each.get("response") for each in entries if isinstance(each, dict))
    return [each for each in responses if isinstance(each, dict)]


def _list_statuses(answer: Any) -> list[str]:
    return [str(each.get("status", "")) for each in _list_responses(answer)]


def _list_outcomes(answer: Any) -> list[Any]:
    return [each.get("outcome") for each in _list_responses(answer)]


def describe_outcome(outcome: Any) -> str:
    """Return the errors of an OperationOutcome in words; "" if it is none or has none.

    Args:
        outcome: What a server answered, as JSON has it.

    >>> issue = {"severity": "error", "code": "invalid", "expression": ["Patient.name"]}
    >>> describe_outcome({"resourceType": "OperationOutcome", "issue": [issue]})
    '“invalid” (at Patient.name)'
    """
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    known = [each for each in issues if isinstance(each, dict)] if isinstance(issues, list) else []
    errors = [each for each in known if each.get("severity") in {"error", "fatal"}]
    said = list(dict.fromkeys(_describe_issue(each) for each in errors))
    more = [f"{len(said) - _MAX_ISSUES:,} more"] if len(said) > _MAX_ISSUES else []
    return "; ".join((*said[:_MAX_ISSUES], *more))


def _describe_issue(issue: dict[str, Any]) -> str:
    details = issue.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    words = text or issue.get("diagnostics") or issue.get("code") or "an error"
    places = issue.get("expression") or issue.get("location")
    place = places[0] if isinstance(places, list) and places else ""
    where = f" (at {_clean(place)})" if place else ""
    return f"“{_clean(words)}”{where}"


def _clean(text: Any) -> str:
    line = " ".join(neutralise(str(text)).split())
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"
