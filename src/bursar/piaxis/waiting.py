"""Waiting for something to come to rest, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from bursar.client import Flow, Session, Sleep, call
from bursar.contract import ApiError, BaseEndpoint, InvalidRequestError

from .errors import PiaxisWaitTimeout

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollOptions:
    """How often a wait looks. All times in seconds."""

    initial_delay: float = 1.0
    max_delay: float = 15.0
    backoff_multiplier: float = 1.5

    def __post_init__(self) -> None:
        if not (self.initial_delay >= 0 and self.max_delay >= 0 and self.backoff_multiplier >= 1):
            raise InvalidRequestError("poll options: delays must be 0 or more, the multiplier 1 or more")


def until(
    endpoint: BaseEndpoint,
    arguments: dict[str, Any],
    done: Callable[[T], bool],
    timeout: float,
    poll: PollOptions,
    session: Session,
) -> Flow[T]:
    """Look at once, then after growing pauses, until `done` (PC41).

    Stops before a pause that would pass the deadline and raises `PiaxisWaitTimeout` with the last state seen. Passing
    failures (no answer, 408, 429, 5xx) do not end the wait; they are raised only when no state was ever seen.
    """
    if not 0 <= timeout < float("inf"):
        raise InvalidRequestError("timeout must be 0 seconds or more and finite", "timeout")
    clock = session.clock
    deadline = clock.monotonic() + timeout
    delay = poll.initial_delay
    seen: T | None = None
    while True:
        failure: ApiError | None = None
        left = max(deadline - clock.monotonic(), min(session.policy.timeout, 1.0))
        hurried = replace(session, policy=replace(session.policy, timeout=min(session.policy.timeout, left)))
        try:
            seen = (yield from call(hurried, endpoint, arguments)).value
        except ApiError as error:
            if not _passing(error):
                raise
            failure = error
        if seen is not None and failure is None and done(seen):
            return seen
        if clock.monotonic() + delay > deadline:
            if seen is None and failure is not None:
                raise failure
            raise PiaxisWaitTimeout(f"{endpoint.name}: not at rest within {timeout:g} s", seen)
        yield Sleep(delay)
        delay = min(delay * poll.backoff_multiplier, poll.max_delay)


def _passing(error: ApiError) -> bool:
    status = error.status_code if error.token_status is None else error.token_status
    return status in (0, 408, 429) or status >= 500
