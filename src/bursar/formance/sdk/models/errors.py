"""The vendor's errors. The native error, with all that Bursar knows of the failure, is the `__cause__` of each."""

from __future__ import annotations

from typing import Any

from bursar.contract import BursarError, Outcome
from bursar.formance.sdk.response import Headers, RawResponse

from .likeness import Likeness


class SDKBaseError(BursarError):
    """Base of all errors of calls that the server answered.

    Attributes:
        message: what went wrong, in the server's words where it gave some.
        status_code: HTTP status.
        body: the answer's body as text.
        headers: the answer's header fields.
        raw_response: the answer.
        outcome: whether the call may have been carried out.
    """

    outcome: Outcome = Outcome.UNKNOWN

    def __init__(self, message: str, raw_response: RawResponse, body: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code: int = raw_response.status_code
        self.body: str = raw_response.text if body is None else body
        self.headers: Headers = raw_response.headers
        self.raw_response = raw_response

    def __str__(self) -> str:
        return self.message


class SDKError(SDKBaseError):
    """An answer that says no more than its status."""


class ResponseValidationError(SDKBaseError):
    """The call succeeded, but its answer does not have the documented form."""

    @property
    def cause(self) -> BaseException | None:
        """What was wrong with it."""
        return self.__cause__


class NoResponseError(BursarError):
    """No answer came; `outcome` tells whether the call may have been carried out."""

    outcome: Outcome = Outcome.UNKNOWN

    def __init__(self, message: str = "No response received") -> None:
        super().__init__(message)
        self.message = message


class ServiceError(SDKBaseError):
    """A service refused a call and says why: `data.error_code`, `data.error_message`, `data.details`."""

    def __init__(self, data: Any, raw_response: RawResponse, body: str | None = None) -> None:
        super().__init__(str(getattr(data, "error_message", None) or raw_response.text), raw_response, body)
        self.data = data


class ErrorData(Likeness):
    """What a service says of a failure."""

    error_code: Any
    """An `ErrorCode`, which compares like its text."""
    error_message: str
    details: str | None
