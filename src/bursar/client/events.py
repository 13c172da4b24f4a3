"""What a hook is told about each attempt of a call. No event holds a query, a header or a body."""

from __future__ import annotations

from collections.abc import Callable

from bursar.contract import Outcome
from bursar.contract.record import Record


class AttemptStarted(Record, frozen=True):
    """A request is about to be sent."""

    operation: str
    method: str
    path: str
    """Path template, without the arguments."""
    attempt: int
    """1 for the first."""


class AttemptFinished(Record, frozen=True):
    """A request was answered, or failed."""

    operation: str
    attempt: int
    status: int
    """HTTP status, 0 when no answer came."""
    elapsed: float
    """Seconds."""
    outcome: Outcome | None
    """None for a success."""
    request_id: str | None


class RetryScheduled(Record, frozen=True):
    """The request will be sent again after a pause."""

    operation: str
    attempt: int
    """The attempt that failed."""
    delay: float
    """Seconds."""


Event = AttemptStarted | AttemptFinished | RetryScheduled
Hook = Callable[[Event], None]
"""Called in the thread or task of the call; what it raises is logged and does not disturb the call."""
