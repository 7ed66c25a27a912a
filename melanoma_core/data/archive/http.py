"""An address to its bytes: patient with a server that is busy, wary of one that is hostile."""

import threading
import time
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # before each new attempt, unless the server says
MAX_PAUSE_SECONDS = 60.0
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0  # the longest wait for the next byte
ANSWER_SECONDS = 600.0  # for one whole answer, however steadily it drips

_CHUNK_BYTES = 2**16
_PASSING_STATUSES = {429, 500, 502, 503, 504}


class FetchError(Exception):
    """An address gave no bytes that can be used; the message says why, in one sentence.

    Attributes:
        status: The HTTP status, if one came.
    """

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class _PassingError(FetchError):
    """It may be better soon."""

    def __init__(self, message: str, status: int | None = None, wait_seconds: float | None = None):
        super().__init__(message, status)
        self.wait_seconds = wait_seconds


class Fetcher:
    """Reads addresses, from any number of threads.

    It sends no credentials, not even from `.netrc`, and keeps no cookies. A proxy and its
    certificates are taken from the environment, as requests does. It follows no redirection, so
    that what comes is from where the caller has checked that it may come from.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._session = requests.Session()
        self._session.auth = _without_credentials
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = "melanoma-dashboard"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._session.close()

    def stop(self) -> None:
        """End every pause now and every answer at its next byte, and ask for nothing more."""
        self._stopped.set()

    def fetch(self, url: str, max_bytes: int, min_bytes: int = 0) -> bytes:
        """Read the answer at `url`, trying again where that may help.

        Throttling (429), trouble of the server (5xx), silence and an answer that breaks off, or
        has fewer than `min_bytes`, are tried again after a pause: as long as the server asks in
        `Retry-After`, else `PAUSES_SECONDS`; never more than `MAX_PAUSE_SECONDS`.

        Raises:
            FetchError: There is no such thing, it has more than `max_bytes`, or it did not come
                in as many attempts.
        """
        for pause in PAUSES_SECONDS:
            try:
                return self._fetch_once(url, max_bytes, min_bytes)
            except _PassingError as error:
                self._stopped.wait(pause if error.wait_seconds is None else error.wait_seconds)
        return self._fetch_once(url, max_bytes, min_bytes)

    def _fetch_once(self, url: str, max_bytes: int, min_bytes: int) -> bytes:
        self._check_stopped()
        try:
            with self._session.get(
                url, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)
            ) as response:
                _check_status(response)
                body = self._read_body(response.raw, max_bytes)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _PassingError("The server cannot be reached, or does not answer.") from error
        except requests.RequestException as error:
            raise FetchError("This is no address that can be asked.") from error
        except HTTPError as error:  # of urllib3, while the body is read
            raise _PassingError("The server broke off in the middle of its answer.") from error
        if len(body) < min_bytes:  # it broke off too, and had not said how much would come
            raise _PassingError(f"Only {len(body):,} of {min_bytes:,} bytes came.")
        return body

    def _read_body(self, raw: Any, max_bytes: int) -> bytes:  # a urllib3.HTTPResponse
        deadline = time.monotonic() + ANSWER_SECONDS
        body = bytearray()
        # read1 gives what is there: read would wait for a whole chunk, one drop at a time.
        while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            self._check_stopped()
            if len(body) > max_bytes:
                raise FetchError(f"The server sends more than the {max_bytes:,} bytes expected.")
            if time.monotonic() > deadline:
                raise FetchError("The server takes too long to send its answer.")
        return bytes(body)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise FetchError("The download was stopped.")


def _without_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request as it is; being there keeps requests from looking into `.netrc`."""
    return request


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == requests.codes.ok:
        return
    message = f"The server answered {status} ({response.reason or 'no reason given'})."
    if status in _PASSING_STATUSES:
        raise _PassingError(message, status, _parse_wait(response.headers.get("Retry-After")))
    raise FetchError(message, status)


def _parse_wait(retry_after: str | None) -> float | None:
    """Return the seconds that a server asks to wait for, at most `MAX_PAUSE_SECONDS`."""
    if retry_after is None:
        return None
    try:
        seconds = Retry().parse_retry_after(retry_after)
    except (InvalidHeader, ValueError, OverflowError):
        return None  # neither a number nor a date
    return min(seconds, MAX_PAUSE_SECONDS)
