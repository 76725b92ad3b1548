"""How a refusal looks over HTTP: application/problem+json (RFC 9457), never a traceback."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from traceback import format_tb
from typing import Any, Literal

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from balie.kernel.errors import BalieError, MalformedError

MEDIA_TYPE = "application/problem+json"

CODES = {
    400: "malformed",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_long",
    415: "unsupported_media_type",
    422: "malformed",
    429: "rate_limited",
    503: "unavailable",
}

# What the framework calls a fault of its own, and is none of anybody's.
_BROKE_OFF = "client disconnected prematurely"

log = structlog.get_logger("balie.http")

AnyRequest = Request[Any, Any, Any]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What went wrong. `code` is for programs, `detail` says in English what to do about it."""

    type: Literal["about:blank"]
    title: str
    status: int
    code: str
    detail: str
    retry_after_ms: int | None = None
    request_id: str | None = None
    """Of an error inside Balie: the name under which its log tells more."""
    holder: str | None = None
    """Of a conversation that is `taken`: the id of the agent who has it, for the field `from`."""
    attempts_left: int | None = None
    """Of a wrong password: how many tries are left."""


def problem_response(
    *,
    status: int,
    code: str,
    detail: str,
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """A problem as a response; `members` are further fields of its body."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **(members or {}),
    }
    return Response(
        content=msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def tell_balie_error(_request: AnyRequest, error: BalieError) -> Response[bytes]:
    """An error that Balie raised on purpose. Its attribute `members`, if any, joins the body."""
    members: dict[str, object] = dict(getattr(error, "members", {}))
    headers = {}
    if error.retry_after_ms is not None:
        members["retry_after_ms"] = error.retry_after_ms
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1_000))
    return problem_response(
        status=error.status, code=error.code, detail=error.detail, members=members, headers=headers
    )


def tell_framework_error(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """An error of the framework: no such route, wrong verb, a body that does not fit its shape."""
    status = _status(error)
    if error.detail == _BROKE_OFF:
        return tell_balie_error(request, MalformedError("the request broke off"))
    if status >= 500:
        return tell_unknown_error(request, error)
    return problem_response(
        status=status,
        code=CODES.get(status, "malformed"),
        detail=_detail(error, status),
        headers={k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"},
    )


def tell_unknown_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """A fault inside Balie. The client gets a number; the log gets the kind of error and the way to it, but
    neither its words nor the values on that way, which may be what people wrote."""
    if isinstance(error, RecursionError):
        return tell_balie_error(request, MalformedError("the JSON is nested too deeply"))
    if isinstance(error, UnicodeDecodeError):
        # Raised while a body is read, which the framework does not take for the client's mistake.
        return tell_balie_error(request, MalformedError("the body is not UTF-8"))
    request_id = secrets.token_hex(8)
    log.error(
        "a request failed",
        request_id=request_id,
        method=request.method,
        route=request.scope.get("path_template", ""),
        error=type(error).__name__,
        where="".join(format_tb(error.__traceback__)),
    )
    return problem_response(
        status=500,
        code="internal",
        detail="something went wrong inside Balie; its log tells more under this request_id",
        members={"request_id": request_id},
    )


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    BalieError: tell_balie_error,
    HTTPException: tell_framework_error,
    Exception: tell_unknown_error,
}


def _status(error: HTTPException) -> int:
    """Well-formed JSON of the wrong shape is 422; what is no JSON stays 400."""
    if error.status_code == 400 and error.extra:
        return 422
    return error.status_code


def _detail(error: HTTPException, status: int) -> str:
    """What is wrong with the request. Litestar gathers it in `extra` as {key, message}."""
    if status != 422 or not isinstance(error.extra, list):
        return HTTPStatus(status).phrase if status != 400 else "the body is not JSON"
    found = [item for item in error.extra if isinstance(item, dict)]
    said = "; ".join(
        f"{item['key']}: {item.get('message', '')}" if item.get("key") else item.get("message", "")
        for item in found[:5]
    )
    return said[:500] or "the request does not have the shape that its route takes"
