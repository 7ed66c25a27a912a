"""What the API answers when it cannot do what was asked: problem details after RFC 9457."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer other than the one that was asked for.

    Attributes:
        status: Of HTTP.
        detail: What was found, what is needed, what to do.
        headers: Of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def describe_problem(status: int, detail: str, request_id: str) -> dict[str, Any]:
    """Return the document of a problem.

    Example:
        >>> describe_problem(404, "Found no such model.", "0f")["title"]
        'Not Found'
    """
    title = HTTPStatus(status).phrase
    return {"title": title, "status": status, "detail": detail, "request_id": request_id}


def answer_problem(problem: Problem, request_id: str) -> JSONResponse:
    """Return the answer of a problem."""
    document = describe_problem(problem.status, problem.detail, request_id)
    return JSONResponse(document, problem.status, problem.headers, MEDIA_TYPE)
