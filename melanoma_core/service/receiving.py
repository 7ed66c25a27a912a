"""Receive a photograph with its options, in memory alone and within limits."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from melanoma_core.data.formats.budget import MAX_BYTES
from melanoma_core.errors import SettingsError
from melanoma_core.service.job import EXPLAINED, Upload
from melanoma_core.service.problems import Problem
from melanoma_core.settings import parse_prevalence
from melanoma_core.taxonomy import Diagnosis

RECEIVING_SECONDS = 60.0
"""In which a photograph has to arrive: 32 MiB over 5 Mbit/s."""
_AROUND_BYTES = 2**20  # what else a request may hold
_MAX_BODY = MAX_BYTES + _AROUND_BYTES
_MAX_FIELD_BYTES = 1000
_PHOTOGRAPH = "photograph"
_FIELDS = ("model", "prevalence", "heatmap", "read_anyway")
_MEDIA_TYPE = "multipart/form-data"
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Received:
    """What a request asks for.

    Attributes:
        upload: The photograph, and how it is to be read.
        model_id: Of the model that is to read it; None for the deployed one.
    """

    upload: Upload
    model_id: str | None


async def receive(request: Request, prevalence: tuple[float, ...] | None) -> Received:
    """Receive a photograph with its options.

    Args:
        request: A POST with a form.
        prevalence: Of the clinic, where the form has none.

    Raises:
        Problem: The form is no form, too large, too slow, or its fields are wrong.
        ClientDisconnect: The sender has gone.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _MEDIA_TYPE:
        raise Problem(
            415,
            f"A form of the type {_MEDIA_TYPE} with the file `{_PHOTOGRAPH}` is needed. Send the "
            "photograph as a file of a form.",
        )
    try:
        async with asyncio.timeout(RECEIVING_SECONDS):
            return await _parse(await _receive_form(request), prevalence)
    except TimeoutError:
        raise Problem(
            408,
            f"The photograph did not arrive within {RECEIVING_SECONDS:g} seconds, the limit. Send "
            "it again over a faster connection, or save it as a smaller JPEG.",
        ) from None


async def _receive_form(request: Request) -> FormData:
    limited = _limit(request.stream())
    parser = MultiPartParser(
        request.headers,
        limited,
        max_files=1,
        max_fields=len(_FIELDS),
        max_part_size=_MAX_FIELD_BYTES,
    )
    parser.spool_max_size = 2 * _MAX_BODY  # never a temporary file
    ended = asyncio.Event()
    parser.on_end = ended.set  # called at the last boundary; a form may end without it
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _refuse_form(error.message) from None
    if not ended.is_set():
        raise _refuse_form("It ends early.")
    return form


def _refuse_form(problem: str) -> Problem:
    return Problem(
        400,
        f"The form cannot be read. {problem} One file `{_PHOTOGRAPH}` and at most one of each of "
        f"the fields {', '.join(_FIELDS)} are needed, each of at most {_MAX_FIELD_BYTES} bytes.",
    )


async def _limit(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > _MAX_BODY:
            raise Problem(
                413,
                f"The request is larger than {_MAX_BODY:,} bytes. A photograph may have "
                f"{MAX_BYTES:,} ({MAX_BYTES // 2**20} MiB). Save it as a JPEG, or crop it to the "
                "lesion.",
            )
        yield chunk


async def _parse(form: FormData, prevalence: tuple[float, ...] | None) -> Received:
    file = form.get(_PHOTOGRAPH)
    if not isinstance(file, UploadFile):
        raise Problem(
            422, f"The file `{_PHOTOGRAPH}` is missing. Send the photograph as a file of the form."
        )
    fields = _collect_fields(form)
    text = fields.get("prevalence")
    try:
        asked = parse_prevalence("prevalence", text) if text is not None else prevalence
    except SettingsError as error:
        raise Problem(422, str(error)) from None
    upload = Upload(
        content=await file.read(),
        name=file.filename or "",
        prevalence=asked,
        read_anyway=_parse_boolean(fields.get("read_anyway")),
        heatmap=_parse_heatmap(fields.get("heatmap")),
    )
    await file.close()
    return Received(upload, fields.get("model"))


def _collect_fields(form: FormData) -> dict[str, str]:
    """Return the fields beside the file; each is text, known, and given once."""
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if name == _PHOTOGRAPH and isinstance(value, UploadFile):
            continue
        if name not in _FIELDS or not isinstance(value, str) or name in fields:
            raise Problem(
                422,
                "Found a field that is unknown, no text, or given twice. Known fields: "
                f"{', '.join(_FIELDS)}. Send each at most once.",
            )
        fields[name] = value
    return fields


def _parse_boolean(text: str | None) -> bool:
    if text is None:
        return False
    if text not in _BOOLEANS:
        raise Problem(422, "The field read_anyway must be true or false. Change it.")
    return _BOOLEANS[text]


def _parse_heatmap(text: str | None) -> str | None:
    known = (*map(str, Diagnosis), EXPLAINED)
    if text is not None and text not in known:
        raise Problem(422, f"The field heatmap must be one of: {', '.join(known)}. Change it.")
    return text
