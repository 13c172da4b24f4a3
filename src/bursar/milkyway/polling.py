"""Waiting for a payment to come to rest, without I/O."""

from __future__ import annotations

from bursar.client import Clock, Flow, Invoke, Sleep
from bursar.contract import ApiError, InvalidRequestError

from .contract import MilkywayPayments
from .models import PollOptions, PostcheckResult


def until_terminal(
    transaction_id: int, options: PollOptions, clock: Clock, call_timeout: float
) -> Flow[PostcheckResult]:
    """Ask at once, then after growing pauses, until the status is terminal (MC68-MC74).

    Stops before a pause that would pass `options.timeout` and returns the last status seen, marked `timed_out`.
    Passing failures (no answer, 408, 429, 5xx) do not end the wait; they are raised only when no status was ever seen.
    """
    times = options.timeout, options.initial_delay, options.max_delay
    if not (all(seconds >= 0 for seconds in times) and options.backoff_multiplier >= 1):
        raise InvalidRequestError(
            "poll options: timeout and delays must be 0 or more, the multiplier 1 or more"
        )
    started = clock.monotonic()
    delay = options.initial_delay
    seen: PostcheckResult | None = None
    while True:
        failure: ApiError | None = None
        left = max(options.timeout - (clock.monotonic() - started), min(call_timeout, 1.0))
        try:
            seen = yield Invoke(MilkywayPayments.postcheck, {"transaction_id": transaction_id}, left)
        except ApiError as error:
            if not _passing(error):
                raise
            failure = error
        if seen is not None and seen.status.is_terminal():
            return seen
        if clock.monotonic() - started + delay > options.timeout:
            if seen is None and failure is not None:
                raise failure
            assert seen is not None
            return seen.mark_timed_out()
        yield Sleep(delay)
        delay = min(delay * options.backoff_multiplier, options.max_delay)


def _passing(error: ApiError) -> bool:
    status = error.status_code if error.token_status is None else error.token_status
    return status in (0, 408, 429) or status >= 500
