"""How calls of a client are made: where to, how long, how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import msgspec

from bursar.contract import InvalidRequestError
from bursar.contract.arguments import header_text
from bursar.contract.record import Record
from bursar.contract.url import base_url

from .events import Hook

# RFC 9110 section 5.6.2: a token.
_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
RETRY_AFTER_MAX: Final = 120.0
"""A server that asks to wait longer (seconds) is not waited for: the error says how long it asked."""


class Policy(Record, frozen=True):
    """Settings of every call of a client. Times in seconds."""

    base_url: str
    timeout: float = 30.0
    """Bounds a whole call: token, waiting for a connection, attempts, pauses, body."""
    attempt_timeout: float | None = None
    """Bounds one attempt; None: an attempt may take all that is left of `timeout`."""
    max_retries: int = 3
    retry_base_delay: float = 0.5
    retry_max_delay: float = 30.0
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Sent with each request besides the client's own."""
    hooks: tuple[Hook, ...] = ()
    user_agent: str = ""
    routes: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Other base URLs for the paths below a prefix; the prefix itself is left out there."""

    hidden: ClassVar[frozenset[str]] = frozenset({"headers"})

    def url(self, target: str) -> str:
        """Return the absolute URL of a path below the base URL."""
        for prefix, base in self.routes.items():
            if target.startswith(f"{prefix}/"):
                return base + target.removeprefix(prefix)
        return self.base_url + target

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "base_url", base_url(self.base_url))
        for name, value in self.headers.items():
            if not _FIELD_NAME.fullmatch(name):
                raise InvalidRequestError(f"{name!r} cannot be the name of a header field", "headers")
            header_text(value, name)
        if not 0 < self.timeout < float("inf"):
            raise InvalidRequestError("timeout must be more than 0 seconds and finite", "timeout")
        if self.attempt_timeout is not None and not self.attempt_timeout > 0:
            raise InvalidRequestError("attempt_timeout must be more than 0 seconds", "attempt_timeout")
        if self.max_retries < 0:
            raise InvalidRequestError("max_retries cannot be negative", "max_retries")
        if not (self.retry_base_delay >= 0 and self.retry_max_delay >= 0):
            raise InvalidRequestError("retry delays cannot be negative", "retry_base_delay")

    def altered(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with other settings. Raises `TypeError` for one that does not exist."""
        return msgspec.structs.replace(self, **changes)


def backoff(policy: Policy, attempt: int, chance: float) -> float:
    """Return the pause after a failed attempt (1 for the first): exponential, its upper half random.

    `chance` is uniform in [0, 1). Never below zero, never above `retry_max_delay`.
    """
    full = min(policy.retry_max_delay, policy.retry_base_delay * 2.0 ** min(attempt - 1, 32))
    return full * (0.5 + 0.5 * chance)
