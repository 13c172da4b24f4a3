"""When a delivery is tried again, when it is given up, and when its endpoint is switched off."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from msgspec import Struct

from bursar.engine.limits import SECOND_US
from bursar.engine.webhooks.tables import Delivery, Endpoint

Outcome = Literal["succeeded", "retryable_failure", "permanent_failure"]

MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Policy(Struct, frozen=True):
    """How one API treats endpoints that do not accept. Times in microseconds."""

    delays: tuple[int, ...]
    """Pause after the first, second, ... failed attempt of a cycle; after as many and one more it is given up."""
    jitter: float
    """Up to this share of the pause is added, so that what failed together is not tried together."""
    longest_wait: int
    """How far a ``Retry-After`` may put the next attempt off; a shorter one than the pause changes nothing."""
    refused_for_good: frozenset[int]
    """Status codes after which there is no other attempt."""
    gone: frozenset[int]
    """Status codes that switch the endpoint off."""
    disable_after: int
    """An endpoint is switched off when it has accepted nothing for so long ..."""
    disable_failures: int
    """... in at least so many attempts."""
    timeout_s: float = 10.0

    def outcome(self, status_code: int, attempt: int) -> Outcome:
        """What the answer to the `attempt`th try of a cycle means."""
        if 200 <= status_code <= 299:
            return "succeeded"
        if status_code in self.refused_for_good or status_code in self.gone or attempt > len(self.delays):
            return "permanent_failure"
        return "retryable_failure"

    def pause(self, delivery: Delivery, attempt: int, retry_after: str | None, now: int) -> int:
        """How long to wait after the `attempt`th try failed.

        The jitter comes from the delivery's id, which the engine's ids made: it is the same in whatever order answers
        come.
        """
        planned = self.delays[attempt - 1]
        subject = f"{delivery.id} {delivery.generation} {attempt}"
        drawn = hashlib.blake2b(subject.encode(), digest_size=7).digest()
        share = self.jitter * int.from_bytes(drawn) / (1 << 56)
        asked = min(_asked(retry_after, now), self.longest_wait)
        return max(planned, asked) + int(planned * share)

    def disables(self, endpoint: Endpoint, status_code: int, now: int) -> str | None:
        """Why an endpoint is to be switched off after a failed attempt, which it counts already; None if it is not."""
        if status_code in self.gone:
            return f"it answered {status_code}"
        since = endpoint.failing_since
        if (
            since is None
            or endpoint.failure_count < self.disable_failures
            or now - since < self.disable_after
        ):
            return None
        return f"{endpoint.failure_count} attempts in a row failed since {utc(since).isoformat()}"


def _asked(retry_after: str | None, now: int) -> int:
    """The pause that a ``Retry-After`` field asks for (RFC 9110 10.2.3); 0 for none and for an unreadable one."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return int(text[:12]) * SECOND_US
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    return max((moment - utc(now)) // _MICROSECOND, 0) if moment.tzinfo else 0


def utc(us: int) -> datetime:
    """Microseconds since the epoch as a time."""
    return _EPOCH + us * _MICROSECOND
