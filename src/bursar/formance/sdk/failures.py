"""From a native error to the vendor's."""

from __future__ import annotations

import importlib
from typing import Any

from bursar.contract import ApiError, BaseEndpoint, UnreadableAnswer
from bursar.contract.json import loads, members
from bursar.formance.errors import (
    FormanceApiError,
    FormanceBulkError,
    FormanceUnreadableAnswerError,
)

from .answers import Answer, failed_payload, wrapped
from .borrowed import BorrowedClientError
from .models.errors import (
    ErrorData,
    NoResponseError,
    ResponseValidationError,
    SDKBaseError,
    SDKError,
    ServiceError,
)
from .response import RawResponse
from .surface import RETURNED, failing, snake


def settled(group: str, endpoint: BaseEndpoint, error: ApiError) -> Answer:
    """Return the answer that stands for a failure, where the vendor has one; else raise the vendor's error."""
    raw = RawResponse(error.status_code, error.response_headers, (error.response_body or "").encode())
    statuses, name = RETURNED.get(f"{group}.{endpoint.name}", (range(0), ""))
    if isinstance(error, FormanceBulkError):
        return wrapped(group, endpoint.name, raw, error.result)
    if error.status_code in statuses:
        told = _told(error)
        if not name:
            return wrapped(group, endpoint.name, raw)
        if told:
            failed = failed_payload(name, group.partition(".")[0], told)
            return wrapped(group, endpoint.name, raw, failed, snake(name))
    raise _translated(group, endpoint, error, raw) from error


def _translated(group: str, endpoint: BaseEndpoint, error: ApiError, raw: RawResponse) -> Exception:
    own = _own(error)
    if own is not None:
        return own
    if error.status_code == 0:
        missing = NoResponseError(error.message)
        missing.outcome = error.outcome
        return missing
    kind = _kind(group, endpoint, error, raw)
    made = kind(_data(error), raw) if issubclass(kind, ServiceError) else kind(str(error), raw)
    made.outcome = error.outcome
    return made


def _kind(group: str, endpoint: BaseEndpoint, error: ApiError, raw: RawResponse) -> type[SDKBaseError]:
    if isinstance(error, FormanceUnreadableAnswerError):
        json = "json" in raw.headers.get("content-type", "")
        return ResponseValidationError if json else SDKError
    if error.token_status is not None or not (isinstance(error, FormanceApiError) and error.error_code):
        return SDKError
    module, _, name = failing(group, endpoint.name).partition(".")
    kind: type[SDKBaseError] = getattr(importlib.import_module(f"bursar.formance.sdk.models.{module}"), name)
    return kind


def _told(error: ApiError) -> dict[str, Any]:
    try:
        return dict(members(loads(error.response_body or "")) or {})
    except UnreadableAnswer:
        return {}


def _data(error: ApiError) -> ErrorData:
    told = {snake(name): value for name, value in _told(error).items()}
    code = error.error_code if isinstance(error, FormanceApiError) else None
    return ErrorData(**{"error_message": error.message, "details": None, **told, "error_code": code})


def _own(error: ApiError) -> Exception | None:
    """Return the error that the caller's own HTTP client raised, if that is the reason."""
    cause = error.__cause__
    return cause.original if isinstance(cause, BorrowedClientError) else None
