"""An HTTP client that retries busy servers and limits what hostile servers can do."""

import threading
import time
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # before each retry, without `Retry-After`
_MAX_PAUSE_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0  # between two bytes
_RESPONSE_SECONDS = 600.0  # for a whole response

_CHUNK_BYTES = 2**16
_TRANSIENT_STATUSES = {429, 500, 502, 503, 504}


class FetchError(Exception):
    """A URL could not be fetched; the message gives the reason in one sentence.

    Attributes:
        status: The HTTP status code, if there was a response.
    """

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class _TransientError(FetchError):
    """A failure that a retry may overcome."""

    def __init__(self, message: str, status: int | None = None, wait_seconds: float | None = None):
        super().__init__(message, status)
        self.wait_seconds = wait_seconds


class Fetcher:
    """An HTTP client for any number of threads.

    It sends no credentials, not even from `.netrc`, and stores no cookies. Proxies and their
    certificates come from the environment, as in requests. It follows no redirect, so that every
    response comes from the URL that the caller has checked.
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
        """End all pauses now and all responses at their next byte, and send no more requests."""
        self._stopped.set()

    def fetch(self, url: str, max_bytes: int, min_bytes: int = 0) -> bytes:
        """Return the body of the response to a GET request, with retries.

        Status 429 and 5xx, timeouts, and truncated bodies are retried after a pause: as long as
        `Retry-After` asks for, up to 60 s; otherwise 1, 2, 4, 8 and 16 s.

        Args:
            url: What to request.
            max_bytes: Maximum size of the body.
            min_bytes: Minimum size of the body; a shorter one counts as truncated.

        Raises:
            FetchError: The URL cannot be fetched, the body is larger than `max_bytes`, or all
                retries failed.
        """
        for pause in _PAUSES_SECONDS:
            try:
                return self._fetch_once(url, max_bytes, min_bytes)
            except _TransientError as error:
                self._stopped.wait(pause if error.wait_seconds is None else error.wait_seconds)
        return self._fetch_once(url, max_bytes, min_bytes)

    def _fetch_once(self, url: str, max_bytes: int, min_bytes: int) -> bytes:
        self._check_stopped()
        try:
            with self._session.get(
                url, stream=True, allow_redirects=False, timeout=(_CONNECT_SECONDS, _READ_SECONDS)
            ) as response:
                _check_status(response)
                body = self._read_body(response.raw, max_bytes)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _TransientError("The server cannot be reached or does not respond.") from error
        except requests.RequestException as error:
            raise FetchError("The URL is not valid.") from error
        except HTTPError as error:  # raised by urllib3 while the body is read
            raise _TransientError("The server closed the connection too early.") from error
        if len(body) < min_bytes:  # truncated, without a Content-Length header
            raise _TransientError(f"Only {len(body):,} of {min_bytes:,} bytes arrived.")
        return body

    def _read_body(self, raw: Any, max_bytes: int) -> bytes:  # a urllib3.HTTPResponse
        deadline = time.monotonic() + _RESPONSE_SECONDS
        body = bytearray()
        # read1 returns what has arrived, whereas read would wait for a whole chunk.
        while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            self._check_stopped()
            if len(body) > max_bytes:
                raise FetchError(f"The server sent more than the expected {max_bytes:,} bytes.")
            if time.monotonic() > deadline:
                raise FetchError("The server took too long to send its response.")
        return bytes(body)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise FetchError("The download was cancelled.")


def _without_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request unchanged; having an `auth` keeps requests from reading `.netrc`."""
    return request


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == requests.codes.ok:
        return
    message = f"The server responded with status {status} ({response.reason or 'no reason given'})."
    if status in _TRANSIENT_STATUSES:
        raise _TransientError(message, status, _parse_wait(response.headers.get("Retry-After")))
    raise FetchError(message, status)


def _parse_wait(retry_after: str | None) -> float | None:
    """Parse the header `Retry-After` into seconds, at most `_MAX_PAUSE_SECONDS`."""
    if retry_after is None:
        return None
    try:
        seconds = Retry().parse_retry_after(retry_after)
    except (InvalidHeader, ValueError, OverflowError):
        return None  # neither a number nor a date
    return min(seconds, _MAX_PAUSE_SECONDS)
