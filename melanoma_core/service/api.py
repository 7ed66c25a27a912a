"""The API: its addresses, their description for OpenAPI, and what surrounds them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from melanoma_core.access.rights import Right
from melanoma_core.errors import ModelError
from melanoma_core.service import endpoints
from melanoma_core.service.described import (
    DESCRIPTION,
    FORM,
    complete,
    describe,
    describe_answers,
)
from melanoma_core.service.documents import (
    CardDocument,
    HealthDocument,
    ModelsDocument,
    ReadingDocument,
)
from melanoma_core.service.edge import Edge
from melanoma_core.service.entrance import BEARER, needs
from melanoma_core.service.guard import Guard
from melanoma_core.service.logs import log_as_json, log_error, log_event
from melanoma_core.service.metrics import MEDIA_TYPE
from melanoma_core.service.options import Options
from melanoma_core.service.problems import Problem, answer_problem
from melanoma_core.service.service import Service
from melanoma_core.software import VERSION

PATHS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
"""What the paths of all addresses are or begin with."""


class Api:
    """The API of one server, as an ASGI application.

    Args:
        options: How the server is started.
    """

    def __init__(self, options: Options) -> None:
        self._service = Service(options)
        self.inner = _make_inner(self._service, self.run)
        guarded = Guard(self.inner, (options.host, *options.names))
        self.asgi = Edge(guarded, self._service.metrics)

    @asynccontextmanager
    async def run(self, _: object = None) -> AsyncGenerator[None, None]:
        """Be ready to answer in an `async with` statement, which ends all processes."""
        log_as_json()
        await self._service.start()
        log_event("started", app_version=VERSION)
        try:
            yield
        finally:
            await self._service.close()
            log_event("stopped")


def is_api_path(path: str) -> bool:
    """Return whether a path belongs to the API.

    Example:
        >>> is_api_path("/v1/readings"), is_api_path("/evaluation")
        (True, False)
    """
    return path in PATHS or path.startswith(PATHS[0])


def _make_inner(service: Service, run: Callable[..., Any]) -> FastAPI:
    app = FastAPI(
        title="Melanoma readings",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,  # its page loads a script from another host
        redoc_url=None,
        redirect_slashes=False,
        lifespan=run,
    )
    app.state.service = service
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    _add_readings(app)
    _add_models(app)
    _add_health(app)
    complete(app.openapi())  # kept by the application
    return app


def _add_readings(app: FastAPI) -> None:
    app.add_api_route(
        "/v1/readings",
        endpoints.create_reading,
        methods=["POST"],
        **_protect(Right.READ),
        responses=describe_answers(
            ReadingDocument, 400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503
        ),
        openapi_extra={"requestBody": FORM},
        **describe(endpoints.create_reading, "readings"),
    )


def _add_models(app: FastAPI) -> None:
    for path, endpoint, document, statuses in (
        ("/v1/models", endpoints.get_models, ModelsDocument, (401, 403, 500, 503)),
        ("/v1/models/{model_id}", endpoints.get_model, CardDocument, (401, 403, 404, 500, 503)),
    ):
        app.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            **_protect(Right.SEE_MODELS),
            responses=describe_answers(document, *statuses),
            **describe(endpoint, "models"),
        )


def _add_health(app: FastAPI) -> None:
    for path, endpoint, statuses in (
        ("/healthz", endpoints.get_health, (500,)),
        ("/readyz", endpoints.get_readiness, (500, 503)),
    ):
        app.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            responses=describe_answers(HealthDocument, *statuses),
            **describe(endpoint, "health"),
        )
    text = {"content": {MEDIA_TYPE.split(";")[0]: {"schema": {"type": "string"}}}}
    app.add_api_route(
        "/metrics",
        endpoints.get_metrics,
        methods=["GET"],
        **_protect(Right.SEE_MODELS),
        response_class=PlainTextResponse,
        responses=describe_answers(None, 401, 403, 500) | {200: {"description": "Text.", **text}},
        **describe(endpoints.get_metrics, "health"),
    )


def _protect(right: Right) -> dict[str, Any]:
    return {"dependencies": [Depends(BEARER), Depends(needs(right))]}


def _answer_problem(request: Request, problem: Problem) -> Response:
    return answer_problem(problem, request.state.request_id)


def _answer_http_error(request: Request, error: HTTPException) -> Response:
    details = {
        404: "There is nothing at this address. `GET /openapi.json` describes all addresses.",
        405: "This address has no such method. `GET /openapi.json` describes all addresses.",
    }
    detail = details.get(error.status_code, str(error.detail))
    return _answer_problem(request, Problem(error.status_code, detail, error.headers))


def _answer_model_error(request: Request, error: ModelError) -> Response:
    log_error(error, request_id=request.state.request_id)
    detail = "The model is missing or damaged. Ask the person who runs the server."
    return _answer_problem(request, Problem(503, detail))


_HANDLERS: dict[type[Exception], Callable[..., Response]] = {
    Problem: _answer_problem,
    HTTPException: _answer_http_error,
    ModelError: _answer_model_error,
}
