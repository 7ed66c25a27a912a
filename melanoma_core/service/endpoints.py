"""What the API does for each address."""

import asyncio
import time
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from melanoma_core.errors import ModelError
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import Serving, find_serving, list_models
from melanoma_core.service.documents import (
    describe_card,
    describe_model,
    describe_reading,
)
from melanoma_core.service.job import Result
from melanoma_core.service.metrics import MEDIA_TYPE
from melanoma_core.service.problems import Problem
from melanoma_core.service.receiving import Received, receive
from melanoma_core.service.service import Service
from melanoma_core.settings import load_settings
from melanoma_core.software import DISCLAIMER, VERSION

_LEFT = 499  # as nginx logs a client that has closed the connection
_UNREADABLE = "unreadable"


async def create_reading(request: Request) -> Response:
    """Read one photograph. Nothing of it is kept."""
    service: Service = request.app.state.service
    with service.readers.admit():
        try:
            received = await receive(request, load_settings().prevalence)
            serving, card = await asyncio.to_thread(_choose_model, received)
            work = asyncio.create_task(_read(request, received, serving))
            gone = asyncio.create_task(_wait_until_gone(request))
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not work.done():
                work.cancel()
                raise ClientDisconnect
            result = work.result()
        except ClientDisconnect:
            service.metrics.count_cancelled()
            return Response(status_code=_LEFT)
    service.metrics.count_result(result.refusal)
    request.state.log |= {"model_id": card.model_id, "refusal": result.refusal}
    document = describe_reading(result, serving.notice, request.state.request_id)
    return JSONResponse(document, 422 if result.refusal == _UNREADABLE else 200)


def get_models() -> Response:
    """List the models."""
    settings = load_settings()
    serving = find_serving(settings)
    models = [
        describe_model(card, reads=folder == serving.folder)
        for folder, card in list_models(settings)
    ]
    return JSONResponse(
        {
            "models": models,
            "notice": serving.notice,
            "app_version": VERSION,
            "disclaimer": DISCLAIMER,
        }
    )


def get_model(model_id: str) -> Response:
    """Show the card of one model."""
    settings = load_settings()
    serving = find_serving(settings)
    for folder, card in list_models(settings):
        if card.model_id == model_id:
            return JSONResponse(describe_card(card, reads=folder == serving.folder))
    raise Problem(404, "Found no model of this id. `GET /v1/models` lists them.")


def get_health() -> Response:
    """Say that the server is up."""
    return JSONResponse({"status": "live", "app_version": VERSION})


async def get_readiness(request: Request) -> Response:
    """Say that the model that reads has been loaded."""
    service: Service = request.app.state.service
    serving = await service.check()
    document: dict[str, Any] = {
        "status": "ready",
        "app_version": VERSION,
        "model_id": load_card(serving.folder).model_id,
        "notice": serving.notice,
    }
    return JSONResponse(document)


def get_metrics(request: Request) -> Response:
    """Return the metrics in the text format of Prometheus."""
    service: Service = request.app.state.service
    return Response(service.metrics.write(), media_type=MEDIA_TYPE)


async def _read(request: Request, received: Received, serving: Serving) -> Result:
    service: Service = request.app.state.service
    arrived = started = time.monotonic()

    def start() -> None:
        nonlocal started
        started = time.monotonic()

    result = await service.readers.read(serving.folder, received.upload, start)
    service.metrics.time_reading(started - arrived, time.monotonic() - started)
    return result


def _choose_model(received: Received) -> tuple[Serving, ModelCard]:
    try:
        serving = find_serving(load_settings(), received.model_id)
    except ModelError:
        if received.model_id is None:
            raise
        raise Problem(
            404, "Found no model of this id. `GET /v1/models` lists them. Name one of them."
        ) from None
    card = load_card(serving.folder)
    asked = received.upload.heatmap
    if asked is not None and asked.isupper() and asked not in card.class_names:
        raise Problem(
            422,
            f"The model has no class {asked}. Its classes: {', '.join(card.class_names)}. Name one "
            "of them for the heatmap.",
        )
    return serving, card


async def _wait_until_gone(request: Request) -> None:
    """Wait until the sender has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
