"""From what happened to the error that says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import ClassVar

import msgspec

from bursar.contract import (
    ApiError,
    Effect,
    Headers,
    Outcome,
    Prepared,
    Response,
    TransportError,
    UnreadableAnswer,
)
from bursar.contract.record import Record

TRANSIENT = frozenset({408, 429})
"""Statuses below 500 after which a call that may be repeated is repeated."""
_BEFORE_PROCESSING = frozenset({401, 403, 408, 409, 429})
"""Refusals that say nothing about an earlier attempt of the same call."""


class ErrorFamily(Record, frozen=True):
    """The error classes of one API."""

    base: type[ApiError]
    unavailable: type[ApiError]
    """5xx, and status 0: no answer."""
    auth: type[ApiError]
    """No token could be had."""
    unreadable: type[ApiError]
    """2xx whose body does not have the documented form."""
    by_status: Mapping[int, type[ApiError]]
    message: Callable[[Response], str | None]
    """The server's own words in an error answer, if any."""
    by_body: Callable[[int, str], type[ApiError] | None] | None = None
    """Tells the class by what an error answer says, for APIs with error codes; None leaves it to the status."""
    outcome: Callable[[Response], Outcome | None] | None = None
    """Tells what an error answer says about the call's effect, where that is more than the status says."""

    def of_answer(self, status: int, body: str | None) -> type[ApiError]:
        """Return the class for an answer that is not 2xx."""
        told = self.by_body(status, body) if self.by_body is not None and body else None
        return told or self.of_status(status)

    def of_status(self, status: int) -> type[ApiError]:
        """Return the class for a status that is not 2xx."""
        if status >= 500:
            return self.by_status.get(status, self.unavailable)
        return self.by_status.get(status, self.base)


class Verdict(Record, frozen=True):
    """What one failed attempt means."""

    status: int
    outcome: Outcome
    message: str
    body: str | None = None
    cause: BaseException | None = None
    retry_after: float | None = None
    request_id: str | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=Headers)

    hidden: ClassVar[frozenset[str]] = frozenset({"body", "headers"})

    def repeatable(self, effect: Effect) -> bool:
        """True when another attempt can do no harm and may help."""
        if self.outcome is Outcome.NOT_SENT:
            return True
        if effect is Effect.ONCE:
            return False
        return self.status == 0 or self.status >= 500 or self.status in TRANSIENT


def of_answer(response: Response, family: ErrorFamily, now: float) -> Verdict:
    """Judge an answer that is not 2xx. `now` is seconds since the epoch."""
    status = response.status
    if 300 <= status < 400:
        message, outcome = f"refused to follow a redirect (status {status})", Outcome.UNKNOWN
    else:
        message = family.message(response) or f"Request failed with status {status}."
        outcome = Outcome.UNKNOWN if status >= 500 or status in (0, 408) else Outcome.REJECTED
        if family.outcome is not None:
            outcome = family.outcome(response) or outcome
    return Verdict(
        status,
        outcome,
        message,
        body=response.text,
        retry_after=retry_after(response, now),
        request_id=response.headers.get("x-request-id"),
        headers=response.headers,
    )


def of_transport(error: TransportError) -> Verdict:
    """Judge an attempt that got no answer."""
    outcome = Outcome.UNKNOWN if error.sent else Outcome.NOT_SENT
    return Verdict(0, outcome, str(error), cause=error)


def combined(verdict: Verdict, doubt: bool) -> Outcome:
    """Return the outcome of the call: doubt about an earlier attempt stays unless this one settles it."""
    settled = verdict.outcome is Outcome.REJECTED and verdict.status not in _BEFORE_PROCESSING
    return Outcome.UNKNOWN if doubt and not settled else verdict.outcome


def raised(family: ErrorFamily, prepared: Prepared, verdict: Verdict, attempts: int, doubt: bool) -> ApiError:
    """Return the error of a call that has failed for good."""
    kind = family.unavailable if verdict.status == 0 else family.of_answer(verdict.status, verdict.body)
    outcome = combined(verdict, doubt)
    message = verdict.message + (_advice(prepared, outcome) if verdict.status == 0 else "")
    error = kind.build(verdict.status, message, verdict.body)
    error.retry_after = verdict.retry_after
    error.request_id = verdict.request_id
    error.response_headers = verdict.headers
    error.__cause__ = verdict.cause
    return annotated(error, prepared, attempts, outcome)


def unreadable(
    family: ErrorFamily, prepared: Prepared, response: Response, attempts: int, cause: UnreadableAnswer
) -> ApiError:
    """Return the error for a 2xx answer that could not be read."""
    message = f"succeeded with status {response.status}, but could not be read: {cause}"
    if prepared.effect not in (Effect.SAFE, Effect.IDEMPOTENT):
        message += _advice(prepared, Outcome.UNKNOWN)
    error = family.unreadable.build(response.status, message, response.text)
    error.request_id = response.headers.get("x-request-id")
    error.response_headers = response.headers
    error.__cause__ = cause
    return annotated(error, prepared, attempts, Outcome.UNKNOWN)


def annotated(error: ApiError, prepared: Prepared, attempts: int, outcome: Outcome) -> ApiError:
    """Write on an error which call it belongs to."""
    error.operation = prepared.operation
    error.idempotency_key = prepared.key
    error.attempts = attempts
    error.outcome = outcome
    return error


def _advice(prepared: Prepared, outcome: Outcome) -> str:
    if outcome is not Outcome.UNKNOWN or prepared.effect in (Effect.SAFE, Effect.IDEMPOTENT):
        return ""
    if prepared.key is not None:
        return "; it may have been carried out: repeat the call with the same idempotency key to learn the result"
    return "; it may have been carried out: look before repeating it, and pass an idempotency key next time"


def retry_after(response: Response, now: float) -> float | None:
    """Return ``Retry-After`` in seconds from now (RFC 9110 section 10.2.3); None when absent or unreadable."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    from email.utils import parsedate_to_datetime  # a date is rare, and this is slow to import

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # the form of asctime names no zone: all HTTP dates are in GMT
    return max(0.0, moment.timestamp() - now)
