"""When a call is sent again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class BackoffStrategy:
    """Pauses between attempts, in milliseconds. Pauses double, whatever `exponent` says."""

    initial_interval: int
    max_interval: int
    exponent: float
    max_elapsed_time: int
    """No attempt begins later than this after the first."""


@dataclass(slots=True)
class RetryConfig:
    """What happens after a failure that may pass: ``backoff`` as `strategy` repeats the call, anything else does not.

    What may be repeated is Bursar's to say: a call that moves money and has no idempotency key is sent again only when
    it provably never left. `retry_connection_errors` changes nothing about that.
    """

    strategy: str
    backoff: BackoffStrategy
    retry_connection_errors: bool
