"""Who asks: the subject of a token, or a person without one where the server allows that."""

from collections.abc import Callable

from fastapi import Request
from fastapi.security import HTTPBearer

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import ANONYMOUS, Subject, acting_as, require
from melanoma_core.errors import AccessError
from melanoma_core.service.logs import log_error
from melanoma_core.service.problems import Problem
from melanoma_core.service.tokens import find_subject, locate_tokens
from melanoma_core.settings import load_settings

BEARER = HTTPBearer(
    scheme_name="token",
    description="A token that `melanoma token create` has printed.",
    auto_error=False,
)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="melanoma"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="melanoma", error="invalid_token"'}


def needs(right: Right) -> Callable[[Request], Subject]:
    """Return the check of a request that needs a right; it returns who asks.

    Raises:
        Problem: There is no valid token, or it has none of the roles that this needs.
    """

    def check(request: Request) -> Subject:
        subject = _identify(request)
        request.state.log["subject"] = subject.id or "anonymous"
        try:
            with acting_as(subject):
                require(right)
        except AccessError as error:
            raise (_explain_need() if subject is ANONYMOUS else Problem(403, str(error))) from None
        return subject

    return check


def _identify(request: Request) -> Subject:
    header = request.headers.get("authorization")
    if header is None:
        if request.app.state.service.options.allow_anonymous:
            return ANONYMOUS
        raise _explain_need()
    scheme, _, text = header.partition(" ")
    try:
        subject = find_subject(locate_tokens(load_settings()), text.strip())
    except AccessError as error:
        log_error(error, request_id=request.state.request_id)
        raise Problem(
            503,
            "The server cannot check tokens. Ask the person who runs it: `melanoma token list`.",
        ) from None
    if scheme.lower() != "bearer" or subject is None:
        raise Problem(
            401,
            "The token is unknown, expired or revoked. Make another one with `melanoma token "
            "create NAME --role reader`.",
            _INVALID,
        )
    return subject


def _explain_need() -> Problem:
    return Problem(
        401,
        "A token is needed. Make one with `melanoma token create NAME --role reader` and send it "
        "as `Authorization: Bearer TOKEN`.",
        _CHALLENGE,
    )
