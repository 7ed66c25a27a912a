"""What the OpenAPI document says beside the documents: the form, the problems, the examples."""

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from melanoma_core.data.formats.budget import MAX_BYTES
from melanoma_core.service.documents import ProblemDocument
from melanoma_core.service.examples import EXAMPLE
from melanoma_core.service.job import EXPLAINED
from melanoma_core.service.problems import MEDIA_TYPE, describe_problem
from melanoma_core.software import DISCLAIMER
from melanoma_core.taxonomy import Diagnosis

DESCRIPTION = (
    f"Reads photographs of skin lesions with the model of this server. {DISCLAIMER} Nothing of a "
    "photograph is kept: not on disk, not in the logs."
)
_SHARE = r"(0(\.[0-9]{1,9})?|1(\.0{1,9})?)"
_EXAMPLE_ID = "5f0c1c8e-1f6b-4b6e-9f59-6d7f4b1f3a11"
_REASONS = {
    400: ("Bad form", "The form cannot be read."),
    401: ("No valid token", "A token is needed."),
    403: ("Not allowed", "The token has none of the roles that this needs."),
    404: ("Not found", "Found no model of this id. `GET /v1/models` lists them."),
    408: ("Too slow", "The photograph did not arrive within 60 seconds, the limit."),
    413: ("Too large", f"A photograph may have {MAX_BYTES:,} bytes."),
    415: ("No form", "A form of the type multipart/form-data is needed."),
    422: ("Wrong field", "The field read_anyway must be true or false. Change it."),
    429: ("Queue full", "Found 16 photographs that wait, the limit."),
    500: ("Bug", "The server met a bug."),
    503: ("Not ready", "The model is missing or damaged. Ask the person who runs the server."),
}
FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photograph"],
                "additionalProperties": False,
                "properties": {
                    "photograph": {
                        "type": "string",
                        "format": "binary",
                        "description": "The file, of at most 32 MiB. What it is is seen from its "
                        "content, whatever its name.",
                    },
                    "model": {
                        "type": "string",
                        "description": "Id of a model; without it, the deployed model reads.",
                    },
                    "prevalence": {
                        "type": "string",
                        "pattern": f"^{_SHARE}(,{_SHARE})?$",
                        "description": "Share of melanomas among the lesions of your clinic, or "
                        "that and the share of skin cancers, which is at least as large.",
                        "example": "0.02,0.08",
                    },
                    "heatmap": {
                        "type": "string",
                        "enum": [*map(str, Diagnosis), EXPLAINED],
                        "description": "Asks for the heatmap of a diagnosis, or for the one that "
                        f"the Reading page shows first (`{EXPLAINED}`).",
                    },
                    "read_anyway": {
                        "type": "string",
                        "enum": ["true", "false"],
                        "description": "Whether to read it even if it is out of distribution. How "
                        "well the network reads such photographs was not measured.",
                    },
                },
            },
            "encoding": {"photograph": {"contentType": "application/octet-stream"}},
        }
    },
}


def describe(endpoint: Callable[..., object], tag: str) -> dict[str, Any]:
    """Return what OpenAPI says of an address: the first line of its function."""
    return {"summary": (inspect.getdoc(endpoint) or "").splitlines()[0].rstrip("."), "tags": [tag]}


def describe_answers(document: type | None, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the answers of an address.

    Args:
        document: Of the answer that was asked for; None if it is no JSON.
        statuses: Of problems.
    """
    answers: dict[int | str, dict[str, Any]] = {
        status: _describe_problem(status) for status in statuses
    }
    if document is not None:
        answers[200] = {"model": document, "description": "What was asked for."}
    return answers


def complete(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document what FastAPI cannot know, and take out what it supposes.

    It supposes that a path may be invalid. What cannot be opened as a photograph is answered like a
    reading, with another status.
    """
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas[ProblemDocument.__name__] = TypeAdapter(ProblemDocument).json_schema()
    for path in document["paths"].values():
        for operation in path.values():
            if "requestBody" not in operation:
                operation["responses"].pop("422", None)
    answers = document["paths"]["/v1/readings"]["post"]["responses"]
    read = answers["200"]["content"]["application/json"]
    read["example"] = EXAMPLE
    answers["422"]["content"]["application/json"] = {"schema": read["schema"]}
    answers["422"]["description"] = "Wrong field, or a file that is no readable photograph"


def _describe_problem(status: int) -> dict[str, Any]:
    title, detail = _REASONS[status]
    example = describe_problem(status, detail, _EXAMPLE_ID)
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _PROBLEM}, "example": example}},
    }


_PROBLEM = f"#/components/schemas/{ProblemDocument.__name__}"
