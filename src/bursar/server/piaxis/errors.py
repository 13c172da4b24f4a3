"""How the partner API says no: FastAPI's bodies, and the status of each kind of refusal (B8, B14, E16, E25)."""

from __future__ import annotations

import re
from typing import Any, Final

from bursar.contract.binding import BadRequest
from bursar.contract.http import Response
from bursar.contract.params import Param, Place
from bursar.engine import errors as engine
from bursar.engine.piaxis.errors import InvalidRequest, Issue, Kind, Loc, Refusal
from bursar.server.failure import Failure
from bursar.server.replies import json_reply

_STATUSES: Final = {
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.INVALID: 422,
    Kind.BAD_REQUEST: 400,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.NO_MONEY: 402,
    Kind.TOO_MANY: 429,
}
_ENGINE: Final[tuple[tuple[type[engine.EngineError], int], ...]] = (
    (engine.InsufficientFunds, 402),
    (engine.NotFound, 404),
    (engine.InvalidInput, 400),
    (engine.IdempotencyMismatch, 422),
    (engine.Unavailable, 503),
)
_PLACES: Final = {Place.PATH: "path", Place.QUERY: "query", Place.HEADER: "header"}
"""How FastAPI calls the places of parameters."""
_NAMES: Final = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}


class Refused(Failure):
    """A failure with the members of its `detail` object, or its list."""

    def __init__(self, status: int, message: str, detail: Any, headers: list[tuple[str, str]]) -> None:
        super().__init__(status, message, headers=headers)
        self.detail = detail


def render(failure: Failure) -> Response:
    """Write a failure as FastAPI does (PS101, PS102)."""
    if isinstance(failure, Refused):
        return json_reply({"detail": failure.detail}, status=failure.status)
    code = _NAMES.get(failure.status) or failure.code.upper() or "ERROR"
    return json_reply({"detail": {"code": code, "message": failure.message}}, status=failure.status)


def translate(error: Exception) -> Failure | None:
    """Return how a refusal of the engine is answered; None for what nobody expected."""
    if isinstance(error, InvalidRequest):
        return Refused(422, error.message, list(error.issues), [])
    if isinstance(error, Refusal):
        return _refused(error)
    if isinstance(error, engine.CommitFailed) and error.outcome == "unknown":
        # Not 503: a client takes that as proof that nothing was done.
        message = "the outcome is not known: ask again with the same idempotency key"
        return Failure(500, message, code=error.code)
    if not isinstance(error, engine.EngineError):
        return None
    status = next((status for kind, status in _ENGINE if isinstance(error, kind)), 409)
    soon = [("retry-after", "1")] if isinstance(error, engine.StoreBusy) else []
    return Failure(status, error.message, code=error.code, headers=soon)


def unreadable(error: BadRequest, params: tuple[Param, ...]) -> InvalidRequest:
    """Return a request that does not have the documented form as FastAPI says it (PS101, PS103)."""
    text = error.message.removeprefix(f"{error.pointer}: ")
    return InvalidRequest([Issue(_loc(error.pointer, params), text, _type(text))])


def _refused(error: Refusal) -> Failure:
    headers = [] if error.retry_after is None else [("retry-after", str(error.retry_after))]
    if error.kind is Kind.UNAUTHENTICATED:
        headers.append(("www-authenticate", 'Bearer realm="piaxis"'))
    detail = {"code": error.reason, "message": error.message, **error.details}
    return Refused(_STATUSES[error.kind], error.message, detail, headers)


def _loc(pointer: str, params: tuple[Param, ...]) -> Loc:
    for param in params:
        if param.wire_name == pointer and param.place in _PLACES:
            return _PLACES[param.place], pointer
    parts = [part for part in pointer.split("/") if part]
    return ("body", *(int(part) if part.isdecimal() else part for part in parts))


def _type(message: str) -> str:
    if re.search(r"\bis required\b", message):
        return "missing"
    return "json_invalid" if "JSON" in message and "must be a JSON" not in message else "value_error"
