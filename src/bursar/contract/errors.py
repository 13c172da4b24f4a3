"""Errors a caller may meet. Each can be pickled, hashed and compared by identity."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

from .effect import Outcome


class BursarError(Exception):
    """Base of every error that Bursar raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own pickling calls the class with `args`, which fails for any other signature.
        cause = _picklable(self.__cause__)
        return _rebuild, (type(self), self.args, self.__dict__, cause)


def _picklable(cause: BaseException | None) -> BaseException | None:
    return cause if isinstance(cause, BursarError) else None


def _rebuild(
    cls: type[BursarError], args: tuple[Any, ...], state: dict[str, Any], cause: BaseException | None
) -> BursarError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = cause
    return error


class InvalidRequestError(BursarError, ValueError):
    """The arguments cannot be sent: refused before anything left this process.

    `pointer` is the JSON pointer (RFC 6901) of the bad member, or the parameter's name.
    """

    outcome = Outcome.NOT_SENT

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class ApiError(BursarError):
    """A call failed at, or on the way to, the server.

    Attributes:
        status_code: HTTP status, 0 when no answer came.
        message: what went wrong, in the server's words where it gave some.
        response_body: the raw body as text, or None.
        response_headers: the answer's header fields by name in any case; empty when no answer came.
        outcome: what is known of the call's effect, see `Outcome`.
        attempts: how many times the request was sent, or tried to be.
        operation: name of the endpoint, for example ``pay``.
        idempotency_key: the key that was sent; repeat the call with it to learn the result safely.
        request_id: the server's ``x-request-id``, for its support.
        retry_after: seconds the server asked to wait, or None.
        token_status: when getting a token was what failed, the status the token endpoint gave, 0 for no answer.
    """

    outcome: Outcome = Outcome.UNKNOWN
    attempts: int = 0
    operation: str = ""
    idempotency_key: str | None = None
    request_id: str | None = None
    response_headers: Mapping[str, str] = MappingProxyType({})
    retry_after: float | None = None
    token_status: int | None = None

    def __init__(self, status_code: int, message: str, response_body: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message
        self.response_body = response_body

    def __str__(self) -> str:
        return f"[{self.status_code}] {self.message}"

    @classmethod
    def build(cls, status_code: int, message: str, response_body: str | None) -> Self:
        """Make the error from an answer; subclasses with a fixed status take fewer arguments and override it."""
        return cls(status_code, message, response_body)


class TransportError(BursarError):
    """A transport could not deliver a request or its answer. Calls turn it into an `ApiError` with status 0.

    `sent` is False only when it is certain that no byte of the request reached the server.
    """

    def __init__(self, message: str, *, sent: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.timed_out = timed_out


class UnreadableAnswer(BursarError):
    """An answer's body does not have the documented form. `pointer` says where, as far as known."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer
