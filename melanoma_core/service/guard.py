"""Which host names and which other sites may reach the API."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from melanoma_core.service.problems import Problem, answer_problem

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ANY = "*"


class Guard:
    """Refuses requests under a foreign host name, and from the pages of other sites.

    A page of another site can point its own host name at this machine (DNS rebinding), and can make
    a browser send a photograph here.

    Args:
        app: What answers all others.
        names: Host names under which the server is reached besides those of this machine; "*" for
            any, "*.example.com" for all below one.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = {name.lower().rstrip(".") for name in (*_LOOPBACK, *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it and say why."""
        problem = self._find_problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            answer = answer_problem(problem, scope["state"]["request_id"])
            await answer(scope, receive, send)

    def _find_problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._knows(_name(f"//{host}")):
            return Problem(
                403,
                "This server does not answer under that host name. Use a name that it answers, or "
                "start it with --name and this one.",
            )
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return Problem(
                403, "Found a request from the page of another site. Send it from a program."
            )
        return None

    def _knows(self, host: str) -> bool:
        parents = {f"*.{host[place + 1 :]}" for place, sign in enumerate(host) if sign == "."}
        return bool(self._names & {_ANY, host, *parents})


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:  # an IPv6 address without its end
        return ""
