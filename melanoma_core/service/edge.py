"""What surrounds every request to the API: its id, its line in the log, its count, and its bugs."""

import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from melanoma_core.service.logs import log_error, log_event
from melanoma_core.service.metrics import Metrics
from melanoma_core.service.problems import Problem, answer_problem

_HEADER = b"x-request-id"
_KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
_DRAINED_BYTES = 64 * 2**20
_DRAIN_SECONDS = 10.0
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Edge:
    """Gives each request an id, and logs and counts its answer.

    A browser or a library loses an answer that comes while it still sends. So what remains of a
    request is received, and thrown away, before it is refused.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(_find_id(scope), receive, send)
        fields: dict[str, object] = {}  # of the line in the log
        known = {"request_id": exchange.request_id, "log": fields}
        asked = {**scope, "state": scope.get("state", {}) | known}
        if scope["method"] == "HEAD":  # the server leaves out the body of the answer to a GET
            asked["method"] = "GET"
        try:
            await self._app(asked, exchange.receive, exchange.send)
        except Exception as error:
            log_error(error, request_id=exchange.request_id)
            await exchange.explain_bug(asked)
        route = getattr(asked.get("route"), "path", "other")  # its pattern, not what was asked for
        method = scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
        seconds = time.monotonic() - exchange.started
        self._metrics.count_answer(method, route, exchange.status, seconds)
        log_event(
            "request",
            request_id=exchange.request_id,
            method=method,
            route=route,
            status=exchange.status,
            seconds=round(seconds, 4),
            **fields,
        )


class _Exchange:
    """One request and its answer."""

    def __init__(self, request_id: str, receive: Receive, send: Send) -> None:
        self.request_id = request_id
        self.status = 0
        self.started = time.monotonic()
        self._receive, self._send = receive, send
        self._is_received = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_received = message["type"] == "http.disconnect" or not message.get("more_body")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._drain()
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (_HEADER, self.request_id.encode()),
                *_HEADERS,
            ]
        await self._send(message)

    async def explain_bug(self, scope: Scope) -> None:
        if self.status:  # an answer has begun
            return
        problem = Problem(
            500, "The server met a bug. Give the request id to the person who runs it."
        )
        await answer_problem(problem, self.request_id)(scope, self.receive, self.send)

    async def _drain(self) -> None:
        deadline, drained = time.monotonic() + _DRAIN_SECONDS, 0
        while not self._is_received and drained < _DRAINED_BYTES and time.monotonic() < deadline:
            message = await self.receive()
            drained += len(message.get("body", b""))


def _find_id(scope: Scope) -> str:
    """Return the id that a proxy has given, if it is a UUID, which is no name; else a new one."""
    for name, value in scope["headers"]:
        if name == _HEADER:
            try:
                return str(uuid.UUID(value.decode("ascii")))
            except ValueError:
                break
    return str(uuid.uuid4())
