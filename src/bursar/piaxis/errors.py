"""Errors of the Piaxis API: one family, by HTTP status, readable whichever form the body has (B8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bursar.client import ErrorFamily
from bursar.contract import ApiError, BursarError, Response, UnreadableAnswer
from bursar.contract.json import elements, loads, members


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request."""

    place: tuple[str | int, ...]
    """Where: ``("body", "amount")``."""
    message: str
    code: str


class PiaxisApiError(ApiError):
    """Base of every failure of a Piaxis call; see `bursar.contract.ApiError` for what else it carries.

    Attributes:
        code: the API's own word for what is wrong, such as ``TERMS_NOT_MET``; OAuth's ``error``; None where there is
            none.
        details: the whole body, decoded; its text where it is no JSON.
    """

    def __init__(
        self,
        message: str,
        status_code: int,
        code: str | None = None,
        details: Any = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(status_code, message, None)
        self.code = code
        self.details = details
        self.request_id = request_id

    @classmethod
    def build(cls, status_code: int, message: str, response_body: str | None) -> Self:
        """See `ApiError.build`."""
        details = _decoded(response_body)
        error = cls(message, status_code, _told(details).code, details)
        error.response_body = response_body
        return error

    def __str__(self) -> str:
        return self.message

    @property
    def field_errors(self) -> list[FieldError]:
        """What is wrong with which field, for a refused request; empty otherwise."""
        body = members(self.details) or {}
        listed = elements(body.get("detail")) or elements(body.get("errors")) or []
        return [_field_error(entry) for entry in map(members, listed) if entry is not None]

    @property
    def scope(self) -> str | None:
        """What a ``PIN_REQUIRED`` is asked for, such as ``escrow_release``."""
        return _text(_detail(self.details), "scope")

    @property
    def nonce(self) -> str | None:
        """What to send back with the PIN."""
        return _text(_detail(self.details), "nonce")


class PiaxisValidationError(PiaxisApiError):
    """400, 422: the request is wrong; `field_errors` says where."""


class PiaxisAuthError(PiaxisApiError):
    """401, 403: the credential is missing, refused, or not enough; or no token could be had."""


class PiaxisInsufficientFundsError(PiaxisApiError):
    """402: there is not enough money."""


class PiaxisNotFoundError(PiaxisApiError):
    """404: no such thing, or another merchant's."""


class PiaxisConflictError(PiaxisApiError):
    """409: the state it is in does not allow this, or a call with this idempotency key is under way."""


class PiaxisRateLimitError(PiaxisApiError):
    """429: too many; `retry_after` says in how many seconds to come again, where the server does."""


class PiaxisServiceUnavailableError(PiaxisApiError):
    """5xx: the API is down; or status 0: no answer came at all."""


class PiaxisUnreadableAnswerError(PiaxisApiError):
    """2xx, but the body is not what is documented: the call was carried out, its result is in `response_body`."""


class PiaxisOAuthCallbackError(BursarError, ValueError):
    """The browser came back without a code that can be trusted.

    Attributes:
        code: OAuth's ``error``, such as ``access_denied``; ``state_mismatch`` and ``invalid_callback`` are Bursar's.
        description: the server's own words; None where it gave none.
    """

    def __init__(self, code: str, message: str, description: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.description = description


class PiaxisWaitTimeout(BursarError, TimeoutError):
    """A wait ran out of time; nothing is known to be wrong. `last` is the last state seen."""

    def __init__(self, message: str, last: Any) -> None:
        super().__init__(message)
        self.last = last


@dataclass(frozen=True, slots=True)
class _Told:
    """What a body says."""

    message: str | None = None
    code: str | None = None


def _decoded(body: str | None) -> Any:
    if body is None or not body.strip():
        return None
    try:
        return loads(body)
    except UnreadableAnswer:
        return body


def _detail(details: Any) -> Mapping[str, Any]:
    """Return the object that says what is wrong: `detail`, or the body itself."""
    body = members(details) or {}
    return members(body.get("detail")) or body


def _told(details: Any) -> _Told:
    body = members(details)
    if body is None:
        return _Told(details.strip() if isinstance(details, str) else None)
    if isinstance(body.get("error"), str):
        return _Told(_text(body, "error_description") or body["error"], body["error"])
    code = _code(_detail(body).get("code", body.get("error_code")))
    detail = body.get("detail")
    if isinstance(detail, str):
        return _Told(detail, code)
    listed = elements(detail)
    if listed is not None:
        return _Told(_first(listed), code)
    return _Told(_text(_detail(body), "message"), code)


def _first(listed: list[Any]) -> str | None:
    """Return the first field's error in one line."""
    entry = next((entry for entry in map(members, listed) if entry is not None), None)
    if entry is None:
        return None
    error = _field_error(entry)
    place = ".".join(str(part) for part in error.place)
    more = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
    return f"{place}: {error.message}{more}" if place else f"{error.message}{more}"


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    place = elements(entry.get("loc")) or [part for part in (entry.get("field"),) if isinstance(part, str)]
    message = _text(entry, "msg") or _text(entry, "message") or "is wrong"
    return FieldError(
        tuple(part for part in place if isinstance(part, (str, int))),
        message,
        _code(entry.get("type", entry.get("code"))) or "",
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _code(value: object) -> str | None:
    return None if value is None or isinstance(value, (bool, dict, list)) else str(value)


def message(response: Response) -> str | None:
    """Return the words of an error answer (PC68-PC71)."""
    return _told(_decoded(response.text)).message


FAMILY = ErrorFamily(
    base=PiaxisApiError,
    unavailable=PiaxisServiceUnavailableError,
    auth=PiaxisAuthError,
    unreadable=PiaxisUnreadableAnswerError,
    by_status={
        400: PiaxisValidationError,
        401: PiaxisAuthError,
        402: PiaxisInsufficientFundsError,
        403: PiaxisAuthError,
        404: PiaxisNotFoundError,
        409: PiaxisConflictError,
        422: PiaxisValidationError,
        429: PiaxisRateLimitError,
    },
    message=message,
)
