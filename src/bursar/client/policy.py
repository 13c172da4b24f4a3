"""How calls of a client are made: where to, how long, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from bursar.contract import InvalidRequestError

from .events import Hook

RETRY_AFTER_MAX: Final = 120.0
"""A server that asks to wait longer (seconds) is not waited for: the error says how long it asked."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of every call of a client. Times in seconds."""

    base_url: str
    timeout: float = 30.0
    """Bounds a whole call: token, waiting for a connection, attempts, pauses, body."""
    attempt_timeout: float | None = None
    """Bounds one attempt; None: an attempt may take all that is left of `timeout`."""
    max_retries: int = 3
    retry_base_delay: float = 0.5
    retry_max_delay: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Sent with each request besides the client's own."""
    hooks: tuple[Hook, ...] = ()
    user_agent: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.timeout < float("inf"):
            raise InvalidRequestError("timeout must be more than 0 seconds and finite", "timeout")
        if self.attempt_timeout is not None and not self.attempt_timeout > 0:
            raise InvalidRequestError("attempt_timeout must be more than 0 seconds", "attempt_timeout")
        if self.max_retries < 0:
            raise InvalidRequestError("max_retries cannot be negative", "max_retries")

    def altered(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with other settings. Raises `TypeError` for one that does not exist."""
        return replace(self, **changes)


def backoff(policy: Policy, attempt: int, chance: float) -> float:
    """Return the pause after a failed attempt (1 for the first): exponential, its upper half random.

    `chance` is uniform in [0, 1). Never below zero, never above `retry_max_delay`.
    """
    full = min(policy.retry_max_delay, policy.retry_base_delay * 2.0 ** min(attempt - 1, 32))
    return full * (0.5 + 0.5 * chance)
