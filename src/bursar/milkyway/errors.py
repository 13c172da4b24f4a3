"""Errors of the MilkyWay Payments API, by HTTP status."""

from __future__ import annotations

from typing import Self

from bursar.client import ErrorFamily
from bursar.contract import ApiError, Response, UnreadableAnswer
from bursar.contract.json import loads, members


class MilkywayApiError(ApiError):
    """Base of every failure of a MilkyWay call; see `bursar.contract.ApiError` for what it carries."""


class _FixedStatus(MilkywayApiError):
    """An error whose status follows from its class."""

    STATUS = 0

    def __init__(self, message: str, response_body: str | None = None) -> None:
        super().__init__(self.STATUS, message, response_body)

    @classmethod
    def build(cls, status_code: int, message: str, response_body: str | None) -> Self:
        """See `ApiError.build`."""
        return cls(message, response_body)


class MilkywayValidationError(_FixedStatus):
    """400: a field is missing or wrong, the amount is bad, no rate is known, or `data` does not fit the service."""

    STATUS = 400


class MilkywayAuthError(_FixedStatus):
    """401: the token is missing or refused, or none could be had (then `token_status` says how that went)."""

    STATUS = 401


class MilkywayExposureBlockedError(_FixedStatus):
    """402: the payment would pass an exposure limit that blocks."""

    STATUS = 402


class MilkywayNotFoundError(_FixedStatus):
    """404: no such transaction, or another institution's."""

    STATUS = 404


class MilkywayServiceUnavailableError(MilkywayApiError):
    """5xx: the API or the recipient bank is down; or status 0: no answer came at all."""


class MilkywayUnreadableAnswerError(MilkywayApiError):
    """2xx, but the body is not what is documented: the call was carried out, its result is in `response_body`."""


def message(response: Response) -> str | None:
    """Return the text of an error answer: its ``error`` member, or a body that is no JSON, trimmed (MC65)."""
    if not response.body.strip():
        return None
    try:
        answer = members(loads(response.body)) or {}
    except UnreadableAnswer:
        return response.text.strip()
    error = answer.get("error")
    return error if isinstance(error, str) else None


FAMILY = ErrorFamily(
    base=MilkywayApiError,
    unavailable=MilkywayServiceUnavailableError,
    auth=MilkywayAuthError,
    unreadable=MilkywayUnreadableAnswerError,
    by_status={
        400: MilkywayValidationError,
        401: MilkywayAuthError,
        402: MilkywayExposureBlockedError,
        404: MilkywayNotFoundError,
    },
    message=message,
)
